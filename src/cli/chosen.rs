//! Which services of which run: what the verbs share that speak of some services only.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use gapless::plan::ServiceName;

use crate::cluster::Scope;

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

/// Where the run is.
#[derive(Debug, Clone, Copy)]
pub enum Of<'a> {
    Directory(&'a Path),
    Cluster(&'a Scope, &'a str),
}

impl Chosen {
    /// The run, and at least one service.
    ///
    /// # Errors
    /// No service is named, or something that is no name.
    pub fn read(&self) -> anyhow::Result<(Of<'_>, BTreeSet<ServiceName>)> {
        let (of, names) = match (&self.state, self.names.split_first()) {
            (Some(state), _) => (Of::Directory(state), self.names.as_slice()),
            (None, Some((run, names))) => (Of::Cluster(&self.scope, run), names),
            (None, None) => (Of::Cluster(&self.scope, ""), [].as_slice()),
        };
        let service = |name: &String| name.parse().with_context(|| format!("`{name}` is no name of a service"));
        let services = names.iter().map(service).collect::<anyhow::Result<BTreeSet<_>>>()?;
        anyhow::ensure!(!services.is_empty(), "name the run and at least one service of it");
        Ok((of, services))
    }
}
