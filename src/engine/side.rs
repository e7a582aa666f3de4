//! How well a side could carry traffic. The only place that turns endpoints into a verdict.

use jiff::Timestamp;

use super::{
    observed::{Backend, Observed, Sample, SideSeen},
    reason::{Reason, SideRank},
};
use crate::plan::{Load, Place, Service, ServiceName, Side, Span, Weight};

/// A look at a side is stale when it is older than this many probe periods, its time-out and [`GRACE`] together.
pub const STALE_PERIODS: u32 = 3;
/// What scheduling may add before an answer counts as stale.
pub const GRACE: Span = Span::from_secs(1);

/// How old the newest look at a side of this service may be.
pub fn stale_after(service: &Service) -> Span {
    let slowest = service.probes.values().map(|p| p.every.get() * STALE_PERIODS + p.timeout.get()).max();
    let slowest = slowest.unwrap_or(std::time::Duration::from_secs(u64::from(STALE_PERIODS) + 1));
    Span::from_millis(u64::try_from((slowest + GRACE.get()).as_millis()).unwrap_or(u64::MAX))
}

/// Requests a second that a side has to stand at a share of `percent`: `ceil(peak × share × (1 + headroom))`.
pub fn required(load: &Load, percent: u8) -> u64 {
    let scaled = u64::from(load.peak.per_second()) * u64::from(percent) * (100 + u64::from(load.headroom_percent));
    scaled.div_ceil(10_000)
}

/// What a side could do for the traffic it would have at `weight`, and why if that is not enough.
pub struct SideView {
    /// The rank.
    pub rank: SideRank,
    /// The sentence that goes with it.
    pub reason: Reason,
    /// Rounds in a row without a healthy endpoint.
    pub dead_rounds: u32,
    /// Whether the route can name it.
    pub backend: Backend,
}

/// The fresh answer about a side, or the reason why there is none.
fn fresh<'a>(
    seen: &'a Observed,
    name: &ServiceName,
    service: &Service,
    side: Side,
    now: Timestamp,
) -> Result<&'a SideSeen, String> {
    let sample: Option<&Sample<SideSeen>> = seen.sides.get(name).and_then(|sides| sides.get(side));
    let sample = sample.ok_or_else(|| "there is no answer yet".to_owned())?;
    let value = sample.value.as_ref().map_err(ToString::to_string)?;
    let limit = stale_after(service);
    if now.duration_since(sample.taken_at) > limit.signed() {
        return Err(format!("the newest answer is older than {limit}"));
    }
    Ok(value)
}

/// Looks at one side of a service, as it would have to carry its share at `weight`.
pub fn look(seen: &Observed, name: &ServiceName, service: &Service, side: Side, weight: Weight, now: Timestamp) -> SideView {
    match fresh(seen, name, service, side, now) {
        Err(why) => {
            let reason = Reason::SideUnknown { side, why };
            SideView { rank: SideRank::Unknown, reason, dead_rounds: 0, backend: Backend::Present }
        }
        Ok(value) => SideView {
            rank: rank(value, service, side, weight),
            reason: shortage(value, service, side, weight),
            dead_rounds: value.dead_rounds,
            backend: value.backend,
        },
    }
}

/// What is wrong with a side that is not enough.
fn shortage(value: &SideSeen, service: &Service, side: Side, weight: Weight) -> Reason {
    match (value.backend, &service.side(side).at) {
        (Backend::Absent, Place::Service(of)) => {
            Reason::SideAbsent { side, what: format!("Service {} with port {}", of.name, of.port) }
        }
        (Backend::Missing, _) => Reason::Backend { side },
        _ => Reason::SideShort { side, healthy: value.healthy, endpoints: value.endpoints, weight },
    }
}

/// What the route cannot name answers nothing, however healthy its hosts are.
fn rank(value: &SideSeen, service: &Service, side: Side, weight: Weight) -> SideRank {
    if value.healthy == 0 || value.backend != Backend::Present {
        return SideRank::Dead;
    }
    match (service.load, service.side(side).per_endpoint) {
        (Some(load), Some(per_endpoint)) => {
            let capacity = u64::from(value.healthy) * u64::from(per_endpoint.per_second());
            if capacity >= required(&load, weight.of(side)) { SideRank::Enough } else { SideRank::Short }
        }
        _ => SideRank::Enough,
    }
}
