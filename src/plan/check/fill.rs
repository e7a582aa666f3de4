//! Every default, written in: from what people wrote, already judged, to what a run executes.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::traffic::address;
use crate::plan::{
    model::{
        After, Check, DEFAULT_FAILURES, Gate, HttpSend, Load, Need, Phase, Place, Plan, Probe, Router, Service, SideModel, Soak,
        Watch,
    },
    names::{GateName, PhaseName, ProbeName, Span, Weight},
    spec::{
        CheckSpec, EndpointSpec, GateSpec, HttpMethod, HttpSendSpec, OnFailure, PhaseSpec, ProbeSpec, RollbackScope, RouterSpec,
        SendSpec, ServiceSpec, SideSpec, SoakSpec,
    },
};

pub(super) const HEADROOM_PERCENT: u16 = 20;
pub(super) const PROBE_EVERY: Span = Span::from_secs(1);
pub(super) const GUARD_FOR: Span = Span::from_secs(30);
const TIMEOUT: Span = Span::from_secs(1);
const BAKE: Span = Span::from_secs(600);
const SOAK: Span = Span::from_secs(86_400);
const UNKNOWN_LIMIT: Span = Span::from_secs(600);
const SUCCESSES: u32 = 3;
const STEPS: [u64; 5] = [1, 5, 25, 50, 100];
const NAMESPACE: &str = "default";
/// The phase of a plan that declares none.
const ONLY_PHASE: &str = "all";

/// The plan; `None` only for what a check should have refused.
pub(super) fn plan(document: &Value, phases: &[&PhaseSpec], services: &[&ServiceSpec]) -> Option<Plan> {
    let metadata = document.get("metadata")?;
    let first = match phases.first() {
        Some(phase) => phase.name.clone(),
        None => ONLY_PHASE.parse::<PhaseName>().ok()?,
    };
    let mut all: BTreeMap<PhaseName, Phase> = phases
        .iter()
        .map(|phase| {
            (
                phase.name.clone(),
                Phase {
                    after: phase.after.iter().map(|after| (after.phase.clone(), After::default())).collect(),
                    ..Phase::default()
                },
            )
        })
        .collect();
    if all.is_empty() {
        all.insert(first.clone(), Phase::default());
    }
    let filled = services.iter().map(|spec| Some((spec.name.clone(), service(spec, &first)?))).collect::<Option<_>>()?;
    let namespace = metadata.get("namespace").and_then(Value::as_str).unwrap_or(NAMESPACE).to_owned();
    Some(Plan::of(metadata.get("name")?.as_str()?.parse().ok()?, namespace, all, filled))
}

fn service(spec: &ServiceSpec, first: &PhaseName) -> Option<Service> {
    let probes: BTreeMap<ProbeName, Probe> = spec.probes.iter().map(|p| (p.name.clone(), probe(p))).collect();
    let steps = spec.shift.as_ref().and_then(|shift| shift.steps.clone());
    let gates = gates(spec, &probes)?;
    Some(Service {
        load: spec
            .load
            .as_ref()
            .map(|load| Load { peak: load.peak, headroom_percent: load.headroom_percent.unwrap_or(HEADROOM_PERCENT) }),
        needs: spec.needs.iter().map(|need| (need.service.clone(), Need::Before)).collect(),
        steps: steps.or_else(|| STEPS.iter().map(|percent| Weight::new(*percent).ok()).collect())?,
        bake: spec.shift.as_ref().and_then(|shift| shift.bake).unwrap_or(BAKE),
        soak: soak(spec.soak.as_ref()),
        on_failure: spec.on_failure.unwrap_or(OnFailure::Rollback),
        rollback_scope: spec.rollback.as_ref().and_then(|rollback| rollback.scope).unwrap_or(RollbackScope::Dependents),
        probes,
        gates,
        ..Service::plain(
            spec.phase.clone().unwrap_or_else(|| first.clone()),
            side(&spec.legacy)?,
            side(&spec.target)?,
            router(&spec.router),
        )
    })
}

fn side(spec: &SideSpec) -> Option<SideModel> {
    let at = match &spec.service {
        Some(service) => Place::Service(service.clone()),
        None => {
            let canonical = |endpoint: &EndpointSpec| {
                Some(EndpointSpec { address: address(&endpoint.address)?.to_string(), port: endpoint.port })
            };
            Place::Endpoints(spec.endpoints.iter().map(canonical).collect::<Option<_>>()?)
        }
    };
    Some(SideModel { per_endpoint: spec.capacity.as_ref().map(|capacity| capacity.per_endpoint), ..SideModel::at(at) })
}

fn router(spec: &RouterSpec) -> Router {
    match spec {
        RouterSpec::HttpRoute(route) => Router::HttpRoute { name: route.name.clone(), section_name: route.section_name.clone() },
        RouterSpec::Webhook(hook) => Router::Webhook { url: hook.url.clone(), key_from_env: hook.key_from_env.clone() },
    }
}

fn soak(spec: Option<&SoakSpec>) -> Soak {
    Soak {
        length: spec.and_then(|soak| soak.length).unwrap_or(SOAK),
        guard_for: spec.and_then(|soak| soak.guard_for).unwrap_or(GUARD_FOR),
        on_failure: spec.and_then(|soak| soak.on_failure).unwrap_or(OnFailure::Rollback),
    }
}

fn probe(spec: &ProbeSpec) -> Probe {
    let SendSpec::Http(send) = &spec.send;
    Probe { every: spec.every.unwrap_or(PROBE_EVERY), timeout: spec.timeout.unwrap_or(TIMEOUT), send: http(send) }
}

fn http(spec: &HttpSendSpec) -> HttpSend {
    let status: BTreeSet<u16> = spec.expect.iter().flat_map(|expect| expect.status.iter().copied()).collect();
    HttpSend {
        method: spec.method.unwrap_or(HttpMethod::Get),
        path: spec.path.clone().unwrap_or_else(|| "/".to_owned()),
        host: spec.host.clone(),
        body: spec.body.clone(),
        status: if status.is_empty() { BTreeSet::from([200]) } else { status },
        body_contains: spec.expect.as_ref().and_then(|expect| expect.body_contains.clone()),
    }
}

/// The gates that are written, or one for each probe, by the probe's name.
fn gates(spec: &ServiceSpec, probes: &BTreeMap<ProbeName, Probe>) -> Option<BTreeMap<GateName, Gate>> {
    if !spec.gates.is_empty() {
        return spec.gates.iter().map(|written| Some((written.name.clone(), gate(written, probes)?))).collect();
    }
    let of_probe = |(name, probe): (&ProbeName, &Probe)| {
        let gate = Gate {
            every: probe.every,
            timeout: probe.timeout,
            check: Check::Probe(name.clone()),
            successes: SUCCESSES,
            max_failures_per_mille: 0,
            failures: DEFAULT_FAILURES,
            unknown_limit: UNKNOWN_LIMIT,
            on_unknown: OnFailure::Hold,
            watch: Watch::Guard,
        };
        Some((name.as_str().parse().ok()?, gate))
    };
    probes.iter().map(of_probe).collect()
}

fn gate(spec: &GateSpec, probes: &BTreeMap<ProbeName, Probe>) -> Option<Gate> {
    let (every, timeout, check, successes, ratio) = match &spec.check {
        CheckSpec::Probe(check) => {
            let probe = probes.get(&check.name)?;
            (probe.every, probe.timeout, Check::Probe(check.name.clone()), check.successes, check.max_failure_ratio)
        }
        CheckSpec::Http(check) => {
            let every = spec.every.unwrap_or(PROBE_EVERY);
            (every, check.timeout.unwrap_or(TIMEOUT), Check::Http(check.url.clone()), check.successes, None)
        }
    };
    Some(Gate {
        every,
        timeout,
        check,
        successes: successes.unwrap_or(SUCCESSES),
        max_failures_per_mille: per_mille(ratio.unwrap_or(0.0)),
        failures: spec.failures.unwrap_or(DEFAULT_FAILURES),
        unknown_limit: spec.unknown_limit.unwrap_or(UNKNOWN_LIMIT),
        on_unknown: spec.on_unknown.unwrap_or(OnFailure::Hold),
        watch: if spec.guard == Some(false) { Watch::Confirmation } else { Watch::Guard },
    })
}

/// The schema keeps the ratio between 0 and 0.9, and a check keeps it to thousandths.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 900 after the clamp")]
fn per_mille(ratio: f64) -> u16 {
    (ratio * 1000.0).round().clamp(0.0, 900.0) as u16
}
