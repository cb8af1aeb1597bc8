//! The parent's side of the server: start it, ask what it saw, never leave it behind.

use super::{
    ServerConfig, ServerError, Url, Witness,
    server::{self, Lab},
    service::{Served, listen},
    under,
};
use process_pool::child::Program;
use std::{net::SocketAddr, process, sync::Arc, thread};
use tokio::runtime::Runtime;

/// The lab's web server at work; it ends when this handle is dropped.
#[derive(Debug)]
pub struct Server {
    base_url: Url,
    home: Home,
}

#[derive(Debug)]
enum Home {
    Process(Served),
    /// There until it is dropped.
    Thread(Option<Runtime>, Arc<Lab>),
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
        let (served, address) = Served::start(program, &server::SERVER, &config.checked()?)?;
        Ok(Self::at(address, Home::Process(served)))
    }

    /// Runs the server on a thread of this process: for tests, and for `lab-server`.
    ///
    /// It listens at `port` of 127.0.0.1, or at a free one if that is 0.
    ///
    /// # Errors
    /// [`ServerError::Refused`] when the port is taken or the directory of files is not there.
    pub fn in_process(port: u16, config: ServerConfig) -> Result<Self, ServerError> {
        let config = config.checked()?;
        let listening = listen(port).map_err(|reason| ServerError::Refused { reason });
        let (runtime, listener, address) = listening?;
        let lab = Lab::of(config);
        runtime.spawn(server::run(listener, lab.clone()));
        Ok(Self::at(address, Home::Thread(Some(runtime), lab)))
    }

    fn at(address: SocketAddr, home: Home) -> Self {
        Self {
            base_url: Url::parse(&format!("http://{address}/")).expect("an address makes a URL"),
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
            Home::Process(served) => served.id(),
            Home::Thread(..) => process::id(),
        }
    }

    /// Zeroes its counts, and lets its faults begin again.
    ///
    /// # Errors
    /// [`ServerError`] when it does not answer.
    pub fn begin_run(&self) -> Result<(), ServerError> {
        self.counts(true).map(drop)
    }

    /// What it saw since [`begin_run`](Self::begin_run).
    ///
    /// # Errors
    /// [`ServerError`] when it does not answer.
    pub fn witness(&self) -> Result<Witness, ServerError> {
        self.counts(false)
    }

    fn counts(&self, begins: bool) -> Result<Witness, ServerError> {
        match &self.home {
            Home::Process(served) => served.ask(&begins),
            Home::Thread(_, lab) => Ok(lab.counts.ask(begins)),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Home::Thread(runtime, _) = &mut self.home {
            let runtime = runtime.take();
            // Elsewhere, since a thread of another runtime may not wait for this one. A panic of the
            // server has been printed by the panic hook; a drop must not add another.
            let _ = thread::spawn(|| drop(runtime)).join();
        }
    }
}
