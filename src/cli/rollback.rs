//! `gapless rollback`.

use gapless::engine::Intent;

use crate::{
    Exit,
    cluster::{Cluster, Scope},
    output, runtime,
};

/// Take a run back: everything it moved returns to legacy, dependents first
///
/// The order latches and nothing clears it: a new attempt is a new run.
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
        let taken = cluster.order(&args.run, Intent::Rollback, None).await?;
        output::print(&format!("rollback of {}: {}\n", args.run, taken.words()))?;
        Ok(Exit::Good)
    })?
}
