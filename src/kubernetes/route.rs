//! Reading an `HTTPRoute`: the rule a service is moved by, its weights, its mark, whose it is, and what its status says.
//!
//! Pure: everything here looks at the object as the API server gave it and judges nothing. Whatever this module does not
//! name, it does not look at, so that foreign rules, backends and filters can be of any kind.
//!
#![doc = include_str!("../../docs/design/route.md")]

use std::fmt;

use serde_json::Value;

use crate::{
    adapters::effective::MARK,
    engine::{Accepted, Owner, Programmed, RunId},
    plan::{Place, Service, ServiceName, Side, Weight},
};

/// The annotation with the uid of the run that drives a route.
pub const OWNER: &str = "gapless.dev/owner";
/// The annotation with that run's `namespace/name`, for people.
pub const OWNER_NAME: &str = "gapless.dev/owner-name";

/// Why a route cannot be read or changed as the plan wants. A complete sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit(pub String);
impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A Service that a rule names as a backend, in the route's own namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackendName {
    /// The Service's name.
    pub name: String,
    /// Its port.
    pub port: u16,
}
impl fmt::Display for BackendName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.name, self.port)
    }
}

impl BackendName {
    /// The Service by which a side is known to the router: the plan's own, or for plain hosts `<service>-<side>` with the
    /// port of the hosts (the smallest, where they differ; a Service maps it to each host's own).
    pub fn of(name: &ServiceName, service: &Service, side: Side) -> Self {
        match &service.side(side).at {
            Place::Service(of) => Self { name: of.name.clone(), port: of.port },
            Place::Endpoints(hosts) => {
                Self { name: format!("{name}-{side}"), port: hosts.iter().map(|host| host.port).min().unwrap_or_default() }
            }
        }
    }
}

/// What a service's rule is found by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleName {
    /// The rule's name; `None`: the route's only rule.
    pub section: Option<String>,
    /// The backend that stands for the legacy side.
    pub legacy: BackendName,
    /// The backend that stands for the target side.
    pub target: BackendName,
}

/// A rule that was found in a route, with the places of both backends.
#[derive(Debug, Clone, Copy)]
pub struct Rule<'a> {
    /// The rule.
    pub value: &'a Value,
    /// Its index.
    pub index: usize,
    /// The index of the legacy backend.
    pub legacy: usize,
    /// The index of the target backend.
    pub target: usize,
}

/// The list at `key`, or nothing.
pub(super) fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}
/// The text at `key`, or nothing.
pub(super) fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key).and_then(Value::as_str)
}

/// Finds the rule and both backends in it.
///
/// # Errors
/// No such rule, several candidates, or a backend that is missing or listed twice.
pub fn rule<'a>(route: &'a Value, name: &RuleName) -> Result<Rule<'a>, Misfit> {
    let rules = route.pointer("/spec/rules").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let (index, value) = match &name.section {
        Some(section) => rules
            .iter()
            .enumerate()
            .find(|(_, rule)| text(rule, "name") == Some(section))
            .ok_or_else(|| Misfit(format!("the route has no rule named {section}")))?,
        None => match rules {
            [only] => (0, only),
            [] => return Err(Misfit("the route has no rule".into())),
            _ => {
                return Err(Misfit(format!("the route has {} rules; name the one to be driven in `sectionName`", rules.len())));
            }
        },
    };
    let legacy = backend(value, &name.legacy)?;
    let target = backend(value, &name.target)?;
    if legacy == target {
        return Err(Misfit(format!("both sides are the same backend {}", name.legacy)));
    }
    Ok(Rule { value, index, legacy, target })
}

fn backend(rule: &Value, wanted: &BackendName) -> Result<usize, Misfit> {
    let is = |found: &Value| {
        text(found, "name") == Some(&wanted.name)
            && found.get("port").and_then(Value::as_u64) == Some(u64::from(wanted.port))
            && text(found, "kind").unwrap_or("Service") == "Service"
            && text(found, "group").unwrap_or_default().is_empty()
            && found.get("namespace").is_none_or(Value::is_null)
    };
    let mut places = list(rule, "backendRefs").iter().enumerate().filter(|(_, found)| is(found)).map(|(at, _)| at);
    match (places.next(), places.next()) {
        (Some(at), None) => Ok(at),
        (None, _) => Err(Misfit(format!("the rule does not list the backend {wanted}"))),
        (Some(_), Some(_)) => Err(Misfit(format!("the rule lists the backend {wanted} twice"))),
    }
}

/// The weight of a backend; Gateway API's default is 1.
fn weight(backend: &Value) -> u64 {
    backend.get("weight").and_then(Value::as_u64).unwrap_or(1)
}

impl<'a> Rule<'a> {
    /// Its backends.
    pub fn backends(&self) -> &'a [Value] {
        list(self.value, "backendRefs")
    }

    /// The weights it gives both sides, if those are whole percentages and nobody else has any.
    pub fn accepted(&self) -> Accepted {
        let at = |index: usize| self.backends().get(index).map_or(0, weight);
        let (legacy, target) = (at(self.legacy), at(self.target));
        let sum = legacy.saturating_add(target);
        let foreign = self
            .backends()
            .iter()
            .enumerate()
            .find(|(index, found)| *index != self.legacy && *index != self.target && weight(found) > 0);
        if let Some((_, other)) = foreign {
            let name = text(other, "name").unwrap_or("(unnamed)");
            return Accepted::Other(format!("backend {name} has weight {} in the same rule", weight(other)));
        }
        let whole = target.checked_mul(100).filter(|scaled| sum > 0 && scaled.is_multiple_of(sum)).map(|scaled| scaled / sum);
        match whole.and_then(|percent| Weight::new(percent).ok()) {
            Some(percent) => Accepted::Split(percent),
            None if sum == 0 => Accepted::Other("both weights are 0".into()),
            None => Accepted::Other(format!("weights {legacy} to legacy and {target} to target")),
        }
    }

    /// The mark that its answers bear, if it has one.
    pub fn mark(&self) -> Option<&'a str> {
        let modifier = list(self.value, "filters").iter().find_map(|filter| filter.get("responseHeaderModifier"))?;
        let entry = list(modifier, "set").iter().find(|entry| is_mark(entry))?;
        text(entry, "value")
    }
}

/// Whether an entry of a header list is ours. Header names are compared without case (RFC 9110, section 5.1).
pub(super) fn is_mark(entry: &Value) -> bool {
    text(entry, "name").is_some_and(|name| name.eq_ignore_ascii_case(MARK))
}

/// The run that drives a route, by its annotations.
pub fn owner(route: &Value) -> Option<Owner> {
    let annotations = route.pointer("/metadata/annotations")?;
    let run = text(annotations, OWNER).filter(|run| !run.is_empty())?;
    Some(Owner { run: RunId(run.to_owned()), name: text(annotations, OWNER_NAME).unwrap_or("a run without a name").to_owned() })
}

/// What the status says of the route's present generation: every parent must have taken it over.
///
/// A condition counts only with the generation that it speaks of (Gateway API: `observedGeneration`). Traps that are real:
/// a parent without any status yet is *pending*; `PartiallyInvalid` with a message that begins with `Fall Back` means that
/// older rules stay in force although `Accepted` is true.
pub fn programmed(route: &Value) -> Programmed {
    let generation = route.pointer("/metadata/generation").and_then(Value::as_i64).unwrap_or_default();
    let namespace = route.pointer("/metadata/namespace").and_then(Value::as_str).unwrap_or_default();
    let wanted = route.pointer("/spec/parentRefs").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let told = route.pointer("/status/parents").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let mut whole = if wanted.is_empty() { Programmed::Refused("the route has no parent".into()) } else { Programmed::Yes };
    for parent in wanted {
        let same = |entry: &&Value| entry.get("parentRef").is_some_and(|of| same_parent(of, parent, namespace));
        let mut said = told.iter().filter(same).map(|entry| parent_says(entry, generation)).peekable();
        if said.peek().is_none() {
            whole = worse(whole, Programmed::Pending);
        }
        whole = said.fold(whole, worse);
    }
    whole
}

fn worse(one: Programmed, other: Programmed) -> Programmed {
    let rank = |p: &Programmed| match p {
        Programmed::Refused(_) => 0,
        Programmed::Pending => 1,
        Programmed::Untold => 2,
        Programmed::Yes => 3,
    };
    if rank(&other) < rank(&one) { other } else { one }
}

/// Two references to the same parent; the defaults of Gateway API filled in.
fn same_parent(one: &Value, other: &Value, namespace: &str) -> bool {
    let key = |parent: &Value| {
        (
            text(parent, "group").unwrap_or("gateway.networking.k8s.io").to_owned(),
            text(parent, "kind").unwrap_or("Gateway").to_owned(),
            text(parent, "namespace").unwrap_or(namespace).to_owned(),
            text(parent, "name").unwrap_or_default().to_owned(),
            text(parent, "sectionName").unwrap_or_default().to_owned(),
            parent.get("port").and_then(Value::as_u64),
        )
    };
    key(one) == key(other)
}

fn parent_says(entry: &Value, generation: i64) -> Programmed {
    let condition = |kind: &str| list(entry, "conditions").iter().find(|c| text(c, "type") == Some(kind));
    let current = |c: &&Value| c.get("observedGeneration").and_then(Value::as_i64) == Some(generation);
    let sentence = |c: &Value| {
        let (reason, message) = (text(c, "reason").unwrap_or("NoReason"), text(c, "message").unwrap_or_default());
        Programmed::Refused(format!("{reason}: {message}"))
    };
    if let Some(invalid) = condition("PartiallyInvalid").filter(current).filter(|c| text(c, "status") == Some("True")) {
        return sentence(invalid);
    }
    for kind in ["Accepted", "ResolvedRefs"] {
        let Some(found) = condition(kind).filter(current) else { return Programmed::Pending };
        match (text(found, "status"), text(found, "reason")) {
            (Some("True"), _) => {}
            (Some("False"), reason) if reason != Some("Pending") => return sentence(found),
            _ => return Programmed::Pending,
        }
    }
    Programmed::Yes
}
