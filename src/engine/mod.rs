//! What to do: pure and total. No clock, no file, no socket, no task, no hash map.
//!
//! *Flow*: [`decide`] takes the revision, the record, what was seen and the time, and gives the next record with all that
//! follows from it. `forward` moves a service to its target, `backward` takes it back, [`gate`] judges samples,
//! [`safety`] checks every decision again, by other means than it was made.
//!
//! | who wants to know | opens |
//! |---|---|
//! | when a weight is confirmed | `shift.rs`, `unconfirmed` |
//! | what takes a service back | `guard.rs`, `fails`, `target`; `orders.rs`, `roll_back`; `timing.rs`, `overrun` |
//! | what takes a group back, and who goes with whom | `rollback.rs`, `send_back` |
//! | in which order they go back, and when that is refused | `backward.rs`, `dependent_in_the_way`, `refused_as_no_better` |
//! | who may clear a latch | `orders.rs`, `obey` |
//! | who may say yes | `approval.rs`, `standing` |
//! | when a service may start | `forward.rs`, `start`, `not_now`; `phase.rs`, `begin` |
//! | when legacy may end | `ending.rs`, `still_counted_on`, `still_has_traffic` |
//!
//! *Guarantees*: never fails, never panics; the same input gives the same decision; without news it changes nothing.
//! *Assumptions*: the record belongs to the revision (else nothing is done and the reason says so).
//! *Caveats*: effects are wishes; only the next observation tells whether they came true.

pub mod agenda;
pub mod approval;
mod backward;
mod bridge;
mod draft;
pub mod effect;
mod ending;
pub mod event;
pub mod follow;
mod forward;
pub mod gate;
mod group;
mod guard;
pub mod invariant;
pub mod observed;
mod orders;
mod outcome;
mod phase;
pub mod query;
mod readiness;
pub mod reason;
pub mod record;
pub mod retry;
mod rollback;
pub mod roster;
pub mod route;
pub mod rules;
pub mod safety;
pub mod shared;
mod shift;
pub mod side;
pub mod soak;
pub mod step;
pub mod task;
mod tasks;
pub mod timing;
mod walk;
pub mod way_back;
mod way_out;
pub mod withhold;
mod writer;

use jiff::Timestamp;
use serde::Serialize;

use self::draft::{Draft, WaitsFor};
use crate::plan::{Revision, Service, ServiceName};

pub use self::{
    approval::{About, ApprovalSeen, Consent},
    bridge::CLAIM_VALID,
    effect::{Action, Effect, EffectKey, Precondition, mark},
    event::Event,
    guard::concerns as guards_watch,
    invariant::Invariant,
    observed::{
        Accepted, Answer, Backend, ClaimsSeen, Effective, GateSeen, Intent, Observed, Orders, Owner, Programmed, Query, Round,
        RouteSeen, Sample, SideSeen, SidesSeen, Unknown,
    },
    query::{open_doings, queries},
    reason::{Course, Fact, Reason, SideRank},
    record::{
        BridgeState, Direction, Ended, Hold, JournalHead, Latch, LatchKind, Order, Outcome, Overtaken, PhaseState, Record, RunId,
        ServiceState, Stage, Trouble, TroubleKind,
    },
    roster::Roster,
    rules::Rules,
    shared::Shared,
    step::{Step, StepId, Subject, step_count, steps},
    task::{Deed, TaskKey, TaskSeen, TaskStage, TaskState, TaskWay},
    way_out::WayOut,
    writer::{catch_up as writer_catch_up, gates as writer_gates},
};

/// All that follows from looking once.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// The next record; equal to the one given if nothing changed.
    pub record: Record,
    /// What is to be done once that record is committed.
    pub effects: Vec<Effect>,
    /// What changed.
    pub events: Vec<Event>,
    /// Why each step that could be next is not, in the plan's order.
    pub waits: Vec<Wait>,
    /// When to look again even if nothing is new; `None`: only news can change anything.
    pub wake_at: Option<Timestamp>,
    /// The next moment at which something is due though every answer stays as it is: the end of a bake, of a soak, of a
    /// limit. Never before `wake_at`, which also rings when answers stop coming; a model whose answers keep coming jumps here.
    pub due_at: Option<Timestamp>,
    /// How the run stands if nothing can go on without a person, or how it ended.
    pub outcome: Option<Outcome>,
}

/// Why a step waits.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Wait {
    /// The step.
    pub step: StepId,
    /// Why.
    pub reason: Reason,
    /// Since when, where the record knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
}

/// The one place where anything is decided.
pub fn decide(revision: &Revision, record: &Record, seen: &Observed, now: Timestamp) -> Decision {
    decide_by(Rules::ALL, revision, record, seen, now)
}

/// The same with one rule left out, to show what it is for. Never for a live run.
pub fn decide_by(rules: Rules, revision: &Revision, record: &Record, seen: &Observed, now: Timestamp) -> Decision {
    let plan = revision.plan();
    let mut draft = Draft::new(plan, record, seen, now, rules);
    if let Some(reason) = not_ours(revision, record) {
        for name in plan.services.keys() {
            draft.wait(Step::Prepare, name, reason.clone(), WaitsFor::Person);
        }
        return draft.finish(Some(Outcome::Held));
    }
    if record.ended.is_none() {
        orders::obey(&mut draft);
        passes(&mut draft);
    }
    let outcome = outcome::settle(&mut draft);
    draft.finish(outcome)
}

/// What the loop calls: the decision, checked. Where it would break an invariant it is withheld, service by service.
pub fn judge(revision: &Revision, record: &Record, seen: &Observed, now: Timestamp) -> Decision {
    let decision = decide(revision, record, seen, now);
    withhold::lawful(revision, record, seen, now, decision)
}

/// Whether the record can be read by this version and belongs to this revision.
fn not_ours(revision: &Revision, record: &Record) -> Option<Reason> {
    let other = record.digest != *revision.digest();
    record::unreadable(record.format.into())
        .or_else(|| other.then(|| Reason::OtherRevision { found: record.digest.short().to_owned() }))
}

/// What is done for a service, and which services it concerns. One that comes to be concerned meanwhile is reached by the
/// next round, for its record has changed.
type Pass = (fn(&ServiceState) -> bool, for<'a, 's> fn(&mut Draft<'a, 's>, &ServiceName, &'a Service));

const PASSES: [Pass; 4] = [
    (forward::has_backends, forward::keep_backends),
    (guard::concerns, guard::watch),
    (backward::concerns, backward::retreat),
    (forward::concerns, forward::advance),
];

/// Looks at every service until nothing changes any more, so that deciding again without news changes nothing. A service
/// changes its stage at most once a weight and direction, so this ends; the bound only guards against a mistake here.
fn passes(draft: &mut Draft) {
    let plan = draft.plan;
    for _ in 0..=plan.services.len().saturating_mul(4) {
        let before = draft.next.clone();
        draft.waits.clear();
        retry::retry(draft);
        draft.survey();
        timing::overrun(draft);
        draft.effects.retain(|effect| effect.key.number > 0); // what is no order is asked for anew
        for (concerns, pass) in PASSES {
            for (name, service) in draft.select(|_, state| concerns(state)) {
                pass(draft, name, service);
            }
        }
        phase::show_all(draft);
        bridge::lower(draft);
        if draft.next == before {
            return;
        }
    }
}
