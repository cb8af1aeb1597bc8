//! What both sides say to the venue, and what can go wrong: one line out, one line in.

use std::{io, net::SocketAddr, time::Duration};
use web::venue::{Answer, GREETING, Request};

/// Whom to ask, and how long to wait for an answer.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Where the venue listens.
    pub address: SocketAddr,
    /// An answer that takes longer does not come.
    pub timeout: Duration,
}

/// Why a request has no answer.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum RequestError {
    /// No connection was to be had.
    #[error("cannot connect to the venue at `{address}`: {reason}")]
    Connect {
        /// Where it was to be.
        address: SocketAddr,
        /// The system's word.
        reason: String,
        /// What kind of error it was: not every one means that the venue is gone.
        kind: io::ErrorKind,
    },
    /// The venue hung up.
    #[error("the venue closed the connection before it answered")]
    Closed,
    /// No answer came in time.
    #[error("the venue did not answer within {} s; raise `--timeout`", timeout.as_secs_f64())]
    Silent {
        /// How long was waited.
        timeout: Duration,
    },
    /// The venue answered something else.
    #[error("the venue answered `{line}`")]
    Odd {
        /// What it said.
        line: String,
    },
}

/// What became of one request.
pub type Outcome = Result<Answer, RequestError>;

impl RequestError {
    /// A connection that did not come about.
    pub(crate) fn connect(target: &Target, error: &io::Error) -> Self {
        Self::Connect {
            address: target.address,
            reason: error.to_string(),
            kind: error.kind(),
        }
    }

    /// A connection that broke, or stayed silent.
    pub(crate) fn broken(target: &Target, error: &io::Error) -> Self {
        match error.kind() {
            // A socket with a read time-out says the one on Unix and the other on Windows.
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => Self::Silent {
                timeout: target.timeout,
            },
            _ => Self::Closed,
        }
    }
}

/// What a line that came says, with its line break; an empty one is the end of the connection.
pub(crate) fn understood(request: &Request, line: &str) -> Outcome {
    if line.is_empty() {
        return Err(RequestError::Closed);
    }
    match Answer::of_line(line) {
        Some(answer @ (Answer::Price(id, _) | Answer::Filled(id, _))) if id == request.id => {
            Ok(answer)
        }
        _ => Err(RequestError::Odd {
            line: line.trim_end().into(),
        }),
    }
}

/// Whether the line is the venue's greeting.
pub(crate) fn greeted(line: &str) -> Result<(), RequestError> {
    match line.trim_end() {
        GREETING => Ok(()),
        "" => Err(RequestError::Closed),
        line => Err(RequestError::Odd { line: line.into() }),
    }
}
