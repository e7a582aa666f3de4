//! The connections to the API server.
//!
//! *Guarantees*: a request is on its way at once, and not when the server has acknowledged the piece before (TCP_NODELAY;
//! the client library's own connections lack it: RFC 896 then meets delayed acknowledgements, which cost up to 40 ms); a
//! connection that is kept holds one read buffer of [`READ`] bytes, however long the longest answer was.
//! *Caveats*: HTTP/1.1, so each request under way has a connection of its own. [`KEPT`] stay open between requests; more at
//! once cost a handshake each.

use std::time::Duration;

use hyper_util::{
    client::legacy::{self, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use kube::{
    Client, Config, Error,
    client::{Body, ClientBuilder, ConfigExt as _},
};
use tower::{BoxError, ServiceExt as _};

/// What is read at once. Left to itself hyper doubles it with each long list, up to 400 KiB a connection, and keeps it.
const READ: usize = 16 * 1024;
/// So many connections stay open while nothing is asked.
const KEPT: usize = 8;
/// For so long.
const KEPT_FOR: Duration = Duration::from_secs(60);

/// A client of this configuration. One that goes through a proxy is the library's own.
pub fn of(config: Config) -> Result<Client, Error> {
    if config.proxy_url.is_some() {
        return Client::try_from(config);
    }
    let connector = config.rustls_https_connector_with_connector(sockets(config.connect_timeout))?;
    let http: legacy::Client<_, Body> = legacy::Client::builder(TokioExecutor::new())
        .http1_read_buf_exact_size(READ)
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(KEPT_FOR)
        .pool_max_idle_per_host(KEPT)
        .build(connector);
    let http = http.map_err(BoxError::from);
    let with_headers = ClientBuilder::new(http, config.default_namespace.clone()).with_layer(&config.extra_headers_layer()?);
    let to = config.base_uri_layer();
    Ok(match config.auth_layer()? {
        Some(auth) => with_headers.with_layer(&auth).with_layer(&to).build(),
        None => with_headers.with_layer(&to).build(),
    })
}

fn sockets(patience: Option<Duration>) -> HttpConnector {
    let mut sockets = HttpConnector::new();
    sockets.enforce_http(false); // TLS is the next layer's
    sockets.set_nodelay(true);
    sockets.set_connect_timeout(patience);
    sockets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn no_request_waits_for_the_acknowledgement_of_its_beginning() {
        let server = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let to = format!("https://{}/", server.local_addr().unwrap()).parse().unwrap();
        let socket = sockets(None).oneshot(to).await.unwrap();
        assert!(socket.inner().nodelay().unwrap());
    }
}
