//! `gapless hold`.

use std::path::PathBuf;

use gapless::engine::Intent;

use crate::{
    Exit,
    cluster::{Cluster, Scope},
    directory, output, runtime,
};

/// Start nothing more in a run; what was ordered already is still watched
///
/// The order latches: `gapless resume` clears it.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The run
    #[arg(required_unless_present = "state")]
    run: Option<String>,
    /// The state directory of a run without a cluster
    #[arg(long, value_name = "DIR", conflicts_with_all = ["run", "namespace"])]
    state: Option<PathBuf>,
    #[command(flatten)]
    scope: Scope,
}

pub fn run(args: &Args) -> anyhow::Result<Exit> {
    if let Some(state) = &args.state {
        return directory::hold(state);
    }
    let run = args.run.as_deref().unwrap_or_default(); // there is one: clap saw to it
    runtime::block_on(async {
        let cluster = Cluster::connect(&args.scope).await?;
        let taken = cluster.order(run, Intent::Hold, None).await?;
        output::print(&format!("hold of {}: {}\n", run, taken.words()))?;
        Ok(Exit::Good)
    })?
}
