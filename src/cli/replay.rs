//! `gapless replay`: whether a journal's observations give the same decisions.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use gapless::{
    adapters::file_store::{self, History, Peek},
    engine::{JournalHead, Record},
    journal::{self, Lineage},
    kubernetes::{crd::MigrationPlanRevision, revision::unpack},
    plan::{Plan, Revision},
    ports::StoreError,
    replay::{
        Replayed, Verdict, replay,
        report::{HeldAgainst, ReplayReport, Source},
    },
};
use serde::Deserialize;

use crate::{
    Exit, check,
    cluster::{Cluster, Scope},
    output::{self, Format, Output},
    runtime,
};

/// Decide again, from its journal alone, what a run decided: the same, or the first difference
///
/// A run in a state directory has all that it takes. The journal of a run in a cluster is a file beside the operator
/// (`/journals/NAMESPACE_RUN_UID.jsonl` in its pod): copy it, and name it with `--journal`. With `--revision` no cluster is
/// needed; the journal's own last line is then taken for its end. Exit code 0: the same; 1: a difference, or the journal is not
/// what was written; 2: it cannot be read, or was written by a version that does not record what was seen.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The run in the cluster
    #[arg(required_unless_present_any = ["state", "revision"], requires = "journal", conflicts_with = "revision")]
    run: Option<String>,
    /// The state directory of a run without a cluster
    #[arg(long, value_name = "DIR", conflicts_with_all = ["run", "namespace", "journal", "revision"])]
    state: Option<PathBuf>,
    /// The journal
    #[arg(long, value_name = "FILE")]
    journal: Option<PathBuf>,
    /// What the run executed: its MigrationPlanRevision (`kubectl get mpr NAME -o json`), a state directory's revision.json,
    /// or the plan file that it was started with
    #[arg(long, value_name = "FILE", requires = "journal", conflicts_with = "namespace")]
    revision: Option<PathBuf>,
    #[command(flatten)]
    scope: Scope,
    #[command(flatten)]
    output: Output,
}

/// A journal, and what it is held against.
struct Case {
    revision: Revision,
    /// The journal, or why it is not what was written.
    journal: Result<Vec<u8>, String>,
    /// The record that is stored; `None`: it is not at hand.
    record: Option<Record>,
    /// The run's name for people.
    run: Option<String>,
}

pub fn run(args: &Args) -> anyhow::Result<Exit> {
    let case = match (&args.state, &args.run, &args.journal, &args.revision) {
        (Some(state), ..) => of_directory(state)?,
        (None, Some(run), Some(journal), None) => of_cluster(&args.scope, run, journal)?,
        (None, None, Some(journal), Some(revision)) => match of_files(journal, revision)? {
            Some(case) => case,
            None => return Ok(Exit::Finding),
        },
        _ => bail!("name a state directory, a run and its journal, or a journal and its revision"),
    };
    let (report, replayed) = judge(&case);
    match args.output.format {
        Format::Json => output::print_json(&report)?,
        Format::Text => output::print(&report.text(replayed.as_ref()))?,
    }
    Ok(exit(&report, replayed.as_ref()))
}

fn of_directory(state: &Path) -> anyhow::Result<Case> {
    let (record, revision, journal) = match file_store::history(state) {
        Ok(History { record, revision, journal }) => (record, revision, Ok(journal)),
        Err(StoreError::Broken(why)) => {
            let Peek { record, revision, .. } = file_store::peek(state)?;
            (record, revision, Err(why))
        }
        Err(error) => return Err(error.into()),
    };
    Ok(Case { revision, journal, run: Some(record.run.to_string()), record: Some(record) })
}

fn of_cluster(scope: &Scope, run: &str, journal: &Path) -> anyhow::Result<Case> {
    let journal = read(journal)?; // before the record: what is committed meanwhile may be in it already, and is no matter
    let found = runtime::block_on(async { Cluster::connect(scope).await?.run(run).await })??;
    Ok(Case { revision: found.revision, journal: Ok(journal), record: Some(found.record), run: Some(run.to_owned()) })
}

/// `None`: the plan has errors, which are printed.
fn of_files(journal: &Path, revision: &Path) -> anyhow::Result<Option<Case>> {
    let Some(revision) = revision_in(revision)? else { return Ok(None) };
    Ok(Some(Case { revision, journal: Ok(read(journal)?), record: None, run: None }))
}

fn read(file: &Path) -> anyhow::Result<Vec<u8>> {
    std::fs::read(file).with_context(|| format!("{} cannot be read", file.display()))
}

/// What a state directory keeps.
#[derive(Deserialize)]
struct Kept {
    plan: Plan,
}

/// The revision in a file, in whichever of its forms.
fn revision_in(file: &Path) -> anyhow::Result<Option<Revision>> {
    let bytes = read(file)?;
    if let Ok(object) = serde_json::from_slice::<MigrationPlanRevision>(&bytes) {
        return Ok(Some(unpack(&object)?));
    }
    if let Ok(kept) = serde_json::from_slice::<Kept>(&bytes) {
        return Ok(Some(Revision::of(kept.plan)));
    }
    check::plan(file)
}

/// Replays the lines that the record rests on; without a record, those that the journal's last line rests on.
fn judge(case: &Case) -> (ReplayReport, Option<Replayed>) {
    let found = case.journal.as_ref().map_err(Clone::clone).and_then(|journal| {
        let head = case.record.as_ref().map_or_else(|| last(journal), |record| Ok(record.journal.clone()))?;
        journal::lineage(journal, &head).map_err(|bad| bad.to_string())
    });
    let abandoned = found.as_ref().map_or(0, |found| found.abandoned);
    let source = Source {
        run: case.run.clone().or_else(|| found.as_ref().ok().and_then(run_of)),
        plan: case.revision.plan().name.to_string(),
        digest: case.revision.digest().to_string(),
        abandoned,
        held_against: if case.record.is_some() { HeldAgainst::Record } else { HeldAgainst::Nothing },
    };
    match found {
        Err(why) => (ReplayReport::broken(source, why), None),
        Ok(Lineage { lines, .. }) => {
            let replayed = replay(&case.revision, &lines, case.record.as_ref());
            (ReplayReport::new(source, &replayed), Some(replayed))
        }
    }
}

fn run_of(found: &Lineage) -> Option<String> {
    found.lines.iter().find_map(|line| line.begins.as_ref()).map(|begins| begins.record.run.to_string())
}

/// The head of the last whole line.
fn last(journal: &[u8]) -> Result<JournalHead, String> {
    let mut whole = journal.split_inclusive(|byte| *byte == b'\n').filter_map(|line| line.strip_suffix(b"\n"));
    let Some(line) = whole.next_back() else { return Err("there is no whole line in the journal".to_owned()) };
    let line: Result<journal::Line, _> = serde_json::from_slice(line);
    line.map(|line| line.head).map_err(|error| format!("the last line of the journal cannot be read ({error})"))
}

fn exit(report: &ReplayReport, replayed: Option<&Replayed>) -> Exit {
    match replayed.map(|replayed| &replayed.verdict) {
        None | Some(Verdict::Differs(_)) => Exit::Finding,
        Some(Verdict::Unreadable { .. }) => Exit::Unusable,
        Some(Verdict::Same) if report.same => Exit::Good,
        Some(Verdict::Same) => Exit::Unusable,
    }
}
