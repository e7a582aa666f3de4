//! One probe to one endpoint: what is sent, and what an answer means.

use std::{net::SocketAddr, time::Duration};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    Method, Request,
    header::{CONNECTION, HOST, HeaderValue, USER_AGENT},
};

use crate::{
    adapters::http::{self, Address, Answer, Fault, HttpError},
    engine::Unknown,
    plan::{HttpSend, spec::HttpMethod},
};

/// What came of one probe to one endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Shot {
    /// What was expected.
    Good,
    /// Something else, or nothing in time.
    Bad(String),
    /// Our own side could not send, or there is no verdict in what came.
    Unsent(Unknown),
}

/// What is sent, ready made.
#[derive(Debug)]
pub(super) enum Script {
    /// A connection is made and closed.
    Knock {
        /// How long that may take.
        timeout: Duration,
    },
    /// A request with a known good answer.
    Http {
        /// The request; its `Host` is the endpoint if there is none.
        request: Request<Full<Bytes>>,
        /// What is good.
        expect: HttpSend,
        /// How long it may take.
        timeout: Duration,
    },
    /// A check at an address of its own.
    Check {
        /// The address.
        address: Address,
        /// The request.
        request: Request<Full<Bytes>>,
        /// How long it may take.
        timeout: Duration,
    },
    /// What the plan says cannot be sent; the text says why. A checked plan has no such probe.
    Unsendable(String),
}

/// Longest text about a failure.
const TEXT_MAX: usize = 240;

impl Script {
    /// Of a probe.
    pub fn probe(send: &HttpSend, timeout: Duration) -> Self {
        let method = match send.method {
            HttpMethod::Get => Method::GET,
            HttpMethod::Head => Method::HEAD,
            HttpMethod::Post => Method::POST,
            HttpMethod::Put => Method::PUT,
            HttpMethod::Options => Method::OPTIONS,
        };
        let body = Bytes::from(send.body.clone().unwrap_or_default());
        match request(method, &send.path, send.host.as_deref(), body) {
            Ok(request) => Self::Http { request, expect: send.clone(), timeout },
            Err(why) => Self::Unsendable(why),
        }
    }

    /// Of an HTTP check.
    pub fn check(url: &str, timeout: Duration) -> Self {
        let address = match url.parse::<Address>() {
            Ok(address) => address,
            Err(bad) => return Self::Unsendable(bad.to_string()),
        };
        match request(Method::GET, address.path(), Some(&address.authority()), Bytes::new()) {
            Ok(request) => Self::Check { address, request, timeout },
            Err(why) => Self::Unsendable(why),
        }
    }

    /// Sends it to `endpoint`; a check goes to its own address.
    pub async fn shoot(&self, endpoint: SocketAddr) -> Shot {
        match self {
            Self::Knock { timeout } => match http::knock(endpoint, *timeout).await {
                Ok(()) => Shot::Good,
                Err(error) => failed(&endpoint.to_string(), &error),
            },
            Self::Http { request, expect, timeout } => {
                let mut request = request.clone();
                if expect.host.is_none()
                    && let Ok(host) = HeaderValue::from_str(&endpoint.to_string())
                {
                    request.headers_mut().insert(HOST, host);
                }
                match http::exchange(endpoint, request, *timeout).await {
                    Ok(answer) => judge(endpoint, expect, &answer),
                    Err(error) => failed(&endpoint.to_string(), &error),
                }
            }
            Self::Check { address, request, timeout } => match http::exchange_at(address, request.clone(), *timeout).await {
                Ok(answer) if (200..300).contains(&answer.status) => Shot::Good,
                Ok(answer) => Shot::Bad(short(format!("{address} answered {}", answer.status))),
                Err(error) => Shot::Unsent(Unknown::Unreachable(short(format!("{address}: {error}")))),
            },
            Self::Unsendable(why) => Shot::Unsent(Unknown::Unreadable(why.clone())),
        }
    }
}

fn request(method: Method, path: &str, host: Option<&str>, body: Bytes) -> Result<Request<Full<Bytes>>, String> {
    let mut builder = Request::builder().method(method).uri(path);
    builder = builder.header(USER_AGENT, concat!("gapless/", env!("CARGO_PKG_VERSION"))).header(CONNECTION, "close");
    if let Some(host) = host {
        builder = builder.header(HOST, host);
    }
    builder.body(Full::new(body)).map_err(|error| format!("a request for {path} cannot be made: {error}"))
}

fn judge(endpoint: SocketAddr, expect: &HttpSend, answer: &Answer) -> Shot {
    if !expect.status.contains(&answer.status) {
        let wanted: Vec<String> = expect.status.iter().map(u16::to_string).collect();
        return Shot::Bad(short(format!("{endpoint} answered {}, expected {}", answer.status, wanted.join(" or "))));
    }
    match &expect.body_contains {
        Some(text) if !contains(&answer.body, text.as_bytes()) => {
            Shot::Bad(short(format!("{endpoint} answered {} without `{text}` in the body", answer.status)))
        }
        _ => Shot::Good,
    }
}

fn failed(whom: &str, error: &HttpError) -> Shot {
    let text = short(format!("{whom}: {error}"));
    match error.fault() {
        Fault::Theirs => Shot::Bad(text),
        Fault::Ours => Shot::Unsent(Unknown::Unreachable(text)),
    }
}

fn contains(body: &[u8], text: &[u8]) -> bool {
    text.is_empty() || body.windows(text.len()).any(|window| window == text)
}

/// Texts are kept for every round, so that they must not be as long as an answer likes.
fn short(mut text: String) -> String {
    if text.len() > TEXT_MAX {
        let end = (0..=TEXT_MAX).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.truncate(end);
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_cut_between_characters() {
        assert_eq!(short("é".repeat(200)).chars().count(), TEXT_MAX / 2 + 1);
        assert_eq!(short("short".into()), "short");
    }

    #[test]
    fn what_cannot_be_sent_says_why() {
        for script in [Script::check("https://h/", Duration::ZERO), Script::check("nonsense", Duration::ZERO)] {
            assert!(matches!(&script, Script::Unsendable(why) if why.contains("http://")), "{script:?}");
        }
    }

    #[test]
    fn a_text_in_a_body_is_found_wherever_it_is() {
        assert!(contains(b"abc9990000018", b"9990000018") && contains(b"x", b"") && !contains(b"999", b"9990"));
    }
}
