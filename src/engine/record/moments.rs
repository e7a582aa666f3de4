//! The moments that a record names, all of them: for a model whose clock stands still while the record grows older.

use jiff::Timestamp;

use super::{Record, ServiceState};
use crate::engine::{reason::Reason, task::TaskState};

/// What becomes of a moment.
type Change<'c> = dyn FnMut(Timestamp) -> Timestamp + 'c;

impl Record {
    /// Replaces every moment by what `change` makes of it.
    pub fn map_moments(&mut self, change: &mut Change<'_>) {
        self.started_at = change(self.started_at);
        if let Some(latch) = &mut self.latch {
            latch.since = change(latch.since);
            reason(&mut latch.reason, change);
        }
        self.services.values_mut().for_each(|state| of_service(state, change));
        for phase in self.phases.values_mut() {
            [&mut phase.approved_at, &mut phase.stable_since].into_iter().for_each(|at| maybe(at, change));
            tasks(phase.tasks.values_mut(), change);
        }
        for bridge in self.bridges.values_mut() {
            maybe(&mut bridge.up_since, change);
            tasks(bridge.tasks.values_mut(), change);
        }
        self.overrun.values_mut().for_each(|at| *at = change(*at));
        if let Some(ended) = &mut self.ended {
            ended.at = change(ended.at);
        }
    }
}

fn maybe(at: &mut Option<Timestamp>, change: &mut Change<'_>) {
    *at = at.map(change);
}

fn tasks<'t>(tasks: impl Iterator<Item = &'t mut TaskState>, change: &mut Change<'_>) {
    tasks.for_each(|task| task.at = change(task.at));
}

/// A service of which nothing is recorded stays shared.
fn of_service(state: &mut crate::engine::shared::Shared<ServiceState>, change: &mut Change<'_>) {
    if **state == ServiceState::default() {
        return;
    }
    let state: &mut ServiceState = state;
    if let Some(order) = &mut state.order {
        order.at = change(order.at);
    }
    for at in [&mut state.moved_at, &mut state.end_approved_at, &mut state.pause_since] {
        maybe(at, change);
    }
    state.troubles.values_mut().for_each(|trouble| trouble.since = change(trouble.since));
    if let Some(hold) = &mut state.hold {
        hold.since = change(hold.since);
        reason(&mut hold.reason, change);
    }
    if let Some(cause) = &mut state.cause {
        reason(cause, change);
    }
    tasks(state.tasks.values_mut(), change);
}

/// A reason that names no moment is in the last line; a new one that does belongs into the first ones.
fn reason(reason: &mut Reason, change: &mut Change<'_>) {
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
        _ => {}
    }
}
