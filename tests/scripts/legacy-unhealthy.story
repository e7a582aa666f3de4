# Going back to a legacy side that is not well.
#
# tms has moved in part when people order everything back, just as its old hosts stop answering. A rollback to a dead side
# would be an outage that we cause: it is refused, the traffic goes where somebody answers, and the way back stays ordered
# for when legacy lives again.

--- Tue 1 Sep 2026, UTC
09:00:00   a run of three-services starts; services: 3, phases: 2
           tms: → its legacy side is made known to the router
           tms: target found ready; → 5 % to target
         ... 5 min
09:05:00   tms: 5 % confirmed by its gates; → 25 % to target
         ... 5 min
09:10:01   tms: 25 % confirmed by its gates; → 50 % to target
         ... 2 min
09:12:01 ! 1 endpoints of the legacy side of tms answer
         ... 1 min
09:13:01 ! somebody orders everything back
           pds, scr: goes back: ordered by duty-manager; all traffic on legacy
           tms: goes back: ordered by duty-manager; holds: no-worse: going back is refused, legacy is too small and target is healthy; traffic stays where it is
         ... 5 min
09:18:01 ! the legacy side of tms dies
         ? tms/return: no-worse: going back is refused, legacy is dead and target is healthy; traffic stays where it is
09:18:02   tms: all traffic to target at once: its legacy side died (3 rounds without an answer) while it carried traffic; → 100 % to target
         ... 19 min
09:38:01 ! 2 endpoints of the legacy side of tms answer
           tms: → back from 100 % to 0 %
           tms: all traffic on legacy; → its route is given up
           run: the run ended: RolledBack
---
the run ended: RolledBack
requests that met a side which could not carry them: tms 228
