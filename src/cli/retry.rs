//! `gapless retry`.

use std::collections::BTreeMap;

use gapless::{engine::retry::attempts, plan::ServiceName};

use crate::{
    Exit,
    chosen::{Chosen, Of},
    cluster::{Cluster, Order},
    directory, output, runtime,
};

/// Try services again that went back, as another attempt of the same run
///
/// Each begins at its first step once all of it is back. What it needs and its group go with it: name them too if they went
/// back. Once a rollback of the whole run was ordered, or the run has ended, a new attempt is a new run.
#[derive(Debug, clap::Args)]
#[command(override_usage = "gapless retry [OPTIONS] <RUN> <SERVICE>...\n       gapless retry --state <DIR> <SERVICE>...")]
pub struct Args {
    #[command(flatten)]
    chosen: Chosen,
}

pub fn run(args: &Args) -> anyhow::Result<Exit> {
    let (of, services) = args.chosen.read()?;
    let (scope, run) = match of {
        Of::Directory(state) => return directory::retry(state, &services),
        Of::Cluster(scope, run) => (scope, run),
    };
    runtime::block_on(async {
        let cluster = Cluster::connect(scope).await?;
        let found = cluster.run(run).await?;
        let attempts = match attempts(found.revision.plan(), &found.record, &services) {
            Ok(attempts) => attempts,
            Err(refused) => return Ok(output::refuse(&refused)),
        };
        let taken = cluster.order(run, Order::Retry(&attempts)).await?;
        output::print(&format!("retry of {run}: {}: {}\n", told(&attempts), taken.words()))?;
        Ok(Exit::Good)
    })?
}

/// `pds (attempt 2), scr (attempt 3)`.
pub fn told(attempts: &BTreeMap<ServiceName, u32>) -> String {
    let told = attempts.iter().map(|(name, attempt)| format!("{name} (attempt {})", attempt.saturating_add(1)));
    told.collect::<Vec<_>>().join(", ")
}
