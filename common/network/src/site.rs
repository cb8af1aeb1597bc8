//! What a lesson fetches from, ready to be asked.

use crate::RequestArgs;
use measure::host::raise_open_files;
use process_pool::child::Program;
use std::num::NonZeroU32;
use web::{Server, ServerConfig, ServerError, Url, Witness};

/// The URLs of a run and, if they are the lab's own, the server behind them.
#[derive(Debug)]
pub struct Site {
    /// The lab's server; `None` for hosts of the reader's choice.
    pub server: Option<Server>,
    /// What to fetch, in order.
    pub urls: Vec<Url>,
}

/// Opens what `args` ask for, with `requests` URLs unless they say otherwise.
///
/// # Errors
/// [`ServerError`] when the lab's server is needed and does not start.
pub fn open_target(args: &RequestArgs, requests: NonZeroU32) -> Result<Site, ServerError> {
    Site::open(args, requests, ServerConfig::default())
}

impl Site {
    /// Opens what `args` ask for with a server of this configuration.
    ///
    /// # Errors
    /// As [`open_target`].
    pub fn open(
        args: &RequestArgs,
        requests: NonZeroU32,
        config: ServerConfig,
    ) -> Result<Self, ServerError> {
        // A connection per request, and some systems allow only 256 open files at first.
        raise_open_files();
        let server = args
            .needs_server()
            .then(|| Server::with(&Program::this(), config))
            .transpose()?;
        Ok(Self {
            urls: args.urls(server.as_ref(), requests),
            server,
        })
    }

    /// Sets the server's counts to zero; nothing to do for foreign hosts.
    ///
    /// # Errors
    /// [`ServerError`] when the lab's server does not answer.
    pub fn begin_run(&self) -> Result<(), ServerError> {
        self.server.as_ref().map_or(Ok(()), Server::begin_run)
    }

    /// What the server saw since [`begin_run`](Self::begin_run); `None` for foreign hosts.
    ///
    /// # Errors
    /// [`ServerError`] when the lab's server does not answer.
    pub fn witness(&self) -> Result<Option<Witness>, ServerError> {
        self.server.as_ref().map(Server::witness).transpose()
    }
}
