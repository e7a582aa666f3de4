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

/// `--explain` takes a code; what is nearly one is asked about.
#[test]
fn explain_tells_codes_from_files() {
    let of = |args: &[&str]| {
        let output = run(args);
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    };
    let (code, out, _) = of(&["check", "--explain", "cycle"]);
    assert_eq!(code, Some(0));
    for part in ["cycle: ", "wrong.yaml\n\n    apiVersion", "check says:\n\nerror[cycle]: ", "right.yaml\n\n    apiVersion"] {
        assert!(out.contains(part), "{part} is not in\n{out}");
    }
    assert_eq!(of(&["check", "--explain=cycle"]).1, out);
    let (code, out, _) = of(&["check", "--explain", "cycle", "-o", "json"]);
    let page: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &page["code"]), (Some(0), &"cycle".into()));
    assert!(page["right"].as_str().unwrap().contains("kind: MigrationPlan"));
    let (code, _, err) = of(&["check", "--explain", "cylce"]);
    assert_eq!(code, Some(2));
    assert!(err.contains("did you mean `cycle`?"), "{err}");
    assert_eq!(of(&["check", "--explain", "cycle", "plans/quickstart.yaml"]).0, Some(2));
    assert_eq!(of(&["check", "--list", "-o", "sarif"]).0, Some(2));
}

#[test]
fn a_file_of_many_objects_is_told_apart() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("all.yaml");
    let plan = std::fs::read_to_string("plans/quickstart.yaml").unwrap();
    let wrong = std::fs::read_to_string("tests/findings/all-zero.yaml").unwrap();
    let map = "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: settings }\n";
    std::fs::write(&file, format!("{map}---\n{plan}---\n{wrong}")).unwrap();
    let file = file.to_str().unwrap();
    let output = run(&["check", file]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(text.contains("plan quickstart") && text.contains("error[all-zero]"), "{text}");
    assert!(text.ends_with(&format!("{file}:1: ConfigMap settings is no plan and was passed over\n")), "{text}");
    let report: Value = serde_json::from_slice(&run(&["check", file, "-o", "json"]).stdout).unwrap();
    let schema: Value = serde_json::from_slice(&run(&["schema", "check"]).stdout).unwrap();
    assert!(jsonschema::validator_for(&schema).unwrap().is_valid(&report), "{report}");
    assert_eq!(report["plans"].as_array().unwrap().len(), 2);
    assert_eq!(report["passedOver"][0]["kind"], "ConfigMap");
    assert_eq!(code(&["run", file, "--state", dir.path().join("state").to_str().unwrap()]), 1, "a run takes one plan");
}

/// The parts of SARIF 2.1.0 (sections 3.13 to 3.30) that code hosting reads.
#[test]
fn sarif_has_the_form_that_code_hosting_reads() {
    let files = ["tests/findings/everything-at-once.yaml", "tests/findings/cycle.yaml", "plans/quickstart.yaml"];
    let output = run(&[&["check", "-o", "sarif"], &files[..]].concat());
    assert_eq!(output.status.code(), Some(1));
    let log: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(log["version"], "2.1.0");
    assert!(log["$schema"].as_str().unwrap().ends_with("sarif-schema-2.1.0.json"));
    let [run_of_all] = log["runs"].as_array().unwrap().as_slice() else { panic!("one run") };
    assert_eq!(run_of_all["tool"]["driver"]["name"], "gapless");
    assert_eq!(run_of_all["columnKind"], "unicodeCodePoints");
    assert_eq!(run_of_all["invocations"][0]["executionSuccessful"], true);
    let rules = run_of_all["tool"]["driver"]["rules"].as_array().unwrap();
    for rule in rules {
        for field in ["shortDescription", "fullDescription", "help"] {
            assert!(!rule[field]["text"].as_str().unwrap().is_empty(), "{rule}");
        }
    }
    let results = run_of_all["results"].as_array().unwrap();
    let report: Value = serde_json::from_slice(&run(&[&["check", "-o", "json"], &files[..]].concat()).stdout).unwrap();
    let found: Vec<&Value> = report["plans"].as_array().unwrap().iter().flat_map(|p| p["findings"].as_array().unwrap()).collect();
    assert_eq!(results.len(), found.len(), "every finding is a result");
    let mut ends = 0;
    for (result, finding) in results.iter().zip(found) {
        let rule = &rules[usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap()];
        assert_eq!((&result["ruleId"], &rule["id"]), (&finding["code"], &finding["code"]));
        assert_eq!(result["level"], finding["severity"]);
        assert!(result["message"]["text"].as_str().unwrap().starts_with(finding["message"].as_str().unwrap()));
        let [place] = result["locations"].as_array().unwrap().as_slice() else { panic!("{result}") };
        let (file, region) = (&place["physicalLocation"]["artifactLocation"]["uri"], &place["physicalLocation"]["region"]);
        assert!(files.contains(&file.as_str().unwrap()), "{file}");
        assert_eq!((&region["startLine"], &region["startColumn"]), (&finding["line"], &finding["column"]));
        assert!(region["endColumn"].as_u64().is_none_or(|end| end > region["startColumn"].as_u64().unwrap()), "{region}");
        ends += usize::from(region["endColumn"].is_u64());
        assert_eq!(result["relatedLocations"].as_array().unwrap().len(), finding["related"].as_array().map_or(0, Vec::len));
        assert_eq!(result["partialFingerprints"]["gaplessFinding/v1"].as_str().unwrap().len(), 32);
    }
    assert!(ends * 2 > results.len(), "most places have an end");
    let log: Value = serde_json::from_slice(&run(&["check", "-o", "sarif", "no/such/file.yaml"]).stdout).unwrap();
    assert_eq!(log["runs"][0]["invocations"][0]["executionSuccessful"], false);
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
