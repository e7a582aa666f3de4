//! A service in the dry run: when it moves, what goes back with it, what a gap would cost.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    engine::Step,
    plan::{
        Plan, Service, ServiceName, Span, Tier, Weight,
        schedule::{Expected, undo_time},
    },
    preview::{deeds::Deeds, film::Shot, risk},
};

/// A service.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServiceLine {
    /// Its name.
    pub name: String,
    /// Its phase.
    pub phase: String,
    /// Its tier.
    #[schemars(with = "Option<String>")]
    pub tier: Option<Tier>,
    /// When its first weight is ordered, in UTC.
    #[schemars(with = "Option<String>")]
    pub starts: Option<Timestamp>,
    /// When all its traffic is on target.
    #[schemars(with = "Option<String>")]
    pub moved: Option<Timestamp>,
    /// When it is past its soak.
    #[schemars(with = "Option<String>")]
    pub soaked: Option<Timestamp>,
    /// The services that go back when it does, itself left out.
    pub blast_radius: Vec<String>,
    /// How long it takes to take it back, with all that go back with it, in milliseconds.
    pub undo_ms: u64,
    /// The step from which there is no way back for it.
    pub point_of_no_return: Option<String>,
    /// From the first bad answer to the moment a guard acts, in milliseconds; null: nothing watches all the time.
    pub detection_ms: Option<u64>,
    /// Requests that go wrong if target fails with all the traffic on it.
    pub requests_at_risk: Option<u64>,
}

/// When each service had all its traffic on target.
pub fn services_moved<'p>(plan: &'p Plan, shots: &[Shot]) -> BTreeMap<&'p ServiceName, Timestamp> {
    let confirmed = shots.iter().filter(|shot| shot.id.step == Step::Confirm);
    confirmed.filter_map(|shot| Some((plan.services.get_key_value(shot.id.service()?)?.0, shot.end?))).collect()
}

/// Each service.
pub fn services(plan: &Plan, deeds: &Deeds, shots: &[Shot], moved: &BTreeMap<&ServiceName, Timestamp>) -> Vec<ServiceLine> {
    let mut starts: BTreeMap<&ServiceName, Timestamp> = BTreeMap::new();
    let mut soaked: BTreeMap<&ServiceName, Timestamp> = BTreeMap::new();
    for shot in shots {
        let Some(name) = shot.id.service() else { continue };
        match shot.id.step {
            Step::Shift(_) => {
                starts.entry(name).or_insert(shot.start);
            }
            Step::Soak => soaked.extend(shot.end.map(|end| (name, end))),
            _ => {}
        }
    }
    let expected = Expected::of(plan);
    let ms = |span: Span| u64::try_from(span.get().as_millis()).unwrap_or(u64::MAX);
    let line = |(name, service): (&ServiceName, &Service)| {
        let closure = plan.rollback_closure(name);
        ServiceLine {
            name: name.to_string(),
            phase: service.phase.to_string(),
            tier: service.tier,
            starts: starts.get(name).copied(),
            moved: moved.get(name).copied(),
            soaked: soaked.get(name).copied(),
            blast_radius: closure.iter().filter(|other| *other != name).map(ToString::to_string).collect(),
            undo_ms: ms(undo_time(&expected, closure.iter()).unwrap_or_default()),
            point_of_no_return: deeds.final_step(name).map(|step| step.to_string()),
            detection_ms: risk::detection(service).map(ms),
            requests_at_risk: risk::requests(service, Weight::FULL),
        }
    };
    plan.services.iter().map(line).collect()
}
