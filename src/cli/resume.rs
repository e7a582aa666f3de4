//! `gapless resume`.

use gapless::engine::{Intent, LatchKind, Record};

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
        let newest = newest_hold(&found.record);
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

/// The highest number of a hold in a record.
pub fn newest_hold(record: &Record) -> Option<u64> {
    let services = record.services.values().filter_map(|state| state.hold.as_ref()).map(|hold| hold.id);
    let latch = record.latch.as_ref().filter(|latch| latch.kind == LatchKind::Hold).map(|latch| latch.id);
    services.chain(latch).max()
}
