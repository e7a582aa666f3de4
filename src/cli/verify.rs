//! `gapless verify`: whether a journal is what was written.

use std::path::PathBuf;

use gapless::{adapters::file_store, ports::StoreError};

use crate::{Exit, output};

/// Verify the journal of a state directory, every line of it, up to the one that its record rests on
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The directory of the run
    #[arg(long, value_name = "DIR")]
    state: PathBuf,
}

pub fn run(args: &Args) -> anyhow::Result<Exit> {
    match file_store::verify(&args.state) {
        Ok((record, verified)) => {
            let tail = match verified.orphaned {
                0 => String::new(),
                bytes => format!("; {bytes} bytes after them rest on nothing and will be written over"),
            };
            output::print(&format!("the journal of run {} holds: {} lines{tail}\n", record.run, verified.lines))?;
            Ok(Exit::Good)
        }
        Err(StoreError::Broken(what)) => {
            output::complain(&format!("error: {what}"));
            Ok(Exit::Finding)
        }
        Err(error) => Err(error.into()),
    }
}
