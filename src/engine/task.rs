//! Tasks: what is done beside the traffic, declared by the plan or part of a step's own mechanism.
//!
//! A task is done once on the way forward and taken back once on the way back. Each doing has an identity ([`TaskKey`]), by
//! which whoever does it tells a repetition from something new. Whether it worked is learnt only from [`TaskSeen`].

use std::fmt;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    record::millis::Millis,
    step::{Step, StepId, Subject},
};
use crate::plan::TaskName;

pub use crate::plan::Deed;

/// One doing of one task: equal keys mean the same doing, and doing it twice is doing it once.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TaskKey {
    /// Whose task it is.
    pub of: Subject,
    /// Which task.
    pub task: TaskName,
    /// How many doings of this task there were this way, this one included.
    pub number: u32,
    /// Which way.
    pub way: TaskWay,
}

impl TaskKey {
    /// Its step.
    pub fn step(&self) -> StepId {
        Step::task(&self.task, self.way).of(self.of.clone())
    }
}
impl fmt::Display for TaskKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.step(), self.number)
    }
}

/// Whether a task is done or taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum TaskWay {
    /// It is done.
    Do,
    /// It is taken back.
    Undo,
}

/// How far a task is, as the record keeps it. Written as a list: `["done", 1787947213001, 1]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "(TaskStage, Millis, u32)", into = "(TaskStage, Millis, u32)")]
pub struct TaskState {
    /// How far.
    pub stage: TaskStage,
    /// Since when.
    pub at: Timestamp,
    /// How many doings there were, this way and that, the newest included.
    pub number: u32,
}
impl From<TaskState> for (TaskStage, Millis, u32) {
    fn from(TaskState { stage, at, number }: TaskState) -> Self {
        (stage, Millis(at), number)
    }
}
impl From<(TaskStage, Millis, u32)> for TaskState {
    fn from((stage, Millis(at), number): (TaskStage, Millis, u32)) -> Self {
        Self { stage, at, number }
    }
}

/// How far a task is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum TaskStage {
    /// It was ordered: it may have begun.
    Ordered,
    /// It was seen to be done.
    Done,
    /// Taking it back was ordered.
    UndoOrdered,
    /// It was seen to be taken back, or counts for nothing any more: at a new attempt it is done anew.
    Undone,
    /// Taking it back was given up after its deadline; a person has to look at it.
    LeftBehind,
}

impl TaskStage {
    /// Whether it may have begun, and was not taken back.
    pub fn has_begun(self) -> bool {
        self != Self::Undone
    }
}

/// What is seen of one doing of a task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum TaskSeen {
    /// Nobody has begun it.
    Absent,
    /// It has begun.
    Running,
    /// It is done. What it changed holds from `settles_at` on: a lowered time to live, for one, only after the old one.
    #[serde(rename_all = "camelCase")]
    Done {
        /// When it was done.
        at: Timestamp,
        /// From when on it holds, if that is later.
        settles_at: Option<Timestamp>,
    },
    /// It failed; doing it again is another doing and needs a person. The text says what happened.
    Failed(String),
}

/// How a task stands, for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum TaskWord {
    /// It is to be done by a person, now.
    Waiting,
    /// It has begun.
    Running,
    /// It is done.
    Done,
    /// It failed.
    Failed,
}
