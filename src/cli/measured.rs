//! `--durations`: how long things took in a run that was made.

use std::path::Path;

use anyhow::{Context as _, bail};
use gapless::{
    adapters::file_store,
    journal::Chain,
    plan::{Revision, schedule::Durations},
    rehearse::Measured,
};

/// What was measured of this plan's work, as 95th percentiles.
///
/// # Errors
/// As [`read`]; and if nothing of it is of this plan.
pub fn of(path: &Path, revision: &Revision) -> anyhow::Result<Durations> {
    let durations = read(path)?.durations(revision.plan());
    if durations.is_empty() {
        bail!("{} is of another plan: nothing that was measured there is in this one", path.display());
    }
    Ok(durations)
}

/// What a state directory or a journal tells of how long things took.
///
/// # Errors
/// It cannot be read, is damaged, or nothing was measured in it.
pub fn read(path: &Path) -> anyhow::Result<Measured> {
    let (file, length) = if path.is_dir() {
        let (_, verified) = file_store::verify(path)?;
        (file_store::journal_path(path), verified.end)
    } else {
        (path.to_owned(), u64::MAX)
    };
    let bytes = std::fs::read(&file).with_context(|| format!("{} cannot be read", file.display()))?;
    let length = usize::try_from(length).unwrap_or(usize::MAX).min(bytes.len());
    let (mut chain, mut measured) = (Chain::default(), Measured::default());
    let lines = bytes.get(..length).unwrap_or_default().split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    for line in lines {
        let line = chain.accept(line).map_err(|bad| anyhow::anyhow!("{}: {bad}", file.display()))?;
        measured.read(line.at, &line.events, &line.seen);
    }
    if measured.count() == 0 {
        bail!("{} has no weight and no task that was done: nothing was measured in it", file.display());
    }
    Ok(measured)
}
