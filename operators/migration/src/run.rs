//! One live run, from the moment it is seen to its end.
//!
//! *Guarantees*: a run that may have moved traffic bears our finalizer before anything is done for it, so that its deletion
//! is an order to take everything back and never strands traffic; the finalizer goes when the run has ended.
//! *Caveats*: whoever takes the finalizer away by hand takes the responsibility as well: routes stay as they are, and
//! owned by a run that is no more.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Duration};

use gapless::{
    adapters::clock::{self, SystemClock},
    drive::{Finish, Ports, Until, drive},
    engine::{Intent, Orders, RunId},
    kubernetes::{
        actuator::KubeActuator,
        api::{Api, ApiError, At, Kind, Selection},
        crd::{Condition, ConditionStatus, MigrationPlanRevision, MigrationRun, bounded},
        patch::release,
        revision::unpack,
        route::owner,
        sensor::{Given, GivenSlot, KubeSensor},
        store::{KubeStore, RunName, read},
        world::rule_name,
    },
    plan::{Revision, Router, not_run_yet},
};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::events::{Events, Report, Tone};

/// The run's revision is not there.
const NO_REVISION: &str = "NoRevision";
/// Keeps a run from vanishing while it may have moved traffic.
pub const FINALIZER: &str = "gapless.dev/traffic";
/// Lets a deleted run go although it has not ended; traffic stays where it is.
pub const ABANDON: &str = "gapless.dev/abandon";
/// After something that time may mend.
const AGAIN: Duration = Duration::from_secs(5);

/// What all runs share.
#[derive(Debug)]
pub struct Shared {
    /// The API server.
    pub api: Api,
    /// Where milestones go.
    pub events: Events,
    /// Where journals go.
    pub journals: Option<PathBuf>,
}

/// Why a run's task is to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// It is not.
    Go,
    /// The process ends; another one will go on.
    Shutdown,
    /// The run is no more.
    Gone,
    /// A person lets the run go; traffic stays where it is.
    Abandon,
}

/// Why a run cannot be driven for now.
struct Trouble {
    reason: &'static str,
    message: String,
}
impl Trouble {
    fn new(reason: &'static str, message: impl ToString) -> Self {
        Self { reason, message: message.to_string() }
    }
}

/// The name of a run.
pub fn name(run: &MigrationRun) -> Option<RunName> {
    let meta = &run.metadata;
    Some(RunName { namespace: meta.namespace.clone()?, name: meta.name.clone()?, uid: meta.uid.clone()? })
}

/// What people say of a run.
pub fn given(run: &MigrationRun) -> Given {
    Given { orders: orders(run), durations: run.spec.durations.clone() }
}

/// What people ordered. Deleting a run is an order to take everything back.
fn orders(run: &MigrationRun) -> Orders {
    let spec = &run.spec;
    let by = spec.by.clone().or_else(|| Some(spec.started_by.clone()));
    // What is no name of a service is none of this run's either.
    let attempts = |of: &BTreeMap<String, u32>| of.iter().filter_map(|(name, at)| Some((name.parse().ok()?, *at))).collect();
    let (retries, declared) = (attempts(&spec.retries), attempts(&spec.declared));
    let given = Orders { intent: spec.intent, resumes: spec.resumes, retries, declared, by };
    match run.metadata.deletion_timestamp {
        None => given,
        Some(_) => Orders { intent: Intent::Rollback, by: Some("whoever deleted the run".into()), ..given },
    }
}

/// Whether a run that is being deleted is to be let go as it is.
pub fn is_abandoned(run: &MigrationRun) -> bool {
    let annotation = run.metadata.annotations.as_ref().and_then(|all| all.get(ABANDON));
    run.metadata.deletion_timestamp.is_some() && annotation.is_some_and(|value| value == "true")
}

/// Whether the run has ended by its record.
pub fn has_ended(run: &MigrationRun) -> bool {
    let record = run.status.as_ref().and_then(|status| status.record.as_ref());
    record.is_some_and(|record| record.get("ended").is_some_and(|ended| !ended.is_null()))
}

/// Whether the run bears our finalizer.
pub fn is_held(run: &MigrationRun) -> bool {
    run.metadata.finalizers.as_ref().is_some_and(|all| all.iter().any(|one| one == FINALIZER))
}

/// Drives a run to its end, or until it is told to stop.
pub async fn live(shared: Arc<Shared>, run: MigrationRun, given: GivenSlot, mut stop: watch::Receiver<Stop>) {
    let Some(name) = name(&run) else { return };
    let mut told: Option<String> = None;
    loop {
        match attempt(&shared, &run, &name, &given, &mut stop).await {
            Ok(Finish::Ended(_)) => return let_go(&shared.api, &name).await,
            Ok(Finish::Stopped | Finish::Held) => break,
            Err(trouble) if trouble.reason == NO_REVISION && nothing_to_take_back(&shared.api, &name).await => {
                return let_go(&shared.api, &name).await;
            }
            Err(trouble) => {
                tracing::warn!(run = %name.name, namespace = %name.namespace, reason = trouble.reason, "{}", trouble.message);
                if told.as_ref() != Some(&trouble.message) {
                    shared.events.tell(&name, Tone::Warning, trouble.reason, &trouble.message);
                    say(&shared.api, &name, &trouble).await;
                    told = Some(trouble.message);
                }
            }
        }
        tokio::select! {
            () = tokio::time::sleep(AGAIN) => {}
            _ = stop.wait_for(|stop| *stop != Stop::Go) => break,
        }
    }
    let why = *stop.borrow();
    stopped(&shared, &run, &name, why).await;
}

/// Whether a run that is being deleted, and whose revision is gone, owns no route any more: so it is when its namespace is
/// deleted with all that is in it. As long as it owns one it stays, and a person has to bring the revision back, or
/// abandon it.
async fn nothing_to_take_back(api: &Api, name: &RunName) -> bool {
    let Ok(run) = api.get::<MigrationRun>(Kind::RUN, name.at()).await else { return false };
    if run.metadata.deletion_timestamp.is_none() {
        return false;
    }
    let of = Selection::all(Kind::HTTP_ROUTE, Some(&name.namespace));
    let mut next = String::new();
    loop {
        let Ok(page) = api.page::<Value>(&of, &next).await else { return false };
        if page.items.iter().filter_map(owner).any(|owner| owner.run.0 == name.uid) {
            return false;
        }
        next = page.metadata.next;
        if next.is_empty() {
            return true;
        }
    }
}

async fn stopped(shared: &Shared, run: &MigrationRun, name: &RunName, why: Stop) {
    if why != Stop::Abandon {
        return;
    }
    shared.events.tell(name, Tone::Warning, "Abandoned", "the run is let go; traffic stays where it is");
    if let Ok(revision) = revision(&shared.api, run, name).await {
        give_up_routes(&shared.api, &revision, name).await;
    }
    let_go(&shared.api, name).await;
}

async fn attempt(
    shared: &Shared,
    run: &MigrationRun,
    name: &RunName,
    given: &GivenSlot,
    stop: &mut watch::Receiver<Stop>,
) -> Result<Finish, Trouble> {
    let revision = Arc::new(revision(&shared.api, run, name).await?);
    if let Some((service, other)) = other_router(&revision) {
        return Err(Trouble::new(
            "RouterNotServed",
            format!("service {service} is moved by {other}, which this operator does not speak to"),
        ));
    }
    let parts = not_run_yet(revision.plan());
    if !parts.is_empty() {
        let parts: Vec<&str> = parts.iter().map(|part| part.message.as_str()).collect();
        return Err(Trouble::new("NotRunYet", parts.join("; ")));
    }
    if read(run, &revision).is_ok_and(|record| record.journal.seq == 0) {
        shared.events.tell(name, Tone::Normal, "Started", &format!("started by {}", run.spec.started_by));
    }
    hold_on(&shared.api, name).await.map_err(|error| Trouble::new("NoFinalizer", error))?;
    let store = KubeStore::new(shared.api.clone(), name.clone(), Arc::clone(&revision), shared.journals.clone());
    let store = store.map_err(|error| Trouble::new("NoJournal", error))?;
    let sensor = KubeSensor::start(&shared.api, RunId(name.uid.clone()), Arc::clone(&revision), given.clone());
    let actuator = KubeActuator::new(shared.api.clone(), sensor.world(), format!("{}/{}", name.namespace, name.name));
    let reporter = Report::new(shared.events.clone(), name.clone());
    let mut ports = Ports { store, sensor, actuator, clock: SystemClock, reporter };
    let told = async {
        let _ = stop.wait_for(|stop| *stop != Stop::Go).await; // the sender lives as long as this task
    };
    let end = drive(&revision, &mut ports, Until::Ended, told).await;
    end.map(|end| end.finish).map_err(|error| Trouble::new("RecordBroken", error))
}

/// The revision of a run, proven by its digest.
async fn revision(api: &Api, run: &MigrationRun, name: &RunName) -> Result<Revision, Trouble> {
    let at = At { namespace: &name.namespace, name: &run.spec.revision };
    let object: MigrationPlanRevision = api.get(Kind::REVISION, at).await.map_err(|error| Trouble::new(NO_REVISION, error))?;
    unpack(&object).map_err(|error| Trouble::new("BadRevision", error))
}

fn other_router(revision: &Revision) -> Option<(String, String)> {
    let mut services = revision.plan().services.iter();
    services
        .find(|(_, service)| !matches!(service.router, Router::HttpRoute { .. }))
        .map(|(name, service)| (name.to_string(), service.router.to_string()))
}

/// Puts our finalizer on a run that has none. A run that is being deleted cannot get one any more; it has it then, or goes.
async fn hold_on(api: &Api, name: &RunName) -> Result<(), ApiError> {
    let run: MigrationRun = api.get(Kind::RUN, name.at()).await?;
    if is_held(&run) || run.metadata.deletion_timestamp.is_some() {
        return Ok(());
    }
    let mut finalizers = run.metadata.finalizers.unwrap_or_default();
    finalizers.push(FINALIZER.into());
    let version = run.metadata.resource_version.unwrap_or_default();
    let patch = json!({ "metadata": { "uid": name.uid, "resourceVersion": version, "finalizers": finalizers } });
    api.merge::<Value>(Kind::RUN, name.at(), &patch).await.map(drop)
}

/// Takes our finalizer away; tries until it is done, for without that the run can never be deleted.
pub async fn let_go(api: &Api, name: &RunName) {
    loop {
        match without_finalizer(api, name).await {
            Ok(()) | Err(ApiError::NotFound(_)) => return,
            Err(error) => {
                tracing::warn!(run = %name.name, %error, "the finalizer could not be taken away");
                tokio::time::sleep(AGAIN).await;
            }
        }
    }
}

async fn without_finalizer(api: &Api, name: &RunName) -> Result<(), ApiError> {
    let run: MigrationRun = api.get(Kind::RUN, name.at()).await?;
    if run.metadata.uid.as_deref() != Some(&name.uid) || !is_held(&run) {
        return Ok(());
    }
    let rest: Vec<String> = run.metadata.finalizers.into_iter().flatten().filter(|one| one != FINALIZER).collect();
    let version = run.metadata.resource_version.unwrap_or_default();
    let patch = json!({ "metadata": { "uid": name.uid, "resourceVersion": version, "finalizers": rest } });
    api.merge::<Value>(Kind::RUN, name.at(), &patch).await.map(drop)
}

/// Gives up every route that the run still owns; weights stay.
async fn give_up_routes(api: &Api, revision: &Revision, name: &RunName) {
    for (service, model) in &revision.plan().services {
        let Some((route_name, rule)) = rule_name(service, model) else { continue };
        let at = At { namespace: &name.namespace, name: &route_name };
        let Ok(route) = api.get::<Value>(Kind::HTTP_ROUTE, at).await else { continue };
        if let Ok(Some(patch)) = release(&route, &rule, &RunId(name.uid.clone()))
            && let Err(error) = api.json_patch(Kind::HTTP_ROUTE, at, &patch).await
        {
            tracing::warn!(run = %name.name, route = route_name, %error, "a route could not be given up");
        }
    }
}

/// Says in the run's status why it cannot be driven. Its record, if there is one, is not touched.
async fn say(api: &Api, name: &RunName, trouble: &Trouble) {
    let Ok(run) = api.get::<MigrationRun>(Kind::RUN, name.at()).await else { return };
    let mut conditions = run.status.map(|status| status.conditions).unwrap_or_default();
    conditions.retain(|known| known.kind != "Stalled" && known.kind != "Reconciling");
    for (kind, status) in [("Stalled", ConditionStatus::True), ("Reconciling", ConditionStatus::False)] {
        conditions.push(Condition {
            kind: kind.into(),
            status,
            reason: trouble.reason.into(),
            message: bounded(&trouble.message, 1024),
            last_transition_time: clock::now().to_string(),
            observed_generation: run.metadata.generation,
        });
    }
    let status = json!({ "state": "Stalled", "observedGeneration": run.metadata.generation, "conditions": conditions });
    if let Err(error) = api.merge_status(Kind::RUN, name.at(), &json!({ "status": status })).await {
        tracing::warn!(run = %name.name, %error, "the run's status could not be written");
    }
}
