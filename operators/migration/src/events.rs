//! Kubernetes Events for the milestones of a run, and the log for everything.
//!
//! *Guarantees*: never slows a run down: what cannot be written soon is dropped, and the log still has it.

use std::collections::BTreeSet;

use gapless::{
    engine::{Decision, Effect, Event},
    kubernetes::{
        api::{Api, Kind},
        crd::{GROUP, VERSION, bounded},
        store::RunName,
    },
    ports::{Performed, Reporter},
    report::event::back_text,
};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::mpsc::{Receiver, Sender, channel};

/// So many Events may wait to be written.
const WAITING: usize = 256;

/// Writes Events.
#[derive(Debug, Clone)]
pub struct Events {
    queue: Sender<(String, Value)>,
    instance: String,
}

/// Whether an Event is good news.
#[derive(Debug, Clone, Copy)]
pub enum Tone {
    /// `Normal`.
    Normal,
    /// `Warning`.
    Warning,
}

impl Events {
    /// Begins to write.
    pub fn start(api: Api, instance: String) -> Self {
        let (queue, waiting) = channel(WAITING);
        tokio::spawn(write(api, waiting));
        Self { queue, instance }
    }

    /// One Event about a run.
    pub fn tell(&self, run: &RunName, tone: Tone, reason: &str, note: &str) {
        let kind = match tone {
            Tone::Normal => "Normal",
            Tone::Warning => "Warning",
        };
        let event = json!({
            "apiVersion": "events.k8s.io/v1", "kind": "Event",
            "metadata": { "generateName": format!("{}-", run.name.chars().take(200).collect::<String>()), "namespace": run.namespace },
            "eventTime": format!("{:.6}", Timestamp::now()),
            "reportingController": "gapless.dev/operator", "reportingInstance": bounded(&self.instance, 128),
            "action": reason, "reason": reason, "type": kind, "note": bounded(note, 1000),
            "regarding": {
                "apiVersion": format!("{GROUP}/{VERSION}"), "kind": "MigrationRun",
                "name": run.name, "namespace": run.namespace, "uid": run.uid,
            },
        });
        if self.queue.try_send((run.namespace.clone(), event)).is_err() {
            tracing::debug!(reason, "an Event was dropped");
        }
    }
}

async fn write(api: Api, mut waiting: Receiver<(String, Value)>) {
    while let Some((namespace, event)) = waiting.recv().await {
        if let Err(error) = api.create::<_, Value>(Kind::EVENT, Some(&namespace), &event).await {
            tracing::debug!(%error, "an Event could not be written");
        }
    }
}

/// The milestone that an edge is, if it is one: a word and its tone. Weights are none.
fn milestone(event: &Event) -> Option<(&'static str, Tone)> {
    match event {
        Event::Moved { .. } => Some(("Moved", Tone::Normal)),
        Event::Soaked { .. } => Some(("Soaked", Tone::Normal)),
        Event::GoesBack { .. } => Some(("GoesBack", Tone::Warning)),
        Event::Evacuated { .. } => Some(("Evacuated", Tone::Warning)),
        Event::Returned { .. } => Some(("Returned", Tone::Normal)),
        Event::Held { .. } => Some(("Held", Tone::Warning)),
        Event::Resumed { .. } => Some(("Resumed", Tone::Normal)),
        Event::Withheld { .. } => Some(("Withheld", Tone::Warning)),
        Event::TaskFailed { .. } => Some(("TaskFailed", Tone::Warning)),
        Event::PhaseApproved { .. } | Event::EndApproved { .. } => Some(("Approved", Tone::Normal)),
        Event::EndTakenBack { .. } => Some(("EndTakenBack", Tone::Warning)),
        Event::BridgeUp { .. } => Some(("BridgeUp", Tone::Normal)),
        Event::BridgeDown { .. } => Some(("BridgeDown", Tone::Normal)),
        Event::BridgeLeft { .. } => Some(("BridgeLeft", Tone::Normal)),
        Event::BridgeKept { .. } => Some(("BridgeKept", Tone::Warning)),
        Event::Overrun { .. } => Some(("Overrun", Tone::Warning)),
        Event::Retried { .. } => Some(("Retried", Tone::Normal)),
        Event::Promoted { .. } => Some(("Promoted", Tone::Normal)),
        Event::Decommissioned { .. } => Some(("Decommissioned", Tone::Normal)),
        Event::Ended { .. } => Some(("Ended", Tone::Normal)),
        Event::Prepared { .. }
        | Event::Ordered { .. }
        | Event::Confirmed { .. }
        | Event::TaskOrdered { .. }
        | Event::TaskDone { .. }
        | Event::GateTrouble { .. }
        | Event::GateRecovered { .. } => None,
    }
}

/// Reports one run.
#[derive(Debug)]
pub struct Report {
    events: Events,
    run: RunName,
    /// Steps that people were told it may not do.
    denied: BTreeSet<String>,
}
impl Report {
    /// A reporter for this run.
    pub fn new(events: Events, run: RunName) -> Self {
        Self { events, run, denied: BTreeSet::new() }
    }
}

impl Reporter for Report {
    fn decided(&mut self, _: Timestamp, decision: &Decision) {
        for event in &decision.events {
            tracing::info!(run = %self.run.name, namespace = %self.run.namespace, "{event}");
            if let Some((reason, tone)) = milestone(event) {
                self.events.tell(&self.run, tone, reason, &event.to_string());
            }
        }
    }
    fn performed(&mut self, _: Timestamp, effect: &Effect, how: &Performed) {
        let step = effect.key.step.to_string();
        match how {
            Performed::Denied(why) => {
                tracing::warn!(run = %self.run.name, effect = %effect.key, %why, "denied");
                if self.denied.insert(step) {
                    let note = format!("{}: the operator may not do that, and tries again: {why}", effect.key.step);
                    self.events.tell(&self.run, Tone::Warning, "Denied", &note);
                }
            }
            Performed::Done => {
                self.denied.remove(&step);
                tracing::info!(run = %self.run.name, effect = %effect.key, "done");
            }
            Performed::Refused(why) => tracing::warn!(run = %self.run.name, effect = %effect.key, %why, "refused"),
            Performed::Unclear(why) => tracing::warn!(run = %self.run.name, effect = %effect.key, %why, "unclear"),
        }
    }
    fn trouble(&mut self, _: Timestamp, what: &str) {
        tracing::warn!(run = %self.run.name, namespace = %self.run.namespace, "{what}");
    }
    fn back(&mut self, now: Timestamp, since: Timestamp) {
        tracing::info!(run = %self.run.name, namespace = %self.run.namespace, "{}", back_text(now, since));
    }
}
