//! `gapless schema`: the JSON schemas of what gapless reads and prints.

use clap::ValueEnum;
use gapless::{
    explore::report::ExploreReport,
    lab::demo::Summary,
    plan::{reference, schema},
    preview::{Back, Preview},
    rehearse::RehearseReport,
    replay::report::ReplayReport,
    report::{findings::CheckReport, run::RunReport, status::StatusReport},
};

use crate::{Exit, output};

/// Print the JSON schema of what gapless reads or of what a verb prints with `-o json`
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Of what
    #[arg(value_enum)]
    of: Of,
    /// As a page for people instead: the plan language with every field, its default and its range
    #[arg(long)]
    markdown: bool,
}

/// What has a schema.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Of {
    /// The plan document
    Plan,
    /// The result of `gapless check -o json`
    Check,
    /// The result of `gapless demo -o json`
    Demo,
    /// The result of `gapless explore -o json`
    Explore,
    /// The result of `gapless preview -o json`
    Preview,
    /// The result of `gapless preview --at STEP -o json`
    PreviewAt,
    /// The result of `gapless rehearse -o json`
    Rehearse,
    /// The result of `gapless replay -o json`
    Replay,
    /// The result of `gapless run -o json`
    Run,
    /// The result of `gapless status -o json`
    Status,
}

pub fn run(args: &Args) -> anyhow::Result<Exit> {
    if args.markdown {
        anyhow::ensure!(matches!(args.of, Of::Plan), "`--markdown` is for the plan language: `gapless schema plan --markdown`");
        output::print(&reference::markdown())?;
        return Ok(Exit::Good);
    }
    let mut schema = match args.of {
        Of::Plan => schema::plan_file(),
        Of::Check => schema::printed::<CheckReport>(),
        Of::Demo => schema::printed::<Summary>(),
        Of::Explore => schema::printed::<ExploreReport>(),
        Of::Preview => schema::printed::<Preview>(),
        Of::PreviewAt => schema::printed::<Back>(),
        Of::Rehearse => schema::printed::<RehearseReport>(),
        Of::Replay => schema::printed::<ReplayReport>(),
        Of::Run => schema::printed::<RunReport>(),
        Of::Status => schema::printed::<StatusReport>(),
    };
    if let Some(map) = schema.as_object_mut() {
        map.shift_insert(0, "$schema".into(), "https://json-schema.org/draft/2020-12/schema".into());
    }
    output::print_json(&schema)?;
    Ok(Exit::Good)
}
