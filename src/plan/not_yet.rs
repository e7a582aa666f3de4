//! The parts of the plan language that no engine or no adapter of this version runs. Each is read, checked, shown and part of the
//! revision, and refused by name where a run would start; none is ignored.
//!
//! One line of the table for each part: take it out when the part is run.

use super::{
    finding::{Code, Finding},
    model::{Check, Gate, Phase, Plan, Probe, Router, Service},
    names::ServiceName,
    path::Path,
};

/// A part of the language, and what of this version would have to run it.
struct Part {
    /// What it is, as the subject of a sentence.
    what: &'static str,
    /// What it needs.
    needs: &'static str,
    /// Where it stands in a plan: paths in which elements of lists are called by their names.
    find: fn(&Plan) -> Vec<Path>,
}

const TASKS: &str = "adapters that do tasks";

/// What is not run yet.
const PARTS: &[Part] = &[
    Part {
        what: "a required rehearsal",
        needs: "a record of rehearsals",
        find: |plan| plan.rehearsal_within.map(|_| top("requireRehearsal")).into_iter().collect(),
    },
    Part {
        what: "a bridge",
        needs: "adapters that put it up, ask its gates and claim it",
        find: |plan| plan.bridges.keys().map(|name| top("bridges").key(name.as_str())).collect(),
    },
    Part { what: "a task of a phase", needs: TASKS, find: |plan| phases(plan, "tasks", |phase| !phase.tasks.is_empty()) },
    Part {
        what: "a gate between phases",
        needs: "a sensor that asks gates of phases",
        find: |plan| phases(plan, "after", |phase| phase.after.values().any(|after| !after.gates.is_empty())),
    },
    Part {
        what: "an end of the legacy side",
        needs: "adapters that deny its address, count its connections and stop it",
        find: |plan| services(plan, "decommission", |one| one.decommission.is_some()),
    },
    Part {
        what: "a single writer",
        needs: "adapters that fence, promote and ask for the lag",
        find: |plan| services(plan, "data", |one| one.data.is_some()),
    },
    Part { what: "a task", needs: TASKS, find: |plan| services(plan, "tasks", |one| !one.tasks.is_empty()) },
    Part {
        what: "a batch job that is quiesced",
        needs: "an adapter that suspends CronJobs",
        find: |plan| services(plan, "cron", |one| !one.cron.is_empty()),
    },
    Part { what: "a warm-up", needs: TASKS, find: |plan| services(plan, "warm", |one| one.warm.is_some()) },
    Part {
        what: "shadow traffic",
        needs: "a router that copies requests",
        find: |plan| services(plan, "mirror", |one| one.mirror.is_some()),
    },
    Part { what: "a workload behind a Service", needs: "an adapter that sees and stops workloads", find: workloads },
    Part {
        what: "a metric",
        needs: "an adapter for Prometheus",
        find: |plan| services(plan, "gates", |one| one.gates.values().any(asks_prometheus)),
    },
    Part { what: "an `https://` address", needs: "TLS in the prober and in the webhook adapter", find: asked_by_tls },
    Part { what: "`$(side)` in what is sent", needs: "a prober that fills it in", find: varies },
    Part {
        what: "a `GRPCRoute`",
        needs: "an adapter for it",
        find: |plan| services(plan, "router", |one| matches!(one.router, Router::GrpcRoute(_))),
    },
    Part {
        what: "a `TLSRoute`",
        needs: "an adapter for it",
        find: |plan| services(plan, "router", |one| matches!(one.router, Router::TlsRoute(_))),
    },
    Part {
        what: "a `TCPRoute`",
        needs: "an adapter for it",
        find: |plan| services(plan, "router", |one| matches!(one.router, Router::TcpRoute(_))),
    },
    Part {
        what: "HAProxy",
        needs: "an adapter for its Runtime API",
        find: |plan| services(plan, "router", |one| matches!(one.router, Router::Haproxy { .. })),
    },
    Part {
        what: "a DNS record set",
        needs: "an adapter for RFC 2136",
        find: |plan| services(plan, "router", |one| matches!(one.router, Router::Dns(_))),
    },
    Part {
        what: "EndpointSlices as a router",
        needs: "an adapter for them",
        find: |plan| services(plan, "router", |one| matches!(one.router, Router::EndpointSlice(_))),
    },
];

/// The parts of a plan that this version does not run, one finding (a note) for each. Its paths call the elements of lists by
/// their names: `spec.services.pds.data`. A run of a plan that has any is refused.
pub fn not_run_yet(plan: &Plan) -> Vec<Finding> {
    PARTS.iter().filter_map(|part| finding(part, (part.find)(plan))).collect()
}

fn finding(part: &Part, mut places: Vec<Path>) -> Option<Finding> {
    let first = if places.is_empty() { return None } else { places.remove(0) };
    let more = match places.len() {
        0 => String::new(),
        1 => " (here and in one more place)".to_owned(),
        more => format!(" (here and in {more} more places)"),
    };
    let message = format!("{} is checked, but not run by this version{more}: it needs {}", part.what, part.needs);
    let help = "the plan is good and can be previewed; a run of it is refused at its start";
    Some(Finding::note(Code::NotYet, first, message, help).at_key())
}

fn top(list: &str) -> Path {
    Path::top().key("spec").key(list)
}

fn phases(plan: &Plan, field: &str, is: impl Fn(&Phase) -> bool) -> Vec<Path> {
    plan.phases.iter().filter(|(_, phase)| is(phase)).map(|(name, _)| top("phases").key(name.as_str()).key(field)).collect()
}

fn services(plan: &Plan, field: &str, is: impl Fn(&Service) -> bool) -> Vec<Path> {
    let path = |name: &ServiceName| top("services").key(name.as_str()).key(field);
    plan.services.iter().filter(|(_, service)| is(service)).map(|(name, _)| path(name)).collect()
}

fn tls(url: &str) -> bool {
    url.split_once("://").is_some_and(|(scheme, _)| scheme.eq_ignore_ascii_case("https"))
}

fn asked_by_tls(plan: &Plan) -> Vec<Path> {
    let mut places = services(plan, "router", |one| matches!(&one.router, Router::Webhook { url, .. } if tls(url)));
    places.extend(services(plan, "gates", |one| {
        one.gates.values().any(|gate| matches!(&gate.check, Check::Http(url) if tls(url)))
    }));
    places
}

fn asks_prometheus(gate: &Gate) -> bool {
    matches!(gate.check, Check::Prometheus { .. })
}

fn workloads(plan: &Plan) -> Vec<Path> {
    let mut places = services(plan, "target", |one| one.target.workload.is_some());
    places.extend(services(plan, "legacy", |one| one.legacy.workload.is_some()));
    places
}

fn varies(plan: &Plan) -> Vec<Path> {
    let has = |text: &str| text.contains("$(side)");
    let sent = |probe: &Probe| {
        let send = &probe.send;
        let more = [&send.host, &send.body, &send.body_contains];
        has(&send.path) || more.into_iter().flatten().any(|text| has(text))
    };
    let mut places = services(plan, "probes", |one| one.probes.values().any(sent));
    places.extend(services(plan, "gates", |one| {
        one.gates.values().any(|gate| matches!(&gate.check, Check::Http(url) if has(url)))
    }));
    places
}
