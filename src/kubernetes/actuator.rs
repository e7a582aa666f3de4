//! Does what the engine decided: one write for a weight, one to give a route up, and backends for plain hosts.
//!
//! *Guarantees*: nothing is written unless the route is the version that the decision rested on; what the write rests on
//! is tested again within it (`patch.rs`). A write that was done is in the world before `perform` returns. After one
//! that was refused or whose answer was lost the route is looked at again.

use std::{collections::BTreeSet, sync::Arc};

use serde_json::Value;

use super::{
    api::{Api, ApiError, At, Kind},
    backend::{self, Wanted},
    patch,
    route::{BackendName, Misfit, RuleName, owner, rule},
    world::{Watched, World, rule_name, version},
};
use crate::{
    engine::{Accepted, Action, Effect, Owner},
    plan::{Place, Service, ServiceName, Side, Weight},
    ports::{Actuator, Performed},
};

/// How often a write is tried that was refused because the object, but not its spec, was another one.
const TRIES: usize = 3;

/// The actuator of one run.
#[derive(Debug)]
pub struct KubeActuator {
    api: Api,
    world: Arc<World>,
    owner: Owner,
}

/// A weight to be set.
struct Shift<'a> {
    route: &'a str,
    rule: &'a RuleName,
    weight: Weight,
    mark: String,
}

impl KubeActuator {
    /// `name` is the run's name for people.
    pub fn new(api: Api, world: Arc<World>, name: String) -> Self {
        let owner = Owner { run: world.run().clone(), name };
        Self { api, world, owner }
    }

    fn at<'a>(&'a self, name: &'a str) -> At<'a> {
        At { namespace: self.world.namespace(), name }
    }

    /// Sets a weight. A first claim rests on the whole object, so that the write of a status meanwhile makes it fail; the
    /// decision rests on the spec, so it is tried again as long as that is the same.
    async fn shift(&self, shift: Shift<'_>, effect: &Effect) -> Performed {
        let mut refused = Performed::Refused(format!("HTTPRoute {} is not there", shift.route));
        for _ in 0..TRIES {
            let Some(route) = self.world.route(shift.route) else { return refused };
            if self.has(&route, &shift) {
                return Performed::Done;
            }
            if effect.precondition.version.as_ref().is_some_and(|expected| *expected != version(&route)) {
                return Performed::Refused(format!("HTTPRoute {} was changed since", shift.route));
            }
            refused = match patch::shift(&route, shift.rule, shift.weight, &shift.mark, &self.owner) {
                Ok(patch) => self.write(shift.route, &patch).await,
                Err(Misfit(why)) => return Performed::Refused(why),
            };
            let meanwhile = self.world.route(shift.route).is_some_and(|now| now != route);
            if !matches!(refused, Performed::Refused(_)) || !meanwhile {
                return refused;
            }
        }
        refused
    }

    /// Whether the route is as the order wants it: a second try of what was done is not a second write.
    fn has(&self, route: &Value, shift: &Shift<'_>) -> bool {
        let ours = owner(route).is_some_and(|owner| owner.run == self.owner.run);
        ours && rule(route, shift.rule)
            .is_ok_and(|rule| rule.accepted() == Accepted::Split(shift.weight) && rule.mark() == Some(shift.mark.as_str()))
    }

    async fn release(&self, route_name: &str, rule: &RuleName) -> Performed {
        let Some(route) = self.world.route(route_name) else { return Performed::Done };
        match patch::release(&route, rule, &self.owner.run) {
            Ok(Some(patch)) => self.write(route_name, &patch).await,
            Ok(None) => Performed::Done,
            Err(Misfit(why)) => Performed::Refused(why),
        }
    }

    async fn write(&self, route: &str, patch: &Value) -> Performed {
        tracing::debug!(route, "a patch is sent");
        let error = match self.api.json_patch(Kind::HTTP_ROUTE, self.at(route), patch).await {
            Ok(after) => {
                self.world.put(Watched::Routes, after);
                return Performed::Done;
            }
            Err(error) => error,
        };
        if let Ok(now) = self.api.get::<Value>(Kind::HTTP_ROUTE, self.at(route)).await {
            self.world.put(Watched::Routes, now);
        }
        performed(error)
    }

    async fn ensure(&self, name: &ServiceName, service: &Service, side: Side) -> Performed {
        let Place::Endpoints(hosts) = &service.side(side).at else { return Performed::Done };
        if let Err(why) = self.world.look_at_backend(name, service, side) {
            return Performed::Refused(why.to_string());
        }
        let of = BackendName::of(name, service, side);
        let wanted = backend::objects(self.world.namespace(), &of, hosts);
        let names: BTreeSet<&str> = wanted.iter().map(|object| object.name.as_str()).collect();
        for left in self.world.left_over_slices(&of.name, &names) {
            if let Err(error) = self.apply(&backend::emptied(self.world.namespace(), &of, &left)).await {
                return performed(error);
            }
        }
        for object in &wanted {
            if let Err(error) = self.apply(object).await {
                return performed(error);
            }
        }
        Performed::Done
    }

    async fn apply(&self, wanted: &Wanted) -> Result<(), ApiError> {
        let after = self.api.apply(wanted.kind, wanted.at(self.world.namespace()), &wanted.object).await?;
        let of = if wanted.kind == Kind::SERVICE { Watched::Services } else { Watched::Slices };
        self.world.put(of, after);
        Ok(())
    }
}

fn performed(error: ApiError) -> Performed {
    match error {
        ApiError::Denied(what) => Performed::Denied(what),
        ApiError::Unclear(what) | ApiError::Unreadable(what) => Performed::Unclear(what),
        other => Performed::Refused(other.to_string()),
    }
}

impl Actuator for KubeActuator {
    async fn perform(&self, effect: &Effect) -> Performed {
        let Some(name) = effect.action.service() else { return Performed::no_part(effect) };
        let Some(service) = self.world.revision().plan().services.get(name) else {
            return Performed::Refused(format!("the plan has no service {name}"));
        };
        if let Action::EnsureBackend { side, .. } = &effect.action {
            return self.ensure(name, service, *side).await;
        }
        let Some((route, rule)) = rule_name(name, service) else {
            return Performed::Refused(format!("{name} is not moved by an HTTPRoute"));
        };
        match &effect.action {
            Action::SetWeight { weight, .. } => {
                let shift = Shift { route: &route, rule: &rule, weight: *weight, mark: effect.key.mark() };
                self.shift(shift, effect).await
            }
            _ => self.release(&route, &rule).await,
        }
    }
}
