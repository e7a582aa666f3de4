//! What is known about one route, and how soon to look again. No sockets here.

use jiff::{SignedDuration, Timestamp};

use hyper::Method;

use super::contract::{LONG_POLL, Programming, State};
use crate::{
    adapters::effective::{Question, Wanted},
    engine::{Accepted, Effective, Programmed, RouteSeen, Sample, Unknown},
};

/// After something was ordered or changed it is looked at fast for so long.
const FAST_FOR: SignedDuration = SignedDuration::from_secs(2);
/// Between the beginnings of two looks while something takes effect.
const FAST: SignedDuration = SignedDuration::from_millis(5);
/// Between two looks otherwise, where a router has no long poll.
pub(super) const SLOW: SignedDuration = SignedDuration::from_millis(200);
/// An unchanged state is told again after so long, so that whoever waits for a fresh look gets one.
const TELL_AGAIN: SignedDuration = SignedDuration::from_secs(5);
/// The same while something takes effect.
const TELL_AGAIN_FAST: SignedDuration = SignedDuration::from_millis(100);

/// How the state is read next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reading {
    /// The pause after the beginning of the reading before.
    pub after: SignedDuration,
    /// The version whose end the router is asked to wait for.
    pub wait: Option<String>,
}

#[derive(Debug)]
pub(super) struct Cell {
    state: Option<State>,
    trouble: Option<Unknown>,
    /// The version before the one in `state`.
    gone: Option<String>,
    taken_at: Timestamp,
    told_at: Timestamp,
    /// When something was last ordered or changed.
    stirred: Timestamp,
}

impl Default for Cell {
    fn default() -> Self {
        Self {
            state: None,
            trouble: Some(Unknown::NotYet),
            gone: None,
            taken_at: Timestamp::MIN,
            told_at: Timestamp::MIN,
            stirred: Timestamp::MIN,
        }
    }
}

impl Cell {
    /// Something is about to change: look fast for a while.
    pub fn stir(&mut self, now: Timestamp) {
        self.stirred = now;
    }

    /// A state, or why there is none, from a look that began at `taken_at`; or the state that took the place of the version
    /// `replaces`. Says whether it is to be told.
    pub fn learn(&mut self, look: Result<State, Unknown>, replaces: Option<&str>, taken_at: Timestamp, now: Timestamp) -> bool {
        let version = look.as_ref().ok().map(|state| state.version.as_str());
        let known = self.state.as_ref().map(|state| state.version.as_str());
        if version.is_some() && version == self.gone.as_deref() {
            return false; // versions do not come back: whenever it began, this look was answered before the newest one
        }
        // What took the place of the version that we know is newer, also if a look that still showed that one began later.
        let newer = replaces.is_some() && replaces == known && version != known;
        if taken_at < self.taken_at && !newer {
            return false;
        }
        let before = self.seen(None);
        self.taken_at = self.taken_at.max(taken_at);
        match look {
            Err(why) => self.trouble = Some(why),
            Ok(state) => {
                self.trouble = None;
                let kept = |s: &State| s.mark == state.mark && s.weights == state.weights && s.address == state.address;
                if !self.state.as_ref().is_some_and(kept) {
                    self.stirred = now;
                }
                if let Some(old) = self.state.replace(state).filter(|old| self.is_other_version(old)) {
                    self.gone = Some(old.version);
                }
            }
        }
        let again = if self.is_stirred(now) { TELL_AGAIN_FAST } else { TELL_AGAIN };
        let tell = self.seen(None).value != before.value || self.taken_at.duration_since(self.told_at) >= again;
        if tell {
            self.told_at = self.taken_at;
        }
        tell
    }

    fn is_other_version(&self, old: &State) -> bool {
        self.state.as_ref().is_some_and(|state| state.version != old.version)
    }

    /// What to look for in real answers; `None`: nothing, until the state changes.
    pub fn wanted(&self) -> Option<Wanted> {
        let state = self.state.as_ref()?;
        let (weight, mark) = (state.weights.split()?, state.mark.clone()?);
        let address = state.address.parse().ok()?;
        let question = Question { address, host: None, headers: Vec::new(), method: Method::GET };
        Some(Wanted { questions: vec![question], mark, weight })
    }

    fn is_stirred(&self, now: Timestamp) -> bool {
        now.duration_since(self.stirred) < FAST_FOR
    }

    /// Nothing is expected to change by itself.
    fn is_settled(&self, effective: Option<Effective>) -> bool {
        let Some(state) = self.state.as_ref().filter(|_| self.trouble.is_none()) else { return false };
        let programmed = matches!(state.programmed, None | Some(Programming::Has(true) | Programming::Refused { .. }));
        let idle = state.active.is_none_or(|active| active.legacy == 0) || state.weights.target != 100;
        programmed && idle && (effective.is_some() || self.wanted().is_none())
    }

    /// How to read the state next.
    pub fn reading(&self, effective: Option<Effective>, now: Timestamp) -> Reading {
        let settled = self.is_settled(effective);
        let waits = self.state.as_ref().filter(|state| state.waits && settled);
        match waits {
            Some(state) => Reading { after: FAST, wait: Some(state.version.clone()) },
            None if self.is_stirred(now) && !settled => Reading { after: FAST, wait: None },
            None => Reading { after: SLOW, wait: None },
        }
    }

    /// The answer for the engine, with what real answers showed of it.
    pub fn seen(&self, effective: Option<Effective>) -> Sample<RouteSeen> {
        let value = match (&self.trouble, &self.state) {
            (Some(why), _) => Err(why.clone()),
            (None, None) => Err(Unknown::NotYet),
            (None, Some(state)) => Ok(route(state, effective)),
        };
        Sample { value, taken_at: self.taken_at }
    }
}

fn route(state: &State, effective: Option<Effective>) -> RouteSeen {
    let split = state.weights.split();
    RouteSeen {
        version: state.version.clone(),
        owner: state.owner.clone(),
        accepted: split
            .map_or_else(|| Accepted::Other(format!("{}, and somebody else the rest", state.weights)), Accepted::Split),
        mark: state.mark.clone(),
        programmed: match &state.programmed {
            None => Programmed::Untold,
            Some(Programming::Has(true)) => Programmed::Yes,
            Some(Programming::Has(false)) => Programmed::Pending,
            Some(Programming::Refused { refused }) => Programmed::Refused(refused.clone()),
        },
        effective: effective.filter(|effective| split == Some(effective.weight)),
        legacy_active: state.active.map(|active| active.legacy),
    }
}

/// How long a reading may take: longer if the router was asked to wait.
pub(super) fn patience(reading: &Reading) -> std::time::Duration {
    const ANSWER: std::time::Duration = std::time::Duration::from_secs(2);
    if reading.wait.is_some() { LONG_POLL + ANSWER } else { ANSWER }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        adapters::webhook::contract::{Active, Weights},
        plan::Weight,
    };

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millisecond(1_000_000 + ms).unwrap()
    }
    fn state(version: &str, target: u32, mark: &str) -> State {
        State {
            version: version.into(),
            owner: None,
            weights: Weights { legacy: 100 - target, target },
            mark: Some(mark.into()),
            programmed: Some(Programming::Has(true)),
            address: "http://127.0.0.1:80/".into(),
            active: Some(Active { legacy: 0 }),
            waits: true,
        }
    }
    #[test]
    fn a_look_that_began_earlier_does_not_overwrite_a_later_one() {
        let mut cell = Cell::default();
        cell.learn(Ok(state("2", 50, "m2")), None, at(10), at(11));
        assert!(!cell.learn(Ok(state("1", 0, "m1")), None, at(5), at(12)));
        assert_eq!(cell.seen(None).value.unwrap().version, "2");
    }

    /// A reading that began while a change was under way may show the state before it, and come before or after its answer.
    #[test]
    fn the_answer_to_a_change_is_newer_than_a_reading_that_shows_what_it_replaced() {
        let mut cell = Cell::default();
        cell.learn(Ok(state("1", 0, "m1")), None, at(0), at(0));
        assert!(!cell.learn(Ok(state("1", 0, "m1")), None, at(15), at(16)));
        assert!(cell.learn(Ok(state("2", 50, "m2")), Some("1"), at(10), at(17)), "sent before that reading began");
        assert_eq!(cell.seen(None).taken_at, at(15));
        assert!(!cell.learn(Ok(state("1", 0, "m1")), None, at(16), at(18)), "answered before the change");
        assert_eq!(cell.seen(None).value.unwrap().version, "2");
        assert!(!cell.learn(Ok(state("2", 50, "m2")), Some("1"), at(5), at(19)), "the same answer once more");
        assert!(cell.learn(Ok(state("3", 50, "m2")), None, at(20), at(21)));
    }

    #[test]
    fn trouble_is_unknown_and_passes() {
        let mut cell = Cell::default();
        cell.learn(Ok(state("1", 50, "m")), None, at(0), at(0));
        let why = Unknown::Unreachable("it is down".into());
        assert!(cell.learn(Err(why.clone()), None, at(200), at(201)));
        assert_eq!(cell.seen(None).value, Err(why));
        assert!(cell.learn(Ok(state("1", 50, "m")), None, at(400), at(401)));
    }

    #[test]
    fn it_is_read_fast_while_something_changes_and_waited_for_when_settled() {
        let mut cell = Cell::default();
        let effective = |target| Some(Effective { weight: Weight::new(target).unwrap(), since: at(0) });
        let mut pending = state("1", 50, "m");
        pending.programmed = Some(Programming::Has(false));
        cell.learn(Ok(pending), None, at(0), at(0));
        assert_eq!(cell.reading(None, at(1)), Reading { after: FAST, wait: None });
        assert_eq!(cell.reading(None, at(2_001)), Reading { after: SLOW, wait: None });
        cell.learn(Ok(state("1", 50, "m")), None, at(2_100), at(2_100));
        assert_eq!(cell.reading(None, at(2_101)).wait, None, "not effective yet");
        assert_eq!(cell.reading(effective(50), at(2_201)).wait.as_deref(), Some("1"));
        let mut busy = state("1", 100, "m");
        busy.active = Some(Active { legacy: 2 });
        cell.learn(Ok(busy), None, at(2_300), at(2_300));
        assert_eq!(cell.reading(effective(100), at(2_302)), Reading { after: FAST, wait: None }, "legacy still has requests");
    }

    #[test]
    fn what_nobody_of_us_ordered_is_said_and_not_looked_for() {
        let mut cell = Cell::default();
        let mut other = state("1", 50, "m");
        other.weights.legacy = 30;
        cell.learn(Ok(other), None, at(0), at(0));
        assert_eq!(cell.wanted(), None);
        let stale = Effective { weight: Weight::new(50).unwrap(), since: at(0) };
        let seen = cell.seen(Some(stale)).value.unwrap();
        assert_eq!(seen.accepted, Accepted::Other("legacy 30, target 50, and somebody else the rest".into()));
        assert_eq!(seen.effective, None);
    }
}
