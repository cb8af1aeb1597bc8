//! One line out, one line in: what clients and venue say to each other.

use crate::market::{Pair, Price, Quote};
use serde::Serialize;
use std::{fmt, io, net::SocketAddr, str::FromStr, time::Duration};

/// What the venue says first on every connection.
pub const GREETING: &str = "READY";

/// Room for the longest line. A reader's usual 8 KiB would cost 80 MB at 10,000 connections, on
/// either side, and hide what a thread and a task cost.
pub const LINE_BYTES: usize = 128;

/// What a client asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// A price; the venue takes its time.
    Quote(Pair),
    /// To buy at this price; the venue takes its time.
    Order(Pair, Price),
    /// The last price, at once.
    Tick(Pair),
}

/// A question with its number, by which the venue draws price and latency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// Its number.
    pub id: u64,
    /// What is asked for.
    pub ask: Ask,
}

/// What the venue answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// The price asked for.
    Price(u64, Quote),
    /// The order is done at this price.
    Filled(u64, Price),
    /// It cannot be done, and why.
    Rejected(String),
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = self.id;
        match self.ask {
            Ask::Quote(pair) => write!(f, "QUOTE {id} {pair}"),
            Ask::Order(pair, price) => write!(f, "ORDER {id} {pair} {price}"),
            Ask::Tick(pair) => write!(f, "TICK {id} {pair}"),
        }
    }
}

impl FromStr for Request {
    type Err = String;

    fn from_str(line: &str) -> Result<Self, String> {
        let words: Vec<&str> = line.split(' ').collect();
        let number = |text: &str| text.parse().map_err(|_| format!("`{text}` is no number"));
        let pair = |text: &str| text.parse().map_err(|why| format!("pair `{text}`: {why}"));
        let (id, ask) = match words[..] {
            ["QUOTE", id, name] => (number(id)?, Ask::Quote(pair(name)?)),
            ["TICK", id, name] => (number(id)?, Ask::Tick(pair(name)?)),
            ["ORDER", id, name, price] => {
                let price = price.parse().map_err(|why| format!("`{price}`: {why}"))?;
                (number(id)?, Ask::Order(pair(name)?, price))
            }
            _ => return Err(format!("`{line}` is no request")),
        };
        Ok(Self { id, ask })
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Price(id, Quote { bid, ask }) => write!(f, "PRICE {id} {bid} {ask}"),
            Self::Filled(id, price) => write!(f, "FILLED {id} {price}"),
            Self::Rejected(reason) => write!(f, "REJECTED {reason}"),
        }
    }
}

impl FromStr for Answer {
    type Err = ();

    fn from_str(line: &str) -> Result<Self, ()> {
        let words: Vec<&str> = line.split(' ').collect();
        let number = |text: &str| text.parse().map_err(|_| ());
        let price = |text: &str| text.parse().map_err(|_: String| ());
        match words[..] {
            ["PRICE", id, bid, ask] => {
                let (bid, ask) = (price(bid)?, price(ask)?);
                Ok(Self::Price(number(id)?, Quote { bid, ask }))
            }
            ["FILLED", id, at] => Ok(Self::Filled(number(id)?, price(at)?)),
            ["REJECTED", ..] => Ok(Self::Rejected(line["REJECTED ".len()..].to_owned())),
            _ => Err(()),
        }
    }
}

/// Whom to ask, and how long to wait for an answer.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Where the venue listens.
    pub address: SocketAddr,
    /// An answer that takes longer does not come.
    pub timeout: Duration,
}

/// Why a request has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// No connection was to be had.
    #[error("cannot connect to the venue at `{address}`: {reason}")]
    Connect {
        /// Where it was to be.
        address: SocketAddr,
        /// The system's word.
        reason: String,
        /// The system's number, by which limits are told.
        code: Option<i32>,
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
            code: error.raw_os_error(),
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
    let line = line.trim_end();
    let odd = || RequestError::Odd { line: line.into() };
    match line.parse().map_err(|()| odd())? {
        Answer::Rejected(_) => Err(odd()),
        Answer::Price(id, _) | Answer::Filled(id, _) if id != request.id => Err(odd()),
        answer => Ok(answer),
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
