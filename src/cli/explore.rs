//! `gapless explore`: every way that a run of a plan can take within a budget of faults. Reads a file, and writes one only if
//! `--resume` names it.

use std::{
    io::IsTerminal as _,
    path::{Path, PathBuf},
    sync::{
        Mutex,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

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
    plan::Revision,
};
use indicatif::{ProgressBar, ProgressStyle};
use serde::{Deserialize, Serialize};

use crate::{
    Exit, check,
    output::{self, Format, Output},
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
    /// Stop each piece after so many states
    #[arg(long, value_name = "N", default_value_t = 50_000_000)]
    max_states: u64,
    /// Keep finished pieces in this file, and take those up that it has already
    #[arg(long, value_name = "FILE")]
    resume: Option<PathBuf>,
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
    let Some(revision) = check::plan(&args.file)? else { return Ok(Exit::Finding) };
    let mut pieces = pieces(&revision);
    if let Some(only) = &args.only {
        pieces.retain(|piece| piece.alike.iter().any(|service| service.as_str() == only));
        if pieces.is_empty() {
            bail!("the plan has no service `{only}`");
        }
    }
    let kept = Kept::load(args.resume.as_deref(), &revision, &options)?;
    let begun = Instant::now();
    let shapes = all(&pieces, &options, kept)?;
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

/// Explores all pieces, several at a time, and keeps what is finished. The result does not depend on who was faster.
fn all(pieces: &[Piece], options: &Options, kept: Kept) -> anyhow::Result<Vec<ShapeReport>> {
    let (next, states) = (AtomicUsize::new(0), AtomicU64::new(0));
    let kept = Mutex::new(kept);
    let bar = progress(pieces.len());
    let workers = std::thread::available_parallelism().map_or(1, usize::from).min(pieces.len()).max(1);
    let work = || -> anyhow::Result<Vec<(usize, ShapeReport)>> {
        let mut done = Vec::new();
        loop {
            let place = next.fetch_add(1, Ordering::Relaxed);
            let Some(piece) = pieces.get(place) else { return Ok(done) };
            let found = kept.lock().ok().and_then(|kept| kept.find(piece));
            let report = match found {
                Some(report) => report,
                None => {
                    let mut told = 0;
                    let report = explore(piece, options, |seen| {
                        states.fetch_add(seen - told, Ordering::Relaxed);
                        told = seen;
                        bar.set_message(message(&piece.name, states.load(Ordering::Relaxed), bar.elapsed()));
                    });
                    states.fetch_add(report.states.saturating_sub(told), Ordering::Relaxed);
                    kept.lock().ok().map(|mut kept| kept.keep(&report)).transpose()?;
                    report
                }
            };
            bar.inc(1);
            done.push((place, report));
        }
    };
    let mut reports = std::thread::scope(|scope| -> anyhow::Result<Vec<(usize, ShapeReport)>> {
        let threads: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        let mut reports = Vec::new();
        for thread in threads {
            reports.append(&mut thread.join().map_err(|_| anyhow::anyhow!("a search ended badly"))??);
        }
        Ok(reports)
    })?;
    bar.finish_and_clear();
    reports.sort_by_key(|(place, _)| *place);
    Ok(reports.into_iter().map(|(_, report)| report).collect())
}

fn progress(pieces: usize) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{spinner} {pos}/{len} pieces, {elapsed}, {msg}");
    let bar = ProgressBar::new(pieces as u64).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

fn message(piece: &str, states: u64, elapsed: Duration) -> String {
    format!("{states} states, {:.0}/s: {piece}", states as f64 / elapsed.as_secs_f64().max(0.001))
}

/// Finished pieces in a file.
#[derive(Debug, Default)]
struct Kept {
    file: Option<PathBuf>,
    content: Content,
}

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Content {
    digest: String,
    options: String,
    shapes: Vec<ShapeReport>,
}

impl Kept {
    fn load(file: Option<&Path>, revision: &Revision, options: &Options) -> anyhow::Result<Self> {
        let fresh = Content { digest: revision.digest().to_string(), options: format!("{options:?}"), shapes: Vec::new() };
        let Some(file) = file else { return Ok(Self { file: None, content: fresh }) };
        let content = match std::fs::read(file) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => fresh,
            Err(error) => return Err(error).with_context(|| format!("{} cannot be read", file.display())),
            Ok(bytes) => {
                let found: Content = serde_json::from_slice(&bytes)
                    .with_context(|| format!("{} is not what an exploration keeps", file.display()))?;
                if (&found.digest, &found.options) != (&fresh.digest, &fresh.options) {
                    bail!("{} belongs to another plan or to other options; name another file", file.display());
                }
                found
            }
        };
        Ok(Self { file: Some(file.to_owned()), content })
    }

    fn find(&self, piece: &Piece) -> Option<ShapeReport> {
        self.content.shapes.iter().find(|shape| shape.name == piece.name).cloned()
    }

    fn keep(&mut self, shape: &ShapeReport) -> anyhow::Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        self.content.shapes.push(shape.clone());
        let draft = file.with_extension("new");
        std::fs::write(&draft, serde_json::to_vec_pretty(&self.content)?)
            .and_then(|()| std::fs::rename(&draft, file))
            .with_context(|| format!("{} cannot be written", file.display()))
    }
}
