# An approval that never comes.
#
# Two duty managers are asked. alice says yes, and two hours later bob: by then alice's yes is older than it may be. dave of
# the desk stands in for a duty manager, but says no, and a no stands. Nobody answers again. The window closes; the second
# phase stays where it is, whole, and the first one soaks on. It never times out into a go.

--- Sat 5 Sep 2026, BST
18:00:00   a run of asked-first starts; services: 2, phases: 2
         ... 2 h
         ? pds/prepare: window saturday opens at 20:00
         ? portal/prepare: phase one comes first, and its service pds is not on target yet
20:00:00   pds: target found ready; → 10 % to target
         ... 10 min
20:10:00   pds: 10 % confirmed by its gates; → 100 % to target
         ... 10 min
20:20:01   pds: 100 % confirmed by its gates; all traffic on target, soaking
         ... 30 min
20:50:01 ? phase two/begin: it has to be approved (One is stable. Go?): it needs 2 more of duty-manager
         ... 5 min
20:55:01 ! alice says yes to the beginning of phase two
         ... 2 h
         ? pds/soak: it soaks until Sun 6 Sep 20:20:01
         ? phase two/begin: it has to be approved (One is stable. Go?): it needs 1 more of duty-manager
22:55:01 ! bob says yes to the beginning of phase two
         ... 20 min
23:15:01 ! dave says no to the beginning of phase two
         ? phase two/begin: dave said no (One is stable. Go?)
         ... 5 min
23:20:01 ! alice says yes to the beginning of phase two
         ... 21 h
         ? pds/soak: it soaks until Sun 6 Sep 20:20:01
         ? phase two/begin: dave said no (One is stable. Go?)
--- Sun 6 Sep 2026, BST
20:20:01   pds: soaked, done; → its route is given up
         ... 2 d 21 h
         ? phase two/begin: dave said no (One is stable. Go?)
---
the run goes on; it waits:
         ? phase two/begin: dave said no (One is stable. Go?)
no request was lost
