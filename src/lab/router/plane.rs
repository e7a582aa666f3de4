//! The data plane of one route: passes each request to the side whose turn it is, and its answer back.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use http_body_util::BodyExt;
use hyper::{
    HeaderMap, Request, StatusCode, Uri,
    body::Incoming,
    header::{self, HeaderName, HeaderValue},
};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};

use super::table::{Table, Underway};
use crate::{
    adapters::webhook::contract::MARK_HEADER,
    lab::{
        SIDE_HEADER,
        server::{Answer, Handler, answer},
    },
    plan::Side,
};

/// Headers that speak of one connection and end there: RFC 9110 section 7.6.1, and RFC 2616 section 13.5.1 for the rest.
const HOP_BY_HOP: [HeaderName; 8] = [
    header::CONNECTION,
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    HeaderName::from_static("keep-alive"),
];

/// The data plane of a route.
#[derive(Debug)]
pub(super) struct Plane {
    table: Arc<Table>,
    legacy: Pool,
    target: Pool,
    client: Client<HttpConnector, Incoming>,
    timeout: Duration,
}

/// The endpoints of a side, taken in turns.
#[derive(Debug)]
struct Pool {
    endpoints: Vec<SocketAddr>,
    turn: AtomicUsize,
}

impl Pool {
    fn next(&self) -> Option<SocketAddr> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed).checked_rem(self.endpoints.len())?;
        self.endpoints.get(turn).copied()
    }
}

impl Plane {
    pub(super) fn new(table: Arc<Table>, legacy: Vec<SocketAddr>, target: Vec<SocketAddr>, timeout: Duration) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let pool = |endpoints| Pool { endpoints, turn: AtomicUsize::new(0) };
        let client = Client::builder(TokioExecutor::new()).build(connector);
        Self { table, legacy: pool(legacy), target: pool(target), client, timeout }
    }

    /// Passes a request to an endpoint of this side. That a pooled connection turns out to be closed before anything of the
    /// request was sent on it is not a try: the client then connects anew to the same endpoint.
    async fn pass(&self, request: Request<Incoming>, underway: Underway) -> Answer {
        let pool = match underway.side {
            Side::Legacy => &self.legacy,
            Side::Target => &self.target,
        };
        let Some(request) = pool.next().and_then(|endpoint| readdress(request, endpoint)) else {
            return answer(StatusCode::BAD_GATEWAY, "this side has no endpoint that the request could go to\n");
        };
        match tokio::time::timeout(self.timeout, self.client.request(request)).await {
            Err(_) => answer(StatusCode::GATEWAY_TIMEOUT, "the endpoint did not answer in time\n"),
            Ok(Err(e)) => answer(StatusCode::BAD_GATEWAY, format!("the endpoint gave no answer: {e}\n")),
            Ok(Ok(response)) => {
                let (mut parts, body) = response.into_parts();
                strip(&mut parts.headers);
                // The request counts as under way for as long as its body exists.
                let body = body.map_err(move |e| {
                    let _ = &underway;
                    e.into()
                });
                Answer::from_parts(parts, body.boxed())
            }
        }
    }
}

impl Handler for Plane {
    async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Answer {
        let (underway, mark) = self.table.next();
        let side = underway.side;
        let mut response = self.pass(request, underway).await;
        let headers = response.headers_mut();
        // Set and not appended: what an endpoint says of either does not count.
        let name = match side {
            Side::Legacy => HeaderValue::from_static("legacy"),
            Side::Target => HeaderValue::from_static("target"),
        };
        headers.insert(SIDE_HEADER, name);
        headers.remove(MARK_HEADER);
        if let Some(mark) = mark.and_then(|mark| HeaderValue::try_from(mark).ok()) {
            headers.insert(MARK_HEADER, mark);
        }
        response
    }
}

fn readdress(mut request: Request<Incoming>, endpoint: SocketAddr) -> Option<Request<Incoming>> {
    let path = request.uri().path_and_query()?.as_str();
    *request.uri_mut() = Uri::builder().scheme("http").authority(endpoint.to_string()).path_and_query(path).build().ok()?;
    strip(request.headers_mut());
    Some(request)
}

/// Takes out what is meant for one connection only, and what the `Connection` header names as such.
fn strip(headers: &mut HeaderMap) {
    let named = headers.get_all(header::CONNECTION).iter().filter_map(|v| v.to_str().ok()).flat_map(|v| v.split(','));
    let named: Vec<HeaderName> = named.filter_map(|name| name.trim().parse().ok()).collect();
    for name in named.iter().chain(&HOP_BY_HOP) {
        headers.remove(name);
    }
}
