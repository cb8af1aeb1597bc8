//! The lesson's pipelines, from a server in a process of its own, beside parsing from memory with all
//! workers.

use super::{pages::Pages, site::Site};
use anyhow::ensure;
use lab_10_hybrid_pipeline::{page::Parse, workers::Parser};
use process_pool::child::Program;
use side_by_side::{Group, Row, Setting, Unit};
use std::{
    rc::Rc,
    time::{Duration, Instant},
};

/// What is quick is done more often: `crawls` times.
pub(super) fn group(
    setting: &Setting,
    parse: &'static Parse,
    (what, crawls): (&str, usize),
) -> anyhow::Result<Group> {
    let crawls = if setting.plan.is_test { 1 } else { crawls };
    let site = Rc::new(Site::open(Pages::choose(setting.plan.is_test)?)?);
    let (mut held, mut crawled) = (Vec::new(), Vec::new());
    // They are there before: what it takes to start them is a group of its own.
    for way in ["inline", "rayon", "processes"] {
        let parser = Parser::start(way, parse, site.workers, Program::this(), None)?;
        let parser = Rc::new(parser);
        let from_memory = || from_memory(&site, &parser);
        match &*parser {
            Parser::Inline(_) => {}
            Parser::Rayon(..) => held.push(Row::floor("from memory, rayon", from_memory())),
            Parser::Processes(..) => held.push(Row::ours("from memory, processes", from_memory())),
        }
        for (stages, has_barrier) in [("barrier", true), ("streaming", false)] {
            let work = crawl(&site, &parser, has_barrier);
            crawled.push(Row::ours(format!("{stages}, {way}"), work));
        }
    }
    held.insert(1, Row::floor("fetched, not parsed", fetch(&site)));
    let (pages, workers) = (site.pages.len(), site.workers);
    let rows = held.into_iter().chain(crawled);
    let rows = rows.map(|row| Ok(row.of((crawls * pages) as u64)));
    let title = format!("{pages} pages from a server, parsed to {what}; {workers} workers");
    let shared =
        "the server has the same CPUs as client and workers; from memory, workers have them alone";
    let prompt = "it answers at once: there is no waiting that a barrier could waste";
    Ok(Group::new(title, Unit::per_second("pages"), Vec::new())
        .with(rows)
        .noting([site.pages.note.clone(), shared.into(), prompt.into()]))
}

/// The bound: no page has to be waited for.
fn from_memory(
    site: &Rc<Site>,
    parser: &Rc<Parser>,
) -> impl FnMut(u64) -> anyhow::Result<Duration> + use<> {
    let (site, parser) = (Rc::clone(site), Rc::clone(parser));
    move |count| {
        let inputs = site.inputs(usize::try_from(count)?);
        let start = Instant::now();
        let parsed = site.parse(inputs, &parser)?;
        let took = start.elapsed();
        ensure!(parsed as u64 == count, "pages are missing");
        Ok(took)
    }
}

/// The other bound: no page is parsed.
fn fetch(site: &Rc<Site>) -> impl FnMut(u64) -> anyhow::Result<Duration> + use<> {
    let site = Rc::clone(site);
    move |count| {
        let mut took = Duration::ZERO;
        for _ in 0..crawls_of(&site, count)? {
            let start = Instant::now();
            let pages = site.fetch()?;
            took += start.elapsed();
            ensure!(pages.len() == site.pages.len(), "pages are missing");
        }
        Ok(took)
    }
}

fn crawl(
    site: &Rc<Site>,
    parser: &Rc<Parser>,
    has_barrier: bool,
) -> impl FnMut(u64) -> anyhow::Result<Duration> + use<> {
    let (site, parser) = (Rc::clone(site), Rc::clone(parser));
    move |count| {
        let mut took = Duration::ZERO;
        for _ in 0..crawls_of(&site, count)? {
            let start = Instant::now();
            let crawled = site.crawl(&parser, has_barrier);
            took += start.elapsed();
            site.check(&crawled)?;
        }
        Ok(took)
    }
}

/// Each crawl has all pages.
fn crawls_of(site: &Site, count: u64) -> anyhow::Result<usize> {
    Ok(usize::try_from(count)? / site.pages.len())
}
