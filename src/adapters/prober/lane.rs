//! What is known from one probe towards one side: rounds that are under way, and what the last ones said. No sockets here.

use std::{
    collections::{BTreeMap, VecDeque},
    net::SocketAddr,
};

use jiff::Timestamp;

use super::shot::Shot;
use crate::engine::{Answer, Round, Unknown, gate::ROUNDS_MIN};

/// So many rounds of one lane may be under way; a tick beyond that is left out.
const UNDER_WAY_MAX: usize = 64;

/// No look at a side is taken for stale before it is so old ([`crate::engine::side::stale_after`] is more than two seconds).
const OVERDUE: jiff::SignedDuration = jiff::SignedDuration::from_secs(2);

/// Identifies a round for the life of the process.
pub(super) type RoundId = u64;

/// One probe towards one side, or one HTTP check.
#[derive(Debug, Default)]
pub(super) struct Lane {
    under_way: VecDeque<Flight>,
    last: BTreeMap<SocketAddr, Last>,
    /// Rounds in a row, up to the last, in which no endpoint answered well.
    pub dead_rounds: u32,
    /// When the last complete round was sent.
    pub completed: Option<Timestamp>,
    /// Why the last complete round could not be sent to all endpoints.
    pub unsent: Option<Unknown>,
}

/// A round whose answers are not all there.
#[derive(Debug)]
struct Flight {
    id: RoundId,
    sent_at: Timestamp,
    left: usize,
    good: u32,
    bad: u32,
    unsent: Option<Unknown>,
    done_at: Option<Timestamp>,
}

/// The last answer of one endpoint.
#[derive(Debug)]
struct Last {
    sent_at: Timestamp,
    health: Health,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Health {
    Good,
    Bad,
}

/// Whether an endpoint still belongs to its side when its answer comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Member {
    /// It does.
    Current,
    /// It was taken out meanwhile: its failure means nothing.
    Gone,
}

/// What an answer made known.
#[derive(Debug, Default, PartialEq)]
pub(super) struct News {
    /// Rounds to be published.
    pub rounds: Vec<Round>,
    /// Whether something else than rounds changed: an endpoint's health, a count, a time.
    pub health: bool,
}

impl Lane {
    /// Begins a round towards so many endpoints, at least one; `None` if too many are under way.
    pub fn begin(&mut self, id: RoundId, sent_at: Timestamp, endpoints: usize) -> Option<RoundId> {
        if self.under_way.len() >= UNDER_WAY_MAX {
            return None;
        }
        let flight = Flight { id, sent_at, left: endpoints, good: 0, bad: 0, unsent: None, done_at: None };
        self.under_way.push_back(flight);
        Some(id)
    }

    /// A round towards a side that has no endpoint.
    pub fn empty(&mut self, sent_at: Timestamp, why: String) -> News {
        self.dead_rounds = self.dead_rounds.saturating_add(1);
        self.completed = Some(sent_at);
        self.unsent = None;
        News { rounds: vec![Round { sent_at, done_at: sent_at, answer: Answer::Bad(why) }], health: true }
    }

    /// A round that could not be sent, because nobody knows whereto.
    pub fn untargeted(&mut self, sent_at: Timestamp, why: Unknown) -> News {
        self.completed = Some(sent_at);
        self.unsent = Some(why.clone());
        News { rounds: vec![Round { sent_at, done_at: sent_at, answer: Answer::Unknown(why) }], health: true }
    }

    /// An endpoint's answer, or that there is none. The first failure of a round is published at once; a good round when it
    /// and all before it are complete, so that good rounds never overtake one that still hangs.
    pub fn answer(&mut self, id: RoundId, endpoint: SocketAddr, member: Member, shot: Shot, now: Timestamp) -> News {
        let mut news = News::default();
        let Some(flight) = self.under_way.iter_mut().find(|f| f.id == id) else {
            return news; // of a lane that was stopped and started again
        };
        flight.left = flight.left.saturating_sub(1);
        let health = match (shot, member) {
            (Shot::Good, _) => {
                flight.good += 1;
                Some(Health::Good)
            }
            (Shot::Bad(_), Member::Gone) => None,
            (Shot::Bad(why), Member::Current) => {
                flight.bad += 1;
                if flight.bad == 1 {
                    news.rounds.push(Round { sent_at: flight.sent_at, done_at: now, answer: Answer::Bad(why) });
                }
                Some(Health::Bad)
            }
            (Shot::Unsent(why), _) => {
                flight.unsent.get_or_insert(why);
                None
            }
        };
        if flight.left == 0 {
            flight.done_at = Some(now);
        }
        let sent_at = flight.sent_at;
        if let Some(health) = health {
            news.health |= self.remember(endpoint, sent_at, health);
        }
        self.land(&mut news);
        news
    }

    /// Whether that changed anything. Of two answers the one whose probe was sent later counts.
    fn remember(&mut self, endpoint: SocketAddr, sent_at: Timestamp, health: Health) -> bool {
        match self.last.get_mut(&endpoint) {
            Some(last) if last.sent_at > sent_at => false,
            Some(last) => {
                last.sent_at = sent_at;
                std::mem::replace(&mut last.health, health) != health
            }
            None => {
                self.last.insert(endpoint, Last { sent_at, health });
                true
            }
        }
    }

    /// Takes complete rounds out, oldest first.
    fn land(&mut self, news: &mut News) {
        while let Some((done_at, flight)) = self.under_way.front().and_then(|f| f.done_at).zip(self.under_way.front()) {
            let answer = match (&flight.unsent, flight.good, flight.bad) {
                (_, _, 1..) => None, // was published when the failure came
                (Some(why), _, 0) => Some(Answer::Unknown(why.clone())),
                (None, 1.., 0) => Some(Answer::Good),
                (None, 0, 0) => None, // all its endpoints are gone: nothing was learnt
            };
            news.rounds.extend(answer.map(|answer| Round { sent_at: flight.sent_at, done_at, answer }));
            let dead = match (&flight.unsent, flight.good, flight.bad) {
                (_, 1.., _) => 0,
                (None, 0, 1..) => self.dead_rounds.saturating_add(1),
                _ => self.dead_rounds,
            };
            let sent_at = flight.sent_at;
            let unsent = self.under_way.pop_front().and_then(|f| f.unsent);
            // A new time alone is news only if the one before may have been taken for stale.
            let overdue = self.completed.is_none_or(|before| sent_at.duration_since(before) >= OVERDUE);
            news.health |= overdue || dead != self.dead_rounds || unsent != self.unsent;
            (self.dead_rounds, self.completed, self.unsent) = (dead, Some(sent_at), unsent);
        }
    }

    /// Whether this endpoint's last answer was good.
    pub fn is_healthy(&self, endpoint: &SocketAddr) -> bool {
        self.last.get(endpoint).is_some_and(|last| last.health == Health::Good)
    }

    /// Forgets endpoints that are no longer there.
    pub fn retain(&mut self, keep: impl Fn(&SocketAddr) -> bool) {
        self.last.retain(|endpoint, _| keep(endpoint));
    }
}

/// The newest rounds of a gate, oldest first by the time they were sent.
#[derive(Debug)]
pub(super) struct Ring {
    rounds: VecDeque<Round>,
    capacity: usize,
}

impl Ring {
    /// Keeps so many rounds.
    pub fn new(capacity: usize) -> Self {
        Self { rounds: VecDeque::new(), capacity: capacity.max(1) }
    }

    /// Puts a round in its place. What is too much is the oldest round; but while there is no answer for long, it is the
    /// second of the unanswered ones: their first says since when nobody knows, the newest that it goes on, and
    /// the silence must not push out what was known before it.
    pub fn insert(&mut self, round: Round) {
        let place = self.rounds.iter().rposition(|r| r.sent_at <= round.sent_at).map_or(0, |at| at + 1);
        self.rounds.insert(place, round);
        if self.rounds.len() <= self.capacity {
            return;
        }
        let silent = self.rounds.iter().rev().take_while(|r| matches!(r.answer, Answer::Unknown(_))).count();
        if silent > ROUNDS_MIN as usize {
            self.rounds.remove(self.rounds.len() - silent + 1);
        } else {
            self.rounds.pop_front();
        }
    }

    /// All of them.
    pub fn to_vec(&self) -> Vec<Round> {
        self.rounds.iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millisecond(1_000_000 + ms).unwrap()
    }
    fn endpoint(last: u8) -> SocketAddr {
        SocketAddr::from(([10, 0, 0, last], 80))
    }
    fn bad(text: &str) -> Shot {
        Shot::Bad(text.into())
    }
    fn answers(news: &News) -> Vec<(Timestamp, Answer)> {
        news.rounds.iter().map(|r| (r.sent_at, r.answer.clone())).collect()
    }

    #[test]
    fn the_first_failure_is_published_at_once_and_only_it() {
        let mut lane = Lane::default();
        lane.begin(1, at(0), 3).unwrap();
        assert_eq!(lane.answer(1, endpoint(1), Member::Current, Shot::Good, at(1)).rounds, []);
        let news = lane.answer(1, endpoint(2), Member::Current, bad("a"), at(2));
        assert_eq!(news.rounds, [Round { sent_at: at(0), done_at: at(2), answer: Answer::Bad("a".into()) }]);
        assert_eq!(lane.completed, None, "a third answer is missing");
        assert_eq!(lane.answer(1, endpoint(3), Member::Current, bad("b"), at(3)).rounds, []);
        assert_eq!((lane.completed, lane.dead_rounds), (Some(at(0)), 0));
        assert!(lane.is_healthy(&endpoint(1)) && !lane.is_healthy(&endpoint(2)));
    }

    #[test]
    fn good_rounds_do_not_overtake_one_that_hangs_but_failures_do() {
        let mut lane = Lane::default();
        for id in 1..=3 {
            lane.begin(id, at(i64::try_from(id).unwrap() * 10), 1).unwrap();
        }
        assert_eq!(lane.answer(2, endpoint(1), Member::Current, Shot::Good, at(21)).rounds, []);
        assert_eq!(answers(&lane.answer(3, endpoint(1), Member::Current, bad("x"), at(31))), [(at(30), Answer::Bad("x".into()))]);
        let news = lane.answer(1, endpoint(1), Member::Current, bad("late"), at(40));
        assert_eq!(answers(&news), [(at(10), Answer::Bad("late".into())), (at(20), Answer::Good)]);
        assert!(!lane.is_healthy(&endpoint(1)), "the newest of its answers was bad");
        assert_eq!((lane.dead_rounds, lane.completed), (1, Some(at(30))));
    }

    #[test]
    fn dead_rounds_count_rounds_without_any_good_answer() {
        let mut lane = Lane::default();
        let mut round = |id, shots: [Shot; 2]| {
            lane.begin(id, at(i64::try_from(id).unwrap()), 2).unwrap();
            for (n, shot) in (1..).zip(shots) {
                lane.answer(id, endpoint(n), Member::Current, shot, at(100));
            }
            lane.dead_rounds
        };
        assert_eq!(round(1, [bad("x"), bad("x")]), 1);
        assert_eq!(round(2, [bad("x"), bad("x")]), 2);
        let unsent = || Shot::Unsent(Unknown::Unreachable("no socket".into()));
        assert_eq!(round(3, [unsent(), bad("x")]), 2, "one was not asked: neither dead nor alive");
        assert_eq!(round(4, [bad("x"), Shot::Good]), 0);
    }

    #[test]
    fn what_our_side_could_not_send_is_unknown_unless_another_endpoint_failed() {
        let mut lane = Lane::default();
        let why = Unknown::Unreachable("no socket".into());
        lane.begin(1, at(1), 2).unwrap();
        lane.answer(1, endpoint(1), Member::Current, Shot::Good, at(2));
        let news = lane.answer(1, endpoint(2), Member::Current, Shot::Unsent(why.clone()), at(2));
        assert_eq!(answers(&news), [(at(1), Answer::Unknown(why.clone()))]);
        assert_eq!(lane.unsent, Some(why.clone()));
        lane.begin(2, at(3), 2).unwrap();
        lane.answer(2, endpoint(1), Member::Current, Shot::Unsent(why), at(4));
        let news = lane.answer(2, endpoint(2), Member::Current, bad("x"), at(4));
        assert_eq!(answers(&news), [(at(3), Answer::Bad("x".into()))]);
    }

    #[test]
    fn an_endpoint_that_was_taken_out_meanwhile_fails_nothing() {
        let mut lane = Lane::default();
        lane.begin(1, at(1), 2).unwrap();
        lane.answer(1, endpoint(1), Member::Gone, bad("reset"), at(2));
        assert_eq!(answers(&lane.answer(1, endpoint(2), Member::Current, Shot::Good, at(2))), [(at(1), Answer::Good)]);
        lane.begin(2, at(3), 1).unwrap();
        assert_eq!(lane.answer(2, endpoint(1), Member::Gone, bad("reset"), at(4)).rounds, []);
        assert_eq!(lane.dead_rounds, 0);
    }

    #[test]
    fn rounds_under_way_are_bounded() {
        let mut lane = Lane::default();
        let begun = (0..1000).filter(|id| lane.begin(*id, at(0), 1).is_some()).count();
        assert_eq!(begun, UNDER_WAY_MAX);
    }

    #[test]
    fn a_ring_keeps_the_order_of_sending_and_what_was_known_before_a_silence() {
        let round = |ms, answer| Round { sent_at: at(ms), done_at: at(ms + 500), answer };
        let sent = |ring: &Ring| ring.to_vec().iter().map(|r| r.sent_at).collect::<Vec<_>>();
        let most = i64::from(ROUNDS_MIN) + 2;
        let mut ring = Ring::new(usize::try_from(most).unwrap());
        for ms in [10, 30, 20] {
            ring.insert(round(ms, Answer::Good));
        }
        assert_eq!(sent(&ring), [at(10), at(20), at(30)]);
        for ms in 100..200 {
            ring.insert(round(ms, Answer::Unknown(Unknown::NotYet)));
        }
        let newest = (200 - i64::from(ROUNDS_MIN) + 1..200).map(at);
        assert_eq!(sent(&ring), [at(20), at(30), at(100)].into_iter().chain(newest).collect::<Vec<_>>());
        for ms in 200..300 {
            ring.insert(round(ms, Answer::Good));
        }
        assert_eq!(sent(&ring), (300 - most..300).map(at).collect::<Vec<_>>());
    }
}
