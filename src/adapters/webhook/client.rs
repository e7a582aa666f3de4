//! Requests of the contract, and what their answers mean.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    Method, Request,
    header::{CONTENT_TYPE, HOST, IF_MATCH, USER_AGENT},
};

use super::{
    contract::{Change, Refusal, State},
    signature::{Key, SIGNATURE_HEADER, Signed, TIMESTAMP_HEADER},
};
use crate::{
    adapters::{
        clock,
        http::{Address, Answer, Extent, HttpError, Kept},
    },
    engine::Unknown,
};

/// Who we say we are.
pub(super) const AGENT: &str = concat!("gapless/", env!("CARGO_PKG_VERSION"));
/// The longest version a router may use.
const VERSION_MAX: usize = 256;

/// Makes requests for one route.
#[derive(Debug, Clone)]
pub(super) struct Client {
    pub address: Address,
    pub key: Option<Key>,
}

/// What came of a `PUT`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Put {
    /// 200: done, now or before, and this is how the route stands.
    Done(Box<State>),
    /// 412: the route is not as the change wants it.
    Otherwise(Box<State>),
    /// Not done; the text says why.
    Refused(String),
    /// It may be done or not.
    Unclear(String),
}

impl Client {
    /// Reads the state; with a version to wait for, when it has changed or the router's patience is over.
    pub async fn read(&self, connection: &mut Kept, wait: Option<&str>, within: Duration) -> Result<State, Unknown> {
        let path = wait.map_or_else(|| self.address.path().to_owned(), |version| self.address.path_with("wait", version));
        let request = self.request(Method::GET, &path, None, Bytes::new()).map_err(Unknown::Unreadable)?;
        let answer = connection.exchange(&request, within).await;
        let answer = answer.map_err(|error| Unknown::Unreachable(format!("{}: {error}", self.address)))?;
        let told = || self.told(&answer);
        match answer.status {
            200 => self.state(&answer).map_err(Unknown::Unreadable),
            401 | 403 => Err(Unknown::Denied(told())),
            404 | 410 => Err(Unknown::NotFound(told())),
            400..=499 => Err(Unknown::Unreadable(told())),
            _ => Err(Unknown::Unreachable(told())),
        }
    }

    /// Asks for a change of the state that has this version.
    pub async fn change(&self, connection: &mut Kept, change: &Change, version: &str, within: Duration) -> Put {
        let Ok(body) = serde_json::to_vec(change) else {
            return Put::Refused("the change cannot be written as JSON".to_owned());
        };
        let if_match = format!("\"{version}\"");
        let request = match self.request(Method::PUT, self.address.path(), Some(&if_match), Bytes::from(body)) {
            Ok(request) => request,
            Err(why) => return Put::Refused(why),
        };
        match connection.exchange(&request, within).await {
            Ok(answer) => self.outcome(&answer),
            Err(error) if error.was_not_sent() => Put::Refused(format!("{}: {error}; nothing was sent", self.address)),
            Err(error @ HttpError::Unreadable(_)) => Put::Unclear(format!("{}: {error}", self.address)),
            Err(error) => Put::Unclear(format!("{}: {error}; the change may be done or not", self.address)),
        }
    }

    fn outcome(&self, answer: &Answer) -> Put {
        match (answer.status, self.state(answer)) {
            (200, Ok(state)) => Put::Done(Box::new(state)),
            (412, Ok(state)) => Put::Otherwise(Box::new(state)),
            (200, Err(why)) => Put::Unclear(why),
            (401 | 403, _) => Put::Refused(format!("not permitted: {}", self.told(answer))),
            (400..=499, _) => Put::Refused(self.told(answer)),
            _ => Put::Unclear(self.told(answer)),
        }
    }

    fn request(&self, method: Method, path: &str, if_match: Option<&str>, body: Bytes) -> Result<Request<Full<Bytes>>, String> {
        let mut request = Request::builder().method(&method).uri(path).header(HOST, self.address.authority());
        request = request.header(USER_AGENT, AGENT);
        if let Some(key) = &self.key {
            let now = clock::now().as_millisecond();
            let signed = Signed { method: method.as_str(), path, if_match: if_match.unwrap_or_default(), body: &body };
            request = request.header(TIMESTAMP_HEADER, now).header(SIGNATURE_HEADER, key.sign(signed, now));
        }
        if let Some(if_match) = if_match {
            request = request.header(IF_MATCH, if_match).header(CONTENT_TYPE, "application/json");
        }
        request.body(Full::new(body)).map_err(|error| format!("a request to {} cannot be made: {error}", self.address))
    }

    fn state(&self, answer: &Answer) -> Result<State, String> {
        let bad = |why: &str| format!("{} sent no state of a route: {why}", self.address);
        if answer.extent == Extent::Beginning {
            return Err(bad("it is longer than 64 KiB"));
        }
        let state: State = serde_json::from_slice(&answer.body).map_err(|error| bad(&error.to_string()))?;
        let visible = |b: u8| b.is_ascii_graphic() && b != b'"';
        if state.version.is_empty() || state.version.len() > VERSION_MAX || !state.version.bytes().all(visible) {
            return Err(bad("its version is not 1 to 256 visible ASCII characters without quotes"));
        }
        state.address.parse::<Address>().map_err(|why| bad(&why.to_string()))?;
        Ok(state)
    }

    /// What an answer that is no state says, for people.
    fn told(&self, answer: &Answer) -> String {
        let refusal = serde_json::from_slice::<Refusal>(&answer.body).ok();
        let why: String = refusal.map(|r| r.error.chars().take(200).collect()).unwrap_or_default();
        let colon = if why.is_empty() { "" } else { ": " };
        format!("{} answered {}{colon}{why}", self.address, answer.status)
    }
}
