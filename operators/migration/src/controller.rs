//! Watches runs and plans, and keeps one task for each live run.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use gapless::{
    adapters::clock,
    kubernetes::{
        api::{ApiError, Kind, Selection},
        crd::{MigrationPlan, MigrationRun},
        sensor::GivenSlot,
        store::RunName,
        watch::{SLOW, Sink, follow},
    },
};
use jiff::Timestamp;
use serde_json::Value;
use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
};

use crate::{
    events::Tone,
    health::Health,
    outage::{self, Outage},
    plans,
    run::{Shared, Stop, given, has_ended, is_abandoned, is_held, let_go, live, name},
};

/// How often the server has to prove that orders would come through.
const BEAT: Duration = Duration::from_secs(20);
/// How long runs have to come to the end of their round when the process ends.
const GRACE: Duration = Duration::from_secs(10);

/// Something that happened to runs.
enum News {
    Run(Box<MigrationRun>),
    RunGone(String),
    /// All runs that there are.
    Runs(BTreeSet<String>),
    Alive,
    /// Why nothing is heard any more.
    Lost(String),
}

/// A run that is being driven.
struct Live {
    name: RunName,
    given: GivenSlot,
    stop: watch::Sender<Stop>,
    task: JoinHandle<()>,
}

/// The controller.
pub struct Controller {
    shared: Arc<Shared>,
    health: Health,
    namespace: Option<String>,
    runs: BTreeMap<String, Live>,
    outage: Outage,
}

impl Controller {
    /// One that knows nothing yet.
    pub fn new(shared: Arc<Shared>, health: Health, namespace: Option<String>) -> Self {
        Self { shared, health, namespace, runs: BTreeMap::new(), outage: Outage::default() }
    }

    /// Watches, until it is dropped.
    pub async fn watch(&mut self) {
        let (tell, mut news) = mpsc::unbounded_channel();
        let of = |kind| Selection::all(kind, self.namespace.as_deref());
        let (runs, plans) = (of(Kind::RUN), of(Kind::PLAN));
        let api = self.shared.api.clone();
        let mut runs_sink = Runs { tell, listed: BTreeSet::new() };
        let (tell_plan, changed_plans) = mpsc::unbounded_channel();
        let mut plans_sink = Plans { tell: tell_plan };
        let follow_both = async {
            tokio::join!(follow(&api, &runs, BEAT, &mut runs_sink), follow(&api, &plans, SLOW, &mut plans_sink));
        };
        let take = async {
            while let Some(one) = news.recv().await {
                self.take(one);
            }
        };
        tokio::join!(follow_both, take, plans::check_all(&api, changed_plans));
    }

    /// Stops every run between two rounds.
    pub async fn stop(&mut self) {
        let runs = std::mem::take(&mut self.runs);
        for live in runs.values() {
            let _ = live.stop.send(Stop::Shutdown); // a task that has ended needs no telling
        }
        let all = async {
            for live in runs.into_values() {
                let _ = live.task.await;
            }
        };
        if tokio::time::timeout(GRACE, all).await.is_err() {
            tracing::warn!("some runs did not come to the end of their round; they go on from their record");
        }
    }

    fn take(&mut self, news: News) {
        match news {
            News::Run(run) => self.run(*run),
            News::RunGone(uid) => self.end(&uid, Stop::Gone),
            News::Runs(all) => {
                let gone: Vec<String> = self.runs.keys().filter(|uid| !all.contains(*uid)).cloned().collect();
                gone.iter().for_each(|uid| self.end(uid, Stop::Gone));
                self.is_back();
            }
            News::Alive => self.is_back(),
            News::Lost(why) => self.is_away(&why),
        }
    }

    fn live(&mut self) -> Vec<RunName> {
        self.runs.retain(|_, live| !live.task.is_finished());
        self.runs.values().map(|live| live.name.clone()).collect()
    }

    fn is_away(&mut self, why: &str) {
        self.health.unready();
        if let Some(since) = self.outage.lost(clock::now()) {
            let names: Vec<String> = self.live().iter().map(|run| format!("{}/{}", run.namespace, run.name)).collect();
            tracing::warn!("{}", outage::begins(since, &names, why));
        }
    }

    /// Says so in the log and to every run, so that it is found where people look for why a run took longer.
    fn is_back(&mut self) {
        self.health.ready();
        if let Some(since) = self.outage.over() {
            let text = outage::is_over(since, clock::now());
            let runs = self.live();
            tracing::info!(runs = runs.len(), "the API server is back; {text}");
            runs.iter().for_each(|run| self.shared.events.tell(run, Tone::Warning, "ApiServerBack", &text));
        }
    }

    fn run(&mut self, run: MigrationRun) {
        let Some(found) = name(&run) else { return };
        self.runs.retain(|_, live| !live.task.is_finished());
        if is_abandoned(&run) && is_held(&run) {
            if !self.runs.contains_key(&found.uid) {
                self.start(run, found.clone()); // to give its routes up in the ordinary way
            }
            return self.end(&found.uid, Stop::Abandon);
        }
        if has_ended(&run) {
            if is_held(&run) && !self.runs.contains_key(&found.uid) {
                let shared = Arc::clone(&self.shared);
                tokio::spawn(async move { let_go(&shared.api, &found).await });
            }
            return;
        }
        match self.runs.get(&found.uid) {
            Some(live) => live.given.put(given(&run)),
            None if run.metadata.deletion_timestamp.is_some() && !is_held(&run) => {}
            None => self.start(run, found),
        }
    }

    fn start(&mut self, run: MigrationRun, name: RunName) {
        let slot = GivenSlot::new(given(&run));
        let (stop, stopped) = watch::channel(Stop::Go);
        let task = tokio::spawn(live(Arc::clone(&self.shared), run, slot.clone(), stopped));
        self.runs.insert(name.uid.clone(), Live { name, given: slot, stop, task });
    }

    fn end(&mut self, uid: &str, why: Stop) {
        if let Some(live) = self.runs.get(uid) {
            let _ = live.stop.send(why); // a task that has ended needs no telling
        }
    }
}

/// Passes runs on.
struct Runs {
    tell: mpsc::UnboundedSender<News>,
    listed: BTreeSet<String>,
}
/// Passes plans on.
struct Plans {
    tell: mpsc::UnboundedSender<Box<MigrationPlan>>,
}

impl Runs {
    fn tell(&self, news: News) {
        let _ = self.tell.send(news); // nobody listens any more only when the process ends
    }
}

/// An object of one of our kinds; one that cannot be read is named in the log and left alone.
fn read<T: serde::de::DeserializeOwned>(object: Value) -> Option<Box<T>> {
    let name = object.pointer("/metadata/name").cloned().unwrap_or_default();
    match serde_json::from_value(object) {
        Ok(found) => Some(Box::new(found)),
        Err(error) => {
            tracing::warn!(%name, %error, "an object cannot be read and is left alone");
            None
        }
    }
}

/// A run without what nobody here reads: of its record only how it ended. Whoever drives a run reads its record anew, and
/// each edge of a large run would pass through here as a tree of a megabyte.
fn trimmed(mut run: Value) -> Value {
    if let Some(metadata) = run.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.shift_remove("managedFields");
    }
    if let Some(Value::Object(record)) = run.pointer_mut("/status/record") {
        record.retain(|key, _| key == "ended");
    }
    run
}

fn uid(object: &Value) -> String {
    object.pointer("/metadata/uid").and_then(Value::as_str).unwrap_or_default().to_owned()
}

impl Sink for Runs {
    fn begin(&mut self) {
        self.listed.clear();
    }
    fn put(&mut self, object: Value) {
        self.listed.insert(uid(&object));
        if let Some(run) = read(trimmed(object)) {
            self.tell(News::Run(run));
        }
    }
    fn gone(&mut self, object: &Value) {
        self.listed.remove(&uid(object));
        self.tell(News::RunGone(uid(object)));
    }
    fn listed(&mut self) {
        let all = std::mem::take(&mut self.listed);
        self.tell(News::Runs(all));
    }
    fn alive(&mut self, _: Timestamp) {
        self.tell(News::Alive);
    }
    fn lost(&mut self, why: &ApiError) {
        tracing::debug!(%why, "runs may be missed until the API server is back");
        self.tell(News::Lost(why.to_string()));
    }
}

impl Sink for Plans {
    fn begin(&mut self) {}
    fn put(&mut self, object: Value) {
        if let Some(plan) = read(object) {
            let _ = self.tell.send(plan); // as above
        }
    }
    fn gone(&mut self, _: &Value) {}
    fn listed(&mut self) {}
    fn alive(&mut self, _: Timestamp) {}
    fn lost(&mut self, why: &ApiError) {
        tracing::debug!(%why, "plans may be missed until the API server is back");
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{has_ended, read, trimmed};
    use gapless::kubernetes::crd::MigrationRun;

    #[test]
    fn a_trimmed_run_still_tells_whether_it_has_ended() {
        for (ended, expected) in [(json!({ "outcome": "Completed", "at": "2026-08-28T20:00:00Z" }), true), (json!(null), false)] {
            let run = json!({
                "apiVersion": "gapless.dev/v1alpha1", "kind": "MigrationRun",
                "metadata": { "name": "r", "managedFields": [{ "manager": "x" }] },
                "spec": { "plan": "p", "revision": "p-1", "startedBy": "x" },
                "status": { "record": { "services": { "pds": {} }, "ended": ended } },
            });
            let run: Box<MigrationRun> = read(trimmed(run)).unwrap();
            assert_eq!(has_ended(&run), expected);
            let record = run.status.as_ref().and_then(|status| status.record.clone()).unwrap();
            assert_eq!((record.get("services"), run.metadata.managed_fields.as_ref()), (None, None));
        }
    }
}
