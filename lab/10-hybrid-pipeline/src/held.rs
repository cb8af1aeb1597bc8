//! The second stage without the first: pages that are in memory already.

use crate::{
    parse::{PageInput, Reading},
    shift::Shifts,
    workers::{Parser, parse_here},
};
use rayon::iter::{IntoParallelIterator, ParallelIterator};
use reqwest::Client;
use web::{Url, get_async};

/// The most that the pages of a sample take up.
const MOST_BYTES: usize = 32 << 20;

/// Pages of a crawl, held in memory.
#[derive(Debug, Default)]
pub struct Sample {
    pages: Vec<PageInput>,
    length_bytes: usize,
}

impl Sample {
    /// Fetches these pages once more, one after the other; what does not come is left out.
    pub async fn fetch(client: &Client, urls: &[Url], reading: Reading) -> Self {
        let mut sample = Self::default();
        for url in urls {
            let Ok(page) = get_async(client, url).await else {
                continue;
            };
            if sample.length_bytes + page.len() > MOST_BYTES {
                break;
            }
            sample.length_bytes += page.len();
            sample.pages.push(PageInput {
                url: page.url,
                content_type: page.content_type,
                body: page.body,
                follow: false,
                reading,
            });
        }
        sample
    }

    /// How many pages there are.
    pub fn len(&self) -> usize {
        self.pages.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.pages.is_empty()
    }

    /// The length of all pages.
    pub fn length_bytes(&self) -> usize {
        self.length_bytes
    }

    /// As many pages as that, over and over; each is copied, as one that arrives is.
    fn repeated(&self, pages: usize) -> impl Iterator<Item = PageInput> {
        self.pages.iter().cycle().take(pages).cloned()
    }

    /// The sample, each page to be parsed with `reading`.
    pub fn to_be_read(&self, reading: Reading) -> impl Iterator<Item = PageInput> {
        self.repeated(self.len())
            .map(move |page| PageInput { reading, ..page })
    }
}

/// Parses `pages` pages of the sample with all workers at once; what that took, by their own word.
///
/// Nobody waits for a page here, so it bounds what the pipeline can do with the same workers.
pub fn parse_held(sample: &Sample, pages: usize, parser: &Parser) -> Shifts {
    let mut shifts = Shifts::default();
    match parser {
        Parser::Inline => {
            for page in sample.repeated(pages) {
                shifts.add(&parse_here(page).1);
            }
        }
        Parser::Rayon(threads) => {
            let parse = |number: usize| {
                let page = &sample.pages[number % sample.len()];
                parse_here(page.clone()).1
            };
            let all: Vec<_> = threads.install(|| (0..pages).into_par_iter().map(parse).collect());
            all.iter().for_each(|shift| shifts.add(shift));
        }
        Parser::Processes(pool) => {
            let outcomes = pool.map_unordered(sample.repeated(pages));
            // A page that ends its worker is the crawl's to report.
            let done = outcomes.filter_map(|(_, outcome)| outcome.ok());
            done.for_each(|(_, shift)| shifts.add(&shift));
        }
    }
    shifts
}
