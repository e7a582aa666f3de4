//! A single writer's replication: writes on their way, a lag that follows, what is lost and who is told.

use gapless::{
    engine::{Invariant, Outcome, Rules, TaskStage},
    plan::Side,
    world::{
        Breach, Happening, Look, Moment, Sim, Tone,
        people::Wish,
        replication::{Backlog, Data, FALLS_BEHIND, ON_ITS_WAY, Pace, Writes},
        task::Access,
    },
};

use crate::models;

fn sim() -> Sim {
    Sim::ideal(&models::writer(Some(())), "2026-08-28T20:00:00Z".parse().unwrap())
}

/// Looks until this is so; what the judge objects to on the way.
fn until(sim: &mut Sim, so: impl Fn(&Sim) -> bool) -> Vec<Breach> {
    let mut broken = Vec::new();
    for _ in 0..10_000 {
        if so(sim) {
            return broken;
        }
        match sim.step() {
            Some(look) => broken.extend(look.breaches),
            None => break,
        }
    }
    panic!("it never came to that; {:?}", sim.record.services);
}

fn end(sim: &mut Sim) -> (Vec<Look>, Vec<Breach>) {
    let (mut looks, mut broken) = (Vec::new(), Vec::new());
    while let Some(look) = sim.step() {
        broken.extend(look.breaches.clone());
        looks.push(look);
        assert!(looks.len() < 10_000, "it never ends");
    }
    (looks, broken)
}

fn outcome(sim: &Sim) -> Option<Outcome> {
    sim.record.ended.as_ref().map(|ended| ended.outcome)
}

fn lag(sim: &Sim) -> Tone {
    let place = sim.model.gates().iter().position(|gate| gate.name.as_str() == "lag").unwrap();
    sim.world.facts.gates[place].tone
}

fn stage(sim: &Sim, task: &str) -> Option<TaskStage> {
    let task: gapless::plan::TaskName = task.parse().unwrap();
    sim.record.services["only"].tasks.get(&task).map(|task| task.stage)
}

#[test]
fn a_fence_takes_effect_with_writes_on_their_way_and_the_lag_follows() {
    let mut sim = sim();
    assert_eq!(
        (sim.world.facts.replications[0].writes, lag(&sim)),
        (Writes::Arrive, Tone::Good),
        "between two writes it sees none"
    );
    until(&mut sim, |sim| sim.world.facts.services[0].side(Side::Legacy).writes == Access::Closed);
    let fenced = sim.world.now();
    let own = sim.world.facts.replications[0];
    assert_eq!((own.backlog, own.writes, lag(&sim)), (Backlog::OnItsWay, Writes::Rest, Tone::Bad));
    assert_eq!(own.changes_at, fenced.plus(ON_ITS_WAY), "and it is there at that very moment");
    until(&mut sim, |sim| sim.world.facts.replications[0].backlog == Backlog::Empty);
    assert_eq!((sim.world.now(), lag(&sim)), (fenced.plus(ON_ITS_WAY), Tone::Good), "the clock jumps there");
    let (_, broken) = end(&mut sim);
    assert_eq!((outcome(&sim), broken), (Some(Outcome::Completed), vec![]));
    let own = sim.world.facts.replications[0];
    assert_eq!((own.to, own.data, own.paused_since), (Side::Legacy, Data::Same, None), "now it is copied the other way");
    let pause = sim.history.pause(&sim.model, 0);
    assert!(pause > ON_ITS_WAY && pause <= 5_000, "{pause} ms of 5 s");
}

#[test]
fn replication_that_is_slower_than_what_is_written_never_lets_the_fence_begin() {
    let mut sim = sim();
    sim.befall(Happening::Replication(0, Pace::Slow));
    sim.befall(Happening::People(Wish::Hold)); // nothing begins before it is behind
    sim.schedule(Moment(2 * FALLS_BEHIND), Happening::Resume(1_000_000));
    sim.run_until(Moment(3_600_000), |_, look| assert!(look.breaches.is_empty()));
    assert_eq!((sim.world.facts.replications[0].backlog, lag(&sim)), (Backlog::Behind, Tone::Bad), "an hour later");
    assert_eq!(stage(&sim, "fence"), None);
}

#[test]
fn replication_that_stands_still_behind_the_fence_ends_in_an_unfenced_legacy() {
    for pace in [Pace::Stopped, Pace::Slow] {
        let mut sim = sim();
        until(&mut sim, |sim| stage(sim, "fence").is_some());
        sim.befall(Happening::Replication(0, pace));
        sim.befall(Happening::Healthy(0, Side::Target, 2));
        let (_, broken) = end(&mut sim);
        assert_eq!(broken, vec![], "{pace:?}");
        match pace {
            // Slow, it is done with what was on its way within the budget of 5 s, or not: both are an end without a loss.
            Pace::Slow => assert_eq!(sim.world.facts.replications[0].data, Data::Same),
            _ => {
                assert_eq!((outcome(&sim), stage(&sim, "promote")), (Some(Outcome::RolledBack), None));
                assert_eq!(sim.world.facts.services[0].side(Side::Legacy).writes, Access::Open);
            }
        }
    }
}

#[test]
fn whoever_promotes_with_writes_on_their_way_is_told() {
    let mut sim = sim().with_rules(Rules::without(Invariant::OneWriter));
    sim.schedule(Moment(0), Happening::Replication(0, Pace::Stopped));
    let mut first = None;
    sim.run_until(Moment(60_000), |_, look| first = first.take().or(look.breaches.first().cloned()));
    let first = first.expect("the judge objects");
    assert_eq!(first.invariant, Invariant::OneWriter);
    assert!(first.detail.contains("target is to write while"), "{first}");
    assert_eq!(sim.world.facts.replications[0].data, Data::Differs, "and it was lost");
}

#[test]
fn a_job_that_writes_on_is_copied_behind_the_fence_and_seen_after_the_promotion() {
    // Behind the fence: one more write on its way, and the promotion waits for it.
    let mut sim = sim();
    until(&mut sim, |sim| sim.world.facts.replications[0].backlog == Backlog::Empty);
    sim.befall(Happening::Stray(0, Side::Legacy));
    assert_eq!((sim.world.facts.replications[0].backlog, lag(&sim)), (Backlog::OnItsWay, Tone::Bad));
    let (_, broken) = end(&mut sim);
    assert_eq!((outcome(&sim), broken), (Some(Outcome::Completed), vec![]));
    assert_eq!(sim.world.facts.replications[0].data, Data::Same);

    // After the promotion: the sides differ, and the soak does not begin before people have made them the same.
    let mut sim = self::sim();
    until(&mut sim, |sim| sim.world.facts.services[0].side(Side::Target).writes == Access::Open);
    sim.befall(Happening::Stray(0, Side::Legacy));
    let mut broken = Vec::new();
    sim.run_until(Moment(120_000), |_, look| broken.extend(look.breaches.clone()));
    assert_eq!((broken, sim.record.services["only"].moved_at), (vec![], None));
    sim.befall(Happening::Repaired(0));
    let (_, broken) = end(&mut sim);
    assert_eq!((outcome(&sim), broken), (Some(Outcome::Completed), vec![]));
}

#[test]
fn the_way_back_of_the_writer_waits_for_what_is_to_be_copied_back() {
    let mut sim = sim();
    until(&mut sim, |sim| sim.record.services["only"].moved_at.is_some());
    sim.befall(Happening::People(Wish::Rollback));
    sim.befall(Happening::Replication(0, Pace::Stopped));
    let mut broken = Vec::new();
    sim.run_until(Moment(600_000), |_, look| broken.extend(look.breaches.clone()));
    assert_eq!((broken.clone(), stage(&sim, "reverse-promote"), outcome(&sim)), (vec![], None, None), "ten minutes later");
    sim.befall(Happening::Replication(0, Pace::KeepsUp));
    let (_, broken) = end(&mut sim);
    assert_eq!((outcome(&sim), broken), (Some(Outcome::RolledBack), vec![]));
    assert_eq!(sim.world.facts.replications[0].data, Data::Same, "nothing of it is lost");
}
