//! The threads' side: `std::net`, and every wait blocks the thread that waits.

mod burst;
mod trade;

pub use burst::burst_with_threads;
pub use trade::trade_with_threads;

use crate::protocol::{Outcome, RequestError, Target, greeted, understood};
use std::{
    io::{self, BufRead, BufReader, Write},
    net::TcpStream,
};
use web::venue::{LINE_BYTES, Request};

/// A connection of one's own to the venue: one line out, one line in.
#[derive(Debug)]
pub struct Client<'a> {
    target: &'a Target,
    lines: BufReader<TcpStream>,
    line: String,
}

impl<'a> Client<'a> {
    /// Connects; the venue has yet to greet.
    fn open(target: &'a Target) -> Result<Self, RequestError> {
        let open = || {
            let stream = TcpStream::connect(target.address)?;
            stream.set_read_timeout(Some(target.timeout))?;
            Ok(stream)
        };
        let stream = open().map_err(|error| RequestError::connect(target, &error))?;
        Ok(Self {
            target,
            lines: BufReader::with_capacity(LINE_BYTES, stream),
            line: String::new(),
        })
    }

    /// Connects and waits to be greeted.
    ///
    /// # Errors
    /// The venue cannot be reached.
    pub fn connect(target: &'a Target) -> Result<Self, RequestError> {
        let mut client = Self::open(target)?;
        client.read_greeting()?;
        Ok(client)
    }

    fn read_greeting(&mut self) -> Result<(), RequestError> {
        let target = self.target;
        let line = self.read_line();
        greeted(line.map_err(|error| RequestError::broken(target, &error))?)
    }

    fn read_line(&mut self) -> io::Result<&str> {
        self.line.clear();
        self.lines.read_line(&mut self.line)?;
        Ok(&self.line)
    }

    /// Asks, and blocks this thread until the answer is there.
    ///
    /// # Errors
    /// The venue hung up, was silent for too long, or rejected the request.
    pub fn ask(&mut self, request: &Request) -> Outcome {
        let target = self.target;
        let sent = self.lines.get_mut().write_all(request.line().as_bytes());
        let line = sent.and_then(|()| self.read_line());
        understood(
            request,
            line.map_err(|error| RequestError::broken(target, &error))?,
        )
    }
}
