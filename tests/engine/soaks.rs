//! What guards do in the soak.

use gapless::{
    engine::{Outcome, Stage},
    plan::{OnFailure, Revision, Service, Span, Watch},
};

use crate::{
    plans::{plan, service},
    sim::{Sim, ticks},
};

fn soaking(change: impl FnOnce(&mut Service)) -> Sim {
    let mut only = service(1, "one", &[]);
    change(&mut only);
    let mut sim = Sim::new(Revision::of(plan(vec![("only", only)])));
    sim.until_stage("only", Stage::Soaking);
    sim
}

#[test]
fn a_guard_does_in_the_soak_what_the_plan_says_for_the_soak() {
    let mut back = soaking(|only| (only.on_failure, only.soak.on_failure) = (OnFailure::Hold, OnFailure::Rollback));
    back.health("only").target_errs = true;
    back.until_outcome(Outcome::RolledBack);

    let mut held = soaking(|only| (only.on_failure, only.soak.on_failure) = (OnFailure::Rollback, OnFailure::Hold));
    held.health("only").target_errs = true;
    held.until_outcome(Outcome::Held);
    assert_eq!((held.stage("only"), held.written("only")), (Stage::Soaking, vec!["5", "25", "100"]));
}

#[test]
fn a_gate_for_confirmations_only_does_not_act_in_the_soak() {
    let watch = |only: &mut Service| only.gates.values_mut().for_each(|gate| gate.watch = Watch::Confirmation);
    let mut sim = soaking(watch);
    sim.health("only").target_errs = true;
    ticks(&mut sim, 80);
    assert_eq!((sim.stage("only"), sim.record.services["only"].hold.clone()), (Stage::Soaking, None));
    sim.health("only").target_errs = false;
    sim.until_outcome(Outcome::Completed);
    assert_eq!(sim.written("only"), ["5", "25", "100"]);
}

/// What it needs may yet go back, and would take it along.
#[test]
fn a_soak_lasts_as_long_as_that_of_what_the_service_needs() {
    let mut base = service(1, "one", &[]);
    base.soak.length = Span::from_secs(60);
    let mut sim = Sim::new(Revision::of(plan(vec![("base", base), ("top", service(2, "one", &["base"]))])));
    sim.until(120, |sim| sim.waits.iter().any(|wait| wait.starts_with("top/soak: ") && wait.contains("base")));
    ticks(&mut sim, 20);
    assert_eq!((sim.stage("base"), sim.stage("top")), (Stage::Soaking, Stage::Soaking));
    sim.until_outcome(Outcome::Completed);
}
