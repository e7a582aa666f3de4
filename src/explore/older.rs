//! A record as it would be had all of it happened earlier.
//!
//! In every state of an exploration the clock stands at 0, and a record that waits grows older instead. Every moment in it
//! has to move, also those in reasons: each type is taken apart whole, so that the compiler asks for a new field.

use jiff::Timestamp;

use super::reach::Reach;
use crate::{
    engine::{
        BridgeState, Ended, Hold, Latch, Order, PhaseState, Reason, Record, ServiceState, Shared, Subject, TaskState,
        record::Trouble,
    },
    plan::{ServiceName, TaskName},
};

/// Changes every moment in a record. `change` is told how far back that moment matters, in milliseconds.
pub fn moments(record: &mut Record, reach: &Reach, change: &impl Fn(Timestamp, i64) -> Timestamp) {
    let Record {
        format: _,
        run: _,
        plan: _,
        digest: _,
        started_at,
        latch,
        resumed: _,
        started_by: _,
        services,
        phases,
        bridges,
        overrun,
        approvals_used: _,
        ended,
        journal: _,
    } = record;
    let told = reach.nothing();
    *started_at = change(*started_at, told);
    if let Some(Latch { id: _, kind: _, since, reason, hold }) = latch {
        *since = change(*since, told);
        of_reason(reason, &|at| change(at, told));
        of_hold(hold, &|at| change(at, told));
    }
    for (name, state) in services.iter_mut().filter(|(_, state)| has_moments(state)) {
        of_service(name, state, reach, change);
    }
    for (name, PhaseState { approved_at, stable_since, stable_before: _, tasks }) in phases.iter_mut() {
        approved_at.iter_mut().for_each(|at| *at = change(*at, told));
        stable_since.iter_mut().for_each(|at| *at = change(*at, reach.stable(name)));
        let of = Subject::Phase(name.clone());
        tasks.iter_mut().for_each(|(task, state)| of_task(&of, task, state, reach, change));
    }
    for (name, BridgeState { up_since, claimed_at, tasks }) in bridges.iter_mut() {
        up_since.iter_mut().for_each(|at| *at = change(*at, reach.up()));
        claimed_at.iter_mut().for_each(|at| *at = change(*at, reach.claim()));
        let of = Subject::Bridge(name.clone());
        tasks.iter_mut().for_each(|(task, state)| of_task(&of, task, state, reach, change));
    }
    overrun.values_mut().for_each(|at| *at = change(*at, told));
    if let Some(Ended { outcome: _, at }) = ended {
        *at = change(*at, told);
    }
}

/// A state without any stays shared with the record before.
fn has_moments(state: &Shared<ServiceState>) -> bool {
    **state != ServiceState { stage: state.stage, direction: state.direction, ..ServiceState::default() }
}

fn of_service(name: &ServiceName, state: &mut ServiceState, reach: &Reach, change: &impl Fn(Timestamp, i64) -> Timestamp) {
    let (moved, told) = (reach.moved(name, state), reach.nothing());
    let ServiceState {
        stage: _,
        direction: _,
        order,
        overtaken: _,
        moved_at,
        troubles,
        hold,
        cause,
        attempt: _,
        numbered: _,
        end_approved_at,
        pause_since,
        tasks,
    } = state;
    if let Some(Order { from: _, weight: _, number: _, at }) = order {
        *at = change(*at, reach.order());
    }
    moved_at.iter_mut().for_each(|at| *at = change(*at, moved));
    end_approved_at.iter_mut().for_each(|at| *at = change(*at, told));
    pause_since.iter_mut().for_each(|at| *at = change(*at, reach.pause(name)));
    for (gate, Trouble { kind: _, since }) in troubles {
        *since = change(*since, reach.trouble(name, gate));
    }
    of_hold(hold, &|at| change(at, told));
    cause.iter_mut().for_each(|reason| of_reason(reason, &|at| change(at, told)));
    let of = Subject::from(name);
    tasks.iter_mut().for_each(|(task, state)| of_task(&of, task, state, reach, change));
}

fn of_task(of: &Subject, task: &TaskName, state: &mut TaskState, reach: &Reach, change: &impl Fn(Timestamp, i64) -> Timestamp) {
    let TaskState { stage: _, at, number: _ } = state;
    *at = change(*at, reach.task(of, task));
}

fn of_hold(hold: &mut Option<Hold>, change: &impl Fn(Timestamp) -> Timestamp) {
    if let Some(Hold { id: _, since, reason }) = hold {
        *since = change(*since);
        of_reason(reason, change);
    }
}

fn of_reason(reason: &mut Reason, change: &impl Fn(Timestamp) -> Timestamp) {
    match reason {
        Reason::Baking { until: at, .. }
        | Reason::Soak { until: at }
        | Reason::TaskSettling { until: at, .. }
        | Reason::Waiting { until: at, .. }
        | Reason::WindowClosed { opens: Some(at), .. }
        | Reason::Frozen { until: at, .. }
        | Reason::Stable { until: at, .. }
        | Reason::ScreamTest { until: at }
        | Reason::GuardFailed { since: at, .. }
        | Reason::Overrun { latest: at, .. } => *at = change(*at),
        Reason::WindowTooShort { ends, latest, .. } => {
            *ends = change(*ends);
            *latest = change(*latest);
        }
        // No other reason names a moment; the test below reads each that a record is known to hold.
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::Value;

    use super::*;
    use crate::{
        engine::{Invariant, LatchKind, Outcome, RunId, Stage, TaskStage, TroubleKind},
        explore::Reductions,
        plan,
        world::Model,
    };

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_000_000_000 + second).unwrap()
    }

    const HOUR: jiff::SignedDuration = jiff::SignedDuration::from_hours(1);

    /// The written form of a record an hour later: whatever looks like a moment of these tests is one.
    fn later(written: Value) -> Value {
        match written {
            Value::Number(ms) if ms.as_i64().is_some_and(|ms| ms >= at(0).as_millisecond()) => {
                (ms.as_i64().unwrap() + 3_600_000).into()
            }
            Value::String(text) => text.parse::<Timestamp>().map_or(Value::String(text), |at| (at + HOUR).to_string().into()),
            Value::Array(items) => items.into_iter().map(later).collect(),
            Value::Object(fields) => Value::Object(fields.into_iter().map(|(name, value)| (name, later(value))).collect()),
            other => other,
        }
    }

    /// A reason of every kind that names a moment, and one that does not.
    fn reasons() -> Vec<Reason> {
        let name = || "window".parse().unwrap();
        let task = || "task".parse().unwrap();
        vec![
            Reason::Baking { weight: plan::Weight::FULL, until: at(1) },
            Reason::Soak { until: at(2) },
            Reason::TaskSettling { task: task(), until: at(3) },
            Reason::Waiting { task: task(), until: at(4) },
            Reason::WindowClosed { window: name(), opens: Some(at(5)) },
            Reason::WindowClosed { window: name(), opens: None },
            Reason::WindowTooShort { window: name(), ends: at(6), latest: at(7) },
            Reason::Frozen { freeze: "freeze".parse().unwrap(), until: at(8), why: "why".to_owned() },
            Reason::Stable { phase: "phase".parse().unwrap(), until: at(9) },
            Reason::ScreamTest { until: at(10) },
            Reason::GuardFailed { gate: "gate".parse().unwrap(), since: at(11), why: "why".to_owned() },
            Reason::Overrun { window: name(), latest: at(12) },
            Reason::Invariant { invariant: Invariant::Served, detail: "detail".to_owned() },
        ]
    }

    #[test]
    fn every_moment_of_a_record_moves() {
        let revision = plan::read(include_str!("../../plans/quickstart.yaml")).unwrap().revision;
        let model = Model::new(Arc::new(revision.clone()), RunId("run".to_owned()), at(0));
        for reason in reasons() {
            let mut record = Record::new(model.run().clone(), &revision, at(0));
            let task = TaskState { stage: TaskStage::Ordered, at: at(20), number: 1 };
            let tasks = || std::iter::once(("task".parse().unwrap(), task)).collect();
            let hold = Hold { id: 1, since: at(22), reason: reason.clone() };
            let state = record.services.values_mut().next().unwrap();
            **state = ServiceState {
                stage: Stage::Shifting(0),
                order: Some(Order { from: plan::Weight::ZERO, weight: plan::Weight::FULL, number: 1, at: at(23) }),
                moved_at: Some(at(24)),
                hold: Some(hold),
                cause: Some(reason.clone()),
                end_approved_at: Some(at(25)),
                pause_since: Some(at(21)),
                tasks: tasks(),
                ..ServiceState::default()
            };
            let trouble = Trouble { kind: TroubleKind::Failing, since: at(26) };
            state.troubles.insert("gate".parse().unwrap(), trouble);
            let phase = PhaseState { approved_at: Some(at(27)), stable_since: Some(at(28)), stable_before: None, tasks: tasks() };
            record.phases.insert("phase".parse().unwrap(), phase);
            record.bridges.insert(
                "bridge".parse().unwrap(),
                BridgeState { up_since: Some(at(29)), claimed_at: Some(at(29)), tasks: tasks() },
            );
            record.latch = Some(Latch {
                id: 1,
                kind: LatchKind::Rollback,
                since: at(30),
                reason: reason.clone(),
                hold: Some(Hold { id: 2, since: at(31), reason: reason.clone() }),
            });
            record.overrun.insert("window".parse().unwrap(), at(31));
            record.ended = Some(Ended { outcome: Outcome::Completed, at: at(32) });
            let wanted = later(serde_json::to_value(&record).unwrap());
            moments(&mut record, &Reach::of(&model, Reductions::Sound), &|at, _| at + HOUR);
            assert_eq!(serde_json::to_value(&record).unwrap(), wanted, "{reason:?}");
        }
    }
}
