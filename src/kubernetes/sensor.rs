//! Looks at a run's routes, sides and gates, and at what people ordered.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::task::JoinSet;

use super::{
    api::{Api, Kind, Selection},
    approval::{self, Approvals},
    watch::{BEAT, SLOW, follow},
    world::{Watched, World},
};
use crate::{
    adapters::{
        prober::Prober,
        wake::{Listener, Wake},
    },
    engine::{Observed, Orders, Query, RunId, Sample, Unknown},
    plan::{Revision, Side, schedule::Durations},
    ports::Sensor,
};

/// A label selector no longer than this is given to the API server; beyond it everything is watched and sorted out here.
const SELECTOR_MAX: usize = 4000;

/// What people say of a run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Given {
    /// What it is to do.
    pub orders: Orders,
    /// How long work takes, as they measured.
    pub durations: Durations,
}

/// The newest of what people say of a run. All clones are the same.
#[derive(Debug, Clone, Default)]
pub struct GivenSlot {
    given: Arc<Mutex<Given>>,
    wake: Wake,
}
impl GivenSlot {
    /// One that begins with this.
    pub fn new(first: Given) -> Self {
        Self { given: Arc::new(Mutex::new(first)), wake: Wake::default() }
    }
    /// This is the newest.
    pub fn put(&self, newest: Given) {
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        if *given != newest {
            *given = newest;
            drop(given);
            self.wake.fire();
        }
    }
    fn get(&self) -> Given {
        self.given.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The sensor of one run. Dropping it ends its watches and probes.
#[derive(Debug)]
pub struct KubeSensor {
    world: Arc<World>,
    prober: Arc<Mutex<Prober>>,
    listener: Listener,
    given: GivenSlot,
    approvals: Approvals,
    asked: BTreeSet<Query>,
    _tasks: JoinSet<()>,
}

impl KubeSensor {
    /// Begins to watch. Has to be called inside the runtime.
    pub fn start(api: &Api, run: RunId, revision: Arc<Revision>, given: GivenSlot) -> Self {
        let wake = given.wake.clone();
        let prober = Arc::new(Mutex::new(Prober::new(Arc::clone(&revision), wake.clone())));
        let aimed = Arc::clone(&prober);
        let aim = move |service: &_, side, targets| {
            aimed.lock().unwrap_or_else(PoisonError::into_inner).set_targets(service, side, targets);
        };
        let approvals = Approvals::new(run.clone(), wake.clone());
        let world = Arc::new(World::new(run, revision, wake.clone(), Box::new(aim)));
        let mut tasks = JoinSet::new();
        if approval::asks(world.revision().plan()) {
            let (api, mut approvals) = (api.clone(), approvals.clone());
            let selection = Selection::all(Kind::APPROVAL, Some(world.namespace()));
            tasks.spawn(async move { follow(&api, &selection, SLOW, &mut approvals).await });
        }
        for of in Watched::ALL {
            let wanted = world.wanted(of);
            if wanted.is_empty() {
                continue;
            }
            let (api, world) = (api.clone(), Arc::clone(&world));
            let selection = selection(of, world.namespace(), &wanted);
            tasks.spawn(async move {
                let mut sink = world.sink(of);
                follow(&api, &selection, BEAT, &mut sink).await;
            });
        }
        let (api, watched) = (api.clone(), Arc::clone(&world));
        tasks.spawn(async move { watched.follow_gateways(&api).await });
        let listener = wake.listener();
        Self { world, prober, listener, given, approvals, asked: BTreeSet::new(), _tasks: tasks }
    }

    /// The world that the actuator has to share.
    pub fn world(&self) -> Arc<World> {
        Arc::clone(&self.world)
    }

    fn prober(&self) -> std::sync::MutexGuard<'_, Prober> {
        self.prober.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// As few objects of a kind as the API server can be asked for.
fn selection(of: Watched, namespace: &str, wanted: &BTreeSet<String>) -> Selection {
    let mut selection = Selection::all(of.kind(), Some(namespace));
    let only = wanted.first().filter(|_| wanted.len() == 1);
    match of {
        Watched::Slices => {
            let names: Vec<&str> = wanted.iter().map(String::as_str).collect();
            let selector = format!("{} in ({})", super::backend::SERVICE_NAME, names.join(","));
            selection.labels = (selector.len() <= SELECTOR_MAX).then_some(selector);
        }
        Watched::Routes | Watched::Services => selection.fields = only.map(|name| format!("metadata.name={name}")),
    }
    selection
}

impl Sensor for KubeSensor {
    fn watch(&mut self, queries: &BTreeSet<Query>) {
        if self.asked != *queries {
            self.asked.clone_from(queries);
            self.prober().watch(queries);
        }
    }

    fn seen(&mut self) -> Observed {
        self.listener.hear();
        let Given { orders, durations } = self.given.get();
        let mut seen = Observed { orders, durations, approvals: self.approvals.all(), ..Observed::default() };
        self.prober().fill(&mut seen);
        let plan = self.world.revision().plan();
        for query in &self.asked {
            let (Query::Route(name) | Query::Side(name, _)) = query else { continue };
            let Some(service) = plan.services.get(name) else { continue };
            match query {
                Query::Route(_) => {
                    if let Some(sample) = self.world.look_at_route(name, service) {
                        seen.routes.insert(name.clone(), sample);
                    }
                }
                Query::Side(_, side) => overlay(&mut seen, &self.world, name, *side),
                _ => {}
            }
        }
        seen
    }

    async fn changed(&mut self) {
        self.listener.changed().await;
    }
}

/// What the probes say of a side's health, and the cluster of its standing as a backend.
fn overlay(seen: &mut Observed, world: &World, name: &crate::plan::ServiceName, side: Side) {
    let Some(service) = world.revision().plan().services.get(name) else { return };
    let standing = world.look_at_backend(name, service, side);
    let Some(sides) = seen.sides.get_mut(name) else { return };
    let Some(Sample { value, taken_at }) = sides.get(side).cloned() else { return };
    let value = match (value, standing) {
        (Ok(mut health), Ok(backend)) => {
            health.backend = backend;
            Ok(health)
        }
        (Err(why), Ok(_)) => Err(why),
        (_, Err(why)) => Err::<_, Unknown>(why),
    };
    sides.set(side, Sample { value, taken_at });
}
