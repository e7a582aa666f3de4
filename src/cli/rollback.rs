//! `gapless rollback`.

use gapless::engine::Intent;

use crate::{
    Exit,
    cluster::{Cluster, Order},
    directory, output, runtime,
    which::{Place, Which},
};

/// Take a run back: everything it moved returns to legacy, dependents first
///
/// The order latches and nothing clears it: a new attempt is a new run.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    which: Which,
}

pub fn run(args: &Args) -> anyhow::Result<Exit> {
    let (scope, run) = match args.which.place() {
        Place::Directory(state) => return directory::roll_back(state),
        Place::Cluster(scope, run) => (scope, run),
    };
    runtime::block_on(async {
        let cluster = Cluster::connect(scope).await?;
        let taken = cluster.order(run, Order::Intent(Intent::Rollback)).await?;
        output::print(&format!("rollback of {run}: {}\n", taken.words()))?;
        Ok(Exit::Good)
    })?
}
