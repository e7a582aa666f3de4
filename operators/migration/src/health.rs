//! `/healthz`: the process runs. `/readyz`: it knows all runs, and is connected to the API server.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::Context as _;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// How long a caller may take. They are kubelets and answer at once.
const PATIENCE: Duration = Duration::from_secs(2);

/// How the process is.
#[derive(Debug, Clone, Default)]
pub struct Health(Arc<AtomicBool>);

impl Health {
    /// All runs are known.
    pub fn ready(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
    /// Runs may be missed.
    pub fn unready(&self) {
        self.0.store(false, Ordering::Relaxed);
    }
    /// Answers from now on.
    pub async fn serve(&self, at: SocketAddr) -> anyhow::Result<JoinHandle<()>> {
        let listener = TcpListener::bind(at).await.with_context(|| format!("health checks cannot be answered at {at}"))?;
        let ready = self.clone();
        Ok(tokio::spawn(async move {
            loop {
                match listener.accept().await {
                    Ok((stream, _)) => drop(tokio::spawn(tokio::time::timeout(PATIENCE, ready.clone().answer(stream)))),
                    Err(_) => tokio::time::sleep(Duration::from_millis(100)).await, // out of descriptors for a moment
                }
            }
        }))
    }
    /// One request, one answer. Only the first line is looked at.
    async fn answer(self, mut stream: TcpStream) -> std::io::Result<()> {
        let mut head = [0; 1024];
        let read = stream.read(&mut head).await?;
        let line = String::from_utf8_lossy(head.get(..read).unwrap_or_default()).into_owned();
        let (status, text) = match line.split(' ').nth(1) {
            Some("/healthz") => ("200 OK", "ok"),
            Some("/readyz") if self.0.load(Ordering::Relaxed) => ("200 OK", "ok"),
            Some("/readyz") => ("503 Service Unavailable", "the runs of the cluster are not known"),
            _ => ("404 Not Found", "there is /healthz and /readyz"),
        };
        let answer = format!(
            "HTTP/1.1 {status}\r\ncontent-type: text/plain\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{text}",
            text.len()
        );
        stream.write_all(answer.as_bytes()).await?;
        stream.shutdown().await
    }
}
