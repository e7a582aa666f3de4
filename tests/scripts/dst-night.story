# The night on which the clocks go back: between one and two the wall clock shows every minute twice.
#
# The window from 23:00 to 06:00 is eight hours long, not seven. Bakes are lengths and not moments; a hold from 01:30 to 01:05
# lasts 35 minutes. What comes too near to the freeze at 02:30 does not start, and what is still in motion then goes back.

--- Sat 24 Oct 2026, BST
22:00:00   a run of the-longest-night starts; services: 2, phases: 1
         ... 1 h
         ? pds/prepare: window night opens at 23:00
         ? portal/prepare: it needs pds, which does not carry all its traffic on target yet
23:00:00   pds: target found ready; → 10 % to target
         ... 40 min
         ? pds/shift-10: 10 % is watched until 23:40
         ? portal/prepare: it needs pds, which does not carry all its traffic on target yet
23:40:00   pds: 10 % confirmed by its gates; → 50 % to target
         ... 40 min
         ? pds/shift-50: 50 % is watched until Sun 25 Oct 00:20:01
         ? portal/prepare: it needs pds, which does not carry all its traffic on target yet
--- Sun 25 Oct 2026, BST
00:20:01   pds: 50 % confirmed by its gates; → 100 % to target
         ... 40 min
         ? pds/shift-100: 100 % is watched until 01:00:01
         ? portal/prepare: it needs pds, which does not carry all its traffic on target yet
01:00:01   pds: 100 % confirmed by its gates; all traffic on target, soaking
           portal: target found ready; → 10 % to target
         ... 29 min
01:30:00 ! somebody orders a hold
           run: the run holds: ordered by duty-manager
         ... 35 min
         ? pds/soak: it soaks until Mon 26 Oct 00:00:01
         ? portal/shift-10: ordered by duty-manager
--- Sun 25 Oct 2026, GMT
01:05:00 ! somebody resumes every hold up to number 2
           run: the run is resumed by duty-manager
           portal: 10 % confirmed by its gates; → 50 % to target
         ... 40 min
         ? pds/soak: it soaks until Mon 26 Oct 00:00:01
         ? portal/shift-50: it would end at 02:25:10, after the latest rollback of window night at 01:59:50; the next window will do
01:45:00 ? portal/shift-50: it would end at 02:25:10, after the latest rollback of window night at 01:59:50; the next window will do
         ... 14 min
01:59:50   run: window night: the latest rollback of window night came at 01:59:50 and it was still in motion
           portal: goes back: the latest rollback of window night came at 01:59:50 and it was still in motion; → back from 50 % to 0 %
           portal: all traffic on legacy; → its route is given up
         ... 22 h
         ? pds/soak: it soaks until Mon 26 Oct 00:00:01
--- Mon 26 Oct 2026, GMT
00:00:01   pds: soaked, done; → its route is given up
           run: the run ended: RolledBack
---
the run ended: RolledBack
no request was lost
