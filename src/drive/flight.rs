//! Effects under way, and those that were tried already.

use std::{future::Future, pin::Pin};

use futures_util::{
    future::{AbortHandle, Abortable},
    stream::{FuturesUnordered, StreamExt as _},
};
use jiff::{SignedDuration, Timestamp};

use crate::{
    engine::{Action, Effect, EffectKey},
    ports::{Actuator, Clock, Performed},
};

/// How long an effect that changed nothing waits before it is tried again on the same version; doubled each time.
const FIRST_REPEAT: SignedDuration = SignedDuration::from_millis(250);
const LONGEST_REPEAT: SignedDuration = SignedDuration::from_secs(8);
/// For so long it is remembered that an effect was tried.
const MEMORY: SignedDuration = SignedDuration::from_mins(1);

/// An effect that ended.
#[derive(Debug)]
pub struct Landed {
    /// Which.
    pub effect: Effect,
    /// How it went.
    pub how: Performed,
}

/// An effect that was tried.
struct Tried {
    effect: Effect,
    times: u32,
    /// When it may be tried again. Not while it is under way.
    again_at: Timestamp,
}

/// Effects under way. Dropping it drops them.
pub struct Flight<'a, A, C> {
    actuator: &'a A,
    clock: &'a C,
    flying: FuturesUnordered<Pin<Box<dyn Future<Output = Landed> + Send + 'a>>>,
    under_way: Vec<(Effect, AbortHandle)>,
    tried: Vec<Tried>,
}

impl<'a, A: Actuator, C: Clock> Flight<'a, A, C> {
    pub fn new(actuator: &'a A, clock: &'a C) -> Self {
        Self { actuator, clock, flying: FuturesUnordered::new(), under_way: Vec::new(), tried: Vec::new() }
    }

    /// Whether nothing is under way.
    pub fn is_empty(&self) -> bool {
        self.flying.is_empty()
    }

    /// Begins those effects that are not under way, not past their deadline, and were not just tried in vain. Gives the
    /// moment at which one that was tried in vain may be tried again.
    pub fn launch(&mut self, effects: &[Effect], now: Timestamp) -> Option<Timestamp> {
        self.tried.retain(|tried| now.duration_since(tried.again_at) < MEMORY);
        let mut again = None::<Timestamp>;
        for effect in effects {
            if self.under_way.iter().any(|(other, _)| same(other, effect)) || effect.precondition.deadline <= now {
                continue;
            }
            match self.tried_in_vain(effect) {
                Some(at) if at > now => again = Some(again.map_or(at, |earlier| earlier.min(at))),
                _ => self.begin(effect.clone()),
            }
        }
        again
    }

    /// When an effect that was tried on the same version may be tried again. A new version is a new situation.
    fn tried_in_vain(&self, effect: &Effect) -> Option<Timestamp> {
        let before = self.tried.iter().find(|tried| same(&tried.effect, effect))?;
        (before.effect.precondition.version == effect.precondition.version).then_some(before.again_at)
    }

    fn begin(&mut self, effect: Effect) {
        self.give_up_older(&effect);
        let (actuator, clock) = (self.actuator, self.clock);
        let (abort, registration) = AbortHandle::new_pair();
        self.under_way.push((effect.clone(), abort));
        self.flying.push(Box::pin(async move {
            let how = tokio::select! {
                biased;
                how = Abortable::new(actuator.perform(&effect), registration) =>
                    how.unwrap_or_else(|_| unclear("a newer order took its place")),
                () = clock.sleep_until(effect.precondition.deadline) => unclear("there was no answer by its deadline"),
            };
            Landed { effect, how }
        }));
    }

    /// An order that a newer one replaces is not waited for: if it has not been sent it never will be. If it has, either
    /// of the two finds the route's version changed by the other, and is refused.
    fn give_up_older(&self, newer: &Effect) {
        let replaced = |key: &EffectKey| key.step.of == newer.key.step.of && (1..newer.key.number).contains(&key.number);
        let weight = |effect: &Effect| matches!(effect.action, Action::SetWeight { .. });
        if !weight(newer) {
            return;
        }
        self.under_way.iter().filter(|(effect, _)| weight(effect) && replaced(&effect.key)).for_each(|(_, abort)| abort.abort());
    }

    /// The next effect that ends; never, if none is under way. Dropping this future loses nothing.
    pub async fn landed(&mut self) -> Landed {
        let Some(landed) = self.flying.next().await else { return std::future::pending().await };
        self.under_way.retain(|(other, _)| !same(other, &landed.effect));
        self.remember(&landed.effect);
        landed
    }

    fn remember(&mut self, effect: &Effect) {
        let known = self.tried.iter().position(|tried| same(&tried.effect, effect));
        let before = known.map(|index| self.tried.swap_remove(index));
        let before = before.filter(|tried| tried.effect.precondition.version == effect.precondition.version);
        let times = before.map_or(0, |tried| tried.times.saturating_add(1));
        let pause = (FIRST_REPEAT * (1 << times.min(10))).min(LONGEST_REPEAT);
        let again_at = self.clock.now().saturating_add(pause).unwrap_or(Timestamp::MAX);
        self.tried.push(Tried { effect: effect.clone(), times, again_at });
    }
}

fn unclear(why: &str) -> Performed {
    Performed::Unclear(format!("{why}; it may be done, or be done yet"))
}

/// Whether two effects are the same one: the key, and what it does, for one step may prepare both sides.
fn same(one: &Effect, other: &Effect) -> bool {
    one.key == other.key && one.action == other.action
}
