//! A step of the dry run: when it runs, what it does, what speaks for and against it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    engine::{Reason, Step, StepId, Subject, agenda, writer_catch_up},
    plan::{Approval, Crew, Gate, GateName, Plan, Service, Weight, crew},
    preview::{
        deeds::Deeds,
        film::{Approved, Shot},
        path::Ties,
        risk,
        times::{Clock, millis},
    },
};

/// A step.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StepLine {
    /// Its name, `service/step`.
    pub id: String,
    /// The service, if it is one's.
    pub service: Option<String>,
    /// The phase it belongs to.
    pub phase: Option<String>,
    /// What kind of step it is.
    pub kind: Kind,
    /// What happens, as a sentence without a full stop.
    pub action: String,
    /// Who does it by hand; null: nobody has to.
    pub by: Option<PersonLine>,
    /// The share of target that is ordered, in percent.
    pub weight: Option<u8>,
    /// When it begins, in UTC.
    #[schemars(with = "String")]
    pub start: Timestamp,
    /// When it ends; null: it never does.
    #[schemars(with = "Option<String>")]
    pub end: Option<Timestamp>,
    /// When it begins in the plan's zone.
    pub start_local: String,
    /// When it ends in the plan's zone.
    pub end_local: Option<String>,
    /// Whether a delay of it delays the end of the run, or the moment at which all traffic is on target.
    pub critical: bool,
    /// The steps that it comes after.
    pub needs: Vec<String>,
    /// What it waited for last before it began.
    pub waited_for: Option<String>,
    /// The gates that have to pass before it is over.
    pub gates: Vec<String>,
    /// Who has to say yes to it.
    pub approval: Option<ApprovalLine>,
    /// Why there is no way back once it has begun; null: there is one.
    pub point_of_no_return: Option<String>,
    /// Until when what is in motion can still be undone inside its window, in UTC.
    #[schemars(with = "Option<String>")]
    pub latest_rollback: Option<Timestamp>,
    /// Requests that go wrong before anybody acts, if target fails at this step.
    pub requests_at_risk: Option<u64>,
}

impl StepLine {
    /// How long it takes in milliseconds; `None`: it never ends.
    pub fn millis(&self) -> Option<u64> {
        Some(millis(self.start, self.end?))
    }
}

/// What kind of step it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "they are the names of the steps")]
pub enum Kind {
    Prepare,
    Task,
    CatchUp,
    Shift,
    Confirm,
    Soak,
    End,
    Begin,
    Back,
}

/// Who has to say yes.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApprovalLine {
    /// The question.
    pub asks: String,
    /// How many of which roles.
    pub all_of: BTreeMap<String, u32>,
}

/// Who does a task by hand.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PersonLine {
    /// Their role.
    pub owner: String,
    /// What they are to do.
    pub instructions: String,
}

/// A worker makes so many lines at a time.
const LINES: usize = 500;

/// All steps, in the order in which they begin.
pub fn lines(crew: &dyn Crew, plan: &Plan, deeds: &Deeds, shots: &[Shot], (ties, path): (&Ties<'_>, &[usize])) -> Vec<StepLine> {
    let clock = Clock::of(plan);
    let critical: BTreeSet<usize> = path.iter().copied().collect();
    let places: Vec<_> = shots.iter().zip(ties.needs.iter().enumerate()).collect();
    let line = |(shot, (place, needs)): &(&Shot, (usize, &Vec<usize>))| {
        let mut line = line(plan, (&clock, deeds), shot);
        line.critical = critical.contains(place);
        line.needs = needs.iter().filter_map(|need| Some(shots.get(*need)?.id.to_string())).collect();
        line
    };
    let pieces: Vec<_> = places.chunks(LINES).collect();
    let made = crew::each(crew, pieces.len(), |piece| {
        pieces.get(piece).into_iter().flat_map(|own| own.iter()).map(line).collect::<Vec<_>>()
    });
    made.into_iter().flatten().collect()
}

/// A step without its place among the others.
pub fn line(plan: &Plan, (clock, deeds): (&Clock, &Deeds), shot: &Shot) -> StepLine {
    let service = shot.id.service().and_then(|name| plan.services.get(name));
    let phase = match &shot.id.of {
        Subject::Service(_) => service.map(|s| s.phase.to_string()),
        Subject::Phase(name) => Some(name.to_string()),
        Subject::Bridge(_) => None,
    };
    let weight = match shot.id.step {
        Step::Shift(weight) => Some(weight),
        _ => None,
    };
    StepLine {
        id: shot.id.to_string(),
        service: shot.id.service().map(ToString::to_string),
        phase,
        kind: kind(&shot.id.step),
        action: deeds.action(&shot.id),
        by: deeds
            .person(&shot.id)
            .map(|(owner, instructions)| PersonLine { owner: owner.to_owned(), instructions: instructions.to_owned() }),
        weight: weight.map(Weight::percent),
        start: shot.start,
        end: shot.end,
        start_local: clock.rfc3339(shot.start),
        end_local: shot.end.map(|end| clock.rfc3339(end)),
        critical: false,
        needs: Vec::new(),
        waited_for: shot.after.as_ref().map(waited_for),
        gates: gates(plan, &shot.id, service),
        approval: approval(plan, shot),
        point_of_no_return: deeds.no_return(&shot.id).map(str::to_owned),
        latest_rollback: shot.latest_rollback,
        requests_at_risk: service.zip(weight).and_then(|(service, weight)| risk::requests(service, weight)),
    }
}

fn kind(step: &Step) -> Kind {
    match step {
        Step::Prepare => Kind::Prepare,
        Step::Task(_) | Step::Raise | Step::Lower => Kind::Task,
        Step::CatchUp => Kind::CatchUp,
        Step::Shift(_) => Kind::Shift,
        Step::Confirm => Kind::Confirm,
        Step::Soak => Kind::Soak,
        Step::ScreamTest | Step::Drain | Step::Decommission => Kind::End,
        Step::Begin | Step::Stable => Kind::Begin,
        Step::Return | Step::Undo(_) => Kind::Back,
    }
}

fn gates(plan: &Plan, id: &StepId, service: Option<&Service>) -> Vec<String> {
    let names = |gates: &BTreeMap<GateName, Gate>| gates.keys().map(ToString::to_string).collect();
    let data = service.and_then(|service| service.data.as_deref());
    match (&id.step, &id.of, service) {
        (Step::Shift(_) | Step::Soak, _, Some(service)) => names(&service.gates),
        (Step::Confirm, _, _) => data.map(|data| names(&data.reconcile)).unwrap_or_default(),
        (Step::CatchUp, _, _) => data.map(|data| writer_catch_up(data).0.to_owned()).into_iter().collect(),
        (Step::Task(name), _, Some(_)) if *name == agenda::named::fence() => vec!["fence-proof".to_owned(), "lag".to_owned()],
        (Step::Task(name), _, Some(_)) if *name == agenda::named::promote() => vec!["promote-proof".to_owned()],
        (Step::Begin, Subject::Phase(name), _) => {
            let after = plan.phases.get(name).into_iter().flat_map(|phase| phase.after.values());
            after.flat_map(|after| after.gates.keys()).map(ToString::to_string).collect()
        }
        (Step::Task(_), Subject::Bridge(name), _) => {
            plan.bridges.get(name).map(|bridge| names(&bridge.gates)).unwrap_or_default()
        }
        _ => Vec::new(),
    }
}

fn approval(plan: &Plan, shot: &Shot) -> Option<ApprovalLine> {
    let approval: &Approval = match (shot.approved, &shot.id.of) {
        (Approved::Not, _) | (_, Subject::Bridge(_)) => return None,
        (_, Subject::Phase(name)) => plan.phases.get(name)?.approval.as_ref()?,
        (_, Subject::Service(name)) => plan.services.get(name)?.decommission.as_ref()?.approval.as_ref()?,
    };
    let all_of = approval.all_of.iter().map(|(role, count)| (role.to_string(), *count)).collect();
    Some(ApprovalLine { asks: approval.asks.clone(), all_of })
}

/// What a step waited for, now that it is over.
fn waited_for(reason: &Reason) -> String {
    match reason {
        Reason::Need { service } => format!("{service} to carry all its traffic on target"),
        Reason::InMotion { max, .. } => format!("its turn: the plan allows {max} services in motion at once"),
        Reason::TierInMotion { tier, max, .. } => format!("its turn: the plan allows {max} of tier {tier} in motion at once"),
        Reason::Group { service } => format!("{service}, which is of the same group"),
        Reason::WindowClosed { window, .. } => format!("window {window} to open"),
        Reason::WindowTooShort { window, .. } => format!("a window in which it fits; too little was left of {window}"),
        Reason::Frozen { freeze, .. } => format!("the end of freeze {freeze}"),
        Reason::Bridge { bridge } => format!("bridge {bridge} to stand"),
        Reason::BridgeNeeded { service, .. } => format!("{service}, which could still move or come back"),
        Reason::NeedEnds { service } => format!("{service} to be past its soak"),
        Reason::SharedSystem { system, service } => {
            format!("{service}, which is also on legacy system {system}, to be past its soak")
        }
        Reason::Dependent { service } => format!("{service}, which needs it, to be back"),
        Reason::Approval { .. } => "an approval".to_owned(),
        Reason::Stable { phase, .. } => format!("phase {phase} to be stable for long enough"),
        other => other.to_string(),
    }
}
