//! A service that went back is tried again, as another attempt of the same run.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use super::{
    backward,
    draft::Draft,
    event::Event,
    orders,
    record::{Direction, LatchKind, Outcome, Record, ServiceState, Stage},
    route,
    task::{TaskStage, TaskState},
};
use crate::plan::{Plan, ServiceName, TaskName};

/// **Retry**: a service that went back is tried again, once for each number that people ask for, if the run as a whole does
/// not go back. It begins at its first step, under a new attempt, once its route is given up.
pub fn retry(draft: &mut Draft) {
    if goes_back(&draft.next) {
        return;
    }
    let plan = draft.plan;
    let by = orders::by(&draft.seen.orders);
    for (name, attempt) in &draft.seen.orders.retries {
        let Some((name, service)) = plan.services.get_key_value(name) else { continue };
        let state = draft.state(name);
        if state.stage != Stage::Returned || *attempt <= state.attempt || !backward::is_end(draft, name, service) {
            continue;
        }
        if !route::fresh(draft.seen, name, draft.now).is_ok_and(|route| route.owner.is_none()) {
            continue;
        }
        draft.change(name, |s| *s = anew(s));
        let attempt = state.attempt.saturating_add(1);
        draft.event(Event::Retried { service: name.clone(), attempt, by: by.clone() });
    }
}

/// The next attempt. The numbers of orders and of tasks go on, so that none is ever taken for an earlier one.
fn anew(state: &ServiceState) -> ServiceState {
    let anew = |(name, task): (&TaskName, &TaskState)| (name.clone(), TaskState { stage: TaskStage::Undone, ..*task });
    ServiceState {
        attempt: state.attempt.saturating_add(1),
        numbered: state.order.map_or(state.numbered, |o| o.number),
        tasks: state.tasks.iter().map(anew).collect(),
        ..ServiceState::default()
    }
}

fn goes_back(record: &Record) -> bool {
    record.latch.as_ref().is_some_and(|l| l.kind == LatchKind::Rollback)
}

/// Why a service is not tried again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoRetry {
    /// The run is over.
    Ended(Outcome),
    /// The run as a whole was ordered back.
    RunGoesBack,
    /// The plan has no such service.
    NoService(ServiceName),
    /// It has not gone back, and does not.
    NotBack(ServiceName),
    /// This one went back as well, comes before it, and would not be tried again with it.
    Alone {
        /// The service.
        service: ServiceName,
        /// The one that is missing.
        without: ServiceName,
    },
}

impl fmt::Display for NoRetry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ended(outcome) => write!(f, "the run has ended ({outcome}): a new attempt is a new run"),
            Self::RunGoesBack => {
                f.write_str("a rollback of the whole run was ordered, and nothing clears it: a new attempt is a new run")
            }
            Self::NoService(name) => write!(f, "the run has no service {name}"),
            Self::NotBack(name) => write!(f, "{name} has not gone back: there is nothing to be tried again"),
            Self::Alone { service, without } => {
                write!(f, "{service} cannot move without {without}, which went back as well: name both")
            }
        }
    }
}

/// The attempts that trying these services again is. What it needs and its group are tried again with it, if they went back.
///
/// # Errors
/// All that speaks against it.
pub fn attempts(plan: &Plan, record: &Record, names: &BTreeSet<ServiceName>) -> Result<BTreeMap<ServiceName, u32>, Vec<NoRetry>> {
    if let Some(ended) = &record.ended {
        return Err(vec![NoRetry::Ended(ended.outcome)]);
    }
    if goes_back(record) {
        return Err(vec![NoRetry::RunGoesBack]);
    }
    let is_back = |name: &ServiceName| record.services.get(name).is_some_and(|s| s.direction == Direction::Backward);
    let (mut attempts, mut refused) = (BTreeMap::new(), Vec::new());
    for name in names {
        let Some(service) = plan.services.get(name) else {
            refused.push(NoRetry::NoService(name.clone()));
            continue;
        };
        if !is_back(name) {
            refused.push(NoRetry::NotBack(name.clone()));
            continue;
        }
        let group = plan.group_of(name).into_iter().flat_map(|(_, group)| &group.services);
        let without = service.before().chain(group).filter(|other| is_back(other) && !names.contains(*other));
        refused.extend(without.map(|other| NoRetry::Alone { service: name.clone(), without: other.clone() }));
        let attempt = record.services.get(name).map_or(0, |state| state.attempt);
        attempts.insert(name.clone(), attempt.saturating_add(1));
    }
    if refused.is_empty() { Ok(attempts) } else { Err(refused) }
}
