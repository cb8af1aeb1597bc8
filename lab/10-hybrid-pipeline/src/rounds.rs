//! What every round came to: claims hold for all rounds, not only for the one that is shown.

use crate::{figures::Figures, from_memory::name_of, plan::Plan, spent::Spent};
use common::{
    Lab,
    claim::{Figure, top},
};
use serde_json::{Map, Value, json};

/// The name of the figures in the document.
const PARAM: &str = "by_round";

/// The figures of one round that claims are made of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Round {
    pub(crate) parsed: usize,
    pub(crate) failed: usize,
    pub(crate) parsed_here: usize,
    pub(crate) checksum: u64,
    pub(crate) peak_pages_held: usize,
    pub(crate) fetch_mean_s: Option<f64>,
    pub(crate) spent: Spent,
}

/// Every round of every variant, in the order in which they ran.
#[derive(Debug, Default)]
pub(crate) struct Rounds {
    crawls: Vec<(&'static str, Round)>,
    /// Runs on pages in memory.
    held: Vec<(&'static str, Spent)>,
}

impl Rounds {
    pub(crate) fn add(&mut self, name: &'static str, figures: &Figures) {
        self.crawls.push((name, figures.round()));
    }

    pub(crate) fn add_held(&mut self, name: &'static str, spent: Spent) {
        self.held.push((name, spent));
    }

    /// The rounds of the variant `name`.
    pub(crate) fn of(&self, name: &str) -> impl Iterator<Item = &Round> + Clone {
        let of_this = self.crawls.iter().filter(move |(of, _)| *of == name);
        of_this.map(|(_, round)| round)
    }

    /// The round with the median wall time, the lower of two: the one that the document shows.
    pub(crate) fn shown(&self, name: &str, walls_s: &[f64]) -> Option<Round> {
        middle(self.of(name), walls_s).copied()
    }

    /// What the run from memory with the median wall time took.
    pub(crate) fn shown_held(&self, name: &str, lab: &Lab) -> Option<Spent> {
        let of_this = self.held.iter().filter(|(of, _)| *of == name);
        middle(of_this.map(|(_, spent)| spent), &lab.walls(name)).copied()
    }

    fn held_of(&self, plan: &Plan) -> impl Iterator<Item = &Spent> {
        let name = name_of(plan.way);
        let of_this = self.held.iter().filter(move |(of, _)| Some(*of) == name);
        of_this.map(|(_, spent)| spent)
    }

    /// What a plan's crawl took, beside its workers on pages in memory.
    pub(crate) fn beside_memory(&self, plan: &Plan, lab: &Lab) -> Option<(Spent, Spent)> {
        let crawl = self.shown(plan.name, &lab.walls(plan.name))?.spent;
        Some((crawl, self.shown_held(name_of(plan.way)?, lab)?))
    }

    /// Writes all of it into the document, where claims find it.
    pub(crate) fn write(&self, plans: &[Plan], workers: usize, lab: &mut Lab) {
        let mut all: Map<String, Value> = Map::new();
        let is_fair = |held: &Spent| !held.is_disturbed(lab.cpus(), workers);
        let mut push = |name: &str, figure: &str, value: Value| {
            let list = all.entry(key(name, figure)).or_insert_with(|| json!([]));
            if let Value::Array(values) = list {
                values.push(value);
            }
        };
        for (name, round) in &self.crawls {
            let figures = [
                (PARSED, json!(round.parsed)),
                (FAILED, json!(round.failed)),
                (PARSED_HERE, json!(round.parsed_here)),
                (CHECKSUM, json!(round.checksum)),
                (PEAK_HELD, json!(round.peak_pages_held)),
                (FETCH_MEAN, json!(round.fetch_mean_s)),
                (RATE, json!(round.spent.pages_per_s())),
            ];
            for (figure, value) in figures {
                push(name, figure, value);
            }
        }
        for (name, spent) in &self.held {
            let rate = spent.pages_per_s();
            push(name, RATE, json!(rate));
            push(name, BEST, json!(is_fair(spent).then_some(rate)));
        }
        for plan in plans.iter().filter(|plan| !plan.has_barrier) {
            for (round, held) in self.of(plan.name).zip(self.held_of(plan)) {
                let left = round.spent.attainable_per_s(held, lab.cpus());
                push(plan.name, LEFT, json!(is_fair(held).then_some(left)));
            }
        }
        lab.param(PARAM, all);
    }
}

pub(crate) const PARSED: &str = "pages parsed";
pub(crate) const FAILED: &str = "pages failed";
pub(crate) const PARSED_HERE: &str = "parsed in this process";
pub(crate) const CHECKSUM: &str = "checksum";
pub(crate) const PEAK_HELD: &str = "peak pages held";
pub(crate) const FETCH_MEAN: &str = "mean fetch_s";
pub(crate) const RATE: &str = "pages per s";
/// As the rate, but nothing where other programs took the CPUs.
pub(crate) const BEST: &str = "pages per s undisturbed";
pub(crate) const LEFT: &str = "pages per s beside fetching";

/// The one with the median wall time, the lower of two.
fn middle<'a, T>(runs: impl Iterator<Item = &'a T>, walls_s: &[f64]) -> Option<&'a T> {
    let mut order: Vec<(&f64, &T)> = walls_s.iter().zip(runs).collect();
    order.sort_by(|one, other| one.0.total_cmp(other.0));
    let middle = order.len().checked_sub(1)? / 2;
    order.get(middle).map(|(_, run)| *run)
}

fn key(name: &str, figure: &str) -> String {
    format!("{name}: {figure}")
}

/// A figure of the variant `name` in each of its rounds.
pub(crate) fn each_round(name: &str, figure: &str) -> Figure {
    top(format!("params.{PARAM}.{}", key(name, figure)))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn round(parsed: usize, failed: usize) -> Round {
        Round {
            parsed,
            failed,
            parsed_here: 0,
            checksum: 1,
            peak_pages_held: 1,
            fetch_mean_s: Some(0.1),
            spent: Spent::default(),
        }
    }

    pub(crate) fn rounds(of: &[(&'static str, usize, usize)]) -> Rounds {
        let rounds = of
            .iter()
            .map(|&(name, parsed, failed)| (name, round(parsed, failed)));
        Rounds {
            crawls: rounds.collect(),
            held: Vec::new(),
        }
    }

    #[test]
    fn the_shown_round_is_the_middle_one_the_lower_of_two() {
        let rounds = rounds(&[
            ("a", 1, 0),
            ("b", 9, 0),
            ("a", 2, 0),
            ("a", 3, 0),
            ("a", 4, 0),
        ]);
        let shown = |walls: &[f64]| rounds.shown("a", walls).map(|round| round.parsed);
        assert_eq!(shown(&[4.0, 3.0, 2.0, 1.0]), Some(3));
        assert_eq!(shown(&[2.0, 3.0, 1.0]), Some(1));
        assert_eq!(rounds.shown("c", &[1.0]), None);
    }
}
