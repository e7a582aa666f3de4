//! The async runtime, made only by the verbs that need one.

use std::future::Future;

use anyhow::Context as _;

/// Runs `future` to its end on a runtime of its own.
#[allow(dead_code, reason = "verbs that reach the network use it")]
pub fn block_on<F: Future>(future: F) -> anyhow::Result<F::Output> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("no async runtime can be started")?;
    Ok(runtime.block_on(future))
}
