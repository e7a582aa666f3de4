//! What is known about one route, and how soon to look again. No sockets here.

use jiff::{SignedDuration, Timestamp};

use super::contract::{LONG_POLL, Programming, State};
use crate::engine::{Accepted, Effective, Programmed, RouteSeen, Sample, Unknown};

/// So many answers in a row bear the mark before it is effective, each on a connection of its own.
pub const STREAK: u32 = 3;
/// So many looks in a row that our own side could not even send, and we no longer know.
const OURS_MAX: u32 = 3;
/// After something was ordered or changed it is looked at fast for so long.
const FAST_FOR: SignedDuration = SignedDuration::from_secs(2);
/// Between the beginnings of two looks while something takes effect.
const FAST: SignedDuration = SignedDuration::from_millis(5);
/// Between the first answer that bears the mark and the next two.
const CONFIRMING: SignedDuration = SignedDuration::from_millis(1);
/// Between two looks otherwise, where a router has no long poll.
pub(super) const SLOW: SignedDuration = SignedDuration::from_millis(200);
/// Between two looks at real answers once they bear the mark.
const WATCHFUL: SignedDuration = SignedDuration::from_secs(1);
/// An unchanged state is told again after so long, so that whoever waits for a fresh look gets one.
const TELL_AGAIN: SignedDuration = SignedDuration::from_secs(5);
/// The same while something takes effect.
const TELL_AGAIN_FAST: SignedDuration = SignedDuration::from_millis(100);

/// What came of one request through the route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// The answer bears the mark, and no other.
    Marked,
    /// It bears another one, or none, or there was no answer.
    Unmarked,
    /// Our own side could not send.
    Unsent,
}

/// What a look at real answers is for; what is found out counts only for the configuration it was sent under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Errand {
    pub configuration: u64,
    pub address: String,
    pub mark: String,
}

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
    taken_at: Timestamp,
    told_at: Timestamp,
    /// Counts changes of weights, mark and address.
    configuration: u64,
    streak: u32,
    unsent: u32,
    effective: Option<Timestamp>,
    /// When something was last ordered or changed.
    stirred: Timestamp,
}

impl Default for Cell {
    fn default() -> Self {
        Self {
            state: None,
            trouble: Some(Unknown::NotYet),
            taken_at: Timestamp::MIN,
            told_at: Timestamp::MIN,
            configuration: 0,
            streak: 0,
            unsent: 0,
            effective: None,
            stirred: Timestamp::MIN,
        }
    }
}

impl Cell {
    /// Something is about to change: look fast for a while.
    pub fn stir(&mut self, now: Timestamp) {
        self.stirred = now;
    }

    /// A state, or why there is none, from a look that began at `taken_at`. Says whether it is to be told.
    pub fn learn(&mut self, look: Result<State, Unknown>, taken_at: Timestamp, now: Timestamp) -> bool {
        if taken_at < self.taken_at {
            return false; // overtaken by a look that began later
        }
        let before = self.seen();
        self.taken_at = taken_at;
        match look {
            Err(why) => self.trouble = Some(why),
            Ok(state) => {
                self.trouble = None;
                let kept = |s: &State| s.mark == state.mark && s.weights == state.weights && s.address == state.address;
                if !self.state.as_ref().is_some_and(kept) {
                    self.configuration += 1;
                    (self.streak, self.unsent, self.effective) = (0, 0, None);
                    self.stirred = now;
                }
                self.state = Some(state);
            }
        }
        let again = if self.is_stirred(now) { TELL_AGAIN_FAST } else { TELL_AGAIN };
        let tell = self.seen().value != before.value || taken_at.duration_since(self.told_at) >= again;
        if tell {
            self.told_at = taken_at;
        }
        tell
    }

    /// What to ask real answers for; `None`: nothing, until the state changes.
    pub fn errand(&self) -> Option<Errand> {
        let state = self.state.as_ref()?;
        state.weights.split()?;
        let mark = state.mark.clone()?;
        Some(Errand { configuration: self.configuration, address: state.address.clone(), mark })
    }

    /// What one real answer showed. Says whether it is to be told.
    pub fn looked(&mut self, errand: &Errand, look: Look, now: Timestamp) -> bool {
        if errand.configuration != self.configuration {
            return false;
        }
        let before = self.effective;
        match look {
            Look::Marked => {
                self.unsent = 0;
                self.streak = self.streak.saturating_add(1);
                if self.streak >= STREAK && self.effective.is_none() {
                    self.effective = Some(now);
                }
            }
            Look::Unsent if self.unsent + 1 < OURS_MAX => self.unsent += 1,
            Look::Unsent | Look::Unmarked => {
                (self.streak, self.unsent, self.effective) = (0, 0, None);
                if before.is_some() {
                    self.stirred = now;
                }
            }
        }
        before != self.effective
    }

    fn is_stirred(&self, now: Timestamp) -> bool {
        now.duration_since(self.stirred) < FAST_FOR
    }

    /// Nothing is expected to change by itself.
    fn is_settled(&self) -> bool {
        let Some(state) = self.state.as_ref().filter(|_| self.trouble.is_none()) else { return false };
        let programmed = matches!(state.programmed, None | Some(Programming::Has(true) | Programming::Refused { .. }));
        let idle = state.active.is_none_or(|active| active.legacy == 0) || state.weights.target != 100;
        programmed && idle && (self.effective.is_some() || self.errand().is_none())
    }

    /// How to read the state next.
    pub fn reading(&self, now: Timestamp) -> Reading {
        let waits = self.state.as_ref().filter(|state| state.waits && self.is_settled());
        match waits {
            Some(state) => Reading { after: FAST, wait: Some(state.version.clone()) },
            None if self.is_stirred(now) && !self.is_settled() => Reading { after: FAST, wait: None },
            None => Reading { after: SLOW, wait: None },
        }
    }

    /// The pause between the beginnings of two looks at real answers.
    pub fn looking(&self, now: Timestamp) -> SignedDuration {
        match self.effective {
            Some(_) => WATCHFUL,
            None if self.streak > 0 => CONFIRMING,
            None if self.is_stirred(now) => FAST,
            None => SLOW,
        }
    }

    /// The answer for the engine.
    pub fn seen(&self) -> Sample<RouteSeen> {
        let value = match (&self.trouble, &self.state) {
            (Some(why), _) => Err(why.clone()),
            (None, None) => Err(Unknown::NotYet),
            (None, Some(state)) => Ok(self.route(state)),
        };
        Sample { value, taken_at: self.taken_at }
    }

    fn route(&self, state: &State) -> RouteSeen {
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
            effective: split.zip(self.effective).map(|(weight, since)| Effective { weight, since }),
            legacy_active: state.active.map(|active| active.legacy),
        }
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
    fn effective(cell: &Cell) -> Option<Effective> {
        cell.seen().value.unwrap().effective
    }

    fn thrice(cell: &mut Cell, errand: &Errand, now: Timestamp) {
        for _ in 0..3 {
            cell.looked(errand, Look::Marked, now);
        }
    }

    #[test]
    fn three_in_a_row_after_the_state_was_read_and_one_other_takes_it_back() {
        let mut cell = Cell::default();
        assert_eq!(cell.seen().value, Err(Unknown::NotYet));
        assert!(cell.learn(Ok(state("1", 50, "m1")), at(0), at(1)));
        let errand = cell.errand().unwrap();
        for (look, ms) in [(Look::Marked, 2), (Look::Marked, 3), (Look::Unmarked, 4), (Look::Marked, 5), (Look::Marked, 6)] {
            assert!(!cell.looked(&errand, look, at(ms)), "two in a row are not three");
        }
        assert!(cell.looked(&errand, Look::Marked, at(7)));
        assert_eq!(effective(&cell), Some(Effective { weight: Weight::new(50).unwrap(), since: at(7) }));
        assert!(!cell.looked(&errand, Look::Marked, at(1007)), "it stays since then");
        assert_eq!(effective(&cell).unwrap().since, at(7));
        assert!(cell.looked(&errand, Look::Unmarked, at(2007)));
        assert_eq!(effective(&cell), None);
        assert_eq!(cell.looking(at(2010)), FAST);
    }

    #[test]
    fn answers_to_what_was_sent_under_another_configuration_do_not_count() {
        let mut cell = Cell::default();
        cell.learn(Ok(state("1", 50, "m1")), at(0), at(0));
        let old = cell.errand().unwrap();
        cell.learn(Ok(state("2", 100, "m2")), at(1), at(1));
        (0..9).for_each(|_| assert!(!cell.looked(&old, Look::Marked, at(2))));
        assert_eq!(effective(&cell), None);
    }

    #[test]
    fn giving_up_the_claim_changes_nothing_about_what_is_effective() {
        let mut cell = Cell::default();
        cell.learn(Ok(state("1", 100, "m")), at(0), at(0));
        let errand = cell.errand().unwrap();
        thrice(&mut cell, &errand, at(5));
        assert!(cell.learn(Ok(state("2", 100, "m")), at(9), at(9)), "the version is news");
        assert_eq!(effective(&cell).unwrap().since, at(5));
    }

    #[test]
    fn our_own_lack_of_sockets_proves_nothing_until_it_lasts() {
        let mut cell = Cell::default();
        cell.learn(Ok(state("1", 50, "m")), at(0), at(0));
        let errand = cell.errand().unwrap();
        thrice(&mut cell, &errand, at(5));
        assert!(!cell.looked(&errand, Look::Unsent, at(6)) && !cell.looked(&errand, Look::Unsent, at(7)));
        assert!(cell.looked(&errand, Look::Unsent, at(8)));
        assert_eq!(effective(&cell), None);
    }

    #[test]
    fn a_look_that_began_earlier_does_not_overwrite_a_later_one() {
        let mut cell = Cell::default();
        cell.learn(Ok(state("2", 50, "m2")), at(10), at(11));
        assert!(!cell.learn(Ok(state("1", 0, "m1")), at(5), at(12)));
        assert_eq!(cell.seen().value.unwrap().version, "2");
    }

    #[test]
    fn trouble_is_unknown_and_passes() {
        let mut cell = Cell::default();
        cell.learn(Ok(state("1", 50, "m")), at(0), at(0));
        let why = Unknown::Unreachable("it is down".into());
        assert!(cell.learn(Err(why.clone()), at(200), at(201)));
        assert_eq!(cell.seen().value, Err(why));
        assert!(cell.learn(Ok(state("1", 50, "m")), at(400), at(401)));
    }

    #[test]
    fn it_is_read_fast_while_something_changes_and_waited_for_when_settled() {
        let mut cell = Cell::default();
        let mut pending = state("1", 50, "m");
        pending.programmed = Some(Programming::Has(false));
        cell.learn(Ok(pending), at(0), at(0));
        assert_eq!(cell.reading(at(1)), Reading { after: FAST, wait: None });
        assert_eq!(cell.reading(at(2_001)), Reading { after: SLOW, wait: None });
        cell.learn(Ok(state("1", 50, "m")), at(2_100), at(2_100));
        assert_eq!(cell.reading(at(2_101)).wait, None, "not effective yet");
        let errand = cell.errand().unwrap();
        thrice(&mut cell, &errand, at(2_200));
        assert_eq!(cell.reading(at(2_201)).wait.as_deref(), Some("1"));
        let mut busy = state("1", 100, "m");
        busy.active = Some(Active { legacy: 2 });
        cell.learn(Ok(busy), at(2_300), at(2_300));
        let errand = cell.errand().unwrap();
        thrice(&mut cell, &errand, at(2_301));
        assert_eq!(cell.reading(at(2_302)), Reading { after: FAST, wait: None }, "legacy still has requests");
    }

    #[test]
    fn what_nobody_of_us_ordered_is_said_and_not_looked_at() {
        let mut cell = Cell::default();
        let mut other = state("1", 50, "m");
        other.weights.legacy = 30;
        cell.learn(Ok(other), at(0), at(0));
        assert_eq!(cell.errand(), None);
        let seen = cell.seen().value.unwrap();
        assert_eq!(seen.accepted, Accepted::Other("legacy 30, target 50, and somebody else the rest".into()));
    }
}
