//! The Gateways that a run's routes hang on, and what is asked through them.

use std::{collections::BTreeSet, time::Duration};

use serde_json::{Value, json};

use super::{Watched, World, facts::State};
use crate::{
    adapters::effective::Question,
    kubernetes::{
        api::{Api, ApiError, At, Kind},
        gateway::{GatewayName, parents, questions},
        route::{Misfit, Rule},
    },
    plan::Service,
};

impl World {
    /// Looks up the Gateways of the routes whenever one is unknown, and each half minute, until it is dropped.
    pub async fn follow_gateways(&self, api: &Api) {
        loop {
            let names: BTreeSet<GatewayName> = {
                let state = self.state();
                let routes = state.routes.keys().into_iter().filter_map(|key| state.routes.get(&key));
                routes.flat_map(|route| parents(&route)).map(|parent| parent.gateway).collect()
            };
            let mut missing = false;
            for gateway in names {
                let found = api.get::<Value>(Kind::GATEWAY, At { namespace: &gateway.namespace, name: &gateway.name }).await;
                let usable = found.as_ref().is_ok_and(|found| found.pointer("/status/addresses/0").is_some());
                missing |= !usable;
                if self.learn_gateway(gateway, found) {
                    self.pass_on(Watched::Routes, None);
                }
            }
            let pause = Duration::from_secs(if missing { 1 } else { 30 });
            let _ = tokio::time::timeout(pause, self.gateway_wanted.notified()).await;
        }
    }

    /// Keeps of a Gateway what is read. One that cannot be reached now stays as it was. Says whether that is news.
    fn learn_gateway(&self, name: GatewayName, found: Result<Value, ApiError>) -> bool {
        let found = found.map(|gateway| {
            let part = |at: &str| gateway.pointer(at).cloned().unwrap_or_default();
            json!({ "spec": { "listeners": part("/spec/listeners") }, "status": { "addresses": part("/status/addresses") } })
        });
        let mut state = self.state();
        match (state.gateways.get(&name), &found) {
            (Some(Ok(_)), Err(ApiError::Unclear(_))) => false,
            (known, _) if known == Some(&found) => false,
            _ => {
                state.gateways.insert(name, found);
                true
            }
        }
    }
}

/// Where and what to ask for a rule, by the Gateways that were looked up.
pub(super) fn asked(state: &State, route: &Value, rule: &Rule<'_>, service: &Service) -> Result<Vec<Question>, Misfit> {
    questions(route, rule, service, |name| match state.gateways.get(name) {
        Some(Ok(gateway)) => Ok(gateway),
        Some(Err(error)) => Err(Misfit(error.to_string())),
        None => Err(Misfit(format!("Gateway {}/{} was not looked up yet", name.namespace, name.name))),
    })
}
