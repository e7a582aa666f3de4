//! The chart says the same as the program: its CRDs are those of `gapless crds`, its permissions those of the operator.
#![cfg(feature = "kubernetes")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, missing_docs)]

use std::{collections::BTreeSet, fs, path::PathBuf};

use gapless::kubernetes::{
    definitions::definitions_yaml,
    permissions::{OPERATOR, Part},
};
use serde_json::Value;

fn chart(path: &str) -> String {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("charts/gapless").join(path);
    fs::read_to_string(&file).unwrap_or_else(|error| unreachable!("{}: {error}", file.display()))
}

#[test]
fn its_crds_are_those_of_the_program() {
    let wanted = definitions_yaml().unwrap();
    assert!(chart("crds/gapless.yaml") == wanted, "run: cargo run -- crds > charts/gapless/crds/gapless.yaml");
}

#[test]
fn it_grants_what_the_operator_uses_and_nothing_else() {
    let mut granted = BTreeSet::new();
    for file in ["files/rules.yaml", "files/gateways.yaml"] {
        let rules: Value = serde_yaml::from_str(&chart(file)).unwrap();
        for rule in rules.as_array().unwrap() {
            let list =
                |key: &str| rule[key].as_array().unwrap().iter().map(|v| v.as_str().unwrap().to_owned()).collect::<Vec<_>>();
            assert_eq!(rule.as_object().unwrap().len(), 3, "only groups, resources and verbs: {rule}");
            for group in list("apiGroups") {
                for resource in list("resources") {
                    for verb in list("verbs") {
                        assert!(
                            granted.insert(format!("{group}/{resource} {verb}")),
                            "{group}/{resource} {verb} is granted twice"
                        );
                    }
                }
            }
        }
    }
    let used: BTreeSet<String> = OPERATOR.iter().map(ToString::to_string).collect();
    assert_eq!(granted, used);
    assert_eq!(used.len(), OPERATOR.len(), "a permission is listed twice");
    assert!(OPERATOR.iter().any(|p| p.part == Part::Status));
}

/// A template that is not made for a name in it would grant something else than the files say.
#[test]
fn no_other_template_grants_anything() {
    let directory = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("charts/gapless/templates");
    for entry in fs::read_dir(directory).unwrap() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        assert!(!text.contains("verbs:"), "permissions belong in files/");
    }
}
