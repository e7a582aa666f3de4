//! What can go wrong with a request, told apart as far as it matters.

use std::{error::Error as _, fmt, io, time::Duration};

/// Why there is no usable answer. The sentences are shown to people after the name of whom was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// The name has no address.
    #[error("the name could not be resolved: {0}")]
    Unresolved(String),
    /// Nobody listens there.
    #[error("connection refused")]
    Refused,
    /// The connection could not be made for another reason of the other side or the network.
    #[error("no connection: {0}")]
    Unreachable(String),
    /// The deadline passed.
    #[error("no answer within {}{phase}", Milliseconds(*.within))]
    Timeout {
        /// The deadline.
        within: Duration,
        /// What was being done when it passed.
        phase: Phase,
    },
    /// The connection ended before the answer was complete.
    #[error("the connection was closed before the answer was complete")]
    Cut,
    /// What came is not HTTP, or more of it than anybody may send.
    #[error("the answer is not understood: {0}")]
    Unreadable(String),
    /// Our own side could not even try: no free socket, no port, no memory, no network. Says nothing about the other side.
    #[error("our own side could not send: {0}")]
    Ours(String),
}

/// What was being done when a deadline passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// The name was being resolved or the connection made.
    Connecting,
    /// The connection stood; the answer was not complete.
    Waiting,
}
impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connecting => " (no connection)",
            Self::Waiting => "",
        })
    }
}

/// A deadline as people write it in plans.
struct Milliseconds(Duration);
impl fmt::Display for Milliseconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX);
        fmt::Display::fmt(&crate::plan::Span::from_millis(ms), f)
    }
}

/// Whose fault a failure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The side that was asked, or the way to it.
    Theirs,
    /// Our own side, which could not ask.
    Ours,
}

impl HttpError {
    /// Whose fault this is. A name that does not resolve is ours: nobody was asked.
    pub fn fault(&self) -> Fault {
        match self {
            Self::Ours(_) | Self::Unresolved(_) => Fault::Ours,
            _ => Fault::Theirs,
        }
    }

    /// Whether the request cannot have been received: nothing was sent.
    pub fn was_not_sent(&self) -> bool {
        use HttpError::{Ours, Refused, Timeout, Unreachable, Unresolved};
        matches!(self, Unresolved(_) | Refused | Unreachable(_) | Ours(_) | Timeout { phase: Phase::Connecting, .. })
    }

    /// Of an error while connecting.
    pub(super) fn connecting(error: &io::Error) -> Self {
        use io::ErrorKind as Kind;
        if is_ours(error) {
            return Self::Ours(sentence(error));
        }
        match error.kind() {
            Kind::ConnectionRefused => Self::Refused,
            Kind::ConnectionReset | Kind::ConnectionAborted => Self::Cut,
            _ => Self::Unreachable(sentence(error)),
        }
    }

    /// Of an error on a connection that stood.
    pub(super) fn speaking(error: &hyper::Error) -> Self {
        let mut source = error.source();
        while let Some(inner) = source {
            if let Some(io) = inner.downcast_ref::<io::Error>() {
                return if is_ours(io) { Self::Ours(sentence(io)) } else { Self::Cut };
            }
            source = inner.source();
        }
        if error.is_parse() || error.is_parse_too_large() || error.is_user() {
            return Self::Unreadable(error.to_string());
        }
        Self::Cut
    }
}

/// Errors that arise on this machine and say nothing about the other end. `NetworkUnreachable` is one: this machine has no
/// route at all. `HostUnreachable` is none: the way stands, and at its end nobody answers (`connect(2)`).
fn is_ours(error: &io::Error) -> bool {
    use io::ErrorKind as Kind;
    const EMFILE: i32 = 24; // this process has no descriptor left (errno(3), Linux)
    const ENFILE: i32 = 23; // this machine has none left
    const ENOBUFS: i32 = 105;
    matches!(error.raw_os_error(), Some(EMFILE | ENFILE | ENOBUFS))
        || matches!(
            error.kind(),
            Kind::AddrNotAvailable
                | Kind::AddrInUse
                | Kind::OutOfMemory
                | Kind::PermissionDenied
                | Kind::NetworkUnreachable
                | Kind::NetworkDown
        )
}

/// The system's text without `(os error 111)`.
fn sentence(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_owned()
}
