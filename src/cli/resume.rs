//! `gapless resume`.

use gapless::engine::Intent;

use crate::{
    Exit,
    cluster::{Cluster, Order},
    directory, output, runtime,
    which::{Place, Which},
};

/// Let a run that holds go on
///
/// Clears every hold that there is now, on the way back too, and has done again what failed; a hold that comes later is another one.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    which: Which,
}

pub fn run(args: &Args) -> anyhow::Result<Exit> {
    let (scope, run) = match args.which.place() {
        Place::Directory(state) => return directory::resume(state),
        Place::Cluster(scope, run) => (scope, run),
    };
    runtime::block_on(async {
        let cluster = Cluster::connect(scope).await?;
        let found = cluster.run(run).await?;
        let newest = found.record.newest_hold();
        if newest.is_none() && found.object.spec.intent != Intent::Hold {
            output::print(&format!("{run} does not hold\n"))?;
            return Ok(Exit::Finding);
        }
        let taken = cluster.order(run, Order::Resume(newest, resumed(found.object.spec.intent))).await?;
        output::print(&format!("resume of {run}: {}\n", taken.words()))?;
        Ok(Exit::Good)
    })?
}

/// What a run is to do once it was resumed: a rollback that was ordered goes on.
pub fn resumed(intent: Intent) -> Intent {
    match intent {
        Intent::Rollback => Intent::Rollback,
        Intent::Run | Intent::Hold => Intent::Run,
    }
}
