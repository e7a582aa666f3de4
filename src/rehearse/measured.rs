//! How long things took in a run that was really made, as its journal tells.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use crate::{
    engine::{Subject, TaskKey},
    plan::{ServiceName, TaskName},
};

/// Times that were measured, in milliseconds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Measured {
    /// From the order of a weight until real answers showed it.
    effective: BTreeMap<ServiceName, Vec<i64>>,
    /// From the order of a task until it was done.
    tasks: BTreeMap<(Subject, TaskName), Vec<i64>>,
    /// Weights that are not confirmed yet, since when.
    ordered: BTreeMap<ServiceName, Timestamp>,
    begun: BTreeMap<TaskKey, Timestamp>,
}

impl Measured {
    /// Reads one line of a journal: when it was written, its events, and what had been seen. What it does not know it
    /// passes over.
    pub fn read(&mut self, at: Timestamp, events: &Value, seen: &Value) {
        for event in events.as_array().into_iter().flatten() {
            let word = event.get("event").and_then(Value::as_str).unwrap_or_default();
            match word {
                "ordered" | "confirmed" => self.weight(word, at, event, seen),
                "taskOrdered" | "taskDone" => self.task(word, at, event),
                _ => {}
            }
        }
    }

    fn weight(&mut self, word: &str, at: Timestamp, event: &Value, seen: &Value) {
        let step = event.get("step").and_then(Value::as_str).unwrap_or_default();
        let Some(service) = step.split('/').next().and_then(|name| name.parse::<ServiceName>().ok()) else { return };
        if word == "ordered" {
            self.ordered.insert(service, at);
            return;
        }
        let since = seen.pointer(&format!("/routes/{service}/value/Ok/effective/since"));
        let since = since.and_then(Value::as_str).and_then(|text| text.parse::<Timestamp>().ok());
        if let (Some(ordered), Some(since)) = (self.ordered.remove(&service), since) {
            self.effective.entry(service).or_default().push(between(ordered, since));
        }
    }

    fn task(&mut self, word: &str, at: Timestamp, event: &Value) {
        let key = event.get("task").and_then(|key| serde_json::from_value::<TaskKey>(key.clone()).ok());
        let Some(key) = key else { return };
        if word == "taskOrdered" {
            self.begun.insert(key, at);
        } else if let Some(begun) = self.begun.remove(&key) {
            self.tasks.entry((key.of, key.task)).or_default().push(between(begun, at));
        }
    }

    /// How long weights of this service took to be effective; none if nobody measured.
    pub fn effective(&self, service: &ServiceName) -> Option<&Vec<i64>> {
        self.effective.get(service)
    }
    /// How long this task took; none if nobody measured.
    pub fn task_of(&self, of: &Subject, task: &TaskName) -> Option<&Vec<i64>> {
        self.tasks.get(&(of.clone(), task.clone()))
    }
    /// How many times were measured.
    pub fn count(&self) -> usize {
        self.effective.values().chain(self.tasks.values()).map(Vec::len).sum()
    }
}

fn between(from: Timestamp, until: Timestamp) -> i64 {
    until.as_millisecond().saturating_sub(from.as_millisecond()).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_journal_tells_how_long_weights_and_tasks_took() {
        let mut measured = Measured::default();
        let at = |second: u32| format!("2026-08-28T20:00:{second:02}Z").parse::<Timestamp>().unwrap();
        let task = json!({ "of": { "service": "pds" }, "task": "ring", "number": 1, "way": "do" });
        measured.read(at(0), &json!([{ "event": "ordered", "step": "pds/shift-5", "from": 0, "weight": 5 }]), &json!({}));
        measured.read(at(1), &json!([{ "event": "taskOrdered", "task": task }]), &json!({}));
        let seen = json!({ "routes": { "pds": { "value": { "Ok": { "effective": { "weight": 5, "since": "2026-08-28T20:00:03.5Z" } } } } } });
        let events = json!([{ "event": "confirmed", "step": "pds/shift-5", "weight": 5 }, { "event": "taskDone", "task": task }]);
        measured.read(at(9), &events, &seen);
        measured.read(at(9), &json!("nonsense"), &json!(null));
        let pds = "pds".parse().unwrap();
        assert_eq!(measured.effective(&pds), Some(&vec![3_500]));
        assert_eq!(measured.task_of(&Subject::Service(pds), &"ring".parse().unwrap()), Some(&vec![8_000]));
        assert_eq!(measured.count(), 2);
    }
}
