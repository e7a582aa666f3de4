//! Probes, gates and the soak: whether anything can tell that a service is well, and what probes may say.

use std::{collections::BTreeSet, time::Duration};

use super::{
    Notes, One,
    fill::{GUARD_FOR, PROBE_EVERY},
    outline::unknown_reference,
    texts::{self, Scope},
    traffic,
};
use crate::plan::{
    finding::{Code, Finding},
    names::Span,
    path::Path,
    spec::{CheckSpec, GateSpec, HttpSendSpec, PlainGateSpec, ProbeCheckSpec, ProbeSpec, PrometheusCheckSpec, SendSpec},
};

/// Probes and gates are not asked more often than this.
const EVERY_MIN: Span = Span::from_millis(20);

/// Judges the health checks of one service.
pub(super) fn check(service: &One<'_>, notes: &mut Notes) {
    let spec = service.spec;
    let (probes, gates) = (service.path.key("probes"), service.path.key("gates"));
    for (index, probe) in spec.probes.iter().enumerate() {
        check_probe(probe, &probes.index(index), notes);
    }
    for (index, gate) in spec.gates.iter().enumerate() {
        check_gate(service, gate, &gates.index(index), notes);
    }
    check_watched(service, &probes, &gates, notes);
    check_soak(service, notes);
}

fn check_watched(service: &One<'_>, probes: &Path, gates: &Path, notes: &mut Notes) {
    let (spec, name) = (service.spec, service.label);
    if spec.probes.is_empty() && spec.gates.is_empty() {
        let message = format!("`{name}` has neither a probe nor a gate, so nothing could tell whether its target serves");
        let help = "add a probe, such as `probes: [{ name: answers, send: { http: { path: /healthz } } }]`; where nothing speaks HTTP, a \
                    gate that asks an address which speaks for it: `gates: [{ name: ready, check: { http: { url: … } } }]`";
        let finding = Finding::error(Code::NoHealthCheck, service.path.key("name"), message, help);
        notes.add_resting_on(finding, &[probes.clone(), gates.clone()]);
    } else if !spec.gates.is_empty() && spec.gates.iter().all(|gate| gate.guard == Some(false)) {
        let message = format!("no gate of `{name}` is a guard, so nothing watches it between confirmations and in its soak");
        let help = "remove `guard: false` from one gate";
        notes.add(Finding::warning(Code::NoHealthCheck, gates.clone(), message, help).at_key());
    }
}

fn check_soak(service: &One<'_>, notes: &mut Notes) {
    let Some(soak) = &service.spec.soak else { return };
    let guard_for = soak.guard_for.unwrap_or(GUARD_FOR);
    if let Some(length) = soak.length.filter(|length| *length > Span::ZERO && guard_for >= *length) {
        let message = format!("a guard has to fail for {guard_for} before it acts, and the soak is over after {length}");
        let help = "shorten `guardFor`, or lengthen the soak";
        let path = service.path.key("soak");
        notes.add_resting_on(Finding::warning(Code::BadValue, path.key("for"), message, help), &[path.key("guardFor")]);
    }
}

fn check_probe(probe: &ProbeSpec, path: &Path, notes: &mut Notes) {
    check_every(probe.every, &path.key("every"), notes);
    check_timeout(probe.timeout, &path.key("timeout"), notes);
    let Some(SendSpec::Http(send)) = &probe.send else { return };
    check_send(send, &path.key("send").key("http"), notes);
}

fn check_every(every: Option<Span>, path: &Path, notes: &mut Notes) {
    if let Some(every) = every.filter(|every| *every < EVERY_MIN) {
        let message = format!("{every} is too often");
        notes.add(Finding::error(Code::BadValue, path.clone(), message, format!("ask at most every {EVERY_MIN}")));
    }
}

fn check_timeout(timeout: Option<Span>, path: &Path, notes: &mut Notes) {
    if timeout.is_some_and(|timeout| timeout.get() == Duration::ZERO) {
        let message = "a timeout of no time leaves none for an answer";
        notes.add(Finding::error(Code::BadValue, path.clone(), message, "give at least 1ms, better 1s"));
    }
}

fn check_send(send: &HttpSendSpec, path: &Path, notes: &mut Notes) {
    if let Some(target) = &send.path {
        let at = path.key("path");
        let form = |why: &str, help: &str| {
            Finding::error(Code::BadValue, at.clone(), format!("`{}` {why}", target.escape_debug()), help)
        };
        if !target.starts_with('/') {
            notes.add(form("does not begin with `/`", &format!("write `/{}`", target.escape_debug())));
        }
        if !target.bytes().all(|byte| byte.is_ascii_graphic()) || target.contains('#') {
            notes.add(form("has a character that cannot stand in a path", "write it in percent form, such as `%20` for a blank"));
        }
    }
    if let Some(host) = send.host.as_ref().filter(|host| !host.bytes().all(|b| b.is_ascii_graphic() && !b"/?#@".contains(&b))) {
        let message = format!("`{}` cannot be a `Host` header", host.escape_debug());
        notes.add(Finding::error(Code::BadValue, path.key("host"), message, "write a host name, with a port if need be"));
    }
    let wanted = send.expect.as_ref().and_then(|expect| expect.body_contains.as_deref());
    let texts = [
        ("path", send.path.as_deref(), path.key("path")),
        ("body", send.body.as_deref(), path.key("body")),
        ("expected text", wanted, path.key("expect").key("bodyContains")),
    ];
    for (what, text, at) in texts.into_iter().filter_map(|(what, text, at)| Some((what, text?, at))) {
        texts::check(what, text, Scope::JUDGED, &at, notes);
    }
}

fn check_gate(service: &One<'_>, gate: &GateSpec, path: &Path, notes: &mut Notes) {
    check_every(gate.every, &path.key("every"), notes);
    let Some(check) = &gate.check else { return };
    check_plain(check, Scope::JUDGED, &path.key("check"), notes);
    if let CheckSpec::Probe(check) = check {
        check_probe_gate(service, gate, check, path, notes);
    }
}

/// What can be said of a check without knowing whose it is.
pub(super) fn check_plain(check: &CheckSpec, scope: Scope, path: &Path, notes: &mut Notes) {
    match check {
        CheckSpec::Probe(_) => {}
        CheckSpec::Http(check) => {
            let at = path.key("http");
            check_timeout(check.timeout, &at.key("timeout"), notes);
            traffic::check_url(&check.url, scope, &at.key("url"), notes);
        }
        CheckSpec::Prometheus(check) => {
            let at = path.key("prometheus");
            check_timeout(check.timeout, &at.key("timeout"), notes);
            texts::check("query", &check.query, scope.in_query(), &at.key("query"), notes);
            check_bounds(check, &at, notes);
        }
    }
}

/// A gate of a list that belongs to no service.
pub(super) fn check_gate_alone(gate: &PlainGateSpec, scope: Scope, path: &Path, notes: &mut Notes) {
    check_every(gate.every, &path.key("every"), notes);
    check_plain(&gate.check, scope, &path.key("check"), notes);
    if matches!(gate.check, CheckSpec::Probe(_)) {
        let message = format!("gate `{}` looks at a probe, and probes belong to services", gate.name);
        let help = "use `http` or `prometheus` here";
        notes.add(Finding::error(Code::BadValue, path.key("check").key("probe"), message, help).at_key());
    }
}

/// Whether the service has the probe that a check looks at.
pub(super) fn check_probe_exists(service: &One<'_>, check: &CheckSpec, path: &Path, notes: &mut Notes) {
    let CheckSpec::Probe(check) = check else { return };
    let at = path.key("probe");
    let known: BTreeSet<&str> = service.spec.probes.iter().map(|probe| probe.name.as_str()).collect();
    if !known.contains(check.name.as_str()) {
        let owner = format!("service `{}`", service.label);
        let finding = unknown_reference(at.key("name"), check.name.as_str(), "probe", &owner, &known);
        notes.add_resting_on(finding, &[service.path.key("probes")]);
    }
    if let Some(ratio) = check.max_failure_ratio.filter(|ratio| (ratio * 1000.0 - (ratio * 1000.0).round()).abs() > 1e-6) {
        let message = format!("{ratio} is finer than a thousandth");
        notes.add(Finding::error(Code::BadValue, at.key("maxFailureRatio"), message, "give a share with at most three decimals"));
    }
}

fn check_bounds(check: &PrometheusCheckSpec, path: &Path, notes: &mut Notes) {
    match (check.min, check.max) {
        (None, None) => {
            let help = "give `max`, `min` or both: the values that are good";
            notes.add(Finding::error(
                Code::MissingField,
                path.clone(),
                "the query has no bounds, so every value would pass",
                help,
            ));
        }
        (Some(min), Some(max)) if min > max => {
            let message = format!("no value is at least {min} and at most {max}");
            let finding = Finding::error(Code::BadValue, path.key("min"), message, "correct one of the two");
            notes.add_resting_on(finding, &[path.key("max")]);
        }
        _ => {}
    }
}

fn check_probe_gate(service: &One<'_>, gate: &GateSpec, check: &ProbeCheckSpec, path: &Path, notes: &mut Notes) {
    check_probe_exists(service, &CheckSpec::Probe(check.clone()), &path.key("check"), notes);
    let probes = service.path.key("probes");
    let Some(probe) = service.spec.probes.iter().find(|probe| probe.name == check.name) else { return };
    let own = probe.every.unwrap_or(PROBE_EVERY);
    if let Some(every) = gate.every.filter(|every| *every != own) {
        let message = format!("the gate says {every}, and the probe that it looks at is sent every {own}");
        let help = "remove `every` from the gate: it looks at each answer of its probe";
        notes.add_resting_on(Finding::error(Code::BadValue, path.key("every"), message, help), &[probes]);
    }
}
