//! A run's journal as a file beside the operator: one JSON line for each edge of the record.
//!
//! *Guarantees*: lines follow one another without a gap as far as this volume has them; a line that the record does not
//! rest on is replaced by the next one.
//! *Caveats*: lines are handed to the operating system, not forced to the disk: the record in the API server is the truth,
//! and it names the head of the journal, so that a line lost with the machine is missed. On an `emptyDir` the journal goes
//! with the pod; mount a volume to keep it.

use std::{
    fs::{File, OpenOptions},
    io::{self, BufRead as _, BufReader, Seek as _, SeekFrom, Write as _},
    path::Path,
};

use crate::journal::Line;

/// An open journal.
#[derive(Debug)]
pub struct JournalFile {
    file: File,
    /// The number of the last line; 0: none.
    last: u64,
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
        let (last, end) = keep(&mut file, u64::MAX)?;
        file.set_len(end)?; // half a line of a process that was killed
        Ok(Self { file, last })
    }

    /// Appends a line; takes back lines with its number or a higher one first.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn append(&mut self, line: &Line) -> io::Result<()> {
        if self.last >= line.head.seq {
            let (last, end) = keep(&mut self.file, line.head.seq)?;
            self.file.set_len(end)?;
            self.last = last;
        }
        self.file.write_all(line.text().as_bytes())?;
        self.last = line.head.seq;
        Ok(())
    }
}

/// The number of the last whole line before line `below`, and where it ends.
fn keep(file: &mut File, below: u64) -> io::Result<(u64, u64)> {
    file.seek(SeekFrom::Start(0))?;
    let mut reader = BufReader::new(file);
    let (mut last, mut end, mut text) = (0, 0u64, String::new());
    loop {
        text.clear();
        let read = reader.read_line(&mut text)?;
        let line = text.ends_with('\n').then(|| serde_json::from_str::<Line>(&text).ok()).flatten();
        match line {
            Some(line) if line.head.seq < below => {
                last = line.head.seq;
                end += u64::try_from(read).unwrap_or_default();
            }
            _ => return Ok((last, end)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::JournalHead;

    fn line(seq: u64, hash: &str) -> Line {
        let head = JournalHead { seq, hash: hash.into() };
        let none = serde_json::Value::Null;
        Line {
            head,
            previous: String::new(),
            at: jiff::Timestamp::UNIX_EPOCH,
            events: none.clone(),
            effects: none.clone(),
            seen: none,
        }
    }
    fn hashes(path: &Path) -> Vec<String> {
        let text = std::fs::read_to_string(path).unwrap();
        text.lines().map(|line| serde_json::from_str::<Line>(line).unwrap().head.hash).collect()
    }

    #[test]
    fn an_orphan_is_replaced_and_half_a_line_is_dropped() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("runs/a.jsonl");
        let mut journal = JournalFile::open(&path).unwrap();
        for (seq, hash) in [(1, "a"), (2, "b"), (3, "orphan"), (3, "c")] {
            journal.append(&line(seq, hash)).unwrap();
        }
        assert_eq!(hashes(&path), ["a", "b", "c"]);
        drop(journal);
        OpenOptions::new().append(true).open(&path).unwrap().write_all(b"{\"head\":").unwrap();
        let mut journal = JournalFile::open(&path).unwrap();
        journal.append(&line(3, "d")).unwrap();
        journal.append(&line(4, "e")).unwrap();
        assert_eq!(hashes(&path), ["a", "b", "d", "e"]);
    }
}
