//! What lies in a state directory, and how it changes. Blocking; the port around it is in [`super`].
//!
//! | file | content |
//! |---|---|
//! | `revision.json` | the plan as the run executes it, with its digest |
//! | `record.json` | the record, its number (how often it was written) and a digest over both |
//! | `journal.jsonl` | the journal; what lies beyond the record's head rests on nothing |
//!
//! A file is replaced by writing another one beside it, syncing that, and giving it the name. Names are synced before
//! anything relies on them, and after opening: what a crashed process left in the machine's memory may be lost with the
//! machine.

use std::io;

use serde::{Deserialize, Serialize};

use super::disk::Disk;
use crate::{
    engine::{JournalHead, Reason, Record, record::unreadable},
    journal::{self, Line, Verified},
    plan::{Digest, Plan, Revision, canonical},
    ports::StoreError,
};

pub const REVISION: &str = "revision.json";
pub const RECORD: &str = "record.json";
pub const JOURNAL: &str = "journal.jsonl";

/// `record.json`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    number: u64,
    record: Record,
    /// Over the two above: a file that was damaged or edited by hand is noticed.
    digest: Digest,
}

impl Kept {
    fn new(number: u64, record: &Record) -> Self {
        Self { number, record: record.clone(), digest: Self::digest(number, record) }
    }
    fn digest(number: u64, record: &Record) -> Digest {
        Digest::of(canonical(&(number, record)).as_bytes())
    }
}

/// `revision.json`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeptRevision {
    digest: Digest,
    plan: Plan,
}

/// Why a state directory cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It belongs to a run of another plan.
    #[error("it belongs to a run of revision {kept}, and the plan given is revision {given}")]
    OtherPlan {
        /// The digest of the plan that its run executes.
        kept: Digest,
        /// The digest of the plan that was given.
        given: Digest,
    },
    /// It could not be read or written, or is damaged.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Whether the directory had a run already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opened {
    /// It begins here.
    Fresh,
    /// It goes on.
    Continued,
}

/// The newest journal line that was written and is on the disk.
struct Written {
    /// The head that the record names; the line is the one after it, or this one.
    head: JournalHead,
    /// Where the lines end on which the record rests.
    end: u64,
    /// A line after that, which a commit may rest on, and where it ends.
    next: Option<(JournalHead, u64)>,
}

/// An open state directory.
pub struct State<D> {
    disk: D,
    written: Written,
}

impl<D: Disk> State<D> {
    /// Opens the directory for a run of this revision. If there is none yet, `fresh` is its first record.
    pub fn open(disk: D, revision: &Revision, fresh: impl FnOnce() -> Record) -> Result<(Self, Opened), OpenError> {
        let mut state = Self { disk, written: Written { head: JournalHead::default(), end: 0, next: None } };
        let opened = match state.record()? {
            Some((_, record)) if record.digest != *revision.digest() => {
                return Err(OpenError::OtherPlan { kept: record.digest, given: revision.digest().clone() });
            }
            Some(_) => Opened::Continued,
            None => {
                state.begin(revision, &fresh())?;
                Opened::Fresh
            }
        };
        if !matches!(read_revision(&state.disk), Ok(Some(kept)) if kept.digest() == revision.digest()) {
            state.keep(revision).map_err(unavailable)?; // lost or damaged, and here it is again
        }
        state.load()?;
        Ok((state, opened))
    }

    fn begin(&mut self, revision: &Revision, record: &Record) -> Result<(), StoreError> {
        if self.disk.read(JOURNAL).map_err(unavailable)?.is_some_and(|journal| !journal.is_empty()) {
            return Err(StoreError::Broken(format!(
                "{RECORD} is gone, but {JOURNAL} has lines: a run began here and how far it came is lost; put {RECORD} back, \
                 or look at the routes by hand and begin in an empty directory"
            )));
        }
        let kept = Kept::new(1, record);
        let mut begin = || -> io::Result<()> {
            self.disk.write(JOURNAL, b"")?;
            self.disk.sync(JOURNAL)?;
            self.keep(revision)?;
            self.disk.replace(RECORD, &pretty(&kept))
        };
        begin().map_err(unavailable)
    }

    fn keep(&mut self, revision: &Revision) -> io::Result<()> {
        let kept = KeptRevision { digest: revision.digest().clone(), plan: revision.plan().clone() };
        self.disk.replace(REVISION, &pretty(&kept))
    }

    fn record(&self) -> Result<Option<(u64, Record)>, StoreError> {
        read_record(&self.disk)
    }

    /// The record and its number, on the disk for certain, with its journal verified.
    pub fn load(&mut self) -> Result<(Record, u64), StoreError> {
        let gone = || StoreError::Broken(format!("{RECORD} is gone"));
        let (number, record) = self.record()?.ok_or_else(gone)?;
        let verified = verify(&self.disk, &record)?;
        for file in [RECORD, JOURNAL] {
            self.disk.sync(file).map_err(unavailable)?;
        }
        self.disk.sync_names().map_err(unavailable)?;
        self.written = Written { head: record.journal.clone(), end: verified.end, next: None };
        Ok((record, number))
    }

    /// Writes a line after the one that the record rests on, over whatever lies there.
    pub fn append(&mut self, line: &Line) -> Result<(), StoreError> {
        if line.previous != self.written.head.hash {
            return Err(StoreError::Conflict);
        }
        let (text, at) = (line.text(), self.written.end);
        self.written.next = None;
        self.disk.append(JOURNAL, at, text.as_bytes()).map_err(unavailable)?;
        self.disk.sync(JOURNAL).map_err(unavailable)?;
        let length = u64::try_from(text.len()).unwrap_or(u64::MAX);
        self.written.next = Some((line.head.clone(), at.saturating_add(length)));
        Ok(())
    }

    /// Replaces the record if it still has this number. The journal line that it names must have been written.
    pub fn commit(&mut self, record: &Record, expected: u64) -> Result<u64, StoreError> {
        let now = self.record()?.map(|(number, _)| number);
        if now != Some(expected) {
            return Err(StoreError::Conflict);
        }
        let end = match &self.written.next {
            Some((head, end)) if *head == record.journal => *end,
            _ if record.journal == self.written.head => self.written.end,
            _ => return Err(StoreError::Conflict),
        };
        let number = expected.saturating_add(1);
        self.disk.replace(RECORD, &pretty(&Kept::new(number, record))).map_err(unavailable)?;
        self.written = Written { head: record.journal.clone(), end, next: None };
        Ok(number)
    }
}

/// The record and its number; `None` if there is none yet.
pub fn read_record(disk: &impl Disk) -> Result<Option<(u64, Record)>, StoreError> {
    let Some(bytes) = disk.read(RECORD).map_err(unavailable)? else { return Ok(None) };
    let damaged = |why: &str| {
        StoreError::Broken(format!(
            "{RECORD} is damaged ({why}); gapless never leaves it so, something else did. Put it back from a copy; or look at \
             the routes by hand, and begin again in an empty directory when all traffic is on legacy"
        ))
    };
    let kept: Kept = serde_json::from_slice(&bytes).map_err(|error| match other_format(&bytes) {
        Some(why) => StoreError::Broken(format!("{RECORD} is of another version of gapless: {why}")),
        None => damaged(&error.to_string()),
    })?;
    if kept.digest != Kept::digest(kept.number, &kept.record) {
        return Err(damaged("its digest is not that of its content"));
    }
    Ok(Some((kept.number, kept.record)))
}

/// Why this is a record that this version does not read, if that is what it is.
fn other_format(bytes: &[u8]) -> Option<Reason> {
    #[derive(Deserialize)]
    struct Outline {
        record: Format,
    }
    #[derive(Deserialize)]
    struct Format {
        format: u64,
    }
    let outline: Outline = serde_json::from_slice(bytes).ok()?;
    unreadable(outline.record.format)
}

/// The revision that is kept; `None` if there is none yet.
pub fn read_revision(disk: &impl Disk) -> Result<Option<Revision>, StoreError> {
    let Some(bytes) = disk.read(REVISION).map_err(unavailable)? else { return Ok(None) };
    let damaged = |why: String| StoreError::Broken(format!("{REVISION} is damaged ({why}); give the plan file once more"));
    let kept: KeptRevision = serde_json::from_slice(&bytes).map_err(|error| damaged(error.to_string()))?;
    let revision = Revision::of(kept.plan);
    if *revision.digest() != kept.digest {
        return Err(damaged("its digest is not that of its content".to_owned()));
    }
    Ok(Some(revision))
}

/// Verifies the journal up to the record's head.
pub fn verify(disk: &impl Disk, record: &Record) -> Result<Verified, StoreError> {
    verified(&read_journal(disk)?, record)
}

/// The journal as it lies there.
pub fn read_journal(disk: &impl Disk) -> Result<Vec<u8>, StoreError> {
    Ok(disk.read(JOURNAL).map_err(unavailable)?.unwrap_or_default())
}

/// Verifies these bytes up to the record's head.
pub fn verified(journal: &[u8], record: &Record) -> Result<Verified, StoreError> {
    journal::verify(journal, &record.journal).map_err(|bad| StoreError::Broken(bad.to_string()))
}

pub fn unavailable(error: io::Error) -> StoreError {
    StoreError::Unavailable(error.to_string())
}

pub fn pretty<T: Serialize>(value: &T) -> Vec<u8> {
    // Our own types have string keys only and no failing serialisers.
    let mut text = serde_json::to_vec_pretty(value).unwrap_or_default();
    text.push(b'\n');
    text
}
