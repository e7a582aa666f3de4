//! Checked plans for tests that need no plan file.
#![allow(dead_code, reason = "not every test uses all of it")]

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
};

use gapless::plan::{
    Check, Gate, HttpSend, Phase, Place, Plan, Probe, Revision, Router, Service, SideModel, Soak, Span, Watch, Weight,
    spec::{EndpointSpec, HttpMethod, OnFailure, RollbackScope},
};

pub fn side(endpoints: &[SocketAddr]) -> SideModel {
    let spec = |e: &SocketAddr| EndpointSpec { address: e.ip().to_string(), port: e.port() };
    SideModel::at(Place::Endpoints(endpoints.iter().map(spec).collect()))
}

pub fn probe(every_ms: u64, timeout_ms: u64) -> Probe {
    let send = HttpSend {
        method: HttpMethod::Get,
        path: "/probe".into(),
        host: None,
        body: None,
        status: BTreeSet::from([200]),
        body_contains: None,
    };
    Probe { every: Span::from_millis(every_ms), timeout: Span::from_millis(timeout_ms), send }
}

pub fn gate(check: Check, every_ms: u64, timeout_ms: u64) -> Gate {
    Gate {
        every: Span::from_millis(every_ms),
        timeout: Span::from_millis(timeout_ms),
        check,
        successes: 3,
        max_failures_per_mille: 0,
        failures: 3,
        unknown_limit: Span::from_secs(600),
        on_unknown: OnFailure::Hold,
        watch: Watch::Guard,
    }
}

/// A service with the probe `trace` and the gate `answers` over it.
pub fn service(legacy: &[SocketAddr], target: &[SocketAddr], every_ms: u64, timeout_ms: u64) -> Service {
    Service {
        steps: vec![Weight::new(50).unwrap(), Weight::FULL],
        bake: Span::from_millis(100),
        soak: Soak { length: Span::from_secs(1), guard_for: Span::from_millis(200), on_failure: OnFailure::Rollback },
        on_failure: OnFailure::Rollback,
        rollback_scope: RollbackScope::Dependents,
        probes: BTreeMap::from([("trace".parse().unwrap(), probe(every_ms, timeout_ms))]),
        gates: BTreeMap::from([("answers".parse().unwrap(), gate(Check::Probe("trace".parse().unwrap()), every_ms, timeout_ms))]),
        ..Service::plain(
            "all".parse().unwrap(),
            side(legacy),
            side(target),
            Router::Webhook { url: "http://127.0.0.1:1/".into(), key_from_env: None },
        )
    }
}

pub fn revision(services: impl IntoIterator<Item = (String, Service)>) -> Revision {
    let services = services.into_iter().map(|(name, service)| (name.parse().unwrap(), service)).collect();
    let phases = BTreeMap::from([("all".parse().unwrap(), Phase::default())]);
    Revision::of(Plan::of("small".parse().unwrap(), "default".into(), phases, services))
}
