//! Lab 10: what parsing costs on one core, and how near a pipeline comes to it on all.

mod crawl;
mod one_core;
mod pages;
mod site;

pub(crate) use one_core::group as one_core;

use lab_10_hybrid_pipeline::page::{STREAM, TREE};
use side_by_side::{Group, Setting};

pub(crate) fn with_scraper(setting: &Setting) -> anyhow::Result<Group> {
    crawl::group(setting, &TREE, ("trees", 3))
}

pub(crate) fn with_stream(setting: &Setting) -> anyhow::Result<Group> {
    crawl::group(setting, &STREAM, ("streams of tags", 8))
}
