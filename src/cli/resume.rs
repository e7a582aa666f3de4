//! `gapless resume`.

use gapless::engine::{Intent, LatchKind, Record};

use crate::{
    Exit,
    cluster::{Cluster, Scope},
    output, runtime,
};

/// Let a run that holds go on
///
/// Clears every hold that there is now; one that comes later is another one.
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
        let run = cluster.run(&args.run).await?;
        let newest = newest_hold(&run.record);
        if newest.is_none() && run.object.spec.intent != Intent::Hold {
            output::print(&format!("{} does not hold\n", args.run))?;
            return Ok(Exit::Finding);
        }
        let taken = cluster.order(&args.run, Intent::Run, newest).await?;
        output::print(&format!("resume of {}: {}\n", args.run, taken.words()))?;
        Ok(Exit::Good)
    })?
}

/// The highest number of a hold in a record.
pub fn newest_hold(record: &Record) -> Option<u64> {
    let services = record.services.values().filter_map(|state| state.hold.as_ref()).map(|hold| hold.id);
    let latch = record.latch.as_ref().filter(|latch| latch.kind == LatchKind::Hold).map(|latch| latch.id);
    services.chain(latch).max()
}
