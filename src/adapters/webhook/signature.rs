//! How requests to a webhook router are signed, and how a router checks them (`docs/design/webhook.md`, "Signature").
//!
//! HMAC-SHA256 (RFC 2104) over method, path with query, timestamp, `if-match` and body. A copied request is harmless: reads
//! only read, and a write bears a version or a key that is used up.

use std::{fmt, sync::Arc};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The header with the Unix time in milliseconds.
pub const TIMESTAMP_HEADER: &str = "x-gapless-timestamp";
/// The header with `v1=` and 64 hex digits.
pub const SIGNATURE_HEADER: &str = "x-gapless-signature";
/// A router refuses timestamps that are farther than this from its own clock, in milliseconds.
pub const CLOCK_TOLERANCE_MS: i64 = 30_000;
/// The shortest key, in bytes.
pub const KEY_MIN: usize = 16;

/// A signing key. Never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Key(Arc<[u8]>);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

/// Why a key or a signature is no good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadSignature {
    /// The key is too short to protect anything.
    #[error("the signing key is shorter than {KEY_MIN} bytes: make one of at least {KEY_MIN} random characters")]
    ShortKey,
    /// There is no signature, or none of the form `v1=` and 64 hex digits.
    #[error("the request is not signed: {TIMESTAMP_HEADER} and {SIGNATURE_HEADER} are needed")]
    Missing,
    /// The timestamp is too far from the clock.
    #[error("the request's timestamp is more than 30 s off this router's clock: set both clocks right")]
    Clock,
    /// The signature is of another key or another request.
    #[error("the request's signature is wrong: both ends need the same key, and nothing between may change the request")]
    Wrong,
}

/// The parts of a request that are signed.
#[derive(Debug, Clone, Copy)]
pub struct Signed<'a> {
    /// `GET` or `PUT`.
    pub method: &'a str,
    /// Path and query as in the request line.
    pub path: &'a str,
    /// The value of `if-match` as sent, or nothing.
    pub if_match: &'a str,
    /// The body.
    pub body: &'a [u8],
}

impl Key {
    /// A key, if it is long enough.
    pub fn new(bytes: &[u8]) -> Result<Self, BadSignature> {
        if bytes.len() < KEY_MIN { Err(BadSignature::ShortKey) } else { Ok(Self(bytes.into())) }
    }

    /// The value of [`SIGNATURE_HEADER`] for a request sent at this Unix time in milliseconds.
    pub fn sign(&self, request: Signed<'_>, timestamp_ms: i64) -> String {
        use fmt::Write as _;
        let mut text = String::from("v1=");
        for byte in self.mac(request, &timestamp_ms.to_string()).map(|mac| mac.finalize().into_bytes()).unwrap_or_default() {
            let _ = write!(text, "{byte:02x}"); // writing to a String cannot fail
        }
        text
    }

    /// Whether a router whose clock shows `now_ms` may believe a request with these two headers.
    pub fn verify(&self, request: Signed<'_>, timestamp: &str, signature: &str, now_ms: i64) -> Result<(), BadSignature> {
        let sent: i64 = timestamp.parse().map_err(|_| BadSignature::Missing)?;
        let hex = signature.strip_prefix("v1=").ok_or(BadSignature::Missing)?;
        let mut given = [0u8; 32];
        if hex.len() != 64 || !hex.is_ascii() {
            return Err(BadSignature::Missing);
        }
        for (byte, pair) in given.iter_mut().zip(hex.as_bytes().chunks(2)) {
            let digits = std::str::from_utf8(pair).map_err(|_| BadSignature::Missing)?;
            *byte = u8::from_str_radix(digits, 16).map_err(|_| BadSignature::Missing)?;
        }
        // The time is compared last and in constant time, so that nothing is learnt from how long a refusal takes.
        let mac = self.mac(request, timestamp).ok_or(BadSignature::Wrong)?;
        mac.verify_slice(&given).map_err(|_| BadSignature::Wrong)?;
        if now_ms.abs_diff(sent) > CLOCK_TOLERANCE_MS.unsigned_abs() { Err(BadSignature::Clock) } else { Ok(()) }
    }

    /// HMAC takes keys of any length, so that this is never `None`.
    fn mac(&self, request: Signed<'_>, timestamp: &str) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).ok()?;
        for line in ["v1", request.method, request.path, timestamp, request.if_match] {
            mac.update(line.as_bytes());
            mac.update(b"\n");
        }
        mac.update(request.body);
        Some(mac)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GET: Signed<'_> = Signed { method: "GET", path: "/routes/pds", if_match: "", body: b"" };

    /// The vector can be made again with: printf 'v1\nGET\n/routes/pds\n1795588200123\n\n' | openssl dgst -sha256 -hmac 0123456789abcdef
    #[test]
    fn the_vector_of_the_page() {
        let key = Key::new(b"0123456789abcdef").unwrap();
        let made = key.sign(GET, 1_795_588_200_123);
        assert_eq!(made, "v1=99b05cb946183d51b79ee744e0f1481f8de099d010b3ea101df7797bca248fae");
        assert_eq!(key.verify(GET, "1795588200123", &made, 1_795_588_200_123 + CLOCK_TOLERANCE_MS), Ok(()));
    }

    #[test]
    fn whatever_is_changed_is_noticed() {
        let key = Key::new(b"0123456789abcdef").unwrap();
        let put = Signed { method: "PUT", path: "/r?x=1", if_match: "\"17\"", body: b"{}" };
        let made = key.sign(put, 1_000_000);
        let check = |request, time: &str, made: &str| key.verify(request, time, made, 1_000_000);
        assert_eq!(check(put, "1000000", &made), Ok(()));
        for other in [
            Signed { method: "GET", ..put },
            Signed { path: "/r?x=2", ..put },
            Signed { if_match: "\"18\"", ..put },
            Signed { body: b"{ }", ..put },
        ] {
            assert_eq!(check(other, "1000000", &made), Err(BadSignature::Wrong), "{other:?}");
        }
        assert_eq!(check(put, "1000001", &made), Err(BadSignature::Wrong));
        assert_eq!(check(put, "soon", &made), Err(BadSignature::Missing));
        assert_eq!(check(put, "1000000", "v1=ab"), Err(BadSignature::Missing));
        assert_eq!(check(put, "1000000", &format!("v1={}", "é".repeat(32))), Err(BadSignature::Missing));
        assert_eq!(key.verify(put, "1000000", &made, 1_030_001), Err(BadSignature::Clock));
        assert_eq!(Key::new(b"0123456789abcdeX").unwrap().verify(put, "1000000", &made, 1_000_000), Err(BadSignature::Wrong));
        assert_eq!(Key::new(b"short"), Err(BadSignature::ShortKey));
        assert!(!format!("{key:?}").contains("0123"));
    }
}
