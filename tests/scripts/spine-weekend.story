# A bank-holiday weekend: fourteen national services move, in phases, never "switch off, switch on".
#
# Nothing goes wrong. Two duty managers say yes to the first phase, the clinical safety officer to the second; 45 days of
# watch follow, and in a window of their own the old estates are switched off, one approval for each service.

--- Fri 28 Aug 2026, BST
19:00:00   a run of spine-weekend starts; services: 14, phases: 3
         ? phase core/begin: it has to be approved (Core ready? Rehearsal passed, rollback rehearsed, desk staffed?): it needs 2 more of duty-manager
         ... 20 min
19:20:00 ! alice says yes to the beginning of phase core
         ... 5 min
19:25:00 ! bob says yes to the beginning of phase core
           run: phase core is approved by alice, bob
           phase core: → task open-room ordered
         ? phase core/task-open-room: task open-room is to be done by duty-manager: Open the incident room and the line to the suppliers; name who speaks for each.
         ... 30 min
19:55:00   phase core: task open-room done; → task tell-users ordered
19:55:30   phase core: task tell-users done
           pds: → task mirror ordered
           tms: → task warm ordered
           bridge peering: → claimed
           bridge peering: → task up ordered
19:55:35   pds: task mirror done
           tms: task warm done
         ... 29 min
20:25:30   bridge peering: task up done
           run: bridge peering stands
20:25:33   tms: → its legacy side is made known to the router
           tms: → task silence ordered
20:26:03   tms: task silence done; target found ready; → 1 % to target
         ... 10 min
20:36:03   tms: 1 % confirmed by its gates; → 5 % to target
         ... 10 min
20:46:04   tms: 5 % confirmed by its gates; → 25 % to target
         ... 10 min
20:56:04   tms: 25 % confirmed by its gates; → 50 % to target
         ... 10 min
21:06:05   tms: 50 % confirmed by its gates; → 100 % to target
         ... 10 min
21:16:05   tms: 100 % confirmed by its gates; all traffic on target, soaking
           audit, pds, sds: → its legacy side is made known to the router
           audit: target found ready; → 1 % to target
           pds: → task mirror-end ordered
21:16:10   pds: task mirror-end done; → task quiesce-pds-nightly ordered
21:16:15   pds: task quiesce-pds-nightly done; → task pause-batch ordered
         ... 9 min
21:26:06   audit: 1 % confirmed by its gates; → 5 % to target
21:26:15   pds: task pause-batch done; target found ready; → 1 % to target
           sds: target found ready; → 1 % to target
         ... 9 min
21:36:06   audit: 5 % confirmed by its gates; → 25 % to target
         ... 5 min
21:41:16   pds, sds: 1 % confirmed by its gates; → 10 % to target
         ... 4 min
21:46:07   audit: 25 % confirmed by its gates; → 50 % to target
         ... 10 min
21:56:07   audit: 50 % confirmed by its gates; → 100 % to target
21:56:16   pds, sds: 10 % confirmed by its gates; → 50 % to target
         ... 9 min
22:06:08   audit: 100 % confirmed by its gates; all traffic on target, soaking
         ... 5 min
22:11:17   pds, sds: 50 % confirmed by its gates; → 100 % to target
         ... 15 min
22:26:17   pds: → task resume-pds-nightly ordered
           sds: 100 % confirmed by its gates; all traffic on target, soaking
           access-control: → its legacy side is made known to the router
           access-control: target found ready; → 1 % to target
22:26:22   pds: task resume-pds-nightly done; → task ring-suppliers ordered
         ? pds/task-ring-suppliers: task ring-suppliers is to be done by duty-manager: Ring the three largest suppliers and ask for a trace each.
         ... 9 min
22:36:18   access-control: 1 % confirmed by its gates; → 5 % to target
         ... 10 min
22:46:18   access-control: 5 % confirmed by its gates; → 25 % to target
         ... 10 min
22:56:19   access-control: 25 % confirmed by its gates; → 50 % to target
22:56:22   pds: task ring-suppliers done; 100 % confirmed by its gates; all traffic on target, soaking
         ... 9 min
23:06:19   access-control: 50 % confirmed by its gates; → 100 % to target
         ... 10 min
23:16:20   access-control: 100 % confirmed by its gates; all traffic on target, soaking
         ... 2 h
         ? access-control/soak: it soaks until Mon 12 Oct 23:16:20
         ? audit/soak: it soaks until Mon 12 Oct 22:06:08
         ? child-protection/prepare, portal/prepare and 2 more: phase clinical comes first, and its service consent is not on target yet
         ? phase clinical/begin: it has to be approved (Core has been stable for two hours. Clinical go?): it needs 1 more of clinical-safety and 1 more of duty-manager
         ? pds/soak: it soaks until Mon 12 Oct 22:56:22
         ? and 3 more
--- Sat 29 Aug 2026, BST
01:16:20 ? phase clinical/begin: it has to be approved (Core has been stable for two hours. Clinical go?): it needs 1 more of clinical-safety and 1 more of duty-manager
         ... 10 min
01:26:20 ! alice says yes to the beginning of phase clinical
         ... 5 min
01:31:20 ! cso@spine.example says yes to the beginning of phase clinical
           run: phase clinical is approved by alice, cso@spine.example
           consent, eps, gp2gp: → its legacy side is made known to the router
           consent, gp2gp: target found ready; → 1 % to target
           eps: → task quiesce-eps-reimbursement ordered
01:31:25   eps: task quiesce-eps-reimbursement done; target found ready; → 1 % to target
         ... 9 min
01:41:20   consent, gp2gp: 1 % confirmed by its gates; → 5 % to target
01:41:25   eps: 1 % confirmed by its gates; → 5 % to target
         ... 9 min
01:51:21   consent, gp2gp: 5 % confirmed by its gates; → 25 % to target
01:51:26   eps: 5 % confirmed by its gates; → 25 % to target
         ... 9 min
02:01:22   consent, gp2gp: 25 % confirmed by its gates; → 50 % to target
02:01:27   eps: 25 % confirmed by its gates; → 50 % to target
         ... 9 min
02:11:22   consent, gp2gp: 50 % confirmed by its gates; → 100 % to target
02:11:27   eps: 50 % confirmed by its gates; → 100 % to target
         ... 9 min
02:21:23   consent, gp2gp: 100 % confirmed by its gates; all traffic on target, soaking
           scr: → its legacy side is made known to the router
           scr: target found ready; → 1 % to target
02:21:28   eps: → task resume-eps-reimbursement ordered
02:21:33   eps: task resume-eps-reimbursement done; 100 % confirmed by its gates; all traffic on target, soaking
           eps-tracker: → its legacy side is made known to the router
           eps-tracker: target found ready; → 1 % to target
         ... 9 min
02:31:23   scr: 1 % confirmed by its gates; → 5 % to target
02:31:33   eps-tracker: 1 % confirmed by its gates; → 5 % to target
         ... 9 min
02:41:24   scr: 5 % confirmed by its gates; → 25 % to target
02:41:34   eps-tracker: 5 % confirmed by its gates; → 25 % to target
         ... 9 min
02:51:24   scr: 25 % confirmed by its gates; → 50 % to target
02:51:34   eps-tracker: 25 % confirmed by its gates; → 50 % to target
         ... 9 min
03:01:25   scr: 50 % confirmed by its gates; → 100 % to target
03:01:35   eps-tracker: 50 % confirmed by its gates; → 100 % to target
         ... 9 min
03:11:25   scr: 100 % confirmed by its gates; all traffic on target, soaking
03:11:35   eps-tracker: 100 % confirmed by its gates; all traffic on target, soaking
         ... 1 h
         ? access-control/soak: it soaks until Mon 12 Oct 23:16:20
         ? audit/soak: it soaks until Mon 12 Oct 22:06:08
         ? phase rest/begin: it has to be approved (The rest, or call it a weekend?): it needs 1 more of duty-manager
         ? consent/soak, gp2gp/soak: it soaks until Tue 13 Oct 02:21:23
         ? eps/soak: it soaks until Tue 13 Oct 02:21:33
         ? and 6 more
04:11:35 ? phase rest/begin: it has to be approved (The rest, or call it a weekend?): it needs 1 more of duty-manager
         ... 10 min
04:21:35 ! bob says yes to the beginning of phase rest
           run: phase rest is approved by bob
           child-protection, portal, secondary-uses, spine-directory: → its legacy side is made known to the router
           child-protection, portal, secondary-uses, spine-directory: target found ready; → 1 % to target
         ... 10 min
04:31:36   child-protection, portal, secondary-uses, spine-directory: 1 % confirmed by its gates; → 5 % to target
         ... 10 min
04:41:36   child-protection, portal, secondary-uses, spine-directory: 5 % confirmed by its gates; → 25 % to target
         ... 10 min
04:51:37   child-protection, portal, secondary-uses, spine-directory: 25 % confirmed by its gates; → 50 % to target
         ... 10 min
05:01:37   child-protection, portal, secondary-uses, spine-directory: 50 % confirmed by its gates; → 100 % to target
         ... 10 min
05:11:38   child-protection, portal, secondary-uses, spine-directory: 100 % confirmed by its gates; all traffic on target, soaking
         ... 23 h 9 min
         ? access-control/soak: it soaks until Mon 12 Oct 23:16:20
         ? audit/soak: it soaks until Mon 12 Oct 22:06:08
         ? child-protection/soak, portal/soak and 2 more: it soaks until Tue 13 Oct 05:11:38
         ? consent/soak, gp2gp/soak: it soaks until Tue 13 Oct 02:21:23
         ? eps/soak: it soaks until Tue 13 Oct 02:21:33
         ? and 6 more
--- Sun 30 Aug 2026, BST
04:21:35 ! everybody answers after 30m
         ... 43 d 16 h
--- Mon 12 Oct 2026, BST
21:16:05   tms: soaked, done
         ... 50 min
         ? access-control/soak: it soaks until 23:16:20
         ? audit/soak: it soaks until 22:06:08
         ? child-protection/soak, portal/soak and 2 more: it soaks until Tue 13 Oct 05:11:38
         ? consent/soak, gp2gp/soak: it soaks until Tue 13 Oct 02:21:23
         ? eps/soak: it soaks until Tue 13 Oct 02:21:33
         ? and 6 more
22:06:08   audit: soaked, done
         ... 20 min
22:26:17   sds: soaked, done
         ... 30 min
22:56:22   pds: soaked, done
         ... 19 min
23:16:20   access-control: soaked, done
         ... 3 h 5 min
         ? access-control/decommission, sds/decommission: legacy system directory-estate also carries portal, which is not past its soak
         ? audit/decommission, pds/decommission, tms/decommission: legacy system core-estate also carries secondary-uses, which is not past its soak
         ? child-protection/soak, portal/soak and 2 more: it soaks until Tue 13 Oct 05:11:38
         ? consent/soak, gp2gp/soak: it soaks until Tue 13 Oct 02:21:23
         ? eps/soak: it soaks until Tue 13 Oct 02:21:33
         ? and 3 more
--- Tue 13 Oct 2026, BST
02:21:23   consent, gp2gp: soaked, done
02:21:33   eps: soaked, done
         ... 49 min
         ? access-control/decommission, sds/decommission: legacy system directory-estate also carries portal, which is not past its soak
         ? audit/decommission, pds/decommission, tms/decommission: legacy system core-estate also carries secondary-uses, which is not past its soak
         ? child-protection/soak, portal/soak and 2 more: it soaks until 05:11:38
         ? consent/decommission, eps/decommission, gp2gp/decommission: legacy system clinical-estate also carries child-protection, which is not past its soak
         ? eps-tracker/soak: it soaks until 03:11:35
         ? and 2 more
03:11:25   scr: soaked, done
03:11:35   eps-tracker: soaked, done
         ... 2 h
         ? access-control/decommission, sds/decommission: legacy system directory-estate also carries portal, which is not past its soak
         ? audit/decommission, pds/decommission, tms/decommission: legacy system core-estate also carries secondary-uses, which is not past its soak
         ? child-protection/soak, portal/soak and 2 more: it soaks until 05:11:38
         ? consent/decommission, eps/decommission and 3 more: legacy system clinical-estate also carries child-protection, which is not past its soak
         ? bridge peering/lower: bridge peering stays up: access-control can still move or come back
05:11:38   child-protection, portal, secondary-uses, spine-directory: soaked, done
         ... 3 d 14 h
         ? access-control/decommission: it has to be approved (May the legacy side of `access-control` be switched off?): it needs 1 more of clinical-safety and 1 more of duty-manager
         ? audit/decommission: it has to be approved (May the legacy side of `audit` be switched off?): it needs 1 more of clinical-safety and 1 more of duty-manager
         ? child-protection/decommission: it has to be approved (May the legacy side of `child-protection` be switched off?): it needs 1 more of clinical-safety and 1 more of duty-manager
         ? consent/decommission: it has to be approved (May the legacy side of `consent` be switched off?): it needs 1 more of clinical-safety and 1 more of duty-manager
         ? eps/decommission: it has to be approved (May the legacy side of `eps` be switched off?): it needs 1 more of clinical-safety and 1 more of duty-manager
         ? and 10 more
--- Fri 16 Oct 2026, BST
20:00:00 ? access-control/decommission: it has to be approved (May the legacy side of `access-control` be switched off?): it needs 1 more of clinical-safety and 1 more of duty-manager
         ? audit/decommission: it has to be approved (May the legacy side of `audit` be switched off?): it needs 1 more of clinical-safety and 1 more of duty-manager
         ? child-protection/decommission: it has to be approved (May the legacy side of `child-protection` be switched off?): it needs 1 more of clinical-safety and 1 more of duty-manager
         ? consent/decommission: it has to be approved (May the legacy side of `consent` be switched off?): it needs 1 more of clinical-safety and 1 more of duty-manager
         ? eps/decommission: it has to be approved (May the legacy side of `eps` be switched off?): it needs 1 more of clinical-safety and 1 more of duty-manager
         ? and 9 more
         ... 30 min
20:30:00   access-control, audit and 12 more: the end of its legacy side is approved by cso@spine.example, alice; → task scream-test ordered
20:30:05   access-control, audit and 12 more: task scream-test done
         ... 1 d
         ? access-control/scream-test, audit/scream-test and 12 more: its old address is denied until Sat 17 Oct 20:30:05, to see whether anybody misses it
         ? bridge peering/lower: bridge peering stays up: access-control can still move or come back
--- Sat 17 Oct 2026, BST
20:30:05   access-control, audit and 12 more: → task switch-off ordered
20:30:10   access-control, audit and 12 more: task switch-off done; legacy is switched off; → its route is given up
           bridge peering: → task down ordered
         ... 10 min
20:40:10   bridge peering: task down done; → no longer claimed
           run: bridge peering is down
           run: the run ended: Completed
---
the run ended: Completed
no request was lost
