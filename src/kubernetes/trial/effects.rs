//! Each write of a run, tried by the API server: what starting it writes, backends for plain hosts, and the routes.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;

use super::{
    error,
    live::Live,
    standing::Way as Found,
    warning,
    writes::{Chain, Write, all},
};
use crate::{
    engine::Step,
    kubernetes::{
        api::{Api, ApiError, At, Kind},
        backend::{self, Verdict, Wanted},
        crd::{MigrationRun, MigrationRunSpec, bounded, labels},
        revision::pack,
        route::BackendName,
        world::rule_name,
    },
    plan::{Place, Plan, Revision, Service, ServiceName, Side, schedule::Durations},
    preview::report::{ClusterCode, ClusterFinding, EffectLine, Tried, Way},
};

/// What `gapless start` writes: the revision, and the run.
pub async fn start(tried: &Api, revision: &Revision, caller: &str, found: &mut Vec<ClusterFinding>) -> Vec<EffectLine> {
    let plan = revision.plan();
    let object = match pack(revision) {
        Ok(object) => object,
        Err(why) => {
            let help = "make two plans of it, or take its longest texts out";
            found.push(error(ClusterCode::EffectRefused, "the revision of the plan", why.to_string(), help));
            return Vec::new();
        }
    };
    let revision = object.metadata.name.as_deref().unwrap_or_default();
    let spec = MigrationRunSpec::start(&plan.name, revision, &bounded(caller, 256), Durations::default());
    let mut run = MigrationRun::new(&plan.namespace, "", spec);
    run.metadata.labels = Some(labels());
    run.metadata.name = None;
    run.metadata.generate_name = Some(format!("{}-", plan.name));
    let revision_made = create(tried, plan, (Kind::REVISION, "MigrationPlanRevision"), &object, found).await;
    let run_made = create(tried, plan, (Kind::RUN, "MigrationRun"), &run, found).await;
    vec![revision_made, run_made]
}

async fn create<T: Serialize + Sync>(
    tried: &Api,
    plan: &Plan,
    (kind, word): (Kind, &str),
    object: &T,
    found: &mut Vec<ClusterFinding>,
) -> EffectLine {
    let request = format!("POST {word} in namespace {}", plan.namespace);
    let answer = match tried.create::<T, Value>(kind, Some(&plan.namespace), object).await {
        Err(ApiError::Conflict(_)) => Ok(Value::Null), // it is there already: a start takes it as it is
        answer => answer,
    };
    let line = EffectLine {
        step: "start".to_owned(),
        way: Way::Forward,
        request,
        changes: Vec::new(),
        outcome: Tried::Accepted,
        why: None,
    };
    told(line, answer, found).0
}

/// All effects of a service, and what of them would fail.
pub async fn of_service(
    tried: &Api,
    live: &Live,
    (plan, name, service): (&Plan, &ServiceName, &Service),
    way: Option<Found<'_>>,
    found: &mut Vec<ClusterFinding>,
) -> Vec<EffectLine> {
    let mut lines = Vec::new();
    for side in Side::BOTH {
        for wanted in backends(live, name, service, side) {
            lines.push(apply(tried, live, name, &wanted, found).await);
        }
    }
    if let Some(way) = way {
        lines.extend(route(tried, live, (plan, name, service), &way, found).await);
    }
    lines
}

/// The objects that a run makes for a side of plain hosts, where they are not as they have to be.
fn backends(live: &Live, name: &ServiceName, service: &Service, side: Side) -> Vec<Wanted> {
    let Place::Endpoints(hosts) = &service.side(side).at else { return Vec::new() };
    if rule_name(name, service).is_none() {
        return Vec::new(); // the router behind a webhook needs no object of ours
    }
    let of = BackendName::of(name, service, side);
    let Ok((object, slices)) = live.backend(&of.name) else { return Vec::new() };
    if backend::compare(&of, hosts, object, slices.iter()) != Verdict::ToMake {
        return Vec::new();
    }
    let wanted = backend::objects(&live.namespace, &of, hosts);
    let names: BTreeSet<&str> = wanted.iter().map(|object| object.name.as_str()).collect();
    let left = slices.iter().filter(|slice| backend::is_left_over(slice, &names));
    let mut all: Vec<Wanted> = left.map(|slice| backend::emptied(&live.namespace, &of, slice)).collect();
    all.extend(wanted);
    all
}

async fn apply(tried: &Api, live: &Live, name: &ServiceName, wanted: &Wanted, found: &mut Vec<ClusterFinding>) -> EffectLine {
    let word = if wanted.kind == Kind::SERVICE { "Service" } else { "EndpointSlice" };
    let line = EffectLine {
        step: Step::Prepare.of(name).to_string(),
        way: Way::Forward,
        request: format!("APPLY {word} {}/{}", live.namespace, wanted.name),
        changes: Vec::new(),
        outcome: Tried::Accepted,
        why: None,
    };
    let answer = tried.apply(wanted.kind, wanted.at(&live.namespace), &wanted.object).await;
    told(line, answer, found).0
}

/// Every write of a route, until one is not taken: those after it rest on it.
async fn route(
    tried: &Api,
    live: &Live,
    (plan, name, service): (&Plan, &ServiceName, &Service),
    way: &Found<'_>,
    found: &mut Vec<ClusterFinding>,
) -> Vec<EffectLine> {
    let mut chain = Chain::new(name, &way.rule, way.route);
    let (mut lines, mut stopped) = (Vec::new(), None);
    for write in all(plan, name, service) {
        let line = line(live, way, &write);
        if let Some(why) = &stopped {
            lines.push(EffectLine { outcome: Tried::Untried, why: Some(format!("it rests on {why}")), ..line });
            continue;
        }
        let next = match chain.next(write.what) {
            Ok(Some(next)) => next,
            Ok(None) => continue,
            Err(why) => {
                stopped = Some(line.step.clone());
                found.push(refused(&line, &why.to_string()));
                lines.push(EffectLine { outcome: Tried::Refused, why: Some(why.to_string()), ..line });
                continue;
            }
        };
        let line = EffectLine { changes: next.changes.clone(), ..line };
        let at = At { namespace: &live.namespace, name: &way.name };
        let answer = tried.json_patch(Kind::HTTP_ROUTE, at, &next.patch).await;
        let (line, after) = told(line, answer, found);
        match after {
            Some(after) => chain.took(next, after),
            None => stopped = Some(line.step.clone()),
        }
        lines.push(line);
    }
    lines
}

fn line(live: &Live, way: &Found<'_>, write: &Write) -> EffectLine {
    EffectLine {
        step: write.step.to_string(),
        way: write.way,
        request: format!("PATCH HTTPRoute {}/{}", live.namespace, way.name),
        changes: Vec::new(),
        outcome: Tried::Accepted,
        why: None,
    }
}

/// The line with what the API server said, and the object as it would be.
fn told(line: EffectLine, answer: Result<Value, ApiError>, found: &mut Vec<ClusterFinding>) -> (EffectLine, Option<Value>) {
    let why = match answer {
        Ok(after) => return (line, Some(after)),
        Err(why) => why,
    };
    let text = why.to_string();
    let outcome = match why {
        ApiError::Denied(_) => {
            let help = "have it tried by somebody who may write it; whether the operator may is told below";
            found.push(warning(ClusterCode::EffectUntried, &line.request, format!("you may not try it: {text}"), help));
            Tried::Untried
        }
        ApiError::Unclear(_) | ApiError::Unreadable(_) => {
            let help = "try again; if it stays so, look at the API server and its admission webhooks";
            found.push(error(ClusterCode::EffectUntried, &line.request, format!("it is not known to work: {text}"), help));
            Tried::Untried
        }
        _ => {
            found.push(refused(&line, &text));
            Tried::Refused
        }
    };
    (EffectLine { outcome, why: Some(text), ..line }, None)
}

fn refused(line: &EffectLine, why: &str) -> ClusterFinding {
    let help = "change what the API server objects to: the object, the plan, or the policy that refuses it";
    error(ClusterCode::EffectRefused, &line.request, format!("{} would be refused: {why}", line.step), help)
}
