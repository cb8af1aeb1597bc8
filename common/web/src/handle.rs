//! The parent's side of the server: start it, ask what it saw, never leave it behind.

use super::{
    FetchError, ServerConfig, Url, Witness, blocking::request, blocking_agent, server, under,
};
use process_pool::child::{Child, Exit, Link, LinkReceiver, LinkSender, Program, StartError};
use std::{
    io,
    net::SocketAddr,
    sync::{Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};
use ureq::Agent;

/// How long the server may take to say where it listens, or to answer for its counts.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why the lab's server is not there.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// Its process did not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// Its process has ended.
    #[error("the lab's server has ended with {exit}; run again, and look for what it printed")]
    Ended {
        /// How it ended.
        exit: Exit,
    },
    /// It could not listen where it was told to.
    #[error("the lab's server cannot start: {reason}")]
    Refused {
        /// Its own word.
        reason: String,
    },
    /// It runs but does not answer.
    #[error("the lab's server does not answer: {reason}")]
    Silent {
        /// What happened instead.
        reason: String,
    },
}

/// The lab's web server at work; it ends when this handle is dropped.
#[derive(Debug)]
pub struct Server {
    base_url: Url,
    agent: Agent,
    home: Home,
}

#[derive(Debug)]
enum Home {
    Process {
        child: Mutex<Child>,
        /// The server lives as long as both halves are open.
        _link: (LinkSender, LinkReceiver),
    },
    Thread {
        _thread: server::ServerThread,
    },
}

impl Server {
    /// Starts this program again as the server, without faults.
    ///
    /// # Errors
    /// [`ServerError`] when the process does not start or cannot listen.
    pub fn start() -> Result<Self, ServerError> {
        Self::with(&Program::this(), ServerConfig::default())
    }

    /// Starts `program` as the server with this configuration.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn with(program: &Program, config: ServerConfig) -> Result<Self, ServerError> {
        let (mut child, link) = Child::start(program, server::ROLE)?;
        let (link, address) = match shake_hands(link, &config) {
            Ok(Some((link, answer))) => {
                let address = answer.map_err(|reason| ServerError::Refused { reason })?;
                (link, address)
            }
            Ok(None) => {
                let exit = child.wait_or_kill(Duration::from_secs(1));
                return Err(ServerError::Ended { exit });
            }
            Err(error) => {
                return Err(match ended_within(&mut child, Duration::from_millis(200)) {
                    Some(exit) => ServerError::Ended { exit },
                    None => silent(error),
                });
            }
        };
        let child = Mutex::new(child);
        Ok(Self::at(address, Home::Process { child, _link: link }))
    }

    /// Runs the server on a thread of this process: for tests, and for `lab-server`.
    ///
    /// It listens at `port` of 127.0.0.1, or at a free one if that is 0.
    ///
    /// # Errors
    /// [`ServerError::Refused`] when the port is taken or the directory of files is not there.
    pub fn in_process(port: u16, config: ServerConfig) -> Result<Self, ServerError> {
        let thread = server::ServerThread::start(port, config)
            .map_err(|reason| ServerError::Refused { reason })?;
        Ok(Self::at(thread.address(), Home::Thread { _thread: thread }))
    }

    fn at(address: SocketAddr, home: Home) -> Self {
        Self {
            base_url: Url::parse(&format!("http://{address}/")).expect("an address makes a URL"),
            agent: blocking_agent(PATIENCE),
            home,
        }
    }

    /// Where it listens, such as `http://127.0.0.1:41234/`.
    pub fn base_url(&self) -> &Url {
        &self.base_url
    }

    /// The URL of a path on it: `server.url("page/3?size=2000")`.
    pub fn url(&self, path: &str) -> Url {
        under(&self.base_url, path)
    }

    /// The id of the process it runs in.
    pub fn id(&self) -> u32 {
        match &self.home {
            Home::Process { child, .. } => {
                child.lock().unwrap_or_else(PoisonError::into_inner).id()
            }
            Home::Thread { .. } => std::process::id(),
        }
    }

    /// How its process ended, or `None` while it runs.
    pub fn ended(&self) -> Option<Exit> {
        match &self.home {
            Home::Process { child, .. } => {
                let mut child = child.lock().unwrap_or_else(PoisonError::into_inner);
                child.try_wait()
            }
            Home::Thread { .. } => None,
        }
    }

    /// Zeroes its counts, and lets its faults begin anew.
    ///
    /// # Errors
    /// [`ServerError`] when it does not answer.
    pub fn begin_run(&self) -> Result<(), ServerError> {
        let url = self.url("witness/begin");
        let answer = self.agent.post(url.as_str()).send_empty();
        match answer {
            Ok(answer) if answer.status().is_success() => Ok(()),
            Ok(answer) => Err(silent(answer.status())),
            Err(error) => Err(self.why(error)),
        }
    }

    /// What it saw since [`begin_run`](Self::begin_run).
    ///
    /// # Errors
    /// [`ServerError`] when it does not answer.
    pub fn witness(&self) -> Result<Witness, ServerError> {
        let page = request(&self.agent, &self.url("witness")).map_err(|error| match error {
            // The way out of a fetch's own time-out would mislead here.
            FetchError::Timeout { after, .. } => self.why(format!(
                "nothing came in {}; it may be stopped, or out of open files (`ulimit -n`)",
                format_args!("{after:?}")
            )),
            error => self.why(error),
        })?;
        serde_json::from_slice(&page.body).map_err(silent)
    }

    /// A silence is explained by an end, if there was one: its connections break a little earlier.
    fn why(&self, error: impl ToString) -> ServerError {
        let exit = match &self.home {
            Home::Process { child, .. } => {
                let mut child = child.lock().unwrap_or_else(PoisonError::into_inner);
                ended_within(&mut child, Duration::from_millis(200))
            }
            Home::Thread { .. } => None,
        };
        exit.map_or_else(|| silent(error), |exit| ServerError::Ended { exit })
    }
}

fn silent(reason: impl ToString) -> ServerError {
    ServerError::Silent {
        reason: reason.to_string(),
    }
}

type Halves = (LinkSender, LinkReceiver);

/// Sends the configuration and waits for the address; `None` when the child hung up.
fn shake_hands(
    link: Link,
    config: &ServerConfig,
) -> io::Result<Option<(Halves, Result<SocketAddr, String>)>> {
    let (mut sender, mut receiver) = link.split();
    sender.send(config)?;
    receiver.set_timeout(Some(PATIENCE));
    let answer = receiver.receive()?;
    receiver.set_timeout(None);
    Ok(answer.map(|answer| ((sender, receiver), answer)))
}

fn ended_within(child: &mut Child, limit: Duration) -> Option<Exit> {
    let deadline = Instant::now() + limit;
    loop {
        let exit = child.try_wait();
        if exit.is_some() || Instant::now() >= deadline {
            return exit;
        }
        thread::sleep(Duration::from_millis(1));
    }
}
