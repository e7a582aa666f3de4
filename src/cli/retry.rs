//! `gapless retry`.

use gapless::engine::retry::{NoRetry, attempts};

use crate::{
    Exit,
    chosen::{Asked, Attempts, Chosen},
    cluster::Order,
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
    args.chosen.order(&Asked::<NoRetry> {
        attempts,
        order: |attempts| Order::Retry(attempts),
        add: |orders, attempts| orders.retries.extend(attempts.clone()),
        in_cluster: |run, attempts| format!("retry of {run}: {}", told(attempts)),
        in_directory: |attempts| format!("retry: {}, as soon as all of it is back", told(attempts)),
    })
}

/// `pds (attempt 2), scr (attempt 3)`.
fn told(attempts: &Attempts) -> String {
    let told = attempts.iter().map(|(name, attempt)| format!("{name} (attempt {})", attempt.saturating_add(1)));
    told.collect::<Vec<_>>().join(", ")
}
