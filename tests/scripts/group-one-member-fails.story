# Two services give one answer between them, so they move in step; one of them fails when all is nearly over.
#
# At first the gate of sds has no answer for a while: pds waits for it at the same weight. Then both have moved, portal, which
# needs pds, is on its way, and the target of sds dies. Both members go back, portal before them, and letters, which has
# nothing to do with them, stays.

--- Tue 1 Sep 2026, BST
08:00:00   a run of two-in-step starts; services: 4, phases: 1
           letters, pds, sds: target found ready; → 10 % to target
         ... 10 min
08:10:00   letters, pds, sds: 10 % confirmed by its gates; → 50 % to target
         ... 1 min
08:11:00 ! gate answers of sds has no answer any more
08:11:04   sds: gate answers has no answer: no answer: nobody answers
         ... 6 min
08:18:00 ! gate answers of sds answers well again
08:18:01   sds: gate answers is good again
         ... 2 min
08:20:01   letters, pds, sds: 50 % confirmed by its gates; → 100 % to target
         ... 10 min
08:30:01   letters, pds, sds: 100 % confirmed by its gates; all traffic on target, soaking
           portal: target found ready; → 10 % to target
         ... 10 min
08:40:02   portal: 10 % confirmed by its gates; → 50 % to target
         ... 5 min
08:45:02 ! the target side of sds dies
08:45:04   pds: goes back: sds goes back, and takes it along
           portal: goes back: sds goes back, and takes it along; → back from 50 % to 0 %
           sds: goes back: its target side died (3 rounds without an answer) while it carried traffic
           portal: all traffic on legacy; → its route is given up
           sds, pds: → back from 100 % to 0 %
08:45:05   pds, sds: all traffic on legacy; → its route is given up
         ... 23 h 44 min
         ? letters/soak: it soaks until Wed 2 Sep 08:30:01
--- Wed 2 Sep 2026, BST
08:30:01   letters: soaked, done; → its route is given up
           run: the run ended: RolledBack
---
the run ended: RolledBack
requests that met a side which could not carry them: sds 304
