//! Unions: every schema of a plan refuses none, two and unknown members by itself, and `check` says so at the same place.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

#[path = "common/unions.rs"]
mod unions;

use std::collections::BTreeSet;

use gapless::plan::{Code, Finding, read, schema, spec::MigrationPlanSpec};
use jsonschema::{PatternOptions, Validator};
use serde_json::Value;

fn validator(schema: &Value) -> Validator {
    jsonschema::options().with_pattern_options(PatternOptions::regex()).build(schema).unwrap()
}

/// A document as the API server keeps it when it is told to pass over what it does not know.
fn pruned(schema: &Value, value: &Value) -> Value {
    match (value, schema.get("properties").and_then(Value::as_object), schema.get("items")) {
        (Value::Object(fields), known, _) if schema["type"] == "object" => {
            let known = |name: &String| known.and_then(|known| known.get(name));
            fields.iter().filter_map(|(name, value)| Some((name.clone(), pruned(known(name)?, value)))).collect()
        }
        (Value::Array(items), _, Some(schema)) => items.iter().map(|item| pruned(schema, item)).collect(),
        _ => value.clone(),
    }
}

#[test]
fn the_schemas_refuse_none_two_and_unknown_members_of_every_union() {
    let spec = schema::crd::<MigrationPlanSpec>();
    let (editor, server) = (validator(&schema::plan_file()), validator(&spec));
    let all = unions::all(&spec);
    assert!(all.len() > 35, "only {} unions were found", all.len());
    let (mut right, mut wrong) = (0, 0);
    for union in &all {
        for case in union.right(&spec) {
            right += 1;
            let refused = editor.iter_errors(&case.object).map(|error| error.to_string()).collect::<Vec<_>>();
            assert!(refused.is_empty(), "{} is right: {refused:?}", case.what);
            assert!(server.is_valid(&case.object["spec"]), "{} is right", case.what);
        }
        for case in union.wrong(&spec) {
            wrong += 1;
            assert!(!editor.is_valid(&case.object), "{} is taken", case.what);
            assert!(!server.is_valid(&pruned(&spec, &case.object["spec"])), "{} is taken", case.what);
        }
    }
    for (_, case) in unions::others(&spec) {
        assert!(!editor.is_valid(&case.object) && !server.is_valid(&case.object["spec"]), "{} is taken", case.what);
    }
    eprintln!("{} unions, {right} right and {wrong} wrong plans", all.len());
}

/// A schema says "none of these" at most; what people read is `check`'s, and it leaves no union to the schema alone.
#[test]
fn check_says_the_same_of_every_union_at_its_place() {
    let spec = schema::crd::<MigrationPlanSpec>();
    let said = |object: &Value, path: &str| -> Vec<Finding> {
        let findings = read(object.to_string()).err().map(|refused| refused.findings).unwrap_or_default();
        findings.into_iter().filter(|finding| finding.path.to_string().starts_with(path)).collect()
    };
    let about = |code: Code| {
        matches!(code, Code::MissingField | Code::BadValue | Code::UnknownField | Code::NoUndo | Code::BridgeMissing)
    };
    for union in unions::all(&spec) {
        for case in union.wrong(&spec) {
            let said = said(&case.object, &union.path);
            assert!(said.iter().any(|finding| about(finding.code)), "{}: {said:#?}", case.what);
            assert!(said.iter().all(|finding| !finding.help.contains("gapless schema")), "{}: {said:#?}", case.what);
        }
        for case in union.right(&spec) {
            let said = said(&case.object, &union.path);
            let missed = said.iter().find(|finding| finding.path.to_string() == union.path && about(finding.code));
            assert!(missed.is_none(), "{}: {missed:#?}", case.what);
        }
    }
    for (path, case) in unions::others(&spec) {
        let said = said(&case.object, path);
        assert!(said.iter().any(|finding| about(finding.code)), "{}: {said:#?}", case.what);
    }
}

/// The unions by the field that they stand under; one that is missing here is missing in the language, or was lost.
#[test]
fn the_unions_are_these() {
    let all = unions::all(&schema::crd::<MigrationPlanSpec>());
    let under: BTreeSet<&str> = all.iter().map(|union| union.path.rsplit('.').next().unwrap()).collect();
    let known = ["bridges[0]", "check", "do", "legacy", "proof", "reverse", "router", "send", "target", "to", "undo"];
    assert_eq!(under, BTreeSet::from(known));
}
