//! All that a run knows of its cluster: routes, Gateways, Services and their endpoints, and what real answers show.
//!
//! *Flow*: watches put objects in; each change is passed on at once: new endpoints to the prober, a new mark to the
//! [`Echo`] that asks for it, and a ring of the [`Wake`]. The sensor reads, the actuator reads and puts in what a write
//! brought back, so that the next look never shows the state before our own write.

mod facts;
mod gateways;
mod watched;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde_json::Value;
use tokio::sync::Notify;

pub use self::watched::Watched;
use self::{
    facts::{RouteFacts, State},
    watched::Intake,
};
use super::{
    backend::{self, Standing},
    gateway::parents,
    mirror::{Keep, Mirror},
    route::{BackendName, RuleName},
    watch::Sink,
};
use crate::{
    adapters::{
        clock,
        effective::{Echo, Wanted},
        prober::Targets,
        wake::Wake,
    },
    engine::{Accepted, Backend, RouteSeen, RunId, Sample, Unknown},
    plan::{Place, Revision, Router, Service, ServiceName, Side},
};

/// Receives the endpoints of sides that are Services.
pub type Aim = Box<dyn Fn(&ServiceName, Side, Targets) + Send + Sync>;

/// The world of one run.
pub struct World {
    run: RunId,
    revision: Arc<Revision>,
    state: Mutex<State>,
    echoes: BTreeMap<ServiceName, Echo>,
    aim: Aim,
    wake: Wake,
    /// Rings when a Gateway is to be looked up.
    gateway_wanted: Notify,
}
impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("World").field("run", &self.run).finish_non_exhaustive()
    }
}

/// The route that a service is moved by, if it is an `HTTPRoute`: its name and the rule in it.
pub fn rule_name(name: &ServiceName, service: &Service) -> Option<(String, RuleName)> {
    let Router::HttpRoute { name: route, section_name } = &service.router else { return None };
    let legacy = BackendName::of(name, service, Side::Legacy);
    let target = BackendName::of(name, service, Side::Target);
    Some((route.clone(), RuleName { section: section_name.clone(), legacy, target }))
}

/// The version that an order rests on: of the very route, and of its spec. The writes of its status are no other version.
pub fn version(route: &Value) -> String {
    let of = |at: &str| route.pointer(at).map(ToString::to_string).unwrap_or_default();
    format!("{}/{}", of("/metadata/uid").trim_matches('"'), of("/metadata/generation"))
}

impl World {
    /// An empty world. Has to be made inside the runtime.
    pub fn new(run: RunId, revision: Arc<Revision>, wake: Wake, aim: Aim) -> Self {
        let (mut routes, mut services) = (BTreeSet::new(), BTreeSet::new());
        let mut echoes = BTreeMap::new();
        for (name, service) in &revision.plan().services {
            let by_route = rule_name(name, service);
            for side in Side::BOTH {
                if by_route.is_some() || matches!(service.side(side).at, Place::Service(_)) {
                    services.insert(BackendName::of(name, service, side).name);
                }
            }
            if let Some((route, _)) = by_route {
                routes.insert(route);
                echoes.insert(name.clone(), Echo::new(wake.clone()));
            }
        }
        let state = State {
            routes: Mirror::new(Keep::Routes, routes),
            slices: Mirror::new(Keep::Slices, services.clone()),
            services: Mirror::new(Keep::Services, services),
            gateways: BTreeMap::new(),
            facts: BTreeMap::new(),
        };
        Self { run, revision, state: Mutex::new(state), echoes, aim, wake, gateway_wanted: Notify::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
    /// The run.
    pub fn run(&self) -> &RunId {
        &self.run
    }
    /// The revision.
    pub fn revision(&self) -> &Revision {
        &self.revision
    }
    /// The namespace of all objects of the run, Gateways excepted.
    pub fn namespace(&self) -> &str {
        &self.revision.plan().namespace
    }
    /// The names by which a kind is wanted.
    pub fn wanted(&self, of: Watched) -> BTreeSet<String> {
        self.state().mirror(of).wanted().clone()
    }
    /// A route as it was last seen.
    pub fn route(&self, name: &str) -> Option<Value> {
        self.state().routes.get(name)
    }
    /// Our own slices of a Service that bear none of these names.
    pub fn left_over_slices(&self, service: &str, wanted: &BTreeSet<&str>) -> Vec<Value> {
        let mut left = self.state().slices.of(service);
        left.retain(|slice| backend::is_left_over(slice, wanted));
        left
    }

    /// Takes an object in that a write or a look brought back.
    pub fn put(&self, of: Watched, object: Value) {
        let changed = self.state().mirror(of).put(object);
        self.changed(of, &changed);
    }

    /// Passes on what changed under these names.
    fn changed(&self, of: Watched, keys: &[String]) {
        for key in keys {
            self.pass_on(of, Some(key));
        }
    }

    /// Passes on what changed: to the prober, to the echoes, and to whoever waits. `None`: everything of this kind.
    fn pass_on(&self, of: Watched, key: Option<&str>) {
        for (name, service) in &self.revision.plan().services {
            match of {
                Watched::Routes => self.route_changed(name, service, key),
                Watched::Services | Watched::Slices => self.backend_changed(name, service, key),
            }
        }
        self.wake.fire();
    }

    /// Reads the backends of a service anew, and tells the prober where the endpoints of a side are that is a Service.
    fn backend_changed(&self, name: &ServiceName, service: &Service, key: Option<&str>) {
        for side in Side::BOTH {
            let of = BackendName::of(name, service, side);
            if key.is_some_and(|key| key != of.name) {
                continue;
            }
            let mut state = self.state();
            if !state.services.is_listed() || !state.slices.is_listed() {
                continue;
            }
            let standing = state.read_backend(name, service, side);
            state.facts(name).backends.insert(side, standing);
            if matches!(service.side(side).at, Place::Endpoints(_)) {
                continue;
            }
            let (found, slices) = (state.services.get(&of.name), state.slices.of(&of.name));
            drop(state);
            let targets = match backend::endpoints(&of, found.as_ref(), slices.iter()) {
                Standing::There(endpoints) => Targets::Known(endpoints),
                // Whoever asks for it gets no answer: that is known, and as bad as a side whose endpoints are all gone.
                Standing::Absent(what) => {
                    tracing::debug!(service = %name, %side, what, "a side is not there");
                    Targets::Known(BTreeSet::new())
                }
            };
            (self.aim)(name, side, targets);
        }
    }

    /// Reads the route of a service anew, and looks for the mark that it has now, if it is ours.
    fn route_changed(&self, name: &ServiceName, service: &Service, key: Option<&str>) {
        let (Some((route_name, _)), Some(echo)) = (rule_name(name, service), self.echoes.get(name)) else { return };
        if key.is_some_and(|key| key != route_name) {
            return;
        }
        let mut state = self.state();
        let facts = state.read_route(name, service);
        state.facts(name).route.clone_from(&facts);
        let gateways = state.routes.get(&route_name).as_ref().map(parents).unwrap_or_default();
        if gateways.into_iter().any(|parent| !state.gateways.contains_key(&parent.gateway)) {
            self.gateway_wanted.notify_one();
        }
        drop(state);
        let ours = facts.filter(|route| route.owner.as_ref().is_some_and(|owner| owner.run == self.run));
        let Some(RouteFacts { accepted: Accepted::Split(weight), mark: Some(mark), questions, .. }) = ours else {
            return echo.ask(None);
        };
        match questions {
            Ok(questions) => echo.ask(Some(Wanted { questions, mark, weight })),
            Err(why) => tracing::debug!(service = %name, %why, "its answers cannot be asked for now"),
        }
    }

    /// What is known of a service's route.
    pub fn look_at_route(&self, name: &ServiceName, service: &Service) -> Option<Sample<RouteSeen>> {
        let (route_name, _) = rule_name(name, service)?;
        let state = self.state();
        let taken_at = match state.routes.alive() {
            Ok(at) => at,
            Err(why) => return Some(Sample { value: Err(why), taken_at: clock::now() }),
        };
        let Some(route) = state.facts.get(name).and_then(|facts| facts.route.as_ref()) else {
            let what = format!("HTTPRoute {}/{route_name}", self.namespace());
            return Some(Sample { value: Err(Unknown::NotFound(what)), taken_at });
        };
        let ours = route.owner.as_ref().is_some_and(|owner| owner.run == self.run);
        if let (Err(why), false, Accepted::Split(_)) = (&route.questions, ours, &route.accepted) {
            // Nothing is begun whose effect could not be seen. What has begun can go back all the same.
            return Some(Sample { value: Err(Unknown::NotFound(why.0.clone())), taken_at });
        }
        let seen = RouteSeen {
            version: route.version.clone(),
            owner: route.owner.clone(),
            accepted: route.accepted.clone(),
            mark: route.mark.clone(),
            programmed: route.programmed.clone(),
            effective: self.echoes.get(name).and_then(Echo::seen).filter(|_| route.mark.is_some()),
            legacy_active: None,
        };
        Some(Sample { value: Ok(seen), taken_at })
    }

    /// How a side stands as a backend of the route; an error if the route must not name it.
    pub fn look_at_backend(&self, name: &ServiceName, service: &Service, side: Side) -> Result<Backend, Unknown> {
        if rule_name(name, service).is_none() && matches!(service.side(side).at, Place::Endpoints(_)) {
            return Ok(Backend::Present); // the router behind a webhook needs no object of ours
        }
        let state = self.state();
        let standing = state.facts.get(name).and_then(|facts| facts.backends.get(&side)).cloned();
        // While the API server is away the last answer stands: whether a side is healthy is not its business.
        standing.unwrap_or_else(|| Err(state.services.alive().and(state.slices.alive()).err().unwrap_or(Unknown::NotYet)))
    }

    /// A sink that keeps this kind.
    pub fn sink(self: &Arc<Self>, of: Watched) -> impl Sink + use<> {
        Intake { world: Arc::clone(self), of }
    }
}
