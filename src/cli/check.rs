//! `gapless check`: all findings of a plan at once.

use std::path::PathBuf;

use crate::{Exit, output::Output};

/// Check plans and say everything that is wrong with them at once.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The plan files; `-` is standard input.
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    output: Output,
}

pub fn run(args: &Args) -> anyhow::Result<Exit> {
    anyhow::bail!("check of {} files as {:?} is not in this build yet", args.files.len(), args.output.format)
}
