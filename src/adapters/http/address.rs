//! `http://host:port/path` addresses.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    str::FromStr,
};

use hyper::Uri;

use super::HttpError;

/// An `http://` address, taken apart.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Address {
    host: String,
    port: u16,
    path: String,
}

/// Why a text is no address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an address that can be asked: {why}")]
pub struct BadAddress {
    text: String,
    why: &'static str,
}

impl Address {
    /// The host's name or address, an IPv6 address without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }
    /// Path and query.
    pub fn path(&self) -> &str {
        &self.path
    }
    /// The path with one more query parameter.
    pub fn path_with(&self, name: &str, value: &str) -> String {
        let joint = if self.path.contains('?') { '&' } else { '?' };
        format!("{}{joint}{name}={}", self.path, Encoded(value))
    }
    /// The `Host` header: without the port if it is 80.
    pub fn authority(&self) -> String {
        let port = if self.port == 80 { String::new() } else { format!(":{}", self.port) };
        if self.host.contains(':') { format!("[{}]{port}", self.host) } else { format!("{}{port}", self.host) }
    }
    /// The addresses of the host, from the system's resolver if it is a name.
    pub async fn resolve(&self) -> Result<Vec<SocketAddr>, HttpError> {
        if let Ok(ip) = self.host.parse::<IpAddr>() {
            return Ok(vec![SocketAddr::new(ip, self.port)]);
        }
        let found = tokio::net::lookup_host((self.host.as_str(), self.port)).await;
        found.map(Iterator::collect).map_err(|error| HttpError::Unresolved(format!("{}: {error}", self.host)))
    }
}

impl FromStr for Address {
    type Err = BadAddress;
    fn from_str(text: &str) -> Result<Self, BadAddress> {
        let bad = |why| BadAddress { text: text.to_owned(), why };
        let uri: Uri = text.parse().map_err(|_| bad("it is not a URL such as http://10.0.0.9:8080/path"))?;
        match uri.scheme_str() {
            Some("http") => {}
            Some("https") => return Err(bad("this version speaks http:// only")),
            _ => return Err(bad("it has to begin with http://")),
        }
        let authority = uri.authority().ok_or_else(|| bad("it names no host"))?;
        if authority.as_str().contains('@') {
            return Err(bad("it contains a user name; name a key instead"));
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        if host.is_empty() {
            return Err(bad("it names no host"));
        }
        let port = match authority.as_str().strip_prefix(authority.host()) {
            Some("") => 80,
            Some(_) => {
                authority.port_u16().filter(|port| *port > 0).ok_or_else(|| bad("its port is not a number from 1 to 65535"))?
            }
            None => return Err(bad("it names no host")),
        };
        let path = uri.path_and_query().map_or("/", |p| p.as_str());
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        Ok(Self { host, port, path })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}{}", self.authority(), self.path)
    }
}

/// Percent-encodes what is not unreserved (RFC 3986 section 2.3).
struct Encoded<'a>(&'a str);
impl fmt::Display for Encoded<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.bytes().try_for_each(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => write!(f, "{}", char::from(byte)),
            other => write!(f, "%{other:02X}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_apart() {
        let whole = |text: &str| text.parse::<Address>().unwrap();
        let address = whole("http://[::1]:8080/routes/pds?x=1");
        assert_eq!((address.host(), address.path(), address.authority().as_str()), ("::1", "/routes/pds?x=1", "[::1]:8080"));
        assert_eq!(address.path_with("wait", "a b\"17"), "/routes/pds?x=1&wait=a%20b%2217");
        assert_eq!(address.to_string(), "http://[::1]:8080/routes/pds?x=1");
        let address = whole("http://lb.example.org");
        assert_eq!((address.host(), address.path(), address.authority().as_str()), ("lb.example.org", "/", "lb.example.org"));
        assert_eq!(address.path_with("wait", "17"), "/?wait=17");
        assert_eq!(whole("http://lb?x=1").path(), "/?x=1");
    }

    #[test]
    fn what_is_no_address_says_why() {
        for (text, why) in [
            ("https://lb/", "http:// only"),
            ("lb:80", "begin with http://"),
            ("/path", "begin with http://"),
            ("http://u:p@lb/", "user name"),
            ("http://lb:0/", "port"),
            ("http://lb:70000/", "port"),
            ("http://:80/", "names no host"),
            ("", "URL"),
        ] {
            let said = text.parse::<Address>().unwrap_err().to_string();
            assert!(said.contains(why), "{text}: {said}");
        }
    }
}
