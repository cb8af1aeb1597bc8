//! Who parses: the executor's own thread, threads of rayon, or worker processes.

use crate::parse::{PageInput, Parsed, parse_page};
use anyhow::Context;
use common::Recorded;
use process_pool::{Ledger, ProcessPool, Worker, child::Program};
use rayon::{ThreadPool, ThreadPoolBuilder};
use serde::Serialize;
use std::{num::NonZeroUsize, time::Duration};
use tokio::sync::oneshot;

/// What a worker process does: parse one page.
pub const PARSE: Worker<PageInput, Result<Parsed, String>> = Worker::new("parse", parse_page);

/// A process that has parsed one page for so long is killed; only a page made for that gets there.
const PARSE_LIMIT: Duration = Duration::from_secs(30);

/// Which workers parse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Way {
    /// The executor's own thread, between two looks at the network
    Inline,
    /// A rayon pool of threads
    Rayon,
    /// Worker processes
    Processes,
}

/// Workers ready to parse.
#[derive(Debug)]
pub enum Parser {
    /// None: the executor's thread does it.
    Inline,
    /// Threads.
    Rayon(ThreadPool),
    /// Processes.
    Processes(ProcessPool<PageInput, Result<Parsed, String>>),
}

impl Parser {
    /// Starts `workers` workers; processes run `program`.
    ///
    /// # Errors
    /// The system refuses a thread or a process.
    pub fn start(way: Way, workers: NonZeroUsize, program: Program) -> anyhow::Result<Self> {
        Ok(match way {
            Way::Inline => Self::Inline,
            Way::Rayon => Self::Rayon(
                ThreadPoolBuilder::new()
                    .num_threads(workers.get())
                    .thread_name(|index| format!("parser {}", index + 1))
                    .build()
                    .with_context(|| format!("cannot start {workers} threads; ask for fewer"))?,
            ),
            Way::Processes => {
                let builder = PARSE.pool_builder().program(program).workers(workers);
                // A worker that is lost costs no page: it is parsed again.
                Self::Processes(builder.timeout(PARSE_LIMIT).retries(1).recorded().start()?)
            }
        })
    }

    /// Parses one page; only [`Inline`](Self::Inline) keeps the calling thread busy with it.
    ///
    /// # Errors
    /// The page meets a limit, or the worker process has no result.
    ///
    /// # Panics
    /// If the parser panics in this process.
    pub async fn parse(&self, page: PageInput) -> anyhow::Result<Parsed> {
        let parsed = match self {
            Self::Inline => {
                let parsed = parse_here(page);
                // Lets the other tasks have a turn after every page, not only after the last.
                tokio::task::yield_now().await;
                parsed
            }
            Self::Rayon(threads) => {
                let (tx, rx) = oneshot::channel();
                threads.spawn(move || drop(tx.send(parse_here(page))));
                rx.await.context("the parser panicked")?
            }
            Self::Processes(pool) => {
                let task = pool.submit_async(page).await;
                task.await?
            }
        };
        parsed.map_err(anyhow::Error::msg)
    }

    /// Ends the workers; returns the pool's counts, if they were processes.
    pub fn finish(self) -> Option<Ledger> {
        match self {
            Self::Inline | Self::Rayon(_) => None,
            Self::Processes(pool) => Some(pool.shutdown()),
        }
    }
}

/// [`parse_page`] on the timeline of this process; workers record their tasks themselves.
#[tracing::instrument(name = "parse", skip_all)]
fn parse_here(page: PageInput) -> Result<Parsed, String> {
    parse_page(page)
}
