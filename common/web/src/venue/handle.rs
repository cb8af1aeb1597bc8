//! The parent's side of the venue: open it, ask what it counted, never leave it behind.

use super::{Answer, Ask, Counts, GREETING, Market, ROLE, Request};
use process_pool::child::{Child, LinkReceiver, LinkSender, Program};
use std::{
    io::{self, BufRead, BufReader, Write},
    net::{SocketAddr, TcpStream},
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// How long the venue may take to open, or to answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// The venue at work; it ends when this handle is dropped.
pub struct Venue {
    address: SocketAddr,
    admin: Mutex<BufReader<TcpStream>>,
    _child: Child,
    // The venue ends when its link closes.
    _link: (LinkSender, LinkReceiver),
}

impl Venue {
    /// Starts the venue as a child of this program.
    ///
    /// # Errors
    /// It does not start or cannot listen.
    pub fn open(program: &Program, market: &Market) -> io::Result<Self> {
        let (child, link) = Child::start(program, ROLE).map_err(io::Error::other)?;
        let (mut sender, mut receiver) = link.split();
        sender.send(market)?;
        receiver.set_timeout(Some(PATIENCE));
        let address = match receiver.receive::<Result<SocketAddr, String>>()? {
            Some(Ok(address)) => address,
            Some(Err(reason)) => return Err(no_venue(reason)),
            None => return Err(no_venue("it has ended")),
        };
        // Kept for good: where descriptors run out, no other could be had later.
        let stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut admin = BufReader::new(stream);
        let mut greeting = String::new();
        admin.read_line(&mut greeting)?;
        if greeting.trim_end() != GREETING {
            return Err(no_venue(format!("it said `{greeting}`")));
        }
        Ok(Self {
            address,
            admin: Mutex::new(admin),
            _child: child,
            _link: (sender, receiver),
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Has it count from zero; it answers nothing before `bell` requests have arrived.
    ///
    /// # Errors
    /// It does not answer.
    pub fn begin(&self, bell: usize) -> io::Result<()> {
        self.administer(Ask::Begin(bell as u64)).map(drop)
    }

    /// What it saw since it began to count.
    ///
    /// # Errors
    /// It does not answer.
    pub fn counts(&self) -> io::Result<Counts> {
        match self.administer(Ask::Counts)? {
            Answer::Counts(counts) => Ok(counts),
            answer => Err(no_venue(format!("it said {answer:?}"))),
        }
    }

    fn administer(&self, ask: Ask) -> io::Result<Answer> {
        // A panic in between leaves nothing half done that the next line would not show.
        let mut admin = self.admin.lock().unwrap_or_else(PoisonError::into_inner);
        let request = Request { id: 0, ask };
        admin.get_mut().write_all(request.line().as_bytes())?;
        let mut answer = String::new();
        admin.read_line(&mut answer)?;
        Answer::to(&request, &answer)
    }
}

fn no_venue(reason: impl Into<String>) -> io::Error {
    io::Error::other(format!("the venue does not open: {}", reason.into()))
}
