//! The pages behind a server, and what each row does with them.

use super::pages::Pages;
use anyhow::{Context, ensure};
use futures_util::{StreamExt, TryStreamExt, stream};
use lab_10_hybrid_pipeline::{
    Limits, Start, crawl_streaming, crawl_with_barrier,
    frontier::{Outcome, PageReport},
    parse::{PageInput, Parsed, Reading},
    workers::Parser,
};
use process_pool::child::Program;
use std::{num::NonZeroUsize, thread, time::Duration};
use tokio::runtime::{Builder, Runtime};
use web::{Page, Server, ServerConfig, async_client, get_async};

const TIMEOUT: Duration = Duration::from_secs(10);

/// As the lesson's flags are by default.
const IN_FLIGHT: NonZeroUsize = NonZeroUsize::new(8).expect("8 is not zero");
const QUEUE: NonZeroUsize = NonZeroUsize::new(32).expect("32 is not zero");

pub(super) struct Site {
    pub(super) pages: Pages,
    /// As many as there are CPUs.
    pub(super) workers: NonZeroUsize,
    start: Start,
    limits: Limits,
    client: web::AsyncClient,
    runtime: Runtime,
    /// Lives as long as a row that asks it.
    _server: Server,
}

impl Site {
    pub(super) fn open(pages: Pages, reading: Reading) -> anyhow::Result<Self> {
        let config = ServerConfig {
            files: Some(pages.folder().to_owned()),
            ..ServerConfig::default()
        };
        let server = Server::with(&Program::this(), config)?;
        let count = NonZeroUsize::new(pages.len()).context("there are no pages")?;
        let workers = thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        Ok(Self {
            start: Start {
                urls: pages.urls(&server),
                pages: count,
                reading,
            },
            limits: Limits {
                in_flight: IN_FLIGHT,
                queue: QUEUE,
                at_parser: workers.saturating_add(workers.get()),
                batch: count,
            },
            client: async_client(TIMEOUT),
            runtime: Builder::new_current_thread().enable_all().build()?,
            workers,
            _server: server,
            pages,
        })
    }

    /// So many pages to parse, which are in memory.
    pub(super) fn inputs(&self, count: usize) -> Vec<PageInput> {
        let inputs = self.pages.inputs(self.start.reading);
        inputs.iter().cycle().take(count).cloned().collect()
    }

    /// Parses as many at once as the pipelines do; returns how many pages that were.
    pub(super) fn parse(&self, pages: Vec<PageInput>, parser: &Parser) -> anyhow::Result<usize> {
        let parsing = stream::iter(pages).map(|page| parser.parse(page));
        let parsing = parsing.buffer_unordered(self.limits.at_parser.get());
        let parsed: Vec<Parsed> = self.runtime.block_on(parsing.try_collect())?;
        Ok(parsed.len())
    }

    /// As many in flight as the pipelines have, and nothing done with them.
    pub(super) fn fetch(&self) -> anyhow::Result<Vec<Page>> {
        let urls = stream::iter(&self.start.urls);
        let pages = urls.map(|url| get_async(&self.client, url));
        let pages = pages.buffer_unordered(IN_FLIGHT.get()).try_collect();
        Ok(self.runtime.block_on(pages)?)
    }

    /// The lesson's functions.
    pub(super) fn crawl(&self, parser: &Parser, has_barrier: bool) -> Vec<PageReport> {
        let Self {
            client,
            start,
            limits,
            ..
        } = self;
        if has_barrier {
            let crawl = crawl_with_barrier(client, start, parser, limits);
            self.runtime.block_on(crawl)
        } else {
            let crawl = crawl_streaming(client, start, parser, limits);
            self.runtime.block_on(crawl)
        }
    }

    pub(super) fn check(&self, crawled: &[PageReport]) -> anyhow::Result<()> {
        let answers = &self.pages.answers;
        ensure!(crawled.len() == answers.len(), "pages are missing");
        for (page, answer) in crawled.iter().zip(answers) {
            let found = match &page.outcome {
                Outcome::Parsed { parsed, .. } => Some((&parsed.title, &parsed.links)),
                Outcome::Skipped(_) | Outcome::Failed(_) => None,
            };
            let is_right = found == Some((&answer.0, &answer.1));
            ensure!(is_right, "a wrong answer: {page:?}");
        }
        Ok(())
    }
}
