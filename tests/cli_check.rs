//! The command as people and scripts use it: exit codes, streams, JSON, and that nothing is written.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

use std::{
    io::{Read as _, Write as _},
    path::Path,
    process::{Command, Output, Stdio},
};

use serde_json::Value;

fn gapless(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gapless"));
    command.args(args).current_dir(env!("CARGO_MANIFEST_DIR")).env_remove("GAPLESS_LOG");
    command
}

fn run(args: &[&str]) -> Output {
    gapless(args).output().unwrap()
}

fn code(args: &[&str]) -> i32 {
    run(args).status.code().unwrap()
}

#[test]
fn exit_codes_tell_good_from_found_from_unreadable() {
    assert_eq!(code(&["check", "plans/quickstart.yaml", "plans/three-services.yaml"]), 0);
    assert_eq!(code(&["check", "plans/quickstart.yaml", "tests/findings/cycle.yaml"]), 1);
    assert_eq!(code(&["check", "tests/findings/nonsense.yaml"]), 1);
    assert_eq!(code(&["check", "tests/findings/cycle.yaml", "no/such/file.yaml"]), 2);
    assert_eq!(code(&["check", "tests"]), 2, "a directory cannot be read");
    assert_eq!(code(&["check"]), 2);
    assert_eq!(code(&["no-such-verb"]), 2);
    assert_eq!(code(&["check", "--explain", "no-such-code"]), 2);
    assert_eq!(code(&["check", "tests/findings/undeclared-needs.yaml"]), 0);
    assert_eq!(code(&["check", "--deny", "warnings", "tests/findings/undeclared-needs.yaml"]), 1);
    assert_eq!(code(&["check", "--deny", "warnings", "plans/quickstart.yaml"]), 0);
}

#[test]
fn an_unreadable_file_is_named_on_standard_error_and_the_others_are_still_checked() {
    let output = run(&["check", "no/such/file.yaml", "tests/findings/cycle.yaml"]);
    let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(err.starts_with("error: no/such/file.yaml cannot be read: "), "{err}");
    assert!(out.contains("error[cycle]"), "{out}");
    assert!(!out.contains('\u{1b}'), "no colours into a pipe");
}

#[test]
fn a_dash_is_standard_input() {
    let mut child = gapless(&["check", "-", "-o", "json"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(&std::fs::read("plans/quickstart.yaml").unwrap()).unwrap();
    let output = child.wait_with_output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((output.status.code(), &report["plans"][0]["file"]), (Some(0), &Value::from("-")));
}

#[test]
fn json_keeps_its_contract_and_its_schema() {
    let schema: Value = serde_json::from_slice(&run(&["schema", "check"]).stdout).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let output = run(&[
        "check",
        "-o",
        "json",
        "plans/quickstart.yaml",
        "tests/findings/everything-at-once.yaml",
        "tests/findings/nonsense.yaml",
    ]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let errors: Vec<String> = validator.iter_errors(&report).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}");
    let (good, wrong) = (&report["plans"][0], &report["plans"][1]);
    assert_eq!((&good["name"], &good["services"], &good["steps"]), (&"quickstart".into(), &1.into(), &6.into()));
    assert_eq!(good["digest"].as_str().unwrap().len(), 64);
    assert_eq!(wrong["digest"], Value::Null);
    for finding in wrong["findings"].as_array().unwrap() {
        for field in ["code", "severity", "path", "line", "column", "message", "help"] {
            assert!(finding.get(field).is_some(), "{finding} has no {field}");
        }
    }
    let cycle = wrong["findings"].as_array().unwrap().iter().find(|finding| finding["code"] == "cycle").unwrap();
    assert_eq!((&cycle["line"], &cycle["path"]), (&23.into(), &"spec.services[1].needs[0].service".into()));
}

#[test]
fn every_example_plan_is_valid_by_the_printed_schema() {
    let schema: Value = serde_json::from_slice(&run(&["schema", "plan"]).stdout).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for file in ["plans/quickstart.yaml", "plans/three-services.yaml"] {
        let plan: Value = serde_yaml::from_slice(&std::fs::read(file).unwrap()).unwrap();
        assert!(validator.is_valid(&plan), "{file}");
    }
    let wrong: Value = serde_yaml::from_slice(&std::fs::read("tests/findings/unknown-field.yaml").unwrap()).unwrap();
    assert!(!validator.is_valid(&wrong));
}

#[test]
fn every_code_is_listed_and_explained() {
    let list = String::from_utf8(run(&["check", "--list"]).stdout).unwrap();
    for code in gapless::plan::Code::ALL {
        assert!(list.lines().any(|line| line.split_whitespace().next() == Some(code.name())), "{code} is not listed");
        let explained = run(&["check", "--explain", code.name()]);
        assert!(explained.status.success() && explained.stdout.len() > 100, "{code} is not explained");
    }
    let json: Value = serde_json::from_slice(&run(&["check", "--list", "-o", "json"]).stdout).unwrap();
    assert_eq!(json.as_array().unwrap().len(), gapless::plan::Code::ALL.len());
}

/// A reader that goes away: `gapless check … | head -1`.
#[test]
fn a_closed_pipe_is_no_panic_and_changes_no_exit_code() {
    let args: Vec<&str> = std::iter::once("check").chain(std::iter::repeat_n("tests/findings/bad-value.yaml", 200)).collect();
    let mut child = gapless(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut first = [0u8; 5];
    let mut stdout = child.stdout.take().unwrap();
    stdout.read_exact(&mut first).unwrap();
    drop(stdout);
    let output = child.wait_with_output().unwrap();
    assert_eq!(&first, b"error");
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
fn nothing_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let plan = dir.path().join("plan.yaml");
    std::fs::copy("tests/findings/nonsense.yaml", &plan).unwrap();
    let before = std::fs::metadata(&plan).unwrap().modified().unwrap();
    let status = gapless(&["check", "plan.yaml"]).current_dir(dir.path()).output().unwrap().status;
    assert_eq!(status.code(), Some(1));
    let files: Vec<_> = std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(files, ["plan.yaml"]);
    assert_eq!(std::fs::metadata(&plan).unwrap().modified().unwrap(), before);
    assert!(Path::new("tests/findings/nonsense.yaml").exists());
}
