//! Services with one writer.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ActSpec, CheckSpec, OnFailure, PlainGateSpec};
use crate::plan::names::Span;

/// How the right to write moves from one side to the other: catch-up, fence, lag proven to be nothing, promote, then all
/// traffic; the other way round backwards.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DataSpec {
    /// How many sides may write: `Single`. A service whose sides may both write has no `data`.
    pub writer: Writer,
    /// How long nobody may be able to write: from the start of the fence to the first successful write through the service's own
    /// address. A pause that could no longer end in it is given up before target is promoted: the fence is taken back, with the
    /// service, whatever its `onFailure` says.
    pub pause_budget: Span,
    /// Passes when so little is left to be copied from legacy to target that legacy may be fenced. Writes still flow then, so a
    /// busy writer never shows nothing: allow as much as is copied well within the pause budget. Default: `lag` itself has to
    /// pass before the fence too (`no-catch-up`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub catch_up: Option<LagSpec>,
    /// Passes when nothing is left to be copied from legacy to target; asked for anew once legacy is fenced.
    pub lag: LagSpec,
    /// Makes legacy read-only. Without it two sides could write (`no-fence`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fence: Option<SwitchSpec>,
    /// Makes legacy writable again, as long as target has not been promoted. Default: `promote` of `reverse`; where there is none
    /// either, the fence cannot be taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unfence: Option<SwitchSpec>,
    /// Makes target writable.
    pub promote: SwitchSpec,
    /// The way back: `none`, or `lag`, `fence` and `promote` the other way.
    pub reverse: ReverseSpec,
    /// Checks that both sides hold the same, once target is the writer: counts, checksums, business queries.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub reconcile: Vec<PlainGateSpec>,
}

/// How many sides may write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Writer {
    /// One at a time, never two.
    Single,
}

/// How much is left to be copied.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LagSpec {
    /// What is looked at.
    pub check: CheckSpec,
    /// How often; for a probe the probe's own `every`. It adds to the pause. Default: 1s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<Span>,
    /// After so many failures in a row it fails; no answer is neither pass nor failure. Default: 3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1000))]
    pub failures: Option<u32>,
    /// Without an answer for so long before target is promoted, `onUnknown` acts; on the way back people are waited for. Default:
    /// 10m.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unknown_limit: Option<Span>,
    /// What happens when `unknownLimit` is over. Default: `Hold`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_unknown: Option<OnFailure>,
}

/// An act and the proof that it worked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SwitchSpec {
    /// What is done.
    #[serde(rename = "do")]
    pub act: ActSpec,
    /// Passes once it worked, judged on the side that it was done to.
    pub proof: CheckSpec,
    /// How long both take, as a 95th percentile. Default: 30m for `manual`, 5m for `job`, else 30s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect: Option<Span>,
}

/// How the right to write goes back: `none` alone, or `lag`, `fence` and `promote` together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("x-either" = {
    "oneOf": [{ "required": ["none"], "maxProperties": 1 }, { "required": ["lag", "fence", "promote"], "maxProperties": 3 }],
}))]
pub struct ReverseSpec {
    /// It does not: promote is the point of no return. The text says why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024))]
    pub none: Option<String>,
    /// Passes when nothing is left to be copied from target to legacy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lag: Option<LagSpec>,
    /// Makes target read-only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fence: Option<SwitchSpec>,
    /// Makes legacy writable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promote: Option<SwitchSpec>,
}
