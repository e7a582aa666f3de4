//! The preview as programs read it: the result of `gapless preview -o json`. Fields are only ever added.

mod cluster;
mod phase;
mod service;
mod step;
mod window;

use std::collections::BTreeSet;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

pub(super) use self::step::line;
pub use self::{
    cluster::{
        ClusterCode, ClusterFinding, ClusterReport, EffectLine, LiveBackend, LiveRoute, LiveService, Needs, Permit, RightLine,
        Standing, Tried, Way,
    },
    phase::PhaseLine,
    service::ServiceLine,
    step::{ApprovalLine, Kind, PersonLine, StepLine},
    window::{DeadlineLine, FreezeLine, WindowLine},
};
use super::{
    course::{Course, Looks, Options},
    deeds::Deeds,
    film::Film,
    path::Ties,
};
use crate::{
    engine::Outcome,
    plan::{Alone, Crew, Finding, Revision},
};

/// A dry run.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Preview {
    /// The plan.
    pub plan: String,
    /// The revision.
    pub digest: String,
    /// The zone of the local times; null: UTC.
    pub time_zone: Option<String>,
    /// When the run starts, in UTC.
    #[schemars(with = "String")]
    pub start: Timestamp,
    /// Every step in the order in which they begin.
    pub steps: Vec<StepLine>,
    /// The steps that decide when the run is over, the first one first. Where the calendar decides when a step begins, the path
    /// begins with that step.
    pub critical_path: Vec<String>,
    /// The steps that decide when all traffic is on target, in the same way.
    pub target_path: Vec<String>,
    /// When the last service carries all its traffic on target; null: not all do.
    #[schemars(with = "Option<String>")]
    pub moved: Option<Timestamp>,
    /// When the run is over; null: it never is.
    #[schemars(with = "Option<String>")]
    pub finish: Option<Timestamp>,
    /// How the run ends; `Held`: it stops where only a person can help.
    pub outcome: Outcome,
    /// Whether all that windows govern ends inside one, with the way back; null: no window governs anything.
    pub fits_window: Option<bool>,
    /// Each window.
    pub windows: Vec<WindowLine>,
    /// Each freeze.
    pub freezes: Vec<FreezeLine>,
    /// The date that cannot move.
    pub deadline: Option<DeadlineLine>,
    /// Each phase.
    pub phases: Vec<PhaseLine>,
    /// Each service.
    pub services: Vec<ServiceLine>,
    /// The most services that are in motion at once.
    pub at_once: usize,
    /// Why the run does not go on, where it stops.
    pub stuck: Vec<StuckLine>,
    /// What `check` says of the plan.
    pub findings: Vec<Finding>,
    /// What a run would meet in the cluster; left out where nobody asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster: Option<ClusterReport>,
}

/// Why the run does not go on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StuckLine {
    /// The step that waits.
    pub step: String,
    /// For what.
    pub reason: String,
}

/// The dry run of a revision.
pub fn preview(revision: &Revision, options: Options, findings: Vec<Finding>) -> Preview {
    preview_by(&Alone, revision, options, findings, Looks::Following)
}

/// The same, with these workers and by these looks: the same comes of any.
pub fn preview_by(crew: &dyn Crew, revision: &Revision, options: Options, findings: Vec<Finding>, looks: Looks) -> Preview {
    let plan = revision.plan();
    let mut film = Film::new(plan);
    let mut course = Course::with(revision, options, looks);
    let mut finish = None;
    while let Some(()) = course.step(|moment| {
        film.note(moment);
        finish = finish.or(moment.decision.record.ended.is_some().then_some(moment.now));
    }) {}
    let waits = course.waits.iter().filter(|_| finish.is_none());
    let stuck: BTreeSet<StuckLine> =
        waits.map(|wait| StuckLine { step: wait.step.to_string(), reason: wait.reason.to_string() }).collect();
    let outcome = course.record.ended.as_ref().map_or(Outcome::Held, |ended| ended.outcome);
    drop(course); // as large as what is told of it
    let at_once = film.at_once();
    let shots = &film.cut();
    let deeds = Deeds::of(plan);
    let ties = Ties::of(plan, shots);
    let (path, to_target) = (ties.chain(ties.last()), ties.chain(ties.last_confirmed()));
    let steps = step::lines(crew, plan, &deeds, shots, (&ties, &[path.as_slice(), to_target.as_slice()].concat()));
    let named =
        |path: &[usize]| path.iter().filter_map(|place| shots.get(*place)).map(|shot| shot.id.to_string()).collect::<Vec<_>>();
    let moved = service::services_moved(plan, shots);
    let services = service::services(plan, &deeds, shots, &moved);
    let windows = window::windows(plan, shots, &moved);
    let fits: Vec<bool> = windows.iter().filter(|w| w.is_used()).map(|w| w.fits).collect();
    let all_moved = plan.services.keys().all(|name| moved.contains_key(name));
    Preview {
        plan: plan.name.to_string(),
        digest: revision.digest().to_string(),
        time_zone: plan.time_zone.clone(),
        start: options.start,
        critical_path: named(&path),
        target_path: named(&to_target),
        moved: moved.values().max().copied().filter(|_| all_moved),
        finish,
        outcome,
        fits_window: (!plan.windows.is_empty()).then(|| all_moved && finish.is_some() && fits.iter().all(|fits| *fits)),
        windows,
        freezes: window::freezes(plan),
        deadline: plan.deadline.map(|at| DeadlineLine { at, fits: finish.is_some_and(|finish| finish <= at) }),
        phases: phase::phases(plan, shots, &moved),
        services,
        at_once,
        stuck: stuck.into_iter().collect(),
        steps,
        findings,
        cluster: None,
    }
}
