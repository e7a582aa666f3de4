//! An independent judge: it looks at what the world went through and at what was done to it, never at why the engine thought
//! that right.
//!
//! *When it looks*: at each look of the loop ([`Memory::watch`]), when an effect is sent ([`sent`]), when it is done
//! ([`written`]), and when the run claims something to people ([`claims`]).
//! *What it goes by*: an effect is judged by what could be known when it was decided, that is by the truth of the facts that
//! were looked at, which may be stale but not older than the limits that the product promises. What other services have to
//! have reached is not wrong if it is so now: a stale look may not show it, and the record knows.
//! *Caveats*: what changes between a look and the arrival of an effect is nobody's fault; fences are what protects there.

mod bridge;
mod claims;
mod ends;
mod sent;
mod writer;

use std::fmt;

use super::{
    facts::Facts,
    model::{Ix, Model, ServiceModel, ms},
    people::Wish,
    refill::refill,
    task::Stands,
};
use crate::{
    engine::{Invariant, route::STALE},
    plan::{OnFailure, Side},
};

pub use self::{
    claims::claims,
    sent::{sent, written},
    writer::{changed, pauses},
};

/// Something that must never happen, and did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breach {
    /// Which invariant.
    pub invariant: Invariant,
    /// At which service.
    pub service: Ix,
    /// What happened, as a sentence without a full stop.
    pub detail: String,
}

/// What the judge remembers of a world's past, as far as the facts do not show it.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Memory {
    services: Vec<Past>,
    /// People ordered everything back at some time.
    ordered_back: bool,
    /// The newest doing of each task that was sent; kept only where a task may make a side the writer.
    doings: Vec<u32>,
}
refill!(Memory { services, ordered_back, doings });

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
struct Past {
    /// There was a reason in the world to take it back: one of its own, or of another that takes it along.
    cause: bool,
    /// One of its own: what it takes along has one as well then.
    own_cause: bool,
    /// The weights that stand were written by somebody else.
    by_hand: bool,
    /// The weight that stood last by our doing.
    ours: u8,
    /// Somebody else has written its weights at some time: what follows is not only our doing.
    touched: bool,
    /// The number of the newest order of ours that was sent: what is sent again was judged when it was given.
    sent: u32,
}

impl Memory {
    /// Nothing happened yet.
    pub fn new(model: &Model) -> Self {
        let tasks = if model.replications().is_empty() { 0 } else { model.tasks().len() };
        Self { services: vec![Past::default(); model.services().len()], ordered_back: false, doings: vec![0; tasks] }
    }

    fn of(&self, ix: Ix) -> Past {
        self.services.get(usize::from(ix)).copied().unwrap_or_default()
    }
    fn past(&mut self, ix: Ix) -> Option<&mut Past> {
        self.services.get_mut(usize::from(ix))
    }
    /// Somebody else wrote a weight. If it is the one that stood there by our doing, nothing of theirs is left.
    pub(super) fn by_hand(&mut self, ix: Ix, weight: u8) {
        self.past(ix).into_iter().for_each(|past| (past.by_hand, past.touched) = (weight != past.ours, true));
    }
    /// We sent an order of this number.
    pub(super) fn sent(&mut self, ix: Ix, number: u32) {
        self.past(ix).into_iter().for_each(|past| past.sent = past.sent.max(number));
    }
    /// We sent this doing of a task.
    pub(super) fn ordered(&mut self, task: u16, number: u32) {
        self.doings.get_mut(usize::from(task)).into_iter().for_each(|doing| *doing = number.max(*doing));
    }
    /// The newest doing of a task that was sent.
    fn doing(&self, task: u16) -> u32 {
        self.doings.get(usize::from(task)).copied().unwrap_or_default()
    }
    /// We wrote a weight.
    pub(super) fn written(&mut self, ix: Ix, weight: u8) {
        self.past(ix).into_iter().for_each(|past| (past.by_hand, past.ours) = (false, weight));
    }
    /// The weight that stood last by our doing.
    pub fn ours(&self, ix: Ix) -> u8 {
        self.of(ix).ours
    }
    /// Whether the weights that stand were written by somebody else.
    pub fn is_by_hand(&self, ix: Ix) -> bool {
        self.of(ix).by_hand
    }
    /// Whether somebody else has ever written the weights of this service.
    pub fn touched(&self, ix: Ix) -> bool {
        self.of(ix).touched
    }

    /// Remembers what in these facts is a reason to take a service back: an order of people, a gate or a task that fails, a
    /// gate that was silent for as long as its plan bears, a pause whose end would come after its budget, and the latest rollback of a window.
    pub fn watch(&mut self, model: &Model, facts: &Facts) {
        self.ordered_back |= facts.people.intent == Wish::Rollback || model.may_overrun(facts.now);
        for (ix, service) in (0..).zip(model.services()) {
            if rank(service, facts, ix, Side::Target, 1) == Rank::Dead && !self.of(ix).own_cause {
                self.may_go_back(model, ix);
            }
        }
        for (gate, rounds) in model.gates().iter().zip(&facts.gates) {
            let failing = gate.other.is_none() && rounds.bad_in_a_row(gate, facts.now) >= gate.failures;
            // Whoever was shown something old has been without an answer for as much longer.
            let silent = rounds.silent_for(facts.now).saturating_add(ms(STALE));
            let mute = gate.on_unknown == OnFailure::Rollback && silent >= gate.unknown_limit;
            if !(failing || mute) || self.of(gate.service).own_cause {
                continue;
            }
            self.may_go_back(model, gate.service);
        }
        for (task, _) in model.tasks().iter().zip(&facts.tasks).filter(|(_, own)| own.stands == Stands::Failed) {
            task.service.filter(|ix| !self.of(*ix).own_cause).into_iter().for_each(|ix| self.may_go_back(model, ix));
        }
        for (single, own) in model.replications().iter().zip(&facts.replications) {
            // The engine counts from its order, which needs a moment to take effect, and may have been lost and given again.
            let over = own.paused_since.is_some_and(|since| facts.now.since(since).saturating_add(GIVEN_AGAIN) >= single.latest);
            // Behind a fence nobody waits for a service of an earlier phase that goes back.
            if (over || self.turned_before(model, single.service)) && !self.of(single.service).own_cause {
                self.may_go_back(model, single.service);
            }
        }
    }

    /// Whether a service of a phase before this one's had a reason to go back.
    fn turned_before(&self, model: &Model, ix: Ix) -> bool {
        let before = model.phases_before(ix);
        let mut earlier = (0..).zip(model.services()).filter(|(_, other)| before.contains(&other.phase));
        earlier.any(|(other, _)| self.of(other).cause)
    }

    /// Nothing newer than this many milliseconds was shown for some time: whoever bears a gate's silence for less may go back.
    pub fn blind(&mut self, model: &Model, blind_for: i64) {
        let over = |limit: i64| blind_for.saturating_add(ms(STALE)) >= limit;
        for gate in model.gates().iter().filter(|gate| gate.on_unknown == OnFailure::Rollback && over(gate.unknown_limit)) {
            self.may_go_back(model, gate.service);
        }
    }

    /// There is a reason to take this service back, and all that goes with it.
    fn may_go_back(&mut self, model: &Model, ix: Ix) {
        let Some(service) = model.service(ix) else { return };
        let closure = model.revision().plan().rollback_closure(&service.name);
        self.past(ix).into_iter().for_each(|past| past.own_cause = true);
        for ix in closure.iter().filter_map(|name| model.index(name)) {
            self.past(ix).into_iter().for_each(|past| past.cause = true);
        }
    }
}

/// What is broken, at a service that the caller knows.
#[derive(Debug)]
struct Found {
    invariant: Invariant,
    detail: String,
}

impl Found {
    fn new(invariant: Invariant, detail: String) -> Self {
        Self { invariant, detail }
    }
    fn of(self, service: Ix) -> Option<Breach> {
        Some(Breach { invariant: self.invariant, service, detail: self.detail })
    }
}

/// For so long an order may be on its way, in milliseconds, given again once after it was lost.
const GIVEN_AGAIN: i64 = 20_000;

/// How well a side could carry a share: the same order as the design's, by the facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Dead,
    Short,
    Enough,
}

fn rank(service: &ServiceModel, facts: &Facts, ix: Ix, side: Side, percent: u8) -> Rank {
    let healthy = facts.service(ix).map_or(0, |s| s.side(side).healthy);
    match healthy {
        0 => Rank::Dead,
        _ if service.carries(side, healthy, percent) => Rank::Enough,
        _ => Rank::Short,
    }
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.invariant, self.detail)
    }
}
