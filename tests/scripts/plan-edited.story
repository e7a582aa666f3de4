# A plan that is edited on day three of its run.
#
# A run executes the revision it was started with. On the third day somebody takes all needs out of the plan, and lets every
# service move in one step. The run does not follow: asked about the edited plan it does nothing at all. An hour later the
# target of tms fails in its soak; scr and pds go back before it, for that is the order in which they were moved.

--- Tue 1 Sep 2026, BST
09:00:00   a run of a-week-of-watch starts; services: 3, phases: 2
           tms: target found ready; → 1 % to target
         ... 10 min
09:10:00   tms: 1 % confirmed by its gates; → 10 % to target
         ... 10 min
09:20:01   tms: 10 % confirmed by its gates; → 50 % to target
         ... 10 min
09:30:01   tms: 50 % confirmed by its gates; → 100 % to target
         ... 10 min
09:40:02   tms: 100 % confirmed by its gates; all traffic on target, soaking
         ... 1 d
         ? phase clinical/begin: phase core has to stay as it is until Wed 2 Sep 09:40:02
         ? tms/soak: it soaks until Tue 8 Sep 09:40:02
--- Wed 2 Sep 2026, BST
09:40:02   pds: target found ready; → 1 % to target
         ... 10 min
09:50:02   pds: 1 % confirmed by its gates; → 10 % to target
         ... 10 min
10:00:03   pds: 10 % confirmed by its gates; → 50 % to target
         ... 10 min
10:10:03   pds: 50 % confirmed by its gates; → 100 % to target
         ... 10 min
10:20:04   pds: 100 % confirmed by its gates; all traffic on target, soaking
           scr: target found ready; → 1 % to target
         ... 10 min
10:30:04   scr: 1 % confirmed by its gates; → 10 % to target
         ... 10 min
10:40:05   scr: 10 % confirmed by its gates; → 50 % to target
         ... 10 min
10:50:05   scr: 50 % confirmed by its gates; → 100 % to target
         ... 10 min
11:00:06   scr: 100 % confirmed by its gates; all traffic on target, soaking
         ... 22 h 59 min
         ? pds/soak: it soaks until Wed 9 Sep 10:20:04
         ? scr/soak: it soaks until Wed 9 Sep 11:00:06
         ? tms/soak: it soaks until Tue 8 Sep 09:40:02
--- Thu 3 Sep 2026, BST
10:00:00 ! the plan is edited: revision 85932a0ef5fd becomes a03115611fea
         ? asked what it would do with the edited plan: nothing, for its record belongs to revision 85932a0ef5fd, not to the one that was given
         ... 1 h
11:00:00 ! gate answers of tms answers badly
11:00:03   tms: gate answers fails, 3 in a row: an answer that is not as expected
         ... 1 min
11:02:01   pds: goes back: tms goes back, and takes it along
           scr: goes back: tms goes back, and takes it along; → back from 100 % to 0 %
           tms: goes back: guard answers has failed since 11:00:01: an answer that is not as expected
           scr: all traffic on legacy; → its route is given up
           pds: → back from 100 % to 0 %
11:02:02   pds: all traffic on legacy; → its route is given up
           tms: → back from 100 % to 0 %
           tms: all traffic on legacy; → its route is given up
           run: the run ended: RolledBack
---
the run ended: RolledBack
no request was lost
