//! Why a cost did not rise: whether the threads ran at the same time at all.

use super::{Costs, MARGIN, ratios};

/// With this many CPUs busy or fewer, threads hardly ran at the same time.
pub(crate) const TURNS: f64 = 1.1;

/// A round in which contention did not show.
struct Level {
    times_as_long: f64,
    cpus_busy: f64,
}

impl Costs {
    /// What the rounds in which contention did not show under `name` say of the reason.
    pub(crate) fn why_level(&self, name: &str) -> String {
        let row = self.rows.iter().find(|(known, _)| *known == name);
        let Some([first, .., last]) = row.map(|(_, row)| &row[..]) else {
            return "one column has nothing to be compared with".into();
        };
        let busy = last.iter().map(|count| count.cpus_busy);
        let Some(busy) = busy.collect::<Option<Vec<f64>>>() else {
            return "the CPU time is not told here, so nobody knows if threads overlapped".into();
        };
        let rounds = ratios(first, last).zip(busy);
        let rounds = rounds.map(|(times_as_long, cpus_busy)| Level {
            times_as_long,
            cpus_busy,
        });
        let level: Vec<Level> = rounds
            .filter(|round| round.times_as_long <= MARGIN || round.cpus_busy <= TURNS)
            .collect();
        let apart = level.iter().filter(|round| round.cpus_busy <= TURNS);
        let apart = match apart.count() {
            0 => String::new(),
            all if all == level.len() => ": the threads hardly ran at the same time".into(),
            some => format!(": in {some} of these the threads hardly ran at the same time"),
        };
        format!(
            "in {} of {} rounds {} times as long, with {} CPUs busy{apart}",
            level.len(),
            last.len(),
            range(level.iter().map(|round| round.times_as_long)),
            range(level.iter().map(|round| round.cpus_busy)),
        )
    }
}

/// The least and the greatest, or the one where they look the same.
fn range(figures: impl Iterator<Item = f64>) -> String {
    let start = (f64::INFINITY, f64::NEG_INFINITY);
    let (least, greatest) = figures.fold(start, |(least, greatest), figure| {
        (least.min(figure), greatest.max(figure))
    });
    let [least, greatest] = [least, greatest].map(|figure| format!("{figure:.2}"));
    if least == greatest {
        least
    } else {
        format!("{least}–{greatest}")
    }
}

#[cfg(test)]
mod tests {
    use crate::cost::tests::costs;

    #[test]
    fn where_the_cost_did_not_rise_it_is_told_whether_threads_overlapped() {
        let rounds: [&[f64]; 2] = [&[10.0, 10.0], &[11.0, 20.0]];
        assert_eq!(
            costs(rounds, 2.0).why_level("a lock"),
            "in 1 of 2 rounds 1.10 times as long, with 2.00 CPUs busy"
        );
        assert_eq!(
            costs(rounds, 1.0).why_level("a lock"),
            "in 2 of 2 rounds 1.10–2.00 times as long, with 1.00 CPUs busy: \
             the threads hardly ran at the same time"
        );
    }
}
