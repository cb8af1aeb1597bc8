//! Who parses: the async thread itself, threads of rayon, or worker processes.

use crate::page::{Input, Parse, Parsed};
use anyhow::Context;
use common::Recorded;
use process_pool::{Limit, ProcessPool, child::Program};
use rayon::{ThreadPool, ThreadPoolBuilder};
use std::{num::NonZeroUsize, process::Command, time::Duration};
use tokio::{sync::oneshot, task};
use tracing::info_span;

/// Who parses, and what with.
#[derive(Debug)]
pub enum Parser {
    /// The thread that runs the tasks, between two looks at the network.
    Inline(&'static Parse),
    /// A rayon pool of threads.
    Rayon(&'static Parse, ThreadPool),
    /// Worker processes; one of them is killed when it is the turn of this page.
    Processes(ProcessPool<Input, Parsed>, Option<u64>),
}

impl Parser {
    /// Starts what is called `inline`, `rayon` or `processes` (of `program`), with so many workers.
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
        if way == "inline" {
            return Ok(Self::Inline(parse));
        }
        if way == "rayon" {
            let threads = ThreadPoolBuilder::new().num_threads(workers.get());
            let threads = threads.thread_name(|index| format!("parser {}", index + 1));
            return Ok(Self::Rayon(parse, threads.build()?));
        }
        let pool = parse.pool_builder().program(program).workers(workers);
        // A page of some kilobytes can be made to take minutes, or gigabytes. A process that takes too much is
        // killed, and only its page fails. A thread cannot be killed.
        let pool = pool.timeout(Duration::from_secs(10));
        let pool = pool.resource_limit(Limit::MemoryBytes(512 << 20));
        // A worker that is killed by somebody else costs no page.
        let pool = pool.retries(1).recorded().start()?;
        Ok(Self::Processes(pool, kill_at))
    }

    /// Parses one page; only [`Inline`](Self::Inline) keeps the calling thread busy with it.
    ///
    /// # Errors
    /// The worker has no result.
    pub async fn parse(&self, page: Input) -> anyhow::Result<Parsed> {
        match self {
            Self::Inline(parse) => {
                // Lets the other tasks have a turn before every page, not only before the first.
                task::yield_now().await;
                Ok(info_span!("parse").in_scope(|| parse.run_here(page)))
            }
            Self::Rayon(parse, threads) => {
                let ((tx, rx), parse) = (oneshot::channel(), *parse);
                let parse = move || info_span!("parse").in_scope(|| parse.run_here(page));
                threads.spawn(move || drop(tx.send(parse())));
                rx.await.context("the parser panicked")
            }
            Self::Processes(pool, kill_at) => {
                let task = pool.submit_async(page).await;
                if *kill_at == Some(pool.ledger().submitted) {
                    let ids = pool.worker_ids().into_iter().take(1);
                    let ids = ids.map(|id| id.to_string());
                    Command::new("kill").arg("-KILL").args(ids).status()?;
                }
                Ok(task.await?)
            }
        }
    }
}
