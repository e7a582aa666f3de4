# A late order to switch legacy off, after the run has turned round: the story of 48 steps that a model checker once found.
#
# `b` needs `a`. Legacy of `a` is being switched off, and that order is under way for a long time, when `b` fails and takes
# everything back with it. Were `a` to go back, it would go back to a legacy that is switched off under its traffic. What has
# been ordered and cannot be taken back counts as done: `a` stays on target, `b` goes back alone.

--- Tue 1 Sep 2026, BST
08:00:00   a run of late-decommission starts; services: 2, phases: 1
           a: target found ready; → 50 % to target
         ... 1 min
08:01:00 ! task switch-off of a is 45m late
         ... 4 min
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
10:20:06   a: task scream-test done
         ... 30 min
10:50:06   a: → task switch-off ordered
         ... 2 min
10:52:06 ! gate answers of b answers badly
10:52:09   b: gate answers fails, 3 in a row: an answer that is not as expected
10:53:07   b: goes back: guard answers has failed since 10:52:07: an answer that is not as expected; → back from 100 % to 0 %
           b: all traffic on legacy; → its route is given up
         ... 42 min
         ? a/task-switch-off: task switch-off has been ordered and is not done yet
11:35:11   a: task switch-off done; legacy is switched off; → its route is given up
           run: the run ended: RolledBack
         ... 24 min
---
the run ended: RolledBack
no request was lost
