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

/// Returns when standard input is closed, as it is when the program dies that holds the other end.
pub async fn stdin_closed() {
    let (tell, told) = tokio::sync::oneshot::channel();
    // A thread of its own, which nobody waits for: a read that blocks would keep the runtime from ending.
    let reader = std::thread::Builder::new().name("stdin".to_owned()).spawn(move || {
        let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink()); // an error is an end as well
        let _ = tell.send(()); // whoever waited may be gone
    });
    if reader.is_err() || told.await.is_err() {
        std::future::pending().await
    }
}
