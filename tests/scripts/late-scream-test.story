# The same two services; this time the order that is late is the scream test, which can be taken back.
#
# `b` fails while the order to deny the old address of `a` is still under way. `a` goes back, so its old address has to be open
# before the traffic comes: the denial is taken back under a higher number, and the late one does nothing when it arrives.

--- Tue 1 Sep 2026, BST
08:00:00   a run of late-decommission starts; services: 2, phases: 1
           a: target found ready; → 50 % to target
         ... 5 min
08:05:00   a: 50 % confirmed by its gates; → 100 % to target
         ... 5 min
08:10:01   a: 100 % confirmed by its gates; all traffic on target, soaking
           b: target found ready; → 50 % to target
         ... 5 min
08:15:01   b: 50 % confirmed by its gates; → 100 % to target
         ... 5 min
08:20:02   b: 100 % confirmed by its gates; all traffic on target, soaking
         ... 1 h 49 min
         ? a/soak: it soaks until 10:10:01
         ? b/soak: it soaks until Thu 1 Oct 08:20:02
10:10:01   a: soaked, done
         ? a/decommission: it has to be approved (May its old side go?): it needs 1 more of safety
         ... 10 min
10:20:01   a: the end of its legacy side is approved by safety-1; → task scream-test ordered
10:20:02 ! gate answers of b answers badly
         ! task scream-test of a is 45m late
10:20:05   b: gate answers fails, 3 in a row: an answer that is not as expected
10:20:06   a: task scream-test done
10:21:03   a: goes back: b goes back, and takes it along
           b: goes back: guard answers has failed since 10:20:03: an answer that is not as expected; → back from 100 % to 0 %
           b: all traffic on legacy; → its route is given up
           a: → undo of task scream-test ordered
         ... 45 min
         ? a/undo-scream-test: task scream-test has been ordered and is not done yet
11:06:08   a: undo of task scream-test done; → back from 100 % to 0 %
11:06:09   a: all traffic on legacy; → its route is given up
           run: the run ended: RolledBack
         ... 26 min
---
the run ended: RolledBack
no request was lost
