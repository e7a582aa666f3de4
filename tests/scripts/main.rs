//! Whole runs as commented scripts, with what became of them beside: to be read as documentation.
//!
//! `NAME.script` says which plan runs and what befalls it; `NAME.story` is what production's `decide`, its safety check and
//! the pure world make of it, in the plan's own time zone. `GAPLESS_BLESS=1 cargo test --test scripts` writes the stories anew:
//! read what changed as a duty manager would before it is committed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod clock;
mod script;
mod stage;
mod story;
mod words;

use std::{collections::BTreeSet, fs, path::PathBuf};

fn home() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/scripts"))
}

/// The names of all files with this ending.
fn names(ending: &str) -> BTreeSet<String> {
    let files = fs::read_dir(home()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    files.filter_map(|file| Some(file.strip_suffix(ending)?.to_owned())).collect()
}

fn blesses() -> bool {
    std::env::var_os("GAPLESS_BLESS").is_some()
}

/// The first lines that differ.
fn difference(was: &str, is: &str) -> String {
    let (was, is): (Vec<&str>, Vec<&str>) = (was.lines().collect(), is.lines().collect());
    let at = was.iter().zip(&is).take_while(|(one, other)| one == other).count();
    let part =
        |lines: &[&str]| lines.iter().skip(at.saturating_sub(2)).take(8).map(|line| format!("    {line}\n")).collect::<String>();
    format!("line {}; it was\n{}and is\n{}", at + 1, part(&was), part(&is))
}

#[test]
fn every_script_tells_its_story() {
    let only = std::env::var("GAPLESS_SCRIPT").ok();
    let mut wrong = String::new();
    let scripts: Vec<String> =
        names(".script").into_iter().filter(|name| only.as_ref().is_none_or(|o| name.contains(o))).collect();
    assert!(!scripts.is_empty());
    for name in scripts {
        let text = fs::read_to_string(home().join(format!("{name}.script"))).unwrap();
        let Ok(told) = std::panic::catch_unwind(|| stage::play(&home(), &name, &text)) else {
            wrong.push_str(&format!("{name}: it was not played to its end, see above\n"));
            continue;
        };
        let file = home().join(format!("{name}.story"));
        if blesses() {
            fs::write(&file, &told).unwrap();
        }
        let was = fs::read_to_string(&file).unwrap_or_default();
        if was != told {
            wrong.push_str(&format!("{name}: the story changed at {}\n", difference(&was, &told)));
        }
    }
    assert!(wrong.is_empty(), "{wrong}GAPLESS_BLESS=1 writes the stories anew; read them first");
}

#[test]
fn no_story_is_without_its_script() {
    let (scripts, stories) = (names(".script"), names(".story"));
    assert_eq!(scripts, stories);
}

#[test]
fn a_story_is_short_enough_to_be_read() {
    for name in names(".story") {
        let text = fs::read_to_string(home().join(format!("{name}.story"))).unwrap();
        let lines = text.lines().count();
        assert!(lines <= 260, "{name}: {lines} lines; nobody reads that");
    }
}

#[test]
fn the_same_script_twice_is_the_same_to_the_byte() {
    let name = names(".script").into_iter().find(|name| name.contains("group")).unwrap();
    let text = fs::read_to_string(home().join(format!("{name}.script"))).unwrap();
    assert_eq!(stage::play(&home(), &name, &text), stage::play(&home(), &name, &text));
}
