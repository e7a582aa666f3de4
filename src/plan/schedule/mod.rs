//! Time: how long steps take, when they may start, until when what is in motion can still be undone.
//!
//! *Flow*: [`Expected`] says how long each piece of work takes, as the plan says or as it was measured; [`undo_time`] adds
//! that up along the way back; [`Calendar`] holds it against windows and freezes: may a step start now, when may it next,
//! and what is the latest rollback.
//! *Guarantees*: pure and total, all in UTC: wall clocks and zones are settled before a plan is made. A question costs no
//! more than the freezes and the services it is asked about; [`undo_time`] is near-linear in the services that go back.
//! *Assumptions*: every duration is a 95th percentile. Adding them up along a path gives more than the 95th percentile of
//! the whole as long as the steps do not fail together, so what is promised here is rather too early than too late.
//! *Caveats*: an approval takes no time here: nobody can foretell people.

mod calendar;
mod durations;
mod expected;
mod forecast;
#[cfg(test)]
mod forecast_tests;
mod network;
#[cfg(test)]
mod tests;
mod undo;
mod work;

use jiff::Timestamp;

use super::names::Span;

pub(crate) use self::expected::{OLD_TTL, window};
pub use self::{
    calendar::{Calendar, Purpose, Start, latest_rollback},
    durations::Durations,
    expected::Expected,
    forecast::{Cause, Ends, Forecast, Move, Mover, Room, forecast},
    undo::undo_time,
    work::Work,
};

/// `span` after `at`, at most the end of time.
pub(crate) fn after(at: Timestamp, span: Span) -> Timestamp {
    at.saturating_add(span.signed()).unwrap_or(Timestamp::MAX)
}

/// `span` before `at`, at least the beginning of time.
pub(crate) fn before(at: Timestamp, span: Span) -> Timestamp {
    at.saturating_sub(span.signed()).unwrap_or(Timestamp::MIN)
}
