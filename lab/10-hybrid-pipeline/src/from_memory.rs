//! The same workers on pages that are in memory already: the bound on what the pipeline can do.

use crate::{args::PipelineArgs, gap, plan::Plan, rounds::Rounds, source::Source, spent::Meter};
use common::{Bound, Lab, Tally, format};
use lab_10_hybrid_pipeline::{
    held::{Sample, parse_held},
    parse::Reading,
    shift::parse_in_shift,
    totals::Totals,
    workers::{Parser, Way},
};
use process_pool::child::Program;
use std::{cell::Cell, num::NonZeroUsize, time::Duration};

/// The most pages parsed from memory in one run; more would only take longer.
const MOST_PAGES: usize = 2_000;

/// Pages on which the parsers are compared on one core.
const ONE_CORE_PAGES: usize = 100;

/// The variant that parses from memory in this way; `None` where no worker does.
pub(crate) fn name_of(way: Way) -> Option<&'static str> {
    match way {
        Way::Inline => None,
        Way::Rayon => Some("in memory, rayon"),
        Way::Processes => Some("in memory, processes"),
    }
}

/// Pages of the crawl, and how fast one core is through them, by round.
#[derive(Debug)]
pub(crate) struct Memory {
    sample: Sample,
    /// Pages to parse in a run.
    pages: usize,
    /// The mean length of a page of the sample, by that of a page of the crawl.
    length_ratio: f64,
    /// Pages per second of CPU, with `scraper` and with the stream of tags.
    one_core: Vec<[f64; 2]>,
}

impl Memory {
    /// Fetches pages that are spread over the crawl; not measured.
    pub(crate) fn of(totals: &Totals, args: &PipelineArgs) -> anyhow::Result<Self> {
        let client = web::async_client(args.timeout);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let sample = Sample::fetch(&client, totals.spread.urls(), args.parser);
        let sample = runtime.block_on(sample);
        let mean = |bytes: usize, pages: usize| bytes as f64 / pages.max(1) as f64;
        let length_ratio = mean(sample.length_bytes(), sample.len())
            / mean(totals.length_bytes, totals.parsed).max(1.0);
        Ok(Self {
            // As many bytes as the crawl had, or as that many of its pages have.
            pages: as_many(totals.parsed.min(MOST_PAGES), 1.0 / length_ratio),
            length_ratio,
            sample,
            one_core: Vec::new(),
        })
    }

    /// One round: each way of the streaming plans that has workers, and one core for itself.
    pub(crate) fn run_round(
        &mut self,
        plans: &[Plan],
        workers: NonZeroUsize,
        source: &Source,
        rounds: &mut Rounds,
        lab: &mut Lab,
    ) -> anyhow::Result<()> {
        if self.sample.is_empty() {
            return Ok(());
        }
        for plan in plans.iter().filter(|plan| !plan.has_barrier) {
            if let Some(name) = name_of(plan.way) {
                self.run(name, plan.way, workers, source, rounds, lab)?;
            }
        }
        let rates = [Reading::Scraper, Reading::Stream].map(|reading| self.rate_of(reading));
        self.one_core.push(rates);
        Ok(())
    }

    fn run(
        &self,
        name: &'static str,
        way: Way,
        workers: NonZeroUsize,
        source: &Source,
        rounds: &mut Rounds,
        lab: &mut Lab,
    ) -> anyhow::Result<()> {
        let pages = self.pages;
        let bound = Bound::Work {
            workers: workers.get(),
        };
        let done = Cell::new(0);
        let measure = lab.variant(name).other_work().bound(bound);
        let spent = measure.run_counted(
            || {
                let meter = Meter::start(source.server_cpu());
                let parser = Parser::start(way, workers, Program::this())?;
                let shifts = parse_held(&self.sample, pages, &parser);
                // Ending the workers is part of a crawl's time as well.
                let _ = parser.finish();
                done.set(shifts.pages);
                // Few large pages make all the difference: a page is one of the crawl's mean length.
                let equal = as_many(shifts.pages, self.length_ratio);
                Ok(meter.stop(equal, &shifts, source.server_cpu()))
            },
            |_| Tally {
                submitted: pages as u64,
                done: done.get() as u64,
                failed: (pages - done.get()) as u64,
                ..Tally::default()
            },
        )?;
        rounds.add_held(name, spent);
        Ok(())
    }

    /// Pages per second of CPU on one core.
    fn rate_of(&self, reading: Reading) -> f64 {
        let pages = self.sample.to_be_read(reading).take(ONE_CORE_PAGES);
        let all: Vec<Duration> = pages.map(|page| parse_in_shift(page).1.busy).collect();
        all.len() as f64 / all.iter().sum::<Duration>().as_secs_f64()
    }

    /// Tells how far each way stays behind its bound, and what the parsers are worth.
    pub(crate) fn tell(&self, plans: &[Plan], workers: NonZeroUsize, rounds: &Rounds, lab: &Lab) {
        let cpus = lab.cpus();
        let streaming = || plans.iter().filter(|plan| !plan.has_barrier);
        for plan in streaming() {
            let Some((crawl, held)) = rounds.beside_memory(plan, lab) else {
                continue;
            };
            for line in gap::lines(plan.name, &crawl, &held, cpus, workers.get()) {
                lab.explain(line);
            }
            lab.explain(format!("  {}", gap::bound(&crawl, &held, cpus)));
        }
        let held = |way| rounds.shown_held(name_of(way)?, lab);
        if let (Some(threads), Some(processes)) = (held(Way::Rayon), held(Way::Processes)) {
            let page = self.sample.length_bytes() as f64 / self.sample.len() as f64;
            lab.explain(gap::hand_over(&threads, &processes, cpus, page));
        }
        for line in worth(&self.one_core, cpus) {
            lab.explain(line);
        }
    }
}

/// `ratio` times `pages`, in whole pages.
fn as_many(pages: usize, ratio: f64) -> usize {
    if ratio.is_finite() {
        (pages as f64 * ratio).round() as usize
    } else {
        pages
    }
}

/// What the two parsers do on one core, by round; and the sentence, where the figures show it.
fn worth(one_core: &[[f64; 2]], cpus: usize) -> Vec<String> {
    let span = |index: usize| {
        let rates = one_core.iter().map(|rates| rates[index]);
        let least = rates.clone().fold(f64::INFINITY, f64::min).round();
        let most = rates.fold(0.0, f64::max).round();
        if least == most {
            format::plain(least)
        } else {
            format!("{}–{}", format::plain(least), format::plain(most))
        }
    };
    if one_core.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![format!(
        "on one core, from memory: scraper {} pages/s, the stream of tags {}",
        span(0),
        span(1)
    )];
    // Twice as fast is the most that a second core can make it.
    let beats = |[scraper, stream]: &[f64; 2]| *stream > 2.0 * scraper;
    if cpus > 1 && one_core.iter().all(beats) {
        lines.push("a better algorithm beat a second core".into());
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sentence_needs_every_round() {
        let told = worth(&[[100.0, 250.0], [110.0, 230.0]], 2);
        assert_eq!(
            told,
            [
                "on one core, from memory: scraper 100–110 pages/s, the stream of tags 230–250",
                "a better algorithm beat a second core"
            ]
        );
        assert_eq!(worth(&[[100.0, 250.0], [110.0, 220.0]], 2).len(), 1);
        assert_eq!(worth(&[[100.0, 250.0]], 1).len(), 1);
        assert!(worth(&[], 2).is_empty());
    }
}
