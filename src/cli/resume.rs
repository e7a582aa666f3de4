//! `gapless resume`.

use std::path::PathBuf;

use gapless::engine::{Intent, LatchKind, Record};

use crate::{
    Exit,
    cluster::{Cluster, Scope},
    directory, output, runtime,
};

/// Let a run that holds go on
///
/// Clears every hold that there is now; one that comes later is another one.
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
        return directory::resume(state);
    }
    let run = args.run.as_deref().unwrap_or_default(); // there is one: clap saw to it
    runtime::block_on(async {
        let cluster = Cluster::connect(&args.scope).await?;
        let found = cluster.run(run).await?;
        let newest = newest_hold(&found.record);
        if newest.is_none() && found.object.spec.intent != Intent::Hold {
            output::print(&format!("{} does not hold\n", run))?;
            return Ok(Exit::Finding);
        }
        let taken = cluster.order(run, Intent::Run, newest).await?;
        output::print(&format!("resume of {}: {}\n", run, taken.words()))?;
        Ok(Exit::Good)
    })?
}

/// The highest number of a hold in a record.
pub fn newest_hold(record: &Record) -> Option<u64> {
    let services = record.services.values().filter_map(|state| state.hold.as_ref()).map(|hold| hold.id);
    let latch = record.latch.as_ref().filter(|latch| latch.kind == LatchKind::Hold).map(|latch| latch.id);
    services.chain(latch).max()
}
