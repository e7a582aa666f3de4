//! Defaults of probes and gates.

use std::collections::{BTreeMap, BTreeSet};

use super::{PROBE_EVERY, SUCCESSES, TIMEOUT, UNKNOWN_LIMIT};
use crate::plan::{
    model::{Check, DEFAULT_FAILURES, Gate, HttpSend, Number, Probe, Watch},
    names::{GateName, ProbeName, Span},
    spec::{CheckSpec, GateSpec, HttpMethod, HttpSendSpec, LagSpec, OnFailure, PlainGateSpec, ProbeSpec, SendSpec, ServiceSpec},
};

const QUERY_EVERY: Span = Span::from_secs(15);
const QUERY_TIMEOUT: Span = Span::from_secs(5);
const QUERY_WINDOW: Span = Span::from_secs(60);
const QUERY_SUCCESSES: u32 = 1;

/// The probes of a service.
pub(super) type Probes = BTreeMap<ProbeName, Probe>;

pub(super) fn probe(spec: &ProbeSpec) -> Option<(ProbeName, Probe)> {
    let SendSpec::Http(send) = spec.send.as_ref()?;
    let (every, timeout) = (spec.every.unwrap_or(PROBE_EVERY), spec.timeout.unwrap_or(TIMEOUT));
    Some((spec.name.clone(), Probe { every, timeout, send: http(send) }))
}

fn http(spec: &HttpSendSpec) -> HttpSend {
    let status: BTreeSet<u16> = spec.expect.iter().flat_map(|expect| expect.status.iter().copied()).collect();
    HttpSend {
        method: spec.method.unwrap_or(HttpMethod::Get),
        path: spec.path.clone().unwrap_or_else(|| "/".to_owned()),
        host: spec.host.clone(),
        body: spec.body.clone(),
        status: if status.is_empty() { BTreeSet::from([200]) } else { status },
        body_contains: spec.expect.as_ref().and_then(|expect| expect.body_contains.clone()),
    }
}

/// The gates that are written, or one for each probe, by the probe's name.
pub(super) fn gates(spec: &ServiceSpec, probes: &Probes) -> Option<BTreeMap<GateName, Gate>> {
    if !spec.gates.is_empty() {
        return spec.gates.iter().map(|written| Some((written.name.clone(), gate(written, probes)?))).collect();
    }
    let of_probe = |(name, probe): (&ProbeName, &Probe)| {
        let gate = Gate {
            every: probe.every,
            timeout: probe.timeout,
            check: Check::Probe(name.clone()),
            successes: SUCCESSES,
            max_failures_per_mille: 0,
            failures: DEFAULT_FAILURES,
            unknown_limit: UNKNOWN_LIMIT,
            on_unknown: OnFailure::Hold,
            watch: Watch::Guard,
        };
        Some((name.as_str().parse().ok()?, gate))
    };
    probes.iter().map(of_probe).collect()
}

fn gate(spec: &GateSpec, probes: &Probes) -> Option<Gate> {
    let look = look(spec.check.as_ref()?, spec.every, probes)?;
    let watch = if spec.guard == Some(false) { Watch::Confirmation } else { Watch::Guard };
    Some(look.gate(spec.failures, spec.unknown_limit, spec.on_unknown, watch))
}

/// A gate of a list that has no service's probes.
pub(super) fn plain(spec: &PlainGateSpec, watch: Watch) -> Option<(GateName, Gate)> {
    with_probes(spec, watch, &Probes::new())
}

/// A gate of a service's data.
pub(super) fn with_probes(spec: &PlainGateSpec, watch: Watch, probes: &Probes) -> Option<(GateName, Gate)> {
    let look = look(&spec.check, spec.every, probes)?;
    Some((spec.name.clone(), look.gate(spec.failures, spec.unknown_limit, spec.on_unknown, watch)))
}

/// What says how much is left to be copied. Nobody can write while it is waited for, so it is looked at every second.
pub(super) fn lag(spec: &LagSpec, probes: &Probes) -> Option<Gate> {
    let look = look(&spec.check, spec.every.or(Some(PROBE_EVERY)), probes)?;
    Some(look.gate(spec.failures, spec.unknown_limit, spec.on_unknown, Watch::Confirmation))
}

/// What says that a switch of writers worked. Nobody can write while it is waited for, so it is looked at every second.
pub(super) fn proof(spec: &CheckSpec, probes: &Probes) -> Option<Gate> {
    Some(look(spec, Some(PROBE_EVERY), probes)?.gate(None, None, None, Watch::Confirmation))
}

/// How a check is looked at.
struct Look {
    every: Span,
    timeout: Span,
    check: Check,
    successes: u32,
    max_failures_per_mille: u16,
}

impl Look {
    fn gate(self, failures: Option<u32>, unknown_limit: Option<Span>, on_unknown: Option<OnFailure>, watch: Watch) -> Gate {
        Gate {
            every: self.every,
            timeout: self.timeout,
            check: self.check,
            successes: self.successes,
            max_failures_per_mille: self.max_failures_per_mille,
            failures: failures.unwrap_or(DEFAULT_FAILURES),
            unknown_limit: unknown_limit.unwrap_or(UNKNOWN_LIMIT),
            on_unknown: on_unknown.unwrap_or(OnFailure::Hold),
            watch,
        }
    }
}

fn look(spec: &CheckSpec, every: Option<Span>, probes: &Probes) -> Option<Look> {
    Some(match spec {
        CheckSpec::Probe(check) => {
            let probe = probes.get(&check.name)?;
            Look {
                every: probe.every,
                timeout: probe.timeout,
                check: Check::Probe(check.name.clone()),
                successes: check.successes.unwrap_or(SUCCESSES),
                max_failures_per_mille: per_mille(check.max_failure_ratio.unwrap_or(0.0)),
            }
        }
        CheckSpec::Http(check) => Look {
            every: every.unwrap_or(PROBE_EVERY),
            timeout: check.timeout.unwrap_or(TIMEOUT),
            check: Check::Http(check.url.clone()),
            successes: check.successes.unwrap_or(SUCCESSES),
            max_failures_per_mille: 0,
        },
        CheckSpec::Prometheus(check) => Look {
            every: every.unwrap_or(QUERY_EVERY),
            timeout: check.timeout.unwrap_or(QUERY_TIMEOUT),
            check: Check::Prometheus {
                connection: check.connection.clone(),
                query: check.query.clone(),
                window: check.window.unwrap_or(QUERY_WINDOW),
                min: check.min.map(number),
                max: check.max.map(number),
            },
            successes: check.successes.unwrap_or(QUERY_SUCCESSES),
            max_failures_per_mille: 0,
        },
    })
}

/// Zero and minus zero are one number.
fn number(value: f64) -> Number {
    Number(value + 0.0)
}

/// The schema keeps the ratio between 0 and 0.9, and a check keeps it to thousandths.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 900 after the clamp")]
fn per_mille(ratio: f64) -> u16 {
    (ratio * 1000.0).round().clamp(0.0, 900.0) as u16
}
