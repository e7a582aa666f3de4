# A window that closes in the middle of a bake.
#
# pds moves in time. portal is at half of its traffic when the gate that speaks for it falls silent: it can neither go on nor
# is anything known to be wrong. When the last moment has come from which everything in motion can still be undone within the
# window, portal goes back; pds, which is not in motion any more, stays. On Sunday portal is tried again.

--- Thu 3 Sep 2026, BST
20:00:00   a run of one-night starts; services: 2, phases: 1
         ... 2 h
         ? pds/prepare: window thursday opens at 22:00
         ? portal/prepare: it needs pds, which does not carry all its traffic on target yet
22:00:00   pds: target found ready; → 10 % to target
         ... 30 min
22:30:00   pds: 10 % confirmed by its gates; → 50 % to target
         ... 30 min
23:00:01   pds: 50 % confirmed by its gates; → 100 % to target
         ... 30 min
23:30:01   pds: 100 % confirmed by its gates; all traffic on target, soaking
           portal: target found ready; → 10 % to target
         ... 30 min
--- Fri 4 Sep 2026, BST
00:00:02   portal: 10 % confirmed by its gates; → 50 % to target
         ... 20 min
00:20:02 ! gate answers of portal has no answer any more
00:20:06   portal: gate answers has no answer: no answer: nobody answers
         ... 9 min
00:30:02 ? portal/shift-50: gate answers has no answer: no answer: nobody answers
         ... 59 min
01:29:50   run: window thursday: the latest rollback of window thursday came at 01:29:50 and it was still in motion
           portal: goes back: the latest rollback of window thursday came at 01:29:50 and it was still in motion; → back from 50 % to 0 %
           portal: all traffic on legacy; → its route is given up
         ... 7 h 30 min
         ? pds/soak: it soaks until Sun 6 Sep 23:30:01
09:00:00 ! gate answers of portal answers well again
         ... 1 h
         ? pds/soak: it soaks until Sun 6 Sep 23:30:01
10:00:00 ! somebody wants portal tried again, attempt 2
           portal: is tried again, attempt 2, by duty-manager
         ... 2 d 12 h
         ? pds/soak: it soaks until Sun 6 Sep 23:30:01
         ? portal/prepare: window sunday opens at Sun 6 Sep 22:00
--- Sun 6 Sep 2026, BST
22:00:00   portal: target found ready; → 10 % to target
         ... 30 min
22:30:00   portal: 10 % confirmed by its gates; → 50 % to target
         ... 30 min
23:00:01   portal: 50 % confirmed by its gates; → 100 % to target
         ... 30 min
23:30:01   pds: soaked, done; → its route is given up
           portal: 100 % confirmed by its gates; all traffic on target, soaking
         ... 3 d
         ? portal/soak: it soaks until Wed 9 Sep 23:30:01
--- Wed 9 Sep 2026, BST
23:30:01   portal: soaked, done; → its route is given up
           run: the run ended: Completed
---
the run ended: Completed
no request was lost
