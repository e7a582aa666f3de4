# A bridge between the estates, counted on by two runs: first in, last out, and not taken away from under the other run.
#
# Both runs put the bridge up, whoever comes first, and each moves only once it stands. `friday` is done at half past nine and
# does not need the bridge any more; `saturday`, which moves in its own window at night, still does. So friday gives up its claim
# and ends: the bridge is left to saturday, the last to count on it, which takes it down.

--- Fri 4 Sep 2026, BST
18:00:00   a run of friday starts; services: 2, phases: 2
           bridge peering: → claimed
         | saturday: bridge peering: → claimed
           bridge peering: → task up ordered
         | saturday: bridge peering: → task up ordered
         ... 4 min
18:05:00 ! gate both-ways of bridge peering answers badly
         ... 15 min
18:20:00   bridge peering: task up done
           run: bridge peering stands
         | saturday: bridge peering: task up done
         | saturday: run: bridge peering stands
18:20:30 ? hub/prepare: gate both-ways fails, 3 in a row: an answer that is not as expected
         ... 19 min
18:40:00 ! gate both-ways of bridge peering answers well again
18:40:30   hub: target found ready; → 50 % to target
         ... 10 min
18:50:30   hub: 50 % confirmed by its gates; → 100 % to target
         ... 10 min
19:00:31   hub: 100 % confirmed by its gates; all traffic on target, soaking
           spoke: target found ready; → 50 % to target
         ... 10 min
19:10:31   spoke: 50 % confirmed by its gates; → 100 % to target
         ... 10 min
19:20:32   spoke: 100 % confirmed by its gates; all traffic on target, soaking
         ... 1 h 39 min
         ? hub/soak: it soaks until 21:00:31
         ? spoke/soak: it soaks until 21:20:32
         ? bridge peering/lower: bridge peering stays up: hub can still move or come back
21:00:31   hub: soaked, done; → its route is given up
         ... 20 min
21:20:32   spoke: soaked, done; → its route is given up
           bridge peering: → no longer claimed
         ? bridge peering/lower: bridge peering stays up: run saturday counts on it
           run: bridge peering is left to saturday, to be taken down by the last; the run ended: Completed
         ... 39 min
22:00:00 | saturday: branch: target found ready; → 50 % to target
         ... 10 min
22:10:00 | saturday: branch: 50 % confirmed by its gates; → 100 % to target
         ... 10 min
22:20:01 | saturday: branch: 100 % confirmed by its gates; all traffic on target, soaking
         ... 2 h
--- Sat 5 Sep 2026, BST
00:20:01 | saturday: branch: soaked, done; → its route is given up
         | saturday: bridge peering: → task down ordered
         ... 10 min
00:30:01 | saturday: bridge peering: task down done; → no longer claimed
         | saturday: run: bridge peering is down
         | saturday: run: the run ended: Completed
---
the run ended: Completed
no request was lost
