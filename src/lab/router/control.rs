//! The contract's side of the router: `GET` reads a route's state, `PUT` changes it.

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc};

use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::{
    Method, Request, StatusCode,
    body::Incoming,
    header::{self, HeaderValue},
    http::request::Parts,
};
use jiff::Timestamp;

use super::table::{Refused, Table};
use crate::{
    adapters::webhook::{
        contract::{Change, LONG_POLL, Refusal},
        signature::{BadSignature, Key, SIGNATURE_HEADER, Signed, TIMESTAMP_HEADER},
    },
    lab::server::{Answer, Handler, answer},
    plan::ServiceName,
};

/// A `PUT` is a few hundred bytes.
const BODY_MAX: usize = 64 * 1024;

/// What answers the contract's requests, for all routes.
#[derive(Debug)]
pub(super) struct Control {
    pub(super) routes: BTreeMap<ServiceName, (Arc<Table>, SocketAddr)>,
    pub(super) key: Option<Key>,
}

impl Handler for Control {
    async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Answer {
        let (parts, body) = request.into_parts();
        let Ok(body) = Limited::new(body, BODY_MAX).collect().await else {
            return refuse(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large, or broke off");
        };
        let body = body.to_bytes();
        if let Err(bad) = self.verify(&parts, &body) {
            return refuse(StatusCode::UNAUTHORIZED, &bad.to_string());
        }
        let name = parts.uri.path().strip_prefix("/routes/").unwrap_or_default();
        let Some((table, address)) = self.routes.get(name) else {
            return refuse(StatusCode::NOT_FOUND, "there is no such route");
        };
        let state = |status| json(status, &table.state(format!("http://{address}/healthz")));
        if parts.method == Method::GET {
            if let Some(version) = parts.uri.query().and_then(waits_for) {
                let _ = tokio::time::timeout(LONG_POLL, table.moved_on(version)).await; // then as it is
            }
            return state(StatusCode::OK);
        }
        if parts.method != Method::PUT {
            return refuse(StatusCode::METHOD_NOT_ALLOWED, "this contract has GET and PUT");
        }
        let change: Change = match serde_json::from_slice(&body) {
            Ok(change) => change,
            Err(e) => return refuse(StatusCode::UNPROCESSABLE_ENTITY, &format!("the body is not a change: {e}")),
        };
        let version = parts.headers.get(header::IF_MATCH).and_then(|v| v.to_str().ok());
        match table.change(&change, version) {
            Ok(()) => state(StatusCode::OK),
            Err(Refused::Otherwise) => state(StatusCode::PRECONDITION_FAILED),
            Err(Refused::NoVersion) => refuse(StatusCode::PRECONDITION_REQUIRED, "there is no if-match with the version"),
            Err(Refused::Senseless(why)) => refuse(StatusCode::UNPROCESSABLE_ENTITY, why),
        }
    }
}

impl Control {
    fn verify(&self, parts: &Parts, body: &Bytes) -> Result<(), BadSignature> {
        let Some(key) = &self.key else { return Ok(()) };
        let text = |name: &str| parts.headers.get(name).and_then(|v| v.to_str().ok());
        let (Some(time), Some(signature)) = (text(TIMESTAMP_HEADER), text(SIGNATURE_HEADER)) else {
            return Err(BadSignature::Missing);
        };
        let path = parts.uri.path_and_query().map_or("", |p| p.as_str());
        let if_match = text(header::IF_MATCH.as_str()).unwrap_or_default();
        let signed = Signed { method: parts.method.as_str(), path, if_match, body };
        key.verify(signed, time, signature, Timestamp::now().as_millisecond())
    }
}

/// The version in `wait=VERSION`. Ours have no character that a query would escape.
fn waits_for(query: &str) -> Option<&str> {
    query.split('&').find_map(|pair| pair.strip_prefix("wait="))
}

fn refuse(status: StatusCode, why: &str) -> Answer {
    json(status, &Refusal { error: why.to_owned() })
}

fn json<T: serde::Serialize>(status: StatusCode, body: &T) -> Answer {
    match serde_json::to_vec(body) {
        Err(e) => answer(StatusCode::INTERNAL_SERVER_ERROR, e.to_string()),
        Ok(bytes) => {
            let mut response = answer(status, bytes);
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            response
        }
    }
}
