//! The plan language: its examples are read, what they mean is known by a digest, and no field is without effect.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

use gapless::plan::{Checked, Severity, read};

fn example(name: &str) -> String {
    std::fs::read_to_string(format!("{}/tests/language/{name}.yaml", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn checked(text: &str) -> Checked {
    read(text).unwrap_or_else(|refused| panic!("{:#?}", refused.findings))
}

#[test]
fn the_examples_of_the_design_are_read() {
    for name in ["weekend", "database"] {
        let checked = checked(&example(name));
        let loud: Vec<_> = checked.warnings.iter().filter(|finding| finding.severity != Severity::Note).collect();
        eprintln!(
            "{name}: {} {:#?}",
            checked.revision.digest(),
            checked.warnings.iter().map(ToString::to_string).collect::<Vec<_>>()
        );
        assert!(loud.len() <= 1, "{name}: {loud:#?}");
    }
}
