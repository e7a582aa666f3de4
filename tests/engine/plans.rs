//! Plans for tests, built from the checked model directly so that the engine is tested apart from the document.

use std::collections::{BTreeMap, BTreeSet};

use gapless::plan::{
    Check, EndpointSpec, Gate, HttpMethod, HttpSend, Load, Need, OnFailure, Phase, Place, Plan, Probe, Revision, RollbackScope,
    Router, Service, SideModel, Soak, Span, Watch, Weight,
};

pub fn weight(percent: u64) -> Weight {
    Weight::new(percent).unwrap()
}

fn side(net: u8, host: usize) -> SideModel {
    let endpoint = |i: usize| EndpointSpec { address: format!("10.{net}.{host}.{i}"), port: 80 };
    SideModel {
        per_endpoint: Some("60/s".parse().unwrap()),
        ..SideModel::at(Place::Endpoints(BTreeSet::from([endpoint(1), endpoint(2)])))
    }
}

/// A service with two endpoints a side, 80 requests a second at its peak, and one guard over one probe.
pub fn service(index: usize, phase: &str, needs: &[&str]) -> Service {
    let send = HttpSend {
        method: HttpMethod::Get,
        path: "/".into(),
        host: None,
        body: None,
        status: BTreeSet::from([200]),
        body_contains: None,
    };
    let probe = Probe { every: Span::from_millis(100), timeout: Span::from_millis(80), send };
    let gate = Gate {
        every: Span::from_millis(100),
        timeout: Span::from_millis(80),
        check: Check::Probe("answers".parse().unwrap()),
        successes: 5,
        max_failures_per_mille: 0,
        failures: 3,
        unknown_limit: Span::from_secs(20),
        on_unknown: OnFailure::Hold,
        watch: Watch::Guard,
    };
    Service {
        load: Some(Load { peak: "80/s".parse().unwrap(), headroom_percent: 20 }),
        needs: needs.iter().map(|n| (n.parse().unwrap(), Need::Before)).collect(),
        steps: vec![weight(5), weight(25), weight(100)],
        bake: Span::from_secs(2),
        soak: Soak { length: Span::from_secs(10), guard_for: Span::from_secs(1), on_failure: OnFailure::Rollback },
        on_failure: OnFailure::Rollback,
        rollback_scope: RollbackScope::Dependents,
        probes: BTreeMap::from([("answers".parse().unwrap(), probe)]),
        gates: BTreeMap::from([("answers".parse().unwrap(), gate)]),
        ..Service::plain(
            phase.parse().unwrap(),
            side(1, index),
            side(2, index),
            Router::Webhook { url: format!("http://127.0.0.1:1/{index}"), key_from_env: None },
        )
    }
}

pub fn plan(services: Vec<(&str, Service)>) -> Plan {
    let mut phases: BTreeMap<_, Phase> = BTreeMap::new();
    for (_, s) in &services {
        phases.insert(s.phase.clone(), Phase::default());
    }
    if let (Ok(one), Ok(two)) = ("one".parse(), "two".parse())
        && phases.contains_key(&one)
        && let Some(second) = phases.get_mut::<gapless::plan::PhaseName>(&two)
    {
        second.after.insert(one, gapless::plan::After::default());
    }
    let services = services.into_iter().map(|(n, s)| (n.parse().unwrap(), s)).collect();
    Plan::of("test".parse().unwrap(), "default".into(), phases, services)
}

/// base ← middle ← top in one phase, and `side`, which needs nobody; `late` in a second phase.
pub fn five() -> Revision {
    Revision::of(plan(vec![
        ("base", service(1, "one", &[])),
        ("middle", service(2, "one", &["base"])),
        ("top", service(3, "one", &["middle"])),
        ("side", service(4, "one", &[])),
        ("late", service(5, "two", &["side"])),
    ]))
}

/// `second` comes a phase after `first`; `elsewhere`, in a phase of its own, needs `second`.
pub fn apart() -> Revision {
    Revision::of(plan(vec![
        ("first", service(1, "one", &[])),
        ("second", service(2, "two", &[])),
        ("elsewhere", service(3, "three", &["second"])),
    ]))
}

pub fn one() -> Revision {
    Revision::of(plan(vec![("only", service(1, "one", &[]))]))
}

/// base ← top.
pub fn two() -> Revision {
    Revision::of(plan(vec![("base", service(1, "one", &[])), ("top", service(2, "one", &["base"]))]))
}
