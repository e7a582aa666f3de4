//! Which run an order is for: one in the cluster, or one in a state directory.

use std::path::{Path, PathBuf};

use crate::cluster::Scope;

/// The arguments that name a run.
#[derive(Debug, clap::Args)]
pub struct Which {
    /// The run
    #[arg(required_unless_present = "state")]
    run: Option<String>,
    /// The state directory of a run without a cluster
    #[arg(long, value_name = "DIR", conflicts_with_all = ["run", "namespace"])]
    state: Option<PathBuf>,
    #[command(flatten)]
    scope: Scope,
}

/// Where the run is.
pub enum Place<'a> {
    /// In a state directory.
    Directory(&'a Path),
    /// In the cluster, under this name.
    Cluster(&'a Scope, &'a str),
}

impl Which {
    /// Where the run is.
    pub fn place(&self) -> Place<'_> {
        match &self.state {
            Some(state) => Place::Directory(state),
            None => Place::Cluster(&self.scope, self.run.as_deref().unwrap_or_default()), // there is one: clap saw to it
        }
    }
}
