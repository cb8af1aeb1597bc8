//! Why a page could not be had, in the same words for both clients.

use std::{
    io::ErrorKind,
    time::{Duration, SystemTime},
};

use serde::{Serialize, Serializer};

/// Why a fetch failed; both clients use it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// Nothing listens at that port.
    #[error("cannot reach `{url}`: connection refused; is the server running?")]
    Refused {
        /// What was asked for.
        url: String,
    },
    /// The host's name has no address.
    #[error("cannot find the host of `{url}`; check its spelling and the network")]
    HostNotFound {
        /// What was asked for.
        url: String,
    },
    /// The answer was not complete in time.
    #[error(
        "no complete answer from `{url}` after {}; allow more with --timeout",
        secs(*after)
    )]
    Timeout {
        /// What was asked for.
        url: String,
        /// How long the client waited.
        after: Duration,
    },
    /// The server answered with an error of its own.
    #[error("`{url}` answered {}", status_phrase(*code, *retry_after))]
    Status {
        /// What was asked for.
        url: String,
        /// The HTTP status, 400–599.
        code: u16,
        /// How long the server asks to wait before the next try.
        retry_after: Option<Duration>,
    },
    /// The connection closed before the answer was complete.
    #[error("`{url}` closed the connection after {}; try again", progress(*got, *expected))]
    Cut {
        /// What was asked for.
        url: String,
        /// Bytes of the body that came.
        got: u64,
        /// Bytes the server had promised, if it had.
        expected: Option<u64>,
    },
    /// The other side reset the connection.
    #[error("`{url}` reset the connection; try again")]
    Reset {
        /// What was asked for.
        url: String,
    },
    /// The body is longer than the lab is ready to hold.
    #[error("`{url}` sends more than {limit} bytes, the limit for one page; fetch a smaller one")]
    TooLarge {
        /// What was asked for.
        url: String,
        /// The limit, in bytes.
        limit: u64,
    },
    /// The body is not text in the encoding it claims.
    #[error("`{url}` is not text in `{charset}` (byte {at}); treat it as bytes or read it lossily")]
    NotText {
        /// What was asked for.
        url: String,
        /// The encoding claimed or assumed.
        charset: String,
        /// Where the first bad byte stands, from 0.
        at: usize,
    },
    /// Anything else: TLS, too many redirects, an answer that is not HTTP.
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
            Self::Timeout { .. } | Self::Cut { .. } | Self::Reset { .. } => true,
            Self::Status { code, .. } => matches!(code, 408 | 429 | 500..=599),
            _ => false,
        }
    }

    /// How long the server asked to wait before the next try, if it did.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Status { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// The kind in one word, for tables and JSON: `timeout`, `status`, `cut`, …
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Refused { .. } => "refused",
            Self::HostNotFound { .. } => "host_not_found",
            Self::Timeout { .. } => "timeout",
            Self::Status { .. } => "status",
            Self::Cut { .. } => "cut",
            Self::Reset { .. } => "reset",
            Self::TooLarge { .. } => "too_large",
            Self::NotText { .. } => "not_text",
            Self::Other { .. } => "other",
        }
    }
}

/// How far a request had come when it failed: what the mapping needs besides the error itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct Progress<'a> {
    pub(super) url: &'a str,
    pub(super) elapsed: Duration,
    pub(super) got: u64,
    pub(super) expected: Option<u64>,
}

impl Progress<'_> {
    pub(super) fn timeout(self) -> FetchError {
        FetchError::Timeout {
            url: self.url.into(),
            after: self.elapsed,
        }
    }

    pub(super) fn host_not_found(self) -> FetchError {
        FetchError::HostNotFound {
            url: self.url.into(),
        }
    }

    pub(super) fn cut(self) -> FetchError {
        FetchError::Cut {
            url: self.url.into(),
            got: self.got,
            expected: self.expected,
        }
    }

    pub(super) fn too_large(self) -> FetchError {
        FetchError::TooLarge {
            url: self.url.into(),
            limit: super::BODY_LIMIT_BYTES,
        }
    }

    pub(super) fn other(self, reason: impl ToString) -> FetchError {
        FetchError::Other {
            url: self.url.into(),
            reason: reason.to_string().replace('\n', " "),
        }
    }

    /// An error of the system below, which both clients hand through.
    pub(super) fn io(self, error: &std::io::Error) -> FetchError {
        let url = self.url.to_owned();
        match error.kind() {
            ErrorKind::ConnectionRefused => FetchError::Refused { url },
            ErrorKind::ConnectionReset
            | ErrorKind::ConnectionAborted
            | ErrorKind::BrokenPipe
            | ErrorKind::NotConnected => FetchError::Reset { url },
            ErrorKind::UnexpectedEof => self.cut(),
            ErrorKind::TimedOut | ErrorKind::WouldBlock => self.timeout(),
            _ if out_of_files(error) => self
                .other("too many open files; have fewer requests in flight, or raise `ulimit -n`"),
            _ => self.other(error),
        }
    }
}

/// Whether this process, or the whole system, may open no more files.
fn out_of_files(error: &std::io::Error) -> bool {
    #[cfg(unix)]
    {
        use nix::errno::Errno;
        let limits = [Errno::EMFILE, Errno::ENFILE].map(|limit| limit as i32);
        error
            .raw_os_error()
            .is_some_and(|code| limits.contains(&code))
    }
    #[cfg(not(unix))]
    {
        let _ = error;
        false
    }
}

/// Reads a `Retry-After` header: whole seconds, or a date from which `now` is taken.
pub(super) fn parse_retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<u32>() {
        return Some(Duration::from_secs(seconds.into()));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    Some(date.duration_since(now).unwrap_or(Duration::ZERO))
}

fn status_phrase(code: u16, retry_after: Option<Duration>) -> String {
    match (code, retry_after) {
        (_, Some(wait)) => format!("{code}; it asks to wait {:.0} s", wait.as_secs_f64()),
        (408 | 429 | 500..=599, None) => format!("{code}; try again later"),
        (401 | 403, None) => format!("{code}; it wants a permission this client has not"),
        _ => format!("{code}; check the path"),
    }
}

fn progress(got: u64, expected: Option<u64>) -> String {
    match expected {
        Some(expected) => format!("{got} of {expected} bytes"),
        None => format!("{got} bytes"),
    }
}

impl Serialize for FetchError {
    /// As its message.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

fn secs(time: Duration) -> String {
    format!("{:.2} s", time.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = SystemTime::UNIX_EPOCH;
        let seconds = |s| Some(Duration::from_secs(s));
        assert_eq!(parse_retry_after(" 7 ", now), seconds(7));
        let date = "Thu, 01 Jan 1970 00:00:30 GMT";
        assert_eq!(parse_retry_after(date, now), seconds(30));
        let later = now + Duration::from_secs(60);
        assert_eq!(parse_retry_after(date, later), seconds(0));
        assert_eq!(parse_retry_after("soon", now), None);
        assert_eq!(parse_retry_after("-1", now), None);
    }

    #[test]
    fn messages_name_the_url_and_a_way_out() {
        let url = String::from("http://127.0.0.1:9/a");
        let at = Progress {
            url: &url,
            elapsed: Duration::from_millis(1500),
            got: 5,
            expected: Some(10),
        };
        let refused = at.io(&ErrorKind::ConnectionRefused.into());
        assert_eq!(
            refused.to_string(),
            "cannot reach `http://127.0.0.1:9/a`: connection refused; is the server running?"
        );
        assert_eq!(
            at.cut().to_string(),
            "`http://127.0.0.1:9/a` closed the connection after 5 of 10 bytes; try again"
        );
        assert_eq!(
            at.timeout().to_string(),
            "no complete answer from `http://127.0.0.1:9/a` after 1.50 s; allow more with --timeout"
        );
        #[cfg(unix)]
        assert!(
            at.io(&std::io::Error::from(nix::errno::Errno::EMFILE))
                .to_string()
                .contains("`ulimit -n`")
        );
        assert!(!at.other("two\nlines").to_string().contains('\n'));
    }
}
