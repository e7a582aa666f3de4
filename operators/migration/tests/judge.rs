//! The operator's program as the judge of one plan: no cluster is needed for it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by it")]

use std::{
    io::Write as _,
    process::{Command, Output, Stdio},
};

use serde_json::{Value, json};

fn judged(plan: &[u8]) -> Output {
    let mut judge = Command::new(env!("CARGO_BIN_EXE_gapless-operator"));
    let mut judge = judge.arg("judge-plan").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    judge.stdin.take().unwrap().write_all(plan).unwrap();
    judge.wait_with_output().unwrap()
}

fn plan(probe: &str) -> Vec<u8> {
    let service = json!({
        "name": "pds", "legacy": { "endpoints": [{ "address": "10.0.0.1", "port": 80 }] },
        "target": { "service": { "name": "pds", "port": 80 } }, "router": { "httpRoute": { "name": "pds" } },
        "probes": [{ "name": "alive", "send": { "http": { "path": probe } } }],
    });
    let plan = json!({
        "apiVersion": "gapless.dev/v1alpha1", "kind": "MigrationPlan",
        "metadata": { "name": "p", "namespace": "spine", "generation": 7 }, "spec": { "services": [service] },
    });
    serde_json::to_vec(&plan).unwrap()
}

#[test]
fn a_judge_says_what_is_found_in_one_plan() {
    for (probe, holds, digest) in [("/live", "True", true), ("no path", "False", false)] {
        let said = judged(&plan(probe));
        assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
        let status: Value = serde_json::from_slice(&said.stdout).unwrap();
        assert_eq!(status["observedGeneration"], 7);
        assert_eq!(status["conditions"][0]["status"], holds, "{status:#}");
        assert_eq!(status["digest"].is_string(), digest, "{status:#}");
        assert_eq!(status["findings"].as_array().is_some_and(|all| all.iter().any(|one| one["severity"] == "error")), !digest);
    }
}

#[test]
fn what_is_no_plan_is_refused_with_a_reason_and_without_an_answer() {
    let said = judged(b"{}");
    assert_eq!((said.status.code(), said.stdout.len()), (Some(1), 0));
    assert!(String::from_utf8_lossy(&said.stderr).contains("the plan cannot be read"));
}
