//! The plan language: its examples are read, what they mean is known by a digest, and no field is without effect.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

use gapless::plan::{Checked, Code, Severity, explain_all, read};
use serde_json::Value;

fn example(name: &str) -> String {
    std::fs::read_to_string(format!("{}/tests/language/{name}.yaml", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn checked(text: &str) -> Checked {
    read(text).unwrap_or_else(|refused| panic!("{:#?}", refused.findings))
}

/// The digests of the examples. They are the names under which plans are approved and kept for months: a release that changes
/// one means that plan otherwise than the release before it, and says so in its notes.
const DIGESTS: [(&str, &str); 2] = [
    ("weekend", "dbddba96207c4b4e1c047fb34588c2e152644f0e3fcdfcd89ca7630199abd98f"),
    ("database", "1d67e7b88d0cfef651868092591bc2b929a1332b519d52d507f30d2821d295b4"),
];
/// All plans of `tests/language/`.
const EXAMPLES: [&str; 3] = ["weekend", "database", "all"];

#[test]
fn the_examples_of_the_design_are_read_and_have_the_digest_that_they_always_had() {
    let mut differ = Vec::new();
    for (name, known) in DIGESTS {
        let checked = checked(&example(name));
        let loud: Vec<_> = checked.warnings.iter().filter(|finding| finding.severity != Severity::Note).collect();
        assert!(loud.len() <= 4, "{name}: {loud:#?}");
        let digest = checked.revision.digest().as_str();
        if digest != known {
            differ.push(format!("{name}: {digest}"));
        }
    }
    assert!(differ.is_empty(), "other digests:\n{}", differ.join("\n"));
}

/// A value with the fields of every object, and the elements of every list of named objects, the other way round.
fn reversed(value: Value) -> Value {
    match value {
        Value::Object(fields) => fields.into_iter().rev().map(|(name, value)| (name, reversed(value))).collect(),
        Value::Array(items) => {
            let named = items.iter().all(|item| item.get("name").is_some());
            let items = items.into_iter().map(reversed);
            if named { items.rev().collect() } else { items.collect() }
        }
        other => other,
    }
}

#[test]
fn order_means_nothing() {
    for name in EXAMPLES {
        let value: Value = serde_yaml::from_str(&example(name)).unwrap();
        // A service without a phase moves in the first one that is listed.
        let turned = reversed(value);
        assert_eq!(checked(&turned.to_string()).revision.digest(), checked(&example(name)).revision.digest(), "{name}");
    }
}

/// What a service has from the defaults is what it would have if it stood in it.
#[test]
fn defaults_mean_what_they_would_mean_in_each_service() {
    let with = |defaults: &str, own: &str| {
        format!(
            r#"
apiVersion: gapless.dev/v1alpha1
kind: MigrationPlan
metadata: {{ name: p }}
spec:
{defaults}
  services:
    - name: pds
      legacy: {{ endpoints: [{{ address: 10.20.0.11, port: 8443 }}] }}
      target: {{ endpoints: [{{ address: 10.30.0.11, port: 8443 }}] }}
      router: {{ webhook: {{ url: "http://10.0.9.9/routes/pds" }} }}
{own}
"#
        )
    };
    let cases = [
        // objects by field
        (
            "  defaults: { shift: { steps: [50, 100], bake: 3m } }",
            "      shift: { bake: 4m }",
            "      shift: { steps: [50, 100], bake: 4m }",
        ),
        (
            "  defaults: { load: { headroomPercent: 50 } }",
            "      load: { peak: 10/s }",
            "      load: { peak: 10/s, headroomPercent: 50 }",
        ),
        // plain lists replace
        ("  defaults: { shift: { steps: [50, 100] } }", "      shift: { steps: [100] }", "      shift: { steps: [100] }"),
        // named objects by name, then by field; `disabled` drops
        (
            "  defaults: { gates: [{ name: a, every: 3s, check: { http: { url: \"http://a\" } } }, { name: b, check: { http: { url: \"http://b\" } } }] }",
            "      gates: [{ name: b, disabled: true }, { name: a, failures: 7 }]",
            "      gates: [{ name: a, every: 3s, failures: 7, check: { http: { url: \"http://a\" } } }]",
        ),
        // a default that is off, switched on
        (
            "  defaults: { gates: [{ name: a, disabled: true, check: { http: { url: \"http://a\" } } }] }",
            "      gates: [{ name: a, disabled: false }]",
            "      gates: [{ name: a, check: { http: { url: \"http://a\" } } }]",
        ),
        // a union is taken as a whole
        (
            "  defaults: { gates: [{ name: a, every: 3s, check: { http: { url: \"http://a\" } } }] }",
            "      gates: [{ name: a, check: { http: { url: \"http://b\", timeout: 2s } } }]",
            "      gates: [{ name: a, every: 3s, check: { http: { url: \"http://b\", timeout: 2s } } }]",
        ),
        // variables
        (
            "  defaults: { gates: [{ name: a, check: { http: { url: \"http://$(service).example/$(phase)\" } } }] }",
            "",
            "      gates: [{ name: a, check: { http: { url: \"http://pds.example/all\" } } }]",
        ),
    ];
    let probe = "      probes: [{ name: up, send: { http: {} } }]\n";
    for (defaults, own, whole) in cases {
        let merged = checked(&with(defaults, &format!("{probe}{own}")));
        let written = checked(&with("", &format!("{probe}{whole}")));
        assert_eq!(merged.revision.plan(), written.revision.plan(), "{defaults} and {own}");
    }
}

#[test]
fn a_mistake_in_the_defaults_is_said_once_and_where_it_stands() {
    let text = r#"
apiVersion: gapless.dev/v1alpha1
kind: MigrationPlan
metadata: { name: p }
spec:
  defaults:
    gates: [{ name: a, check: { probe: { name: missing } } }, { name: b, every: 1ms, check: { http: { url: "http://b" } } }]
  services:
    - name: pds
      legacy: { endpoints: [{ address: 10.20.0.11, port: 8443 }] }
      target: { endpoints: [{ address: 10.30.0.11, port: 8443 }] }
      router: { webhook: { url: "http://10.0.9.9/routes/pds" } }
    - name: scr
      needs: [{ service: pds }]
      legacy: { endpoints: [{ address: 10.20.0.12, port: 8443 }] }
      target: { endpoints: [{ address: 10.30.0.12, port: 8443 }] }
      router: { webhook: { url: "http://10.0.9.9/routes/scr" } }
      gates: [{ name: c, failures: 4 }]
"#;
    let refused = read(text).unwrap_err();
    let found: Vec<_> = refused.findings.iter().map(|f| (f.code, f.path.to_string(), f.line)).collect();
    assert_eq!(
        found,
        [
            (Code::UnknownReference, "spec.defaults.gates[0].check.probe.name".into(), Some(7)),
            (Code::BadValue, "spec.defaults.gates[1].every".into(), Some(7)),
            (Code::MissingField, "spec.services[1].gates[0].check".into(), Some(18)),
        ],
        "{:#?}",
        refused.findings
    );
}

/// A plan that is written out with every default is the same plan.
#[test]
fn what_is_explained_is_the_same_plan_and_says_where_each_value_came_from() {
    for name in EXAMPLES {
        let text = example(name);
        let digest = checked(&text).revision.digest().clone();
        let contents = explain_all(&text);
        let explained = contents.plans[0].explained.as_deref().unwrap();
        assert_eq!(*checked(explained).revision.digest(), digest, "{name}:\n{explained}");
        let golden = format!("{}/tests/language/{name}.explained.yaml", env!("CARGO_MANIFEST_DIR"));
        if std::env::var_os("GAPLESS_BLESS").is_some() {
            std::fs::write(&golden, explained).unwrap();
        }
        assert_eq!(std::fs::read_to_string(&golden).unwrap_or_default(), explained, "{name}");
    }
}

#[test]
fn the_page_of_the_language_is_current() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/plan.md");
    let wanted = gapless::plan::reference::markdown();
    if std::env::var_os("GAPLESS_BLESS").is_some() {
        std::fs::write(page, &wanted).unwrap();
    }
    let have = std::fs::read_to_string(page).unwrap_or_default();
    assert!(have == wanted, "run: cargo run -- schema plan --markdown > docs/plan.md");
}
