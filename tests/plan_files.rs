//! Plans as files: the examples are clean, and the same meaning has the same digest.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

use gapless::plan::{Code, Severity, read};

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
            // That something is not run yet is a note, and no fault of the plan.
            let wrong: Vec<_> = checked.warnings.iter().filter(|finding| finding.severity != Severity::Note).collect();
            assert!(wrong.is_empty(), "{}: {wrong:#?}", path.display());
            seen += 1;
        }
    }
    assert!(seen >= 8, "only {seen}");
}

/// The digests of the examples: see `tests/plan_language.rs`. An example that is changed on purpose has another one here.
const DIGESTS: [(&str, &str); 8] = [
    ("database-dns.yaml", "7f7dfa8bb414167c655b6f20836f5ecfad3cbb2c987cdd4d707cc9763a15d415"),
    ("peering-exchange.yaml", "5f485d430508bb8e1696f6d09240b9ae7f77bcdf8d7efef1f7b97fc8224ba7fb"),
    ("quickstart.yaml", "55f3e88c687d396e1c9d8c57fc950cea715067eb7aea604f85230ebcc660a246"),
    ("registry-exit.yaml", "8f3492f93f9ab07365f816f47dc2f77943c07a5aa1de0647c7a16df30d921d7c"),
    ("service-desk.yaml", "5f2290f08133740825311501e66e2bb3d087e91817299510456ef1625b9771de"),
    ("sock-shop.yaml", "cc23025bc6ad431e59b2682cb46bcf9f935d0fb8df60aebdcc480ed700c57b27"),
    ("spine-weekend.yaml", "12d5418ff7c0465075cefd0c69adce22be8e40ddd49d502076c34cbe27dd2a3c"),
    ("three-services.yaml", "7f79342f0cb35f9dcc45cf316afa6a8ab15a734a4e968a476ea54ac0d46bb0ed"),
];

#[test]
fn each_example_means_what_it_always_meant() {
    let digest =
        |name: &str| read(file(name)).unwrap_or_else(|r| panic!("{name}: {:#?}", r.findings)).revision.digest().to_string();
    let found = DIGESTS.map(|(name, _)| (name, digest(name)));
    assert_eq!(found.each_ref().map(|(name, digest)| (*name, digest.as_str())), DIGESTS);
}

/// The large examples are what their script writes, and the exit has its 120 services and its 875 hosts, each once.
#[test]
fn generated_examples_are_what_their_script_writes() {
    let out = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("generated-plans");
    std::fs::create_dir_all(&out).unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/plans/generate.py");
    let ran = std::process::Command::new("python3").arg(script).arg(&out).output().expect("this test needs python3");
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    for name in ["registry-exit.yaml", "peering-exchange.yaml"] {
        let written = std::fs::read_to_string(out.join(name)).unwrap();
        assert!(written == file(name), "plans/{name} is not what plans/generate.py writes: run it, and commit what it writes");
    }
    let exit = read(file("registry-exit.yaml")).unwrap();
    let plan = exit.revision.plan();
    let hosts: Vec<&String> = plan.legacy_systems.values().flat_map(|system| &system.hosts).collect();
    let once: std::collections::BTreeSet<&String> = hosts.iter().copied().collect();
    assert_eq!((plan.services.len(), hosts.len(), once.len()), (120, 875, 875));
}

/// What the examples are examples of is watched: each with one thing changed is found out.
#[test]
fn each_example_with_one_thing_changed_is_found_out() {
    let changes = [
        ("registry-exit.yaml", "deadline: 2027-03-31", "deadline: 2026-12-01", Code::DeadlineMissed),
        ("registry-exit.yaml", "bake: 10m", "bake: 8h", Code::WindowTooShort),
        ("registry-exit.yaml", "hosts: [dc1-001, ", "hosts: [dc1-875, ", Code::DuplicateHost),
        ("registry-exit.yaml", "needs: [{ service: service-001 }]", "needs: [{ service: service-120 }]", Code::PhaseOrder),
        (
            "peering-exchange.yaml",
            "phases: [pilot, suppliers, north, south]",
            "phases: [pilot, suppliers, north]",
            Code::BridgeMissing,
        ),
        ("peering-exchange.yaml", "drain: { deadline: 6h }", "drain: { deadline: 1h }", Code::SoakUnderConnectionAge),
        ("service-desk.yaml", "stableFor: 14d }], approval", "stableFor: 30d }], approval", Code::WindowTooShort),
        ("service-desk.yaml", "reserve: 1h", "reserve: 5m", Code::ReserveTooShort),
        ("spine-weekend.yaml", "closes: 2026-08-31T18:00", "closes: 2026-08-29T06:00", Code::WindowTooShort),
        ("spine-weekend.yaml", "from: 2026-08-31T18:00", "from: 2026-08-31T12:00", Code::FreezeInWindow),
        (
            "spine-weekend.yaml",
            "perTier: [{ tier: Critical, max: 2 }]",
            "perTier: [{ tier: Critical, max: 1 }]",
            Code::GroupOverLimit,
        ),
        ("spine-weekend.yaml", "opens: 2026-10-16T20:00", "opens: 2026-10-18T20:00", Code::WindowTooShort),
        ("database-dns.yaml", "pauseBudget: 90s", "pauseBudget: 30s", Code::PauseOverBudget),
        ("database-dns.yaml", "opens: 2026-09-06T01:00", "opens: 2026-10-25T01:30", Code::AmbiguousMoment),
    ];
    for (name, good, bad, code) in changes {
        let text = file(name);
        assert!(text.contains(good), "{name} has no {good}");
        let found = match read(text.replacen(good, bad, 1)) {
            Ok(checked) => checked.warnings,
            Err(refused) => refused.findings,
        };
        assert!(found.iter().any(|finding| finding.code == code), "{name} with {bad}: {found:#?}");
    }
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
