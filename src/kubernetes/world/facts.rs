//! What the objects of the cluster say of each service.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Watched, gateways::asked, rule_name, version};
use crate::{
    adapters::effective::Question,
    engine::{Accepted, Backend, Owner, Programmed, Unknown},
    kubernetes::{
        api::ApiError,
        backend::{self, Standing, Verdict},
        gateway::GatewayName,
        mirror::Mirror,
        route::{BackendName, Misfit, owner, programmed, rule},
    },
    plan::{Place, Service, ServiceName, Side},
};

/// All objects, and what follows from them.
pub(super) struct State {
    pub routes: Mirror,
    pub services: Mirror,
    pub slices: Mirror,
    pub gateways: BTreeMap<GatewayName, Result<Value, ApiError>>,
    /// What follows from all that for each service; made anew when something of it changes, so that a look costs little.
    pub facts: BTreeMap<ServiceName, Facts>,
}

/// What is known of a service.
#[derive(Debug, Clone, Default)]
pub(super) struct Facts {
    /// `None`: there is no such route.
    pub route: Option<RouteFacts>,
    pub backends: BTreeMap<Side, Result<Backend, Unknown>>,
}

/// What is known of a route, but for what real answers show.
#[derive(Debug, Clone)]
pub(super) struct RouteFacts {
    pub version: String,
    pub owner: Option<Owner>,
    pub accepted: Accepted,
    pub mark: Option<String>,
    pub programmed: Programmed,
    /// What is asked to see its effect, or why nothing can be.
    pub questions: Result<Vec<Question>, Misfit>,
}

impl State {
    /// The objects of a kind.
    pub fn mirror(&mut self, of: Watched) -> &mut Mirror {
        match of {
            Watched::Routes => &mut self.routes,
            Watched::Services => &mut self.services,
            Watched::Slices => &mut self.slices,
        }
    }
    /// What is known of a service.
    pub fn facts(&mut self, name: &ServiceName) -> &mut Facts {
        self.facts.entry(name.clone()).or_default()
    }

    /// Reads the route of a service.
    pub fn read_route(&self, name: &ServiceName, service: &Service) -> Option<RouteFacts> {
        let (route_name, rule_name) = rule_name(name, service)?;
        let route = self.routes.get(&route_name)?;
        let (accepted, mark, questions) = match rule(&route, &rule_name) {
            Ok(rule) => (rule.accepted(), rule.mark().map(str::to_owned), asked(self, &route, &rule, service)),
            Err(misfit) => (Accepted::Other(misfit.0.clone()), None, Err(misfit)),
        };
        let (version, owner, programmed) = (version(&route), owner(&route), programmed(&route));
        Some(RouteFacts { version, owner, accepted, mark, programmed, questions })
    }

    /// Reads how a side stands as a backend; an error if the route must not name it.
    pub fn read_backend(&self, name: &ServiceName, service: &Service, side: Side) -> Result<Backend, Unknown> {
        let of = BackendName::of(name, service, side);
        let (found, slices) = (self.services.get(&of.name), self.slices.of(&of.name));
        match &service.side(side).at {
            Place::Service(_) => match backend::endpoints(&of, found.as_ref(), slices.iter()) {
                Standing::There(_) => Ok(Backend::Present),
                Standing::Absent(_) => Ok(Backend::Absent),
            },
            Place::Endpoints(hosts) => match backend::compare(&of, hosts, found.as_ref(), slices.iter()) {
                Verdict::Right => Ok(Backend::Present),
                Verdict::ToMake => Ok(Backend::Missing),
                Verdict::Foreign(why) => Err(Unknown::Denied(why)),
            },
        }
    }
}
