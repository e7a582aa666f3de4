//! A run in a directory, without a cluster.
//!
//! *Flow*: [`FileStore::open`] takes the lock, finds or begins the run, and is then a [`Store`] for the loop; [`peek`]
//! reads what is there without the lock, for everybody who only wants to know.
//! *Guarantees*: one process at a time; the record is replaced at once or not at all, on the disk before the loop goes on,
//! and only if it is the one that was expected; a machine that loses power at any moment finds the old or the new record,
//! with a journal that verifies (`cuts.rs` cuts the power at every byte).
//! *Assumptions*: a local file system whose `rename` is atomic and whose `fsync` does not lie; `flock` works on it.
//! *Caveats*: a disk that lies about `fsync` can lose the newest record in a power cut. Whoever edits the files by hand is
//! noticed and refused, not repaired.

mod beside;
#[cfg(test)]
mod cuts;
mod disk;
mod lock;
mod state;

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use jiff::Timestamp;

use self::{
    disk::Directory,
    lock::{Lock, Taken},
    state::State,
};
use crate::{
    engine::{Decision, Record, RunId},
    journal::{Line, Verified},
    plan::Revision,
    ports::{Store, StoreError, Version},
};
pub use beside::{durations, keep_durations, order, orders_path, waits};
pub use state::{OpenError, Opened};

/// A state directory as the loop's store.
#[derive(Clone)]
pub struct FileStore {
    open: Arc<Mutex<Open>>,
}

struct Open {
    state: State<Directory>,
    directory: Directory,
    _lock: Lock,
}

impl Open {
    /// Why steps wait is for people to read meanwhile; if it cannot be written down nothing is lost but that.
    fn keep_waits(&mut self, decision: &Decision) {
        if let Err(error) = beside::keep_waits(&mut self.directory, decision) {
            tracing::warn!(%error, "why steps wait cannot be written down");
        }
    }
}

impl FileStore {
    /// Opens a directory for a run of this revision; makes it if it is not there. A run that is there goes on.
    ///
    /// # Errors
    /// Another process has it, it belongs to a run of another plan, it cannot be used, or what is in it is damaged.
    pub fn open(directory: &Path, revision: &Revision, now: Timestamp) -> Result<(Self, Record, Opened), OpenError> {
        fs::create_dir_all(directory).map_err(|error| unusable(directory, &error))?;
        let lock = Lock::take(directory).map_err(|taken| held(directory, &taken))?;
        let run = new_run().map_err(|error| StoreError::Unavailable(format!("no random number can be had: {error}")))?;
        let fresh = || Record::new(run, revision, now);
        let (mut state, opened) = State::open(Directory::at(directory), revision, fresh)?;
        let (record, _) = state.load()?;
        let open = Open { state, directory: Directory::at(directory), _lock: lock };
        Ok((Self { open: Arc::new(Mutex::new(open)) }, record, opened))
    }

    /// Does this with the directory where it may block. If the caller goes away it is done nevertheless, and whoever asks
    /// next waits for it.
    async fn with<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Open) -> Result<T, StoreError> + Send + 'static,
    {
        let open = Arc::clone(&self.open);
        let done = tokio::task::spawn_blocking(move || work(&mut open.lock().unwrap_or_else(PoisonError::into_inner)));
        done.await.unwrap_or_else(|error| Err(StoreError::Unavailable(error.to_string())))
    }
}

impl Store for FileStore {
    async fn load(&mut self) -> Result<(Record, Version), StoreError> {
        let (record, number) = self.with(|open| open.state.load()).await?;
        Ok((record, Version(number.to_string())))
    }
    async fn append(&mut self, line: &Line) -> Result<(), StoreError> {
        let line = line.clone();
        self.with(move |open| open.state.append(&line)).await
    }
    async fn commit(&mut self, record: &Record, expected: &Version, decision: &Decision) -> Result<Version, StoreError> {
        let expected = expected.0.parse().map_err(|_| StoreError::Conflict)?;
        let (record, decision) = (record.clone(), decision.clone());
        let commit = move |open: &mut Open| {
            let number = open.state.commit(&record, expected)?;
            open.keep_waits(&decision);
            Ok(number)
        };
        Ok(Version(self.with(commit).await?.to_string()))
    }
    async fn publish(&mut self, _: &Record, _: &Version, decision: &Decision) -> Result<Option<Version>, StoreError> {
        let decision = decision.clone();
        let keep = move |open: &mut Open| {
            open.keep_waits(&decision);
            Ok(None)
        };
        self.with(keep).await
    }
}

/// What lies in a state directory, read without the lock.
#[derive(Debug, Clone)]
pub struct Peek {
    /// How far the run is.
    pub record: Record,
    /// What it executes.
    pub revision: Revision,
    /// The process that drives it now, if one does; its number may be unreadable.
    pub driven_by: Option<Option<u32>>,
}

/// Reads a state directory without disturbing whoever drives it.
///
/// # Errors
/// There is no run in it, it cannot be read, or it is damaged.
pub fn peek(directory: &Path) -> Result<Peek, StoreError> {
    let disk = Directory::at(directory);
    let none = || StoreError::Broken(format!("there is no run in {}", directory.display()));
    let (_, record) = state::read_record(&disk)?.ok_or_else(none)?;
    let revision = state::read_revision(&disk)?.ok_or_else(none)?;
    let driven_by = Lock::holder(directory).map_err(|error| StoreError::Unavailable(error.to_string()))?;
    Ok(Peek { record, revision, driven_by })
}

/// The revision that the run of a directory executes; `None` if there is no run in it.
///
/// # Errors
/// It cannot be read, or is damaged.
pub fn kept_revision(directory: &Path) -> Result<Option<Revision>, StoreError> {
    let disk = Directory::at(directory);
    match state::read_record(&disk)? {
        Some(_) => state::read_revision(&disk),
        None => Ok(None),
    }
}

/// Verifies the journal of a state directory up to its record's head.
///
/// # Errors
/// [`StoreError::Broken`] with the first bad line, or what else keeps it from being read.
pub fn verify(directory: &Path) -> Result<(Record, Verified), StoreError> {
    steadily(directory, |disk, record| state::verify(disk, &record).map(|verified| (record, verified)))
}

/// All that a state directory knows of its run.
#[derive(Debug, Clone)]
pub struct History {
    /// How far the run is.
    pub record: Record,
    /// What it executes.
    pub revision: Revision,
    /// The journal up to the line that the record rests on, as it was written.
    pub journal: Vec<u8>,
}

/// Reads the whole history of a run without disturbing whoever drives it.
///
/// # Errors
/// There is no run, it cannot be read, or it is damaged; [`StoreError::Broken`] with the first bad line of the journal.
pub fn history(directory: &Path) -> Result<History, StoreError> {
    let none = || StoreError::Broken(format!("there is no run in {}", directory.display()));
    let revision = state::read_revision(&Directory::at(directory))?.ok_or_else(none)?;
    steadily(directory, |disk, record| {
        let mut journal = state::read_journal(disk)?;
        let end = state::verified(&journal, &record)?.end;
        journal.truncate(usize::try_from(end).unwrap_or(usize::MAX));
        Ok(History { record, revision: revision.clone(), journal })
    })
}

/// Reads something that rests on the record. Where it does not fit, whoever drives the run may have gone on in between: then it
/// is read anew.
fn steadily<T>(directory: &Path, read: impl Fn(&Directory, Record) -> Result<T, StoreError>) -> Result<T, StoreError> {
    let disk = Directory::at(directory);
    loop {
        let none = || StoreError::Broken(format!("there is no run in {}", directory.display()));
        let (number, record) = state::read_record(&disk)?.ok_or_else(none)?;
        match read(&disk, record) {
            Ok(found) => return Ok(found),
            Err(error) if state::read_record(&disk)?.is_none_or(|(newer, _)| newer == number) => return Err(error),
            Err(_) => {}
        }
    }
}

fn held(directory: &Path, taken: &Taken) -> StoreError {
    match taken {
        Taken::By(Some(pid)) => StoreError::Unavailable(format!(
            "{} is in use by process {pid}, which drives its run; stop that one first, or give it orders with `gapless hold`, \
             `resume` or `rollback`",
            directory.display()
        )),
        Taken::By(None) => StoreError::Unavailable(format!("{} is in use by another process", directory.display())),
        Taken::Unusable(error) => unusable(directory, error),
    }
}

fn unusable(directory: &Path, error: &io::Error) -> StoreError {
    StoreError::Unavailable(format!("the state directory {} cannot be used: {error}", directory.display()))
}

/// A new run's identity: 128 random bits.
fn new_run() -> io::Result<RunId> {
    use std::{fmt::Write as _, io::Read as _};
    let mut bytes = [0u8; 16];
    fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    let mut text = String::with_capacity(32);
    for byte in bytes {
        let _ = write!(text, "{byte:02x}"); // writing to a String cannot fail
    }
    Ok(RunId(text))
}

/// Where a directory keeps its journal.
pub fn journal_path(directory: &Path) -> PathBuf {
    directory.join(state::JOURNAL)
}
