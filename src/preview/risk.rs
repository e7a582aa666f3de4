//! What a gap would cost: the requests that fail before a guard notices.

use crate::plan::{Gate, Service, Span, Watch, Weight, schedule::window};

/// From the first bad answer until the guard acts that notices first: its rounds in a row, the answer of the last of them,
/// and the stretch that a value speaks for. `None`: nothing watches all the time.
pub fn detection(service: &Service) -> Option<Span> {
    let of_gate = |gate: &Gate| gate.every.times(gate.failures).plus(gate.timeout).plus(window(gate));
    service.gates.values().filter(|gate| gate.watch == Watch::Guard).map(of_gate).min()
}

/// Requests that go wrong before anybody acts, if target fails at this share: share × peak × detection time, rounded up.
/// `None` where the plan declares no load or nothing watches.
pub fn requests(service: &Service, weight: Weight) -> Option<u64> {
    let peak = u64::from(service.load?.peak.per_second());
    let millis = u64::try_from(detection(service)?.get().as_millis()).unwrap_or(u64::MAX);
    Some(peak.saturating_mul(u64::from(weight.percent())).saturating_mul(millis).div_ceil(100_000))
}
