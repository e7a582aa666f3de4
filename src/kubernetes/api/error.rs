//! Failures of requests, told apart by what they mean for us.

use super::PATIENCE;
use crate::engine::Unknown;

/// Why a request did not do what it was to do. The texts say what was asked for and what came back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApiError {
    /// There is no such thing.
    #[error("{0}")]
    NotFound(String),
    /// We may not.
    #[error("{0}")]
    Denied(String),
    /// The object is another one by now, or exists already.
    #[error("{0}")]
    Conflict(String),
    /// The server will not do it, now and later: a failed test of a patch, a value that is not valid.
    #[error("{0}")]
    Refused(String),
    /// What came back cannot be understood.
    #[error("{0}")]
    Unreadable(String),
    /// The version to be watched from is too old: list anew.
    #[error("{0}")]
    TooOld(String),
    /// No answer, or one that does not say whether it was done.
    #[error("{0}")]
    Unclear(String),
}

impl ApiError {
    pub(super) fn of(what: &str, error: &kube::Error) -> Self {
        let kube::Error::Api(status) = error else {
            return match error {
                kube::Error::SerdeError(error) => Self::Unreadable(format!("{what}: {error}")),
                other => Self::Unclear(format!("{what}: {}", with_causes(other))),
            };
        };
        let text = format!("{what}: {} ({} {})", status.message, status.code, status.reason);
        match status.code {
            404 => Self::NotFound(text),
            401 | 403 => Self::Denied(text),
            409 => Self::Conflict(text),
            410 => Self::TooOld(text),
            400 | 405 | 406 | 413 | 415 | 422 => Self::Refused(text),
            _ => Self::Unclear(text),
        }
    }
    /// There was no answer for so long that it is not waited for any more.
    pub(super) fn late(what: &str) -> Self {
        Self::Unclear(format!("{what}: no answer from the API server within {} s", PATIENCE.as_secs()))
    }
    /// The same as an answer to a question of the engine.
    pub fn unknown(&self) -> Unknown {
        let text = self.to_string();
        match self {
            Self::NotFound(_) => Unknown::NotFound(text),
            Self::Denied(_) => Unknown::Denied(text),
            Self::Unreadable(_) => Unknown::Unreadable(text),
            Self::Conflict(_) | Self::Refused(_) | Self::TooOld(_) | Self::Unclear(_) => Unknown::Unreachable(text),
        }
    }
}

/// An error and all its causes in one line.
pub(super) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text = format!("{text}: {inner_text}");
        }
        cause = inner.source();
    }
    text
}
