//! A reverse proxy with two weighted sides a route, which speaks the `webhook` contract (`docs/design/webhook.md`).
//!
//! *Flow*: each route has a listener of its own for traffic ([`Router::address`]); one listener for all takes the contract's
//! `GET` and `PUT` ([`Router::url`]). `table` is the state of a route and its one transaction, `plane` passes requests on,
//! `control` reads and answers the contract's requests, `wheel` says who is next.
//! *Guarantees*: a request's side and mark come from one configuration, read under one lock; a switch of weights drops
//! nothing that is under way; a side with weight 0 gets nothing new. A failed request is **not** tried on the other side,
//! nor on another endpoint: a retry would hide what a move does. Answers of the router itself (502, 504) name the side that
//! they stand for.
//! *Assumptions*: one process, so that "every worker has it" is one assignment; between accepting weights and using them it
//! waits [`RouterSpec::propagation`], as real data planes do.
//! *Caveats*: nothing is kept on disk: the routes of a new router start at weight 0 and with versions of their own.

mod control;
mod plane;
mod table;
mod wheel;

use std::{collections::BTreeMap, io, net::SocketAddr, sync::Arc, time::Duration};

pub use self::table::{RouteView, Switch};
use self::{control::Control, plane::Plane, table::Table};
use super::server::Server;
use crate::{adapters::webhook::signature::Key, plan::ServiceName};

/// What a router is started with.
#[derive(Debug, Clone)]
pub struct RouterSpec {
    /// Its routes, one for each service.
    pub routes: Vec<RouteSpec>,
    /// From accepting weights to using them.
    pub propagation: Duration,
    /// How long an endpoint may take until its answer begins; then the router answers 504 in its stead.
    pub upstream_timeout: Duration,
    /// The key that the contract's requests have to be signed with; `None`: they need not be.
    pub key: Option<Key>,
}

/// A route: a service and the endpoints of its two sides.
#[derive(Debug, Clone)]
pub struct RouteSpec {
    /// The service.
    pub service: ServiceName,
    /// Its endpoints on the legacy side.
    pub legacy: Vec<SocketAddr>,
    /// Its endpoints on the target side.
    pub target: Vec<SocketAddr>,
}

/// A router. Dropped, it closes everything.
#[derive(Debug)]
pub struct Router {
    planes: BTreeMap<ServiceName, (Arc<Table>, Server<Plane>)>,
    control: Server<Control>,
}

impl Router {
    /// Starts it, all traffic on legacy.
    pub async fn start(spec: RouterSpec) -> io::Result<Self> {
        let mut planes = BTreeMap::new();
        for route in spec.routes {
            let table = Arc::new(Table::new(spec.propagation));
            let plane = Plane::new(table.clone(), route.legacy, route.target, spec.upstream_timeout);
            planes.insert(route.service, (table, Server::start(Arc::new(plane)).await?));
        }
        let routes = planes.iter().map(|(name, (table, plane))| (name.clone(), (table.clone(), plane.address()))).collect();
        let control = Server::start(Arc::new(Control { routes, key: spec.key })).await?;
        Ok(Self { planes, control })
    }

    /// The address of a route under the contract, as a plan names it.
    pub fn url(&self, service: &ServiceName) -> String {
        format!("http://{}/routes/{service}", self.control.address())
    }

    /// Where a service's traffic goes in.
    pub fn address(&self, service: &ServiceName) -> Option<SocketAddr> {
        self.planes.get(service).map(|(_, plane)| plane.address())
    }

    /// How a route stands.
    pub fn view(&self, service: &ServiceName) -> Option<RouteView> {
        self.planes.get(service).map(|(table, _)| table.view())
    }

    /// Returns when a service's requests are routed by this share of target; never for a service without a route.
    pub async fn in_force(&self, service: &ServiceName, percent: u8) {
        match self.planes.get(service) {
            Some((table, _)) => table.reached(percent).await,
            None => std::future::pending().await,
        }
    }

    /// Every change of weights that reached the traffic, oldest first.
    pub fn history(&self, service: &ServiceName) -> Vec<Switch> {
        self.planes.get(service).map(|(table, _)| table.history()).unwrap_or_default()
    }

    /// Kills the contract's listener, or brings it back; traffic goes on. For tests of what happens meanwhile.
    pub async fn control_reachable(&self, reachable: bool) -> io::Result<()> {
        if reachable {
            return self.control.up().await;
        }
        self.control.down().await;
        Ok(())
    }
}
