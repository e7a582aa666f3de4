//! An HTTP/1.1 server on loopback that can be killed and brought back on the same port.

use std::{
    future::Future,
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use bytes::Bytes;
use http_body_util::{BodyExt, Full, combinators::BoxBody};
use hyper::{Request, Response, StatusCode, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Mutex, watch},
    task::{JoinHandle, JoinSet},
};

/// An error while a body is passed on.
pub(super) type BodyError = Box<dyn std::error::Error + Send + Sync>;
/// An answer of a lab server.
pub(super) type Answer = Response<BoxBody<Bytes, BodyError>>;

/// What answers requests.
pub(super) trait Handler: Send + Sync + 'static {
    /// Answers one.
    fn answer(self: Arc<Self>, request: Request<Incoming>) -> impl Future<Output = Answer> + Send;
}

/// An answer with this body.
pub(super) fn answer(status: StatusCode, body: impl Into<Bytes>) -> Answer {
    let body = Full::new(body.into()).map_err(|never| match never {}).boxed();
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response
}

/// A server. Dropped, it closes everything.
#[derive(Debug)]
pub(super) struct Server<H> {
    handler: Arc<H>,
    address: SocketAddr,
    life: Mutex<Option<Life>>,
}

/// From coming up to going down.
#[derive(Debug)]
struct Life {
    end: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl<H: Handler> Server<H> {
    /// Listens on a port of 127.0.0.1 that the operating system chooses.
    pub(super) async fn start(handler: Arc<H>) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let life = Mutex::new(Some(Life::begin(listener, handler.clone())));
        Ok(Self { handler, address, life })
    }

    /// What answers.
    pub(super) fn handler(&self) -> &H {
        &self.handler
    }

    /// Where it listens.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Closes the listener and resets every connection, as when a host's process is killed. Nothing listens any more when
    /// this returns.
    pub(super) async fn down(&self) {
        if let Some(mut life) = self.life.lock().await.take() {
            let _ = life.end.send(true); // it may have ended by itself
            let _ = (&mut life.task).await;
        }
    }

    /// Listens again at the same address. Nothing changes if it does already.
    pub(super) async fn up(&self) -> io::Result<()> {
        let mut life = self.life.lock().await;
        if life.is_none() {
            *life = Some(Life::begin(TcpListener::bind(self.address).await?, self.handler.clone()));
        }
        Ok(())
    }
}

impl Life {
    fn begin<H: Handler>(listener: TcpListener, handler: Arc<H>) -> Self {
        let (end, ended) = watch::channel(false);
        Self { end, task: tokio::spawn(accept(listener, handler, ended)) }
    }
}
impl Drop for Life {
    fn drop(&mut self) {
        self.task.abort(); // and with it its connections; without effect once it is over
    }
}

/// Returns when it is told to end, or when nobody is left who could tell.
async fn told(ended: &mut watch::Receiver<bool>) {
    let _ = ended.wait_for(|end| *end).await;
}

async fn accept<H: Handler>(listener: TcpListener, handler: Arc<H>, mut ended: watch::Receiver<bool>) {
    let (mut connections, for_each) = (JoinSet::new(), ended.clone());
    loop {
        tokio::select! {
            biased;
            () = told(&mut ended) => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(serve(stream, handler.clone(), for_each.clone()));
                }
                // Out of file descriptors, most likely. There is no event to wait for: somebody has to give one back.
                Err(_) => tokio::time::sleep(std::time::Duration::from_millis(10)).await,
            }
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

async fn serve<H: Handler>(stream: TcpStream, handler: Arc<H>, mut ended: watch::Receiver<bool>) {
    let _ = stream.set_nodelay(true); // only latency would suffer
    let service = service_fn(move |request| {
        let handler = handler.clone();
        // Boxed so that the connection can be taken apart below.
        Box::pin(async move { Ok::<_, std::convert::Infallible>(handler.answer(request).await) })
    });
    let mut connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let killed = tokio::select! {
        _ = &mut connection => false, // errors are the client's: it went away
        () = told(&mut ended) => true,
    };
    if killed {
        // Zero linger makes the kernel send RST instead of FIN: what a peer sees of a killed host, requests under way included.
        let _ = connection.into_parts().io.into_inner().set_zero_linger();
    }
}
