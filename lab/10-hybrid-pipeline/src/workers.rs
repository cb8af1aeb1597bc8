//! The second stage: pages are parsed by three kinds of workers.

use crate::{
    crawl::Frontier,
    fetch::Fetched,
    outcome::Outcome,
    parse::{PARSE, PageInput, Parsed, parse_page},
};
use common::{
    child::Program,
    process_pool::{Ledger, ProcessPool},
};
use futures_util::{StreamExt, stream};
use rayon::{ThreadPool, ThreadPoolBuilder};
use serde::Serialize;
use std::{fmt::Display, num::NonZeroUsize};
use tokio::sync::{mpsc, oneshot};

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
    Processes(ProcessPool<PageInput, Parsed>),
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
                    // A task that panics drops its end of the channel, and is reported by that.
                    .panic_handler(|_| {})
                    .build()
                    .map_err(|error| {
                        anyhow::anyhow!("cannot start {workers} threads: {error}; ask for fewer")
                    })?,
            ),
            Way::Processes => {
                let builder = PARSE.pool_builder().program(program);
                Self::Processes(builder.workers(workers).start()?)
            }
        })
    }

    /// Parses one page; only [`Inline`](Self::Inline) keeps the calling thread busy with it.
    ///
    /// # Errors
    /// Why there is no result: the parser panicked, or its process was lost more than once.
    pub async fn parse(&self, page: PageInput) -> Result<Parsed, String> {
        match self {
            Self::Inline => {
                let parsed = parse_here(page);
                // Lets the other tasks have a turn after every page, not only after the last.
                tokio::task::yield_now().await;
                Ok(parsed)
            }
            Self::Rayon(threads) => {
                let (tx, rx) = oneshot::channel();
                // Nobody waits for it any more if this future was dropped.
                threads.spawn(move || drop(tx.send(parse_here(page))));
                rx.await.map_err(|_| "the parser panicked".into())
            }
            Self::Processes(pool) => pool.submit(page).await.map_err(one_line),
        }
    }

    /// Ends the workers; what became of the processes' tasks, if it was processes.
    pub fn finish(self) -> Option<Ledger> {
        match self {
            Self::Inline | Self::Rayon(_) => None,
            Self::Processes(pool) => Some(pool.shutdown()),
        }
    }
}

/// [`parse_page`] on the timeline of this process; workers record their tasks themselves.
#[tracing::instrument(name = "parse", skip_all)]
fn parse_here(page: PageInput) -> Parsed {
    parse_page(page)
}

fn one_line(error: impl Display) -> String {
    error.to_string().replace('\n', " ")
}

/// Parses what comes through the channel, `at_once` pages at a time, until it closes.
pub async fn parse_pages(
    mut rx: mpsc::Receiver<Fetched<'_>>,
    parser: &Parser,
    frontier: &Frontier,
    at_once: NonZeroUsize,
) {
    let pages = stream::poll_fn(|context| rx.poll_recv(context));
    let parsing = pages.for_each_concurrent(at_once.get(), |fetched| async move {
        let Fetched { target, page, held } = fetched;
        let (came_from, length_bytes, elapsed) = (page.url.clone(), page.len(), page.elapsed);
        let input = PageInput {
            url: page.url,
            content_type: page.content_type,
            body: page.body,
            follow: frontier.follows(),
        };
        let outcome = match parser.parse(input).await {
            Ok(parsed) => Outcome::Parsed {
                parsed,
                came_from,
                length_bytes,
                elapsed,
            },
            Err(reason) => Outcome::failed(format!("cannot parse `{}`: {reason}", target.url)),
        };
        drop(held);
        frontier.settle(target, outcome);
    });
    parsing.await;
}
