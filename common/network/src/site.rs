//! What a lesson fetches from, ready to be asked.

use crate::RequestArgs;
use common::{Ledger, Observer};
use measure::host::raise_open_files;
use process_pool::child::Program;
use std::num::NonZeroUsize;
use web::{Faults, Server, ServerConfig, ServerError, Url};

/// The URLs of a run and, if they are the lab's own, the server behind them.
#[derive(Debug)]
pub struct Site {
    /// The lab's server; `None` for hosts of the reader's choice.
    pub server: Option<Server>,
    /// What to fetch, in order.
    pub urls: Vec<Url>,
}

impl Site {
    /// Opens what `args` ask for, with `requests` URLs unless they say otherwise; the lab's server has these `faults`.
    ///
    /// # Errors
    /// [`ServerError`] when the lab's server is needed and does not start.
    pub fn open(
        args: &RequestArgs,
        requests: NonZeroUsize,
        faults: Option<Faults>,
    ) -> Result<Self, ServerError> {
        // A connection per request, and some systems allow only 256 open files at first.
        raise_open_files();
        let config = ServerConfig {
            faults,
            ..ServerConfig::default()
        };
        let start = || Server::with(&Program::this(), config);
        let server = args.needs_server().then(start).transpose()?;
        let urls = args.urls(server.as_ref(), requests);
        Ok(Self { server, urls })
    }
}

/// The ledger takes its in-flight peak and its connections from the lab's server.
impl Observer for Site {
    fn begin(&self) -> anyhow::Result<()> {
        Ok(self.server.as_ref().map_or(Ok(()), Server::begin_run)?)
    }

    fn counts(&self) -> anyhow::Result<Ledger> {
        let witness = self.server.as_ref().map(Server::witness).transpose()?;
        Ok(Ledger {
            peak_in_flight: witness.as_ref().map(|it| it.peak_in_flight),
            connections: witness.as_ref().map(|it| it.connections),
            ..Ledger::default()
        })
    }
}
