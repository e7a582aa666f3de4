//! `gapless rehearse` as people call it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

use std::process::{Command, Output};

use serde_json::Value;

fn gapless(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_gapless")).args(args).current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap()
}

fn rehearse(args: &[&str]) -> Output {
    gapless(&[&["rehearse"], args].concat())
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// What is printed, with the one thing that is measured taken out of the JSON.
fn printed(output: &Output, form: &str) -> String {
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    if form == "text" {
        return text(&output.stdout);
    }
    let mut report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(report["seconds"].as_f64().unwrap() > 0.0);
    report["seconds"] = 0.into();
    report.to_string()
}

#[test]
fn the_number_of_threads_changes_no_byte() {
    for form in ["text", "json"] {
        let with = |threads: &str, seed: &str| {
            let args = ["plans/database-dns.yaml", "--runs", "75", "--seed", seed, "--threads", threads, "-o", form];
            printed(&rehearse(&args), form)
        };
        let alone = with("1", "7");
        assert_eq!(with("2", "7"), alone);
        assert_eq!(with("9", "7"), alone, "more threads than batches");
        assert_ne!(with("2", "8"), alone, "the seed does");
    }
}

#[test]
fn json_keeps_its_contract_and_its_schema() {
    let output = rehearse(&["plans/database-dns.yaml", "--runs", "60", "--seed", "3", "-o", "json"]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    for number in [
        "/runs",
        "/seed",
        "/completed",
        "/rolledBack",
        "/held",
        "/violations",
        "/seconds",
        "/duration/p50",
        "/duration/p95",
        "/duration/max",
        "/rollback/p50",
        "/rollback/p95",
        "/fitsWindow/fits",
        "/worst/0/seed",
    ] {
        assert!(report.pointer(number).is_some_and(Value::is_number), "{number}: {:?}", report.pointer(number));
    }
    let count = |name: &str| report[name].as_u64().unwrap();
    assert_eq!((count("runs"), count("seed"), count("violations")), (60, 3, 0));
    assert_eq!(count("completed") + count("rolledBack") + count("held"), 60, "each run ends in one way");
    let schema: Value = serde_json::from_slice(&gapless(&["schema", "rehearse"]).stdout).unwrap();
    let schema = jsonschema::validator_for(&schema).unwrap();
    assert!(schema.is_valid(&report), "{:?}", schema.iter_errors(&report).map(|e| e.to_string()).collect::<Vec<_>>());
    // the worst run is made again by its seed, and ends as it was said to
    let worst = &report["worst"][0];
    let seed = worst["seed"].as_u64().unwrap();
    assert!((3..63).contains(&seed) && worst["why"].as_str().is_some_and(|why| !why.is_empty()), "{worst}");
    let told = rehearse(&["plans/database-dns.yaml", "--seed", &seed.to_string(), "--trace", "-o", "json"]);
    let told: Value = serde_json::from_slice(&told.stdout).unwrap();
    assert_eq!((&told["seed"], &told["outcome"], &told["why"]), (&worst["seed"], &worst["outcome"], &worst["why"]));
    assert!(
        told["lines"].as_array().is_some_and(|lines| lines.iter().any(|line| line["by"] == "world")),
        "its fault is told: {told}"
    );
}

#[test]
fn a_plan_with_errors_ends_with_1_and_rehearses_nothing() {
    let output = rehearse(&["tests/findings/cycle.yaml"]);
    assert_eq!((output.status.code(), text(&output.stdout).as_str()), (Some(1), ""));
    assert!(text(&output.stderr).contains("error[cycle]"), "{}", text(&output.stderr));
}

#[test]
fn wrong_usage_ends_with_2_and_says_what_there_is() {
    let plan = "plans/quickstart.yaml";
    for (args, told) in [
        (vec![plan, "--faults", "gate-fail"], "there are all, none, gate-fails"),
        (vec![plan, "--faults", "stale-read"], "no such kind of fault: `stale-read`"),
        (vec![plan, "--faults", "crash=often"], "`crash=often` has no number after `=`"),
        (vec![plan, "--runs", "0"], "0 is not in 1..=10000000"),
        (vec![plan, "--threads", "0"], "0 is not in 1..=65535"),
        (vec![plan, "--runs", "5", "--trace"], "cannot be used with"),
        (vec![plan, "--people", "soon"], "soon"),
        (vec![plan, "--start", "tomorrow"], "tomorrow"),
        (vec![plan, "--durations", "no-such-journal"], "no-such-journal cannot be read"),
        (vec![plan, "--durations", "Cargo.toml"], "Cargo.toml: "),
        (vec!["no-such-file.yaml"], "no-such-file.yaml cannot be read"),
    ] {
        let output = rehearse(&args);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {}", text(&output.stderr));
        assert!(text(&output.stderr).contains(told), "{args:?}: {}", text(&output.stderr));
        assert_eq!(text(&output.stdout), "", "{args:?}");
    }
}
