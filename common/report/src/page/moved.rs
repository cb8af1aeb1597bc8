//! What moved between the first variant and another, by arithmetic on the document's own figures.

use crate::Variant;
use crate::format;

/// One sentence or two for each variant that did the first one's work.
pub(super) fn sentences(variants: &[Variant]) -> Vec<String> {
    let Some((first, others)) = variants.split_first() else {
        return Vec::new();
    };
    // The speed-up is that of the rounds; where the middle ones say otherwise, neither is told.
    let agrees = |other: &Variant| {
        let (saved, speedup) = (first.wall_s > other.wall_s, other.speedup);
        speedup.is_some_and(|speedup| speedup == 1.0 || (speedup > 1.0) == saved)
    };
    // Where tasks failed, the rest of the work is not the same.
    let is_whole = |one: &Variant| one.ledger.failed == 0 && one.comparable;
    let same = others
        .iter()
        .filter(|other| is_whole(first) && is_whole(other) && agrees(other));
    same.map(|other| sentence(first, other)).collect()
}

fn sentence(before: &Variant, after: &Variant) -> String {
    let time = format::seconds_f64;
    let (from, to) = (before.wall_s, after.wall_s);
    let mut text = format!("{}: {} → {}", after.name, time(from), time(to));
    text += &match from - to {
        saved if saved > 0.0 => format!(", {} saved", time(saved)),
        saved if saved < 0.0 => format!(", {} longer", time(-saved)),
        _ => String::new(),
    };
    let parts = parts_of(before).zip(parts_of(after));
    let Some((was, is)) = parts else {
        return text + ".";
    };
    text += &format!(
        ". Its jobs ran {} ({} before) and did not run {} ({} before); open at once on average: \
         {:.1} ({:.1} before).",
        time(is.ran),
        time(was.ran),
        time(is.still),
        time(was.still),
        is.at_once,
        was.at_once
    );
    text + &overlap(&was, &is, from, to).unwrap_or_default()
}

/// How the time of a variant's jobs divides up; what was open is what ran and what did not.
struct Parts {
    open: f64,
    ran: f64,
    still: f64,
    /// Wall time times this is what was open.
    at_once: f64,
}

/// `None` without jobs, and where several threads of one job make it run longer than it is open.
fn parts_of(variant: &Variant) -> Option<Parts> {
    let (open, ran) = (variant.open_s, variant.busy_s);
    let told = open > 0.0 && variant.wall_s > 0.0 && ran <= open;
    told.then(|| Parts {
        open,
        ran,
        still: open - ran,
        at_once: open / variant.wall_s,
    })
}

/// What part of a saving is due to more being open at once, and what it is that overlaps.
///
/// Wall time is what was open over how much was open at once. At the old overlap the new jobs would
/// have taken `expected`; what lies between that and the new wall time is the overlap's part, the
/// rest is that less, or more, was open. Both together are the saving, exactly.
fn overlap(was: &Parts, is: &Parts, from: f64, to: f64) -> Option<String> {
    let expected = is.open / was.at_once;
    let share = (expected - to) / (from - to);
    // Next to no saving divides into parts that mean nothing.
    if from <= to * 1.05 || share < 0.05 {
        return None;
    }
    let more = was.at_once > 1.1;
    // Jobs that do not run may lack a CPU: only where half of one was left free did they surely wait.
    let busy_cpus = is.ran / to;
    let what = match is.still / is.open {
        waiting if waiting >= 0.9 && busy_cpus < 0.5 && more => "more of the waits overlap",
        waiting if waiting >= 0.9 && busy_cpus < 0.5 => "the waits overlap",
        waiting if waiting <= 0.1 && busy_cpus > 1.1 && more => "more of the work overlaps",
        waiting if waiting <= 0.1 && busy_cpus > 1.1 => "the work overlaps",
        _ => return None,
    };
    let rest = if share > 1.005 {
        format!(
            "that saves {}, of which {} is lost again because its jobs were open for longer",
            format::seconds_f64(expected - to),
            format::seconds_f64(expected - from)
        )
    } else if share < 0.995 {
        format!(
            "that is {} of the saving; the rest is that its jobs were open for less time",
            format::percent(share)
        )
    } else {
        "that is 100 % of the saving".into()
    };
    Some(format!(" So {what}: {rest}."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::tests::variant;

    fn timed(name: &str, wall_s: f64, open_s: f64, busy_s: f64) -> Variant {
        Variant {
            open_s,
            busy_s,
            ..variant(name, wall_s)
        }
    }

    #[test]
    fn waits_that_overlap_are_told_with_their_part_of_the_saving() {
        let both = [
            timed("sequential", 10.0, 10.0, 0.1),
            timed("threaded", 1.0, 9.9, 0.1),
        ];
        assert_eq!(
            sentences(&both),
            [
                "threaded: 10.0 s → 1.00 s, 9.00 s saved. Its jobs ran 100 ms (100 ms before) and did \
              not run 9.80 s (9.90 s before); open at once on average: 9.9 (1.0 before). So the \
              waits overlap: that is 99 % of the saving; the rest is that its jobs were open for \
              less time."
            ]
        );
    }

    #[test]
    fn what_the_figures_do_not_say_is_not_said() {
        // Nothing overlaps more: the work itself was less.
        let less = [timed("a", 10.0, 10.0, 10.0), timed("b", 5.0, 5.0, 5.0)];
        assert!(!sentences(&less)[0].contains("overlap:"), "{less:?}");
        // Slower.
        let slower = [timed("a", 1.0, 1.0, 0.5), timed("b", 2.0, 4.0, 0.5)];
        assert!(sentences(&slower)[0].starts_with("b: 1.00 s → 2.00 s, 1.00 s longer. "));
        assert!(!sentences(&slower)[0].contains("saving"));
        // Other work is not compared.
        let mut other = timed("b", 1.0, 1.0, 1.0);
        other.speedup = None;
        assert!(sentences(&[timed("a", 1.0, 1.0, 1.0), other]).is_empty());
        // Without jobs only the wall time is known.
        assert_eq!(
            sentences(&[timed("a", 2.0, 0.0, 0.0), timed("b", 1.0, 0.0, 0.0)]),
            ["b: 2.00 s → 1.00 s, 1.00 s saved."]
        );
    }

    #[test]
    fn what_overlap_saves_and_longer_jobs_lose_is_told_apart() {
        let more = [timed("a", 10.0, 10.0, 0.0), timed("b", 5.0, 20.0, 0.0)];
        let end = "that saves 15.0 s, of which 10.0 s is lost again because its jobs were open for \
                   longer.";
        assert!(sentences(&more)[0].ends_with(end), "{:?}", sentences(&more));
    }

    #[test]
    fn jobs_without_a_cpu_are_not_told_as_waits_that_overlap() {
        let starved = [timed("one", 2.0, 2.0, 1.9), timed("many", 1.0, 16.0, 1.0)];
        assert!(!sentences(&starved)[0].contains("overlap"), "{starved:?}");
    }

    #[test]
    fn work_that_overlaps_is_told_from_waits() {
        let both = [timed("one", 4.0, 4.0, 4.0), timed("two", 2.0, 4.0, 3.9)];
        assert!(sentences(&both)[0].contains("So the work overlaps: that is 100 % of the saving."));
    }
}
