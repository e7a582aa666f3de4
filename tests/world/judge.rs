//! The judge sees what a missing rule does to a world, in a run in virtual time. Every rule with its shortest way: `explore`.

use gapless::{
    engine::{Invariant, Rules},
    plan::Side,
    world::{Happening, Moment, Sim, Tone, people::Wish},
};

use crate::plans::{one, two};

/// The first thing that the judge objects to.
fn first(without: Option<Invariant>, script: &[(i64, Happening)]) -> Option<Invariant> {
    let revision = if without == Some(Invariant::Order) { two() } else { one() };
    let rules = without.map_or(Rules::ALL, Rules::without);
    let mut sim = Sim::ideal(&revision, "2026-08-28T20:00:00Z".parse().unwrap()).with_rules(rules);
    for (at, what) in script {
        sim.schedule(Moment(*at), *what);
    }
    let mut found = None;
    sim.run_until(Moment(120_000), |_, look| found = found.or(look.breaches.first().map(|breach| breach.invariant)));
    found
}

#[test]
fn each_rule_left_out_shows_in_the_world_and_only_then() {
    let few = Happening::Healthy(0, Side::Target, 1);
    let scripts: [(Invariant, Vec<(i64, Happening)>); 9] = [
        (Invariant::Served, vec![(3_000, few)]),
        (Invariant::WayBack, vec![(1_000, Happening::Healthy(0, Side::Legacy, 1))]),
        (Invariant::Order, vec![]),
        (Invariant::Fresh, vec![]),
        (Invariant::UnknownHolds, vec![(1_000, Happening::Gate(0, Tone::Silent))]),
        (Invariant::NoClobber, vec![(0, Happening::ByHand(0, 33))]),
        (Invariant::NoWorse, vec![(9_000, Happening::Healthy(0, Side::Legacy, 0)), (9_500, Happening::People(Wish::Rollback))]),
        (Invariant::UndoOnStart, vec![(10, Happening::People(Wish::Rollback))]), // while the first order is under way
        (Invariant::OneOwner, vec![(0, Happening::Seized(0))]),
    ];
    for (invariant, script) in scripts {
        assert_eq!(first(None, &script), None, "{invariant}: with its rule there is nothing to object to");
        assert_eq!(first(Some(invariant), &script), Some(invariant), "{invariant}");
    }
}
