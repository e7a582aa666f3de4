//! One connection that is kept open for those who talk to the same router all the time.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, client::conn::http1::SendRequest};
use hyper_util::rt::TokioIo;
use tokio::task::JoinHandle;

use super::{Address, Answer, HttpError, Progress, builder, connect_at, deadline, read};

/// A connection, made when first needed and again after it broke.
///
/// A request that a kept connection did not take, because the other end had closed it meanwhile, goes out again on a fresh
/// one: it was never sent, or the other end had hung up before reading it (RFC 9112 section 9.3.1). Only for requests that
/// may be repeated, as all of the webhook contract may.
#[derive(Debug)]
pub struct Kept {
    address: Address,
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    sender: SendRequest<Full<Bytes>>,
    driver: JoinHandle<()>,
}
impl Drop for Open {
    fn drop(&mut self) {
        self.driver.abort(); // closes the socket
    }
}

impl Kept {
    /// For this address; connects later.
    pub fn new(address: Address) -> Self {
        Self { address, open: None }
    }

    /// Sends one request and reads the answer within `within`. If the future is dropped the connection is closed.
    pub async fn exchange(&mut self, request: &Request<Full<Bytes>>, within: Duration) -> Result<Answer, HttpError> {
        let progress = Progress::connecting();
        let used = self.open.take().filter(|open| open.sender.is_ready());
        let address = &self.address;
        let work = async {
            if let Some(mut open) = used {
                progress.waits();
                match open.talk(request).await {
                    Err(HttpError::Cut) => {}
                    other => return other.map(|answer| (answer, open)),
                }
                // The first one may have been read after all, so that no failure from here on may say "not sent".
                let mut open = Open::new(address).await.map_err(|e| if e.was_not_sent() { HttpError::Cut } else { e })?;
                return open.talk(request).await.map(|answer| (answer, open));
            }
            let mut open = Open::new(address).await?;
            progress.waits();
            open.talk(request).await.map(|answer| (answer, open))
        };
        let (answer, open) = deadline(within, &progress, work).await?;
        // A body that was not read to its end leaves the connection in the middle of an answer.
        self.open = Some(open).filter(|_| answer.extent == super::Extent::Whole);
        Ok(answer)
    }
}

impl Open {
    async fn new(address: &Address) -> Result<Self, HttpError> {
        let stream = connect_at(address).await?;
        let (sender, connection) = builder().handshake(TokioIo::new(stream)).await.map_err(|e| HttpError::speaking(&e))?;
        let driver = tokio::spawn(async move {
            let _ = connection.await; // how it ended is told to whoever waits for an answer
        });
        Ok(Self { sender, driver })
    }

    async fn talk(&mut self, request: &Request<Full<Bytes>>) -> Result<Answer, HttpError> {
        let response = self.sender.send_request(request.clone()).await.map_err(|e| HttpError::speaking(&e))?;
        read(response).await
    }
}
