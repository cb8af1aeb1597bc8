//! The pages behind a server, and what each row does with them.

use super::pages::Pages;
use anyhow::ensure;
use futures_util::{StreamExt, TryStreamExt, stream};
use lab_10_hybrid_pipeline::{
    Crawl, Outcome, crawl_streaming, crawl_with_barrier,
    page::{Input, Parsed},
    workers::Parser,
};
use process_pool::child::Program;
use std::{num::NonZeroUsize, thread, time::Duration};
use tokio::runtime::{Builder, Runtime};
use web::{Page, Server, ServerConfig, Url, async_client, get_async};

const TIMEOUT: Duration = Duration::from_secs(10);

/// As the lesson's flags are by default.
const IN_FLIGHT: usize = 8;
const QUEUE: usize = 32;

pub(super) struct Site {
    pub(super) pages: Pages,
    /// As many as there are CPUs.
    pub(super) workers: NonZeroUsize,
    urls: Vec<Url>,
    client: web::AsyncClient,
    runtime: Runtime,
    /// Lives as long as a row that asks it.
    _server: Server,
}

impl Site {
    pub(super) fn open(pages: Pages) -> anyhow::Result<Self> {
        let config = ServerConfig {
            files: Some(pages.folder().to_owned()),
            ..ServerConfig::default()
        };
        let server = Server::start(&Program::this(), config)?;
        let workers = thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        Ok(Self {
            urls: pages.urls(&server),
            client: async_client(TIMEOUT),
            runtime: Builder::new_current_thread().enable_all().build()?,
            workers,
            _server: server,
            pages,
        })
    }

    /// So many pages to parse, which are in memory.
    pub(super) fn inputs(&self, count: usize) -> Vec<Input> {
        let inputs = self.pages.inputs();
        inputs.iter().cycle().take(count).cloned().collect()
    }

    /// Parses as many at once as the pipelines do; returns how many pages that were.
    pub(super) fn parse(&self, pages: Vec<Input>, parser: &Parser) -> anyhow::Result<usize> {
        let parsing = stream::iter(pages).map(|page| parser.parse(page));
        let parsing = parsing.buffer_unordered(2 * self.workers.get());
        let parsed: Vec<Parsed> = self.runtime.block_on(parsing.try_collect())?;
        Ok(parsed.len())
    }

    /// As many in flight as the pipelines have, and nothing done with them.
    pub(super) fn fetch(&self) -> anyhow::Result<Vec<Page>> {
        let urls = stream::iter(&self.urls);
        let pages = urls.map(|url| get_async(&self.client, url));
        let pages = pages.buffer_unordered(IN_FLIGHT).try_collect();
        Ok(self.runtime.block_on(pages)?)
    }

    /// The lesson's functions.
    pub(super) fn crawl(&self, parser: &Parser, has_barrier: bool) -> Vec<Outcome> {
        let crawl = Crawl {
            client: self.client.clone(),
            parser,
            in_flight: IN_FLIGHT,
            queue: QUEUE,
            at_parser: 2 * self.workers.get(),
        };
        match has_barrier {
            true => (self.runtime).block_on(crawl_with_barrier(&crawl, &self.urls)),
            false => self.runtime.block_on(crawl_streaming(&crawl, &self.urls)),
        }
    }

    pub(super) fn check(&self, crawled: &[Outcome]) -> anyhow::Result<()> {
        let answers = &self.pages.answers;
        ensure!(crawled.len() == answers.len(), "pages are missing");
        for (page, answer) in crawled.iter().zip(answers) {
            let is_right =
                matches!(page, Ok((title, links, _)) if (title, links) == (&answer.0, &answer.1));
            ensure!(is_right, "a wrong answer: {page:?}");
        }
        Ok(())
    }
}
