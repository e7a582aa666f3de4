//! A service, written out.

use super::{estate, gate, task};
use crate::plan::{
    model::{Data, Decommission, Load, Mirror, Need, Place, Reverse, RouteRef, Router, Service, SideModel, Switch},
    names::{ServiceName, Weight},
    spec::{
        CapacitySpec, DataSpec, DecommissionSpec, DnsSpec, DrainSpec, EndpointSliceSpec, HaproxySpec, LoadSpec, MirrorSpec,
        NeedMode, NeedSpec, ReverseSpec, RollbackSpec, RouteSpec, RouterSpec, ServiceSpec, ShiftSpec, SideSpec, SoakSpec,
        SwitchSpec, TtlSpec, WarmSpec, WebhookSpec, Writer,
    },
};

/// A service; a member of a group has its weights from the group.
pub(super) fn service(name: &ServiceName, service: &Service, in_group: bool) -> ServiceSpec {
    let shift = ShiftSpec { steps: Some(service.steps.clone()), bake: Some(service.bake) };
    let soak = service.soak;
    let soak = SoakSpec { length: Some(soak.length), guard_for: Some(soak.guard_for), on_failure: Some(soak.on_failure) };
    ServiceSpec {
        name: name.clone(),
        phase: Some(service.phase.clone()),
        tier: service.tier,
        load: service.load.as_ref().map(load),
        needs: service.needs.iter().map(need).collect(),
        legacy: side(&service.legacy),
        target: side(&service.target),
        router: router(&service.router),
        max_connection_age: service.max_connection_age,
        mirror: service.mirror.as_ref().map(mirror),
        warm: service.warm.as_ref().map(|act| WarmSpec { act: Some(task::act(act)) }),
        shift: Some(shift).filter(|_| !in_group),
        soak: Some(soak),
        on_failure: Some(service.on_failure),
        rollback: Some(RollbackSpec { scope: Some(service.rollback_scope), steps: Some(rollback_steps(service)) }),
        probes: service.probes.iter().map(gate::probe).collect(),
        gates: service.gates.iter().map(gate::gate).collect(),
        tasks: service.tasks.iter().map(task::of_service).collect(),
        cron: service.cron.iter().cloned().collect(),
        drain: service.drain_deadline.map(|deadline| DrainSpec { deadline: Some(deadline) }),
        decommission: service.decommission.as_ref().map(decommission),
        data: service.data.as_deref().map(data),
    }
}

fn rollback_steps(service: &Service) -> Vec<Weight> {
    if service.rollback_steps.is_empty() { vec![Weight::ZERO] } else { service.rollback_steps.clone() }
}

fn load(load: &Load) -> LoadSpec {
    LoadSpec { peak: Some(load.peak), headroom_percent: Some(load.headroom_percent) }
}

fn mirror(mirror: &Mirror) -> MirrorSpec {
    MirrorSpec { percent: Some(mirror.percent), length: Some(mirror.length), methods: Some(mirror.methods) }
}

fn need((name, need): (&ServiceName, &Need)) -> NeedSpec {
    let (mode, bridge) = match need {
        Need::Before => (NeedMode::Before, None),
        Need::Across(bridge) => (NeedMode::Across, Some(bridge.clone())),
    };
    NeedSpec { service: name.clone(), mode: Some(mode), bridge }
}

fn side(side: &SideModel) -> SideSpec {
    let (endpoints, service) = match &side.at {
        Place::Endpoints(endpoints) => (endpoints.iter().cloned().collect(), None),
        Place::Service(service) => (Vec::new(), Some(service.clone())),
    };
    let capacity = side.per_endpoint.map(|per_endpoint| CapacitySpec { per_endpoint });
    SideSpec { endpoints, service, workload: side.workload.clone(), system: side.system.clone(), capacity }
}

fn router(router: &Router) -> RouterSpec {
    let route = |route: RouteRef| RouteSpec { name: route.name, section_name: route.section_name };
    match router.clone() {
        Router::HttpRoute { name, section_name } => RouterSpec::HttpRoute(RouteSpec { name, section_name }),
        Router::GrpcRoute(one) => RouterSpec::GrpcRoute(route(one)),
        Router::TlsRoute(one) => RouterSpec::TlsRoute(route(one)),
        Router::TcpRoute(one) => RouterSpec::TcpRoute(route(one)),
        Router::Haproxy { connection, backend } => RouterSpec::Haproxy(HaproxySpec { connection, backend }),
        Router::Dns(dns) => RouterSpec::Dns(DnsSpec {
            connection: dns.connection,
            zone: dns.zone,
            name: dns.name,
            kind: dns.kind,
            ttl: Some(TtlSpec { during: Some(dns.ttl_during) }),
        }),
        Router::EndpointSlice(service) => RouterSpec::EndpointSlice(EndpointSliceSpec { service }),
        Router::Webhook { url, key_from_env } => RouterSpec::Webhook(WebhookSpec { url, key_from_env }),
    }
}

fn decommission(one: &Decommission) -> DecommissionSpec {
    DecommissionSpec {
        approval: one.approval.as_ref().map(estate::approval),
        scream_test: Some(one.scream_test.unwrap_or_default()),
    }
}

fn data(data: &Data) -> DataSpec {
    DataSpec {
        writer: Writer::Single,
        pause_budget: data.pause_budget,
        catch_up: data.catch_up.as_ref().map(gate::lag),
        lag: gate::lag(&data.lag),
        fence: Some(switch(&data.fence)),
        unfence: data.unfence.as_ref().map(switch),
        promote: switch(&data.promote),
        reverse: reverse(&data.reverse),
        reconcile: data.reconcile.iter().map(gate::plain).collect(),
    }
}

fn switch(one: &Switch) -> SwitchSpec {
    SwitchSpec { act: task::act(&one.act), proof: gate::check(&one.proof), expect: Some(one.expect) }
}

fn reverse(reverse: &Reverse) -> ReverseSpec {
    match reverse {
        Reverse::None(why) => ReverseSpec { none: Some(why.clone()), lag: None, fence: None, promote: None },
        Reverse::By { lag, fence, promote } => {
            ReverseSpec { none: None, lag: Some(gate::lag(lag)), fence: Some(switch(fence)), promote: Some(switch(promote)) }
        }
    }
}
