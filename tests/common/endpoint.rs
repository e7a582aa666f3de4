//! A real HTTP server on loopback that behaves as badly as a test asks for.
#![allow(dead_code, reason = "not every test uses all of it")]

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// What an endpoint does with the next requests.
#[derive(Debug, Clone, PartialEq)]
pub enum Manner {
    /// Answers with this status and body.
    Answers(u16, &'static str),
    /// Answers 200 after so long.
    Slow(Duration),
    /// Accepts, reads, and never answers.
    Hangs,
    /// Promises a body and closes in the middle of it.
    DiesMidStream,
    /// Says something that is not HTTP.
    Babbles,
    /// Sends a body without end.
    Endless,
    /// These bytes, one after another for request after request, and again from the first.
    Turns(Vec<String>),
}

/// One endpoint. Dropping it closes its port and all its connections.
pub struct Endpoint {
    pub at: SocketAddr,
    manner: Arc<Mutex<Manner>>,
    log: Arc<Mutex<Vec<Seen>>>,
    task: JoinHandle<()>,
}

/// One request as it was seen.
#[derive(Debug, Clone)]
pub struct Seen {
    pub at: Instant,
    /// When the last byte of the answer was handed to the socket.
    pub answered: Option<Instant>,
    pub head: String,
    /// The status that was answered, 0 if none.
    pub status: u16,
}

impl Endpoint {
    pub async fn start(manner: Manner) -> Self {
        Self::start_at("127.0.0.1:0".parse().unwrap(), manner).await
    }

    pub async fn start_at(at: SocketAddr, manner: Manner) -> Self {
        let listener = TcpListener::bind(at).await.unwrap();
        let at = listener.local_addr().unwrap();
        let manner = Arc::new(Mutex::new(manner));
        let log = Arc::new(Mutex::new(Vec::new()));
        let (m, l) = (manner.clone(), log.clone());
        let task = tokio::spawn(async move {
            let mut open = tokio::task::JoinSet::new();
            loop {
                let Ok((stream, _)) = listener.accept().await else { continue };
                while open.try_join_next().is_some() {}
                open.spawn(serve(stream, m.clone(), l.clone()));
            }
        });
        Self { at, manner, log, task }
    }

    pub fn becomes(&self, manner: Manner) {
        *self.manner.lock().unwrap() = manner;
    }

    pub fn requests(&self) -> Vec<Seen> {
        self.log.lock().unwrap().clone()
    }
}
impl Drop for Endpoint {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(mut stream: TcpStream, manner: Arc<Mutex<Manner>>, log: Arc<Mutex<Vec<Seen>>>) {
    stream.set_nodelay(true).unwrap();
    let mut head = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        while !head.windows(4).any(|w| w == b"\r\n\r\n") {
            match stream.read(&mut buffer).await {
                Ok(0) | Err(_) => return,
                Ok(n) => head.extend_from_slice(&buffer[..n]),
            }
        }
        let seen = Seen { at: Instant::now(), answered: None, head: String::from_utf8_lossy(&head).into_owned(), status: 0 };
        let number = {
            let mut log = log.lock().unwrap();
            log.push(seen);
            log.len() - 1
        };
        head.clear();
        let manner = manner.lock().unwrap().clone();
        if let Manner::Answers(status, _) = manner {
            log.lock().unwrap()[number].status = status;
        }
        match manner {
            Manner::Answers(status, body) => answer(&mut stream, status, body).await,
            Manner::Slow(delay) => {
                tokio::time::sleep(delay).await;
                answer(&mut stream, 200, "slow").await;
            }
            Manner::Hangs => std::future::pending().await,
            Manner::DiesMidStream => {
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf").await;
                return;
            }
            Manner::Babbles => {
                let _ = stream.write_all(b"SSH-2.0-OpenSSH_9.2\r\n\r\n").await;
            }
            Manner::Turns(answers) => {
                let _ = stream.write_all(answers[number % answers.len()].as_bytes()).await;
            }
            Manner::Endless => {
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await;
                let chunk = format!("400\r\n{}\r\n", "x".repeat(0x400));
                while stream.write_all(chunk.as_bytes()).await.is_ok() {}
                return;
            }
        }
        log.lock().unwrap()[number].answered = Some(Instant::now());
    }
}

async fn answer(stream: &mut TcpStream, status: u16, body: &str) {
    let text = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    let _ = stream.write_all(text.as_bytes()).await;
}

/// An answer with this body and these header lines.
pub fn raw(headers: &str, body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\n{headers}content-length: {}\r\n\r\n{body}", body.len())
}

/// A port on loopback at which nobody listens.
pub async fn closed_port() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}
