//! Plans as files: the examples are clean, and the same meaning has the same digest.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

use gapless::plan::{Code, read};

fn file(name: &str) -> String {
    std::fs::read_to_string(format!("{}/plans/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

#[test]
fn every_example_plan_is_clean() {
    let mut seen = 0;
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/plans")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ext| ext == "yaml") {
            let checked = read(std::fs::read(&path).unwrap())
                .unwrap_or_else(|refused| panic!("{}: {:#?}", path.display(), refused.findings));
            assert!(checked.warnings.is_empty(), "{}: {:#?}", path.display(), checked.warnings);
            seen += 1;
        }
    }
    assert!(seen >= 2);
}

#[test]
fn order_comments_and_written_defaults_do_not_change_the_digest() {
    let base = file("quickstart.yaml");
    let digest = |text: &str| read(text).unwrap_or_else(|r| panic!("{:#?}", r.findings)).revision.digest().clone();
    let same = r#"
kind: MigrationPlan # any comment
apiVersion: gapless.dev/v1alpha1
metadata: { namespace: default, name: quickstart, labels: { a: b } }
spec:
  phases: [{ name: all }]
  services:
    - soak: { onFailure: Rollback, guardFor: 30s, for: 600s }
      probes:
        - name: answers
          every: 1000ms
          timeout: 1s
          send: { http: { method: GET, path: /healthz, expect: { status: [200] } } }
      gates:
        - name: answers
          every: 1s
          check: { probe: { name: answers, successes: 3, maxFailureRatio: 0.0 } }
          failures: 3
          unknownLimit: 10m
          onUnknown: Hold
          guard: true
      shift: { bake: 30s, steps: [10, 50, 100] }
      router: { webhook: { url: "http://127.0.0.1:8090/routes/hello" } }
      target: { endpoints: [{ port: 8082, address: "::ffff:127.0.0.1" }] }
      legacy: { endpoints: [{ port: 8081, address: 127.0.0.1 }] }
      onFailure: Rollback
      rollback: { scope: Dependents }
      phase: all
      name: hello
"#;
    assert_eq!(digest(&base), digest(same));
    assert_ne!(digest(&base), digest(&base.replace("bake: 30s", "bake: 31s")));
}

#[test]
fn a_plan_read_back_from_a_cluster_is_the_same_plan() {
    let base = file("three-services.yaml");
    let mut value: serde_json::Value = serde_yaml::from_str(&base).unwrap();
    value["metadata"]["uid"] = "1".into();
    value["metadata"]["managedFields"] = serde_json::json!([{ "manager": "kubectl" }]);
    value["status"] = serde_json::json!({ "findings": [] });
    let digest = |text: &str| read(text).unwrap_or_else(|r| panic!("{:#?}", r.findings)).revision.digest().clone();
    assert_eq!(digest(&base), digest(&serde_yaml::to_string(&value).unwrap()));
    value["metadata"]["namspace"] = "spine".into();
    let refused = read(serde_yaml::to_string(&value).unwrap()).unwrap_err();
    assert_eq!(refused.findings[0].code, Code::UnknownField);
}

/// A plan in which every field of the schema stands, so that none can be without effect.
const EVERY_FIELD: &str = r#"
apiVersion: gapless.dev/v1alpha1
kind: MigrationPlan
metadata: { name: full, namespace: spine, labels: { team: a }, annotations: { note: b } }
spec:
  phases:
    - name: core
    - { name: clinical, after: [{ phase: core }] }
  services:
    - name: tms
      phase: core
      load: { peak: 100/s, headroomPercent: 10 }
      legacy: { endpoints: [{ address: 10.0.0.1, port: 8080 }], capacity: { perEndpoint: 500/s } }
      target: { service: { name: tms, port: 8080 }, capacity: { perEndpoint: 400/s } }
      router: { httpRoute: { name: edge, sectionName: tms } }
      probes:
        - { name: up, send: { http: {} } }
    - name: pds
      phase: clinical
      needs: [{ service: tms, mode: Before }]
      legacy: { service: { name: pds-old, port: 80 }, capacity: { perEndpoint: 500/s } }
      target: { endpoints: [{ address: 10.0.0.2, port: 80 }] }
      router: { webhook: { url: "http://10.0.9.9/routes/pds", keyFromEnv: ROUTER_KEY } }
      shift: { steps: [10, 60, 100], bake: 3m }
      soak: { for: 3h, guardFor: 40s, onFailure: Hold }
      onFailure: Hold
      rollback: { scope: Phase }
      probes:
        - name: trace
          every: 2s
          timeout: 500ms
          send: { http: { method: POST, path: /trace, host: pds.example.org, body: hello, expect: { status: [202], bodyContains: ok } } }
      gates:
        - name: trace
          every: 2s
          check: { probe: { name: trace, successes: 5, maxFailureRatio: 0.1 } }
          failures: 4
          unknownLimit: 4m
          onUnknown: Rollback
          guard: true
        - { name: desk, every: 5s, check: { http: { url: "http://10.0.9.9/desk", timeout: 2s, successes: 2 } } }
"#;

/// Every scalar of a value: its pointer and its kind of place.
fn leaves(value: &serde_json::Value, pointer: &str, kind: &str, out: &mut Vec<(String, String)>) {
    match value {
        serde_json::Value::Object(fields) => {
            fields.iter().for_each(|(name, inner)| leaves(inner, &format!("{pointer}/{name}"), &format!("{kind}/{name}"), out));
        }
        serde_json::Value::Array(items) => {
            items.iter().enumerate().for_each(|(i, inner)| leaves(inner, &format!("{pointer}/{i}"), &format!("{kind}/*"), out));
        }
        _ => out.push((pointer.to_owned(), kind.to_owned())),
    }
}

/// Every scalar that a schema knows.
fn schema_leaves(schema: &serde_json::Value, kind: &str, out: &mut Vec<String>) {
    let fields = schema.get("properties").and_then(|p| p.as_object());
    match (fields, schema.get("items"), schema.get("additionalProperties").filter(|more| more.is_object())) {
        (Some(fields), ..) => fields.iter().for_each(|(name, inner)| schema_leaves(inner, &format!("{kind}/{name}"), out)),
        (_, Some(items), _) => schema_leaves(items, &format!("{kind}/*"), out),
        (_, _, Some(_)) => {} // labels and annotations
        _ => out.push(kind.to_owned()),
    }
}

#[test]
fn no_field_is_without_effect() {
    let full: serde_json::Value = serde_yaml::from_str(EVERY_FIELD).unwrap();
    let check = |value: &serde_json::Value| read(value.to_string()); // JSON is YAML
    let base = check(&full).unwrap_or_else(|refused| panic!("{:#?}", refused.findings)).revision.digest().clone();

    let mut all = Vec::new();
    leaves(&full, "", "", &mut all);
    let mut known = Vec::new();
    schema_leaves(&gapless::plan::schema::file::<gapless::plan::spec::Document>(), "", &mut known);
    let missing: Vec<_> = known.iter().filter(|kind| !all.iter().any(|(_, have)| have == *kind)).collect();
    assert!(known.len() > 45 && missing.is_empty(), "EVERY_FIELD lacks {missing:?}");

    for (pointer, kind) in
        all.iter().filter(|(_, kind)| !kind.starts_with("/metadata/labels") && !kind.starts_with("/metadata/annotations"))
    {
        let old = full.pointer(pointer).unwrap();
        let others: Vec<serde_json::Value> = match old {
            serde_json::Value::String(text) => {
                let words = [
                    "7m",
                    "70/s",
                    "700/s",
                    "Rollback",
                    "Hold",
                    "Run",
                    "Before",
                    "GET",
                    "10.7.7.7",
                    "/other",
                    "http://10.7.7.7/other",
                    "other",
                    "OTHER",
                ];
                words
                    .iter()
                    .map(|word| (*word).to_owned())
                    .chain([format!("{text}x")])
                    .filter(|word| word != text)
                    .map(Into::into)
                    .collect()
            }
            serde_json::Value::Number(n) if n.is_f64() => vec![0.2.into(), 0.0.into()],
            serde_json::Value::Number(n) => vec![(n.as_u64().unwrap() + 1).into(), (n.as_u64().unwrap() - 1).into()],
            serde_json::Value::Bool(b) => vec![(!b).into()],
            _ => Vec::new(),
        };
        let mut accepted = 0;
        for other in &others {
            let mut changed = full.clone();
            *changed.pointer_mut(pointer).unwrap() = other.clone();
            if let Ok(checked) = check(&changed) {
                accepted += 1;
                assert_ne!(*checked.revision.digest(), base, "{pointer}: {old} -> {other} changes nothing");
            }
        }
        // What a document must say, and what refers to something else here, has no other good value in this plan.
        let fixed = [
            "/apiVersion",
            "/kind",
            "/mode",
            "/every",
            "/phase",
            "/needs/*/service",
            "/probe/name",
            "/phases/*/name",
            "/services/*/name",
            "/probes/*/name",
            "/steps/2",
        ];
        assert!(
            accepted > 0 || fixed.iter().any(|end| kind.ends_with(end) || pointer.ends_with(end)),
            "{pointer} was never accepted: the test shows nothing of it"
        );
    }
}
