//! `gapless hold`.

use gapless::engine::Intent;

use crate::{
    Exit,
    cluster::{Cluster, Order},
    directory, output, runtime,
    which::{Place, Which},
};

/// Start nothing more in a run; what was ordered already is still watched
///
/// The order latches: `gapless resume` clears it.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    which: Which,
}

pub fn run(args: &Args) -> anyhow::Result<Exit> {
    let (scope, run) = match args.which.place() {
        Place::Directory(state) => return directory::hold(state),
        Place::Cluster(scope, run) => (scope, run),
    };
    runtime::block_on(async {
        let cluster = Cluster::connect(scope).await?;
        let taken = cluster.order(run, Order::Intent(Intent::Hold)).await?;
        output::print(&format!("hold of {run}: {}\n", taken.words()))?;
        Ok(Exit::Good)
    })?
}
