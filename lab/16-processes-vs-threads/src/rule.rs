//! The rule of the verdict and what follows from it, in words.

use crate::square::Square;
use common::Lab;
use lab_16_processes_vs_threads::verdict::{Comparison, LEAST_ROUNDS, MARGIN, MARGIN_BELOW};

/// Prints how a verdict comes about.
pub(crate) fn tell(lab: &Lab, rounds: usize, compared: &Comparison) {
    if rounds < LEAST_ROUNDS {
        lab.say(too_few(rounds));
        return;
    }
    lab.say("ratio: by round, how many times as long processes took as threads");
    lab.say(match compared.left_out {
        0 => format!("  ({rounds} rounds; all of them count)"),
        1 => format!("  ({rounds} rounds; the lowest and the highest do not count)"),
        out => format!("  ({rounds} rounds; the {out} lowest and the {out} highest do not count)"),
    });
    lab.say(format!(
        "verdict: all above {MARGIN}: threads faster; all below {MARGIN_BELOW:.2}: processes faster;"
    ));
    lab.say("  all in between: no detectable difference; anything else: too noisy");
}

/// Prints `text` in lines of the width of the report, indented.
pub(crate) fn say_wrapped(lab: &Lab, text: &str, indent: usize) {
    lab.say(report::wrap(text, lab.screen().width(), indent).trim_end());
}

/// Why there is no verdict, the interval that the rounds allow, and what to try.
pub(crate) fn why_too_noisy(
    compared: &Comparison,
    rounds: usize,
    [first, second]: [&str; 2],
    other_flag: &str,
) -> String {
    if compared.ratios.is_none() {
        return too_few(rounds);
    }
    let stands = how_it_stands(compared, rounds, [first, second]);
    let advice = compared.rounds_to_try.map_or(
        format!("more rounds will hardly tell, another `{other_flag}` may"),
        |rounds| format!("about {rounds} rounds may tell (`--rounds {rounds}`)"),
    );
    format!("{stands}; {advice}")
}

/// The verdict on the second way beside the first, with the interval that the rounds allow.
pub(crate) fn how_it_stands(
    compared: &Comparison,
    rounds: usize,
    [first, second]: [&str; 2],
) -> String {
    let Some((least, greatest)) = ends(compared) else {
        return too_few(rounds);
    };
    let verdict = compared.verdict.in_words(first, second);
    format!(
        "{verdict}: {second} took between {least:.2} and {greatest:.2} times as long as {first}"
    )
}

/// How threads and processes stand beside one job after another.
pub(crate) fn why_not_faster(square: &Square, rounds: usize) -> String {
    if square.threads.ratios.is_none() {
        return too_few(rounds);
    }
    let (threads, processes) = (interval(&square.threads), interval(&square.processes));
    format!("threads took {threads} times as long as one by one, processes {processes} times")
}

/// The least and the greatest ratio of the rounds that count.
pub(crate) fn interval(compared: &Comparison) -> String {
    ends(compared).map_or("–".into(), |(least, greatest)| {
        format!("{least:.2}–{greatest:.2}")
    })
}

fn ends(compared: &Comparison) -> Option<(f64, f64)> {
    let ratios = compared.ratios.as_ref()?;
    Some((*ratios.first()?, *ratios.last()?))
}

fn too_few(rounds: usize) -> String {
    format!("{rounds} of at least {LEAST_ROUNDS} rounds decide nothing")
}

#[cfg(test)]
mod tests {
    use super::*;
    use lab_16_processes_vs_threads::verdict::compare_by_round;

    #[test]
    fn too_noisy_comes_with_its_interval_and_what_to_try() {
        let words = |times: &[f64]| {
            let compared = compare_by_round(&[1.0; 9], times);
            why_too_noisy(&compared, times.len(), ["threads", "processes"], "--work")
        };
        assert_eq!(
            words(&[1.4, 1.05, 1.5]),
            "too noisy: processes took between 1.05 and 1.50 times as long as threads; \
             about 9 rounds may tell (`--rounds 9`)"
        );
        assert_eq!(
            words(&[1.0, 1.0, 1.0, 1.1, 1.1, 1.1, 1.5, 1.5, 1.5]),
            "too noisy: processes took between 1.00 and 1.50 times as long as threads; \
             more rounds will hardly tell, another `--work` may"
        );
        assert_eq!(words(&[1.0]), "1 of at least 3 rounds decide nothing");
    }

    #[test]
    fn a_verdict_stands_beside_its_interval() {
        let compared = compare_by_round(&[1.0; 3], &[1.0, 0.95, 1.05]);
        assert_eq!(
            how_it_stands(&compared, 3, ["one by one", "threads"]),
            "no detectable difference: threads took between 0.95 and 1.05 times as long as \
             one by one"
        );
    }
}
