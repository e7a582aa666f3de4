//! Orders about attempts of some services: which services of which run, and how the order is given there.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    path::PathBuf,
};

use anyhow::Context as _;
use gapless::{
    engine::{Orders, Record},
    plan::{Plan, ServiceName},
};

use crate::{
    Exit,
    cluster::{Cluster, Order, Scope},
    directory, output, runtime,
};

/// Services, each with the attempt that an order speaks of.
pub type Attempts = BTreeMap<ServiceName, u32>;

/// The attempts that these services would be ordered for, or all that speaks against it.
type Find<E> = fn(&Plan, &Record, &BTreeSet<ServiceName>) -> Result<Attempts, Vec<E>>;

/// An order about attempts, in a cluster and in a state directory.
pub struct Asked<E> {
    /// For which attempts it would be.
    pub attempts: Find<E>,
    /// The order in a cluster.
    pub order: for<'a> fn(&'a Attempts) -> Order<'a>,
    /// Adds it to the orders of a state directory.
    pub add: fn(&mut Orders, &Attempts),
    /// What was ordered of this run, for people in a cluster.
    pub in_cluster: fn(&str, &Attempts) -> String,
    /// What was ordered, for people at a state directory.
    pub in_directory: fn(&Attempts) -> String,
}

/// A run and services of it.
#[derive(Debug, clap::Args)]
pub struct Chosen {
    /// The run (not with --state), and the services
    #[arg(required = true, value_name = "RUN SERVICE")]
    names: Vec<String>,
    /// The state directory of a run without a cluster
    #[arg(long, value_name = "DIR", conflicts_with = "namespace")]
    state: Option<PathBuf>,
    #[command(flatten)]
    scope: Scope,
}

impl Chosen {
    /// Gives the order, if nothing speaks against it.
    pub fn order<E: fmt::Display>(&self, asked: &Asked<E>) -> anyhow::Result<Exit> {
        if let Some(state) = &self.state {
            return directory::attempts(state, &services(&self.names)?, asked);
        }
        let (run, names) = self.names.split_first().context("name the run and a service of it")?;
        let services = services(names)?;
        runtime::block_on(async {
            let cluster = Cluster::connect(&self.scope).await?;
            let found = cluster.run(run).await?;
            let attempts = match (asked.attempts)(found.revision.plan(), &found.record, &services) {
                Ok(attempts) => attempts,
                Err(refused) => return Ok(output::refuse(&refused)),
            };
            let taken = cluster.order(run, (asked.order)(&attempts)).await?;
            output::print(&format!("{}: {}\n", (asked.in_cluster)(run, &attempts), taken.words()))?;
            Ok(Exit::Good)
        })?
    }
}

/// At least one service.
fn services(names: &[String]) -> anyhow::Result<BTreeSet<ServiceName>> {
    anyhow::ensure!(!names.is_empty(), "name the run and at least one service of it");
    names.iter().map(|name| Ok(name.parse()?)).collect()
}
