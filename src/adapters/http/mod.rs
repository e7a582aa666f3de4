//! One small HTTP/1.1 client for probes, checks and routers.
//!
//! *Flow*: [`exchange`] connects, sends one request and reads the answer, all within one deadline; nothing is pooled and
//! nothing is tried again. [`Kept`] keeps one connection open for those who talk to one router all the time.
//! *Guarantees*: ends by its deadline; reads at most [`BODY_MAX`] bytes of a body; dropping the future closes the socket;
//! no task of its own for a single exchange; each failure says which of the few things that matter happened.
//! *Assumptions*: runs inside a tokio runtime with I/O and time.
//! *Caveats*: no TLS in this version. Names are resolved by the host's resolver, whose time counts towards the deadline.

mod address;
mod error;
mod kept;

use std::{
    future::{Future, poll_fn},
    net::SocketAddr,
    pin::pin,
    sync::atomic::{AtomicBool, Ordering},
    task::Poll,
    time::Duration,
};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{HeaderMap, Request, body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

pub use self::{
    address::{Address, BadAddress},
    error::{Fault, HttpError, Phase},
    kept::Kept,
};

/// So much of a body is read; the rest is left.
pub const BODY_MAX: usize = 64 * 1024;
/// The largest head of an answer. Bodies are read through the same buffer, piece by piece.
const HEAD_MAX: usize = 16 * 1024;

/// An answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Its status code.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
    /// The first [`BODY_MAX`] bytes of its body.
    pub body: Bytes,
    /// Whether that is all of it.
    pub extent: Extent,
}

/// How much of a body was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// All of it.
    Whole,
    /// The first [`BODY_MAX`] bytes.
    Beginning,
}

/// Connects to `to`, sends `request` and reads the answer, all within `within`. The request has a `Host` header and its
/// URI is path and query only.
pub async fn exchange(to: SocketAddr, request: Request<Full<Bytes>>, within: Duration) -> Result<Answer, HttpError> {
    let progress = Progress::connecting();
    let work = async {
        let stream = connect(to).await?;
        progress.waits();
        on_fresh(stream, request).await
    };
    deadline(within, &progress, work).await
}

/// Connects to `to` and closes again: whether somebody listens there.
pub async fn knock(to: SocketAddr, within: Duration) -> Result<(), HttpError> {
    let progress = Progress::connecting();
    deadline(within, &progress, async { connect(to).await.map(drop) }).await
}

/// Like [`exchange`] for an address that may be a name; the addresses of a name are tried one after another until one
/// accepts the connection.
pub async fn exchange_at(address: &Address, request: Request<Full<Bytes>>, within: Duration) -> Result<Answer, HttpError> {
    let progress = Progress::connecting();
    let work = async {
        let stream = connect_at(address).await?;
        progress.waits();
        on_fresh(stream, request).await
    };
    deadline(within, &progress, work).await
}

async fn connect(to: SocketAddr) -> Result<TcpStream, HttpError> {
    let stream = TcpStream::connect(to).await.map_err(|error| HttpError::connecting(&error))?;
    // Without this the last piece of a request may wait for an acknowledgement. Not having it costs time only.
    let _ = stream.set_nodelay(true);
    Ok(stream)
}

async fn connect_at(address: &Address) -> Result<TcpStream, HttpError> {
    let mut last = HttpError::Unresolved(format!("{} has no address", address.host()));
    for to in address.resolve().await? {
        match connect(to).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// How far an exchange is, for the sentence about its deadline.
struct Progress(AtomicBool);
impl Progress {
    fn connecting() -> Self {
        Self(AtomicBool::new(false))
    }
    fn waits(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
    fn phase(&self) -> Phase {
        if self.0.load(Ordering::Relaxed) { Phase::Waiting } else { Phase::Connecting }
    }
}

async fn deadline<T>(
    within: Duration,
    progress: &Progress,
    work: impl Future<Output = Result<T, HttpError>>,
) -> Result<T, HttpError> {
    match tokio::time::timeout(within, work).await {
        Ok(result) => result,
        Err(_) => Err(HttpError::Timeout { within, phase: progress.phase() }),
    }
}

fn builder() -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder.max_buf_size(HEAD_MAX).max_headers(100);
    builder
}

/// Sends one request over a new connection and drives the connection in the same task, so that dropping this future
/// closes the socket and leaves nothing behind.
async fn on_fresh(stream: TcpStream, request: Request<Full<Bytes>>) -> Result<Answer, HttpError> {
    let (mut sender, connection) = builder().handshake(TokioIo::new(stream)).await.map_err(|e| HttpError::speaking(&e))?;
    let talk = async {
        let response = sender.send_request(request).await.map_err(|e| HttpError::speaking(&e))?;
        read(response).await
    };
    let (mut talk, mut connection) = (pin!(talk), pin!(connection));
    let mut driving = true;
    poll_fn(move |cx| {
        if let Poll::Ready(answer) = talk.as_mut().poll(cx) {
            return Poll::Ready(answer);
        }
        if driving && connection.as_mut().poll(cx).is_ready() {
            driving = false; // how it ended is told to whoever waits for the answer
        }
        talk.as_mut().poll(cx)
    })
    .await
}

async fn read(response: hyper::Response<Incoming>) -> Result<Answer, HttpError> {
    let (head, mut incoming) = response.into_parts();
    let mut body = Vec::new();
    let mut extent = Extent::Whole;
    while let Some(frame) = incoming.frame().await {
        let Ok(data) = frame.map_err(|e| HttpError::speaking(&e))?.into_data() else { continue };
        let room = BODY_MAX.saturating_sub(body.len());
        body.extend_from_slice(data.get(..room).unwrap_or(&data));
        if data.len() > room {
            extent = Extent::Beginning;
            break;
        }
    }
    Ok(Answer { status: head.status.as_u16(), headers: head.headers, body: body.into(), extent })
}
