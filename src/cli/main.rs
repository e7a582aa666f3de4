//! The gapless command line: one file per verb, nothing decided here.
//!
//! *Flow*: clap reads the arguments, the verb does its work and returns an [`Exit`]; an error is printed with its causes.
//! *Guarantees*: exit code 0 is good, 1 a finding or a failed verdict, 2 wrong usage or unreadable input. A reader that
//! closes its end of a pipe early changes neither the work nor the exit code.
//! *Assumptions*: a verb writes its result through [`output`], and what is for people to watch to standard error.
//! *Caveats*: logs go to standard error and are off unless `GAPLESS_LOG` asks for them (`GAPLESS_LOG=gapless=debug`).

mod approve;
mod check;
mod chosen;
mod cluster;
mod crds;
mod declare_success;
mod demo;
mod directory;
mod explain;
mod explore;
mod hold;
mod measured;
mod output;
mod preview;
mod rehearse;
mod replay;
mod resume;
mod retry;
mod rollback;
mod run;
mod runtime;
mod schema;
mod start;
mod status;
mod table;
mod threads;
mod verify;
mod watch;
mod which;

use std::{io::IsTerminal as _, process::ExitCode};

use clap::{Parser, Subcommand};
use tracing_subscriber::EnvFilter;

/// Verbs read, decide and draw whole estates, and much of that is allocating: a fifth of their time less than with the C library's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Moves live services from legacy hosts to the cloud, so that a critical service never gaps.
#[derive(Debug, Parser)]
#[command(name = "gapless", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

/// What is to be done. Each verb is a file of its own beside this one.
#[derive(Debug, Subcommand)]
enum Verb {
    Approve(approve::Args),
    Check(check::Args),
    Demo(demo::Args),
    Explain(explain::Args),
    Explore(explore::Args),
    Preview(preview::Args),
    Rehearse(rehearse::Args),
    Run(run::Args),
    Crds(crds::Args),
    Schema(schema::Args),
    Hold(hold::Args),
    Resume(resume::Args),
    Retry(retry::Args),
    DeclareSuccess(declare_success::Args),
    Rollback(rollback::Args),
    Start(start::Args),
    Status(status::Args),
    Watch(watch::Args),
    Verify(verify::Args),
    Replay(replay::Args),
}

impl Verb {
    fn run(self) -> anyhow::Result<Exit> {
        match self {
            Self::Approve(args) => approve::run(&args),
            Self::Check(args) => check::run(&args),
            Self::Demo(args) => demo::run(&args),
            Self::Explain(args) => explain::run(&args),
            Self::Explore(args) => explore::run(&args),
            Self::Preview(args) => preview::run(&args),
            Self::Rehearse(args) => rehearse::run(&args),
            Self::Run(args) => run::run(&args),
            Self::Crds(args) => crds::run(&args),
            Self::Schema(args) => schema::run(&args),
            Self::Hold(args) => hold::run(&args),
            Self::Resume(args) => resume::run(&args),
            Self::Retry(args) => retry::run(&args),
            Self::DeclareSuccess(args) => declare_success::run(&args),
            Self::Rollback(args) => rollback::run(&args),
            Self::Start(args) => start::run(&args),
            Self::Status(args) => status::run(&args),
            Self::Watch(args) => watch::run(&args),
            Self::Verify(args) => verify::run(&args),
            Self::Replay(args) => replay::run(&args),
        }
    }
}

/// How a verb ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Exit {
    /// Good: code 0.
    Good,
    /// A finding or a failed verdict: code 1.
    Finding,
    /// Wrong usage or unreadable input: code 2.
    Unusable,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Good => 0,
            Exit::Finding => 1,
            Exit::Unusable => 2,
        })
    }
}

fn main() -> ExitCode {
    let cli = Cli::parse(); // prints usage errors itself and ends with code 2
    start_logging();
    match cli.verb.run() {
        Ok(exit) => exit.into(),
        Err(error) => {
            output::complain(&format!("error: {error:#}"));
            Exit::Unusable.into()
        }
    }
}

/// Logs to standard error, as `GAPLESS_LOG` says (the syntax of tracing-subscriber's `EnvFilter`); warnings by default.
fn start_logging() {
    let filter = EnvFilter::try_from_env("GAPLESS_LOG").unwrap_or_else(|_| EnvFilter::new("warn"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
}
