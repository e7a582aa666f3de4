//! Plans for tests.

use gapless::plan::{self, Revision};

/// A service with two hosts a side that carry 60/s each of a peak of 80/s, three weights and one gate.
fn service(name: &str, host: usize, more: &str) -> String {
    format!(
        "
    - name: {name}
      load: {{ peak: 80/s, headroomPercent: 20 }}
      legacy: {{ endpoints: [{{ address: 10.1.{host}.1, port: 80 }}, {{ address: 10.1.{host}.2, port: 80 }}], capacity: {{ perEndpoint: 60/s }} }}
      target: {{ endpoints: [{{ address: 10.2.{host}.1, port: 80 }}, {{ address: 10.2.{host}.2, port: 80 }}], capacity: {{ perEndpoint: 60/s }} }}
      router: {{ webhook: {{ url: 'http://10.3.0.{host}:80/route' }} }}
      shift: {{ steps: [5, 25, 100], bake: 2s }}
      soak: {{ for: 10s, guardFor: 1s, onFailure: Rollback }}
      probes: [{{ name: p, every: 100ms, timeout: 80ms, send: {{ http: {{ path: / }} }} }}]
      gates: [{{ name: answers, every: 100ms, failures: 3, unknownLimit: 20s, check: {{ probe: {{ name: p, successes: 5 }} }} }}]
      {more}"
    )
}

fn revision(phases: &str, services: &[(&str, &str)]) -> Revision {
    let services: String = (1..).zip(services).map(|(host, (name, more))| service(name, host, more)).collect();
    let text = format!(
        "apiVersion: gapless.dev/v1alpha1\nkind: MigrationPlan\nmetadata: {{ name: test }}\nspec:\n  {phases}\n  services:{services}\n"
    );
    plan::read(&text).unwrap_or_else(|refused| panic!("{:#?}\n{text}", refused.findings)).revision
}

pub fn one() -> Revision {
    revision("", &[("only", "")])
}

/// A service whose connections live for five seconds.
#[allow(dead_code, reason = "not every test that has these plans asks for it")]
pub fn kept() -> Revision {
    revision("", &[("only", "maxConnectionAge: 5s")])
}

/// base ← top.
pub fn two() -> Revision {
    revision("", &[("base", ""), ("top", "needs: [{ service: base }]")])
}

/// base ← middle ← top in one phase with `side`, which needs nobody; `late` in a second phase.
pub fn five() -> Revision {
    revision(
        "phases: [{ name: one }, { name: two, after: [{ phase: one }] }]",
        &[
            ("base", "phase: one"),
            ("middle", "phase: one\n      needs: [{ service: base }]"),
            ("top", "phase: one\n      needs: [{ service: middle }]"),
            ("side", "phase: one"),
            ("late", "phase: two"),
        ],
    )
}

/// The files of `plans/`.
pub fn examples() -> Vec<String> {
    let files = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/plans")).unwrap();
    let mut files: Vec<String> = files.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    files.retain(|file| file.ends_with(".yaml"));
    files.sort();
    files
}

/// An example of `plans/`.
pub fn example(file: &str) -> Revision {
    let text = std::fs::read_to_string(format!("{}/plans/{file}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    plan::read(&text).unwrap_or_else(|refused| panic!("{:#?}", refused.findings)).revision
}
