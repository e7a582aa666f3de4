//! The `http://` and `https://` addresses of a plan: enough of RFC 3986 to refuse what would not be asked as it was meant.

/// Why a text is not an address that this version asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    /// Another scheme than `http` and `https`.
    Scheme,
    /// A user name or password before the host.
    UserInfo,
    /// A query parameter that by its name is a credential.
    SecretParameter(String),
    /// Anything else: what is wrong.
    Form(&'static str),
}

/// Names of query parameters that carry credentials.
const SECRETS: [&str; 9] = ["token", "access_token", "api_key", "apikey", "api-key", "password", "passwd", "secret", "sig"];

/// Everything that is wrong with `url`.
pub(super) fn faults(url: &str) -> Vec<Fault> {
    let Some((scheme, rest)) = url.split_once("://") else {
        return vec![Fault::Form("it does not begin with `http://`")];
    };
    let mut faults = Vec::new();
    if !["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
        faults.push(Fault::Scheme);
    }
    if !url.bytes().all(|byte| byte.is_ascii_graphic()) {
        faults.push(Fault::Form("it has a blank, a control character or a letter beyond ASCII"));
    }
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(end);
    let host = match authority.rsplit_once('@') {
        Some((_, host)) => {
            faults.push(Fault::UserInfo);
            host
        }
        None => authority,
    };
    faults.extend(host_fault(host).map(Fault::Form));
    if tail.contains('#') {
        faults.push(Fault::Form("it has a fragment (`#`), which is never sent"));
    }
    let query = tail.split_once('?').map_or("", |(_, query)| query);
    let names = query.split('&').filter_map(|pair| pair.split_once('=')).map(|(name, _)| name);
    let secret = names.into_iter().find(|name| SECRETS.contains(&name.to_ascii_lowercase().as_str()));
    faults.extend(secret.map(|name| Fault::SecretParameter(name.to_owned())));
    faults
}

/// What is wrong with a host and its port.
fn host_fault(host: &str) -> Option<&'static str> {
    let (name, port) = match host.strip_prefix('[') {
        Some(inner) => {
            let Some((address, after)) = inner.split_once(']') else { return Some("its IPv6 address has no `]`") };
            if address.parse::<std::net::Ipv6Addr>().is_err() {
                return Some("what stands in `[…]` is not an IPv6 address");
            }
            (address, after.strip_prefix(':').or((!after.is_empty()).then_some("?")))
        }
        None => host.split_once(':').map_or((host, None), |(name, port)| (name, Some(port))),
    };
    if name.is_empty() {
        return Some("it names no host");
    }
    let letters = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    if !host.starts_with('[') && !name.bytes().all(letters) {
        return Some("its host is neither a name nor an address");
    }
    match port {
        Some(port) if !port.parse::<u16>().is_ok_and(|port| port > 0) => Some("its port is not a number from 1 to 65535"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_addresses_pass() {
        for url in
            ["http://a", "https://a", "http://127.0.0.1:8080/x?y=1&z", "http://[::1]:80/", "HTTP://pds.spine.svc:80/routes/pds"]
        {
            assert_eq!(faults(url), [], "{url}");
        }
    }

    #[test]
    fn each_fault_is_found() {
        assert_eq!(faults("ftp://a"), [Fault::Scheme]);
        assert_eq!(faults("http://u:p@a/"), [Fault::UserInfo]);
        assert_eq!(faults("http://a/?Token=1"), [Fault::SecretParameter("Token".into())]);
        for url in [
            "a.example",
            "http://",
            "http://:80/",
            "http://a:0/",
            "http://a:x",
            "http://[::1",
            "http://[::1]x",
            "http://a b/",
            "http://a/#b",
        ] {
            assert!(matches!(faults(url).as_slice(), [Fault::Form(_), ..]), "{url}");
        }
    }
}
