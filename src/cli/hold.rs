//! `gapless hold`.

use gapless::engine::Intent;

use crate::{
    Exit,
    cluster::{Cluster, Scope},
    output, runtime,
};

/// Start nothing more in a run; what was ordered already is still watched
///
/// The order latches: `gapless resume` clears it.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The run
    run: String,
    #[command(flatten)]
    scope: Scope,
}

pub fn run(args: &Args) -> anyhow::Result<Exit> {
    runtime::block_on(async {
        let cluster = Cluster::connect(&args.scope).await?;
        let taken = cluster.order(&args.run, Intent::Hold, None).await?;
        output::print(&format!("hold of {}: {}\n", args.run, taken.words()))?;
        Ok(Exit::Good)
    })?
}
