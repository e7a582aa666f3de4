//! `gapless run`: the standalone runner. Checks first and writes nothing before that; then the one loop does the rest.

mod teller;

use std::path::{Path, PathBuf};

use gapless::{
    adapters::{
        clock::{self, SystemClock},
        file_store::{self, FileStore, OpenError, Opened},
        standalone::{NotStandalone, Standalone},
    },
    drive::{End, Finish, Ports, Until, drive},
    engine::{Outcome, Record, RunId},
    plan::{self, Revision, Severity},
    report::{
        findings::{Colour, PlanReport},
        run::RunReport,
    },
};

use self::teller::Teller;
use crate::{
    Exit, check, measured,
    output::{self, Format, Output},
    runtime,
};

/// Run a plan without a cluster: plain hosts, routers behind the webhook contract
///
/// Everything the run knows is in the state directory. Ctrl-C stops it between two steps, traffic stays as it is, and the
/// same command goes on; so it does after a crash. Exit code 0: completed; 1: rolled back, held, stopped, or the plan has
/// findings; 2: the plan or the directory cannot be used.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The plan file; without it the run in the state directory goes on with the plan that is kept there
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// The directory of the run; made if it is not there
    #[arg(long, value_name = "DIR")]
    state: PathBuf,
    /// A state directory or a journal of a run that was made, as in a rehearsal: what was measured there counts instead of the
    /// plan's word from now on, for the latest rollback and for what fits into a window
    #[arg(long, value_name = "JOURNAL")]
    durations: Option<PathBuf>,
    /// Print one JSON event a line while it runs
    #[arg(long)]
    events: bool,
    /// End when nothing can go on without a person; otherwise wait for `gapless resume` or `gapless rollback`
    #[arg(long)]
    until_held: bool,
    /// Stop as with Ctrl-C when standard input is closed: for a program that starts this one and may itself be killed
    #[arg(long)]
    while_stdin: bool,
    #[command(flatten)]
    output: Output,
}

pub fn run(args: &Args) -> anyhow::Result<Exit> {
    let revision = match &args.file {
        Some(file) => match read(file)? {
            Some(revision) => revision,
            None => return Ok(Exit::Finding),
        },
        None => kept(&args.state)?,
    };
    runtime::block_on(run_here(args, &revision))?
}

/// The revision of a plan file; `None` if it has errors, which are printed.
fn read(file: &Path) -> anyhow::Result<Option<Revision>> {
    let bytes = check::read(file).map_err(|error| anyhow::anyhow!("{} cannot be read: {error}", file.display()))?;
    let result = plan::read_by(&check::readers(), &bytes);
    let revision = result.as_ref().ok().map(|checked| checked.revision.clone());
    let report = PlanReport::new(file.display().to_string(), result);
    if report.count(Severity::Error) + report.count(Severity::Warning) > 0 {
        output::complain(report.text(&String::from_utf8_lossy(&bytes), Colour::Plain).trim_end());
    }
    Ok(revision)
}

fn kept(state: &Path) -> anyhow::Result<Revision> {
    let none =
        || anyhow::anyhow!("there is no run in {}; to begin one, name its plan: gapless run FILE --state DIR", state.display());
    file_store::kept_revision(state)?.ok_or_else(none)
}

async fn run_here(args: &Args, revision: &Revision) -> anyhow::Result<Exit> {
    let orders = file_store::orders_path(&args.state);
    if let Err(NotStandalone(reasons)) = Standalone::new(revision, &RunId("checked-only".to_owned()), &orders) {
        reasons.iter().for_each(|why| output::complain(&format!("error: {why}")));
        output::complain("this plan cannot run without a cluster; nothing was written");
        return Ok(Exit::Finding);
    }
    let durations = match &args.durations {
        Some(path) => measured::of(path, revision)?,
        None => file_store::durations(&args.state)?,
    };
    let (store, record, opened) =
        FileStore::open(&args.state, revision, clock::now()).map_err(|error| explain(error, args, revision))?;
    if args.durations.is_some() {
        file_store::keep_durations(&args.state, &durations)?;
    }
    let (sensor, actuator) = Standalone::new(revision, &record.run, &orders)?;
    let sensor = sensor.with_durations(durations);
    let mut reporter = Teller::new(args.events);
    reporter.opens(&record, opened == Opened::Continued);
    let mut ports = Ports { store, sensor, actuator, clock: SystemClock, reporter };
    let until = if args.until_held { Until::HeldOrEnded } else { Until::Ended };
    let stop = async {
        tokio::select! {
            () = runtime::interrupted() => {}
            () = runtime::stdin_closed(), if args.while_stdin => {}
        }
    };
    let end = drive(revision, &mut ports, until, stop).await?;
    finish(args, &end, &record)
}

/// Says how it ended, and how to go on if it did not.
fn finish(args: &Args, end: &End, begun: &Record) -> anyhow::Result<Exit> {
    let record = end.record.as_ref().unwrap_or(begun);
    let outcome = match end.finish {
        Finish::Ended(outcome) => Some(outcome),
        Finish::Held => Some(Outcome::Held),
        Finish::Stopped => None,
    };
    let report = RunReport::new(record, outcome, file_store::journal_path(&args.state).display().to_string());
    match args.output.format {
        Format::Json if args.events => output::print(&format!("{}\n", serde_json::to_string(&report)?))?,
        Format::Json => output::print_json(&report)?,
        Format::Text if args.events => {}
        Format::Text => output::print(&report.text())?,
    }
    if !matches!(end.finish, Finish::Ended(_)) {
        let state = args.state.display();
        output::complain(&format!(
            "traffic stays as it is and nobody watches it now; go on with `gapless run --state {state}`, or order all of it back \
             with `gapless rollback --state {state}` first"
        ));
    }
    Ok(if outcome == Some(Outcome::Completed) { Exit::Good } else { Exit::Finding })
}

/// What to do about a directory that cannot be opened.
fn explain(error: OpenError, args: &Args, revision: &Revision) -> anyhow::Error {
    let state = args.state.display();
    match error {
        OpenError::OtherPlan { kept, given } => anyhow::anyhow!(
            "{state} has a run of another plan: it executes revision {}, and {} is revision {}\n\
             a run executes the plan that it was started with, however its file is edited later:\n\
             - to go on with that plan: gapless run --state {state}\n\
             - to take everything back: gapless rollback --state {state}, then gapless run --state {state}\n\
             - to run the new plan once the old run has ended: gapless run FILE --state ANOTHER_DIRECTORY",
            kept.short(),
            args.file.as_ref().map_or_else(|| revision.plan().name.to_string(), |file| file.display().to_string()),
            given.short(),
        ),
        OpenError::Store(error) => error.into(),
    }
}
