//! The checked plan: every default filled in, every reference known to exist, every order fixed.
//!
//! A [`Plan`] is only made by [`super::check`], so whoever holds one may rely on: each need, phase and probe that is
//! named exists; neither needs nor phases have a cycle; shift steps rise and end at 100; every gate refers to a probe of
//! its own service. Everything is kept in sorted maps, so that the order of the file never decides anything.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use serde::{Deserialize, Serialize};

use super::{
    names::{GateName, PhaseName, PlanName, ProbeName, Rate, ServiceName, Side, Span, Weight},
    spec::{EndpointSpec, HttpMethod, OnFailure, RollbackScope, ServiceRef},
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
    pub fn of(plan: Plan) -> Self {
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

/// `value` as compact JSON with the keys of every object in order: the same text for the same meaning.
pub fn canonical<T: Serialize>(value: &T) -> String {
    fn sort(value: serde_json::Value) -> serde_json::Value {
        match value {
            serde_json::Value::Object(map) => {
                let sorted: BTreeMap<_, _> = map.into_iter().map(|(k, v)| (k, sort(v))).collect();
                serde_json::Value::Object(sorted.into_iter().collect())
            }
            serde_json::Value::Array(items) => items.into_iter().map(sort).collect(),
            other => other,
        }
    }
    // Our own types have string keys only and no failing serialisers; a null would still be canonical.
    sort(serde_json::to_value(value).unwrap_or_default()).to_string()
}

/// A checked plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Plan {
    /// Its name.
    pub name: PlanName,
    /// The namespace of its routes and Services.
    pub namespace: String,
    /// Its phases.
    pub phases: BTreeMap<PhaseName, Phase>,
    /// Its services.
    pub services: BTreeMap<ServiceName, Service>,
}

impl Plan {
    /// The services that need `service` directly.
    pub fn dependents<'a>(&'a self, service: &'a ServiceName) -> impl Iterator<Item = &'a ServiceName> {
        self.services.iter().filter(move |(_, s)| s.needs.contains(service)).map(|(name, _)| name)
    }

    /// `service` and all that must go back when it does, by its own rollback scope and by needs.
    pub fn rollback_closure(&self, service: &ServiceName) -> BTreeSet<ServiceName> {
        let mut todo: Vec<&ServiceName> = match self.services.get(service).map(|s| (s.rollback_scope, &s.phase)) {
            None => Vec::new(),
            Some((RollbackScope::Run, _)) => self.services.keys().collect(),
            Some((RollbackScope::Phase, phase)) => {
                self.services.iter().filter(|(_, s)| s.phase == *phase).map(|(n, _)| n).collect()
            }
            Some((RollbackScope::Dependents, _)) => vec![service],
        };
        let mut closure = BTreeSet::new();
        while let Some(next) = todo.pop() {
            if closure.insert(next.clone()) {
                todo.extend(self.dependents(next));
            }
        }
        closure
    }

    /// The phases that come before `phase`, and those before them.
    pub fn phases_before(&self, phase: &PhaseName) -> BTreeSet<&PhaseName> {
        let mut todo: Vec<&PhaseName> = self.phases.get(phase).into_iter().flat_map(|p| &p.after).collect();
        let mut before = BTreeSet::new();
        while let Some(next) = todo.pop() {
            if before.insert(next) {
                todo.extend(self.phases.get(next).into_iter().flat_map(|p| &p.after));
            }
        }
        before
    }
}

/// A phase.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Phase {
    /// The phases whose services have all been moved before one of this phase starts.
    pub after: BTreeSet<PhaseName>,
}

/// A service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Service {
    /// The phase it moves in.
    pub phase: PhaseName,
    /// The load it has; `None` if nobody said.
    pub load: Option<Load>,
    /// The services that are on target before it starts, and go back after it.
    pub needs: BTreeSet<ServiceName>,
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
}

impl Service {
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
}

impl fmt::Display for Router {
    /// The route's identity: two services or two runs with the same text drive the same route.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HttpRoute { name, section_name: Some(rule) } => write!(f, "HTTPRoute {name}, rule {rule}"),
            Self::HttpRoute { name, section_name: None } => write!(f, "HTTPRoute {name}"),
            Self::Webhook { url, .. } => write!(f, "webhook {url}"),
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
}
