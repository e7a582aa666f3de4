//! What is old or not quite so is not taken for what is so: looks at routes and sides, weights, capacity.

use gapless::{
    engine::{Action, Backend, Decision, Direction, Effective, Intent, Observed, Reason, Record, Stage, TaskStage, decide},
    plan::{Load, Revision, ServiceName, Side, Weight},
};
use jiff::SignedDuration;

use crate::{
    bridges::bridged,
    plans::{one, plan, service, two, writer},
    sim::{Sim, ticks},
};

/// Lets a run begin, and asks at each look what would be decided if this were seen instead: nothing is ever ordered.
fn orders_nothing(spoil: impl Fn(&Sim, &mut Observed)) {
    let mut sim = Sim::new(one());
    let mut looks = 0;
    while sim.stage("only") == Stage::Waiting {
        let record = sim.record.clone();
        sim.tick();
        let mut seen = sim.observed();
        spoil(&sim, &mut seen);
        let decision = decide(&sim.revision, &record, &seen, sim.now);
        assert!(!decision.effects.iter().any(|effect| matches!(effect.action, Action::SetWeight { .. })), "{decision:#?}");
        looks += 1;
    }
    assert!(looks > 0);
}

fn only() -> ServiceName {
    "only".parse().unwrap()
}

#[test]
fn an_old_look_at_a_route_begins_nothing() {
    orders_nothing(|sim, seen| {
        seen.routes.get_mut("only").unwrap().taken_at = sim.now - SignedDuration::from_secs(60);
    });
}

#[test]
fn an_old_look_at_a_side_begins_nothing() {
    for side in Side::BOTH {
        orders_nothing(|sim, seen| {
            let sides = seen.sides.get_mut(&only()).unwrap();
            if let Some(mut sample) = sides.get(side).cloned() {
                sample.taken_at = sim.now - SignedDuration::from_secs(60);
                sides.set(side, sample);
            }
        });
    }
}

#[test]
fn real_answers_at_another_weight_confirm_nothing() {
    let mut sim = Sim::new(one());
    sim.until_stage("only", Stage::Shifting(0));
    ticks(&mut sim, 30);
    let mut seen = sim.observed();
    let since = sim.now - SignedDuration::from_secs(3600);
    let route = seen.routes.get_mut("only").unwrap().value.as_mut().unwrap();
    route.effective = Some(Effective { weight: Weight::ZERO, since });
    let decision = decide(&sim.revision, &sim.record, &seen, sim.now);
    assert_eq!(decision.record.services["only"].stage, Stage::Shifting(0), "{:?}", decision.events);
}

/// 81 requests a second and a fifth more are 97.2: an endpoint for 97 is too small.
#[test]
fn a_fraction_of_a_request_needs_a_whole_one() {
    for (per_endpoint, starts) in [("97/s", false), ("98/s", true)] {
        let mut only = service(1, "one", &[]);
        only.load = Some(Load { peak: "81/s".parse().unwrap(), headroom_percent: 20 });
        only.legacy.per_endpoint = Some("200/s".parse().unwrap());
        only.target.per_endpoint = Some(per_endpoint.parse().unwrap());
        only.steps = vec![Weight::FULL];
        let mut sim = Sim::new(Revision::of(plan(vec![("only", only)])));
        sim.health("only").target = 1;
        ticks(&mut sim, 100);
        assert_eq!(sim.stage("only") != Stage::Waiting, starts, "{per_endpoint}: {:?}", sim.waits);
    }
}

/// A target that the route cannot name answers nothing, however healthy its hosts are: a small legacy is better.
#[test]
fn a_side_that_the_route_cannot_name_is_dead() {
    let mut sim = Sim::new(one());
    sim.until_stage("only", Stage::Soaking);
    sim.health("only").legacy = 1;
    sim.health("only").backends[1] = Backend::Missing;
    sim.orders.intent = Intent::Rollback;
    sim.tick();
    assert_eq!((sim.stage("only"), &sim.record.services["only"].hold), (Stage::Returning, &None), "{:?}", sim.waits);
}

/// What is decided in a look of this run, with what was seen made old or other by `spoil`.
fn spoiled(sim: &Sim, record: &Record, spoil: impl FnOnce(&mut Observed)) -> Decision {
    let mut seen = sim.observed();
    spoil(&mut seen);
    decide(&sim.revision, record, &seen, sim.now)
}

/// The first look of a run after which this is so; the record that it began with is in `sim` again.
fn before(mut sim: Sim, is: impl Fn(&Record) -> bool) -> (Sim, Record) {
    sim.until_decision(|_, decision| is(&decision.record));
    let record = sim.record.clone();
    (sim, record)
}

#[test]
fn an_old_answer_about_a_task_is_none() {
    let is_promoted =
        |record: &Record| record.services["only"].tasks.get("promote").is_some_and(|task| task.stage == TaskStage::Done);
    let (sim, record) = before(Sim::new(writer(None)), is_promoted);
    assert!(is_promoted(&spoiled(&sim, &record, |_| {}).record), "as it was");
    let old = spoiled(&sim, &record, |seen| {
        seen.tasks.values_mut().for_each(|sample| sample.taken_at = sim.now - SignedDuration::from_secs(16));
    });
    assert!(!is_promoted(&old.record), "{:?}", old.events);
}

#[test]
fn answers_from_before_the_promotion_reconcile_nothing() {
    let is_moved = |record: &Record| record.services["only"].stage == Stage::Soaking;
    let (sim, mut record) = before(Sim::new(writer(Some(()))), is_moved);
    assert!(is_moved(&spoiled(&sim, &record, |_| {}).record), "as it was");
    // One of the two answers that it takes came after it.
    record.services.get_mut("only").unwrap().tasks.get_mut("promote").unwrap().at = sim.now - SignedDuration::from_millis(5);
    let decision = spoiled(&sim, &record, |_| {});
    assert!(!is_moved(&decision.record), "{:?}", decision.events);
}

#[test]
fn an_old_answer_about_whose_a_bridge_is_puts_none_up() {
    let is_ordered = |record: &Record| record.bridges.values().any(|bridge| bridge.tasks.contains_key("up"));
    let (sim, record) = before(Sim::new(Revision::of(bridged())), is_ordered);
    assert!(is_ordered(&spoiled(&sim, &record, |_| {}).record), "as it was");
    let old = spoiled(&sim, &record, |seen| {
        seen.claims.values_mut().for_each(|sample| sample.taken_at = sim.now - SignedDuration::from_secs(16));
    });
    assert!(!is_ordered(&old.record), "{:?}", old.events);
}

/// It stays where it is because its legacy is dead; it is to go back all the same, and nobody begins on it.
#[test]
fn what_is_to_go_back_is_not_on_target_for_what_needs_it() {
    let has_begun = |record: &Record| record.services["top"].order.is_some();
    let (mut sim, mut record) = before(Sim::new(two()), has_begun);
    assert!(has_begun(&spoiled(&sim, &record, |_| {}).record), "as it was");
    let base = record.services.get_mut("base").unwrap();
    (base.stage, base.moved_at) = (Stage::Soaking, Some(sim.now));
    (base.direction, base.cause) = (Direction::Backward, Some(Reason::Ordered { by: "dm@example.org".into() }));
    sim.health("base").legacy = 0;
    let decision = spoiled(&sim, &record, |_| {});
    assert!(!has_begun(&decision.record), "{:?}", decision.events);
    assert_eq!(decision.record.services["base"].stage, Stage::Soaking, "{:?}", decision.events);
}
