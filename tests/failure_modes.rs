//! `docs/design/failure-modes.md` and `docs/design/bug-classes.md` name only what there is: tests, scripts, rules, findings, invariants, words of the plan.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

use std::{fs, path::PathBuf};

use gapless::{
    engine::Invariant,
    plan::{Code, schema},
};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// A name in backticks, and the text between it and the one before it.
#[derive(Debug)]
struct Named<'a> {
    before: &'a str,
    name: &'a str,
}

fn named(cell: &str) -> Vec<Named<'_>> {
    let parts: Vec<&str> = cell.split('`').collect();
    assert!(parts.len() % 2 == 1, "a backtick is alone: {cell}");
    parts.chunks_exact(2).map(|pair| Named { before: pair[0], name: pair[1] }).collect()
}

/// What a name may be of: it stands until the text says something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Finding,
    Invariant,
    Word,
    NotYet,
}

fn kind(before: &str, last: Kind) -> Kind {
    let says = |word: &str| before.split([' ', ';', ':', '(']).any(|one| one == word);
    match () {
        () if before.contains("not yet") => Kind::NotYet,
        () if says("finding") || says("findings") => Kind::Finding,
        () if says("invariant") => Kind::Invariant,
        () if before.trim() == "," => last,
        () => Kind::Word,
    }
}

/// Whether a text has this function; if `test`, one that is run as a test.
fn has(text: &str, name: &str, test: bool) -> bool {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let begins = |line: &str| line.split(['(', '<']).next().is_some_and(|head| head.ends_with(&format!("fn {name}")));
    let is_test = |at: usize| {
        let attributes = lines[..at].iter().rev().take_while(|line| line.starts_with("#[") || line.starts_with("//"));
        attributes.into_iter().any(|line| *line == "#[test]" || line.starts_with("#[tokio::test"))
    };
    (0..lines.len()).any(|at| begins(lines[at]) && (!test || is_test(at)))
}

fn read(path: &str) -> Option<String> {
    fs::read_to_string(root().join(path)).ok()
}

/// Holds one row against what there is, from name to name.
struct Row {
    /// The words of the plan language, as its schema has them.
    words: String,
    /// The file that the last name was of.
    file: Option<(String, String)>,
    kind: Kind,
}

impl Row {
    fn new() -> Self {
        Self { words: schema::plan_file().to_string(), file: None, kind: Kind::Word }
    }

    /// What is wrong with a name.
    fn wrong(&mut self, &Named { before, name }: &Named<'_>) -> Option<String> {
        self.kind = kind(before, self.kind);
        if let Some((file, test)) = name.split_once("::") {
            if !file.is_empty() {
                let Some(text) = read(&format!("tests/{file}")) else { return Some(format!("there is no tests/{file}")) };
                self.file = Some((file.to_owned(), text));
            }
            let Some((file, text)) = &self.file else { return Some(format!("`{name}` follows no file")) };
            return (!has(text, test, true)).then(|| format!("tests/{file} has no test `{test}`"));
        }
        if name.ends_with(".script") {
            return read(&format!("tests/{name}")).is_none().then(|| format!("there is no tests/{name}"));
        }
        if name.ends_with(".rs") {
            let text = read(&format!("src/engine/{name}"));
            self.file = text.map(|text| (name.to_owned(), text));
            return self.file.is_none().then(|| format!("there is no src/engine/{name}"));
        }
        if let Some((file, text)) = self.file.take().filter(|_| before == ", ") {
            return (!has(&text, name, false)).then(|| format!("src/engine/{file} has no function `{name}`"));
        }
        self.says_nothing(name).then(|| format!("`{name}` is no {:?}", self.kind))
    }

    fn says_nothing(&self, name: &str) -> bool {
        match self.kind {
            Kind::Finding => !Code::ALL.iter().any(|code| code.name() == name),
            Kind::Invariant => !Invariant::ALL.iter().any(|invariant| invariant.to_string() == name),
            Kind::NotYet => false,
            Kind::Word => match name.strip_prefix("gapless ") {
                Some(verb) => read(&format!("src/cli/{verb}.rs")).is_none(),
                None => name.split(['.', ':']).any(|word| !self.words.contains(&format!("\"{}\"", word.trim()))),
            },
        }
    }
}

/// All that is wrong with a row's last cell.
fn mistakes(cell: &str) -> Vec<String> {
    let mut row = Row::new();
    let names = named(cell);
    let mut wrong: Vec<String> = names.iter().filter_map(|name| row.wrong(name)).collect();
    if names.is_empty() && !cell.contains("not yet") {
        wrong.push("it names neither what meets it nor what is missing".to_owned());
    }
    wrong
}

/// The rows of a page are these numbers, and each names only what there is.
fn holds(page: &str, all: usize) {
    let text = read(page).unwrap();
    let rows: Vec<Vec<&str>> = text.lines().filter(|line| line.starts_with("| ")).map(|line| line.split('|').collect()).collect();
    let rows: Vec<&Vec<&str>> = rows.iter().filter(|row| row[1].trim().parse::<usize>().is_ok()).collect();
    let numbers: Vec<usize> = rows.iter().map(|row| row[1].trim().parse().unwrap()).collect();
    assert_eq!(numbers, (1..=all).collect::<Vec<_>>(), "{page}: each has its row");
    let wrong: Vec<String> =
        rows.iter().flat_map(|row| mistakes(row[3]).into_iter().map(|wrong| format!("{}: {wrong}", row[1].trim()))).collect();
    assert!(wrong.is_empty(), "{page}: {wrong:#?}");
}

#[test]
fn the_table_of_failure_modes_names_only_what_there_is() {
    holds("docs/design/failure-modes.md", 44);
}

#[test]
fn the_table_of_bug_classes_names_only_what_there_is() {
    holds("docs/design/bug-classes.md", 32);
}

#[test]
fn a_wrong_name_is_noticed_whatever_it_is_of() {
    for (cell, told) in [
        ("`engine/ends.rs::nobody_wrote_this`", "tests/engine/ends.rs has no test `nobody_wrote_this`"),
        ("`engine/ends.rs::end`", "tests/engine/ends.rs has no test `end`"),
        ("`engine/nobody.rs::this`", "there is no tests/engine/nobody.rs"),
        ("`::this`", "`::this` follows no file"),
        ("`scripts/nobody.script`", "there is no tests/scripts/nobody.script"),
        ("(`nobody.rs`, `this`)", "there is no src/engine/nobody.rs"),
        ("(`backward.rs`, `this`)", "src/engine/backward.rs has no function `this`"),
        ("finding `cycles`", "`cycles` is no Finding"),
        ("findings `cycle`, `cycles`", "`cycles` is no Finding"),
        ("invariant `cycle`", "`cycle` is no Invariant"),
        ("`gapless dream`", "`gapless dream` is no Word"),
        ("`rollback.stairs`", "`rollback.stairs` is no Word"),
        ("by luck", "it names neither what meets it nor what is missing"),
    ] {
        assert!(mistakes(cell).iter().any(|wrong| wrong == told), "{cell}: {:?}", mistakes(cell));
    }
    let right = "finding `cycle`; `engine/ends.rs::a_legacy_system_that_a_service_went_back_to_stays_and_the_run_ends`";
    assert_eq!(mistakes(right), Vec::<String>::new());
    assert_eq!(mistakes("`rollback.steps`; `evidence: Required`; not yet: `dreams`"), Vec::<String>::new());
}
