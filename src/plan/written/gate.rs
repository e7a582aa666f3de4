//! Probes and gates, written out.

use crate::plan::{
    model::{Check, Gate, Probe, Watch},
    names::{GateName, ProbeName},
    spec::{
        CheckSpec, ExpectSpec, GateSpec, HttpCheckSpec, HttpSendSpec, LagSpec, PlainGateSpec, ProbeCheckSpec, ProbeSpec,
        PrometheusCheckSpec, SendSpec,
    },
};

pub(super) fn probe((name, probe): (&ProbeName, &Probe)) -> ProbeSpec {
    let send = HttpSendSpec {
        method: Some(probe.send.method),
        path: Some(probe.send.path.clone()),
        host: probe.send.host.clone(),
        body: probe.send.body.clone(),
        expect: Some(ExpectSpec {
            status: probe.send.status.iter().copied().collect(),
            body_contains: probe.send.body_contains.clone(),
        }),
    };
    ProbeSpec {
        name: name.clone(),
        every: Some(probe.every),
        timeout: Some(probe.timeout),
        send: Some(SendSpec::Http(send)),
        disabled: None,
    }
}

pub(super) fn gate((name, gate): (&GateName, &Gate)) -> GateSpec {
    GateSpec {
        name: name.clone(),
        every: Some(gate.every),
        check: Some(check(gate)),
        failures: Some(gate.failures),
        unknown_limit: Some(gate.unknown_limit),
        on_unknown: Some(gate.on_unknown),
        guard: Some(gate.watch == Watch::Guard),
        disabled: None,
    }
}

pub(super) fn plain((name, gate): (&GateName, &Gate)) -> PlainGateSpec {
    PlainGateSpec {
        name: name.clone(),
        every: Some(gate.every),
        check: check(gate),
        failures: Some(gate.failures),
        unknown_limit: Some(gate.unknown_limit),
        on_unknown: Some(gate.on_unknown),
    }
}

pub(super) fn lag(gate: &Gate) -> LagSpec {
    LagSpec {
        check: check(gate),
        every: Some(gate.every),
        failures: Some(gate.failures),
        unknown_limit: Some(gate.unknown_limit),
        on_unknown: Some(gate.on_unknown),
    }
}

pub(super) fn check(gate: &Gate) -> CheckSpec {
    let successes = Some(gate.successes);
    match &gate.check {
        Check::Probe(name) => CheckSpec::Probe(ProbeCheckSpec {
            name: name.clone(),
            successes,
            max_failure_ratio: Some(f64::from(gate.max_failures_per_mille) / 1000.0),
        }),
        Check::Http(url) => CheckSpec::Http(HttpCheckSpec { url: url.clone(), timeout: Some(gate.timeout), successes }),
        Check::Prometheus { connection, query, window, min, max } => CheckSpec::Prometheus(PrometheusCheckSpec {
            connection: connection.clone(),
            query: query.clone(),
            window: Some(*window),
            min: min.map(|number| number.0),
            max: max.map(|number| number.0),
            timeout: Some(gate.timeout),
            successes,
        }),
    }
}
