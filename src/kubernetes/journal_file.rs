//! A run's journal as a file beside the operator: one JSON line for each edge of the record that was to be committed.
//!
//! *Guarantees*: no whole line is ever taken back. A commit that was given up may still land, in the API server, after
//! another line was written for what was decided meanwhile; then the record rests on the older of the two. So both stay,
//! and [`crate::journal::lineage`] finds the lines that a record rests on. Half a line, of a process that was killed or of
//! a full disk, is cut off before the next one is written.
//! *Caveats*: lines are handed to the operating system, not forced to the disk: the record in the API server is the truth,
//! and it names the head of the journal, so that a line lost with the machine is missed. On an `emptyDir` the journal goes
//! with the pod; mount a volume to keep it.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    path::Path,
};

use crate::journal::Line;

/// An open journal.
#[derive(Debug)]
pub struct JournalFile {
    file: File,
    /// Where its last whole line ends.
    end: u64,
}

impl JournalFile {
    /// Opens a journal, or begins one.
    ///
    /// # Errors
    /// The file cannot be used.
    pub fn open(path: &Path) -> io::Result<Self> {
        if let Some(directory) = path.parent() {
            std::fs::create_dir_all(directory)?;
        }
        let mut file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
        let end = whole(&mut file)?;
        Ok(Self { file, end })
    }

    /// Appends a line.
    ///
    /// # Errors
    /// The file cannot be written. The line counts as not written then.
    pub fn append(&mut self, line: &Line) -> io::Result<()> {
        if self.file.metadata()?.len() > self.end {
            self.file.set_len(self.end)?;
        }
        let text = line.text();
        self.file.write_all(text.as_bytes())?;
        self.end += u64::try_from(text.len()).unwrap_or_default();
        Ok(())
    }
}

/// Where the last whole line ends.
fn whole(file: &mut File) -> io::Result<u64> {
    let (mut end, mut at, mut piece) = (0, 0u64, [0; 8192]);
    file.seek(SeekFrom::Start(0))?;
    loop {
        let read = file.read(&mut piece)?;
        let Some(bytes) = piece.get(..read).filter(|bytes| !bytes.is_empty()) else { return Ok(end) };
        if let Some(last) = bytes.iter().rposition(|byte| *byte == b'\n') {
            end = at + u64::try_from(last).unwrap_or_default() + 1;
        }
        at += u64::try_from(read).unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{engine::JournalHead, journal::lineage};

    fn line(after: &JournalHead, what: &str) -> Line {
        let mut line = Line {
            format: 1,
            begins: None,
            changes: None,
            head: JournalHead { seq: after.seq + 1, hash: String::new() },
            previous: after.hash.clone(),
            at: jiff::Timestamp::UNIX_EPOCH,
            events: what.into(),
            effects: serde_json::json!([]),
            seen: serde_json::Value::Null,
        };
        line.head.hash = line.digest();
        line
    }

    /// A commit is given up, something else is decided and written, and then the commit lands after all.
    #[test]
    fn a_commit_that_lands_late_still_has_its_line() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("runs/a.jsonl");
        let mut journal = JournalFile::open(&path).unwrap();
        let first = line(&JournalHead::default(), "first");
        let (late, meanwhile) = (line(&first.head, "late"), line(&first.head, "meanwhile"));
        for line in [&first, &late, &meanwhile] {
            journal.append(line).unwrap();
        }
        let text = || std::fs::read(&path).unwrap();
        let found = lineage(&text(), &late.head).unwrap();
        assert_eq!((found.lines, found.abandoned), (vec![first.clone(), late.clone()], 1));
        let next = line(&late.head, "next");
        journal.append(&next).unwrap();
        assert_eq!(lineage(&text(), &next.head).unwrap().lines, [first, late, next]);
    }

    #[test]
    fn half_a_line_is_cut_off_and_nothing_else() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.jsonl");
        let mut journal = JournalFile::open(&path).unwrap();
        let first = line(&JournalHead::default(), &"x".repeat(20_000)); // longer than what is read at once
        let (second, third) = (line(&first.head, "second"), line(&first.head, "third"));
        journal.append(&first).unwrap();
        let tear = || OpenOptions::new().append(true).open(&path).unwrap().write_all(b"{\"head\":").unwrap();
        tear();
        journal.append(&second).unwrap(); // after a full disk, in the same process
        tear();
        JournalFile::open(&path).unwrap().append(&third).unwrap(); // after a kill, in the next one
        let text: String = [&first, &second, &third].map(|line| line.text()).concat();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    }
}
