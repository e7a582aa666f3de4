//! Whoever does tasks, and what they change.

use gapless::{
    engine::{Deed, Query, Subject, TaskKey, TaskWay, queries},
    plan::Act,
};
use jiff::SignedDuration;

use super::Sim;

impl Sim {
    /// Whoever does tasks begins one, unless a newer doing of it was seen.
    pub(super) fn begin(&mut self, task: &TaskKey, deed: &Deed) {
        let newest = self.newest.entry((task.of.clone(), task.task.clone())).or_default();
        if task.number < *newest {
            return self.log.push(format!("late {task}"));
        }
        let before = TaskKey { number: task.number.saturating_sub(1), way: TaskWay::Do, ..task.clone() };
        if *deed == Deed::Withdraw && self.tasks.contains_key(&before) {
            return self.log.push(format!("refused {task}"));
        }
        *newest = task.number;
        let manual = matches!(deed, Deed::Act(Act::Manual { .. }));
        if manual || self.tasks.contains_key(task) {
            return;
        }
        let done = self.now.checked_add(SignedDuration::from_millis(self.task_takes_ms)).unwrap();
        self.tasks.insert(task.clone(), done);
        self.log.push(format!("{}", task.step()));
    }

    /// A person does a task that is theirs.
    pub fn done(&mut self, task: &str) {
        let keys = queries(&self.revision, &self.record).into_iter().filter_map(|q| match q {
            Query::Task(key) if key.task.as_str() == task => Some(key),
            _ => None,
        });
        for key in keys.collect::<Vec<_>>() {
            self.tasks.insert(key, self.now);
        }
    }

    /// Tasks that are done by now change who may write: never both sides.
    pub(super) fn write_access(&mut self) {
        let mut done: Vec<_> = self.tasks.iter().filter(|(_, done)| **done <= self.now).collect();
        done.sort_by_key(|(key, done)| (**done, *key)); // of two attempts the later one is what holds
        for (key, _) in done {
            let Subject::Service(name) = &key.of else { continue };
            if self.failing.contains(key.task.as_str()) || self.hanging.contains(key.task.as_str()) {
                continue;
            }
            let newest = self.newest.get(&(key.of.clone(), key.task.clone())) == Some(&key.number);
            let (legacy, target) = self.writable.entry(name.clone()).or_insert((true, false));
            match (key.task.as_str(), key.way) {
                ("fence", TaskWay::Do) if newest => *legacy = false,
                ("fence", TaskWay::Undo) if newest => *legacy = true,
                ("promote", TaskWay::Do) if newest => *target = true,
                ("reverse-fence", TaskWay::Do) => *target = false,
                ("reverse-promote", TaskWay::Do) => *legacy = true,
                _ => {}
            }
        }
        for (name, (legacy, target)) in &self.writable {
            assert!(!(*legacy && *target), "{name} has two writers\n{}", self.log.join("\n"));
        }
    }
}

/// What the world did, without what the engine told.
pub fn tasks(sim: &Sim) -> Vec<String> {
    sim.log.iter().filter(|l| !l.starts_with('-')).cloned().collect()
}

/// So many looks.
pub fn ticks(sim: &mut Sim, count: usize) {
    (0..count).for_each(|_| drop(sim.tick()));
}
