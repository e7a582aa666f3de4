//! A route as it really is, and as it is seen.

use std::hash::{Hash, Hasher};

use super::Facts;
use crate::{
    engine::{Accepted, Effective, Programmed, RouteSeen, Sample, Unknown, mark},
    plan::Weight,
    world::{
        clock::Moment,
        connections::Told,
        model::{Model, OURS, RunIx, ServiceModel},
    },
};

/// The mark of an order on a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mark {
    /// Whose order.
    pub run: RunIx,
    /// Its number.
    pub number: u32,
}

/// A route as it really is. Weights are shares of target in percent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route {
    /// The weight that was accepted last.
    pub accepted: u8,
    /// The mark that was written with it.
    pub mark: Option<Mark>,
    /// The run that drives it.
    pub owner: Option<RunIx>,
    /// Rises with every write.
    pub version: u32,
    /// The weight by which traffic is really split.
    pub in_force: u8,
    /// Since when.
    pub in_force_since: Moment,
    /// The accepted weights on their way through the data plane; `None`: they are in force.
    pub change: Option<Change>,
    /// Whether the router can be asked and written.
    pub reach: Reach,
    /// What the data plane does with new weights.
    pub plane: Plane,
}

/// States are hashed at every step of a search: what is small goes into as few words as hold it, each at a place of its own.
impl Hash for Route {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        let Self { accepted, mark, owner, version, in_force, in_force_since, change, reach, plane } = *self;
        let run = |run: Option<RunIx>| run.map_or(0, |run| u64::from(run) + 1);
        let way = match change {
            None => 0,
            Some(Change { programmed, .. }) => 1 + u64::from(programmed),
        };
        let shares = u64::from(accepted) | u64::from(in_force) << 8;
        let runs = run(owner) << 16 | run(mark.map(|mark| mark.run)) << 32;
        hasher.write_u64(shares | runs | way << 48 | (reach as u64) << 52 | (plane as u64) << 56);
        hasher.write_u64(u64::from(version) << 32 | u64::from(mark.map_or(0, |mark| mark.number)));
        in_force_since.hash(hasher);
        if let Some(Change { programmed_at, effective_at, programmed: _ }) = change {
            (programmed_at, effective_at).hash(hasher);
        }
    }
}

/// Accepted weights on their way through the data plane. Until they are in force traffic may be on either setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Change {
    /// When the data plane has them.
    pub programmed_at: Moment,
    /// When real answers show them.
    pub effective_at: Moment,
    /// Whether the data plane has them.
    pub programmed: bool,
}

/// Whether a router can be asked and written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Reach {
    /// It can.
    #[default]
    Answers,
    /// It does not answer; traffic flows on.
    Silent,
    /// The route was deleted; traffic flows on as the data plane last knew.
    Gone,
}

/// What a data plane does with new weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Plane {
    /// It takes them over.
    #[default]
    Takes,
    /// It does nothing with them, and says nothing.
    Stuck,
    /// It refuses them, and says so.
    Refuses,
}

/// All that the answer about a route is made of, but for when it was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RouteShown {
    route: Route,
    looking_since: Moment,
    legacy_active: Option<u64>,
}

impl Facts {
    /// Shows a route in the place of what was shown of it, and was made of this.
    pub(super) fn show_route(
        &self,
        model: &Model,
        service: &ServiceModel,
        route: &Route,
        (sample, made_of): (&mut Sample<RouteSeen>, &mut Option<RouteShown>),
    ) {
        sample.taken_at = model.timestamp(self.now);
        let legacy_active = self.legacy_active(model, service);
        let is = RouteShown { route: *route, looking_since: self.looking_since, legacy_active };
        if *made_of == Some(is) {
            return;
        }
        *made_of = Some(is);
        sample.value = match route.reach {
            Reach::Silent => Err(Unknown::Unreachable("the router does not answer".to_owned())),
            Reach::Gone => Err(Unknown::NotFound("the route".to_owned())),
            Reach::Answers => Ok(seen(model, service, is)),
        };
    }

    /// Requests and connections that legacy has, where the router can tell.
    fn legacy_active(&self, model: &Model, service: &ServiceModel) -> Option<u64> {
        let place = usize::from(service.connections?);
        let (kept, own) = (model.connections().get(place)?, self.connections.get(place)?);
        (kept.router == Told::Counted).then(|| u64::from(own.are_open()))
    }
}

fn seen(model: &Model, service: &ServiceModel, RouteShown { route, looking_since, legacy_active }: RouteShown) -> RouteSeen {
    let marked = |m: Mark| match m.run {
        OURS => mark(model.run(), &service.name, m.number),
        _ => format!("other-{}-{}", service.name, m.number),
    };
    let since = model.timestamp(route.in_force_since.max(looking_since));
    RouteSeen {
        version: route.version.to_string(),
        owner: route.owner.and_then(|run| model.owner(run)).cloned(),
        accepted: Accepted::Split(weight(route.accepted)),
        mark: route.mark.map(marked),
        programmed: match (route.change, route.plane) {
            (None, _) => Programmed::Yes,
            (Some(change), _) if change.programmed => Programmed::Yes,
            (Some(_), Plane::Refuses) => Programmed::Refused("the data plane does not take these weights".to_owned()),
            (Some(_), _) => Programmed::Pending,
        },
        effective: route.change.is_none().then_some(Effective { weight: weight(route.in_force), since }),
        legacy_active,
    }
}

/// A weight of these whole percents; more than 100 count as 100.
fn weight(percent: u8) -> Weight {
    Weight::new(u64::from(percent)).unwrap_or(Weight::FULL)
}
