//! The second stage: pages are parsed by three kinds of workers.

use crate::{
    crawl::Frontier,
    fetch::{Fetched, PAGES, is_still_there},
    nesting::TooDeep,
    outcome::Outcome,
    parse::{PageInput, Parsed},
    parse_error::ParseError,
    shift::{PARSE, Shift, parse_in_shift},
};
use futures_util::{StreamExt, stream};
use process_pool::{Ledger, ProcessPool, child::Program};
use rayon::{ThreadPool, ThreadPoolBuilder};
use serde::Serialize;
use std::{num::NonZeroUsize, time::Duration};
use tokio::sync::{mpsc, oneshot};
use web::Url;

/// A process that has parsed one page for so long is killed; only a page made for that gets there.
const PARSE_LIMIT: Duration = Duration::from_secs(30);

/// Pages that may wait for each process.
const QUEUED_PER_WORKER: NonZeroUsize = NonZeroUsize::new(4).expect("4 is not zero");

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
    Processes(ProcessPool<PageInput, (Result<Parsed, TooDeep>, Shift)>),
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
                // Nobody gets so far ahead that memory grows with the number of pages.
                let builder = builder.queue_limit(workers.saturating_mul(QUEUED_PER_WORKER));
                Self::Processes(builder.workers(workers).start()?)
            }
        })
    }

    /// Parses one page; only [`Inline`](Self::Inline) keeps the calling thread busy with it.
    ///
    /// # Errors
    /// The page is nested too deeply; the parser panicked; its process was lost more than once, or
    /// took too long.
    pub async fn parse(&self, page: PageInput) -> Result<(Parsed, Shift), ParseError> {
        let (parsed, shift) = match self {
            Self::Inline => {
                let parsed = parse_here(page);
                // Lets the other tasks have a turn after every page, not only after the last.
                tokio::task::yield_now().await;
                parsed
            }
            Self::Rayon(threads) => {
                let (tx, rx) = oneshot::channel();
                // Nobody waits for it any more if this future was dropped.
                threads.spawn(move || drop(tx.send(parse_here(page))));
                rx.await.map_err(|_| ParseError::Panicked)?
            }
            Self::Processes(pool) => {
                let task = pool.submit_async(page).await;
                task.await.map_err(ParseError::Lost)?
            }
        };
        Ok((parsed?, shift))
    }

    /// Ends the workers; what became of the processes' tasks, if it was processes.
    pub fn finish(self) -> Option<Ledger> {
        match self {
            Self::Inline | Self::Rayon(_) => None,
            Self::Processes(pool) => Some(pool.shutdown()),
        }
    }
}

/// [`parse_in_shift`] on the timeline of this process; workers record their tasks themselves.
#[tracing::instrument(name = "parse", skip_all)]
pub(crate) fn parse_here(page: PageInput) -> (Result<Parsed, TooDeep>, Shift) {
    parse_in_shift(page)
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
    let pages = stream::poll_fn(|context| {
        let next = rx.poll_recv(context);
        if next.is_ready() {
            tracing::info!(queue = PAGES, depth = rx.len());
        }
        next
    });
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
            Ok((mut parsed, shift)) => {
                if frontier.follows() && is_off {
                    note_other_host(&mut parsed, &came_from);
                }
                Outcome::Parsed {
                    parsed: Box::new(parsed),
                    came_from,
                    length_bytes,
                    elapsed,
                    shift,
                }
            }
            Err(error) => error.outcome(&target.url),
        };
        drop(held);
        frontier.settle(target, outcome);
    });
    parsing.await;
}
