//! The second stage: pages are parsed by three kinds of workers.

use crate::{
    crawl::Frontier,
    fetch::{Fetched, is_still_there},
    nesting::TooDeep,
    outcome::Outcome,
    parse::{PARSE, PageInput, Parsed, parse_page},
    words::{REASON_CHARS, harmless},
};
use common::{
    child::Program,
    http::Url,
    process_pool::{Ledger, ProcessPool, TaskError},
};
use futures_util::{StreamExt, stream};
use rayon::{ThreadPool, ThreadPoolBuilder};
use serde::Serialize;
use std::{num::NonZeroUsize, time::Duration};
use tokio::sync::{mpsc, oneshot};

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
    Processes(ProcessPool<PageInput, Result<Parsed, TooDeep>>),
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
                let builder = PARSE.pool_builder().program(program).timeout(PARSE_LIMIT);
                Self::Processes(builder.workers(workers).start()?)
            }
        })
    }

    /// Parses one page; only [`Inline`](Self::Inline) keeps the calling thread busy with it.
    ///
    /// # Errors
    /// The page is nested too deeply; the parser panicked; its process was lost more than once, or
    /// took too long.
    pub async fn parse(&self, page: PageInput) -> Result<Parsed, ParseError> {
        match self {
            Self::Inline => {
                let parsed = parse_here(page);
                // Lets the other tasks have a turn after every page, not only after the last.
                tokio::task::yield_now().await;
                parsed.map_err(ParseError::from)
            }
            Self::Rayon(threads) => {
                let (tx, rx) = oneshot::channel();
                // Nobody waits for it any more if this future was dropped.
                threads.spawn(move || drop(tx.send(parse_here(page))));
                let parsed = rx.await.map_err(|_| ParseError::Panicked)?;
                parsed.map_err(ParseError::from)
            }
            Self::Processes(pool) => {
                let parsed = pool.submit(page).await.map_err(ParseError::Lost)?;
                parsed.map_err(ParseError::from)
            }
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
fn parse_here(page: PageInput) -> Result<Parsed, TooDeep> {
    parse_page(page)
}

/// Why nothing came of a page at the parser.
#[derive(Debug)]
pub enum ParseError {
    /// The page is at fault, and all ways of parsing say so.
    TooDeep(TooDeep),
    /// A thread of this process panicked over it.
    Panicked,
    /// A worker process has no result.
    Lost(TaskError),
}

impl From<TooDeep> for ParseError {
    fn from(error: TooDeep) -> Self {
        Self::TooDeep(error)
    }
}

impl ParseError {
    /// What became of the page at `url`; one that is at fault itself is skipped.
    fn outcome(self, url: &Url) -> Outcome {
        let (kind, reason) = match self {
            Self::TooDeep(error) => return Outcome::skipped("nested", error.to_string()),
            Self::Panicked => ("panic", "the parser panicked".to_owned()),
            Self::Lost(error) => {
                let kind = match &error {
                    TaskError::Panicked { .. } => "panic",
                    TaskError::WorkerLost { .. } => "worker lost",
                    TaskError::TimedOut { .. } => "parse timeout",
                    _ => "pool",
                };
                (kind, harmless(&error.to_string(), REASON_CHARS))
            }
        };
        Outcome::failed(kind, format!("cannot parse `{url}`: {reason}"))
    }
}

/// Adds to `parsed` that its links are not followed, as the page came from elsewhere.
fn note_other_host(parsed: &mut Parsed, came_from: &Url) {
    let told = format!("from another host, `{came_from}`: its links are not followed");
    parsed.note = Some(match parsed.note.take() {
        Some(note) => format!("{note}; {told}"),
        None => told,
    });
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
        let is_off = !is_still_there(&target.url, &page.url);
        let input = PageInput {
            url: page.url,
            content_type: page.content_type,
            body: page.body,
            follow: frontier.has_room() && !is_off,
            reading: frontier.reading(),
        };
        let outcome = match parser.parse(input).await {
            Ok(mut parsed) => {
                if frontier.follows() && is_off {
                    note_other_host(&mut parsed, &came_from);
                }
                Outcome::Parsed {
                    parsed,
                    came_from,
                    length_bytes,
                    elapsed,
                }
            }
            Err(error) => error.outcome(&target.url),
        };
        drop(held);
        frontier.settle(target, outcome);
    });
    parsing.await;
}
