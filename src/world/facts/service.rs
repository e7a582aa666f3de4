//! A service with its two sides, and as they are seen.

use std::hash::{Hash, Hasher};

use super::{Facts, Plane, Reach, Route};
use crate::{
    engine::{Backend, Sample, SideSeen, SidesSeen},
    plan::Side,
    world::{
        clock::Moment,
        model::{Model, ServiceModel},
        task::Access,
    },
};

/// A service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ServiceFacts {
    /// Its route.
    pub route: Route,
    /// Legacy and target.
    pub sides: [SideFacts; 2],
}

impl ServiceFacts {
    /// One of its sides.
    pub fn side(&self, side: Side) -> &SideFacts {
        let [legacy, target] = &self.sides;
        match side {
            Side::Legacy => legacy,
            Side::Target => target,
        }
    }
    /// The same, to be changed.
    pub fn side_mut(&mut self, side: Side) -> &mut SideFacts {
        let [legacy, target] = &mut self.sides;
        match side {
            Side::Legacy => legacy,
            Side::Target => target,
        }
    }
}

/// A side of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SideFacts {
    /// Endpoints that answer well.
    pub healthy: u32,
    /// Since when it is so many.
    pub since: Moment,
    /// Whether the router knows it.
    pub known: bool,
    /// Whether it may write; asked only where a single side may.
    pub writes: Access,
}

/// As [`Route`] is hashed.
impl Hash for SideFacts {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        let Self { healthy, since, known, writes } = *self;
        hasher.write_u64(u64::from(healthy) | u64::from(known) << 32 | (writes as u64) << 40);
        since.hash(hasher);
    }
}

impl ServiceFacts {
    pub(super) fn new(service: &ServiceModel, since: Moment) -> Self {
        let sides = service.sides.map(|numbers| SideFacts {
            healthy: numbers.endpoints,
            since,
            known: numbers.known,
            writes: Access::Open,
        });
        let [legacy, mut target] = sides;
        if service.is_single_writer() {
            target.writes = Access::Closed;
        }
        let sides = [legacy, target];
        let route = Route {
            accepted: 0,
            mark: None,
            owner: None,
            version: 1,
            in_force: 0,
            in_force_since: since,
            change: None,
            reach: Reach::Answers,
            plane: Plane::Takes,
        };
        Self { route, sides }
    }
}

impl Facts {
    pub(super) fn show_sides(&self, model: &Model, service: &ServiceModel, facts: &ServiceFacts, seen: &mut SidesSeen) {
        for side in Side::BOTH {
            let (own, numbers) = (facts.side(side), service.sides.get(side as usize));
            let value = SideSeen {
                endpoints: numbers.map_or(0, |n| n.endpoints),
                healthy: own.healthy,
                dead_rounds: self.dead_rounds(service, own),
                backend: if own.known { Backend::Present } else { Backend::Missing },
            };
            seen.set(side, Sample { value: Ok(value), taken_at: model.timestamp(self.now) });
        }
    }

    /// Rounds in a row in which no endpoint of this side answered, as far as the sensor knows and the engine cares.
    pub(in crate::world) fn dead_rounds(&self, service: &ServiceModel, side: &SideFacts) -> u32 {
        if side.healthy > 0 {
            return 0;
        }
        let rounds = self.now.since(side.since.max(self.looking_since)) / service.every + 1;
        u32::try_from(rounds).unwrap_or(u32::MAX).min(service.failures)
    }
}
