//! Decisions made wrong by hand: what the check beside the engine objects to, also while the engine itself would not decide so.

use gapless::{
    engine::{About, Action, Decision, Direction, Intent, Invariant, Observed, Record, Stage, TaskStage, safety},
    plan::{Revision, Weight},
};
use jiff::SignedDuration;

use crate::{
    plans::{ending, ending_with_writer, one, weight, writer},
    sim::Sim,
};

/// A decision, and what it rested on.
struct Look {
    sim: Sim,
    before: Record,
    seen: Observed,
    decision: Decision,
}

impl Look {
    /// The first decision of a run that pleases.
    fn of(mut sim: Sim, pleases: impl Fn(&Record, &Decision) -> bool) -> Self {
        let decision = sim.until_decision(pleases);
        let (before, seen) = (sim.record.clone(), sim.observed());
        let look = Self { sim, before, seen, decision };
        assert_eq!(look.found(), [], "as it was decided it is right");
        look
    }
    /// The first that gives target this weight, or this one back.
    fn weight(revision: Revision, weight: Weight) -> Self {
        let gives = |action: &Action| matches!(action, Action::SetWeight { weight: given, .. } if *given == weight);
        Self::of(Sim::new(revision), |_, decision| decision.effects.iter().any(|effect| gives(&effect.action)))
    }
    /// The same with the world as it is made now.
    fn with(mut self, change: impl FnOnce(&mut Sim)) -> Self {
        change(&mut self.sim);
        self.seen = self.sim.observed();
        self
    }
    fn found(&self) -> Vec<Invariant> {
        let found = safety::check(&self.sim.revision, &self.before, &self.seen, self.sim.now, &self.decision);
        found.into_iter().map(|violation| violation.invariant).collect()
    }
}

#[test]
fn a_target_is_weighed_with_what_it_would_get() {
    let half = |sim: &mut Sim| sim.health("only").target = 1;
    assert_eq!(Look::weight(one(), Weight::FULL).with(half).found(), [Invariant::Served], "half of it is too small for all");
}

#[test]
fn a_way_back_to_what_is_no_better_is_none() {
    let mut sim = Sim::new(one());
    sim.until_stage("only", Stage::Soaking);
    sim.orders.intent = Intent::Rollback;
    let look = Look::of(sim, |_, decision| decision.record.services["only"].stage == Stage::Returning);
    let both_dead = |sim: &mut Sim| (sim.health("only").legacy, sim.health("only").target) = (0, 0);
    assert_eq!(look.with(both_dead).found(), [Invariant::NoWorse]);
}

#[test]
fn answers_from_before_a_weight_confirm_nothing() {
    let mut look = Look::of(Sim::new(one()), |_, decision| decision.record.services["only"].stage == Stage::Shifting(1));
    let gates = look.seen.gates.get_mut("only").unwrap();
    for round in gates.values_mut().flat_map(|gate| &mut gate.rounds) {
        round.sent_at -= SignedDuration::from_secs(3_600);
    }
    assert_eq!(look.found(), [Invariant::Fresh]);
}

#[test]
fn an_order_that_may_still_come_true_is_not_undone() {
    let mut sim = Sim::new(one());
    sim.until_stage("only", Stage::Shifting(1));
    sim.orders.intent = Intent::Rollback;
    sim.until_stage("only", Stage::Returning);
    let mut look = Look::of(sim, |before, _| before.services["only"].stage == Stage::Returning);
    look.decision.record.services.get_mut("only").unwrap().stage = Stage::Returned;
    assert_eq!(look.found(), [Invariant::UndoOnStart]);
}

#[test]
fn no_traffic_goes_to_a_target_that_was_never_made_the_writer() {
    let mut look = Look::weight(writer(None), Weight::FULL);
    for record in [&mut look.before, &mut look.decision.record] {
        record.services.get_mut("only").unwrap().tasks.remove("promote");
    }
    assert_eq!(look.found(), [Invariant::OneWriter]);
}

#[test]
fn legacy_does_not_end_with_traffic_there() {
    let mut sim = Sim::new(ending());
    sim.until_stage("b", Stage::Soaked);
    sim.approve(About::Decommission("a".parse().unwrap()), "cso", &[]);
    let look = Look::of(sim, |_, decision| decision.record.services["a"].stage == Stage::Decommissioning);
    let by_hand = |sim: &mut Sim| sim.drift("b", weight(33));
    assert_eq!(look.with(by_hand).found(), [Invariant::LegacyStays], "on the system that they share");
}

/// The version is that which was seen, and the weight before as well: only the record knows that nobody ordered it.
#[test]
fn a_weight_that_nobody_ordered_is_not_written_over_though_it_bears_our_mark() {
    let mut look = Look::weight(one(), weight(25)).with(|sim| sim.drift("only", weight(40)));
    let version = look.sim.routes["only"].version.to_string();
    for effect in &mut look.decision.effects {
        effect.precondition.version = Some(version.clone());
        let Action::SetWeight { from, .. } = &mut effect.action else { continue };
        *from = weight(40);
    }
    assert!(look.found().contains(&Invariant::NoClobber), "{:?}", look.found());
}

/// The decision that ends a run with one writer: past its soak, or back.
fn last(soaked: bool) -> Look {
    let mut sim = Sim::new(ending_with_writer());
    sim.until_stage("b", if soaked { Stage::Soaked } else { Stage::Soaking });
    match soaked {
        true => sim.health("a").target_errs = true,
        false => sim.orders.intent = Intent::Rollback,
    }
    Look::of(sim, |_, decision| decision.record.ended.is_some())
}

#[test]
fn a_run_does_not_end_beside_one_that_is_to_go_back() {
    let mut look = last(true);
    look.decision.record.services.get_mut("b").unwrap().direction = Direction::Backward;
    assert_eq!(look.found(), [Invariant::UndoOnStart]);
}

#[test]
fn a_run_does_not_end_where_nobody_may_write() {
    for (soaked, task, stage) in [(false, "fence", TaskStage::Done), (true, "promote", TaskStage::Ordered)] {
        let mut look = last(soaked);
        look.decision.record.services.get_mut("b").unwrap().tasks.get_mut(task).unwrap().stage = stage;
        assert_eq!(look.found(), [Invariant::OneWriter], "{task}");
        look.before.ended = look.decision.record.ended.clone();
        assert_eq!(look.found(), [], "what has ended is not asked about again");
    }
}
