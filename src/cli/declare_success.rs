//! `gapless declare-success`.

use std::collections::BTreeMap;

use gapless::{engine::soak::declared, plan::ServiceName};

use crate::{
    Exit,
    chosen::{Chosen, Of},
    cluster::{Cluster, Order},
    directory, output, runtime,
};

/// Declare the soak of services over before its time
///
/// A service that soaks can go back at any moment; with its soak that ends. So its guards must be quiet all the same, and what
/// it needs must be past its soak. It speaks of the attempt that soaks now, not of a later one.
#[derive(Debug, clap::Args)]
#[command(
    override_usage = "gapless declare-success [OPTIONS] <RUN> <SERVICE>...\n       gapless declare-success --state <DIR> <SERVICE>..."
)]
pub struct Args {
    #[command(flatten)]
    chosen: Chosen,
}

pub fn run(args: &Args) -> anyhow::Result<Exit> {
    let (of, services) = args.chosen.read()?;
    let (scope, run) = match of {
        Of::Directory(state) => return directory::declare_success(state, &services),
        Of::Cluster(scope, run) => (scope, run),
    };
    runtime::block_on(async {
        let cluster = Cluster::connect(scope).await?;
        let found = cluster.run(run).await?;
        let attempts = match declared(found.revision.plan(), &found.record, &services) {
            Ok(attempts) => attempts,
            Err(refused) => return Ok(output::refuse(&refused)),
        };
        let taken = cluster.order(run, Order::Declare(&attempts)).await?;
        output::print(&format!("the soak of {} in {run} is declared over: {}\n", told(&attempts), taken.words()))?;
        Ok(Exit::Good)
    })?
}

/// `pds, scr`.
pub fn told(attempts: &BTreeMap<ServiceName, u32>) -> String {
    attempts.keys().map(ServiceName::as_str).collect::<Vec<_>>().join(", ")
}
