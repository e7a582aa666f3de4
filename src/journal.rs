//! The journal: append-only, one JSON object a line, each bound to the one before it by a hash.
//!
//! *Flow*: a [`Scribe`] makes the line of a decision, [`Line::text`] is what is stored, [`Chain`] reads lines and says
//! whether each follows from the one before.
//! *Guarantees*: a line that was changed, left out, put in or moved is found and named, up to the head that a record
//! names. From the lines alone each decision can be made again, and the record follows from them ([`crate::replay`]). No file
//! is touched here.
//! *Assumptions*: the record that names the head is kept apart from the journal and is believed.
//! *Caveats*: what lies beyond the head rests on nothing. It is legal (a process ended between line and record), it is
//! never believed, and the next line takes its place, or, where a commit may land late, stands beside it ([`lineage`]).
//! Whoever can write journal and record can write a new history;
//! evidence against that needs a witness outside.

pub mod changes;
mod lineage;
pub mod news;
mod reduce;
mod scribe;
pub mod told;

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    engine::{Decision, JournalHead, Record},
    plan::{Digest, canonical},
};

use self::{changes::Changes, news::News};
pub use self::{
    lineage::{Lineage, lineage},
    scribe::{PROGRAM, Scribe},
};

/// The form in which this version writes lines. Lines of form 1 do not tell enough to decide again.
pub const FORMAT: u16 = 2;

/// One line: a decision that changed the record, with the facts it rested on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Line {
    /// [`FORMAT`] of whoever wrote it.
    #[serde(default = "first", skip_serializing_if = "is_first")]
    pub format: u16,
    /// Its number and hash; the hash covers everything else in the line and the hash of the line before.
    pub head: JournalHead,
    /// The hash of the line before; empty for the first.
    pub previous: String,
    /// When the decision was made.
    pub at: Timestamp,
    /// The first line of a process tells all that there is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begins: Option<Box<Begins>>,
    /// What changed in the record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changes: Option<Changes>,
    /// What changed, as the engine's events.
    pub events: serde_json::Value,
    /// The effects that were to follow.
    pub effects: serde_json::Value,
    /// What had been seen: [`News`] after what the lines before tell.
    pub seen: serde_json::Value,
}

/// What the first line of a process begins with; what lines before it told of what was seen counts no more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Begins {
    /// The program that writes from here on.
    pub program: String,
    /// The record as it was before the line.
    pub record: Record,
}

/// A line without its hash, as it is written: nothing of it is copied for that.
#[derive(Serialize)]
struct Bare<'a> {
    #[serde(skip_serializing_if = "is_first")]
    format: u16,
    head: JournalHead,
    previous: &'a str,
    at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    begins: Option<&'a Begins>,
    #[serde(skip_serializing_if = "Option::is_none")]
    changes: Option<&'a Changes>,
    events: &'a serde_json::Value,
    effects: &'a serde_json::Value,
    seen: &'a serde_json::Value,
}

fn first() -> u16 {
    1
}
#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
fn is_first(format: &u16) -> bool {
    *format == 1
}

impl Line {
    /// The line of a decision that makes these changes, of which this is told.
    fn new(before: &Record, decision: &Decision, changes: Changes, news: &News, begins: bool, at: Timestamp) -> Self {
        let begins = begins.then(|| Box::new(Begins { program: PROGRAM.to_owned(), record: before.clone() }));
        let mut line = Self {
            format: FORMAT,
            head: JournalHead { seq: before.journal.seq.saturating_add(1), hash: String::new() },
            previous: before.journal.hash.clone(),
            at,
            begins,
            changes: Some(changes),
            events: value(&decision.events),
            effects: value(&decision.effects),
            seen: value(news),
        };
        line.head.hash = line.digest();
        line
    }

    /// The hash that the line must bear: SHA-256 over the hash of the line before, a line end, and the canonical JSON of
    /// this line with an empty hash.
    pub fn digest(&self) -> String {
        let Self { format, head, previous, at, begins, changes, events, effects, seen } = self;
        let head = JournalHead { seq: head.seq, hash: String::new() };
        let (begins, changes) = (begins.as_deref(), changes.as_ref());
        let bare = Bare { format: *format, head, previous, at: *at, begins, changes, events, effects, seen };
        Digest::of(format!("{previous}\n{}", canonical(&bare)).as_bytes()).as_str().to_owned()
    }

    /// The line as it is stored: canonical JSON and a line end.
    pub fn text(&self) -> String {
        canonical(self) + "\n"
    }

    /// What it tells of what was seen.
    ///
    /// # Errors
    /// A line of form 1, or of a newer form than [`FORMAT`]; why it cannot be read.
    pub fn news(&self) -> Result<News, String> {
        if self.format != FORMAT {
            return Err(format!("it is of form {}, and this program reads form {FORMAT}", self.format));
        }
        News::deserialize(&self.seen).map_err(|error| error.to_string())
    }
}

/// As JSON, as a line holds it.
pub fn value<T: Serialize>(of: &T) -> serde_json::Value {
    serde_json::to_value(of).unwrap_or_default() // our own types have string keys only and no failing serialisers
}

/// A line that does not belong where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadLine {
    /// Which line of the file, from 1.
    pub number: u64,
    /// What is wrong with it.
    pub flaw: Flaw,
}

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Flaw {
    /// It is no journal line.
    Unreadable(String),
    /// It says the same, but not in the form in which it was written.
    Rewritten,
    /// Another line should stand here.
    OutOfSequence {
        /// The number that it bears.
        found: u64,
    },
    /// It does not name the line before it.
    Unchained,
    /// Its content is not what its hash was made of.
    Altered,
    /// It is not there, though the record rests on it.
    Missing,
    /// It is a line of this chain, but not the one that the record rests on.
    NotTheHead {
        /// The hash that the record names.
        expected: String,
    },
}

impl fmt::Display for BadLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "journal line {}: ", self.number)?;
        match &self.flaw {
            Flaw::Unreadable(why) => write!(f, "it cannot be read ({why})"),
            Flaw::Rewritten => f.write_str("it is not in the form in which it was written; something rewrote it"),
            Flaw::OutOfSequence { found } => write!(f, "it bears the number {found}; lines were taken out, put in or moved"),
            Flaw::Unchained => f.write_str("it does not follow from the line before; one of the two was replaced"),
            Flaw::Altered => f.write_str("its content is not what its hash was made of; it was altered"),
            Flaw::Missing => f.write_str("it is missing, though the record rests on it; the end of the journal was cut off"),
            Flaw::NotTheHead { expected } => {
                write!(
                    f,
                    "the record rests on a line with hash {expected}, and this is another; record and journal are not of one run"
                )
            }
        }
    }
}
impl std::error::Error for BadLine {}

/// Lines read so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chain {
    head: JournalHead,
}

impl Chain {
    /// The newest line that was accepted.
    pub fn head(&self) -> &JournalHead {
        &self.head
    }

    /// Takes the next line, without its line end, if it follows from those before.
    ///
    /// # Errors
    /// What is wrong with it; the chain is then as before.
    pub fn accept(&mut self, text: &[u8]) -> Result<Line, BadLine> {
        let number = self.head.seq.saturating_add(1);
        let bad = |flaw| BadLine { number, flaw };
        let line: Line = serde_json::from_slice(text).map_err(|error| bad(Flaw::Unreadable(error.to_string())))?;
        if line.head.seq != number {
            return Err(bad(Flaw::OutOfSequence { found: line.head.seq }));
        }
        if line.previous != self.head.hash {
            return Err(bad(Flaw::Unchained));
        }
        if line.digest() != line.head.hash {
            return Err(bad(Flaw::Altered));
        }
        if line.text().as_bytes().strip_suffix(b"\n") != Some(text) {
            return Err(bad(Flaw::Rewritten));
        }
        self.head = line.head.clone();
        Ok(line)
    }
}

/// A journal that is in order up to its record's head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// How many lines the record rests on.
    pub lines: u64,
    /// Where they end, in bytes; the next line is written here.
    pub end: u64,
    /// How many bytes lie beyond. Nothing rests on them.
    pub orphaned: u64,
}

/// Reads a whole journal and says whether it holds up to the head of its record.
///
/// # Errors
/// The first line that does not.
pub fn verify(journal: &[u8], head: &JournalHead) -> Result<Verified, BadLine> {
    let mut chain = Chain::default();
    let mut rest = journal;
    while chain.head.seq < head.seq {
        let number = chain.head.seq.saturating_add(1);
        let Some(length) = rest.iter().position(|byte| *byte == b'\n') else {
            return Err(BadLine { number, flaw: Flaw::Missing });
        };
        let (line, tail) = rest.split_at(length);
        chain.accept(line)?;
        rest = tail.strip_prefix(b"\n").unwrap_or(tail);
    }
    if chain.head != *head {
        return Err(BadLine { number: head.seq, flaw: Flaw::NotTheHead { expected: head.hash.clone() } });
    }
    let orphaned = u64::try_from(rest.len()).unwrap_or(u64::MAX);
    let all = u64::try_from(journal.len()).unwrap_or(u64::MAX);
    Ok(Verified { lines: head.seq, end: all.saturating_sub(orphaned), orphaned })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub fn line(head: &JournalHead, what: &str) -> Line {
        let mut line = Line {
            format: 1,
            begins: None,
            changes: None,
            head: JournalHead { seq: head.seq + 1, hash: String::new() },
            previous: head.hash.clone(),
            at: "2026-08-28T20:00:00.25Z".parse().unwrap(),
            events: serde_json::json!([{ "event": what, "b": 1, "a": null }]),
            effects: serde_json::json!([]),
            seen: serde_json::json!({ "z": "ü\n", "a": [1, 2] }),
        };
        line.head.hash = line.digest();
        line
    }

    pub fn journal(lines: u64) -> (Vec<u8>, JournalHead) {
        let mut text = Vec::new();
        let mut head = JournalHead::default();
        for number in 0..lines {
            let line = line(&head, &format!("event {number}"));
            text.extend(line.text().as_bytes());
            head = line.head;
        }
        (text, head)
    }

    #[test]
    fn a_journal_as_written_holds_and_its_tail_is_legal() {
        let (mut text, head) = journal(3);
        let end = u64::try_from(text.len()).unwrap();
        assert_eq!(verify(&text, &head), Ok(Verified { lines: 3, end, orphaned: 0 }));
        text.extend(line(&head, "never committed").text().as_bytes());
        text.extend(b"\0\0{torn");
        let verified = verify(&text, &head).unwrap();
        assert_eq!((verified.lines, verified.end), (3, end));
        assert!(verified.orphaned > 9);
        assert_eq!(verify(b"", &JournalHead::default()).unwrap().lines, 0);
    }

    /// Whatever byte is flipped, the line it is in is named.
    #[test]
    fn every_flipped_byte_is_found_in_its_line() {
        let (text, head) = journal(3);
        let mut number = 1;
        for at in 0..text.len() {
            let mut damaged = text.clone();
            damaged[at] ^= 1;
            let found = verify(&damaged, &head).unwrap_err();
            assert_eq!(found.number, number, "byte {at}: {found}");
            number += u64::from(text[at] == b'\n');
        }
    }

    #[test]
    fn every_cut_before_the_head_is_found() {
        let (text, head) = journal(2);
        for length in 0..text.len() {
            assert!(verify(&text[..length], &head).is_err(), "{length} bytes");
        }
    }

    #[test]
    fn lines_taken_out_put_in_or_moved_are_found() {
        let (text, head) = journal(4);
        let lines: Vec<&[u8]> = text.split_inclusive(|b| *b == b'\n').collect();
        let flaw = |order: &[usize]| {
            let text: Vec<u8> = order.iter().flat_map(|n| lines[*n].to_vec()).collect();
            verify(&text, &head).unwrap_err()
        };
        assert_eq!(flaw(&[0, 2, 3]), BadLine { number: 2, flaw: Flaw::OutOfSequence { found: 3 } });
        assert_eq!(flaw(&[0, 0, 1, 2, 3]).number, 2);
        assert_eq!(flaw(&[1, 0, 2, 3]).number, 1);
        let other = line(&JournalHead { seq: 1, hash: "0".repeat(64) }, "forged").text().into_bytes();
        let forged = [lines[0], &other, lines[2], lines[3]].concat();
        assert_eq!(verify(&forged, &head).unwrap_err(), BadLine { number: 2, flaw: Flaw::Unchained });
    }

    /// A whole new history with right hashes is still not the one that the record rests on.
    #[test]
    fn a_new_history_is_not_the_records() {
        let (_, head) = journal(2);
        let mut text = Vec::new();
        let mut forged = JournalHead::default();
        for _ in 0..2 {
            let line = line(&forged, "what never was");
            text.extend(line.text().as_bytes());
            forged = line.head;
        }
        assert!(matches!(verify(&text, &head), Err(BadLine { number: 2, flaw: Flaw::NotTheHead { .. } })));
    }

    /// A line as the version before this one wrote it is still what was written.
    #[test]
    fn a_line_of_the_first_form_holds() {
        let text = r#"{"at":"2026-08-28T20:00:00.25Z","effects":[],"events":[{"event":"held","reason":{"ordered":{"by":"ann"}},"service":null}],"head":{"hash":"678123bb77536e4d92ab2d61e3043d10d9e289535e2797a92ce1547a680260a4","seq":1},"previous":"","seen":{"gates":{},"orders":{"intent":"Hold"},"routes":{},"sides":{}}}"#;
        let line = Chain::default().accept(text.as_bytes()).unwrap();
        assert_eq!((line.format, line.text()), (1, format!("{text}\n")));
        assert!(line.news().unwrap_err().contains("form 1"));
    }

    #[test]
    fn the_same_words_in_another_form_are_found() {
        let (text, head) = journal(1);
        let spaced = String::from_utf8(text).unwrap().replacen(':', ": ", 1);
        assert_eq!(verify(spaced.as_bytes(), &head), Err(BadLine { number: 1, flaw: Flaw::Rewritten }));
    }
}
