//! What is old or not quite so is not taken for what is so: looks at routes and sides, weights, capacity.

use gapless::{
    engine::{Action, Backend, Effective, Intent, Observed, Stage, decide},
    plan::{Load, Revision, ServiceName, Side, Weight},
};
use jiff::SignedDuration;

use crate::{
    plans::{one, plan, service},
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
