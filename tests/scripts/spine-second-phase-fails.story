# The same weekend; in the second phase the new prescriptions service (eps) fails at a quarter of its traffic.
#
# It goes back with what needs it, and with nothing else: the first phase stays where it is, the other clinical services
# finish their own way, and the third phase does not begin. On Sunday the fault is mended and eps is tried again.

--- Fri 28 Aug 2026, BST
19:00:00   a run of spine-weekend starts; services: 14, phases: 3
         ? phase core/begin: it has to be approved (Core ready? Rehearsal passed, rollback rehearsed, desk staffed?): it needs 2 more of duty-manager
         ... 5 min
19:05:00   run: phase core is approved by alice, bob
           phase core: → task open-room ordered
         ? phase core/task-open-room: task open-room is to be done by duty-manager: Open the incident room and the line to the suppliers; name who speaks for each.
         ... 30 min
19:35:00   phase core: task open-room done; → task tell-users ordered
19:35:30   phase core: task tell-users done
           pds: → task mirror ordered
           tms: → task warm ordered
           bridge peering: → claimed
           bridge peering: → task up ordered
19:35:35   pds: task mirror done
           tms: task warm done
         ... 29 min
20:05:30   bridge peering: task up done
           run: bridge peering stands
20:05:33   tms: → its legacy side is made known to the router
           tms: → task silence ordered
20:06:03   tms: task silence done; target found ready; → 1 % to target
         ... 10 min
20:16:03   tms: 1 % confirmed by its gates; → 5 % to target
         ... 10 min
20:26:04   tms: 5 % confirmed by its gates; → 25 % to target
         ... 10 min
20:36:04   tms: 25 % confirmed by its gates; → 50 % to target
         ... 10 min
20:46:05   tms: 50 % confirmed by its gates; → 100 % to target
         ... 10 min
20:56:05   tms: 100 % confirmed by its gates; all traffic on target, soaking
           audit, pds, sds: → its legacy side is made known to the router
           audit: target found ready; → 1 % to target
           pds: → task mirror-end ordered
20:56:10   pds: task mirror-end done; → task quiesce-pds-nightly ordered
20:56:15   pds: task quiesce-pds-nightly done; → task pause-batch ordered
         ... 9 min
21:06:06   audit: 1 % confirmed by its gates; → 5 % to target
21:06:15   pds: task pause-batch done; target found ready; → 1 % to target
           sds: target found ready; → 1 % to target
         ... 9 min
21:16:06   audit: 5 % confirmed by its gates; → 25 % to target
         ... 5 min
21:21:16   pds, sds: 1 % confirmed by its gates; → 10 % to target
         ... 4 min
21:26:07   audit: 25 % confirmed by its gates; → 50 % to target
         ... 10 min
21:36:07   audit: 50 % confirmed by its gates; → 100 % to target
21:36:16   pds, sds: 10 % confirmed by its gates; → 50 % to target
         ... 9 min
21:46:08   audit: 100 % confirmed by its gates; all traffic on target, soaking
         ... 5 min
21:51:17   pds, sds: 50 % confirmed by its gates; → 100 % to target
         ... 15 min
22:06:17   pds: → task resume-pds-nightly ordered
           sds: 100 % confirmed by its gates; all traffic on target, soaking
           access-control: → its legacy side is made known to the router
           access-control: target found ready; → 1 % to target
22:06:22   pds: task resume-pds-nightly done; → task ring-suppliers ordered
         ? pds/task-ring-suppliers: task ring-suppliers is to be done by duty-manager: Ring the three largest suppliers and ask for a trace each.
         ... 9 min
22:16:18   access-control: 1 % confirmed by its gates; → 5 % to target
         ... 10 min
22:26:18   access-control: 5 % confirmed by its gates; → 25 % to target
         ... 10 min
22:36:19   access-control: 25 % confirmed by its gates; → 50 % to target
22:36:22   pds: task ring-suppliers done; 100 % confirmed by its gates; all traffic on target, soaking
         ... 9 min
22:46:19   access-control: 50 % confirmed by its gates; → 100 % to target
         ... 10 min
22:56:20   access-control: 100 % confirmed by its gates; all traffic on target, soaking
         ... 2 h
         ? access-control/soak: it soaks until Mon 12 Oct 22:56:20
         ? audit/soak: it soaks until Mon 12 Oct 21:46:08
         ? child-protection/prepare, portal/prepare and 2 more: phase clinical comes first, and its service consent is not on target yet
         ? phase clinical/begin: it has to be approved (Core has been stable for two hours. Clinical go?): it needs 1 more of clinical-safety and 1 more of duty-manager
         ? pds/soak: it soaks until Mon 12 Oct 22:36:22
         ? and 3 more
--- Sat 29 Aug 2026, BST
00:56:20 ? phase clinical/begin: it has to be approved (Core has been stable for two hours. Clinical go?): it needs 1 more of clinical-safety and 1 more of duty-manager
         ... 5 min
01:01:20   run: phase clinical is approved by cso@spine.example, alice
           consent, eps, gp2gp: → its legacy side is made known to the router
           consent, gp2gp: target found ready; → 1 % to target
           eps: → task quiesce-eps-reimbursement ordered
01:01:25   eps: task quiesce-eps-reimbursement done; target found ready; → 1 % to target
         ... 9 min
01:11:20   consent, gp2gp: 1 % confirmed by its gates; → 5 % to target
01:11:25   eps: 1 % confirmed by its gates; → 5 % to target
         ... 9 min
01:21:21   consent, gp2gp: 5 % confirmed by its gates; → 25 % to target
01:21:26   eps: 5 % confirmed by its gates; → 25 % to target
         ... 4 min
01:25:26 ! gate p99 of eps answers badly
01:26:00   eps: goes back: gate p99 failed at 25 %: an answer that is not as expected; → back from 25 % to 0 %
           eps-tracker: goes back: eps goes back, and takes it along; all traffic on legacy
           eps: all traffic on legacy; → undo of task quiesce-eps-reimbursement ordered
01:26:05   eps: undo of task quiesce-eps-reimbursement done; → its route is given up
         ... 5 min
01:31:22   consent, gp2gp: 25 % confirmed by its gates; → 50 % to target
         ... 10 min
01:41:22   consent, gp2gp: 50 % confirmed by its gates; → 100 % to target
         ... 10 min
01:51:23   consent, gp2gp: 100 % confirmed by its gates; all traffic on target, soaking
           scr: → its legacy side is made known to the router
           scr: target found ready; → 1 % to target
         ... 10 min
02:01:23   scr: 1 % confirmed by its gates; → 5 % to target
         ... 10 min
02:11:24   scr: 5 % confirmed by its gates; → 25 % to target
         ... 10 min
02:21:24   scr: 25 % confirmed by its gates; → 50 % to target
         ... 10 min
02:31:25   scr: 50 % confirmed by its gates; → 100 % to target
         ... 10 min
02:41:25   scr: 100 % confirmed by its gates; all traffic on target, soaking
         ... 44 min
         ? access-control/soak: it soaks until Mon 12 Oct 22:56:20
         ? audit/soak: it soaks until Mon 12 Oct 21:46:08
         ? child-protection/prepare, portal/prepare and 2 more: phase clinical comes first, and its service eps is not on target yet
         ? consent/soak, gp2gp/soak: it soaks until Tue 13 Oct 01:51:23
         ? pds/soak: it soaks until Mon 12 Oct 22:36:22
         ? and 4 more
03:26:00 ! gate p99 of eps answers well again
         ... 1 d 5 h
         ? access-control/soak: it soaks until Mon 12 Oct 22:56:20
         ? audit/soak: it soaks until Mon 12 Oct 21:46:08
         ? child-protection/prepare, portal/prepare and 2 more: phase clinical comes first, and its service eps is not on target yet
         ? consent/soak, gp2gp/soak: it soaks until Tue 13 Oct 01:51:23
         ? pds/soak: it soaks until Mon 12 Oct 22:36:22
         ? and 4 more
--- Sun 30 Aug 2026, BST
09:00:00 ! somebody wants eps tried again, attempt 2
           eps: is tried again, attempt 2, by duty-manager; → task quiesce-eps-reimbursement ordered
09:00:05   eps: task quiesce-eps-reimbursement done; target found ready; → 1 % to target
         ... 4 min
09:05:00 ! somebody wants eps-tracker tried again, attempt 2
           eps-tracker: is tried again, attempt 2, by duty-manager
         ... 5 min
09:10:05   eps: 1 % confirmed by its gates; → 5 % to target
         ... 10 min
09:20:06   eps: 5 % confirmed by its gates; → 25 % to target
         ... 10 min
09:30:06   eps: 25 % confirmed by its gates; → 50 % to target
         ... 10 min
09:40:07   eps: 50 % confirmed by its gates; → 100 % to target
         ... 10 min
09:50:07   eps: → task resume-eps-reimbursement ordered
09:50:12   eps: task resume-eps-reimbursement done; 100 % confirmed by its gates; all traffic on target, soaking
           eps-tracker: → its legacy side is made known to the router
           eps-tracker: target found ready; → 1 % to target
         ... 10 min
10:00:13   eps-tracker: 1 % confirmed by its gates; → 5 % to target
         ... 10 min
10:10:13   eps-tracker: 5 % confirmed by its gates; → 25 % to target
         ... 10 min
10:20:14   eps-tracker: 25 % confirmed by its gates; → 50 % to target
         ... 10 min
10:30:14   eps-tracker: 50 % confirmed by its gates; → 100 % to target
         ... 10 min
10:40:15   eps-tracker: 100 % confirmed by its gates; all traffic on target, soaking
         ... 1 h
         ? access-control/soak: it soaks until Mon 12 Oct 22:56:20
         ? audit/soak: it soaks until Mon 12 Oct 21:46:08
         ? phase rest/begin: it has to be approved (The rest, or call it a weekend?): it needs 1 more of duty-manager
         ? consent/soak, gp2gp/soak: it soaks until Tue 13 Oct 01:51:23
         ? eps/soak: it soaks until Wed 14 Oct 09:50:12
         ? and 6 more
11:40:15 ? phase rest/begin: it has to be approved (The rest, or call it a weekend?): it needs 1 more of duty-manager
         ... 5 min
11:45:15   run: phase rest is approved by alice
           child-protection, portal, secondary-uses, spine-directory: → its legacy side is made known to the router
           child-protection, portal, secondary-uses, spine-directory: target found ready; → 1 % to target
         ... 10 min
11:55:15   child-protection, portal, secondary-uses, spine-directory: 1 % confirmed by its gates; → 5 % to target
         ... 10 min
12:05:16   child-protection, portal, secondary-uses, spine-directory: 5 % confirmed by its gates; → 25 % to target
         ... 10 min
12:15:16   child-protection, portal, secondary-uses, spine-directory: 25 % confirmed by its gates; → 50 % to target
         ... 10 min
12:25:17   child-protection, portal, secondary-uses, spine-directory: 50 % confirmed by its gates; → 100 % to target
         ... 10 min
12:35:17   child-protection, portal, secondary-uses, spine-directory: 100 % confirmed by its gates; all traffic on target, soaking
         ... 1 d 6 h
         ? access-control/soak: it soaks until Mon 12 Oct 22:56:20
         ? audit/soak: it soaks until Mon 12 Oct 21:46:08
         ? child-protection/soak, portal/soak and 2 more: it soaks until Wed 14 Oct 12:35:17
         ? consent/soak, gp2gp/soak: it soaks until Tue 13 Oct 01:51:23
         ? eps/soak: it soaks until Wed 14 Oct 09:50:12
         ? and 6 more
---
the run goes on; it waits:
         ? access-control/soak: it soaks until Mon 12 Oct 22:56:20
         ? audit/soak: it soaks until Mon 12 Oct 21:46:08
         ? child-protection/soak, portal/soak and 2 more: it soaks until Wed 14 Oct 12:35:17
         ? consent/soak, gp2gp/soak: it soaks until Tue 13 Oct 01:51:23
         ? eps/soak: it soaks until Wed 14 Oct 09:50:12
         ? and 6 more
no request was lost
