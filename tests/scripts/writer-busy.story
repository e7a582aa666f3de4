# The one writer of a registry is written to without a break, so its lag is never nothing before the fence.
#
# What has to hold before the fence is `catchUp`: little enough is left. Legacy is fenced then, writes stop, the last of them
# are copied, and only when the lag is nothing is target promoted.

--- Sun 6 Sep 2026, BST
00:00:00   a run of database-dns starts; services: 1, phases: 1
         ! gate lag of registry-db answers badly
         ? phase all/begin: it has to be approved (Replication caught up, backup restored once?): it needs 2 more of dba
         ... 10 min
00:10:00   run: phase all is approved by dba-1, dba-2
           registry-db: → task lower-ttl ordered
         ... 5 min
00:15:05   registry-db: task lower-ttl done
         ... 44 min
         ? registry-db/prepare: window sunday opens at 01:00
01:00:00   registry-db: → task quiesce-registry-export ordered
01:00:05   registry-db: task quiesce-registry-export done; → task quiesce-registry-vacuum ordered
01:00:10   registry-db: task quiesce-registry-vacuum done; → task fence ordered
01:00:20   registry-db: task fence done
01:00:23 ? registry-db/catch-up: gate lag fails, 3 in a row: an answer that is not as expected
01:00:30 ! gate lag of registry-db answers well again
01:00:31   registry-db: → task promote ordered
01:00:46   registry-db: task promote done; target is the writer
01:00:49   registry-db: target found ready; → 100 % to target
         ... 10 min
01:10:54   registry-db: → task resume-registry-export ordered
01:10:59   registry-db: task resume-registry-export done; → task resume-registry-vacuum ordered
01:11:04   registry-db: task resume-registry-vacuum done; 100 % confirmed by its gates; all traffic on target, soaking
         ... 14 d
         ? registry-db/soak: it soaks until Sun 20 Sep 01:11:04
--- Sun 20 Sep 2026, BST
01:11:04   registry-db: soaked, done; → task restore-ttl ordered
         ... 5 min
01:16:09   registry-db: task restore-ttl done; → its route is given up
           run: the run ended: Completed
---
the run ended: Completed
no request was lost
