//! Sides, routers and weights: whether traffic can be moved as the plan says.

use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
};

use super::{
    Notes, One,
    texts::{self, Scope},
    url,
};
use crate::plan::{
    finding::{Code, Finding},
    names::{Side, Span, Weight},
    path::Path,
    spec::{DnsSpec, EndpointSpec, RouteSpec, RouterSpec, SideSpec},
    variables,
};

/// Judges the traffic of one service.
pub(super) fn check(service: &One<'_>, notes: &mut Notes) {
    for side in Side::BOTH {
        check_side(service, side, notes);
        check_capacity(service, side, notes);
    }
    check_same_sides(service, notes);
    check_steps(service, notes);
    check_router(service, notes);
}

/// Judges what services have in common that they must not, or had better not.
pub(super) fn check_between(services: &[One<'_>], notes: &mut Notes) {
    check_routers_shared(services, notes);
    check_hosts_shared(services, notes);
}

impl One<'_> {
    fn side(&self, side: Side) -> (&SideSpec, Path) {
        match side {
            Side::Legacy => (&self.spec.legacy, self.path.key("legacy")),
            Side::Target => (&self.spec.target, self.path.key("target")),
        }
    }
    /// The endpoints of a side that have an address, with their places.
    fn sockets(&self, side: Side) -> impl Iterator<Item = (SocketAddr, Path)> {
        let (spec, path) = self.side(side);
        let path = path.key("endpoints");
        let socket = |spec: &EndpointSpec| Some(SocketAddr::new(address(&spec.address)?, spec.port));
        spec.endpoints.iter().enumerate().filter_map(move |(i, spec)| Some((socket(spec)?, path.index(i))))
    }
}

/// An address in its one canonical form, so that two ways of writing it are the same host.
pub(super) fn address(text: &str) -> Option<IpAddr> {
    text.parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

fn check_side(service: &One<'_>, side: Side, notes: &mut Notes) {
    let (spec, path) = service.side(side);
    match (spec.endpoints.is_empty(), &spec.service) {
        (true, None) => {
            let message = format!("the {side} side of `{}` says neither `endpoints` nor `service`", service.label);
            let help =
                "give plain hosts as `endpoints: [{ address, port }]`, or a Kubernetes Service as `service: { name, port }`";
            let rests = [path.key("endpoints"), path.key("service")];
            notes.add_resting_on(Finding::error(Code::MissingField, path.clone(), message, help).at_key(), &rests);
        }
        (false, Some(_)) => {
            let message = format!("the {side} side of `{}` says both `endpoints` and `service`", service.label);
            notes.add(Finding::error(Code::BadValue, path.key("service"), message, "keep the one that traffic goes to").at_key());
        }
        _ => {}
    }
    if let Some(reference) = &spec.service
        && reference.name.parse::<crate::plan::ServiceName>().is_err()
    {
        let help = "a Service's name is a DNS label: lower-case letters, digits and `-`, at most 63";
        let path = path.key("service").key("name");
        notes.add(Finding::error(Code::BadValue, path, format!("`{}` is not a Service's name", reference.name), help));
    }
    if spec.system.is_some() && side == Side::Target {
        let message =
            format!("`system` is the legacy system that a legacy side lives on, and this is the target of `{}`", service.label);
        notes.add(Finding::error(Code::BadValue, path.key("system"), message, "remove it here").at_key());
    }
    if spec.workload.is_some() && spec.service.is_none() {
        let message = format!("the {side} side of `{}` has a `workload` and no `service` in front of it", service.label);
        let finding =
            Finding::error(Code::BadValue, path.key("workload"), message, "give the Service as well, or remove it").at_key();
        notes.add_resting_on(finding, &[path.key("service")]);
    }
    for (index, endpoint) in spec.endpoints.iter().enumerate() {
        check_address(service, endpoint, path.key("endpoints").index(index).key("address"), notes);
    }
    let mut seen: BTreeMap<SocketAddr, Path> = BTreeMap::new();
    for (socket, place) in service.sockets(side) {
        if let Some(first) = seen.get(&socket) {
            let message = format!("{socket} stands twice on the {side} side of `{}`", service.label);
            let finding = Finding::error(Code::DuplicateHost, place, message, "remove one: its capacity would be counted twice");
            notes.add(finding.with(first.clone(), "first here"));
        } else {
            seen.insert(socket, place);
        }
    }
}

fn check_address(service: &One<'_>, endpoint: &EndpointSpec, path: Path, notes: &mut Notes) {
    let text = &endpoint.address;
    let problem = match address(text) {
        None => {
            Some((format!("`{text}` is not an IP address"), "write the address itself: a name could be moved by others, unseen"))
        }
        Some(ip) if ip.is_unspecified() || ip.is_multicast() || ip == IpAddr::V4(std::net::Ipv4Addr::BROADCAST) => {
            Some((format!("{ip} is no host's address"), "write the address that the host answers on"))
        }
        // The API server refuses both in an EndpointSlice (validation of `endpoints[].addresses`).
        Some(ip) if in_cluster(&service.spec.router) && unroutable(ip) => Some((
            format!("{ip} is a loopback or link-local address, which Kubernetes refuses behind a route"),
            "write an address that the cluster's gateway can reach",
        )),
        Some(_) => None,
    };
    if let Some((message, help)) = problem {
        notes.add(Finding::error(Code::BadValue, path, message, help));
    }
}

/// Whether the router's backends are EndpointSlices.
fn in_cluster(router: &RouterSpec) -> bool {
    match router {
        RouterSpec::HttpRoute(_)
        | RouterSpec::GrpcRoute(_)
        | RouterSpec::TlsRoute(_)
        | RouterSpec::TcpRoute(_)
        | RouterSpec::EndpointSlice(_) => true,
        RouterSpec::Haproxy(_) | RouterSpec::Dns(_) | RouterSpec::Webhook(_) => false,
    }
}

fn unroutable(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => v4.is_loopback() || v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unicast_link_local(),
    }
}

fn check_capacity(service: &One<'_>, side: Side, notes: &mut Notes) {
    let (spec, path) = service.side(side);
    let (Some(capacity), Some(load)) = (&spec.capacity, &service.spec.load) else { return };
    let hosts = spec.endpoints.len() as u64;
    if hosts == 0 {
        return; // how many pods a Service has is seen when it runs
    }
    let Some(peak) = load.peak else { return };
    let (each, peak) = (u64::from(capacity.per_endpoint.per_second()), u64::from(peak.per_second()));
    let headroom = u64::from(load.headroom_percent.unwrap_or(super::fill::HEADROOM_PERCENT));
    let wanted = (peak * (100 + headroom)).div_ceil(100);
    if hosts * each < wanted {
        let message = format!(
            "the {side} side of `{}` carries {}/s ({hosts} × {each}/s), and the peak with {headroom} % of headroom is {wanted}/s",
            service.label,
            hosts * each
        );
        let help = match side {
            Side::Target => "it would never get all the traffic: add endpoints, or correct the figures by measuring",
            Side::Legacy => "there would be no way back to it: add endpoints, or correct the figures by measuring",
        };
        let rests = [path.key("endpoints"), service.path.key("load")];
        let finding = Finding::error(Code::CapacityShort, path.key("capacity"), message, help);
        notes.add_resting_on(finding.with(service.path.key("load"), "the peak"), &rests);
    }
}

fn check_same_sides(service: &One<'_>, notes: &mut Notes) {
    let legacy: BTreeMap<SocketAddr, Path> = service.sockets(Side::Legacy).collect();
    for (socket, place) in service.sockets(Side::Target) {
        if let Some(first) = legacy.get(&socket) {
            let message = format!("{socket} is on both sides of `{}`", service.label);
            let finding = Finding::error(Code::SameSides, place, message, "correct one of the two sides");
            notes.add(finding.with(first.clone(), "on the legacy side here"));
        }
    }
    if let (Some(legacy), Some(target)) = (&service.spec.legacy.service, &service.spec.target.service)
        && legacy == target
    {
        let message = format!("both sides of `{}` are port {} of Service `{}`", service.label, target.port, target.name);
        let finding =
            Finding::error(Code::SameSides, service.path.key("target").key("service"), message, "correct one of the two sides");
        notes.add(finding.with(service.path.key("legacy").key("service"), "the legacy side"));
    }
}

fn check_steps(service: &One<'_>, notes: &mut Notes) {
    let Some(steps) = service.spec.shift.as_ref().and_then(|shift| shift.steps.as_ref()).filter(|steps| !steps.is_empty()) else {
        return;
    };
    let path = service.path.key("shift").key("steps");
    if steps.iter().all(|step| *step == Weight::ZERO) {
        let message = format!("all steps of `{}` are 0, so nothing would move", service.label);
        return notes.add(Finding::error(Code::AllZero, path, message, "steps rise and end at 100, such as [1, 5, 25, 50, 100]"));
    }
    let mut before = Weight::ZERO;
    for (index, step) in steps.iter().enumerate() {
        if *step <= before {
            let message = if index == 0 {
                "a step to 0 % moves nothing".to_owned()
            } else {
                format!("the step to {step} follows {before}, and steps rise")
            };
            notes.add(Finding::error(
                Code::BadValue,
                path.index(index),
                message,
                "give rising steps, such as [1, 5, 25, 50, 100]",
            ));
        }
        before = *step;
    }
    if before != Weight::FULL {
        let message = format!(
            "the last step of `{}` is {before}, so legacy would keep {} % for ever",
            service.label,
            before.of(Side::Legacy)
        );
        notes.add(Finding::error(Code::BadValue, path.index(steps.len() - 1), message, "end with 100"));
    }
}

fn check_router(service: &One<'_>, notes: &mut Notes) {
    let path = service.path.key("router");
    match &service.spec.router {
        RouterSpec::HttpRoute(route) => check_route(route, &path.key("httpRoute"), notes),
        RouterSpec::GrpcRoute(route) => check_route(route, &path.key("grpcRoute"), notes),
        RouterSpec::TlsRoute(route) => check_route(route, &path.key("tlsRoute"), notes),
        RouterSpec::TcpRoute(route) => check_route(route, &path.key("tcpRoute"), notes),
        RouterSpec::EndpointSlice(slice) => check_name(&slice.service, path.key("endpointSlice").key("service"), notes),
        RouterSpec::Haproxy(proxy) => {
            if !proxy.backend.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte)) {
                let help = "HAProxy's names have letters, digits, `-`, `_`, `.` and `:`";
                let message = format!("`{}` is not the name of a backend", proxy.backend.escape_debug());
                notes.add(Finding::error(Code::BadValue, path.key("haproxy").key("backend"), message, help));
            }
        }
        RouterSpec::Dns(dns) => check_dns(dns, &path.key("dns"), notes),
        RouterSpec::Webhook(hook) => {
            let path = path.key("webhook");
            check_url(&hook.url, Scope::SERVICE, &path.key("url"), notes);
            if let Some(variable) = hook.key_from_env.as_ref().filter(|name| !variable_name(name)) {
                let help = "name the variable that holds the key, such as ROUTER_KEY; the key itself is not written here";
                let message = format!("`{variable}` is not the name of an environment variable");
                notes.add(Finding::error(Code::BadValue, path.key("keyFromEnv"), message, help));
            }
        }
    }
}

fn check_route(route: &RouteSpec, path: &Path, notes: &mut Notes) {
    check_name(&route.name, path.key("name"), notes);
    if let Some(rule) = &route.section_name {
        check_name(rule, path.key("sectionName"), notes);
    }
}

fn check_name(name: &str, path: Path, notes: &mut Notes) {
    if !subdomain(name) {
        let help = "it has lower-case letters, digits, `-` and `.`, and begins and ends with a letter or digit";
        notes.add(Finding::error(Code::BadValue, path, format!("`{name}` is not a name in Kubernetes"), help));
    }
}

fn check_dns(dns: &DnsSpec, path: &Path, notes: &mut Notes) {
    for (field, name) in [("zone", &dns.zone), ("name", &dns.name)] {
        let labels = name.strip_suffix('.').unwrap_or_default();
        let label = |label: &str| {
            (1..=63).contains(&label.len()) && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        };
        if !labels.split('.').all(label) {
            let message = format!("`{}` is not a whole name in DNS", name.escape_debug());
            let help = "write all of it, with the dot at its end, such as db.registry.example.";
            notes.add(Finding::error(Code::BadValue, path.key(field), message, help));
        }
    }
    let (zone, name) = (dns.zone.to_ascii_lowercase(), dns.name.to_ascii_lowercase());
    if name != zone && !name.ends_with(&format!(".{zone}")) {
        let message = format!("`{name}` is not in zone `{zone}`");
        let finding = Finding::error(Code::BadValue, path.key("name"), message, "correct one of the two");
        notes.add_resting_on(finding, &[path.key("zone")]);
    }
    let during = dns.ttl.as_ref().and_then(|ttl| ttl.during);
    if let Some(during) = during.filter(|during| *during < Span::from_secs(1) || during.get().subsec_millis() != 0) {
        let message = format!("{during} is no time to live: DNS counts whole seconds, and 0 is not kept by all caches");
        notes.add(Finding::error(Code::BadValue, path.key("ttl").key("during"), message, "give at least 1s, better 5s"));
    }
}

/// An address that is asked: every fault is a finding.
pub(super) fn check_url(text: &str, scope: Scope, path: &Path, notes: &mut Notes) {
    texts::check("address", text, scope, path, notes);
    // A variable stands for a name.
    for fault in url::faults(&variables::fill(text, |_| Some("x".to_owned()))) {
        notes.add(match fault {
            url::Fault::Scheme => Finding::error(
                Code::BadValue,
                path.clone(),
                format!("`{text}` is not an http address"),
                "begin it with `http://` or `https://`",
            ),
            url::Fault::UserInfo => {
                let help = "take it out, and change the password if it was a real one";
                Finding::error(Code::SecretInPlan, path.clone(), "the address holds a user name or password", help)
            }
            url::Fault::SecretParameter(name) => {
                let help = "if it is a secret, take it out and change it: plans are kept for months";
                let message = format!("the address has a parameter `{name}`, which looks like a secret");
                Finding::warning(Code::SecretInPlan, path.clone(), message, help)
            }
            url::Fault::Form(why) => {
                let help = "write it as http://HOST:PORT/PATH";
                Finding::error(Code::BadValue, path.clone(), format!("this is not an address that can be asked: {why}"), help)
            }
        });
    }
}

/// A DNS subdomain (RFC 1123), as Kubernetes names most objects. Names become parts of API paths.
pub(super) fn subdomain(name: &str) -> bool {
    name.len() <= 253 && name.split('.').all(|label| label.parse::<crate::plan::PlanName>().is_ok())
}

/// A webhook's address without a password that somebody wrote into it: messages go into logs.
fn without_userinfo(name: &str) -> &str {
    name.rsplit_once('@').map_or(name, |(_, host)| host)
}

fn variable_name(name: &str) -> bool {
    !name.starts_with(|c: char| c.is_ascii_digit()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// The kind of a route, its identity, and the rule of it that is moved.
fn claim(router: &RouterSpec) -> (&'static str, String, Option<&str>) {
    let route = |kind, route: &'_ RouteSpec| (kind, route.name.clone());
    let (rule, (kind, name)) = match router {
        RouterSpec::HttpRoute(it) => (it.section_name.as_deref(), route("HTTPRoute", it)),
        RouterSpec::GrpcRoute(it) => (it.section_name.as_deref(), route("GRPCRoute", it)),
        RouterSpec::TlsRoute(it) => (it.section_name.as_deref(), route("TLSRoute", it)),
        RouterSpec::TcpRoute(it) => (it.section_name.as_deref(), route("TCPRoute", it)),
        RouterSpec::Haproxy(it) => (None, ("HAProxy backend", format!("{} of {}", it.backend, it.connection))),
        RouterSpec::Dns(it) => (None, ("record set", format!("{} {}", it.name.to_ascii_lowercase(), it.kind))),
        RouterSpec::EndpointSlice(it) => (None, ("EndpointSlices of", it.service.clone())),
        RouterSpec::Webhook(it) => (None, ("webhook", it.url.trim_end_matches('/').to_owned())),
    };
    (kind, name, rule)
}

fn check_routers_shared(services: &[One<'_>], notes: &mut Notes) {
    /// A rule of a route, or all of it, and who moves it.
    type Claim<'a> = (Option<&'a str>, &'a One<'a>);
    let mut claims: BTreeMap<(&str, String), Vec<Claim<'_>>> = BTreeMap::new();
    for service in services {
        let (kind, name, rule) = claim(&service.spec.router);
        let others = claims.entry((kind, name.clone())).or_default();
        let clash = others.iter().find(|(other, _)| rule.is_none() || other.is_none() || rule == *other);
        if let Some((_, first)) = clash.filter(|(_, first)| first.label != service.label) {
            let name = without_userinfo(&name);
            let message = format!("`{}` and `{}` both move {kind} {name}", first.label, service.label);
            let help = match kind {
                "webhook" => "give each a route of its own",
                "HAProxy backend" => "give each a backend of its own",
                "record set" | "EndpointSlices of" => "make them one service, or give each a name of its own",
                _ => "give each its own route, or each its own rule by `sectionName`",
            };
            let path = |one: &One<'_>| one.path.key("router");
            let finding = Finding::error(Code::RouterShared, path(service), message, help);
            notes.add_resting_on(finding.with(path(first), format!("`{}` here", first.label)), &[path(first)]);
        }
        others.push((rule, service));
    }
}

fn check_hosts_shared(services: &[One<'_>], notes: &mut Notes) {
    let mut seen: BTreeMap<SocketAddr, (&One<'_>, Path)> = BTreeMap::new();
    for service in services {
        for (socket, place) in Side::BOTH.into_iter().flat_map(|side| service.sockets(side)) {
            match seen.get(&socket) {
                Some((first, first_place)) if first.path != service.path => {
                    let message = format!("{socket} serves `{}` and `{}`", first.label, service.label);
                    let help =
                        "if that is so, one fault takes both and each counts its capacity as if it were alone; else correct one";
                    let finding = Finding::warning(Code::DuplicateHost, place, message, help);
                    notes.add(finding.with(first_place.clone(), format!("`{}` here", first.label)));
                }
                Some(_) => {}
                None => {
                    seen.insert(socket, (service, place));
                }
            }
        }
    }
}
