//! What is done beside the traffic: tasks, what is done, when, and what takes it back.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::HttpMethod;
use crate::plan::{
    model::Evidence,
    names::{ConnectionName, RoleName, Span, TaskName},
};

/// Something that is done once on the way forward of a service, and taken back once on the way back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("x-complete" = ["at", "do"]))]
pub struct TaskSpec {
    /// Its name, unique in the service.
    pub name: TaskName,
    /// When it is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<ServiceMoment>,
    /// What is done.
    #[serde(default, rename = "do", skip_serializing_if = "Option::is_none")]
    pub act: Option<ActSpec>,
    /// What takes it back. Every task says so: an undo, or why there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undo: Option<UndoSpec>,
    /// How long it takes, as a 95th percentile, for the forecast; a measured duration replaces it. Default: 30m for `manual`,
    /// its own length for `wait`, 5m for `job`, else 30s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect: Option<Span>,
    /// `true` drops the task of this name that the plan's defaults have. Default: false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled: Option<bool>,
}

/// What is done: exactly one member. All of it is done again after a crash that left it open, so it must bear that.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum ActSpec {
    /// A person does it and says so (`gapless done`).
    Manual(ManualSpec),
    /// A Job is made from a CronJob in the plan's namespace and has to succeed.
    Job(JobSpec),
    /// An HTTP request: 2xx is done, any other answer failed, no answer unknown.
    Http(HttpActSpec),
    /// Time passes.
    Wait(WaitSpec),
    /// Alerts that match are silenced, and no longer once it is taken back.
    Silence(SilenceSpec),
    /// People are told.
    Notify(NotifySpec),
    /// A CronJob is suspended, and resumed once it is taken back.
    QuiesceCron(QuiesceCronSpec),
}

/// What a person does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ManualSpec {
    /// The role that does it.
    pub owner: RoleName,
    /// What they are to do, so that somebody who has never done it can.
    #[schemars(length(min = 1, max = 8192))]
    pub instructions: String,
    /// Whether their report must say by what it can be seen that it is done. Default: `Optional`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Evidence>,
}

/// A Job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct JobSpec {
    /// The CronJob in the plan's namespace that it is made from. A suspended one will do.
    #[schemars(length(min = 1, max = 253))]
    pub from_cron_job: String,
}

/// An HTTP request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HttpActSpec {
    /// An `http://` or `https://` address; `$(service)`, `$(side)` and `$(phase)` are filled in.
    #[schemars(length(min = 8, max = 2048))]
    pub url: String,
    /// Default: `POST`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<HttpMethod>,
    /// The body; `$(service)`, `$(side)` and `$(phase)` are filled in. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 16384))]
    pub body: Option<String>,
}

/// Time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WaitSpec {
    /// How long.
    #[serde(rename = "for")]
    pub length: Span,
}

/// A silence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SilenceSpec {
    /// The Alertmanager, a connection of kind `alertmanager`.
    pub connection: ConnectionName,
    /// Label matchers as Alertmanager writes them: `service="pds"`. An alert is silenced if all of them match.
    #[schemars(length(min = 1, max = 16), inner(length(min = 1, max = 1024)))]
    pub matchers: Vec<String>,
    /// For how long at most, so that a forgotten silence ends.
    #[serde(rename = "for")]
    pub length: Span,
}

/// A notice.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NotifySpec {
    /// Where it goes, a connection of kind `notify`.
    pub connection: ConnectionName,
    /// What people are told; `$(service)` and `$(phase)` are filled in.
    #[schemars(length(min = 1, max = 4096))]
    pub message: String,
}

/// A CronJob that is suspended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct QuiesceCronSpec {
    /// Its name in the plan's namespace.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
}

/// What takes a task back: one of `none`, `impossible` and `do`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("x-whole" = true, "x-either" = {
    "oneOf": [{ "required": ["none"] }, { "required": ["impossible"] }, { "required": ["do"] }],
    "anyOf": [{ "required": ["do"] }, { "maxProperties": 1 }],
}))]
pub struct UndoSpec {
    /// Nothing needs to be taken back; the text says why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024))]
    pub none: Option<String>,
    /// It cannot be taken back: once the task has started there is no way back for its service. The text says why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024))]
    pub impossible: Option<String>,
    /// This takes it back.
    #[serde(default, rename = "do", skip_serializing_if = "Option::is_none")]
    pub act: Option<ActSpec>,
    /// Beside `do`: before or after the traffic goes back. Default: `AfterTraffic`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<UndoWhen>,
    /// Beside `do`: after so long the traffic goes back all the same. Default: it waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Span>,
    /// Beside `do`: how long it takes, as a 95th percentile. Default: as for a task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect: Option<Span>,
}

/// When a task of a service is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum ServiceMoment {
    /// Before anything else of the service, outside windows as well.
    BeforePrepare,
    /// Before the first weight, or before the fence of a single writer.
    BeforeShift,
    /// After all traffic is confirmed on target, before the soak.
    AfterShift,
    /// After the soak.
    AfterSoak,
    /// Before the legacy side is switched off.
    BeforeDecommission,
}

/// When a task of a phase is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum PhaseMoment {
    /// Before a service of the phase starts.
    BeforePhase,
    /// After all of its services have been moved.
    AfterPhase,
}

/// When a task is taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum UndoWhen {
    /// Once the traffic is back.
    AfterTraffic,
    /// Before the traffic goes back. Never a person's task.
    BeforeTraffic,
}
