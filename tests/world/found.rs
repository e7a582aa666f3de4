//! What random plans found, each as small as it goes.

use std::collections::{BTreeMap, BTreeSet};

use gapless::{
    engine::{Outcome, Reason, Stage},
    plan::{Decommission, Group, Revision, Span, Weight},
    world::{Happening, Look, Moment, Sim, Tone, people::Wish},
};

use crate::models;

fn sim(revision: &Revision) -> Sim {
    Sim::ideal(revision, "2026-08-28T20:00:00Z".parse().unwrap())
}

/// Looks until this is so; the judge has nothing to object to.
fn until(sim: &mut Sim, so: impl Fn(&Sim) -> bool) {
    for _ in 0..10_000 {
        if so(sim) {
            return;
        }
        let Some(look) = sim.step() else { break };
        assert!(look.breaches.is_empty(), "{:?}", look.breaches);
    }
    panic!("it never came to that: {:?}", sim.record.services);
}

/// To its end, or until only people could help.
fn rest(sim: &mut Sim) -> Look {
    let mut last = None;
    for _ in 0..10_000 {
        let Some(look) = sim.step() else { break };
        assert!(look.breaches.is_empty(), "{:?}", look.breaches);
        last = Some(look);
    }
    last.expect("it looks")
}

#[test]
fn a_service_that_one_at_its_end_counts_on_does_not_set_out_for_a_way_back_that_never_ends() {
    let mut base = models::service(1, "one", &[]);
    base.decommission = Some(Decommission { approval: Some(models::approval("safety", 1)), scream_test: None });
    let top = models::service(2, "one", &["base"]);
    let plan = models::with_roles(models::plan(vec![("base", base), ("top", top)]));
    let mut sim = sim(&Revision::of(plan));
    sim.yes_after = None;
    until(&mut sim, |sim| ["base", "top"].into_iter().all(|name| sim.record.services[name].stage == Stage::Soaked));
    sim.befall(Happening::People(Wish::Rollback));
    let look = rest(&mut sim);
    let base = &sim.record.services["base"];
    assert_eq!(base.stage, Stage::Soaked, "it stays where what needs it stays");
    let why = base.hold.as_ref().map(|hold| hold.reason.to_string()).unwrap_or_default();
    assert!(why.contains("top counts on it"), "{why}");
    assert_eq!(look.decision.outcome, Some(Outcome::Held), "{:#?}", look.decision.waits);
}

#[test]
fn a_member_of_a_group_that_is_tried_again_alone_does_not_keep_its_run_open() {
    let mut plan = models::plan(vec![("a", models::service(1, "one", &[])), ("b", models::service(2, "one", &[]))]);
    let services = BTreeSet::from(["a".parse().unwrap(), "b".parse().unwrap()]);
    let group = Group { services, steps: vec![models::weight(50), Weight::FULL], bake: Span::from_secs(2) };
    plan.groups = BTreeMap::from([("pair".parse().unwrap(), group)]);
    let mut sim = sim(&Revision::of(plan));
    until(&mut sim, |sim| sim.record.services["b"].stage == Stage::Soaking);
    sim.befall(Happening::Router(0, gapless::world::facts::Reach::Gone)); // `a` cannot come back for a while
    sim.befall(Happening::Gate(1, Tone::Bad));
    until(&mut sim, |sim| sim.record.services["b"].stage == Stage::Returned);
    sim.befall(Happening::Gate(1, Tone::Good));
    sim.befall(Happening::Retry(1, 1));
    until(&mut sim, |sim| sim.record.services["b"].attempt == 1);
    sim.befall(Happening::Router(0, gapless::world::facts::Reach::Answers));
    rest(&mut sim);
    assert_eq!(sim.record.ended.as_ref().map(|ended| ended.outcome), Some(Outcome::RolledBack));
}

#[test]
fn a_fence_that_nothing_takes_back_does_not_keep_its_service_from_the_promotion() {
    let mut plan = models::writer(None).plan().clone();
    let only = plan.services.values_mut().next().unwrap();
    only.data.as_mut().unwrap().unfence = None;
    let mut sim = sim(&Revision::of(plan));
    until(&mut sim, |sim| !sim.record.services["only"].tasks.is_empty());
    sim.befall(Happening::Gate(0, Tone::Bad));
    sim.run_until(Moment(60_000), |_, look| {
        assert!(look.breaches.is_empty());
        let over = look.decision.waits.iter().any(|wait| matches!(wait.reason, Reason::PauseOver { .. }));
        assert!(!over, "what cannot be ended by going back is not held up");
    });
    sim.befall(Happening::Gate(0, Tone::Good));
    rest(&mut sim);
    assert_eq!(sim.record.ended.as_ref().map(|ended| ended.outcome), Some(Outcome::Completed));
}
