# A bridge between the estates, counted on by two runs: first in, last out, and not taken away from under the other run.
#
# The bridge is put up before anything moves and proven to carry both ways. On Friday another run begins to count on it. This
# run is done first: it leaves the bridge standing until the other one lets it go.

--- Fri 4 Sep 2026, BST
18:00:00   a run of friday starts; services: 2, phases: 2
           bridge peering: → claimed
           bridge peering: → task up ordered
         ... 4 min
18:05:00 ! gate both-ways of bridge peering answers badly
         ... 15 min
18:20:00   bridge peering: task up done
           run: bridge peering stands
18:20:30 ? hub/prepare: gate both-ways fails, 3 in a row: an answer that is not as expected
         ... 19 min
18:40:00 ! gate both-ways of bridge peering answers well again
18:40:30   hub: target found ready; → 50 % to target
         ... 10 min
18:50:30   hub: 50 % confirmed by its gates; → 100 % to target
         ... 9 min
19:00:00 ! another run counts on bridge peering
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
         ? bridge peering/lower: bridge peering stays up: run another-plan counts on it
         ... 6 h
         ? bridge peering/lower: bridge peering stays up: run another-plan counts on it
--- Sat 5 Sep 2026, BST
03:20:32 ! no other run counts on bridge peering any more
           bridge peering: → task down ordered
         ... 10 min
03:30:32   bridge peering: task down done; → no longer claimed
           run: bridge peering is down
           run: the run ended: Completed
---
the run ended: Completed
no request was lost
