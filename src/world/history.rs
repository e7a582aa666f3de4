//! Where the traffic of each service went, for how long, and whether that side could carry it.

use super::{
    clock::Moment,
    facts::Facts,
    model::{Ix, Model, ServiceModel},
};
use crate::plan::Side;

/// A stretch of time in which nothing changed for the traffic of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// From this moment.
    pub from: Moment,
    /// Until this moment, exclusive; the newest ends where the history does.
    pub until: Moment,
    /// The share of target in percent.
    pub target: u8,
    /// The share that is on its way through the data plane: traffic may be split like this already.
    pub towards: Option<u8>,
    /// The share of the traffic, in percent, that went to a side which could not carry it.
    pub lost: u8,
}

impl Stretch {
    fn same(&self, other: &Self) -> bool {
        (self.target, self.towards, self.lost) == (other.target, other.towards, other.lost)
    }
}

/// The traffic of all services from the beginning.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    services: Vec<Vec<Stretch>>,
    /// For each single-writer service, since when nobody can write, and for how long that was so at most, in milliseconds.
    pauses: Vec<(Option<Moment>, i64)>,
}

impl History {
    /// Notes how things stand. To be called whenever something changed, before time passes again.
    pub fn note(&mut self, model: &Model, facts: &Facts) {
        self.services.resize(model.services().len(), Vec::new());
        self.pauses.resize(model.replications().len(), (None, 0));
        for (own, (since, longest)) in facts.replications.iter().zip(&mut self.pauses) {
            let begun = since.or(own.paused_since);
            *longest = (*longest).max(begun.map_or(0, |begun| facts.now.since(begun)));
            *since = own.paused_since;
        }
        for ((service, own), stretches) in model.services().iter().zip(&facts.services).zip(&mut self.services) {
            let route = &own.route;
            let towards = route.change.map(|_| route.accepted).filter(|towards| *towards != route.in_force);
            let lost = lost(service, facts, own, route.in_force).max(towards.map_or(0, |w| lost(service, facts, own, w)));
            let stretch = Stretch { from: facts.now, until: facts.now, target: route.in_force, towards, lost };
            match stretches.last_mut() {
                Some(last) if last.same(&stretch) => last.until = facts.now,
                Some(last) if last.from == facts.now => *last = stretch,
                Some(last) => {
                    last.until = facts.now;
                    stretches.push(stretch);
                }
                None => stretches.push(stretch),
            }
        }
    }

    /// The stretches of one service, oldest first.
    pub fn of(&self, ix: Ix) -> &[Stretch] {
        self.services.get(usize::from(ix)).map_or(&[], Vec::as_slice)
    }

    /// The longest pause of a single-writer service in which nobody could write, from the beginning of a fence to the first
    /// write that was accepted again; in milliseconds.
    pub fn pause(&self, model: &Model, ix: Ix) -> i64 {
        let place = model.replications().iter().position(|single| single.service == ix);
        place.and_then(|place| self.pauses.get(place)).map_or(0, |(_, longest)| *longest)
    }

    /// Requests of a service that went where they could not be carried, at its highest rate.
    pub fn requests_lost(&self, model: &Model, ix: Ix) -> u64 {
        let peak = model.service(ix).map_or(0, |service| service.peak);
        let lost = self.of(ix).iter().map(|s| u64::try_from(s.until.since(s.from)).unwrap_or(0) * u64::from(s.lost));
        (lost.sum::<u64>() * peak).div_ceil(100_000)
    }
}

/// The share of the traffic that goes to a side which cannot carry it, headroom left out.
fn lost(service: &ServiceModel, _facts: &Facts, own: &super::facts::ServiceFacts, target: u8) -> u8 {
    let share = |side| if side == Side::Target { target } else { 100 - target };
    let fails = |side: Side| {
        let (healthy, share) = (own.side(side).healthy, share(side));
        let numbers = service.sides.get(side as usize);
        let needed = (service.peak * u64::from(share)).div_ceil(100);
        let enough = numbers.and_then(|n| n.per_endpoint).is_none_or(|each| u64::from(healthy) * each >= needed);
        share > 0 && (healthy == 0 || !enough)
    };
    Side::BOTH.into_iter().filter(|side| fails(*side)).map(share).sum()
}
