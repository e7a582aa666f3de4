//! Finds the lines that a record rests on among others that nothing rests on.

use std::collections::BTreeMap;

use super::{BadLine, Flaw, Line};
use crate::engine::JournalHead;

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
    use super::{
        super::tests::{journal, line},
        *,
    };

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
}
