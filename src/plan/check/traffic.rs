//! Sides, routers and weights: whether traffic can be moved as the plan says.

use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
};

use super::{Notes, One, health::check_text, url};
use crate::plan::{
    finding::{Code, Finding},
    names::{Side, Weight},
    path::Path,
    spec::{EndpointSpec, RouterSpec, SideSpec},
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
        Some(ip) if matches!(service.spec.router, RouterSpec::HttpRoute(_)) && unroutable(ip) => Some((
            format!("{ip} is a loopback or link-local address, which Kubernetes refuses behind a route"),
            "write an address that the cluster's gateway can reach",
        )),
        Some(_) => None,
    };
    if let Some((message, help)) = problem {
        notes.add(Finding::error(Code::BadValue, path, message, help));
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
    let (each, peak) = (u64::from(capacity.per_endpoint.per_second()), u64::from(load.peak.per_second()));
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
        RouterSpec::HttpRoute(route) => {
            let path = path.key("httpRoute");
            let names = [("name", Some(&route.name)), ("sectionName", route.section_name.as_ref())];
            for (field, name) in names.into_iter().filter_map(|(field, name)| Some((field, name?))) {
                if !subdomain(name) {
                    let help = "it has lower-case letters, digits, `-` and `.`, and begins and ends with a letter or digit";
                    notes.add(Finding::error(
                        Code::BadValue,
                        path.key(field),
                        format!("`{name}` is not a name in Kubernetes"),
                        help,
                    ));
                }
            }
        }
        RouterSpec::Webhook(hook) => {
            let path = path.key("webhook");
            check_url(&hook.url, &path.key("url"), notes);
            if let Some(variable) = hook.key_from_env.as_ref().filter(|name| !variable_name(name)) {
                let help = "name the variable that holds the key, such as ROUTER_KEY; the key itself is not written here";
                let message = format!("`{variable}` is not the name of an environment variable");
                notes.add(Finding::error(Code::BadValue, path.key("keyFromEnv"), message, help));
            }
        }
    }
}

/// An address that is asked: every fault is a finding.
pub(super) fn check_url(text: &str, path: &Path, notes: &mut Notes) {
    check_text("address", text, path, notes);
    for fault in url::faults(text) {
        notes.add(match fault {
            url::Fault::Scheme { later: true } => {
                let help = "use `http://` on a path that others cannot reach, or wait for the version that runs it";
                let message = "`https://` addresses are part of the plan language, but this version of gapless does not ask them";
                Finding::error(Code::NotYet, path.clone(), message, help)
            }
            url::Fault::Scheme { later: false } => Finding::error(
                Code::BadValue,
                path.clone(),
                format!("`{text}` is not an http address"),
                "begin it with `http://`",
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
fn subdomain(name: &str) -> bool {
    name.len() <= 253 && name.split('.').all(|label| label.parse::<crate::plan::PlanName>().is_ok())
}

/// A webhook's address without a password that somebody wrote into it: messages go into logs.
fn without_userinfo(name: &str) -> &str {
    name.rsplit_once('@').map_or(name, |(_, host)| host)
}

fn variable_name(name: &str) -> bool {
    !name.starts_with(|c: char| c.is_ascii_digit()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

fn check_routers_shared(services: &[One<'_>], notes: &mut Notes) {
    /// A rule of a route, or all of it, and who moves it.
    type Claim<'a> = (Option<&'a str>, &'a One<'a>);
    let mut claims: BTreeMap<(&str, &str), Vec<Claim<'_>>> = BTreeMap::new();
    for service in services {
        let (kind, name, rule) = match &service.spec.router {
            RouterSpec::HttpRoute(route) => ("HTTPRoute", route.name.as_str(), route.section_name.as_deref()),
            RouterSpec::Webhook(hook) => ("webhook", hook.url.trim_end_matches('/'), None),
        };
        let others = claims.entry((kind, name)).or_default();
        let clash = others.iter().find(|(other, _)| rule.is_none() || other.is_none() || rule == *other);
        if let Some((_, first)) = clash.filter(|(_, first)| first.label != service.label) {
            let name = without_userinfo(name);
            let message = format!("`{}` and `{}` both move {kind} {name}", first.label, service.label);
            let help = match kind {
                "HTTPRoute" => "give each its own route, or each its own rule by `sectionName`",
                _ => "give each a route of its own",
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
