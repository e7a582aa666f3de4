//! A TCP relay that loses what a test wants lost.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// Passes everything on; while armed, the next answers to a `PUT` are swallowed and the connection closed.
pub struct Lossy {
    pub at: SocketAddr,
    lose: Arc<AtomicU32>,
    task: JoinHandle<()>,
}

impl Lossy {
    pub async fn before(upstream: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let lose = Arc::new(AtomicU32::new(0));
        let armed = lose.clone();
        let task = tokio::spawn(async move {
            let mut open = tokio::task::JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                open.spawn(relay(stream, upstream, armed.clone()));
            }
        });
        Self { at, lose, task }
    }
    /// The answers to so many `PUT`s get lost from now on.
    pub fn lose(&self, answers: u32) {
        self.lose.store(answers, Ordering::SeqCst);
    }
    pub fn left(&self) -> u32 {
        self.lose.load(Ordering::SeqCst)
    }
}
impl Drop for Lossy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn relay(mut client: TcpStream, upstream: SocketAddr, lose: Arc<AtomicU32>) {
    let mut server = TcpStream::connect(upstream).await.unwrap();
    let (mut up, mut down) = (vec![0; 65536], vec![0; 65536]);
    let mut putting = false;
    loop {
        tokio::select! {
            n = client.read(&mut up) => match n {
                Ok(n) if n > 0 => {
                    putting = up.starts_with(b"PUT ") || (putting && !up.starts_with(b"GET "));
                    if server.write_all(&up[..n]).await.is_err() { return }
                }
                _ => return,
            },
            n = server.read(&mut down) => match n {
                Ok(n) if n > 0 => {
                    if putting && lose.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok() {
                        return; // the router has done it, and nobody is told
                    }
                    if client.write_all(&down[..n]).await.is_err() { return }
                }
                _ => return,
            },
        }
    }
}
