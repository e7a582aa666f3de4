//! The way of a service: shift, soak, rollback, and the end of its legacy side.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ActSpec, ApprovalSpec};
use crate::plan::names::{Span, Weight};

/// The weights on the way to the target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ShiftSpec {
    /// Rising percentages; the last is 100. Default: 1, 5, 25, 50, 100; for a DNS router and for a single writer 100, which
    /// also do not take the steps of the plan's defaults.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 100))]
    pub steps: Option<Vec<Weight>>,
    /// How long a weight is watched, from the moment it is effective, before the next one. Default: 10m.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bake: Option<Span>,
}

/// The watch after the move.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SoakSpec {
    /// How long, from the moment all traffic is confirmed on target. Default: 24h.
    #[serde(default, rename = "for", skip_serializing_if = "Option::is_none")]
    pub length: Option<Span>,
    /// For how long a guard must fail without a break before it acts; a target of which nothing answers any more is not waited
    /// for. Default: 30s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guard_for: Option<Span>,
    /// What a guard does that has failed for `guardFor`. Default: `Rollback`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_failure: Option<OnFailure>,
}

/// What happens when a gate fails or gives no answer for too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum OnFailure {
    /// The service and all that needs it go back, in reverse order.
    Rollback,
    /// Everything stays where it is until a person resumes or rolls back.
    Hold,
}

/// How a service goes back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RollbackSpec {
    /// What goes back with it. Default: `Dependents`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<RollbackScope>,
    /// The weights on the way back: falling percentages; the last is 0. Default: `[0]`, all at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 100))]
    pub steps: Option<Vec<Weight>>,
}

/// What goes back when a service does; never less than all that needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum RollbackScope {
    /// The services that need it, and those that need them.
    Dependents,
    /// Its whole phase as well.
    Phase,
    /// Everything in the run.
    Run,
}

/// Shadow traffic before the first shift, where the router can: a copy of some requests goes to the target, and its answers
/// are thrown away.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("x-complete" = ["percent", "for"]))]
pub struct MirrorSpec {
    /// The share that is copied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percent: Option<Weight>,
    /// For how long.
    #[serde(default, rename = "for", skip_serializing_if = "Option::is_none")]
    pub length: Option<Span>,
    /// Which requests are copied. Default: `Safe`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub methods: Option<MirrorMethods>,
}

/// Which requests are copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub enum MirrorMethods {
    /// Those whose method is safe (RFC 9110 section 9.2.1): GET, HEAD, OPTIONS, TRACE. They change nothing.
    #[default]
    Safe,
    /// All. Only where the target's writes are thrown away.
    All,
}

/// What warms the target before the first shift.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("x-complete" = ["do"]))]
pub struct WarmSpec {
    /// What is done. It leaves nothing that would have to be taken back.
    #[serde(default, rename = "do", skip_serializing_if = "Option::is_none")]
    pub act: Option<ActSpec>,
}

/// How legacy is emptied after the soak.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DrainSpec {
    /// How long open connections are waited for; after that they are cut. Default: until none is left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Span>,
}

/// What the end of the legacy side takes. Without it legacy stays, and the soak is the service's end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DecommissionSpec {
    /// Who says that it may end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<ApprovalSpec>,
    /// For how long the old address is denied first, to see whether anybody misses it. Default: no scream test.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scream_test: Option<Span>,
}
