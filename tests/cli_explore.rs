//! `gapless explore` as people call it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

use std::process::{Command, Output};

fn explore(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gapless"));
    command.arg("explore").args(args).current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn a_plan_that_holds_ends_with_0_and_says_what_that_does_not_prove() {
    let output = explore(&["plans/quickstart.yaml", "--budget", "1"]);
    let told = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{told}{}", text(&output.stderr));
    assert!(told.contains("It holds: every order of events within these faults was seen."), "{told}");
    assert!(told.contains("Not proven: Durations"), "{told}");
}

#[test]
fn a_rule_left_out_ends_with_1_and_a_story() {
    let output = explore(&["plans/quickstart.yaml", "--without", "one-owner", "-o", "json"]);
    assert_eq!(output.status.code(), Some(1));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["holds"], false);
    assert_eq!(report["counterexample"]["invariant"], "one-owner");
    let steps = report["counterexample"]["steps"].as_array().unwrap();
    assert_eq!(steps.len(), 2, "the shortest way: {steps:#?}");
    assert_eq!(steps[0]["what"], "another run takes over the route of hello (seized)");
    let broken: Vec<_> = report["invariants"].as_array().unwrap().iter().filter(|i| i["holds"] == false).collect();
    assert_eq!(broken.len(), 1);
    // the report is what `gapless schema explore` says
    let schema = Command::new(env!("CARGO_BIN_EXE_gapless")).args(["schema", "explore"]).output().unwrap();
    let schema: serde_json::Value = serde_json::from_slice(&schema.stdout).unwrap();
    let schema = jsonschema::validator_for(&schema).unwrap();
    assert!(schema.is_valid(&report), "{:?}", schema.iter_errors(&report).map(|e| e.to_string()).collect::<Vec<_>>());
}

/// Here other rules keep what this one keeps.
#[test]
fn a_rule_that_a_plan_does_not_need_is_said_not_to_be_needed_there() {
    let output = explore(&["plans/quickstart.yaml", "--budget", "1", "--without", "served"]);
    let told = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{told}{}", text(&output.stderr));
    assert!(told.contains("The rule that keeps served was left out.\nNothing breaks without it: every order"), "{told}");
}

#[test]
fn alone_every_service_of_a_weekend_is_seen_whole_and_what_lies_between_them_is_said_to_be_left_out() {
    let args = ["plans/spine-weekend.yaml", "--budget", "1", "--only", "eps", "--max-states", "30000", "-o", "json"];
    let report = |more: &[&str]| -> serde_json::Value {
        let output = explore(&[&args[..], more].concat());
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let (with, alone) = (report(&[]), report(&["--alone"]));
    let of = |report: &serde_json::Value| {
        (report["around"].clone(), report["exhaustive"].clone(), report["shapes"][0]["name"].clone(), report["limits"][2].clone())
    };
    assert_eq!(of(&with).0, "neighbours");
    assert_eq!(of(&with).1, false, "with its neighbours it has more states than that");
    let (around, exhaustive, name, limit) = of(&alone);
    assert_eq!((around, exhaustive, name), ("nothing".into(), true.into(), "eps".into()));
    assert!(limit.as_str().unwrap().starts_with("Anything between services"), "{limit}");
}

#[test]
fn what_is_finished_is_taken_up_again_and_only_by_the_same_exploration() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("progress.json");
    let file = file.to_str().unwrap();
    let args = ["plans/quickstart.yaml", "--budget", "1", "-o", "json", "--resume", file];
    let report = |output: Output| {
        let mut report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        report["seconds"] = 0.into();
        report
    };
    let first = report(explore(&args));
    let kept = std::fs::read(file).unwrap();
    assert_eq!(report(explore(&args)), first);
    assert_eq!(std::fs::read(file).unwrap(), kept, "nothing was explored again");
    let other = explore(&["plans/quickstart.yaml", "--budget", "0", "--resume", file]);
    assert_eq!(other.status.code(), Some(2));
    assert!(text(&other.stderr).contains("belongs to other options"), "{}", text(&other.stderr));
}

/// A plan may change: pieces that are made of the same as before stay explored.
#[test]
fn only_the_pieces_that_a_change_of_the_plan_touches_are_explored_again() {
    let directory = tempfile::tempdir().unwrap();
    let (plan, kept) = (directory.path().join("plan.yaml"), directory.path().join("progress.json"));
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/plans/three-services.yaml")).unwrap();
    let run = |text: &str| {
        std::fs::write(&plan, text).unwrap();
        let output = explore(&[plan.to_str().unwrap(), "--budget", "0", "-o", "json", "--resume", kept.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(0), "{}", self::text(&output.stderr));
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let content: serde_json::Value = serde_json::from_slice(&std::fs::read(&kept).unwrap()).unwrap();
        (report["shapes"].as_array().unwrap().len(), content["pieces"].as_array().unwrap().len())
    };
    assert_eq!(run(&text), (3, 3));
    // `pds` is watched for longer, which nobody needs who is searched beside it
    let changed = text.replace("shift: { steps: [1, 10, 50, 100], bake: 5m }", "shift: { steps: [1, 10, 50, 100], bake: 6m }");
    assert_ne!(changed, text);
    assert_eq!(run(&changed), (3, 4));
}

#[test]
fn a_file_that_is_torn_or_of_another_program_is_refused_and_stays_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("progress.json");
    let args = ["plans/quickstart.yaml", "--budget", "0", "--resume", file.to_str().unwrap()];
    assert_eq!(explore(&args).status.code(), Some(0));
    let whole = text(&std::fs::read(&file).unwrap());
    let content: serde_json::Value = serde_json::from_str(&whole).unwrap();
    let other = whole.replace(content["program"].as_str().unwrap(), "another");
    for (bytes, told) in
        [(&whole[..whole.len() / 2], "is torn, or not what an exploration keeps"), (&other, "another build of gapless")]
    {
        std::fs::write(&file, bytes).unwrap();
        let refused = explore(&args);
        assert_eq!(refused.status.code(), Some(2));
        assert!(text(&refused.stderr).contains(told), "{}", text(&refused.stderr));
        assert_eq!(text(&std::fs::read(&file).unwrap()), bytes);
    }
}

#[test]
fn threads_change_no_byte() {
    let run = |threads: &str| {
        let output =
            explore(&["plans/three-services.yaml", "--budget", "1", "--max-states", "3000", "-o", "json", "--threads", threads]);
        let mut report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        report["seconds"] = 0.into();
        report
    };
    let alone = run("1");
    assert_eq!((alone["exhaustive"].clone(), alone["holds"].clone()), (false.into(), true.into()));
    assert_eq!(run("3"), alone);
}

#[test]
fn wrong_usage_ends_with_2_and_says_what_there_is() {
    for (args, told) in [
        (vec!["plans/quickstart.yaml", "--faults", "gate-fail"], "there are all, none, gate-fails"),
        (vec!["plans/quickstart.yaml", "--without", "serve"], "there are served, one-writer"),
        (vec!["plans/quickstart.yaml", "--only", "nobody"], "the plan has no service `nobody`"),
        (vec!["no-such-file.yaml"], "cannot be read"),
    ] {
        let output = explore(&args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(text(&output.stderr).contains(told), "{args:?}: {}", text(&output.stderr));
    }
}
