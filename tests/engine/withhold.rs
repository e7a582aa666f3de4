//! What becomes of a decision that would break an invariant at one service: that service holds, all others go on.

use gapless::engine::{
    Action, Decision, Direction, Event, Intent, Invariant, Observed, Outcome, Reason, Record, Rules, Stage, decide_by, judge,
    safety, withhold::lawful,
};
use gapless::plan::{Revision, Span, Weight};

use crate::{
    plans::{five, one, two},
    sim::Sim,
};

/// The decision made lawful; what comes out must break nothing, and repeating the mistake must change nothing more.
fn lawful_and_stable(sim: &Sim, before: &Record, seen: &Observed, decision: &Decision) -> Decision {
    let out = lawful(&sim.revision, before, seen, sim.now, decision.clone());
    assert_eq!(safety::check(&sim.revision, before, seen, sim.now, &out), [], "what is left is checked as well");
    out
}

fn held_for(record: &Record, name: &str) -> Option<Invariant> {
    match &record.services[name].hold.as_ref()?.reason {
        Reason::Invariant { invariant, .. } => Some(*invariant),
        _ => None,
    }
}

/// All of the first phase soak, `late` is on its way, and `base` is about to go back for a failed gate with all that needs it.
fn failing_base() -> (Sim, Decision) {
    let mut plan = five().plan().clone();
    for service in plan.services.values_mut() {
        service.soak.length = Span::from_secs(600);
    }
    let mut sim = Sim::new(Revision::of(plan));
    sim.until(300, |sim| {
        let on_target = ["base", "middle", "top", "side"].iter().all(|name| sim.stage(name) == Stage::Soaking);
        on_target && matches!(sim.stage("late"), Stage::Shifting(_))
    });
    sim.health("base").target_errs = true;
    let decision = sim.until_decision(|_, decision| decision.record.services["base"].direction == Direction::Backward);
    (sim, decision)
}

#[test]
fn a_mistake_about_one_service_does_not_stop_the_way_back_of_others() {
    let (sim, mut decision) = failing_base();
    let was = sim.record.services["late"].clone();
    let late = decision.record.services.get_mut("late").unwrap();
    late.stage = Stage::Soaking; // with a twentieth of its traffic there
    late.moved_at = Some(sim.now);
    decision.events.push(Event::Moved { service: "late".parse().unwrap() });
    let out = lawful_and_stable(&sim, &sim.record, &sim.observed(), &decision);
    for name in ["base", "middle", "top"] {
        assert_eq!(out.record.services[name].direction, Direction::Backward, "{name}");
    }
    assert!(
        out.effects.iter().any(|e| e.key.step.service().unwrap().as_str() == "top"
            && matches!(e.action, Action::SetWeight { weight: Weight::ZERO, .. }))
    );
    let late = &out.record.services["late"];
    assert_eq!((late.stage, late.order, late.moved_at), (was.stage, was.order, was.moved_at), "it stays as it was");
    assert_eq!(held_for(&out.record, "late"), Some(Invariant::Order));
    assert_eq!(out.record.latch, None, "the run goes on");
    assert_eq!(out.outcome, None);
    let of_late: Vec<String> =
        out.events.iter().filter(|e| e.service().is_some_and(|s| s.as_str() == "late")).map(ToString::to_string).collect();
    assert_eq!(of_late.len(), 1, "its own events are dropped: {of_late:?}");
    assert!(of_late[0].starts_with("late: holds: order: late: "), "{of_late:?}");
    assert!(out.waits.iter().any(|w| w.step.to_string() == "late/shift-5" && w.reason.to_string().starts_with("order: ")));
}

#[test]
fn it_is_written_once_and_anew_after_a_resume() {
    let mut sim = Sim::new(one());
    sim.until_stage("only", Stage::Shifting(1));
    let wrong = |sim: &Sim| {
        let mut decision = decide_by(Rules::ALL, &sim.revision, &sim.record, &sim.observed(), sim.now);
        let only = decision.record.services.get_mut("only").unwrap();
        (only.stage, only.hold) = (Stage::Soaking, None);
        decision
    };
    let first = lawful_and_stable(&sim, &sim.record, &sim.observed(), &wrong(&sim));
    assert_eq!(held_for(&first.record, "only"), Some(Invariant::Order));
    assert_eq!(first.outcome, Some(Outcome::Held));
    sim.record = first.record.clone();
    let again = lawful_and_stable(&sim, &sim.record, &sim.observed(), &wrong(&sim));
    assert_eq!((again.record.clone(), again.events.len()), (first.record.clone(), 0), "nothing is written over and over");
    let id = first.record.services["only"].hold.clone().unwrap().id;
    sim.orders.resumes = Some(id);
    let resumed = lawful_and_stable(&sim, &sim.record, &sim.observed(), &wrong(&sim));
    let hold = resumed.record.services["only"].hold.clone().unwrap();
    assert!(hold.id > id, "the resume is used up, so the new hold bears a number that only a new one clears");
    sim.record = resumed.record.clone();
    let after = lawful_and_stable(&sim, &sim.record, &sim.observed(), &wrong(&sim));
    assert_eq!((after.record, after.events.len()), (resumed.record, 0));
}

#[test]
fn what_rests_on_the_withheld_is_withheld_too() {
    let mut sim = Sim::new(two());
    let (before, decision) = loop {
        let before = sim.record.clone();
        let decision = sim.tick();
        if decision.record.services["top"].order.is_some() {
            break (before, decision);
        }
    };
    assert_eq!(before.services["base"].stage, Stage::Shifting(2), "base arrives in the very decision that starts top");
    let mut seen = sim.observed();
    seen.gates.retain(|name, _| name.as_str() != "base"); // base was confirmed without an answer
    let found = safety::check(&sim.revision, &before, &seen, sim.now, &decision);
    assert!(found.iter().all(|v| v.service.as_str() == "base"), "top is innocent as long as base arrives: {found:?}");
    let out = lawful_and_stable(&sim, &before, &seen, &decision);
    assert_eq!(out.record.services["base"].stage, Stage::Shifting(2));
    assert_eq!(held_for(&out.record, "base"), Some(Invariant::UnknownHolds));
    assert_eq!(out.record.services["top"].order, None);
    assert_eq!(held_for(&out.record, "top"), Some(Invariant::Order));
    assert_eq!(out.effects, []);
}

#[test]
fn an_order_to_go_back_is_kept_though_its_first_step_is_withheld() {
    let (mut sim, _) = failing_base();
    sim.health("base").target_errs = false;
    sim.orders.intent = Intent::Rollback;
    let mut decision = decide_by(Rules::ALL, &sim.revision, &sim.record, &sim.observed(), sim.now);
    let effect = decision.effects.iter_mut().find(|e| e.key.step.service().unwrap().as_str() == "late").unwrap();
    effect.precondition.version = Some("another".to_owned());
    let out = lawful_and_stable(&sim, &sim.record, &sim.observed(), &decision);
    assert!(out.record.latch.is_some(), "the order of a person stands");
    for name in out.record.services.keys() {
        assert_eq!(out.record.services[name].direction, Direction::Backward, "{name}");
    }
    assert_eq!(held_for(&out.record, "late"), Some(Invariant::NoClobber));
    assert_eq!(out.record.services["late"].stage, sim.record.services["late"].stage, "nothing of it moved");
    assert!(out.events.iter().any(|e| matches!(e, Event::GoesBack { service, .. } if service.as_str() == "late")));
    // The mistake was one of a moment: the next look takes the service back without anybody's help.
    sim.record = out.record;
    let next = judge(&sim.revision, &sim.record, &sim.observed(), sim.now);
    assert_eq!(next.record.services["late"].stage, Stage::Returning);
    assert_eq!(next.record.services["late"].hold, None);
}

#[test]
fn who_went_along_with_a_withheld_way_back_stays_as_well() {
    let (mut sim, decision) = failing_base();
    let mut seen = sim.observed();
    for gates in seen.gates.values_mut().flat_map(|g| g.values_mut()) {
        gates.rounds.clear(); // nobody saw a bad answer
    }
    let out = lawful_and_stable(&sim, &sim.record, &seen, &decision);
    for name in ["base", "middle", "top"] {
        assert_eq!(out.record.services[name].direction, Direction::Forward, "{name}");
        assert!(held_for(&out.record, name).is_some(), "{name}");
    }
    assert_eq!(held_for(&out.record, "side"), None);
    assert!(!out.events.iter().any(|e| matches!(e, Event::GoesBack { .. })), "{:?}", out.events);
    sim.record = out.record.clone();
    let again = lawful_and_stable(&sim, &sim.record, &seen, &out);
    assert_eq!(again.record, out.record);
}

#[test]
fn a_run_whose_last_service_is_withheld_has_not_ended() {
    let mut sim = Sim::new(one());
    loop {
        let before = sim.record.clone();
        let mut decision = sim.tick();
        if decision.record.services["only"].stage == Stage::Soaking {
            let mut wrong = before.clone();
            wrong.services.get_mut("only").unwrap().stage = Stage::Soaked;
            wrong.ended = Some(gapless::engine::Ended { outcome: Outcome::Completed, at: sim.now });
            decision.record = wrong;
            decision.events = vec![Event::Ended { outcome: Outcome::Completed }];
            decision.outcome = Some(Outcome::Completed);
            let mut seen = sim.observed();
            seen.gates.clear();
            let out = lawful_and_stable(&sim, &before, &seen, &decision);
            assert_eq!((out.record.ended, out.outcome), (None, Some(Outcome::Held)));
            assert!(!out.events.iter().any(|e| matches!(e, Event::Ended { .. })));
            return;
        }
    }
}
