//! Who parses: the async thread itself, threads of rayon, or worker processes.

use crate::page::{Input, Parse, Parsed};
use anyhow::Context;
use common::Recorded;
use process_pool::{ProcessPool, child::Program};
use rayon::{ThreadPool, ThreadPoolBuilder};
use std::{num::NonZeroUsize, process::Command, time::Duration};
use tokio::{sync::oneshot, task};

/// Who parses, and what with.
#[derive(Debug)]
pub enum Parser {
    /// The thread that runs the tasks, between two looks at the network.
    Inline(&'static Parse),
    /// A rayon pool of threads.
    Rayon(&'static Parse, ThreadPool),
    /// Worker processes; one of them is killed when it is the turn of this page.
    Processes(ProcessPool<Input, Result<Parsed, String>>, Option<u64>),
}

/// The names of these.
pub const WAYS: [&str; 3] = ["inline", "rayon", "processes"];

impl Parser {
    /// Starts one of [`WAYS`] with so many threads, or processes of `program`, of which one is killed at page
    /// `kill_at`.
    ///
    /// # Errors
    /// The system refuses a thread or a process.
    pub fn start(
        way: &str,
        parse: &'static Parse,
        workers: NonZeroUsize,
        program: Program,
        kill_at: Option<u64>,
    ) -> anyhow::Result<Self> {
        Ok(match way {
            "inline" => Self::Inline(parse),
            "rayon" => {
                let threads = ThreadPoolBuilder::new().num_threads(workers.get());
                let threads = threads.thread_name(|index| format!("parser {}", index + 1));
                Self::Rayon(parse, threads.build()?)
            }
            _ => {
                let pool = parse.pool_builder().program(program).workers(workers);
                // Only a page made for that takes so long. A worker that is lost costs no page.
                let pool = pool.timeout(Duration::from_secs(30)).retries(1).recorded();
                Self::Processes(pool.start()?, kill_at)
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
    pub async fn parse(&self, page: Input) -> anyhow::Result<Parsed> {
        let parsed = match self {
            Self::Inline(parse) => {
                // Lets the other tasks have a turn before every page, not only before the first.
                task::yield_now().await;
                parse_here(parse, page)
            }
            Self::Rayon(parse, threads) => {
                let ((tx, rx), parse) = (oneshot::channel(), *parse);
                threads.spawn(move || drop(tx.send(parse_here(parse, page))));
                rx.await.context("the parser panicked")?
            }
            Self::Processes(pool, kill_at) => {
                let task = pool.submit_async(page).await;
                let is_due = Some(pool.ledger().submitted) == *kill_at;
                for id in pool.worker_ids().iter().take(is_due.into()) {
                    let mut kill = Command::new("kill");
                    kill.args(["-KILL", &id.to_string()]).status()?;
                }
                task.await?
            }
        };
        parsed.map_err(anyhow::Error::msg)
    }
}

/// Puts it on the timeline of this process; workers record their tasks themselves.
#[tracing::instrument(name = "parse", skip_all)]
fn parse_here(parse: &Parse, page: Input) -> Result<Parsed, String> {
    parse.run_here(page)
}
