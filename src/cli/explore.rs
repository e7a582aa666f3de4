//! `gapless explore`: every way that a run of a plan can take within a budget of faults. Reads a file, and writes one only if
//! `--resume` names it.

mod kept;
mod progress;

use std::{path::PathBuf, time::Instant};

use anyhow::{Context as _, bail};
use gapless::{
    engine::Invariant,
    explore::{
        Options,
        budget::{Budget, Kind},
        explore,
        piece::{Piece, pieces},
        report::{ExploreReport, ShapeReport},
    },
};

use self::{kept::Kept, progress::Progress};
use crate::{
    Exit, check,
    output::{self, Format, Output},
    threads::Threads,
};

/// Explore every order of events and faults that a run of a plan can meet
///
/// Searches, piece by piece, all states that a run can reach within the budget of faults, with the same decisions and checks
/// as a live run. Exit code 0: nothing wrong was found; 1: a counterexample, or an erroneous plan; 2: wrong usage.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The plan file; `-` is standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Kinds of faults, each with the most of its kind on one way: `gate-fails,crash=1`; `all`, `none`
    #[arg(long, value_name = "LIST", default_value = "all")]
    faults: String,
    /// Faults on one way
    #[arg(long, value_name = "N", default_value_t = 2)]
    budget: u8,
    /// Leave out the rule that keeps this invariant, to see what it is for
    #[arg(long, value_name = "RULE", value_parser = invariant)]
    without: Option<Invariant>,
    /// Explore only the pieces with this service
    #[arg(long, value_name = "SERVICE")]
    only: Option<String>,
    /// Explore each service, or group, by itself, without what it needs and what needs it: far fewer states, so that all of them can
    /// be seen within more faults
    #[arg(long)]
    alone: bool,
    /// Stop each piece after so many states
    #[arg(long, value_name = "N", default_value_t = 50_000_000)]
    max_states: u64,
    /// Keep finished pieces in this file, and take those up that it has already
    #[arg(long, value_name = "FILE")]
    resume: Option<PathBuf>,
    /// Threads; by default as many as there are cores
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    threads: Option<u16>,
    #[command(flatten)]
    output: Output,
}

fn invariant(name: &str) -> Result<Invariant, String> {
    let known = Invariant::ALL.iter().find(|invariant| invariant.to_string() == name);
    let names = || Invariant::ALL.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    known.copied().ok_or_else(|| format!("no such rule; there are {}", names()))
}

pub fn run(args: &Args) -> anyhow::Result<Exit> {
    let options = Options::new(args.without, faults(&args.faults, args.budget, &Kind::ALL)?, args.max_states);
    let options = if args.alone { options.alone() } else { options };
    let Some(revision) = check::plan(&args.file)? else { return Ok(Exit::Finding) };
    let mut pieces = pieces(&revision, options.around);
    if let Some(only) = &args.only {
        pieces.retain(|piece| piece.alike.iter().any(|service| service.as_str() == only));
        if pieces.is_empty() {
            bail!("the plan has no service `{only}`");
        }
    }
    let kept = Kept::load(args.resume.as_deref(), &options)?;
    let begun = Instant::now();
    let shapes = all(&pieces, &options, Threads::new(args.threads), kept)?;
    let report = ExploreReport::new(&revision, &options, shapes, begun.elapsed().as_secs_f64());
    match args.output.format {
        Format::Text => output::print(&report.text())?,
        Format::Json => output::print_json(&report)?,
    }
    Ok(if report.holds { Exit::Good } else { Exit::Finding })
}

/// The faults that `--faults` and `--budget` name, among these kinds.
pub fn faults(list: &str, total: u8, known: &[Kind]) -> anyhow::Result<Budget> {
    let mut budget = Budget::of(total, &[]);
    for item in list.split(',').map(str::trim).filter(|item| !item.is_empty()) {
        let (name, most) = item.split_once('=').unwrap_or((item, ""));
        let most =
            if most.is_empty() { total } else { most.parse().with_context(|| format!("`{item}` has no number after `=`"))? };
        match (name, Kind::named(name).filter(|kind| known.contains(kind))) {
            ("all", _) => budget = known.iter().fold(budget, |budget, kind| budget.with(*kind, most)),
            ("none", _) => budget = Budget::of(0, &[]),
            (_, Some(kind)) => budget = budget.with(kind, most),
            (_, None) => {
                let names: Vec<&str> = known.iter().map(|kind| kind.name()).collect();
                bail!("no such kind of fault: `{name}`; there are all, none, {}", names.join(", "));
            }
        }
    }
    Ok(budget)
}

/// Explores all pieces, one after the other, each with all workers, and keeps what is finished.
fn all(pieces: &[Piece], options: &Options, threads: Threads, mut kept: Kept) -> anyhow::Result<Vec<ShapeReport>> {
    let progress = Progress::new(pieces, options, threads);
    let mut reports = Vec::new();
    for piece in pieces {
        let report = match kept.find(piece) {
            Some(report) => report,
            None => {
                let report = explore(piece, options, &threads, &|states| progress.tell(piece, states));
                kept.keep(piece, &report)?;
                report
            }
        };
        progress.done(&report);
        reports.push(report);
    }
    progress.end();
    Ok(reports)
}
