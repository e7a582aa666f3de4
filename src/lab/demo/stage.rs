//! The lab of the demo: both estates, the router, whoever speaks for health, and the load.

use std::{collections::BTreeMap, io, net::SocketAddr, sync::Arc, time::Duration};

use hyper::{Request, StatusCode, body::Incoming};
use jiff::Timestamp;

use super::{
    document::{self, Place, RATE},
    fault::DemoFault,
};
use crate::{
    adapters::webhook::signature::Key,
    lab::{
        estate::{Estate, Fault},
        load::{FaultSpan, Load, LoadHandle, LoadReport, LoadSpec, Totals},
        router::{RouteSpec, RouteView, Router, RouterSpec, Switch},
        server::{Answer, Handler, Server, answer},
    },
    plan::{ServiceName, Side},
};

/// From accepting weights to using them: what Envoy behind a Gateway API controller was measured to take.
const PROPAGATION: Duration = Duration::from_millis(20);
/// When the router gives an endpoint up and answers 504.
const UPSTREAM_TIMEOUT: Duration = Duration::from_secs(1);
/// When a client gives up. Longer than the router's, so that the router can still say which side it was.
const CLIENT_TIMEOUT: Duration = Duration::from_millis(2500);
const ENDPOINTS: u8 = 2;

/// Everything that stands around the runner.
#[derive(Debug)]
pub(super) struct Stage {
    services: Vec<ServiceName>,
    legacy: Estate,
    target: Estate,
    router: Router,
    monitors: BTreeMap<ServiceName, Server<Monitor>>,
}

/// Speaks for the health of a service: 200 as long as it can be reached.
#[derive(Debug)]
struct Monitor;

impl Handler for Monitor {
    async fn answer(self: Arc<Self>, _request: Request<Incoming>) -> Answer {
        answer(StatusCode::OK, "no alarms\n")
    }
}

/// How one service looks from outside.
#[derive(Debug, Clone)]
pub struct Outlook {
    /// The service.
    pub service: ServiceName,
    /// Its route.
    pub route: RouteView,
    /// What is wrong with its legacy side.
    pub legacy: Option<Fault>,
    /// What is wrong with its target side.
    pub target: Option<Fault>,
}

impl Stage {
    pub(super) async fn set(services: Vec<ServiceName>, key: Key) -> io::Result<Self> {
        let legacy = Estate::start(Side::Legacy, &services, ENDPOINTS).await?;
        let target = Estate::start(Side::Target, &services, ENDPOINTS).await?;
        let route = |service: &ServiceName| RouteSpec {
            service: service.clone(),
            legacy: legacy.addresses(service),
            target: target.addresses(service),
        };
        let routes = services.iter().map(route).collect();
        let spec = RouterSpec { routes, propagation: PROPAGATION, upstream_timeout: UPSTREAM_TIMEOUT, key: Some(key) };
        let router = Router::start(spec).await?;
        let mut monitors = BTreeMap::new();
        for service in &services {
            monitors.insert(service.clone(), Server::start(Arc::new(Monitor)).await?);
        }
        Ok(Self { services, legacy, target, router, monitors })
    }

    /// The plan that moves what stands here.
    pub(super) fn plan(&self) -> String {
        let place = |service: &ServiceName| Place {
            service: service.clone(),
            legacy: self.legacy.addresses(service),
            target: self.target.addresses(service),
            route: self.router.url(service),
            monitor: self.monitors.get(service).map(|m| format!("http://{}/{service}", m.address())).unwrap_or_default(),
        };
        document::write(&self.services.iter().map(place).collect::<Vec<_>>())
    }

    /// Starts the load of every service.
    pub(super) fn load(&self) -> BTreeMap<ServiceName, LoadHandle> {
        let spec = |address: SocketAddr, service: &ServiceName| LoadSpec {
            address,
            host: format!("{service}.demo.example"),
            path: "/work".to_owned(),
            rate: RATE,
            timeout: CLIENT_TIMEOUT,
        };
        let started = self.services.iter().filter_map(|service| {
            let address = self.router.address(service)?;
            Some((service.clone(), Load::start(spec(address, service))))
        });
        started.collect()
    }

    /// How every service looks from outside, in the order of the plan.
    pub(super) fn outlook(&self) -> Vec<Outlook> {
        let look = |service: &ServiceName| {
            let (legacy, target) = (self.legacy.fault(service), self.target.fault(service));
            Some(Outlook { service: service.clone(), route: self.router.view(service)?, legacy, target })
        };
        self.services.iter().filter_map(look).collect()
    }

    /// Returns when this service's requests are routed by this weight.
    pub(super) async fn in_force(&self, service: &ServiceName, percent: u8) {
        self.router.in_force(service, percent).await;
    }

    /// Every change of weights that reached a service's traffic.
    pub(super) fn history(&self, service: &ServiceName) -> Vec<Switch> {
        self.router.history(service)
    }

    /// Injects a fault into a service. Gives what it explains from now on, if it is a side's.
    pub(super) async fn inject(&self, service: &ServiceName, fault: DemoFault) -> io::Result<Option<FaultSpan>> {
        let Some((side, fault)) = fault.on_side() else {
            if fault == DemoFault::GateUnknown
                && let Some(monitor) = self.monitors.get(service)
            {
                monitor.down().await;
            }
            return Ok(None);
        };
        let estate = if side == Side::Legacy { &self.legacy } else { &self.target };
        let from = Timestamp::now(); // before it is there: what fails from here on may be its doing
        estate.inject(service, Some(fault)).await?;
        Ok(Some(FaultSpan { side, from, until: None }))
    }
}

/// The sums of several loads.
pub(super) fn totals(loads: &BTreeMap<ServiceName, LoadHandle>) -> BTreeMap<ServiceName, Totals> {
    loads.iter().map(|(service, load)| (service.clone(), load.totals())).collect()
}

/// Ends all loads at once and waits for their accounts.
pub(super) async fn stop(loads: BTreeMap<ServiceName, LoadHandle>) -> BTreeMap<ServiceName, LoadReport> {
    let stopping = loads.into_iter().map(|(service, load)| async move { (service, load.stop().await) });
    futures_util::future::join_all(stopping).await.into_iter().collect()
}
