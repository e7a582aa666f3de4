//! `gapless crds`: the custom resource definitions.

use crate::{Exit, output};

/// Print the custom resource definitions as YAML, for `kubectl apply --server-side -f -`.
#[derive(Debug, clap::Args)]
pub struct Args {}

pub fn run(_: &Args) -> anyhow::Result<Exit> {
    let text = gapless::kubernetes::definitions::definitions_yaml().map_err(|error| anyhow::anyhow!(error))?;
    output::print(&text)?;
    Ok(Exit::Good)
}
