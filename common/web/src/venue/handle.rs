//! The parent's side of the venue: open it, ask what it counted, never leave it behind.

use super::{Answer, Ask, Counts, GREETING, ROLE, Request, VenueConfig};
use process_pool::child::{Child, Exit, LinkReceiver, LinkSender, Program, StartError};
use std::{
    io::{self, BufRead, BufReader, Write},
    net::{SocketAddr, TcpStream},
    sync::{Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

/// How long the venue may take to open, or to answer an admin line.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long after its connections broke the end of a process is looked for.
const DYING: Duration = Duration::from_secs(1);

/// Why the venue is not there.
#[derive(Debug, thiserror::Error)]
pub enum VenueError {
    /// Its process did not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// Its process has ended.
    #[error("the venue has ended with {exit}; run again")]
    Ended {
        /// How it ended.
        exit: Exit,
    },
    /// It could not listen.
    #[error("the venue cannot open: {reason}; close some programs and run again")]
    Refused {
        /// Its own word.
        reason: String,
    },
    /// It runs but does not answer.
    #[error("the venue does not answer: {reason}; run again")]
    Silent {
        /// What happened instead.
        reason: String,
    },
}

/// The venue at work; it ends when this handle is dropped.
pub struct Venue {
    address: SocketAddr,
    admin: Mutex<BufReader<TcpStream>>,
    child: Mutex<Child>,
    // The venue ends when its link closes.
    _link: (LinkSender, LinkReceiver),
}

impl Venue {
    /// Starts the venue as a child of this program.
    ///
    /// # Errors
    /// [`VenueError`] when it does not start or cannot listen.
    pub fn open(program: &Program, config: &VenueConfig) -> Result<Self, VenueError> {
        let (child, link) = Child::start(program, ROLE)?;
        let (mut sender, mut receiver) = link.split();
        sender.send(config).map_err(silent)?;
        receiver.set_timeout(Some(PATIENCE)).map_err(silent)?;
        let answer = receiver.receive::<Result<SocketAddr, String>>();
        let address = match answer.map_err(silent)? {
            Some(Ok(address)) => address,
            Some(Err(reason)) => return Err(VenueError::Refused { reason }),
            None => return Err(silent("it has ended before it opened")),
        };
        // Kept for good: where descriptors run out, no other could be had later.
        let admin = admin_line(address).map_err(silent)?;
        Ok(Self {
            address,
            admin: Mutex::new(admin),
            child: Mutex::new(child),
            _link: (sender, receiver),
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How its process ended, or `None` while it runs.
    ///
    /// A process that is dying gets a second: its connections break a little earlier.
    pub fn ended(&self) -> Option<Exit> {
        let deadline = Instant::now() + DYING;
        loop {
            let exit = lock(&self.child).try_wait();
            if exit.is_some() || Instant::now() >= deadline {
                return exit;
            }
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Has it count from zero; answers nothing before `bell` requests have arrived, if that is more
    /// than one.
    ///
    /// # Errors
    /// [`VenueError`] when it does not answer.
    pub fn begin(&self, bell: usize) -> Result<(), VenueError> {
        match self.administer(Ask::Begin(bell as u64))? {
            Answer::Begun => Ok(()),
            answer => Err(silent(format!("it said {answer:?}"))),
        }
    }

    /// What it saw since it began to count.
    ///
    /// # Errors
    /// [`VenueError`] when it does not answer.
    pub fn counts(&self) -> Result<Counts, VenueError> {
        match self.administer(Ask::Counts)? {
            Answer::Counts(counts) => Ok(counts),
            answer => Err(silent(format!("it said {answer:?}"))),
        }
    }

    fn administer(&self, ask: Ask) -> Result<Answer, VenueError> {
        let mut admin = lock(&self.admin);
        let mut answer = String::new();
        let line = Request { id: 0, ask }.line();
        let sent = admin.get_mut().write_all(line.as_bytes());
        match sent.and_then(|()| admin.read_line(&mut answer)) {
            Ok(length) if length > 0 => Answer::of_line(&answer).ok_or_else(|| silent(answer)),
            Ok(_) => Err(self.gone("it hung up")),
            Err(error) => Err(self.gone(error)),
        }
    }

    /// A silence is explained by an end, if there was one.
    fn gone(&self, reason: impl ToString) -> VenueError {
        let exit = self.ended();
        exit.map_or_else(|| silent(reason), |exit| VenueError::Ended { exit })
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic in between leaves nothing half done that the next line would not show.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn silent(reason: impl ToString) -> VenueError {
    VenueError::Silent {
        reason: reason.to_string(),
    }
}

fn admin_line(address: SocketAddr) -> io::Result<BufReader<TcpStream>> {
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut admin = BufReader::new(stream);
    let mut greeting = String::new();
    admin.read_line(&mut greeting)?;
    if greeting.trim_end() == GREETING {
        return Ok(admin);
    }
    Err(io::Error::other(format!("it greeted with `{greeting}`")))
}
