//! What the environment says, all of it optional.

use std::{net::SocketAddr, path::PathBuf};

use anyhow::Context as _;

/// The operator's settings.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `GAPLESS_NAMESPACE`: the only namespace to be looked at. Default: all.
    pub namespace: Option<String>,
    /// `GAPLESS_JOURNALS`: the directory for the journals of runs. Default: they go to the log only.
    pub journals: Option<PathBuf>,
    /// `GAPLESS_HEALTH`: where `/healthz` and `/readyz` answer. Default: `0.0.0.0:8081`.
    pub health: SocketAddr,
    /// `HOSTNAME`: this process's name in Events.
    pub instance: String,
}

impl Settings {
    /// Reads them.
    pub fn from_environment() -> anyhow::Result<Self> {
        let text = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let health = text("GAPLESS_HEALTH").unwrap_or_else(|| "0.0.0.0:8081".into());
        Ok(Self {
            namespace: text("GAPLESS_NAMESPACE"),
            journals: text("GAPLESS_JOURNALS").map(PathBuf::from),
            health: health
                .parse()
                .with_context(|| format!("GAPLESS_HEALTH is `{health}`, and has to be an address and a port"))?,
            instance: text("HOSTNAME").unwrap_or_else(|| "gapless-operator".into()),
        })
    }
}
