//! `gapless schema`: the JSON schemas of what gapless reads and prints.

use clap::ValueEnum;

use crate::{Exit, output};

/// Print a JSON schema.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Of what.
    #[arg(value_enum)]
    of: Of,
}

/// What has a schema.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Of {
    /// The plan document.
    Plan,
}

pub fn run(args: &Args) -> anyhow::Result<Exit> {
    match args.of {
        Of::Plan => output::print_json(&gapless::plan::schema::file::<gapless::plan::spec::Document>())?,
    }
    Ok(Exit::Good)
}
