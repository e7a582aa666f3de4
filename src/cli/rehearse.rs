//! `gapless rehearse`: many simulated runs of a plan, on all cores. Reads files, writes nothing.

use std::{
    path::PathBuf,
    sync::atomic::{AtomicU64, Ordering},
    time::Instant,
};

use gapless::{
    plan::Span,
    rehearse::{End, KINDS, Options, Rehearsal, RehearseReport, report::TraceReport},
};

use crate::{
    Exit, check, explore, measured,
    output::{self, Format, Output},
};

/// Rehearse a plan: simulated runs with faults and durations drawn by a seed
///
/// Every run is decided and checked as a live one, in virtual time. The result depends on the plan, the seed and the options
/// alone. Exit code 0: no run did what must never happen; 1: one did, and its seed is named, or the plan has errors; 2: wrong
/// usage.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The plan file; `-` is standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// How many runs
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    runs: u64,
    /// The seed of the first run; the next run has the next number
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Tell the one run of this seed from moment to moment
    #[arg(long, conflicts_with = "runs")]
    trace: bool,
    /// Kinds of faults, each with the most of its kind in one run: `gate-fails,crash=1`; `all`, `none`
    #[arg(long, value_name = "LIST", default_value = "all")]
    faults: String,
    /// Faults in one run, at most
    #[arg(long, value_name = "N", default_value_t = 2)]
    budget: u8,
    /// People answer within this time in 95 of 100 cases
    #[arg(long, value_name = "TIME", default_value = "15m")]
    people: Span,
    /// When a run begins, in UTC; by default an hour before the first window opens
    #[arg(long, value_name = "MOMENT")]
    start: Option<jiff::Timestamp>,
    /// A run's state directory or its journal: what was measured there counts instead of the plan's word
    #[arg(long, value_name = "JOURNAL")]
    durations: Option<PathBuf>,
    /// Threads; by default as many as there are cores
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
    #[command(flatten)]
    output: Output,
}

pub fn run(args: &Args) -> anyhow::Result<Exit> {
    let budget = explore::faults(&args.faults, args.budget, &KINDS)?;
    let options = Options { budget, people: args.people, start: args.start };
    let measured = args.durations.as_deref().map(measured::read).transpose()?.unwrap_or_default();
    let Some(revision) = check::plan(&args.file)? else { return Ok(Exit::Finding) };
    let rehearsal = Rehearsal::new(&revision, options, &measured);
    if args.trace { trace(args, &rehearsal) } else { all(args, &rehearsal) }
}

fn trace(args: &Args, rehearsal: &Rehearsal) -> anyhow::Result<Exit> {
    let (end, lines) = rehearsal.trace(args.seed);
    let report = TraceReport::new(&end, lines);
    match args.output.format {
        Format::Text => output::print(&report.text())?,
        Format::Json => output::print_json(&report)?,
    }
    Ok(if end.violations.is_empty() { Exit::Good } else { Exit::Finding })
}

fn all(args: &Args, rehearsal: &Rehearsal) -> anyhow::Result<Exit> {
    let begun = Instant::now();
    let ends = on_threads(args, rehearsal)?;
    let took = begun.elapsed().as_secs_f64();
    let report = RehearseReport::new(rehearsal, args.seed, &ends, took);
    match args.output.format {
        Format::Text => {
            output::print(&report.text())?;
            output::complain(&format!("{} runs in {took:.1} s", args.runs));
        }
        Format::Json => output::print_json(&report)?,
    }
    Ok(if report.violations == 0 { Exit::Good } else { Exit::Finding })
}

/// How many runs a thread takes at a time.
const BATCH: u64 = 16;

/// All runs in the order of their seeds, whoever made them.
fn on_threads(args: &Args, rehearsal: &Rehearsal) -> anyhow::Result<Vec<End>> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = args.threads.map_or(cores, usize::from);
    let next = AtomicU64::new(0);
    let work = || {
        let mut done = Vec::new();
        loop {
            let first = next.fetch_add(BATCH, Ordering::Relaxed);
            if first >= args.runs {
                return done;
            }
            let batch = first..args.runs.min(first + BATCH);
            done.extend(batch.map(|place| (place, rehearsal.run(args.seed.wrapping_add(place)))));
        }
    };
    let mut ends = std::thread::scope(|scope| -> anyhow::Result<Vec<(u64, End)>> {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let mut ends = Vec::new();
        for thread in threads {
            ends.append(&mut thread.join().map_err(|_| anyhow::anyhow!("a rehearsal ended badly"))?);
        }
        Ok(ends)
    })?;
    ends.sort_by_key(|(place, _)| *place);
    Ok(ends.into_iter().map(|(_, end)| end).collect())
}
