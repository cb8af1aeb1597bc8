//! Which of two ways was faster, if either was: one rule for every lesson.

use crate::{
    Lab,
    claim::{Check, Claim, cpus, free_cpus, wall},
};
use report::{LEAST_ROUNDS, MARGIN, Variant};
use std::time::Duration;

/// A shorter run is mostly the start of its threads.
const LEAST_TIME: Duration = Duration::from_millis(2);

/// What the rounds say of two ways, each of which ran once a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// The first was faster by more than [`MARGIN`] in every round.
    FirstFaster,
    /// The second was faster by more than [`MARGIN`] in every round.
    SecondFaster,
    /// They were within [`MARGIN`] of each other in every round.
    Same,
    /// The rounds disagree, are too few, or too short.
    Undecided,
}

impl Comparison {
    /// Compares the times of two ways, in seconds and by round.
    ///
    /// A round's two times stand side by side, so what the machine does to both cancels out.
    pub fn of(first_s: &[f64], second_s: &[f64]) -> Self {
        Self::by(MARGIN, first_s, second_s)
    }

    fn by(margin: f64, first_s: &[f64], second_s: &[f64]) -> Self {
        let pairs = || first_s.iter().zip(second_s);
        let long_enough =
            pairs().all(|(first, second)| first.max(*second) >= LEAST_TIME.as_secs_f64());
        let faster = |(first, second): (&f64, &f64)| match second / first {
            ratio if ratio > margin => Self::FirstFaster,
            ratio if ratio < 1.0 / margin => Self::SecondFaster,
            _ => Self::Same,
        };
        let mut found: Vec<Self> = pairs().map(faster).collect();
        let enough = found.len() >= LEAST_ROUNDS && long_enough;
        found.dedup();
        match found[..] {
            [all] if enough => all,
            _ => Self::Undecided,
        }
    }
}

impl Lab {
    /// Compares two variants that took turns, and makes the claim that fits; `about` starts it.
    ///
    /// # Panics
    /// If one of them did not run.
    pub fn compare(
        &mut self,
        name: &'static str,
        about: &str,
        [first, second]: [&str; 2],
    ) -> Claim {
        let margin = MARGIN * self.luck([first, second]);
        let walls = [first, second].map(|way| self.walls(way));
        let found = Comparison::by(margin, &walls[0], &walls[1]);
        let faster = |way, other| format!("`{way}` was faster than `{other}` in every round");
        let ratio = || wall(second) / wall(first);
        let (text, checks) = match found {
            Comparison::FirstFaster => (faster(first, second), vec![ratio().above(margin)]),
            Comparison::SecondFaster => (faster(second, first), vec![ratio().below(1.0 / margin)]),
            _ => {
                let text = match found {
                    Comparison::Same if margin == MARGIN => {
                        format!("no difference of a tenth between `{first}` and `{second}`")
                    }
                    _ => format!("whether `{first}` or `{second}` is faster"),
                };
                let took = format!("`{second}` took {{left}} × as long: not a tenth in each round");
                let alike = [ratio().at_most(margin), ratio().at_least(1.0 / margin)];
                let alike = alike.map(|check| check.in_words(&*took));
                (text, alike.into())
            }
        };
        // What took no time is not the same either.
        let is_open = found == Comparison::Undecided;
        let is_long = is_open.then(|| wall(first).at_least(LEAST_TIME));
        // With enough CPUs these rounds would have told.
        let told = Comparison::of(&walls[0], &walls[1]) != Comparison::Undecided;
        let is_luck = margin > MARGIN && (found == Comparison::Same || is_open && told);
        let is_quiet = is_luck.then(|| free_cpus().at_least(cpus() * (1.0 / MARGIN)));
        let checks = checks.into_iter().chain(is_long).map(Check::in_rounds);
        let claim = Claim::that(name, format!("{about}: {text}"));
        let claim = checks.chain(is_quiet).fold(claim, Claim::check);
        if is_luck { claim.needs_cpus() } else { claim }
    }

    /// How many times as fast one of two ways can seem only because its neighbours left it more CPUs; 1 where
    /// both wait most of their time, or the CPUs are free.
    fn luck(&self, ways: [&str; 2]) -> f64 {
        let computes = |way| self.middle(way, Variant::computes) == Some(true);
        if !ways.into_iter().any(computes) {
            return 1.0;
        }
        let mut state = self.state();
        state.document.host.look_again();
        state.document.luck()
    }
}

#[cfg(test)]
mod tests {
    use super::{Comparison::*, *};

    #[test]
    fn a_way_is_faster_only_by_more_than_the_margin_and_in_every_round() {
        for (times, found) in [
            (&[1.2, 1.3, 1.5][..], FirstFaster),
            (&[0.5, 0.9, 0.8], SecondFaster),
            (&[1.05, 0.95, 1.0], Same),
            (&[1.05, 0.95, 1.2], Undecided),
            (&[9.0, 9.0], Undecided),
            (&[], Undecided),
        ] {
            assert_eq!(Comparison::of(&[1.0; 3], times), found, "{times:?}");
        }
    }

    #[test]
    fn a_machine_that_changes_speed_between_rounds_changes_nothing() {
        let found = Comparison::of(&[1.0, 2.0, 1.0], &[1.5, 3.1, 1.4]);
        assert_eq!(found, FirstFaster, "both times of a round double");
    }

    #[test]
    fn what_took_no_time_is_not_compared() {
        assert_eq!(Comparison::of(&[1e-4; 3], &[1e-3; 3]), Undecided);
    }

    #[test]
    fn with_neighbours_only_what_they_cannot_explain_is_a_difference() {
        assert_eq!(Comparison::by(2.2, &[1.0; 3], &[2.0; 3]), Same);
        assert_eq!(Comparison::by(2.2, &[1.0; 3], &[2.3; 3]), FirstFaster);
    }
}
