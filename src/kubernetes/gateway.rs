//! Where a route's real answers can be asked for: its Gateway's address, and a request that its rule matches.
//!
//! Pure. *Assumptions*: the request is safe (`GET`, `HEAD` or `OPTIONS`, RFC 9110 section 9.2.1), so asking changes nothing.
//! The path of one of the service's own probes is taken if the rule matches it, for such a path is made to be asked;
//! else the path of the rule's first match.
//! *Caveats*: a rule that matches only by regular expressions, or only unsafe methods, cannot be asked, and neither can a
//! Gateway with HTTPS listeners only: this version speaks plain HTTP. Such a service is not begun.

use std::collections::BTreeMap;

use hyper::Method;
use serde_json::Value;

use super::route::{Misfit, Rule, list, text};
use crate::{adapters::effective::Question, plan::Service};

/// A Gateway that a route names as a parent.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct GatewayName {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// One parent reference of a route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parent {
    /// The Gateway.
    pub gateway: GatewayName,
    /// One of its listeners by name; `None`: any.
    pub listener: Option<String>,
    /// One of its listeners by port; `None`: any.
    pub port: Option<u64>,
}

/// The Gateways that a route hangs on.
pub fn parents(route: &Value) -> Vec<Parent> {
    let own = route.pointer("/metadata/namespace").and_then(Value::as_str).unwrap_or_default();
    let wanted = route.pointer("/spec/parentRefs").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let gateways = wanted.iter().filter(|parent| text(parent, "kind").unwrap_or("Gateway") == "Gateway");
    gateways
        .map(|parent| Parent {
            gateway: GatewayName {
                namespace: text(parent, "namespace").unwrap_or(own).to_owned(),
                name: text(parent, "name").unwrap_or_default().to_owned(),
            },
            listener: text(parent, "sectionName").map(Into::into),
            port: parent.get("port").and_then(Value::as_u64),
        })
        .collect()
}

/// Where and what to ask for a rule: each Gateway once, through the first listener by which it can be. `gateway` gives a Gateway
/// as it was last seen, or why it was not.
///
/// # Errors
/// The route has no Gateway as a parent, or one of them cannot be asked.
pub fn questions<'g>(
    route: &Value,
    rule: &Rule<'_>,
    service: &Service,
    gateway: impl Fn(&GatewayName) -> Result<&'g Value, Misfit>,
) -> Result<Vec<Question>, Misfit> {
    let mut answers: BTreeMap<GatewayName, Result<Question, Misfit>> = BTreeMap::new();
    for parent in parents(route) {
        let known = answers.get(&parent.gateway).is_some_and(Result::is_ok);
        if !known {
            let answer = gateway(&parent.gateway).and_then(|gateway| question(route, rule, &parent, gateway, service));
            answers.insert(parent.gateway, answer);
        }
    }
    match answers.is_empty() {
        true => Err(Misfit("the route has no Gateway as a parent".into())),
        false => answers.into_values().collect(),
    }
}

/// What to ask, and where, for a rule of a route behind this Gateway.
///
/// # Errors
/// There is no address, no plain HTTP listener, or no request that the rule matches and that is safe.
pub fn question(route: &Value, rule: &Rule<'_>, parent: &Parent, gateway: &Value, service: &Service) -> Result<Question, Misfit> {
    let name = format!("Gateway {}/{}", parent.gateway.namespace, parent.gateway.name);
    let addresses = gateway.pointer("/status/addresses").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let address = addresses.iter().find_map(|address| text(address, "value"));
    let address = address.ok_or_else(|| Misfit(format!("{name} has no address yet")))?;
    let listener = listener(gateway, parent).ok_or_else(|| {
        Misfit(format!("{name} has no plain HTTP listener for this route, and this version asks through plain HTTP only"))
    })?;
    let port = listener.get("port").and_then(Value::as_u64).unwrap_or(80);
    let bracketed = if address.contains(':') { format!("[{address}]") } else { address.to_owned() };
    let (method, path, headers) = request(rule, service)?;
    let url = format!("http://{bracketed}:{port}{path}");
    let address = url.parse().map_err(|error| Misfit(format!("{name}: {error}")))?;
    Ok(Question { address, host: host(route, listener), headers, method })
}

fn listener<'a>(gateway: &'a Value, parent: &Parent) -> Option<&'a Value> {
    let all = gateway.pointer("/spec/listeners").and_then(Value::as_array)?;
    all.iter().find(|listener| {
        text(listener, "protocol") == Some("HTTP")
            && parent.listener.as_deref().is_none_or(|name| text(listener, "name") == Some(name))
            && parent.port.is_none_or(|port| listener.get("port").and_then(Value::as_u64) == Some(port))
    })
}

/// A host that route and listener both take; `None`: any will do.
fn host(route: &Value, listener: &Value) -> Option<String> {
    let of_route = route.pointer("/spec/hostnames").and_then(Value::as_array).and_then(|all| all.first()).and_then(Value::as_str);
    let concrete = |pattern: &str| pattern.strip_prefix("*.").map_or(pattern.to_owned(), |domain| format!("gapless.{domain}"));
    match (of_route, text(listener, "hostname")) {
        (Some(route), Some(listener)) if route.starts_with("*.") && !listener.starts_with("*.") => Some(listener.to_owned()),
        (Some(route), _) => Some(concrete(route)),
        (None, Some(listener)) => Some(concrete(listener)),
        (None, None) => None,
    }
}

type Shape = (Method, String, Vec<(String, String)>);

/// The first request that one of the rule's matches lets through.
fn request(rule: &Rule<'_>, service: &Service) -> Result<Shape, Misfit> {
    let matches = list(rule.value, "matches");
    let probes: Vec<&str> = service.probes.values().map(|probe| probe.send.path.as_str()).collect();
    if matches.is_empty() {
        let path = probes.first().copied().unwrap_or("/");
        return Ok((Method::GET, path.to_owned(), Vec::new()));
    }
    matches.iter().find_map(|one| through(one, &probes)).ok_or_else(|| {
        Misfit("its rule matches nothing that can be asked safely: a GET, HEAD or OPTIONS by exact or prefix path".into())
    })
}

fn through(one: &Value, probes: &[&str]) -> Option<Shape> {
    let method = match text(one, "method") {
        None | Some("GET") => Method::GET,
        Some("HEAD") => Method::HEAD,
        Some("OPTIONS") => Method::OPTIONS,
        Some(_) => return None,
    };
    let (kind, path) = match one.get("path") {
        None => ("PathPrefix", "/"),
        Some(path) => (text(path, "type").unwrap_or("PathPrefix"), text(path, "value").unwrap_or("/")),
    };
    let mut path = match kind {
        "Exact" => path.to_owned(),
        "PathPrefix" => probes.iter().find(|probe| is_under(probe, path)).map_or(path, |probe| *probe).to_owned(),
        _ => return None,
    };
    let exact = |key: &str| -> Option<Vec<(String, String)>> {
        let entries = list(one, key).iter().map(|entry| match text(entry, "type").unwrap_or("Exact") {
            "Exact" => text(entry, "name").zip(text(entry, "value")).map(|(n, v)| (n.to_owned(), v.to_owned())),
            _ => None,
        });
        entries.collect()
    };
    for (name, value) in exact("queryParams")? {
        path.push(if path.contains('?') { '&' } else { '?' });
        path.push_str(&format!("{}={}", encoded(&name), encoded(&value)));
    }
    Some((method, path, exact("headers")?))
}

/// Whether a path lies under a prefix, element by element (Gateway API: `/ab` is not under `/a`).
fn is_under(path: &str, prefix: &str) -> bool {
    let path = path.split(['?', '#']).next().unwrap_or(path);
    let prefix = prefix.trim_end_matches('/');
    path == prefix || path.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('/'))
}

/// RFC 3986's unreserved characters as they are, all others percent-encoded.
fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}
