//! What is left out because it can make no difference makes none; nor does who does the work.

use gapless::{
    engine::Invariant,
    explore::{
        Alone, Options, Reductions,
        budget::{Budget, Kind},
        explore,
        piece::pieces,
        report::ShapeReport,
    },
};

use crate::{broken, models, plans, run, threads::Threads};

/// Of each piece.
fn wrong(shapes: &[ShapeReport]) -> Vec<Option<(String, usize)>> {
    shapes.iter().map(broken).collect()
}

fn states(shapes: &[ShapeReport]) -> u64 {
    shapes.iter().map(|shape| shape.states).sum()
}

/// Every breach that is found without the reductions is found with them, in as few steps.
#[test]
fn each_rule_left_out_is_missed_after_as_few_steps_as_without_the_reductions() {
    for invariant in Invariant::ALL {
        let revision = crate::missed_in(invariant).1;
        let options = Options::new(Some(invariant), Budget::of(2, &Kind::ALL), 2_000_000);
        let (reduced, whole) = (run(&revision, &options), run(&revision, &options.unreduced()));
        assert!(wrong(&whole).iter().flatten().any(|(broken, _)| *broken == invariant.to_string()), "{invariant}");
        assert_eq!(wrong(&reduced), wrong(&whole), "{invariant}");
    }
}

/// The same where all is asked about: a look that changes nothing is no step there, and a judge with fewer excuses, which may name another
/// rule, stands for one with more.
#[test]
fn whatever_breaks_is_found_after_as_few_steps_where_all_is_asked_about() {
    let after = |shapes: &[ShapeReport]| shapes.iter().map(|shape| broken(shape).map(|(_, steps)| steps)).collect::<Vec<_>>();
    for invariant in Invariant::ALL {
        let revision = crate::missed_in(invariant).1;
        let within =
            |faults| Options { without: None, ..Options::new(Some(invariant), Budget::of(faults, &Kind::ALL), 2_000_000) };
        let found = (0..=2).map(within).find_map(|options| {
            let whole = after(&run(&revision, &options.unreduced()));
            whole.iter().any(Option::is_some).then_some((options, whole))
        });
        let (options, whole) = found.expect("it is missed");
        assert_eq!(after(&run(&revision, &options)), whole, "{invariant}");
    }
}

#[test]
fn what_holds_with_the_reductions_holds_without_and_they_leave_something_out() {
    let kinds = [Kind::GateFails, Kind::EffectLate, Kind::StaleRead, Kind::TwoLeaders, Kind::Crash];
    let mut cases = vec![("one service", plans::one(), Budget::of(1, &Kind::ALL))];
    if crate::deep().is_some() {
        cases.push(("one service, two faults", plans::one(), Budget::of(2, &kinds)));
        cases.push(("two services", plans::two(), Budget::of(1, &Kind::ALL)));
        cases.push(("an end", models::ending(), Budget::of(1, &kinds)));
    }
    for (what, revision, budget) in cases {
        let options = Options::new(None, budget, u64::MAX);
        assert_eq!((options.reductions, options.unreduced().reductions), (Reductions::Sound, Reductions::None));
        let (reduced, whole) = (run(&revision, &options), run(&revision, &options.unreduced()));
        assert!(reduced.iter().chain(&whole).all(|shape| shape.exhaustive), "{what}");
        println!("{what}: {} states instead of {}", states(&reduced), states(&whole));
        assert!(states(&reduced) < states(&whole), "{what}");
    }
}

#[test]
fn threads_change_no_number_and_no_story() {
    let holds = (plans::one(), Options::new(None, Budget::of(1, &Kind::ALL), u64::MAX));
    let stops = (plans::one(), Options::new(None, Budget::of(2, &Kind::ALL), 5_000));
    let without = |invariant| (plans::two(), Options::new(Some(invariant), Budget::of(2, &Kind::ALL), u64::MAX));
    for (revision, options) in [holds, stops, without(Invariant::Order), without(Invariant::UndoOnStart)] {
        for piece in pieces(&revision, options.around) {
            let alone = explore(&piece, &options, &Alone, &|_| {});
            for threads in [2, 3, 5] {
                assert_eq!(explore(&piece, &options, &Threads::new(Some(threads)), &|_| {}), alone, "{threads} threads");
            }
        }
    }
}
