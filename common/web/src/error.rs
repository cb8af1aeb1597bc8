//! Why a page could not be had, in the same words for both clients.

use super::{BODY_LIMIT_BYTES, exchange::YEAR};
use serde::{Serialize, Serializer};
use std::time::Duration;

/// Why a fetch failed, with the URL that was asked for; both clients use it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// Nothing listens at that port.
    #[error("cannot reach `{0}`: connection refused; is the server running?")]
    Refused(String),
    /// The host's name has no address.
    #[error("cannot find the host of `{0}`; check its spelling and the network")]
    HostNotFound(String),
    /// The answer was not complete in time.
    #[error("no complete answer from `{url}` after {:.2} s; allow more with --timeout", after.as_secs_f64())]
    Timeout {
        /// What was asked for.
        url: String,
        /// How long the client waited.
        after: Duration,
    },
    /// The server answered with a status that is no page.
    #[error("`{url}` answered {}", status_phrase(*code, *retry_after))]
    Status {
        /// What was asked for.
        url: String,
        /// The HTTP status; not 2xx.
        code: u16,
        /// How long the server asks to wait before the next try.
        retry_after: Option<Duration>,
    },
    /// The connection closed before the answer was complete.
    #[error(
        "`{url}` closed the connection after {got}{} bytes; try again",
        expected.map_or_else(String::new, |all| format!(" of {all}"))
    )]
    Cut {
        /// What was asked for.
        url: String,
        /// Bytes of the body that came.
        got: u64,
        /// Bytes the server had promised, if it had.
        expected: Option<u64>,
    },
    /// The other side reset the connection.
    #[error("`{0}` reset the connection; try again")]
    Reset(String),
    /// The body is longer than the lab is ready to hold.
    #[error(
        "`{0}` sends more than {BODY_LIMIT_BYTES} bytes, the limit for one page; fetch a smaller one"
    )]
    TooLarge(String),
    /// Anything else: TLS, redirects that lead nowhere, a head too large, an answer that is not HTTP.
    #[error("cannot fetch `{url}`: {reason}")]
    Other {
        /// What was asked for.
        url: String,
        /// The client's word, in one line.
        reason: String,
    },
}

impl FetchError {
    /// Whether the same request may well succeed a moment later.
    ///
    /// True for time-outs, broken connections and the statuses 408, 429 and 5xx. A refused
    /// connection or an unknown host is wrong until somebody mends it.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Timeout { .. } | Self::Cut { .. } | Self::Reset(_) => true,
            Self::Status { code, .. } => matches!(code, 408 | 429 | 500..=599),
            _ => false,
        }
    }

    /// Whether the connection broke.
    pub(super) fn is_broken(&self) -> bool {
        matches!(self, Self::Cut { .. } | Self::Reset(_))
    }

    /// How long the server asked to wait before the next try, if it did; at most a year.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Status { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// The kind in one word, for tables and JSON: `timeout`, `status`, `cut`, …
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Refused(_) => "refused",
            Self::HostNotFound(_) => "host_not_found",
            Self::Timeout { .. } => "timeout",
            Self::Status { .. } => "status",
            Self::Cut { .. } => "cut",
            Self::Reset(_) => "reset",
            Self::TooLarge(_) => "too_large",
            Self::Other { .. } => "other",
        }
    }
}

fn status_phrase(code: u16, retry_after: Option<Duration>) -> String {
    let meaning = match code {
        _ if retry_after == Some(YEAR) => "it asks to wait a year or more",
        _ if let Some(wait) = retry_after => {
            &format!("it asks to wait {:.0} s", wait.as_secs_f64())
        }
        101 => "it changes the protocol, which nobody asked for",
        100..=199 => "an answer on the way, and no page",
        304 => "it sends nothing, for a copy that this client does not have",
        301 | 302 | 303 | 307 | 308 => "a redirect without a place to go to",
        300..=399 => "neither a page nor a redirect that can be followed",
        401 | 403 | 407 => "it wants a permission this client has not",
        408 | 429 | 500..=599 => "try again later",
        404 | 410 => "check the path",
        400..=499 => "it refuses such a request",
        _ => "no status of HTTP; is this a web server?",
    };
    format!("{code}; {meaning}")
}

impl Serialize for FetchError {
    /// As its message.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
