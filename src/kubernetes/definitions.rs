//! The definitions of the custom resources, as the API server wants them.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use serde_json::{Value, json};

use super::{
    approval::MigrationApprovalSpec,
    crd::{GROUP, MigrationPlanRevisionSpec, MigrationPlanStatus, MigrationRunSpec, MigrationRunStatus, VERSION},
};
use crate::plan::{schema::crd, spec::MigrationPlanSpec};

/// All definitions, in the order in which they are installed.
///
/// # Errors
/// Never in a released program: a test makes them. The schema would have to be one that the API types cannot hold.
pub fn definitions() -> Result<Vec<CustomResourceDefinition>, serde_json::Error> {
    [plan_definition(), revision_definition(), run_definition(), approval_definition()]
        .into_iter()
        .map(serde_json::from_value)
        .collect()
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
        "One execution of a revision. Order it by `gapless hold|resume|retry|rollback`, or by `spec.intent`.",
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

fn approval_definition() -> Value {
    let mut spec = crd::<MigrationApprovalSpec>();
    extend(&mut spec, "/properties/digest", json!({ "pattern": "^[0-9a-f]{64}$" }));
    let rules = json!([
        { "rule": "self == oldSelf", "message": "an approval never changes; decide anew in another one" },
        { "rule": "has(self.phase) != has(self.decommission)", "message": "an approval is about one phase, or about the decommission of one service" },
    ]);
    extend(&mut spec, "", json!({ "x-kubernetes-validations": rules }));
    let schema = object(
        "What a person decided about a run: that a phase begins, or that a legacy side ends. It never changes. `gapless approve` makes it.",
        json!({ "apiVersion": { "type": "string" }, "kind": { "type": "string" }, "metadata": { "type": "object" }, "spec": spec }),
        &["spec"],
    );
    let columns = json!([
        { "name": "Run", "type": "string", "jsonPath": ".spec.run.name" },
        { "name": "Phase", "type": "string", "jsonPath": ".spec.phase" },
        { "name": "Decommission", "type": "string", "jsonPath": ".spec.decommission" },
        { "name": "Decision", "type": "string", "jsonPath": ".spec.decision" },
        { "name": "Approver", "type": "string", "jsonPath": ".spec.approver" },
        { "name": "Comment", "type": "string", "jsonPath": ".spec.comment", "priority": 1 },
        { "name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp" },
    ]);
    let names = Names { kind: "MigrationApproval", plural: "migrationapprovals", short: &["mapp"] };
    definition(&names, schema, columns, false)
}
