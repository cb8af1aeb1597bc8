//! How far the pipeline stays behind its workers' best, and what takes the rest.

use crate::spent::Spent;
use common::format::{self, seconds_f64};

/// The lines about one way of parsing: the pipeline beside the same workers on pages in memory.
pub(crate) fn lines(
    name: &str,
    crawl: &Spent,
    held: &Spent,
    cpus: usize,
    workers: usize,
) -> [String; 4] {
    let (here, there) = (crawl.of_a_page(cpus), held.of_a_page(cpus));
    let percent = |share: f64| format!("{:.0} %", 100.0 * share);
    let rate = |spent: &Spent| format::plain(spent.pages_per_s().round());
    let bound = format!(
        "{name}: {} pages/s, {} of the {} that the same workers parse from memory; they had a page in \
         hand {} of the time",
        rate(crawl),
        percent(crawl.pages_per_s() / held.pages_per_s()),
        rate(held),
        percent(crawl.share_at_work(workers)),
    );
    let server = crawl
        .server_s
        .map(|_| format!(", the server {}", seconds_f64(here.server)));
    let pieces = format!(
        "  a page took {} of {}: parsing {}, fetching and handing over {}{}, idle or other \
         programs {}",
        seconds_f64(here.all),
        counted(cpus),
        seconds_f64(here.parsing),
        seconds_f64(here.rest),
        server.unwrap_or_default(),
        seconds_f64(here.idle),
    );
    let explained = if here.all > there.all {
        format!(
            "  from memory it took {}, {} of that idle or other programs; the gap of {} is {}",
            seconds_f64(there.all),
            seconds_f64(there.idle),
            seconds_f64(here.all - there.all),
            words(&[
                (
                    "fetching",
                    here.rest + here.server - there.rest - there.server
                ),
                (
                    "parsing that took longer beside it",
                    here.parsing - there.parsing
                ),
                ("imbalance at the end", here.at_the_end - there.at_the_end),
                (
                    "waiting, or other programs",
                    here.idle - here.at_the_end - there.idle + there.at_the_end,
                ),
            ]),
        )
    } else {
        format!("  from memory it took {}: no gap", seconds_f64(there.all))
    };
    let attainable = crawl.attainable_per_s(held, cpus);
    let why = if crawl.is_bound_by_waits(held, cpus) {
        "with the waits for its answers".to_owned()
    } else {
        format!("with fetching on the same {}", counted(cpus))
    };
    let most = percent(attainable / held.pages_per_s());
    let done = crawl.pages_per_s() / attainable;
    let left = if done > 1.0 {
        format!(
            "  {why}, {most} of it would be the most there can be, and more was done: the two runs did \
             not find the CPUs alike"
        )
    } else {
        let done = percent(done);
        format!("  {why}, {most} of it is the most there can be; of that it did {done}")
    };
    [bound, pieces, explained, left]
}

fn counted(cpus: usize) -> String {
    if cpus == 1 {
        "1 CPU".into()
    } else {
        format!("{cpus} CPUs")
    }
}

/// The pieces with their sizes; what is below nothing was gained elsewhere.
fn words(pieces: &[(&str, f64)]) -> String {
    let told = pieces.iter().map(|(name, seconds)| {
        // Differences of decimal fractions: what is past a nanosecond is not there.
        let seconds = (seconds * 1e9).round() / 1e9;
        let sign = if seconds < 0.0 { "−" } else { "" };
        format!("{name} {sign}{}", seconds_f64(seconds.abs()))
    });
    told.collect::<Vec<_>>().join(", ")
}

/// What a page costs to be copied to a process and back, beside a thread that has it already.
pub(crate) fn hand_over(
    threads: &Spent,
    processes: &Spent,
    cpus: usize,
    page_bytes: f64,
) -> String {
    let cpu = |spent: &Spent| {
        let pieces = spent.of_a_page(cpus);
        pieces.parsing + pieces.rest
    };
    let more = cpu(processes) - cpu(threads);
    let size = format::bytes(page_bytes);
    if more > 0.0 {
        let more = seconds_f64(more);
        format!(
            "hand-over: from memory, a page of {size} costs processes {more} of CPU more than threads"
        )
    } else {
        format!("hand-over: from memory, a page of {size} costs processes no more CPU than threads")
    }
}

/// What bounds a crawl, as far as it is known: its waits, or the stage that takes more CPU.
pub(crate) fn bound(crawl: &Spent, held: &Spent, cpus: usize) -> String {
    let pieces = crawl.of_a_page(cpus);
    let fetching = pieces.rest + pieces.server;
    let (parsing, told) = (seconds_f64(pieces.parsing), seconds_f64(fetching));
    if crawl.is_bound_by_waits(held, cpus) {
        let waits = seconds_f64(crawl.waits_s);
        format!(
            "waiting is the bound: {waits} in all; of CPU a page takes {parsing} for parsing, {told} for \
             fetching, server included"
        )
    } else if fetching > pieces.parsing {
        format!(
            "of CPU, fetching takes more: {told} a page, server included, and parsing {parsing}"
        )
    } else {
        format!(
            "of CPU, parsing takes more: {parsing} a page, and fetching {told}, server included"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spent(wall_s: f64, parsing_s: f64, rest_s: f64, server_s: f64) -> Spent {
        Spent {
            pages: 1_000,
            wall_s,
            parsing_s,
            rest_s,
            server_s: Some(server_s),
            at_work_s: 2.5,
            waited_at_the_end_s: 0.1,
            waits_s: 0.0,
        }
    }

    #[test]
    fn the_pieces_add_up_to_the_gap() {
        let (crawl, held) = (spent(2.5, 2.0, 1.0, 0.5), spent(1.25, 1.8, 0.2, 0.0));
        let told = lines("x", &crawl, &held, 2, 2);
        assert_eq!(
            told[0],
            "x: 400 pages/s, 50 % of the 800 that the same workers parse from memory; they had a page \
             in hand 50 % of the time"
        );
        assert_eq!(
            told[1],
            "  a page took 5.00 ms of 2 CPUs: parsing 2.00 ms, fetching and handing over 1.00 ms, the \
             server 500 µs, idle or other programs 1.50 ms"
        );
        assert_eq!(
            told[2],
            "  from memory it took 2.50 ms, 500 µs of that idle or other programs; the gap of 2.50 ms is fetching 1.30 ms, parsing that took \
             longer beside it 200 µs, imbalance at the end 0 s, waiting, or other programs 1.00 ms"
        );
        // 1.8 + 0.2 + 0.8 + 0.5 ms of work on two CPUs: 606 pages/s.
        assert_eq!(
            told[3],
            "  with fetching on the same 2 CPUs, 76 % of it is the most there can be; of that it did 66 %"
        );
        let told = lines("x", &held, &crawl, 2, 2);
        assert_eq!(told[2], "  from memory it took 5.00 ms: no gap");
    }

    #[test]
    fn the_bound_is_the_waits_or_the_stage_that_takes_more() {
        let held = spent(1.25, 1.8, 0.2, 0.0);
        let bound = |crawl: &Spent| bound(crawl, &held, 2);
        assert!(bound(&spent(2.5, 2.0, 1.0, 0.5)).starts_with("of CPU, parsing takes more"));
        assert!(bound(&spent(2.5, 1.0, 0.6, 0.5)).starts_with("of CPU, fetching takes more"));
        let waiting = Spent {
            waits_s: 2.4,
            ..spent(2.5, 2.0, 1.0, 0.5)
        };
        assert!(bound(&waiting).starts_with("waiting is the bound: 2.40 s in all"));
        assert_eq!(
            lines("x", &waiting, &held, 2, 2)[3],
            "  with the waits for its answers, 52 % of it is the most there can be; of that it did 96 %"
        );
    }

    #[test]
    fn what_is_more_than_can_be_is_no_share() {
        let (crawl, held) = (spent(1.0, 1.0, 0.0, 0.0), spent(2.0, 2.0, 0.0, 0.0));
        let told = &lines("x", &crawl, &held, 1, 1)[3];
        assert!(told.contains("and more was done"), "{told}");
    }
}
