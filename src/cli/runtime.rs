//! The async runtime, made only by the verbs that need one.

use std::future::Future;

use anyhow::Context as _;

/// Runs `future` to its end on a runtime of its own.
pub fn block_on<F: Future>(future: F) -> anyhow::Result<F::Output> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("no async runtime can be started")?;
    Ok(runtime.block_on(future))
}

/// Returns when somebody presses Ctrl-C or asks this process to end.
pub async fn interrupted() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else { return std::future::pending().await };
    tokio::select! {
        asked = tokio::signal::ctrl_c() => if asked.is_err() { std::future::pending().await },
        _ = terminate.recv() => {}
    }
}
