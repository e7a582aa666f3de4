//! The journal: append-only, one JSON object a line, each bound to the one before it by a hash.
//!
//! *Flow*: [`Line::after`] makes the line of a decision, [`Line::text`] is what is stored, [`Chain`] reads lines and says
//! whether each follows from the one before.
//! *Guarantees*: a line that was changed, left out, put in or moved is found and named, up to the head that a record
//! names. No file is touched here.
//! *Assumptions*: the record that names the head is kept apart from the journal and is believed.
//! *Caveats*: what lies beyond the head rests on nothing. It is legal (a process ended between line and record), it is
//! never believed, and the next line takes its place, or, where a commit may land late, stands beside it ([`lineage`]).
//! Whoever can write journal and record can write a new history;
//! evidence against that needs a witness outside.

use std::{collections::BTreeMap, fmt};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    engine::{Decision, JournalHead, Observed, Record},
    plan::{Digest, canonical},
};

/// One line: a decision that changed the record, with the facts it rested on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Line {
    /// Its number and hash; the hash covers everything else in the line and the hash of the line before.
    pub head: JournalHead,
    /// The hash of the line before; empty for the first.
    pub previous: String,
    /// When the decision was made.
    pub at: Timestamp,
    /// What changed, as the engine's events.
    pub events: serde_json::Value,
    /// The effects that were to follow.
    pub effects: serde_json::Value,
    /// What had been seen.
    pub seen: serde_json::Value,
}

impl Line {
    /// The line of a decision that changes `before`. Of what was seen it keeps what speaks of the services that change;
    /// all of it, every second for every service, would bury the evidence and fill the store.
    pub fn of(before: &Record, decision: &Decision, seen: &Observed, at: Timestamp) -> Self {
        let head = JournalHead { seq: before.journal.seq.saturating_add(1), hash: String::new() };
        let mut line = Self {
            head,
            previous: before.journal.hash.clone(),
            at,
            events: value(&decision.events),
            effects: value(&decision.effects),
            seen: value(&facts(before, &decision.record, seen)),
        };
        line.head.hash = line.digest();
        line
    }

    /// The hash that the line must bear: SHA-256 over the hash of the line before, a line end, and the canonical JSON of
    /// this line with an empty hash.
    pub fn digest(&self) -> String {
        let mut bare = self.clone();
        bare.head.hash.clear();
        Digest::of(format!("{}\n{}", self.previous, canonical(&bare)).as_bytes()).as_str().to_owned()
    }

    /// The line as it is stored: canonical JSON and a line end.
    pub fn text(&self) -> String {
        canonical(self) + "\n"
    }
}

// Our own types have string keys only and no failing serialisers.
fn value<T: Serialize>(of: &T) -> serde_json::Value {
    serde_json::to_value(of).unwrap_or_default()
}

/// What was seen of the services that change, and the orders of people.
fn facts(before: &Record, after: &Record, seen: &Observed) -> Observed {
    let mut facts = seen.clone();
    let changes = |name: &crate::plan::ServiceName| before.services.get(name) != after.services.get(name);
    facts.routes.retain(|name, _| changes(name));
    facts.sides.retain(|name, _| changes(name));
    facts.gates.retain(|name, _| changes(name));
    facts
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

/// The lines that a record rests on, of a journal into which nothing was ever written over: beside them it may have lines
/// of commits that failed, or whose success was learnt of too late.
#[derive(Debug, Clone, PartialEq)]
pub struct Lineage {
    /// The oldest first.
    pub lines: Vec<Line>,
    /// How many whole lines nothing rests on.
    pub abandoned: u64,
}

/// Finds the lines that the record rests on, from its head back to the first.
///
/// # Errors
/// The newest line on that way that is missing or is not what was written. `number` is the line's own then.
pub fn lineage(journal: &[u8], head: &JournalHead) -> Result<Lineage, BadLine> {
    let mut known: BTreeMap<(u64, String), (Line, &[u8])> = BTreeMap::new();
    let mut whole = 0u64;
    for text in journal.split_inclusive(|byte| *byte == b'\n').filter_map(|text| text.strip_suffix(b"\n")) {
        whole = whole.saturating_add(1);
        if let Ok(line) = serde_json::from_slice::<Line>(text) {
            known.insert((line.head.seq, line.head.hash.clone()), (line, text));
        }
    }
    let (mut lines, mut wanted) = (Vec::new(), head.clone());
    while wanted.seq > 0 {
        let bad = |flaw| BadLine { number: wanted.seq, flaw };
        let (line, text) = known.remove(&(wanted.seq, wanted.hash.clone())).ok_or_else(|| bad(Flaw::Missing))?;
        if line.digest() != line.head.hash {
            return Err(bad(Flaw::Altered));
        }
        if line.text().as_bytes().strip_suffix(b"\n") != Some(text) {
            return Err(bad(Flaw::Rewritten));
        }
        wanted = JournalHead { seq: wanted.seq - 1, hash: line.previous.clone() };
        lines.push(line);
    }
    if !wanted.hash.is_empty() {
        return Err(BadLine { number: 1, flaw: Flaw::Unchained });
    }
    lines.reverse();
    Ok(Lineage { abandoned: whole.saturating_sub(head.seq), lines })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(head: &JournalHead, what: &str) -> Line {
        let mut line = Line {
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

    fn journal(lines: u64) -> (Vec<u8>, JournalHead) {
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

    /// A commit that was thought lost and lands late: its line is there, and what was decided meanwhile is not believed.
    #[test]
    fn a_lineage_is_found_among_abandoned_lines() {
        let (mut text, head) = journal(2);
        let (late, meanwhile) = (line(&head, "lands late"), line(&head, "decided meanwhile"));
        let next = line(&late.head, "goes on");
        for line in [&late, &meanwhile, &next] {
            text.extend(line.text().as_bytes());
        }
        text.extend(b"{torn");
        let found = lineage(&text, &next.head).unwrap();
        assert_eq!((found.lines.len(), found.abandoned), (4, 1));
        assert_eq!(found.lines[2..], [late.clone(), next]);
        assert_eq!(lineage(&text, &late.head).unwrap().abandoned, 2);
        assert_eq!(lineage(&text, &meanwhile.head).unwrap().lines.last(), Some(&meanwhile));
        assert_eq!(lineage(b"", &JournalHead::default()), Ok(Lineage { lines: vec![], abandoned: 0 }));
        let elsewhere = JournalHead { seq: 3, hash: "0".repeat(64) };
        assert_eq!(lineage(&text, &elsewhere), Err(BadLine { number: 3, flaw: Flaw::Missing }));
    }

    #[test]
    fn every_flipped_byte_of_a_lineage_is_found() {
        let (text, head) = journal(3);
        for at in 0..text.len() {
            let mut damaged = text.clone();
            damaged[at] ^= 1;
            assert!(lineage(&damaged, &head).is_err(), "byte {at}");
        }
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

    #[test]
    fn the_same_words_in_another_form_are_found() {
        let (text, head) = journal(1);
        let spaced = String::from_utf8(text).unwrap().replacen(':', ": ", 1);
        assert_eq!(verify(spaced.as_bytes(), &head), Err(BadLine { number: 1, flaw: Flaw::Rewritten }));
    }
}
