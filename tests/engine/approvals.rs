//! Phases that wait for people: quorum, deputies, refusal, use once; stability and gates between phases.

use gapless::{
    engine::{About, ApprovalSeen, Consent, Outcome, Record, Stage, decide},
    plan::{After, Revision, Span},
};
use jiff::SignedDuration;

use crate::{
    plans::{approval, other_gate, plan, service, with_roles},
    sim::Sim,
};

fn asks(count: u32) -> Revision {
    let mut plan = with_roles(plan(vec![("only", service(1, "one", &[]))]));
    plan.phases.values_mut().for_each(|phase| phase.approval = Some(approval("duty-manager", count)));
    Revision::of(plan)
}
fn phase(name: &str) -> About {
    About::Phase(name.parse().unwrap())
}
fn ticks(sim: &mut Sim, count: usize) {
    (0..count).for_each(|_| drop(sim.tick()));
}

#[test]
fn a_phase_begins_when_enough_people_said_yes_each_of_them_once() {
    let mut sim = Sim::new(asks(2));
    sim.until_outcome(Outcome::Held);
    assert!(sim.waits[0].contains("2 more of duty-manager"), "{:?}", sim.waits);
    sim.approve(phase("one"), "ann", &["duty"]);
    sim.approve(phase("one"), "ann", &["duty"]);
    ticks(&mut sim, 3);
    assert!(sim.waits[0].contains("1 more of duty-manager"), "{:?}", sim.waits);
    sim.approve(phase("one"), "eve", &["desk"]);
    sim.until_outcome(Outcome::Completed);
    assert!(sim.log.iter().any(|l| l == "- phase one is approved by ann, eve"), "a deputy counts: {:?}", sim.log);
}

#[test]
fn an_approval_that_never_comes_holds_and_one_that_is_too_old_does_not_count() {
    let mut sim = Sim::new(asks(1));
    sim.approve(phase("one"), "ann", &["duty"]);
    sim.away(61);
    ticks(&mut sim, 20);
    assert_eq!(sim.stage("only"), Stage::Waiting);
    assert_eq!(sim.outcome, Some(Outcome::Held));
}

#[test]
fn a_refusal_stands_until_enough_have_said_yes_after_it() {
    let mut sim = Sim::new(asks(1));
    sim.tick();
    sim.say(phase("one"), "ann", &["duty"], Consent::Refused);
    sim.tick();
    assert!(sim.waits[0].contains("ann said no"), "{:?}", sim.waits);
    sim.approve(phase("one"), "bob", &["duty"]);
    sim.until_outcome(Outcome::Completed);
}

#[test]
fn whoever_started_the_run_and_whoever_is_of_no_role_approves_nothing() {
    let mut sim = Sim::new(asks(1));
    sim.record.started_by = Some("ann".into());
    sim.approve(phase("one"), "ann", &["duty"]);
    sim.approve(phase("one"), "mallory", &["others"]);
    sim.approve(phase("two"), "bob", &["duty"]);
    ticks(&mut sim, 20);
    assert_eq!(sim.stage("only"), Stage::Waiting);
}

fn release(stable: u64) -> Revision {
    let mut plan = plan(vec![("first", service(1, "one", &[])), ("second", service(2, "two", &[]))]);
    let mut gates = std::collections::BTreeMap::new();
    gates.insert("no-sev1".parse().unwrap(), other_gate());
    let after = After { stable_for: Some(Span::from_secs(stable)), gates };
    plan.phases.get_mut("two").unwrap().after.insert("one".parse().unwrap(), after);
    Revision::of(plan)
}

#[test]
fn the_next_phase_begins_when_this_one_was_stable_for_long_enough() {
    let mut sim = Sim::new(release(5));
    sim.until_stage("first", Stage::Soaking);
    let moved = sim.now;
    sim.until(60, |s| s.stage("second") == Stage::Shifting(0));
    let waited = sim.now.duration_since(moved).as_millis();
    assert!((5_000..5_300).contains(&waited), "{waited} ms");
}

#[test]
fn trouble_starts_the_count_again_and_silence_only_pauses_it() {
    for silent in [true, false] {
        let mut sim = Sim::new(release(5));
        sim.until_stage("first", Stage::Soaking);
        let moved = sim.now;
        ticks(&mut sim, 60);
        sim.health("first").gate_silent = silent;
        sim.health("first").target_errs = !silent;
        ticks(&mut sim, 18);
        sim.health("first").gate_silent = false;
        sim.health("first").target_errs = false;
        sim.until(60, |s| s.stage("second") == Stage::Shifting(0));
        let waited = sim.now.duration_since(moved).as_millis();
        let expected = if silent { 5_200..6_200 } else { 8_000..9_500 };
        assert!(expected.contains(&waited), "silent {silent}: {waited} ms\n{}", sim.log.join("\n"));
    }
}

#[test]
fn a_gate_between_phases_holds_the_second() {
    let mut sim = Sim::new(release(0));
    sim.bad.insert("no-sev1".into());
    sim.until_stage("first", Stage::Soaked);
    ticks(&mut sim, 20);
    assert_eq!(sim.stage("second"), Stage::Waiting);
    assert!(sim.waits.iter().any(|w| w.contains("gate no-sev1 fails")), "{:?}", sim.waits);
    sim.bad.clear();
    sim.until_outcome(Outcome::Completed);
}

#[test]
fn a_yes_to_another_plan_or_for_another_attempt_is_none() {
    let spoils: [fn(&mut ApprovalSeen); 2] = [|said| said.digest = "0".repeat(64).parse().unwrap(), |said| said.attempt = 1];
    for spoil in spoils {
        let mut sim = Sim::new(asks(1));
        sim.approve(phase("one"), "ann", &["duty"]);
        spoil(sim.approvals.last_mut().unwrap());
        ticks(&mut sim, 20);
        assert_eq!((sim.stage("only"), sim.outcome), (Stage::Waiting, Some(Outcome::Held)));
        sim.approve(phase("one"), "ann", &["duty"]);
        sim.until_outcome(Outcome::Completed);
    }
}

#[test]
fn an_approval_that_was_used_counts_for_nothing_else() {
    let mut sim = Sim::new(asks(1));
    sim.approve(phase("one"), "bob", &["duty"]);
    let id = sim.approvals[0].id.clone();
    sim.record.approvals_used.insert(id);
    ticks(&mut sim, 20);
    assert_eq!((sim.stage("only"), sim.outcome), (Stage::Waiting, Some(Outcome::Held)), "{:?}", sim.waits);
    sim.approve(phase("one"), "bob", &["duty"]);
    sim.until_stage("only", Stage::Shifting(0));
}

/// The answers of a gate between two phases speak of the moved phase only if they were asked for after the move.
#[test]
fn answers_from_before_a_phase_was_moved_open_nothing() {
    let opens = |sim: &Sim, record: &Record| {
        let decision = decide(&sim.revision, record, &sim.observed(), sim.now);
        decision.record.services["second"].stage != Stage::Waiting
    };
    let mut sim = Sim::new(release(0));
    sim.until_decision(|_, decision| decision.record.services["second"].stage != Stage::Waiting);
    let mut record = sim.record.clone();
    assert!(opens(&sim, &record), "as it was");
    record.services.get_mut("first").unwrap().moved_at = Some(sim.now - SignedDuration::from_millis(5));
    assert!(!opens(&sim, &record), "one of two answers came after the move");
}
