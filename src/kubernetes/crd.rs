//! The custom resources: `MigrationPlan`, `MigrationPlanRevision`, `MigrationRun`, group `gapless.dev/v1alpha1`.
//!
//! One set of Rust types makes the plan file, the API object and the schema. *Guarantees*: every schema is structural, and
//! every list and text in it is bounded; a revision cannot be changed once it is written, and neither can what a run runs
//! or who started it. *Caveats*: references within a plan are not checked by the API server (CEL would cost a hundred
//! times its budget); `gapless check` and the operator do that.

use std::{borrow::Cow, collections::BTreeMap};

use k8s_openapi::{
    NamespaceResourceScope, apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition,
    apimachinery::pkg::apis::meta::v1::ObjectMeta,
};
use kube::Resource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    engine::{Intent, Outcome},
    plan::{Digest, PlanName, schema::crd, spec::MigrationPlanSpec},
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
    /// Who gave the newest order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    pub by: Option<String>,
    /// Who started the run, as the API server knew them.
    #[schemars(length(min = 1, max = 256))]
    pub started_by: String,
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

/// The three definitions, in the order in which they are installed.
///
/// # Errors
/// Never in a released program: a test makes them. The schema would have to be one that the API types cannot hold.
pub fn definitions() -> Result<Vec<CustomResourceDefinition>, serde_json::Error> {
    [plan_definition(), revision_definition(), run_definition()].into_iter().map(serde_json::from_value).collect()
}

/// The same as one YAML stream.
///
/// # Errors
/// As [`definitions`].
pub fn definitions_yaml() -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
    let mut text = String::new();
    for one in definitions()? {
        text.push_str("---\n");
        text.push_str(&serde_yaml::to_string(&one)?);
    }
    Ok(text)
}

struct Names {
    kind: &'static str,
    plural: &'static str,
    short: &'static [&'static str],
}

fn definition(names: &Names, schema: Value, columns: Value, status: bool) -> Value {
    let mut version = json!({
        "name": VERSION, "served": true, "storage": true,
        "schema": { "openAPIV3Schema": schema },
        "additionalPrinterColumns": columns,
    });
    if let (true, Some(version)) = (status, version.as_object_mut()) {
        version.insert("subresources".into(), json!({ "status": {} }));
    }
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": { "name": format!("{}.{GROUP}", names.plural) },
        "spec": {
            "group": GROUP,
            "names": {
                "kind": names.kind, "listKind": format!("{}List", names.kind), "plural": names.plural,
                "singular": names.kind.to_lowercase(), "shortNames": names.short, "categories": ["gapless"],
            },
            "scope": "Namespaced",
            "versions": [version],
        },
    })
}

fn object(about: &str, properties: Value, required: &[&str]) -> Value {
    json!({ "type": "object", "description": about, "properties": properties, "required": required })
}

/// Adds members to the schema at a JSON pointer; a test sees to it that the place exists.
fn extend(schema: &mut Value, at: &str, with: Value) {
    if let (Some(Value::Object(place)), Value::Object(with)) = (schema.pointer_mut(at), with) {
        place.extend(with);
    }
}

fn conditions_by_type(status: &mut Value) {
    let list = json!({ "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"] });
    extend(status, "/properties/conditions", list);
}

fn plan_definition() -> Value {
    let mut spec = crd::<MigrationPlanSpec>();
    // As a map-list, half of a large plan's size would be managedFields: 800 services are refused, 1,200 are stored so.
    extend(&mut spec, "/properties/services", json!({ "x-kubernetes-list-type": "atomic" }));
    let mut status = crd::<MigrationPlanStatus>();
    extend(&mut status, "/properties/findings", json!({ "x-kubernetes-list-type": "atomic" }));
    conditions_by_type(&mut status);
    let schema = object(
        "A plan: which services move, in which order, and what has to hold on the way. `gapless check` explains it.",
        json!({ "apiVersion": { "type": "string" }, "kind": { "type": "string" }, "metadata": { "type": "object" }, "spec": spec, "status": status }),
        &["spec"],
    );
    let columns = json!([
        { "name": "Ready", "type": "string", "jsonPath": ".status.conditions[?(@.type==\"Ready\")].status" },
        { "name": "Services", "type": "integer", "jsonPath": ".status.services" },
        { "name": "Finding", "type": "string", "jsonPath": ".status.findings[0].message", "priority": 1 },
        { "name": "Digest", "type": "string", "jsonPath": ".status.digest", "priority": 1 },
        { "name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp" },
    ]);
    definition(&Names { kind: "MigrationPlan", plural: "migrationplans", short: &["mp"] }, schema, columns, true)
}

fn revision_definition() -> Value {
    let mut spec = crd::<MigrationPlanRevisionSpec>();
    extend(&mut spec, "/properties/digest", json!({ "pattern": "^[0-9a-f]{64}$" }));
    extend(
        &mut spec,
        "",
        json!({ "x-kubernetes-validations": [{ "rule": "self == oldSelf", "message": "a revision never changes; start a new run for a new plan" }] }),
    );
    let schema = object(
        "What a run executes: a plan with every default filled in. It never changes.",
        json!({ "apiVersion": { "type": "string" }, "kind": { "type": "string" }, "metadata": { "type": "object" }, "spec": spec }),
        &["spec"],
    );
    let columns = json!([
        { "name": "Plan", "type": "string", "jsonPath": ".spec.plan" },
        { "name": "Digest", "type": "string", "jsonPath": ".spec.digest", "priority": 1 },
        { "name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp" },
    ]);
    let names = Names { kind: "MigrationPlanRevision", plural: "migrationplanrevisions", short: &["mpr"] };
    definition(&names, schema, columns, false)
}

fn run_definition() -> Value {
    let mut spec = crd::<MigrationRunSpec>();
    for fixed in ["plan", "revision", "startedBy"] {
        let rule = json!({ "x-kubernetes-validations": [{ "rule": "self == oldSelf", "message": format!("{fixed} of a run never changes; start a new run") }] });
        extend(&mut spec, &format!("/properties/{fixed}"), rule);
    }
    extend(&mut spec, "/properties/intent", json!({ "default": "Run" }));
    let mut status = crd::<MigrationRunStatus>();
    // One value, replaced as a whole: an object of the engine's, which no schema of ours describes twice.
    let record = json!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true, "x-kubernetes-map-type": "atomic" });
    extend(&mut status, "/properties/record", record);
    extend(&mut status, "/properties/waiting", json!({ "x-kubernetes-list-type": "atomic" }));
    conditions_by_type(&mut status);
    let schema = object(
        "One execution of a revision. Order it by `gapless hold|resume|rollback`, or by `spec.intent`.",
        json!({ "apiVersion": { "type": "string" }, "kind": { "type": "string" }, "metadata": { "type": "object" }, "spec": spec, "status": status }),
        &["spec"],
    );
    let columns = json!([
        { "name": "Plan", "type": "string", "jsonPath": ".spec.plan" },
        { "name": "State", "type": "string", "jsonPath": ".status.state" },
        { "name": "Steps", "type": "string", "jsonPath": ".status.progress.text" },
        { "name": "Waiting", "type": "string", "jsonPath": ".status.waiting[0].message", "priority": 1 },
        { "name": "Intent", "type": "string", "jsonPath": ".spec.intent", "priority": 1 },
        { "name": "Started-By", "type": "string", "jsonPath": ".spec.startedBy", "priority": 1 },
        { "name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp" },
    ]);
    definition(&Names { kind: "MigrationRun", plural: "migrationruns", short: &["mrun"] }, schema, columns, true)
}

/// Labels that every object we make carries.
pub fn labels() -> BTreeMap<String, String> {
    BTreeMap::from([("app.kubernetes.io/managed-by".to_owned(), super::MANAGER.to_owned())])
}
