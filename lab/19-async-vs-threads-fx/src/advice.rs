//! A recommendation, made from this run's figures and nothing else.

use crate::{
    heavy::Light,
    side::{Side, variant},
    sweep::Row,
};
use common::{Lab, format};

/// What the sweep found at one level.
#[derive(Clone, Debug)]
struct Level {
    level: usize,
    tasks: Found,
    threads: Found,
}

/// What it found of one side.
#[derive(Clone, Debug, Default)]
struct Found {
    limit: Option<String>,
    comparable: bool,
    walls_s: Vec<f64>,
    grown_bytes: Option<u64>,
}

/// Times closer than this are one time.
const CLEARLY: f64 = 1.1;

/// Memory that is worth a word: a tenth of a gigabyte would be, a page would not.
const NOTABLE_BYTES: u64 = 10_000_000;

/// Prints the recommendation and puts it into the document.
pub(crate) fn say(lab: &mut Lab, rows: &[Row], light: &Light) {
    let found = |row: &Row| Found {
        limit: row.limit.clone(),
        comparable: row.reached_its_level(),
        walls_s: lab.walls(&variant(row.side, row.level)),
        grown_bytes: row.grown_bytes(),
    };
    let both = rows.chunks_exact(Side::BOTH.len()).map(|pair| Level {
        level: pair[0].level,
        tasks: found(&pair[0]),
        threads: found(&pair[1]),
    });
    let mut lines: Vec<String> = both.map(|level| level.advice()).collect();
    lines.push(pricing(light));
    lab.say("Recommendation, by the figures of this run and for this machine as it was:");
    for line in &lines {
        lab.say(report::wrap(line, lab.screen().width(), 2));
    }
    lab.param("recommendation", lines);
}

impl Level {
    fn advice(&self) -> String {
        let level = format::count(self.level as u64);
        let text = match (&self.tasks.limit, &self.threads.limit) {
            (Some(limit), Some(_)) => format!("neither; {limit}"),
            (None, Some(limit)) => format!("tasks; the other side was not to be had: {limit}"),
            (Some(limit), None) => format!("threads; the other side was not to be had: {limit}"),
            (None, None) if self.tasks.comparable && self.threads.comparable => self.choice(),
            (None, None) => "none; the venue did not see the same number in flight".into(),
        };
        format!("{level} in flight: {text}.")
    }

    /// By time if that is clear in every round, and by memory where it is worth a word.
    fn choice(&self) -> String {
        let (tasks, threads) = (&self.tasks.walls_s, &self.threads.walls_s);
        let times = format!("tasks {}, threads {}", span(tasks), span(threads));
        let by_time = match (
            clearly_sooner(tasks, threads),
            clearly_sooner(threads, tasks),
        ) {
            (true, _) => Some(Side::Tasks),
            (_, true) => Some(Side::Threads),
            _ => None,
        };
        let (by_memory, memory) = self.memory();
        let undecided = match tasks.len() {
            1 => "one run each, so time is not judged",
            _ => "no clear difference in every round",
        };
        match (by_time, by_memory) {
            (None, None) => format!("either; {undecided} ({times})"),
            (Some(side), None) => format!("{}, by time ({times})", side.name()),
            (None, Some(side)) => {
                format!(
                    "{}, by memory ({memory}); {undecided} ({times})",
                    side.name()
                )
            }
            (Some(time), Some(side)) if time == side => {
                format!(
                    "{}, by time ({times}) and by memory ({memory})",
                    side.name()
                )
            }
            (Some(time), Some(side)) => format!(
                "{} by time ({times}), {} by memory ({memory})",
                time.name(),
                side.name()
            ),
        }
    }

    /// Who took less memory, where that is worth a word, and the figures.
    fn memory(&self) -> (Option<Side>, String) {
        let both = self.tasks.grown_bytes.zip(self.threads.grown_bytes);
        let Some((tasks, threads)) = both else {
            return (None, String::new());
        };
        let less = match tasks.abs_diff(threads) {
            difference if difference < NOTABLE_BYTES => None,
            _ if tasks < threads => Some(Side::Tasks),
            _ => Some(Side::Threads),
        };
        let bytes = |bytes: u64| format::bytes(bytes as f64);
        let figures = format!("tasks {}, threads {}", bytes(tasks), bytes(threads));
        (less, figures)
    }
}

/// Where the pricing belongs.
fn pricing(light: &Light) -> String {
    let (on, beside) = (&light.executor, &light.beside);
    let p99 = format!(
        "the light quotes' p99 was {} beside it, {} on it",
        span(beside),
        span(on)
    );
    let choice = match (clearly_sooner(beside, on), clearly_sooner(on, beside)) {
        (true, _) => "on threads beside the executor, with a limit",
        (_, true) => "on the executor",
        _ if on.len() == 1 => "not judged after one round",
        _ => "either; no clear difference in every round",
    };
    format!("CPU work such as pricing: {choice}; {p99}.")
}

/// Whether it was clearly sooner in every round, of which there were several.
fn clearly_sooner(one: &[f64], other: &[f64]) -> bool {
    one.len() > 1
        && one.len() == other.len()
        && one
            .iter()
            .zip(other)
            .all(|(one, other)| one * CLEARLY < *other)
}

/// The least and the greatest of a list of times.
fn span(times: &[f64]) -> String {
    let least = times.iter().copied().fold(f64::INFINITY, f64::min);
    let most = times.iter().copied().fold(0.0, f64::max);
    let (least, most) = (format::seconds_f64(least), format::seconds_f64(most));
    if least == most {
        least
    } else {
        format!("{least}–{most}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(walls_s: &[f64], grown_bytes: u64) -> Found {
        Found {
            limit: None,
            comparable: true,
            walls_s: walls_s.to_vec(),
            grown_bytes: Some(grown_bytes),
        }
    }

    fn advice(tasks: Found, threads: Found) -> String {
        let level = 1000;
        Level {
            level,
            tasks,
            threads,
        }
        .advice()
    }

    #[test]
    fn time_decides_either_way_and_only_if_every_round_says_so() {
        let (fast, slow) = (found(&[0.2, 0.3], 0), found(&[0.3, 0.4], 0));
        let text = advice(fast.clone(), slow.clone());
        assert!(
            text.starts_with("1,000 in flight: tasks, by time ("),
            "{text}"
        );
        let text = advice(slow, fast.clone());
        assert!(
            text.starts_with("1,000 in flight: threads, by time ("),
            "{text}"
        );
        let text = advice(fast, found(&[0.3, 0.29], 0));
        assert!(
            text.starts_with("1,000 in flight: either; no clear"),
            "{text}"
        );
    }

    #[test]
    fn a_single_run_decides_nothing_about_time() {
        let text = advice(found(&[0.2], 0), found(&[9.0], 0));
        assert!(text.contains("either; one run each"), "{text}");
        let light = |executor: &[f64], beside: &[f64]| Light {
            alone: Vec::new(),
            executor: executor.to_vec(),
            beside: beside.to_vec(),
        };
        assert!(pricing(&light(&[0.3], &[0.1])).contains("not judged after one round"));
        assert!(pricing(&light(&[0.3, 0.3], &[0.1, 0.1])).contains(": on threads beside"));
        assert!(pricing(&light(&[0.1, 0.1], &[0.3, 0.3])).contains(": on the executor;"));
        assert!(pricing(&light(&[0.3, 0.1], &[0.1, 0.3])).contains(": either;"));
    }

    #[test]
    fn memory_has_its_own_word_either_way() {
        let (small, large) = (
            found(&[1.0, 1.0], 5_000_000),
            found(&[1.0, 1.0], 90_000_000),
        );
        let text = advice(small.clone(), large.clone());
        assert!(
            text.contains("tasks, by memory (tasks 5.00 MB, threads 90.0 MB)"),
            "{text}"
        );
        let text = advice(large, small);
        assert!(text.contains("threads, by memory"), "{text}");
        let text = advice(
            found(&[2.0, 2.0], 5_000_000),
            found(&[1.0, 1.0], 90_000_000),
        );
        assert!(
            text.contains("threads by time (") && text.contains("tasks by memory"),
            "{text}"
        );
    }

    #[test]
    fn what_did_not_run_or_is_not_comparable_is_no_winner() {
        let good = found(&[1.0, 1.0], 0);
        let limited = Found {
            limit: Some("open files".into()),
            ..Found::default()
        };
        let text = advice(good.clone(), limited.clone());
        assert!(
            text.contains("tasks; the other side was not to be had: open files"),
            "{text}"
        );
        let text = advice(limited.clone(), good.clone());
        assert!(
            text.contains("threads; the other side was not to be had: open files"),
            "{text}"
        );
        assert!(advice(limited.clone(), limited).contains("neither; open files"));
        let odd = Found {
            comparable: false,
            ..good.clone()
        };
        assert!(advice(odd, good).contains("none; the venue did not see"));
    }
}
