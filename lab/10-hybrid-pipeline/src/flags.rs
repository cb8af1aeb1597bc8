//! The flags of this step.

use crate::source::SiteName;
use clap::Args;
use common::cli::{RoundsArgs, as_seconds, parse_workers, up_to};
use lab_10_hybrid_pipeline::{Limits, parse::Reading, workers::Way};
use network::{WebUrl, parse_delay, parse_timeout};
use serde::Serialize;
use std::{num::NonZeroUsize, time::Duration};
use web::Url;

/// What to crawl, and with what.
#[derive(Args, Serialize, Debug)]
pub(crate) struct PipelineArgs {
    /// Fetch this page (http or https); repeat the flag for several
    ///
    /// With --pages above the number of URLs, the links on them are followed too: breadth first, on
    /// the same host only, each page once.
    #[arg(long = "url", value_name = "URL", value_parser = WebUrl, conflicts_with = "site")]
    pub(crate) url: Vec<Url>,

    /// The site to crawl when no --url is given
    #[arg(long, value_name = "SITE", value_enum, default_value = "generated")]
    pub(crate) site: SiteName,

    /// Fetch at most this many pages [default: 48 generated, 500 of rust-docs, each --url]
    #[arg(
        long, visible_alias = "requests", value_name = "N", allow_negative_numbers = true,
        value_parser = up_to::<100_000>
    )]
    pub(crate) pages: Option<NonZeroUsize>,

    /// The size of a generated page, 1 to 8000000
    #[arg(
        long, value_name = "BYTES", default_value = "2000000", allow_negative_numbers = true,
        conflicts_with = "url",
        value_parser = up_to::<8_000_000>
    )]
    pub(crate) size: NonZeroUsize,

    /// Let the server hold each generated page back for this long, 0 to 60 seconds
    #[arg(
        long, value_name = "SECONDS", default_value = "0.05", value_parser = parse_delay,
        conflicts_with = "url",
        allow_negative_numbers = true
    )]
    #[serde(rename = "delay_s", serialize_with = "as_seconds")]
    pub(crate) delay: Duration,

    /// Give up on a page after this many seconds
    #[arg(
        long, value_name = "SECONDS", default_value = "10", value_parser = parse_timeout,
        allow_negative_numbers = true
    )]
    #[serde(rename = "timeout_s", serialize_with = "as_seconds")]
    pub(crate) timeout: Duration,

    /// Fetch this many pages at once
    #[arg(
        long, value_name = "N", default_value = "8", allow_negative_numbers = true,
        value_parser = up_to::<1_000>
    )]
    pub(crate) max_in_flight: NonZeroUsize,

    /// Parse with this many threads or processes [default: one per CPU]
    #[arg(long, value_name = "N", value_parser = parse_workers, allow_negative_numbers = true)]
    pub(crate) workers: Option<NonZeroUsize>,

    /// Let this many pages wait between the stages
    #[arg(
        long, value_name = "N", default_value = "32", allow_negative_numbers = true,
        value_parser = up_to::<100_000>
    )]
    pub(crate) queue: NonZeroUsize,

    /// Let the barrier fetch at most this many pages before it parses them
    #[arg(
        long, value_name = "N", default_value = "1000", allow_negative_numbers = true,
        value_parser = up_to::<100_000>
    )]
    pub(crate) batch: NonZeroUsize,

    /// Parse in this way only, with and without the barrier
    #[arg(long, value_name = "WAY", value_enum)]
    pub(crate) parse: Option<Way>,

    /// What to parse with
    #[arg(long, value_name = "PARSER", value_enum, default_value = "scraper")]
    pub(crate) parser: Reading,

    /// In the end, crawl once more in processes and kill one of them half-way
    #[arg(long)]
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) kill_worker: bool,

    #[command(flatten)]
    #[serde(flatten)]
    pub(crate) rounds: RoundsArgs,
}

impl PipelineArgs {
    /// The limits that follow from the flags, with `workers` parsers.
    pub(crate) fn limits(&self, workers: NonZeroUsize) -> Limits {
        Limits {
            in_flight: self.max_in_flight,
            queue: self.queue,
            // One in each worker, and one that each can take up without asking.
            at_parser: workers.saturating_add(workers.get()),
            batch: self.batch,
        }
    }
}
