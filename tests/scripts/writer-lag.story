# The one writer of a registry moves, and the replication lag never reaches zero: replication is slower than what is written.
#
# Before the fence `catchUp` is watched: far behind, nothing begins. At two in the morning replication has caught up again, and the
# fence is ordered; in the very moment a backup slows replication down once more. When legacy refuses writes at last, more is on
# its way than can be copied within the pause budget of 90 s: the lag never reaches zero, target is not promoted, and the fence is
# taken back, which takes its time as well. Nothing moved and nothing was lost, so the run is over; another one is another run.

--- Sun 6 Sep 2026, BST
00:00:00   a run of database-dns starts; services: 1, phases: 1
         ? phase all/begin: it has to be approved (Replication caught up, backup restored once?): it needs 2 more of dba
         ... 10 min
00:10:00   run: phase all is approved by dba-1, dba-2
           registry-db: → task lower-ttl ordered
         ... 5 min
00:15:05   registry-db: task lower-ttl done
         ... 14 min
00:30:00 ! replication of registry-db is slower than what is written
         ... 30 min
01:00:00   registry-db: → task quiesce-registry-export ordered
01:00:05   registry-db: task quiesce-registry-export done; → task quiesce-registry-vacuum ordered
01:00:10   registry-db: task quiesce-registry-vacuum done
         ? registry-db/catch-up: gate catch-up fails, 6 in a row: an answer that is not as expected
         ... 49 min
         ? registry-db/catch-up: gate catch-up fails, 6 in a row: an answer that is not as expected
01:50:00 ! replication of registry-db keeps up again
         ... 10 min
02:00:01   registry-db: → task fence ordered
         ! replication of registry-db is slower than what is written
02:00:11   registry-db: task fence done
02:00:14 ? registry-db/catch-up: gate lag fails, 3 in a row: an answer that is not as expected
         ... 1 min
02:01:16   registry-db: goes back: nobody could have written for longer than its pause budget of 1m30s; → undo of task fence ordered
02:01:26   registry-db: undo of task fence done
02:01:29   registry-db: all traffic on legacy; → undo of task quiesce-registry-vacuum ordered
02:01:34   registry-db: undo of task quiesce-registry-vacuum done; → undo of task quiesce-registry-export ordered
02:01:39   registry-db: undo of task quiesce-registry-export done; → undo of task lower-ttl ordered
         ... 5 min
02:06:44   registry-db: undo of task lower-ttl done
           run: the run ended: RolledBack
---
the run ended: RolledBack
no request was lost
nobody could write to registry-db for 85 s at most, of 90 s that its plan bears
