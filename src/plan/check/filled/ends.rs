//! Data and ends: single writers, ways back, connections that live long, the end of legacy.

use super::of;
use crate::plan::{
    finding::{Code, Finding},
    model::{Check, Data, Gate, Plan, Reverse, Router, Service},
    names::{ServiceName, Span},
    path::Path,
    schedule::Expected,
    spec::OnFailure,
};

pub(super) fn check(plan: &Plan, found: &mut Vec<Finding>) {
    let expected = Expected::of(plan);
    for (name, service) in &plan.services {
        if let Some(data) = service.data.as_deref() {
            pause(&expected, name, service, data, found);
            way_back(name, service, data, found);
            catch_up(name, data, found);
        }
        connections(name, service, found);
        end(name, service, found);
    }
}

/// What the plan itself says of the pause: fence, lag, promote, and caches of DNS; each way.
fn pause(expected: &Expected<'_>, name: &ServiceName, service: &Service, data: &Data, found: &mut Vec<Finding>) {
    let caches = match &service.router {
        Router::Dns(dns) => dns.ttl_during,
        _ => Span::ZERO,
    };
    let ways = [
        ("from legacy to target", expected.switch(name, service), "promote"),
        ("back from target to legacy", expected.switch_back(name, service), "reverse"),
    ];
    given_up(expected, name, service, data, found);
    for (way, switch, field) in ways.into_iter().filter_map(|(way, switch, field)| Some((way, switch?, field))) {
        let pause = switch.plus(caches);
        if pause <= data.pause_budget {
            continue;
        }
        let with_caches = if caches > Span::ZERO { format!(", and {caches} for caches of DNS") } else { String::new() };
        let message = format!(
            "nobody can write to `{name}` for about {pause} on the way {way} (fence, lag and promote take {switch}{with_caches}), \
             and its budget is {}",
            data.pause_budget
        );
        let help = format!("measure and lower `expect`, look at the lag more often, or allow {pause}");
        let path = of("services", name.as_str()).key("data");
        found.push(
            Finding::error(Code::PauseOverBudget, path.key("pauseBudget"), message, help).with(path.key(field), "this way"),
        );
    }
}

/// A pause whose end is not seen in time is given up: legacy may write again before the budget is over.
fn given_up(expected: &Expected<'_>, name: &ServiceName, service: &Service, data: &Data, found: &mut Vec<Finding>) {
    let Some(pause) = expected.switch_given_up(name, service).filter(|pause| *pause > data.pause_budget) else { return };
    let message = format!(
        "if the lag of `{name}` does not get to nothing, nobody can write to it for about {pause} until its fence is taken back \
         (fence, one look at the lag, and the way back of the fence), and its budget is {}",
        data.pause_budget
    );
    let help = format!("measure and lower `expect` of what makes legacy writable again, or allow {pause}");
    let path = of("services", name.as_str()).key("data");
    let by = path.key(if data.unfence.is_some() { "unfence" } else { "reverse" });
    found.push(Finding::error(Code::PauseOverBudget, path.key("pauseBudget"), message, help).with(by, "this takes it back"));
}

/// The largest value of a metric that a gate takes.
fn most(gate: &Gate) -> Option<f64> {
    match &gate.check {
        Check::Prometheus { max, .. } => max.map(|max| max.0),
        Check::Probe(_) | Check::Http(_) => None,
    }
}

/// The same metric in both gates. Of other checks nobody can tell which asks for more.
fn same_metric(one: &Gate, other: &Gate) -> bool {
    let asked = |gate: &Gate| match &gate.check {
        Check::Prometheus { connection, query, .. } => Some((connection.clone(), query.clone())),
        Check::Probe(_) | Check::Http(_) => None,
    };
    asked(one).is_some() && asked(one) == asked(other)
}

/// While writes flow something is always left to be copied: whoever asks for nothing then may wait for ever.
fn catch_up(name: &ServiceName, data: &Data, found: &mut Vec<Finding>) {
    let path = of("services", name.as_str()).key("data");
    let Some(lag) = most(&data.lag) else { return };
    match &data.catch_up {
        None if lag <= 0.0 => {
            let message = format!(
                "`{name}` is fenced only once its lag is nothing, and while it is written to that may never be seen: the run would \
                 wait for ever"
            );
            let help = "say how much may be left when writes stop, little enough to be copied well within the pause budget: \
                        `catchUp: { check: { prometheus: { …, max: … } } }`";
            found.push(Finding::warning(Code::NoCatchUp, path.key("lag"), message, help).at_key());
        }
        Some(catch_up) if same_metric(catch_up, &data.lag) && most(catch_up).is_some_and(|most| most <= lag) => {
            let message =
                format!("before the fence `{name}` may have no more lag than after it: `catchUp` asks for what `lag` asks");
            let help = "raise the `max` of `catchUp` to what is copied well within the pause budget";
            found.push(Finding::warning(Code::NoCatchUp, path.key("catchUp"), message, help).at_key());
        }
        _ => {}
    }
}

/// A writer without a way back: said as what it is, since somebody should have read it.
fn way_back(name: &ServiceName, service: &Service, data: &Data, found: &mut Vec<Finding>) {
    let Reverse::None(why) = &data.reverse else { return };
    let path = of("services", name.as_str()).key("data").key("reverse");
    let message = format!("step {name}/promote is a point of no return: once it has started, `{name}` cannot go back");
    let help =
        format!("if \"{}\" is meant, leave it; else give `lag`, `fence` and `promote` of the way back", why.escape_debug());
    found.push(Finding::warning(Code::NoWayBack, path.key("none"), message, help));
    if service.soak.on_failure == OnFailure::Rollback {
        let message = format!("a guard of `{name}` that fails in the soak is to take it back, and there is no way back by then");
        let help = "say `soak: { onFailure: Hold }`: people are told, and decide";
        let path = of("services", name.as_str()).key("soak").key("onFailure");
        found.push(
            Finding::warning(Code::NoWayBack, path, message, help).with(of("services", name.as_str()).key("data"), "the data"),
        );
    }
}

/// Soak and drain outlast the connections that began on legacy.
fn connections(name: &ServiceName, service: &Service, found: &mut Vec<Finding>) {
    let Some(age) = service.max_connection_age else { return };
    let path = of("services", name.as_str());
    let mut short = |length: Span, what: &str, at: Path| {
        if length >= age {
            return;
        }
        let message = format!("connections to `{name}` live for up to {age}, and its {what} ends after {length}");
        let help = format!("lengthen it to {age} or more, or lower `maxConnectionAge` if connections really end sooner");
        let finding = Finding::error(Code::SoakUnderConnectionAge, at, message, help);
        found.push(finding.with(path.key("maxConnectionAge"), "how long connections live"));
    };
    short(service.soak.length, "soak", path.key("soak").key("for"));
    if let (Some(deadline), Some(_)) = (service.drain_deadline, &service.decommission) {
        short(deadline, "drain", path.key("drain").key("deadline"));
    }
}

/// Nobody's legacy is switched off without somebody's yes.
fn end(name: &ServiceName, service: &Service, found: &mut Vec<Finding>) {
    let Some(end) = &service.decommission else { return };
    if end.approval.is_none() {
        let message = format!("the legacy side of `{name}` would be switched off without anybody's approval");
        let help = "ask a role: `decommission: { approval: { allOf: [{ role: … }] } }`";
        let path = of("services", name.as_str()).key("decommission");
        found.push(Finding::error(Code::NoDecommissionApproval, path, message, help).at_key());
    }
    if service.soak.length == Span::ZERO {
        let message =
            format!("nothing is watched between the move of `{name}` and the end of its legacy side, which is its way back");
        let help = "give it a soak: `soak: { for: 45d }`, or as long as it takes to trust the target";
        let path = of("services", name.as_str()).key("soak").key("for");
        found.push(Finding::warning(Code::NoWayBack, path, message, help));
    }
}
