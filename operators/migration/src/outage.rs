//! When the API server cannot be used: told once when that begins and once when it is over, as a sentence.
//!
//! *Guarantees*: what is over within [`BLINK`] is not told; each outage is told once, however often is tried.

use jiff::{SignedDuration, Timestamp};

/// A break as short as this is none that people should hear of: a connection was closed, and the next one was taken.
const BLINK: SignedDuration = SignedDuration::from_secs(1);

/// Whether the API server can be used, as far as its last answer says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Outage {
    /// It can.
    #[default]
    None,
    /// It cannot, and nobody was told.
    Untold {
        /// Since when.
        since: Timestamp,
    },
    /// It cannot, and that was told.
    Told {
        /// Since when.
        since: Timestamp,
    },
}

impl Outage {
    /// It could not be used just now. Gives the moment since when, if that is to be told.
    pub fn lost(&mut self, now: Timestamp) -> Option<Timestamp> {
        match *self {
            Self::None => *self = Self::Untold { since: now },
            Self::Untold { since } if now.duration_since(since) >= BLINK => {
                *self = Self::Told { since };
                return Some(since);
            }
            Self::Untold { .. } | Self::Told { .. } => {}
        }
        None
    }

    /// It answered. Gives the moment since when it had not, if that was told.
    pub fn over(&mut self) -> Option<Timestamp> {
        match std::mem::take(self) {
            Self::Told { since } => Some(since),
            Self::None | Self::Untold { .. } => None,
        }
    }
}

/// What an outage means, when it begins.
pub fn begins(since: Timestamp, runs: &[String], why: &str) -> String {
    let waiting = match runs {
        [] => "no run is under way".to_owned(),
        [one] => format!("run {one} waits with its next change"),
        more => format!("{} runs wait with their next changes ({})", more.len(), more.join(", ")),
    };
    format!(
        "the API server has not been usable since {since:.0}: {waiting}; traffic stays where it is, both sides are watched as before, \
         and every run goes on by itself when the server is back ({why})"
    )
}

/// The same when it is over, for one run.
pub fn is_over(since: Timestamp, now: Timestamp) -> String {
    let seconds = now.duration_since(since).max(SignedDuration::ZERO).as_secs_f64();
    format!(
        "the API server was not usable for {seconds:.0} s, from {since:.0} on: the run waited, traffic stayed where it was, and now it \
         goes on"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(milliseconds: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_millis(milliseconds)
    }

    #[test]
    fn a_break_of_a_moment_is_not_told_and_a_long_one_once() {
        let mut outage = Outage::default();
        assert_eq!((outage.lost(at(0)), outage.lost(at(900)), outage.over()), (None, None, None));
        let tries: Vec<_> = (0..30).map(|n| outage.lost(at(10_000 + n * 500))).collect();
        let told: Vec<_> = tries.iter().flatten().collect();
        assert_eq!((told, tries[2]), (vec![&at(10_000)], Some(at(10_000))), "as soon as it is no blink, and once");
        assert_eq!((outage.over(), outage.over()), (Some(at(10_000)), None));
    }

    #[test]
    fn it_says_what_waits_since_when_and_what_holds() {
        let runs = ["spine/a".to_owned(), "spine/b".to_owned()];
        let text = begins(at(5_000), &runs, "connection refused");
        assert!(text.starts_with("the API server has not been usable since 1970-01-01T00:00:05Z: 2 runs wait"), "{text}");
        assert!(
            text.contains("(spine/a, spine/b); traffic stays where it is") && text.ends_with("(connection refused)"),
            "{text}"
        );
        assert!(begins(at(0), &[], "x").contains("no run is under way"));
        assert!(is_over(at(0), at(20_400)).contains("for 20 s, from 1970-01-01T00:00:00Z on"));
    }
}
