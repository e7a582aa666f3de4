//! What is to be done to the world: absolute, idempotent, and conditional on what was seen.

use std::fmt;

use jiff::Timestamp;
use serde::Serialize;

use super::{
    record::{Direction, RunId},
    step::StepId,
    task::{Deed, TaskKey},
};
use crate::plan::{BridgeName, ServiceName, Side, Weight};

/// Something to be done. Whether it worked is learnt only from the next observation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Effect {
    /// Equal keys mean the same effect: doing it twice is doing it once.
    pub key: EffectKey,
    /// What is done.
    pub action: Action,
    /// When it must not be done.
    pub precondition: Precondition,
}

/// The identity of an effect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EffectKey {
    /// The run.
    pub run: RunId,
    /// The step it belongs to.
    pub step: StepId,
    /// The number of the order ([`super::record::Order::number`]); 0 for what is not an order.
    pub number: u32,
    /// Which way.
    pub direction: Direction,
}
impl fmt::Display for EffectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let way = match self.direction {
            Direction::Forward => "forward",
            Direction::Backward => "backward",
        };
        write!(f, "{}/{}/{}/{way}", self.run, self.step, self.number)
    }
}

impl EffectKey {
    /// The mark that the route's answers bear once this effect is in force.
    pub fn mark(&self) -> String {
        self.step.service().map_or_else(String::new, |service| mark(&self.run, service, self.number))
    }
}

/// The mark of a service's order number `number`: short, unique within the life of the run's routes, and of letters, digits
/// and dashes only (a `%` in a header value makes Envoy refuse its whole route table).
pub fn mark(run: &RunId, service: &ServiceName, number: u32) -> String {
    let run: String = in_mark(run).map(char::from).collect();
    format!("{run}-{service}-{number}")
}

/// Whether a text is this mark. Asked of every route at every look: nothing is written out for it.
pub fn is_mark(text: &str, run: &RunId, service: &ServiceName, number: u32) -> bool {
    let run_on =
        in_mark(run).try_fold(text.as_bytes(), |rest, own| rest.split_first().filter(|(b, _)| **b == own).map(|(_, rest)| rest));
    let service_on =
        run_on.and_then(|rest| rest.strip_prefix(b"-")?.strip_prefix(service.as_str().as_bytes())?.strip_prefix(b"-"));
    service_on.is_some_and(|digits| {
        let plain = digits.iter().all(u8::is_ascii_digit) && (digits == b"0" || !digits.starts_with(b"0"));
        plain && std::str::from_utf8(digits).is_ok_and(|digits| digits.parse() == Ok(number))
    })
}

/// What of a run's name is in its marks.
fn in_mark(run: &RunId) -> impl Iterator<Item = u8> {
    run.0.bytes().filter(u8::is_ascii_alphanumeric).take(8)
}

/// What is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Action {
    /// The route gives target this share and legacy the rest, and belongs to the run from then on.
    #[serde(rename_all = "camelCase")]
    SetWeight {
        /// The service.
        service: ServiceName,
        /// The share of target.
        weight: Weight,
        /// The share it has now, if the route is as it is expected to be.
        from: Weight,
    },
    /// The route no longer belongs to the run; its weights stay.
    Release {
        /// The service.
        service: ServiceName,
    },
    /// One doing of a task begins, if it has not.
    #[serde(rename_all = "camelCase")]
    Task {
        /// Which doing of which task.
        task: TaskKey,
        /// What is done.
        deed: Deed,
    },
    /// The run counts on a bridge: no other run takes it down.
    Claim {
        /// The bridge.
        bridge: BridgeName,
    },
    /// It does not any more.
    Unclaim {
        /// The bridge.
        bridge: BridgeName,
    },
    /// A side of plain hosts is made known to the router.
    EnsureBackend {
        /// The service.
        service: ServiceName,
        /// The side.
        side: Side,
    },
}

impl Action {
    /// The service whose route or backends it changes; `None`: it is a task, or about a bridge.
    pub fn service(&self) -> Option<&ServiceName> {
        match self {
            Self::SetWeight { service, .. } | Self::Release { service } | Self::EnsureBackend { service, .. } => Some(service),
            Self::Task { .. } | Self::Claim { .. } | Self::Unclaim { .. } => None,
        }
    }
}

/// What must hold for an effect to be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Precondition {
    /// The route's version that the decision rested on; `None` where nothing is changed that has one.
    pub version: Option<String>,
    /// Not after this moment: what was suspended for long does not act on an old decision.
    pub deadline: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_a_mark_if_it_reads_like_it() {
        let runs = ["5e1f0000model", "5e1f0000other", "a-1", "a"].map(|run| RunId(run.to_owned()));
        let names = ["pay", "pay-1", "p", "1"].map(|name| name.parse::<ServiceName>().unwrap());
        let numbers = [0, 1, 7, 10, 11, u32::MAX];
        let all = || runs.iter().flat_map(|run| names.iter().map(move |name| (run, name)));
        let all = || all().flat_map(|(run, name)| numbers.iter().map(move |number| (run, name, *number)));
        for (run, name, number) in all() {
            let text = mark(run, name, number);
            for (run, name, number) in all() {
                assert_eq!(is_mark(&text, run, name, number), text == mark(run, name, number), "{text}: {run} {name} {number}");
            }
            for other in [format!("{text}0"), format!("{text} "), text.replace("-1", "-01"), text.replace("-1", "-+1")] {
                assert_eq!(is_mark(&other, run, name, number), other == text, "{other}");
            }
        }
    }
}
