//! The operator: drives every live `MigrationRun` of the cluster, and says what it finds in every `MigrationPlan`.
//!
//! *Flow*: [`controller`] watches both kinds; each live run gets a task ([`run`]) in which the one loop drives it; plans are
//! checked when they change, each by a process of its own ([`plans`]). *Guarantees*: nothing is decided here; two of these processes at once are safe,
//! because records are written by compare-and-swap and routes by patches that test what they rest on. *Caveats*: there is
//! no leader election in this version; the chart runs one replica and replaces it by stopping it first.

mod controller;
mod events;
mod health;
mod outage;
mod plans;
mod run;
mod settings;

use std::{process::ExitCode, sync::Arc};

use anyhow::Context as _;
use gapless::kubernetes::{api::Api, permissions::OPERATOR};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use crate::{controller::Controller, events::Events, health::Health, run::Shared, settings::Settings};

fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .json()
        .with_env_filter(filter(std::env::var("GAPLESS_LOG").ok()))
        .with_writer(std::io::stderr)
        .init();
    if std::env::args().nth(1).as_deref() == Some(plans::JUDGE) {
        return ended(plans::judge_one(std::io::stdin().lock(), std::io::stdout().lock()));
    }
    // Two workers: while one reads a long list, the other still hears a probe fail.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    ended(runtime.context("no async runtime can be started").and_then(|runtime| runtime.block_on(operate())))
}

fn ended(how: anyhow::Result<()>) -> ExitCode {
    match how {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error = format!("{error:#}"), "this process cannot go on");
            ExitCode::FAILURE
        }
    }
}

/// What is logged: as `GAPLESS_LOG` says. The client library warns of every watch whose connection ends; what that means for
/// a run is said by us, in words. `GAPLESS_LOG=info,kube_client=warn` shows them again.
fn filter(asked: Option<String>) -> EnvFilter {
    let asked = asked.filter(|text| !text.is_empty() && EnvFilter::try_new(text).is_ok()).unwrap_or_else(|| "info".to_owned());
    match asked.contains("kube_client") {
        true => EnvFilter::new(asked),
        false => EnvFilter::new(format!("{asked},kube_client=error")),
    }
}

async fn operate() -> anyhow::Result<()> {
    let settings = Settings::from_environment()?;
    let (api, _) = Api::from_environment().await?;
    let api = api.only(OPERATOR);
    let health = Health::default();
    let serving = health.serve(settings.health).await?;
    let events = Events::start(api.clone(), settings.instance.clone());
    let used = api.clone();
    let shared = Arc::new(Shared { api, events, journals: settings.journals.clone() });
    let mut terminated = signal(SignalKind::terminate()).context("SIGTERM cannot be heard")?;
    let mut interrupted = signal(SignalKind::interrupt()).context("SIGINT cannot be heard")?;
    tracing::info!(version = env!("CARGO_PKG_VERSION"), namespace = settings.namespace.as_deref().unwrap_or("all"), "started");
    let mut controller = Controller::new(shared, health, settings.namespace);
    tokio::select! {
        () = controller.watch() => {}
        _ = terminated.recv() => {}
        _ = interrupted.recv() => {}
    }
    tracing::info!("stopping between two rounds of every run");
    controller.stop().await;
    let used: Vec<String> = used.used().iter().map(ToString::to_string).collect();
    tracing::info!(used = used.join(", "), "permissions that were used");
    serving.abort();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::filter;

    #[test]
    fn the_client_librarys_warnings_are_shown_to_whoever_asks_for_them() {
        let of = |asked: Option<&str>| filter(asked.map(str::to_owned)).to_string();
        for quiet in [None, Some(""), Some("info"), Some("not=a=filter")] {
            assert_eq!(of(quiet), "kube_client=error,info", "{quiet:?}");
        }
        assert_eq!(of(Some("debug,kube_client=warn")), "kube_client=warn,debug");
    }
}
