//! The form of a script: what is said of the run first, then what befalls it and when.
//!
//! ```text
//! # A comment; those at the top are the story's title.
//! plan: ../../plans/three-services.yaml     (relative to this directory)
//! starts: 2026-08-28 19:00                  (by the plan's own clock)
//! people: duty-manager = alice, bob; cso = carol
//! answers: 5m                               (how long people take to say yes; `never`: only as the script says)
//! until: 60d                                (for how long it is followed; without it to the end)
//! other: saturday.yaml                      (another run in the same world, of this plan; it starts at the same moment)
//!
//! at +40m: legacy of pds dies               (since the start)
//! at 22:30: alice says yes to phase core    (the next time that the clock shows that)
//! at 2026-08-30 02:15: process restarts
//! after "pds: 5 % to target" +90s: gate answers of pds is bad   (once the story tells that)
//! then +10m: person: resume                 (since the line before)
//! ```

use std::collections::BTreeMap;

use super::clock;

/// When something happens.
#[derive(Debug, Clone)]
pub enum When {
    /// So long after the start.
    Since(i64),
    /// At that time, the next time the clock shows it; or on that day.
    Wall(String),
    /// So long after the story tells this, from the line before on.
    Told(String, i64),
    /// So long after the line before.
    Then(i64),
}

/// A line of a script.
#[derive(Debug, Clone)]
pub struct Line {
    pub number: usize,
    pub when: When,
    pub what: String,
}

/// A script.
#[derive(Debug, Default)]
pub struct Script {
    pub title: Vec<String>,
    pub said: BTreeMap<String, String>,
    pub lines: Vec<Line>,
}

const WORDS: [&str; 6] = ["plan", "starts", "people", "answers", "until", "other"];

impl Script {
    pub fn read(name: &str, text: &str) -> Self {
        let mut script = Self::default();
        for (number, line) in (1..).zip(text.lines()) {
            let wrong = |what: &str| -> ! { panic!("{name}.script:{number}: {what}: {line}") };
            let line = line.trim();
            if let Some(comment) = line.strip_prefix('#') {
                if script.said.is_empty() {
                    script.title.push(comment.trim().to_owned());
                }
                continue;
            }
            if line.is_empty() {
                continue;
            }
            if let Some((when, what)) = happens(line) {
                script.lines.push(Line { number, when, what });
                continue;
            }
            let Some((word, value)) = line.split_once(':') else { wrong("neither a word of a script nor a moment") };
            if !WORDS.contains(&word) {
                wrong("not a word of a script");
            }
            script.said.insert(word.to_owned(), value.trim().to_owned());
        }
        script
    }

    /// The people that it names, by role.
    pub fn people(&self) -> BTreeMap<gapless::plan::RoleName, Vec<String>> {
        let roles = self.said.get("people").into_iter().flat_map(|text| text.split(';'));
        roles
            .map(|role| {
                let (role, names) = role.split_once('=').expect("people: ROLE = NAME, NAME; ...");
                (role.trim().parse().unwrap(), names.split(',').map(|name| name.trim().to_owned()).collect())
            })
            .collect()
    }
}

fn happens(line: &str) -> Option<(When, String)> {
    let what = |text: &str| text.trim().to_owned();
    if let Some(rest) = line.strip_prefix("after \"") {
        let (told, rest) = rest.split_once('"')?;
        let (plus, rest) = rest.split_once(':')?;
        let plus = plus.trim();
        let later = if plus.is_empty() { 0 } else { clock::length(plus.strip_prefix('+')?)? };
        return Some((When::Told(told.to_owned(), later), what(rest)));
    }
    let (word, rest) = line.split_once(' ')?;
    let (when, rest) = rest.split_once(": ")?;
    let when = match (word, when.strip_prefix('+')) {
        ("at", Some(length)) => When::Since(clock::length(length)?),
        ("at", None) => When::Wall(when.to_owned()),
        ("then", Some(length)) => When::Then(clock::length(length)?),
        _ => return None,
    };
    Some((when, what(rest)))
}
