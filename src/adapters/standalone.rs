//! The world of a run without a cluster: plain hosts that are probed, routers behind the webhook contract, and a file with
//! people's orders.
//!
//! *Flow*: [`Standalone::new`] checks that everything the plan names can be looked at and steered from here, and gives a
//! sensor and an actuator that share the routes.
//! *Guarantees*: one news line for all of them, so that the loop sleeps until something happens.
//! *Assumptions*: runs inside a tokio runtime. Whoever writes the orders file replaces it in one step.
//! *Caveats*: orders are read within a quarter of a second of their writing.

mod orders;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::Arc,
};

use self::orders::OrdersFile;
use super::{
    http::Address,
    prober::Prober,
    wake::{Listener, Wake},
    webhook::{Watching, Webhook, signature::Key},
};
use crate::{
    engine::{Effect, Observed, Owner, Query, RunId},
    plan::{Place, Revision, Router, Service, ServiceName, Side, not_run_yet, schedule::Durations},
    ports::{Actuator, Performed, Sensor},
};

/// Why a plan cannot be run from here. All reasons at once.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this plan cannot run without a cluster:{}", .0.iter().map(|why| format!("\n  {why}")).collect::<String>())]
pub struct NotStandalone(pub Vec<String>);

/// Makes sensor and actuator of one run.
#[derive(Debug)]
pub struct Standalone;

/// Looks at everything that a standalone run is about.
#[derive(Debug)]
pub struct StandaloneSensor {
    routes: Routes,
    watching: BTreeMap<ServiceName, Watching>,
    prober: Prober,
    orders: OrdersFile,
    durations: Durations,
    listener: Listener,
}

impl StandaloneSensor {
    /// The same, which tells how long work takes where somebody measured.
    #[must_use]
    pub fn with_durations(self, durations: Durations) -> Self {
        Self { durations, ..self }
    }
}

/// Does the effects of a standalone run. Cheap to clone.
#[derive(Debug, Clone)]
pub struct StandaloneActuator {
    routes: Routes,
}

type Routes = Arc<BTreeMap<ServiceName, Webhook>>;

impl Standalone {
    /// Sensor and actuator for a run of this revision, with people's orders in the file `orders`, which need not exist.
    /// Keys are taken from the environment.
    ///
    /// # Errors
    /// Everything in the plan that takes a cluster, every key that is missing or too short, and an orders file that is there
    /// and cannot be read.
    #[allow(clippy::new_ret_no_self, reason = "the two halves are of no use but together")]
    pub fn new(revision: &Revision, run: &RunId, orders: &Path) -> Result<(StandaloneSensor, StandaloneActuator), NotStandalone> {
        Self::with_variables(revision, run, orders, |name| std::env::var(name).ok())
    }

    /// The same, with the environment variables from somewhere else.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn with_variables(
        revision: &Revision,
        run: &RunId,
        orders: &Path,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<(StandaloneSensor, StandaloneActuator), NotStandalone> {
        let wake = Wake::default();
        let by = Owner { run: run.clone(), name: revision.plan().name.to_string() };
        let mut routes = BTreeMap::new();
        let mut bad: Vec<String> = Vec::new();
        for (name, service) in &revision.plan().services {
            bad.extend(sides_elsewhere(name, service));
            match router(service, &variable) {
                Ok((address, key)) => {
                    routes.insert(name.clone(), Webhook::new(address, key, by.clone(), wake.clone()));
                }
                Err(why) => bad.push(format!("{name}: {why}")),
            }
        }
        let asking = revision.plan().phases.iter().filter(|(_, phase)| phase.approval.is_some());
        bad.extend(asking.map(|(name, _)| {
            format!("phase {name} waits for an approval; only a cluster knows who people are, so that they can approve there")
        }));
        bad.extend(not_run_yet(revision.plan()).iter().map(|part| part.message.clone()));
        let orders = OrdersFile::open(orders.to_owned(), wake.clone()).map_err(|why| bad.push(why)).ok();
        let Some(orders) = orders.filter(|_| bad.is_empty()) else { return Err(NotStandalone(bad)) };
        let routes = Arc::new(routes);
        let listener = wake.listener();
        let prober = Prober::new(Arc::new(revision.clone()), wake);
        let (watching, durations) = (BTreeMap::new(), Durations::default());
        let sensor = StandaloneSensor { routes: Arc::clone(&routes), watching, prober, orders, durations, listener };
        Ok((sensor, StandaloneActuator { routes }))
    }
}

fn sides_elsewhere<'a>(name: &'a ServiceName, service: &'a Service) -> impl Iterator<Item = String> + 'a {
    Side::BOTH.into_iter().filter_map(move |side| match &service.side(side).at {
        Place::Endpoints(_) => None,
        Place::Service(found) => {
            Some(format!("{name}: {side} is the Kubernetes Service {}; name its hosts as `endpoints` instead", found.name))
        }
    })
}

fn router(service: &Service, variable: impl Fn(&str) -> Option<String>) -> Result<(Address, Option<Key>), String> {
    let (url, key_from_env) = match &service.router {
        Router::Webhook { url, key_from_env } => (url, key_from_env),
        other => {
            return Err(format!("its router is the {other}; only a `webhook` router can be reached without a cluster"));
        }
    };
    let address = url.parse::<Address>().map_err(|why| why.to_string())?;
    let Some(name) = key_from_env else { return Ok((address, None)) };
    let text = variable(name).ok_or_else(|| format!("the environment variable {name} with the router's key is not set"))?;
    let key = Key::new(text.as_bytes()).map_err(|why| format!("the environment variable {name}: {why}"))?;
    Ok((address, Some(key)))
}

impl Sensor for StandaloneSensor {
    fn watch(&mut self, queries: &BTreeSet<Query>) {
        self.prober.watch(queries);
        self.orders.watch(queries.contains(&Query::Orders));
        self.watching.retain(|name, _| queries.contains(&Query::Route(name.clone())));
        for (name, route) in self.routes.iter() {
            if queries.contains(&Query::Route(name.clone())) && !self.watching.contains_key(name) {
                self.watching.insert(name.clone(), route.watch());
            }
        }
    }

    fn seen(&mut self) -> Observed {
        self.listener.hear(); // before looking: what comes while we look is news
        let mut seen = Observed { orders: self.orders.read(), durations: self.durations.clone(), ..Observed::default() };
        self.prober.fill(&mut seen);
        for name in self.watching.keys() {
            seen.routes.extend(self.routes.get(name).map(|route| (name.clone(), route.seen())));
        }
        seen
    }

    async fn changed(&mut self) {
        self.listener.changed().await;
    }
}

impl Actuator for StandaloneActuator {
    async fn perform(&self, effect: &Effect) -> Performed {
        let Some(name) = effect.action.service() else { return Performed::no_part(effect) };
        match self.routes.get(name) {
            Some(route) => route.perform(effect).await,
            None => Performed::Refused(format!("the plan has no service {name}")),
        }
    }
}
