//! The parent's side of the server: start it, ask what it saw, never leave it behind.

use super::{
    FetchError, ServerConfig, ServerError, Url, Witness,
    blocking::request,
    blocking_agent, server,
    service::{PATIENCE, Served, listen},
    under,
};
use process_pool::child::Program;
use std::{
    net::SocketAddr,
    process,
    sync::{Mutex, PoisonError},
    thread,
};
use tokio::runtime::{Builder, Runtime};
use ureq::Agent;

/// The lab's web server at work; it ends when this handle is dropped.
#[derive(Debug)]
pub struct Server {
    base_url: Url,
    agent: Agent,
    home: Home,
}

#[derive(Debug)]
enum Home {
    Process(Mutex<Served>),
    /// There until it is dropped.
    Thread(Option<Runtime>),
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
        Ok(Self::at(address, Home::Process(Mutex::new(served))))
    }

    /// Runs the server on a thread of this process: for tests, and for `lab-server`.
    ///
    /// It listens at `port` of 127.0.0.1, or at a free one if that is 0.
    ///
    /// # Errors
    /// [`ServerError::Refused`] when the port is taken or the directory of files is not there.
    pub fn in_process(port: u16, config: ServerConfig) -> Result<Self, ServerError> {
        let config = config.checked()?;
        let refused = |reason| ServerError::Refused { reason };
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(1).thread_name("lab-server");
        let runtime = builder.enable_all().build();
        let runtime = runtime.map_err(|error| refused(error.to_string()))?;
        let (listener, address) = listen(&runtime, port).map_err(refused)?;
        runtime.spawn(server::run(listener, config));
        Ok(Self::at(address, Home::Thread(Some(runtime))))
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
            Home::Process(served) => served.lock().unwrap_or_else(PoisonError::into_inner).id(),
            Home::Thread(_) => process::id(),
        }
    }

    /// Zeroes its counts, and lets its faults begin again.
    ///
    /// # Errors
    /// [`ServerError`] when it does not answer.
    pub fn begin_run(&self) -> Result<(), ServerError> {
        let url = self.url("witness/begin");
        match self.agent.post(url.as_str()).send_empty() {
            Ok(answer) if answer.status().is_success() => Ok(()),
            Ok(answer) => Err(self.silent(answer.status())),
            Err(error) => Err(self.silent(error)),
        }
    }

    /// What it saw since [`begin_run`](Self::begin_run).
    ///
    /// # Errors
    /// [`ServerError`] when it does not answer.
    pub fn witness(&self) -> Result<Witness, ServerError> {
        let page = request(&self.agent, &self.url("witness")).map_err(|error| match error {
            // The way out of a fetch's own time-out would mislead here.
            FetchError::Timeout { after, .. } => self.silent(format_args!(
                "nothing came in {after:?}; it may be stopped, or out of open files (`ulimit -n`)"
            )),
            error => self.silent(error),
        })?;
        serde_json::from_slice(&page.body).map_err(|error| self.silent(error))
    }

    fn silent(&self, reason: impl ToString) -> ServerError {
        match &self.home {
            Home::Process(served) => {
                let mut served = served.lock().unwrap_or_else(PoisonError::into_inner);
                served.silent(reason)
            }
            Home::Thread(_) => ServerError::Silent {
                reason: reason.to_string(),
            },
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Home::Thread(runtime) = &mut self.home {
            let runtime = runtime.take();
            // Elsewhere, since a thread of another runtime may not wait for this one. A panic of the
            // server has been printed by the panic hook; a drop must not add another.
            let _ = thread::spawn(|| drop(runtime)).join();
        }
    }
}
