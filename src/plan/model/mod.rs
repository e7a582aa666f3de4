//! The checked plan: every default filled in, every reference known to exist, every order fixed.
//!
//! A [`Plan`] is only made by [`super::check`], so whoever holds one may rely on: each need, phase and probe that is
//! named exists; neither needs nor phases have a cycle; shift steps rise and end at 100; every gate refers to a probe of
//! its own service. Everything is kept in sorted maps, so that the order of the file never decides anything.

mod calendar;
mod data;
mod estate;
mod index;
mod people;
mod task;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    canonical::canonical,
    names::{
        BadValue, BridgeName, ConnectionName, FreezeName, GateName, GroupName, PhaseName, PlanName, ProbeName, Rate, RoleName,
        ServiceName, Side, Span, SystemName, TaskName, Weight, WindowName,
    },
    spec::{EndpointSpec, HttpMethod, MirrorMethods, OnFailure, RollbackScope, ServiceRef, Tier, Workload},
};

pub use self::{
    calendar::{Freeze, Limits, Window, WindowPurpose},
    data::{Data, Reverse, Switch},
    estate::{Bridge, Connection, ConnectionTo, DnsRoute, Group, LegacySystem, ManagedBridge},
    index::Index,
    people::{Approval, Role},
    task::{Act, Evidence, PhaseTask, ServiceTask, Task, Undo},
};

/// The SHA-256 of something canonical, as 64 lower-case hex digits.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct Digest(String);

impl Digest {
    /// The digest of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        use sha2::Digest as _;
        use std::fmt::Write as _;
        let mut text = String::with_capacity(64);
        for byte in sha2::Sha256::digest(bytes) {
            let _ = write!(text, "{byte:02x}"); // writing to a String cannot fail
        }
        Self(text)
    }
    /// All 64 digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
    /// The first twelve digits, for people.
    pub fn short(&self) -> &str {
        self.0.get(..12).unwrap_or(&self.0)
    }
}
impl std::str::FromStr for Digest {
    type Err = BadValue;
    fn from_str(text: &str) -> Result<Self, BadValue> {
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if text.len() == 64 && text.bytes().all(is_digit) {
            return Ok(Self(text.to_owned()));
        }
        Err(BadValue(format!("`{text}` is no digest: 64 hexadecimal digits")))
    }
}
impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.short())
    }
}

/// What a run executes: the plan with every default filled in, and the digest over its canonical form.
#[derive(Debug, Clone, PartialEq)]
pub struct Revision {
    plan: Plan,
    digest: Digest,
}

impl Revision {
    /// The revision of a plan. The digest is taken over the plan as compact JSON with sorted keys.
    pub fn of(mut plan: Plan) -> Self {
        plan.index = Index::default(); // what was looked up while it was made may have changed
        let digest = Digest::of(canonical(&plan).as_bytes());
        Self { plan, digest }
    }
    /// The plan.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }
    /// Its digest: equal if and only if the plans behave the same.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }
}

/// A checked plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Plan {
    /// Its name.
    pub name: PlanName,
    /// The namespace of its routes and Services.
    pub namespace: String,
    /// The IANA zone in which people of this plan read the clock; `None`: UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// The date that cannot move.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Timestamp>,
    /// Outside systems.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub connections: BTreeMap<ConnectionName, Connection>,
    /// When forward steps may start.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub windows: BTreeMap<WindowName, Window>,
    /// When none may.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub freezes: BTreeMap<FreezeName, Freeze>,
    /// How much may be in motion at once.
    #[serde(default, skip_serializing_if = "Limits::is_none")]
    pub limits: Limits,
    /// A live run needs a passed rehearsal of this digest that is no older.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rehearsal_within: Option<Span>,
    /// Who may say yes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub roles: BTreeMap<RoleName, Role>,
    /// What is switched off in the end.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub legacy_systems: BTreeMap<SystemName, LegacySystem>,
    /// Its phases.
    pub phases: BTreeMap<PhaseName, Phase>,
    /// Connectivity between the estates.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub bridges: BTreeMap<BridgeName, Bridge>,
    /// Services that move as one. A service is in at most one.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub groups: BTreeMap<GroupName, Group>,
    /// Its services.
    pub services: BTreeMap<ServiceName, Service>,
    /// What is looked up in it. No part of the plan.
    #[serde(skip)]
    pub index: Index,
}

impl Plan {
    /// A plan of these phases and services, and nothing else.
    pub fn of(
        name: PlanName,
        namespace: String,
        phases: BTreeMap<PhaseName, Phase>,
        services: BTreeMap<ServiceName, Service>,
    ) -> Self {
        Self {
            name,
            namespace,
            time_zone: None,
            deadline: None,
            connections: BTreeMap::new(),
            windows: BTreeMap::new(),
            freezes: BTreeMap::new(),
            limits: Limits::default(),
            rehearsal_within: None,
            roles: BTreeMap::new(),
            legacy_systems: BTreeMap::new(),
            phases,
            bridges: BTreeMap::new(),
            groups: BTreeMap::new(),
            services,
            index: Index::default(),
        }
    }

    /// The services that need `service` directly, and before them.
    pub fn dependents<'a>(&'a self, service: &ServiceName) -> impl Iterator<Item = &'a ServiceName> + use<'a> {
        self.index.of(self).dependents.get(service).into_iter().flatten()
    }

    /// The group that `service` is in, if it is in one.
    pub fn group_of(&self, service: &ServiceName) -> Option<(&GroupName, &Group)> {
        self.groups.get_key_value(self.index.of(self).groups.get(service)?)
    }

    /// The services of a phase, by name.
    pub fn members(&self, phase: &PhaseName) -> &[ServiceName] {
        self.index.of(self).members.get(phase).map_or(&[], Vec::as_slice)
    }

    /// The services that live on a legacy system, by name.
    pub fn tenants(&self, system: &SystemName) -> &[ServiceName] {
        self.index.of(self).tenants.get(system).map_or(&[], Vec::as_slice)
    }

    /// `service` and all that must go back when it does, by its own rollback scope, by needs and by groups.
    pub fn rollback_closure(&self, service: &ServiceName) -> BTreeSet<ServiceName> {
        let mut todo: Vec<&ServiceName> = match self.services.get_key_value(service) {
            None => Vec::new(),
            Some((name, own)) => match own.rollback_scope {
                RollbackScope::Run => self.services.keys().collect(),
                RollbackScope::Phase => self.members(&own.phase).iter().collect(),
                RollbackScope::Dependents => vec![name],
            },
        };
        let mut closure = BTreeSet::new();
        while let Some(next) = todo.pop() {
            if closure.insert(next.clone()) {
                todo.extend(self.dependents(next));
                todo.extend(self.group_of(next).into_iter().flat_map(|(_, group)| &group.services));
            }
        }
        closure
    }

    /// The phases that come before `phase`, and those before them.
    pub fn phases_before(&self, phase: &PhaseName) -> &BTreeSet<PhaseName> {
        static NONE: BTreeSet<PhaseName> = BTreeSet::new();
        self.index.of(self).before.get(phase).unwrap_or(&NONE)
    }
}

/// A phase.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Phase {
    /// The phases whose services have all been moved before one of this phase starts.
    pub after: BTreeMap<PhaseName, After>,
    /// The windows in which its services may shift; none: at any time.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub windows: BTreeSet<WindowName>,
    /// Who says that it may begin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<Approval>,
    /// What is done around it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tasks: BTreeMap<TaskName, PhaseTask>,
}

/// What must hold of a phase before the next begins, beyond that its services have been moved.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct After {
    /// For how long its services have been moved without a guard failing or a service going back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stable_for: Option<Span>,
    /// What must pass then.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub gates: BTreeMap<GateName, Gate>,
}

/// A service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Service {
    /// The phase it moves in.
    pub phase: PhaseName,
    /// The load it has; `None` if nobody said.
    pub load: Option<Load>,
    /// How much hangs on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<Tier>,
    /// The services that it needs, and in what way.
    pub needs: BTreeMap<ServiceName, Need>,
    /// Where it runs today.
    pub legacy: SideModel,
    /// Where it is to run.
    pub target: SideModel,
    /// What moves its traffic.
    pub router: Router,
    /// The weights on the way, rising to 100.
    pub steps: Vec<Weight>,
    /// How long a weight is watched once it is effective.
    pub bake: Span,
    /// The watch after the move.
    pub soak: Soak,
    /// What happens when a gate fails before the soak.
    pub on_failure: OnFailure,
    /// What goes back with it.
    pub rollback_scope: RollbackScope,
    /// Its synthetic transactions.
    pub probes: BTreeMap<ProbeName, Probe>,
    /// Its gates.
    pub gates: BTreeMap<GateName, Gate>,
    /// How long a connection to it may live: soak and drain outlast it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_connection_age: Option<Span>,
    /// Shadow traffic before the first shift.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mirror: Option<Mirror>,
    /// What warms the target before the first shift.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warm: Option<Act>,
    /// What is done around it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tasks: BTreeMap<TaskName, ServiceTask>,
    /// CronJobs of the legacy side: each is suspended before the shift, and runs on the right side after.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub cron: BTreeSet<String>,
    /// The weights on the way back, falling to 0.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rollback_steps: Vec<Weight>,
    /// How long open connections of legacy are waited for; `None`: until none is left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drain_deadline: Option<Span>,
    /// What the end of its legacy side takes; `None`: legacy stays, and the soak is the service's end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decommission: Option<Decommission>,
    /// How its single writer moves, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Box<Data>>,
}

/// In what way a service needs another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Need {
    /// The needed service carries all its traffic on target first, and goes back last.
    Before,
    /// Either side will do while this bridge stands.
    Across(BridgeName),
}

/// Shadow traffic: a copy of some requests goes to the target, and its answers are thrown away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Mirror {
    /// The share that is copied.
    pub percent: Weight,
    /// For how long.
    pub length: Span,
    /// Which requests are copied.
    #[serde(default, skip_serializing_if = "is_default")]
    pub methods: MirrorMethods,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// What the end of a legacy side takes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Decommission {
    /// Who says that it may end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<Approval>,
    /// For how long the old address is denied first, to see whether anybody misses it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scream_test: Option<Span>,
}

impl Service {
    /// A service with nothing but these: no needs, probes, gates or tasks, one shift of everything, a soak of no length.
    pub fn plain(phase: PhaseName, legacy: SideModel, target: SideModel, router: Router) -> Self {
        Self {
            phase,
            load: None,
            tier: None,
            needs: BTreeMap::new(),
            legacy,
            target,
            router,
            steps: vec![Weight::FULL],
            bake: Span::ZERO,
            soak: Soak { length: Span::ZERO, guard_for: Span::ZERO, on_failure: OnFailure::Rollback },
            on_failure: OnFailure::Rollback,
            rollback_scope: RollbackScope::Dependents,
            probes: BTreeMap::new(),
            gates: BTreeMap::new(),
            max_connection_age: None,
            mirror: None,
            warm: None,
            tasks: BTreeMap::new(),
            cron: BTreeSet::new(),
            rollback_steps: Vec::new(),
            drain_deadline: None,
            decommission: None,
            data: None,
        }
    }
    /// The services that carry all their traffic on target before it starts, and go back after it.
    pub fn before(&self) -> impl Iterator<Item = &ServiceName> {
        self.needs.iter().filter(|(_, need)| **need == Need::Before).map(|(name, _)| name)
    }
    /// Whether it needs `other` before it.
    pub fn is_after(&self, other: &ServiceName) -> bool {
        self.needs.get(other) == Some(&Need::Before)
    }
    /// The bridges it counts on by its needs.
    pub fn bridges(&self) -> impl Iterator<Item = &BridgeName> {
        self.needs.values().filter_map(|need| match need {
            Need::Across(bridge) => Some(bridge),
            Need::Before => None,
        })
    }
    /// The description of one side.
    pub fn side(&self, side: Side) -> &SideModel {
        match side {
            Side::Legacy => &self.legacy,
            Side::Target => &self.target,
        }
    }
    /// So many rounds in a row without any healthy endpoint make a side dead: the smallest `failures` of its gates.
    pub fn failures(&self) -> u32 {
        self.gates.values().map(|g| g.failures).min().unwrap_or(DEFAULT_FAILURES)
    }
}

/// The `failures` of a gate that names none.
pub const DEFAULT_FAILURES: u32 = 3;

/// Load.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Load {
    /// The highest rate.
    pub peak: Rate,
    /// What a side must stand beyond its share of it, in percent.
    pub headroom_percent: u16,
}

/// One side of a service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SideModel {
    /// Where it is.
    pub at: Place,
    /// What one healthy endpoint carries; `None`: one healthy endpoint is taken to be enough.
    pub per_endpoint: Option<Rate>,
    /// The legacy system it lives on; only of a legacy side.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<SystemName>,
    /// What runs its pods, where it is a Kubernetes Service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workload: Option<Workload>,
}

impl SideModel {
    /// A side at this place, of which nothing else is known.
    pub fn at(at: Place) -> Self {
        Self { at, per_endpoint: None, system: None, workload: None }
    }
}

/// Where a side is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Place {
    /// Plain hosts.
    Endpoints(BTreeSet<EndpointSpec>),
    /// A Kubernetes Service.
    Service(ServiceRef),
}

/// What moves traffic.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Router {
    /// A rule of an `HTTPRoute`: its name, and the rule's name if it is not the only one.
    #[serde(rename_all = "camelCase")]
    HttpRoute {
        /// The route's name.
        name: String,
        /// The rule's name; `None`: the route has one rule only.
        section_name: Option<String>,
    },
    /// A router behind HTTP.
    #[serde(rename_all = "camelCase")]
    Webhook {
        /// The route's address.
        url: String,
        /// The environment variable with the signing key.
        key_from_env: Option<String>,
    },
    /// A rule of a `GRPCRoute`.
    GrpcRoute(RouteRef),
    /// A rule of a `TLSRoute`.
    TlsRoute(RouteRef),
    /// A rule of a `TCPRoute`.
    TcpRoute(RouteRef),
    /// A backend of HAProxy with servers for both sides.
    #[serde(rename_all = "camelCase")]
    Haproxy {
        /// Its Runtime API.
        connection: ConnectionName,
        /// The backend that lists the servers of both sides.
        backend: String,
    },
    /// A record set.
    Dns(DnsRoute),
    /// The slices of one Service, by name: weight is a count of endpoints.
    EndpointSlice(String),
}

/// A route of the Gateway API other than an `HTTPRoute`, and one rule of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RouteRef {
    /// The route's name.
    pub name: String,
    /// The rule's name; `None`: the route has one rule only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub section_name: Option<String>,
}
impl fmt::Display for RouteRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.section_name {
            Some(rule) => write!(f, "{}, rule {rule}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

impl fmt::Display for Router {
    /// The route's identity: two services or two runs with the same text drive the same route.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HttpRoute { name, section_name: Some(rule) } => write!(f, "HTTPRoute {name}, rule {rule}"),
            Self::HttpRoute { name, section_name: None } => write!(f, "HTTPRoute {name}"),
            Self::Webhook { url, .. } => write!(f, "webhook {url}"),
            Self::GrpcRoute(route) => write!(f, "GRPCRoute {route}"),
            Self::TlsRoute(route) => write!(f, "TLSRoute {route}"),
            Self::TcpRoute(route) => write!(f, "TCPRoute {route}"),
            Self::Haproxy { connection, backend } => write!(f, "HAProxy {connection}, backend {backend}"),
            Self::Dns(dns) => write!(f, "DNS {} {}", dns.kind, dns.name),
            Self::EndpointSlice(service) => write!(f, "EndpointSlices of {service}"),
        }
    }
}

/// The watch after the move.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Soak {
    /// Its length.
    pub length: Span,
    /// For how long a guard fails without a break before it acts.
    pub guard_for: Span,
    /// What it does.
    pub on_failure: OnFailure,
}

/// A synthetic transaction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Probe {
    /// How often it is sent to each endpoint.
    pub every: Span,
    /// How long it may take.
    pub timeout: Span,
    /// What is sent.
    pub send: HttpSend,
}

/// An HTTP request and the answer that counts as good.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HttpSend {
    /// The method.
    pub method: HttpMethod,
    /// Path and query.
    pub path: String,
    /// The `Host` header, if not the endpoint's address.
    pub host: Option<String>,
    /// The body.
    pub body: Option<String>,
    /// Status codes that are good.
    pub status: BTreeSet<u16>,
    /// A text that the body contains.
    pub body_contains: Option<String>,
}

/// A gate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Gate {
    /// How often it is looked at.
    pub every: Span,
    /// How long one look may take.
    pub timeout: Span,
    /// What is looked at.
    pub check: Check,
    /// So many good rounds after a weight became effective.
    pub successes: u32,
    /// So many bad rounds of a thousand may lie among them.
    pub max_failures_per_mille: u16,
    /// So many bad rounds in a row are a failure.
    pub failures: u32,
    /// Without an answer for so long, `on_unknown` acts.
    pub unknown_limit: Span,
    /// What happens then.
    pub on_unknown: OnFailure,
    /// Whether it is watched all the time, or only before a confirmation.
    pub watch: Watch,
}

/// When a gate is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Watch {
    /// All the time from the first shift to the end of the soak: the gate is a guard.
    Guard,
    /// Only before a weight is confirmed.
    Confirmation,
}

/// What a gate looks at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Check {
    /// A probe's answers on the target side.
    Probe(ProbeName),
    /// An address that speaks for the service's health.
    Http(String),
    /// A query whose value must lie within bounds.
    #[serde(rename_all = "camelCase")]
    Prometheus {
        /// Where.
        connection: ConnectionName,
        /// The query, in PromQL, with its variables.
        query: String,
        /// What `$(window)` stands for: the stretch of time that a value speaks for. It lies wholly after what is judged.
        window: Span,
        /// The smallest good value.
        min: Option<Number>,
        /// The largest good value.
        max: Option<Number>,
    },
}

/// A finite number as people wrote it, compared by value and written without loss.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Number(pub f64);
