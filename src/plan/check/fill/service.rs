//! Defaults of a service.

use std::collections::BTreeMap;

use super::{
    super::traffic::address,
    BAKE, GUARD_FOR, HEADROOM_PERCENT, SOAK, STEPS, estate,
    gate::{self, Probes},
    task, variables,
};
use crate::plan::{
    model::{
        Data, Decommission, DnsRoute, Group, Load, Mirror, Need, Place, Reverse, RouteRef, Router, Service, SideModel, Soak,
        Switch, Watch,
    },
    names::{GroupName, PhaseName, ServiceName, Span, Weight},
    spec::{
        DataSpec, DecommissionSpec, DnsSpec, EndpointSpec, LoadSpec, MirrorSpec, NeedMode, NeedSpec, OnFailure, ReverseSpec,
        RollbackScope, RouteSpec, RouterSpec, ServiceSpec, SideSpec, SoakSpec, SwitchSpec,
    },
};

const TTL_DURING: Span = Span::from_secs(5);

/// A service; a member of a group takes its weights from it.
pub(super) fn service(
    spec: &ServiceSpec,
    first: &PhaseName,
    groups: &BTreeMap<GroupName, Group>,
) -> Option<(ServiceName, Service)> {
    let probes = spec.probes.iter().map(gate::probe).collect::<Option<Probes>>()?;
    let (steps, bake) = match groups.values().find(|group| group.services.contains(&spec.name)) {
        Some(group) => (group.steps.clone(), group.bake),
        None => own_shift(spec)?,
    };
    let drain_deadline = spec.drain.as_ref().and_then(|drain| drain.deadline);
    let mut service = Service {
        load: spec.load.as_ref().map(load).transpose_ok()?,
        tier: spec.tier,
        needs: spec.needs.iter().map(need).collect::<Option<_>>()?,
        steps,
        bake,
        soak: soak(spec.soak.as_ref()),
        on_failure: spec.on_failure.unwrap_or(OnFailure::Rollback),
        rollback_scope: spec.rollback.as_ref().and_then(|rollback| rollback.scope).unwrap_or(RollbackScope::Dependents),
        gates: gate::gates(spec, &probes)?,
        max_connection_age: spec.max_connection_age,
        mirror: spec.mirror.as_ref().map(mirror).transpose_ok()?.flatten(),
        warm: spec.warm.as_ref().map(|warm| warm.act.as_ref().map(task::act)).transpose_ok()?,
        tasks: spec.tasks.iter().map(task::of_service).collect::<Option<_>>()?,
        cron: spec.cron.iter().cloned().collect(),
        rollback_steps: rollback_steps(spec),
        drain_deadline,
        decommission: spec.decommission.as_ref().map(|one| decommission(one, &spec.name)),
        data: spec.data.as_ref().map(|one| data(one, &probes)).transpose_ok()?.map(Box::new),
        probes,
        ..Service::plain(
            spec.phase.clone().unwrap_or_else(|| first.clone()),
            side(&spec.legacy)?,
            side(&spec.target)?,
            router(&spec.router),
        )
    };
    variables::of_service(&spec.name, &mut service);
    Some((spec.name.clone(), service))
}

/// `Option<Option<T>>` of a part that may be missing and, if it is there, can be filled or not.
trait TransposeOk<T> {
    /// `None`: it is there and cannot be filled.
    fn transpose_ok(self) -> Option<Option<T>>;
}
impl<T> TransposeOk<T> for Option<Option<T>> {
    fn transpose_ok(self) -> Option<Option<T>> {
        match self {
            None => Some(None),
            Some(None) => None,
            Some(Some(value)) => Some(Some(value)),
        }
    }
}

/// Whether all its traffic moves at once: a DNS record set has no percentages, and one writer has no shares.
pub(in super::super) fn at_once(spec: &ServiceSpec) -> bool {
    matches!(spec.router, RouterSpec::Dns(_)) || spec.data.is_some()
}

/// The weights of a service that names none.
pub(super) fn default_steps(at_once: bool) -> Option<Vec<Weight>> {
    if at_once { Some(vec![Weight::FULL]) } else { STEPS.iter().map(|percent| Weight::new(*percent).ok()).collect() }
}

fn own_shift(spec: &ServiceSpec) -> Option<(Vec<Weight>, Span)> {
    let shift = spec.shift.as_ref();
    let steps = shift.and_then(|shift| shift.steps.clone()).or_else(|| default_steps(at_once(spec)))?;
    Some((steps, shift.and_then(|shift| shift.bake).unwrap_or(BAKE)))
}

/// To go back at once is what an empty list means.
fn rollback_steps(spec: &ServiceSpec) -> Vec<Weight> {
    let steps = spec.rollback.as_ref().and_then(|rollback| rollback.steps.clone()).unwrap_or_default();
    if steps == [Weight::ZERO] { Vec::new() } else { steps }
}

fn load(spec: &LoadSpec) -> Option<Load> {
    Some(Load { peak: spec.peak?, headroom_percent: spec.headroom_percent.unwrap_or(HEADROOM_PERCENT) })
}

fn need(spec: &NeedSpec) -> Option<(ServiceName, Need)> {
    let need = match spec.mode.unwrap_or(NeedMode::Before) {
        NeedMode::Before => Need::Before,
        NeedMode::Across => Need::Across(spec.bridge.clone()?),
    };
    Some((spec.service.clone(), need))
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
    Some(SideModel {
        per_endpoint: spec.capacity.as_ref().map(|capacity| capacity.per_endpoint),
        system: spec.system.clone(),
        workload: spec.workload.clone(),
        ..SideModel::at(at)
    })
}

fn router(spec: &RouterSpec) -> Router {
    let route = |spec: &RouteSpec| RouteRef { name: spec.name.clone(), section_name: spec.section_name.clone() };
    match spec {
        RouterSpec::HttpRoute(route) => Router::HttpRoute { name: route.name.clone(), section_name: route.section_name.clone() },
        RouterSpec::GrpcRoute(spec) => Router::GrpcRoute(route(spec)),
        RouterSpec::TlsRoute(spec) => Router::TlsRoute(route(spec)),
        RouterSpec::TcpRoute(spec) => Router::TcpRoute(route(spec)),
        RouterSpec::Haproxy(spec) => Router::Haproxy { connection: spec.connection.clone(), backend: spec.backend.clone() },
        RouterSpec::Dns(spec) => Router::Dns(dns(spec)),
        RouterSpec::EndpointSlice(spec) => Router::EndpointSlice(spec.service.clone()),
        RouterSpec::Webhook(hook) => Router::Webhook { url: hook.url.clone(), key_from_env: hook.key_from_env.clone() },
    }
}

/// Names in DNS are the same in either case (RFC 4343).
fn dns(spec: &DnsSpec) -> DnsRoute {
    DnsRoute {
        connection: spec.connection.clone(),
        zone: spec.zone.to_ascii_lowercase(),
        name: spec.name.to_ascii_lowercase(),
        kind: spec.kind,
        ttl_during: spec.ttl.as_ref().and_then(|ttl| ttl.during).unwrap_or(TTL_DURING),
    }
}

fn soak(spec: Option<&SoakSpec>) -> Soak {
    Soak {
        length: spec.and_then(|soak| soak.length).unwrap_or(SOAK),
        guard_for: spec.and_then(|soak| soak.guard_for).unwrap_or(GUARD_FOR),
        on_failure: spec.and_then(|soak| soak.on_failure).unwrap_or(OnFailure::Rollback),
    }
}

/// No shadow traffic is what a share of nothing means: it takes back what the plan's defaults say.
fn mirror(spec: &MirrorSpec) -> Option<Option<Mirror>> {
    let mirror = Mirror { percent: spec.percent?, length: spec.length?, methods: spec.methods.unwrap_or_default() };
    Some(Some(mirror).filter(|mirror| mirror.percent > Weight::ZERO))
}

fn decommission(spec: &DecommissionSpec, service: &ServiceName) -> Decommission {
    let question = || format!("May the legacy side of `{service}` be switched off?");
    Decommission {
        approval: spec.approval.as_ref().map(|one| estate::approval(one, question)),
        scream_test: spec.scream_test.filter(|span| *span > Span::ZERO),
    }
}

fn data(spec: &DataSpec, probes: &Probes) -> Option<Data> {
    let reconcile = spec.reconcile.iter().map(|one| gate::with_probes(one, Watch::Confirmation, probes));
    Some(Data {
        pause_budget: spec.pause_budget,
        catch_up: spec.catch_up.as_ref().map(|one| gate::lag(one, probes)).transpose_ok()?,
        lag: gate::lag(&spec.lag, probes)?,
        fence: switch(spec.fence.as_ref()?, probes)?,
        unfence: spec.unfence.as_ref().map(|one| switch(one, probes)).transpose_ok()?,
        promote: switch(&spec.promote, probes)?,
        reverse: reverse(&spec.reverse, probes)?,
        reconcile: reconcile.collect::<Option<_>>()?,
    })
}

fn switch(spec: &SwitchSpec, probes: &Probes) -> Option<Switch> {
    let expect = spec.expect.unwrap_or_else(|| task::expect(&spec.act));
    Some(Switch { act: task::act(&spec.act), proof: gate::proof(&spec.proof, probes)?, expect })
}

fn reverse(spec: &ReverseSpec, probes: &Probes) -> Option<Reverse> {
    match (&spec.none, &spec.lag, &spec.fence, &spec.promote) {
        (Some(why), None, None, None) => Some(Reverse::None(why.clone())),
        (None, Some(lag), Some(fence), Some(promote)) => {
            Some(Reverse::By { lag: gate::lag(lag, probes)?, fence: switch(fence, probes)?, promote: switch(promote, probes)? })
        }
        _ => None,
    }
}
