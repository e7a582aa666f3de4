//! An estate: real HTTP servers, several for each service, with faults that are switched while they run.
//!
//! *Flow*: [`Estate::start`] brings up every endpoint; [`Estate::inject`] breaks or mends all endpoints of one service.
//! *Guarantees*: every answer, good or bad, names its side ([`SIDE_HEADER`]) and endpoint ([`ENDPOINT_HEADER`]); once
//! `inject` has returned every later request meets the fault.
//! *Caveats*: an endpoint that dies gives up its port. On being mended it asks for the same one, which somebody else may have.

use std::{
    collections::BTreeMap,
    fmt, io,
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use hyper::{Request, StatusCode, body::Incoming, header::HeaderValue};

use super::{
    ENDPOINT_HEADER, SIDE_HEADER,
    server::{Answer, Handler, Server, answer},
};
use crate::plan::{ServiceName, Side};

/// How long a slow endpoint takes.
pub const SLOW: Duration = Duration::from_secs(2);

/// What is wrong with a service on one side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It answers 500.
    Errors,
    /// Nothing listens; connections that stood were reset.
    Dead,
    /// It answers well, after [`SLOW`].
    Slow,
}
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Errors => f.write_str("answers 500"),
            Self::Dead => f.write_str("is dead"),
            Self::Slow => write!(f, "answers after {} s", SLOW.as_secs()),
        }
    }
}

/// One side of every service.
#[derive(Debug)]
pub struct Estate {
    side: Side,
    services: BTreeMap<ServiceName, Vec<Server<Endpoint>>>,
}

impl Estate {
    /// Brings up so many endpoints for each of these services.
    pub async fn start(side: Side, services: &[ServiceName], endpoints: u8) -> io::Result<Self> {
        let mut up = BTreeMap::new();
        for service in services {
            let mut servers = Vec::new();
            for number in 1..=endpoints {
                servers.push(Server::start(Arc::new(Endpoint::new(side, service, number)?)).await?);
            }
            up.insert(service.clone(), servers);
        }
        Ok(Self { side, services: up })
    }

    /// Which side it is.
    pub fn side(&self) -> Side {
        self.side
    }

    /// Where a service's endpoints listen; empty for a service that it does not have.
    pub fn addresses(&self, service: &ServiceName) -> Vec<SocketAddr> {
        self.servers(service).iter().map(Server::address).collect()
    }

    /// Requests that a service's endpoints took, good or bad.
    pub fn requests(&self, service: &ServiceName) -> u64 {
        self.servers(service).iter().map(|s| s.handler().requests.load(Ordering::Relaxed)).sum()
    }

    /// What is wrong with a service now.
    pub fn fault(&self, service: &ServiceName) -> Option<Fault> {
        self.servers(service).first().and_then(|s| *s.handler().fault())
    }

    /// Breaks all endpoints of a service, or mends them. Fails if an endpoint cannot have its port back.
    pub async fn inject(&self, service: &ServiceName, fault: Option<Fault>) -> io::Result<()> {
        for server in self.servers(service) {
            *server.handler().fault() = fault;
            match fault {
                Some(Fault::Dead) => server.down().await,
                _ => server.up().await?,
            }
        }
        Ok(())
    }

    fn servers(&self, service: &ServiceName) -> &[Server<Endpoint>] {
        self.services.get(service).map_or(&[], Vec::as_slice)
    }
}

/// One host of a service.
#[derive(Debug)]
struct Endpoint {
    side: HeaderValue,
    name: HeaderValue,
    fault: Mutex<Option<Fault>>,
    requests: AtomicU64,
}

impl Endpoint {
    fn new(side: Side, service: &ServiceName, number: u8) -> io::Result<Self> {
        let value = |text: String| HeaderValue::try_from(text).map_err(io::Error::other);
        Ok(Self {
            side: value(side.to_string())?,
            name: value(format!("{service}-{side}-{number}"))?,
            fault: Mutex::new(None),
            requests: AtomicU64::new(0),
        })
    }

    fn fault(&self) -> std::sync::MutexGuard<'_, Option<Fault>> {
        self.fault.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Handler for Endpoint {
    async fn answer(self: Arc<Self>, _request: Request<Incoming>) -> Answer {
        self.requests.fetch_add(1, Ordering::Relaxed);
        let fault = *self.fault();
        let mut response = match fault {
            Some(Fault::Errors) => answer(StatusCode::INTERNAL_SERVER_ERROR, "this endpoint was told to fail\n"),
            _ => answer(StatusCode::OK, "ok\n"),
        };
        if fault == Some(Fault::Slow) {
            tokio::time::sleep(SLOW).await;
        }
        let headers = response.headers_mut();
        headers.insert(SIDE_HEADER, self.side.clone());
        headers.insert(ENDPOINT_HEADER, self.name.clone());
        response
    }
}
