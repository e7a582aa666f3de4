# The one writer of a registry moves, and the replication lag never reaches zero.
#
# Before the fence the lag is watched: far behind, nothing begins. Once legacy refuses writes nobody can write, so the pause
# budget of 90 s runs; a lag that comes back then and stays ends in an unfenced legacy within it.
# Nothing moved, so the run is over; another one is another run.

--- Sun 6 Sep 2026, BST
00:00:00   a run of database-dns starts; services: 1, phases: 1
         ? phase all/begin: it has to be approved (Replication caught up, backup restored once?): it needs 2 more of dba
         ... 10 min
00:10:00   run: phase all is approved by dba-1, dba-2
           registry-db: → task lower-ttl ordered
         ... 5 min
00:15:05   registry-db: task lower-ttl done
         ... 14 min
00:30:00 ! gate lag of registry-db answers badly
         ... 30 min
01:00:00   registry-db: → task quiesce-registry-export ordered
01:00:05   registry-db: task quiesce-registry-export done; → task quiesce-registry-vacuum ordered
01:00:10   registry-db: task quiesce-registry-vacuum done
         ? registry-db/catch-up: gate lag fails, 6 in a row: an answer that is not as expected
         ... 59 min
         ? registry-db/catch-up: gate lag fails, 6 in a row: an answer that is not as expected
02:00:00 ! gate lag of registry-db answers well again
02:00:01   registry-db: → task fence ordered
02:00:02 ! gate lag of registry-db answers badly
02:00:11   registry-db: task fence done
02:00:14 ? registry-db/catch-up: gate lag fails, 3 in a row: an answer that is not as expected
         ... 1 min
02:01:31   registry-db: goes back: nothing could be written for longer than its pause budget of 1m30s; → undo of task fence ordered
02:01:41   registry-db: undo of task fence done; all traffic on legacy; → undo of task quiesce-registry-vacuum ordered
02:01:46   registry-db: undo of task quiesce-registry-vacuum done; → undo of task quiesce-registry-export ordered
02:01:51   registry-db: undo of task quiesce-registry-export done; → undo of task lower-ttl ordered
         ... 5 min
02:06:56   registry-db: undo of task lower-ttl done
           run: the run ended: RolledBack
---
the run ended: RolledBack
no request was lost
