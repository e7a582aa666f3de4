//! The custom resources: `MigrationPlan`, `MigrationPlanRevision`, `MigrationRun`, `MigrationApproval`, group
//! `gapless.dev/v1alpha1`. [`super::definitions`] describes them to the API server.
//!
//! One set of Rust types makes the plan file, the API object and the schema. *Guarantees*: every schema is structural, and
//! every list and text in it is bounded; a revision cannot be changed once it is written, and neither can what a run runs
//! or who started it. *Caveats*: references within a plan are not checked by the API server (CEL would cost a hundred
//! times its budget); `gapless check` and the operator do that.

use std::{borrow::Cow, collections::BTreeMap};

use k8s_openapi::{NamespaceResourceScope, apimachinery::pkg::apis::meta::v1::ObjectMeta};
use kube::Resource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::approval::MigrationApprovalSpec;
use crate::{
    engine::{Intent, Outcome},
    plan::{Digest, PlanName, schedule::Durations, spec::MigrationPlanSpec},
};

/// The API group.
pub const GROUP: &str = "gapless.dev";
/// The version.
pub const VERSION: &str = "v1alpha1";
/// The most findings that a plan's status holds.
pub const FINDINGS_MAX: usize = 50;
/// The most waits that a run's status holds.
pub const WAITING_MAX: usize = 50;
/// The longest packed revision; etcd refuses objects beyond 1.5 MB.
pub const PACKED_MAX: usize = 1_000_000;

macro_rules! resource {
    ($type:ident, $kind:literal, $plural:literal, $spec:ty, $(#[$doc:meta])*) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(rename_all = "camelCase")]
        pub struct $type {
            /// `gapless.dev/v1alpha1`.
            #[serde(default = "api_version")]
            pub api_version: String,
            /// The kind.
            #[serde(default)]
            pub kind: String,
            /// Kubernetes' metadata.
            pub metadata: ObjectMeta,
            /// What is wanted.
            pub spec: $spec,
            /// What is.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub status: Option<<$type as Described>::Status>,
        }
        impl $type {
            /// An object of this kind.
            pub fn new(namespace: &str, name: &str, spec: $spec) -> Self {
                let metadata =
                    ObjectMeta { name: Some(name.into()), namespace: Some(namespace.into()), ..ObjectMeta::default() };
                Self { api_version: api_version(), kind: $kind.into(), metadata, spec, status: None }
            }
        }
        impl Resource for $type {
            type DynamicType = ();
            type Scope = NamespaceResourceScope;
            fn kind(_: &()) -> Cow<'_, str> {
                $kind.into()
            }
            fn group(_: &()) -> Cow<'_, str> {
                GROUP.into()
            }
            fn version(_: &()) -> Cow<'_, str> {
                VERSION.into()
            }
            fn plural(_: &()) -> Cow<'_, str> {
                $plural.into()
            }
            fn meta(&self) -> &ObjectMeta {
                &self.metadata
            }
            fn meta_mut(&mut self) -> &mut ObjectMeta {
                &mut self.metadata
            }
        }
    };
}

fn api_version() -> String {
    format!("{GROUP}/{VERSION}")
}

/// A kind's status type.
pub trait Described {
    /// Its status.
    type Status: std::fmt::Debug + Clone + PartialEq + Serialize + for<'de> Deserialize<'de>;
}
impl Described for MigrationPlan {
    type Status = MigrationPlanStatus;
}
impl Described for MigrationPlanRevision {
    type Status = Value;
}
impl Described for MigrationRun {
    type Status = MigrationRunStatus;
}
impl Described for MigrationApproval {
    type Status = Value;
}

resource!(
    MigrationPlan, "MigrationPlan", "migrationplans", MigrationPlanSpec,
    /// A plan.
);
resource!(
    MigrationPlanRevision, "MigrationPlanRevision", "migrationplanrevisions", MigrationPlanRevisionSpec,
    /// What a run executes. It never changes.
);
resource!(
    MigrationRun, "MigrationRun", "migrationruns", MigrationRunSpec,
    /// One execution of a revision.
);
resource!(
    MigrationApproval, "MigrationApproval", "migrationapprovals", MigrationApprovalSpec,
    /// What a person decided about a run. It never changes.
);

/// What the operator found out about a plan.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MigrationPlanStatus {
    /// The generation that this speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// The digest of the revision that a run started now would execute; absent if the plan has errors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub digest: Option<String>,
    /// What `gapless check` finds, errors first; at most 50.
    #[serde(default)]
    #[schemars(length(max = 50))]
    pub findings: Vec<PlanFinding>,
    /// How many services the plan moves.
    #[serde(default)]
    pub services: u32,
    /// `Ready`: the plan has no errors.
    #[serde(default)]
    #[schemars(length(max = 8))]
    pub conditions: Vec<Condition>,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlanFinding {
    /// Its stable code.
    #[schemars(length(max = 64))]
    pub code: String,
    /// `error` or `warning`.
    #[schemars(length(max = 16))]
    pub severity: String,
    /// Where in the plan.
    #[schemars(length(max = 512))]
    pub path: String,
    /// What is wrong.
    #[schemars(length(max = 1024))]
    pub message: String,
    /// What to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub help: Option<String>,
}

/// A revision: the plan with every default filled in, packed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MigrationPlanRevisionSpec {
    /// The plan it was made from.
    pub plan: PlanName,
    /// SHA-256 of the resolved plan, hexadecimal.
    #[schemars(length(min = 64, max = 64))]
    pub digest: String,
    /// The resolved plan as canonical JSON, compressed (zlib, RFC 1950) and in base64. `gapless status RUN --revision`
    /// prints it.
    #[schemars(length(min = 1, max = 1_000_000))]
    pub packed: String,
}

/// A run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MigrationRunSpec {
    /// The plan, for people.
    pub plan: PlanName,
    /// The `MigrationPlanRevision` that is executed, in the run's namespace.
    #[schemars(length(min = 1, max = 253))]
    pub revision: String,
    /// What the run is to do. A hold or a rollback latches: taking it back here does not undo it.
    #[serde(default)]
    pub intent: Intent,
    /// Clears every hold whose number is at most this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resumes: Option<u64>,
    /// Services that went back and are to be tried again, each with the number of the attempt that is wanted: 1 for the second
    /// one. `gapless retry` sets it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 5000))]
    pub retries: BTreeMap<String, u32>,
    /// Services whose soak a person declares over before its time, each with the number of the attempt that this speaks of: 0
    /// for the first one. Their guards must be quiet all the same. `gapless declare-success` sets it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 5000))]
    pub declared: BTreeMap<String, u32>,
    /// How long work took where it was measured, as in a rehearsal, each under its name: `pds/effective`, `pds/reindex/undo`. It
    /// replaces what the plan expects, for the latest rollback and for what fits into a window. `gapless start --durations` sets it.
    #[serde(default, skip_serializing_if = "Durations::is_empty")]
    #[schemars(extend("maxProperties" = 20000))]
    pub durations: Durations,
    /// Who gave the newest order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    pub by: Option<String>,
    /// Who started the run, as the API server knew them.
    #[schemars(length(min = 1, max = 256))]
    pub started_by: String,
}

impl MigrationRunSpec {
    /// What starts a run of a revision: nothing is ordered yet.
    pub fn start(plan: &PlanName, revision: &str, started_by: &str, durations: Durations) -> Self {
        Self {
            plan: plan.clone(),
            revision: revision.to_owned(),
            intent: Intent::Run,
            resumes: None,
            retries: BTreeMap::new(),
            declared: BTreeMap::new(),
            durations,
            by: None,
            started_by: started_by.to_owned(),
        }
    }
}

/// How far a run is.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MigrationRunStatus {
    /// The newest generation whose orders were taken into account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// One word: `Running`, `GoingBack`, or the outcome.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32))]
    pub state: Option<String>,
    /// How the run ended, or that it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// Steps confirmed, of all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<Progress>,
    /// `Moved`, `Soaked`, `Completed`, and kstatus' `Reconciling` and `Stalled`.
    #[serde(default)]
    #[schemars(length(max = 8))]
    pub conditions: Vec<Condition>,
    /// Why what could be next is not; at most 50.
    #[serde(default)]
    #[schemars(length(max = 50))]
    pub waiting: Vec<Waiting>,
    /// The record: the only truth about how far the run is. Written by compare-and-swap, by the operator alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<Value>,
}

/// Steps confirmed, of all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Progress {
    /// Confirmed.
    pub confirmed: u32,
    /// All.
    pub total: u32,
    /// `confirmed/total`, for the printed column.
    #[schemars(length(max = 32))]
    pub text: String,
}

/// Why a step waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Waiting {
    /// The step.
    #[schemars(length(max = 128))]
    pub step: String,
    /// A CamelCase word.
    #[schemars(length(max = 64))]
    pub reason: String,
    /// The sentence.
    #[schemars(length(max = 1024))]
    pub message: String,
    /// Since when, if known (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub since: Option<String>,
    /// Who or what ends it, and how.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub way_out: Option<String>,
    /// Who can end it, if a person has to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    pub who: Option<String>,
    /// When it ends by itself, if that is known (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub until: Option<String>,
}

/// A condition, in the form of `metav1.Condition`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    /// Its type.
    #[serde(rename = "type")]
    #[schemars(length(max = 64))]
    pub kind: String,
    /// Whether it holds.
    pub status: ConditionStatus,
    /// A CamelCase word.
    #[schemars(length(max = 64))]
    pub reason: String,
    /// A sentence.
    #[schemars(length(max = 1024))]
    pub message: String,
    /// Since when it has this status (RFC 3339).
    #[schemars(length(max = 64))]
    pub last_transition_time: String,
    /// The generation that it speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
}

/// Whether a condition holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[allow(missing_docs, reason = "Kubernetes' own words")]
pub enum ConditionStatus {
    True,
    False,
    Unknown,
}

/// The text `text`, cut to `max` characters with a sign that it was.
pub fn bounded(text: &str, max: usize) -> String {
    if text.chars().count() <= max {
        return text.to_owned();
    }
    text.chars().take(max.saturating_sub(1)).chain(['…']).collect()
}

impl MigrationPlanRevision {
    /// The digest that it claims; [`super::revision::unpack`] proves it.
    pub fn digest(&self) -> &str {
        &self.spec.digest
    }
    /// The name of the revision of a plan: the same plan gives the same object, however often a run is started.
    pub fn name_of(plan: &PlanName, digest: &Digest) -> String {
        format!("{plan}-{}", digest.short())
    }
}

/// Labels that every object we make carries.
pub fn labels() -> BTreeMap<String, String> {
    BTreeMap::from([("app.kubernetes.io/managed-by".to_owned(), super::MANAGER.to_owned())])
}
