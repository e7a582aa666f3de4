//! Virtual time: milliseconds since the model's epoch, small enough to copy, hash and shift.

use std::fmt;

/// A moment in a world, in milliseconds since the epoch of its [`super::Model`]. Negative ones lie before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Moment(pub i64);

impl Moment {
    /// Later than everything that happens by itself: what is due then waits for whoever lets it happen.
    pub const NEVER: Self = Self(i64::MAX);

    /// So many milliseconds later.
    pub fn plus(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }
    /// Milliseconds since `earlier`; negative if that lies ahead.
    pub fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
    /// The same moment in a world whose clock was set back by `by`, but no longer ago than `horizon`: what is older than
    /// that is equal to everything that decides.
    pub(super) fn rebase(&mut self, by: i64, horizon: i64) {
        if *self != Self::NEVER {
            self.0 = self.0.saturating_sub(by).max(-horizon);
        }
    }
}

impl fmt::Display for Moment {
    /// Days, hours, minutes and seconds, as a stop-watch shows them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, ms) = if self.0 < 0 { ("-", self.0.unsigned_abs()) } else { ("", self.0.unsigned_abs()) };
        let (s, ms) = (ms / 1000, ms % 1000);
        let (d, h, m, s) = (s / 86_400, s / 3600 % 24, s / 60 % 60, s % 60);
        if d > 0 {
            write!(f, "{sign}{d}d ")?;
        } else {
            f.write_str(sign)?;
        }
        write!(f, "{h:02}:{m:02}:{s:02}.{ms:03}")
    }
}
