//! An FX venue in a process of its own: it quotes, fills orders, and counts what it sees.
//!
//! A line of JSON each way, over TCP on 127.0.0.1 and a port that the system chooses. Every quote is held
//! back for its latency; in a run with a bell, nothing is answered before as many requests have arrived as
//! the bell waits for.

mod market;
mod serve;

pub use market::{Market, Pair};
pub use serve::VENUE;

use super::{ServerError, Witness, service::Served};
use process_pool::child::Program;
use serde::{Deserialize, Serialize};
use std::{io, net::SocketAddr};

/// What the venue says first on every connection.
pub const GREETING: &str = "READY";

/// Room for the longest line. A reader's usual 8 KiB would cost 80 MB at 10,000 connections, on
/// either side, and hide what a thread and a task cost.
pub const LINE_BYTES: usize = 128;

/// A question with its number, by which the venue draws price and latency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Its number.
    pub id: u64,
    /// The currencies that it is about.
    pub pair: Pair,
    /// An order at this price in points, which is filled at once; without one a quote is asked for, and the
    /// venue takes its time.
    pub buy_at: Option<u32>,
}

/// What the venue answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The number of the request.
    pub id: u64,
    /// The price in points: asked for, or paid.
    pub price: u32,
}

impl Request {
    /// The line for it, with its line break.
    pub fn line(&self) -> String {
        serde_json::to_string(self).expect("plain data") + "\n"
    }
}

impl Answer {
    /// The answer to `request` that a line is; an empty line is the end of the connection.
    ///
    /// # Errors
    /// The line is none, or the answer to something else.
    pub fn to(request: &Request, line: &str) -> io::Result<Self> {
        let error = match serde_json::from_str::<Self>(line) {
            Ok(answer) if answer.id == request.id => return Ok(answer),
            Ok(answer) => format!("answered request {} instead of {}", answer.id, request.id),
            Err(_) if line.is_empty() => {
                "closed the connection; has it enough of `ulimit -n`?".into()
            }
            Err(_) => format!("answered `{}`", line.trim_end()),
        };
        Err(io::Error::other(format!("the venue {error}")))
    }
}

/// The venue at work; it ends when this handle is dropped.
pub struct Venue {
    /// Where it listens.
    pub address: SocketAddr,
    /// What decides its answers.
    pub market: Market,
    served: Served,
}

impl Venue {
    /// Starts the venue as a child of this program.
    ///
    /// # Errors
    /// It does not start or cannot listen.
    pub fn open(program: &Program, market: Market) -> Result<Self, ServerError> {
        let (served, address) = Served::start(program, &VENUE, &market)?;
        Ok(Self {
            address,
            market,
            served,
        })
    }

    /// Has it count from zero; it answers nothing before `bell` requests have arrived.
    ///
    /// # Errors
    /// It does not answer.
    pub fn begin(&self, bell: usize) -> Result<(), ServerError> {
        self.served.ask(&Some(bell)).map(|_: Witness| ())
    }

    /// What it saw since it began to count.
    ///
    /// # Errors
    /// It does not answer.
    pub fn counts(&self) -> Result<Witness, ServerError> {
        self.served.ask(&None::<usize>)
    }
}
