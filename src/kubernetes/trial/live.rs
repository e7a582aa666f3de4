//! What stands in the cluster now: the namespace's routes, Services and EndpointSlices, and the Gateways that the routes hang on.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::error;
use crate::{
    kubernetes::{
        api::{Api, ApiError, At, Kind, Selection},
        backend::SERVICE_NAME,
        gateway::{GatewayName, parents},
        route::Misfit,
        watch::name,
        world::rule_name,
    },
    plan::{Plan, Service, ServiceName},
    preview::report::{ClusterCode, ClusterFinding},
};

type Objects = BTreeMap<String, Vec<Value>>;

/// What was read once.
pub struct Live {
    /// The plan's namespace.
    pub namespace: String,
    routes: Result<Objects, ApiError>,
    services: Result<Objects, ApiError>,
    slices: Result<Objects, ApiError>,
    gateways: BTreeMap<GatewayName, Result<Value, ApiError>>,
}

impl Live {
    /// Reads all that the plan's services rest on.
    pub async fn look(api: &Api, plan: &Plan) -> Self {
        let namespace = plan.namespace.clone();
        let by_name = |object: &Value| name(object).to_owned();
        let by_service = |object: &Value| {
            let labels = object.pointer("/metadata/labels");
            labels.and_then(|labels| labels.get(SERVICE_NAME)).and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        let routes = all(api, Kind::HTTP_ROUTE, &namespace, by_name).await;
        let services = all(api, Kind::SERVICE, &namespace, by_name).await;
        let slices = all(api, Kind::ENDPOINT_SLICE, &namespace, by_service).await;
        let mut live = Self { namespace, routes, services, slices, gateways: BTreeMap::new() };
        for gateway in live.wanted_gateways(plan) {
            let at = At { namespace: &gateway.namespace, name: &gateway.name };
            let found = api.get::<Value>(Kind::GATEWAY, at).await;
            live.gateways.insert(gateway, found);
        }
        live
    }

    fn wanted_gateways(&self, plan: &Plan) -> BTreeSet<GatewayName> {
        let route = |(name, service): (&ServiceName, &Service)| self.route(&rule_name(name, service)?.0).ok().flatten();
        plan.services.iter().filter_map(route).flat_map(parents).map(|parent| parent.gateway).collect()
    }

    /// The namespaces of the Gateways that the plan's routes hang on.
    pub fn gateway_namespaces(&self) -> BTreeSet<&str> {
        self.gateways.keys().map(|gateway| gateway.namespace.as_str()).collect()
    }

    /// A route; `None`: there is none. An error: nobody knows.
    pub fn route(&self, name: &str) -> Result<Option<&Value>, &ApiError> {
        Ok(self.routes.as_ref()?.get(name).and_then(|found| found.first()))
    }

    /// A Service and its slices. An error: nobody knows.
    pub fn backend(&self, service: &str) -> Result<(Option<&Value>, &[Value]), &ApiError> {
        let found = self.services.as_ref()?.get(service).and_then(|found| found.first());
        Ok((found, self.slices.as_ref()?.get(service).map_or(&[], Vec::as_slice)))
    }

    /// A Gateway that a route hangs on.
    ///
    /// # Errors
    /// It is not there, or cannot be read.
    pub fn gateway(&self, name: &GatewayName) -> Result<&Value, Misfit> {
        match self.gateways.get(name) {
            Some(Ok(found)) => Ok(found),
            Some(Err(why)) => Err(Misfit(why.to_string())),
            None => Err(Misfit(format!("Gateway {}/{} was not looked up", name.namespace, name.name))),
        }
    }

    /// What could not be read, each kind once.
    pub fn unreadable(&self) -> Vec<ClusterFinding> {
        let kinds = [("HTTPRoutes", &self.routes), ("Services", &self.services), ("EndpointSlices", &self.slices)];
        let finding = |(kind, read): (&str, &Result<Objects, ApiError>)| {
            let why = read.as_ref().err()?;
            let place = format!("{kind} of namespace {}", self.namespace);
            let help = match why {
                ApiError::NotFound(_) => "install what serves this kind (for routes: the Gateway API) before the run",
                ApiError::Denied(_) => "ask as somebody who may list them",
                _ => "ask again; if it stays so, look at the API server",
            };
            Some(error(ClusterCode::Unreadable, place, format!("they cannot be read: {why}"), help))
        };
        kinds.into_iter().filter_map(finding).collect()
    }
}

/// All objects of a kind in a namespace, each under its key.
async fn all(api: &Api, kind: Kind, namespace: &str, key: impl Fn(&Value) -> String) -> Result<Objects, ApiError> {
    let of = Selection::all(kind, Some(namespace));
    let (mut all, mut next) = (Objects::new(), String::new());
    loop {
        let page = api.page::<Value>(&of, &next).await?;
        for object in page.items {
            all.entry(key(&object)).or_default().push(object);
        }
        next = page.metadata.next;
        if next.is_empty() {
            return Ok(all);
        }
    }
}
