//! `gapless preview` as people call it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

use std::process::{Command, Output};

fn gapless(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_gapless")).args(args).current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn json_is_what_its_schema_says() {
    for (of, args) in [
        ("preview", &["preview", "plans/spine-weekend.yaml", "-o", "json"][..]),
        ("preview-at", &["preview", "plans/spine-weekend.yaml", "-o", "json", "--at", "scr/shift-50"][..]),
    ] {
        let output = gapless(args);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        let shown: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let schema: serde_json::Value = serde_json::from_slice(&gapless(&["schema", of]).stdout).unwrap();
        let schema = jsonschema::validator_for(&schema).unwrap();
        assert!(schema.is_valid(&shown), "{:?}", schema.iter_errors(&shown).map(|e| e.to_string()).collect::<Vec<_>>());
    }
}

#[test]
fn a_plan_that_does_not_get_there_in_time_ends_with_1() {
    let late = gapless(&["preview", "plans/spine-weekend.yaml", "--people-take", "30h"]);
    assert_eq!(late.status.code(), Some(1), "{}", text(&late.stdout));
    let closed = gapless(&["preview", "plans/spine-weekend.yaml", "--start", "2026-09-05T20:00"]);
    assert_eq!(closed.status.code(), Some(1));
    assert!(text(&closed.stdout).contains("not all traffic gets to target"), "{}", text(&closed.stdout));
}

#[test]
fn a_file_is_written_as_a_whole_or_left_as_it_was() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("spine.html");
    let args = ["preview", "plans/spine-weekend.yaml", "-o", "html", "--to", file.to_str().unwrap()];
    assert_eq!(gapless(&args).status.code(), Some(0));
    assert!(std::fs::read_to_string(&file).unwrap().ends_with("</html>\n"));
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1, "no draft is left");
    let nowhere = directory.path().join("no/such/place");
    let refused = gapless(&["preview", "plans/quickstart.yaml", "--to", nowhere.to_str().unwrap()]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("cannot be written"), "{}", text(&refused.stderr));
}

#[test]
fn wrong_usage_ends_with_2_and_says_what_there_is() {
    for (args, told) in [
        (vec!["plans/three-services.yaml", "--at", "pds/shift-55"], "nearest are pds/shift-50"),
        (vec!["plans/three-services.yaml", "--at", "zzzzzzzzzz"], "prints them all"),
        (vec!["plans/three-services.yaml", "--at", "pds/shift-50", "-o", "svg"], "shown as text or JSON"),
        (vec!["plans/quickstart.yaml", "--start", "tomorrow"], "is no moment"),
        (vec!["no-such-file.yaml"], "cannot be read"),
    ] {
        let output = gapless(&[vec!["preview"], args.clone()].concat());
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(text(&output.stderr).contains(told), "{args:?}: {}", text(&output.stderr));
    }
}
