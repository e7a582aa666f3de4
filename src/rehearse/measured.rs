//! How long things took in a run that was really made, as its journal tells.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use crate::{
    engine::{Subject, TaskKey, TaskWay, agenda::named},
    plan::{
        Plan, ServiceName, Span, TaskName,
        schedule::{Durations, Work},
    },
};

/// Times that were measured, in milliseconds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Measured {
    /// From the order of a weight until real answers showed it.
    effective: BTreeMap<ServiceName, Vec<i64>>,
    /// From the order of a task until it was done.
    tasks: BTreeMap<(Subject, TaskName, TaskWay), Vec<i64>>,
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
            self.tasks.entry((key.of, key.task, key.way)).or_default().push(between(begun, at));
        }
    }

    /// How long weights of this service took to be effective; none if nobody measured.
    pub fn effective(&self, service: &ServiceName) -> Option<&Vec<i64>> {
        self.effective.get(service)
    }
    /// How long this task took to be done, or to be taken back; none if nobody measured.
    pub fn task_of(&self, of: &Subject, task: &TaskName, way: TaskWay) -> Option<&Vec<i64>> {
        self.tasks.get(&(of.clone(), task.clone(), way))
    }
    /// What was measured of this plan's work, as 95th percentiles.
    pub fn durations(&self, plan: &Plan) -> Durations {
        let effective = self.effective.iter().filter(|(name, _)| plan.services.contains_key(*name));
        let effective = effective.map(|(name, times)| (Work::Effective(name), percentile_95(times)));
        let tasks =
            self.tasks.iter().filter_map(|((of, task, way), times)| Some((work(plan, of, task, *way)?, percentile_95(times))));
        effective.chain(tasks).collect()
    }
    /// How many times were measured.
    pub fn count(&self) -> usize {
        self.effective.values().chain(self.tasks.values()).map(Vec::len).sum()
    }
}

/// The work that a doing of a task is, if the plan has such a task.
fn work<'a>(plan: &Plan, of: &'a Subject, task: &'a TaskName, way: TaskWay) -> Option<Work<'a>> {
    let undo = way == TaskWay::Undo;
    match of {
        Subject::Phase(phase) if plan.phases.get(phase)?.tasks.contains_key(task) => {
            Some(if undo { Work::PhaseTaskUndo(phase, task) } else { Work::PhaseTask(phase, task) })
        }
        Subject::Bridge(bridge) if plan.bridges.contains_key(bridge) && !undo => match task {
            task if *task == named::up() => Some(Work::BridgeUp(bridge)),
            task if *task == named::down() => Some(Work::BridgeDown(bridge)),
            _ => None,
        },
        Subject::Service(name) if plan.services.get(name)?.tasks.contains_key(task) => {
            Some(if undo { Work::TaskUndo(name, task) } else { Work::Task(name, task) })
        }
        Subject::Service(name) if plan.services.contains_key(name) && !undo => match task {
            task if *task == named::warm() => Some(Work::Warm(name)),
            task if *task == named::fence() => Some(Work::Fence(name)),
            task if *task == named::promote() => Some(Work::Promote(name)),
            task if *task == named::reverse_fence() => Some(Work::FenceBack(name)),
            task if *task == named::reverse_promote() => Some(Work::PromoteBack(name)),
            _ => None,
        },
        _ => None,
    }
}

/// The 95th percentile by the nearest rank: the smallest time that at least 95 in 100 do not exceed. Of fewer than twenty it is
/// the longest.
fn percentile_95(times: &[i64]) -> Span {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    let rank = sorted.len().saturating_mul(95).div_ceil(100);
    let time = sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default();
    Span::from_millis(u64::try_from(time).unwrap_or_default())
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
        assert_eq!(measured.task_of(&Subject::Service(pds), &"ring".parse().unwrap(), TaskWay::Do), Some(&vec![8_000]));
        assert_eq!(measured.count(), 2);
    }

    #[test]
    fn of_twenty_times_the_longest_but_one_counts_and_of_fewer_the_longest() {
        for (times, expected) in [(1..=20, 19), (1..=19, 19), (1..=1, 1), (1..=40, 38), (1..=100, 95)] {
            let times: Vec<i64> = times.rev().collect();
            assert_eq!(percentile_95(&times), Span::from_millis(expected), "{} times", times.len());
        }
    }
}
