//! A plan cut into pieces that are small enough to be searched whole: each different service or group with its neighbours.
//!
//! The members of a piece are under test as the plan has them. Of what they need, of what needs them and of the phases before
//! them a few stand for all: each is made as simple as a service can be, and may go on, refuse to, fail and come back at any
//! time and at no cost. Or nothing stands around the members ([`Around::Nothing`]). Services whose pieces differ in nothing but
//! names and addresses are searched once.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jiff::Timestamp;

use super::{Around, moves::Part};
use crate::{
    engine::{RunId, agenda},
    plan::{
        Act, Check, Digest, EndpointSpec, Gate, HttpMethod, HttpSend, Need, OnFailure, Place, Plan, Probe, Revision, Router,
        Service, ServiceName, Side, SideModel, Soak, Span, SystemName, Task, Undo, Watch, Weight, canonical,
    },
    world::Model,
};

/// How many of each kind of neighbour stand for all of that kind.
const NEEDS: usize = 2;
const DEPENDENTS: usize = 1;
const EARLIER: usize = 1;
const TENANTS: usize = 1;

/// A piece of a plan.
#[derive(Debug)]
pub struct Piece {
    /// What is under test, and what stands around it.
    pub name: String,
    /// All services of the plan that are like the ones under test, those included.
    pub alike: Vec<ServiceName>,
    /// The piece as a model of its own.
    pub model: Model,
    /// For each service of the model, what it is.
    pub parts: Vec<Part>,
}

impl Piece {
    /// The digest of all that it is made of.
    pub fn digest(&self) -> Digest {
        Digest::of(format!("{} {:?}", self.model.revision().digest(), self.parts).as_bytes())
    }
}

/// The pieces of a plan, in the order of their first services.
pub fn pieces(revision: &Revision, around: Around) -> Vec<Piece> {
    let plan = revision.plan();
    let mut found: BTreeMap<Digest, usize> = BTreeMap::new();
    let mut pieces: Vec<Piece> = Vec::new();
    let mut done: BTreeSet<&ServiceName> = BTreeSet::new();
    for name in plan.services.keys() {
        if done.contains(name) {
            continue;
        }
        let members: BTreeSet<&ServiceName> = match plan.group_of(name) {
            Some((_, group)) => group.services.iter().collect(),
            None => BTreeSet::from([name]),
        };
        done.extend(members.iter().copied());
        let neighbours = match around {
            Around::Neighbours => Neighbours::of(plan, &members),
            Around::Nothing => Neighbours::default(),
        };
        let slice = slice(plan, &members, neighbours);
        let alike = members.iter().map(|member| (*member).clone());
        match found.get(&slice.key) {
            Some(place) => pieces.get_mut(*place).into_iter().for_each(|piece| piece.alike.extend(alike.clone())),
            None => {
                found.insert(slice.key.clone(), pieces.len());
                pieces.push(slice.piece(alike.collect()));
            }
        }
    }
    pieces
}

struct Slice {
    name: String,
    plan: Plan,
    members: BTreeSet<ServiceName>,
    key: Digest,
}

impl Slice {
    fn piece(self, alike: Vec<ServiceName>) -> Piece {
        let part = |name| if self.members.contains(name) { Part::Whole } else { Part::Rest };
        let parts = self.plan.services.keys().map(part).collect();
        let revision = Revision::of(self.plan);
        // 2001-09-09T01:46:40Z: a moment like any other, so that every run of the explorer is the same.
        let epoch = Timestamp::from_second(1_000_000_000).unwrap_or(Timestamp::UNIX_EPOCH);
        let model = Model::new(Arc::new(revision), RunId("00000000model".to_owned()), epoch);
        Piece { name: self.name, alike, model, parts }
    }
}

/// The neighbours of a piece's members, by the way in which they are ones.
#[derive(Default)]
struct Neighbours<'a> {
    needs: Vec<&'a ServiceName>,
    dependents: Vec<&'a ServiceName>,
    earlier: Vec<&'a ServiceName>,
    /// Those on the same legacy system.
    tenants: Vec<&'a ServiceName>,
}

impl<'a> Neighbours<'a> {
    fn of(plan: &'a Plan, members: &BTreeSet<&'a ServiceName>) -> Self {
        let outside = |name: &&ServiceName| !members.contains(*name);
        let own = || members.iter().filter_map(|name| plan.services.get(*name));
        let needs: BTreeSet<_> = own().flat_map(Service::before).filter(outside).collect();
        let needs: Vec<_> = needs.into_iter().take(NEEDS).collect();
        let dependents: BTreeSet<_> = members.iter().flat_map(|name| plan.dependents(name)).filter(outside).collect();
        let dependents: Vec<_> = dependents.into_iter().take(DEPENDENTS).collect();
        let before: BTreeSet<_> = own().flat_map(|service| plan.phases_before(&service.phase)).collect();
        let mut earlier: Vec<_> = plan.services.iter().filter(|(_, s)| before.contains(&s.phase)).map(|(name, _)| name).collect();
        earlier.retain(|name| outside(name) && !needs.contains(name));
        earlier.truncate(EARLIER);
        let systems: BTreeSet<_> = own().filter(|s| s.decommission.is_some()).filter_map(|s| s.legacy.system.as_ref()).collect();
        let lives = |service: &Service| service.legacy.system.as_ref().is_some_and(|system| systems.contains(system));
        let mut tenants: Vec<_> = plan.services.iter().filter(|(_, s)| lives(s)).map(|(name, _)| name).collect();
        tenants.retain(|name| outside(name) && !needs.contains(name) && !dependents.contains(name) && !earlier.contains(name));
        tenants.truncate(TENANTS);
        Self { needs, dependents, earlier, tenants }
    }
}

fn slice<'a>(plan: &'a Plan, members: &BTreeSet<&'a ServiceName>, neighbours: Neighbours<'a>) -> Slice {
    let Neighbours { needs, dependents, earlier, tenants } = neighbours;
    let rest: BTreeSet<&ServiceName> = needs.iter().chain(&dependents).chain(&earlier).chain(&tenants).copied().collect();
    let kept = |name: &ServiceName| members.contains(name) || rest.contains(name);
    let services = plan.services.iter().filter(|(name, _)| kept(name)).map(|(name, service)| {
        let mut own = if members.contains(name) { service.clone() } else { stand_in(service) };
        own.needs.retain(|need, way| kept(need) && (members.contains(name) || *way == Need::Before));
        (name.clone(), own)
    });
    let services: BTreeMap<_, _> = services.collect();
    let used: BTreeSet<_> = services.values().map(|service| &service.phase).collect();
    let mut phases = plan.phases.clone();
    // A phase between two that are kept, and has nobody here, says nothing but the order of those two.
    for (name, phase) in &mut phases {
        let before = plan.phases_before(name).iter().filter(|before| used.contains(before)).cloned();
        let after: BTreeMap<_, _> =
            before.map(|before| (before.clone(), phase.after.get(&before).cloned().unwrap_or_default())).collect();
        phase.after = after;
        phase.windows.clear();
    }
    phases.retain(|name, _| used.contains(name));
    let mut small = Plan::of(plan.name.clone(), plan.namespace.clone(), phases, services.clone());
    let counted: BTreeSet<_> =
        members.iter().filter_map(|name| plan.services.get(*name)).flat_map(|s| agenda::bridges_of(plan, s)).collect();
    for (name, bridge) in plan.bridges.iter().filter(|(name, _)| counted.contains(name)) {
        let mut bridge = bridge.clone();
        bridge.phases.retain(|phase| used.contains(phase));
        small.bridges.insert(name.clone(), bridge);
    }
    small.roles.clone_from(&plan.roles);
    small.legacy_systems.clone_from(&plan.legacy_systems);
    small.connections.clone_from(&plan.connections);
    small.groups =
        plan.groups.clone().into_iter().filter(|(_, group)| group.services.iter().any(|name| members.contains(name))).collect();
    let list = |names: &[&ServiceName]| names.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let mut name = members.iter().map(ToString::to_string).collect::<Vec<_>>().join(" + ");
    for (what, names) in [("needs", &needs), ("needed by", &dependents), ("after", &earlier), ("beside", &tenants)] {
        if !names.is_empty() {
            name.push_str(&format!(", {what} {}", list(names)));
        }
    }
    let key = key(&small, members, &[needs, dependents, earlier, tenants]);
    Slice { name, plan: small, members: members.iter().map(|member| (*member).clone()).collect(), key }
}

/// A service as simple as one can be, in the place of this one: a single weight, one gate, one endpoint a side.
fn stand_in(service: &Service) -> Service {
    let side = |host: &str| {
        let endpoint = EndpointSpec { address: host.to_owned(), port: 80 };
        SideModel::at(Place::Endpoints(BTreeSet::from([endpoint])))
    };
    let router = Router::Webhook { url: "http://router.example".to_owned(), key_from_env: None };
    let mut stand_in = Service::plain(service.phase.clone(), side("10.0.0.1"), side("10.0.0.2"), router);
    stand_in.needs.clone_from(&service.needs);
    stand_in.rollback_scope = service.rollback_scope;
    stand_in.legacy.system.clone_from(&service.legacy.system);
    stand_in.soak = Soak { length: Span::from_secs(60), guard_for: Span::ZERO, on_failure: OnFailure::Rollback };
    let (probe, gate) = (probe(), gate());
    if let (Ok(probe_name), Ok(gate_name)) = ("p".parse(), "g".parse()) {
        stand_in.probes.insert(probe_name, probe);
        stand_in.gates.insert(gate_name, gate);
    }
    stand_in
}

fn probe() -> Probe {
    Probe { every: Span::from_secs(1), timeout: Span::from_secs(1), send: send() }
}

fn send() -> HttpSend {
    let status = BTreeSet::from([200]);
    HttpSend { method: HttpMethod::Get, path: "/".to_owned(), host: None, body: None, status, body_contains: None }
}

fn gate() -> Gate {
    Gate {
        every: Span::from_secs(1),
        timeout: Span::from_secs(1),
        check: Check::Http("http://gate.example".to_owned()),
        successes: 1,
        max_failures_per_mille: 0,
        failures: 1,
        unknown_limit: Span::from_secs(600),
        on_unknown: OnFailure::Hold,
        watch: Watch::Guard,
    }
}

/// Equal for pieces that differ in names, addresses and requests only, and whose capacities mean the same for every weight.
fn key(plan: &Plan, members: &BTreeSet<&ServiceName>, neighbours: &[Vec<&ServiceName>]) -> Digest {
    let roles = std::iter::once(members.iter().copied().collect::<Vec<_>>()).chain(neighbours.iter().cloned());
    let mut names: BTreeMap<&ServiceName, ServiceName> = BTreeMap::new();
    for (role, list) in roles.enumerate() {
        for (place, name) in list.into_iter().enumerate() {
            if let (false, Ok(plain)) = (names.contains_key(name), format!("r{role}-{place}").parse()) {
                names.insert(name, plain);
            }
        }
    }
    let renamed = |name: &ServiceName| names.get(name).unwrap_or(name).clone();
    let mut phases: Vec<_> = plan.phases.keys().collect();
    phases.sort_by_key(|name| plan.phases_before(name).len());
    let phase = |name| phases.iter().position(|phase| *phase == name).unwrap_or_default();
    let mut text = String::new();
    let used: BTreeSet<_> = plan.services.values().filter_map(|service| service.legacy.system.as_ref()).collect();
    let plain_name = |(at, system): (usize, _)| Some((system, format!("s{at}").parse().ok()?));
    let systems: BTreeMap<&SystemName, SystemName> = used.into_iter().enumerate().filter_map(plain_name).collect();
    let mut services: Vec<_> = plan.services.iter().map(|(name, service)| (renamed(name), service)).collect();
    services.sort_by(|one, other| one.0.cmp(&other.0));
    for (name, service) in services {
        let mut plain = service.clone();
        plain.needs = service.needs.iter().map(|(need, way)| (renamed(need), way.clone())).collect();
        plain.legacy.system = service.legacy.system.as_ref().and_then(|system| systems.get(system).cloned());
        let carries = capacities(service);
        strip(&mut plain);
        let phase_of = phase(&service.phase);
        if let Ok(name) = "phase".parse() {
            plain.phase = name;
        }
        text.push_str(&format!("{name} phase {phase_of} {carries} {}\n", canonical(&plain)));
    }
    for name in &phases {
        let own = plan.phases.get(*name);
        let after: Vec<_> =
            own.into_iter().flat_map(|p| &p.after).map(|(before, after)| (phase(before), canonical(after))).collect();
        let mut own = own.cloned().unwrap_or_default();
        own.approval.iter_mut().for_each(|approval| approval.asks.clear());
        own.tasks.values_mut().for_each(plain_task);
        text.push_str(&format!("{after:?} {}\n", canonical(&(&own.approval, &own.tasks))));
    }
    Digest::of(text.as_bytes())
}

/// What a side with no, too few and all of its endpoints carries, for every weight of the service.
fn capacities(service: &Service) -> String {
    let mut text = String::new();
    for side in Side::BOTH {
        let own = service.side(side);
        let all = match &own.at {
            Place::Endpoints(list) => list.len() as u64,
            Place::Service(_) => 0,
        };
        let weights = service.steps.iter().chain([&Weight::ZERO, &Weight::FULL]);
        let load = service.load.map_or(0, |load| u64::from(load.peak.per_second()) * (100 + u64::from(load.headroom_percent)));
        let each = own.per_endpoint.map_or(u64::MAX / 1_000_000, |rate| u64::from(rate.per_second()));
        for weight in weights {
            let needed = (load * u64::from(weight.of(side))).div_ceil(10_000);
            let endpoints = needed.div_ceil(each.max(1));
            text.push(if all == 0 {
                's'
            } else if endpoints >= all {
                'a'
            } else {
                'f'
            });
        }
    }
    text
}

fn plain_task<Moment>(task: &mut Task<Moment>) {
    plain(&mut task.act);
    match &mut task.undo {
        Undo::Do { act, .. } => plain(act),
        Undo::None(why) | Undo::Impossible(why) => why.clear(),
    }
}

/// What is done without the texts that nothing is decided by.
fn plain(act: &mut Act) {
    match act {
        Act::Manual { instructions: text, .. } | Act::Job(text) | Act::Notify { message: text, .. } => text.clear(),
        Act::Http { url, body, .. } => (*url, *body) = (String::new(), None),
        Act::Silence { matchers, .. } => matchers.clear(),
        Act::Wait(_) | Act::QuiesceCron(_) => {}
    }
}

fn strip(service: &mut Service) {
    service.load = None;
    for side in [&mut service.legacy, &mut service.target] {
        side.per_endpoint = None;
        side.workload = None;
        if let Place::Endpoints(list) = &mut side.at {
            let several = list.len().min(2);
            *list = (0..several).map(|host| EndpointSpec { address: format!("10.0.0.{host}"), port: 80 }).collect();
        } else if let Place::Service(reference) = &mut side.at {
            "service".clone_into(&mut reference.name);
        }
    }
    match &mut service.router {
        Router::Webhook { url, key_from_env } => (*url, *key_from_env) = (String::new(), None),
        Router::HttpRoute { name, section_name } => (*name, *section_name) = (String::new(), None),
        Router::GrpcRoute(route) | Router::TlsRoute(route) | Router::TcpRoute(route) => {
            (route.name, route.section_name) = (String::new(), None);
        }
        Router::Haproxy { backend, .. } => backend.clear(),
        Router::Dns(dns) => dns.name.clear(),
        Router::EndpointSlice(name) => name.clear(),
    }
    service.tier = None; // only limits ask for it, and a piece has none
    service.tasks.values_mut().for_each(plain_task);
    let approval = service.decommission.as_mut().and_then(|end| end.approval.as_mut());
    approval.into_iter().for_each(|approval| approval.asks.clear());
    service.warm.iter_mut().for_each(plain);
    service.probes.values_mut().for_each(|probe| probe.send = send());
    for gate in service.gates.values_mut() {
        if !matches!(gate.check, Check::Probe(_)) {
            gate.check = Check::Http("http://gate.example".to_owned());
        }
    }
}
