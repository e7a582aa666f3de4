//! `gapless retry`.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use anyhow::Context as _;
use gapless::{
    engine::retry::{NoRetry, attempts},
    plan::ServiceName,
};

use crate::{
    Exit,
    cluster::{Cluster, Order, Scope},
    directory, output, runtime,
};

/// Try services again that went back, as another attempt of the same run
///
/// Each begins at its first step once all of it is back. What it needs and its group go with it: name them too if they went
/// back. Once a rollback of the whole run was ordered, or the run has ended, a new attempt is a new run.
#[derive(Debug, clap::Args)]
#[command(override_usage = "gapless retry [OPTIONS] <RUN> <SERVICE>...\n       gapless retry --state <DIR> <SERVICE>...")]
pub struct Args {
    /// The run (not with --state), and the services
    #[arg(required = true, value_name = "RUN SERVICE")]
    names: Vec<String>,
    /// The state directory of a run without a cluster
    #[arg(long, value_name = "DIR", conflicts_with = "namespace")]
    state: Option<PathBuf>,
    #[command(flatten)]
    scope: Scope,
}

pub fn run(args: &Args) -> anyhow::Result<Exit> {
    if let Some(state) = &args.state {
        return directory::retry(state, &services(&args.names)?);
    }
    let (run, names) = args.names.split_first().context("name the run and a service of it")?;
    let services = services(names)?;
    if services.is_empty() {
        output::complain("error: name the services of the run that are to be tried again");
        return Ok(Exit::Unusable);
    }
    runtime::block_on(async {
        let cluster = Cluster::connect(&args.scope).await?;
        let found = cluster.run(run).await?;
        let attempts = match attempts(found.revision.plan(), &found.record, &services) {
            Ok(attempts) => attempts,
            Err(refused) => return Ok(refuse(&refused)),
        };
        let taken = cluster.order(run, Order::Retry(&attempts)).await?;
        output::print(&format!("retry of {run}: {}: {}\n", told(&attempts), taken.words()))?;
        Ok(Exit::Good)
    })?
}

fn services(names: &[String]) -> anyhow::Result<BTreeSet<ServiceName>> {
    let service = |name: &String| name.parse().with_context(|| format!("`{name}` is no name of a service"));
    names.iter().map(service).collect()
}

/// Says all that speaks against it.
pub fn refuse(refused: &[NoRetry]) -> Exit {
    refused.iter().for_each(|why| output::complain(&format!("error: {why}")));
    Exit::Finding
}

/// `pds (attempt 2), scr (attempt 3)`.
pub fn told(attempts: &BTreeMap<ServiceName, u32>) -> String {
    let told = attempts.iter().map(|(name, attempt)| format!("{name} (attempt {})", attempt.saturating_add(1)));
    told.collect::<Vec<_>>().join(", ")
}
