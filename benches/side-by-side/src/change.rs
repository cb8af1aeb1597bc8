//! What changed since an earlier run, and whether that is more than noise.

use crate::{
    figures::{Spread, place, significant},
    record::{Measured, MeasuredRow, Recorded},
    row::Side,
};

/// Fewer rounds than this have no range to speak of.
const LEAST_ROUNDS: usize = 3;

/// A change below this is not worth a line: two runs of one build differ by as much on a shared machine.
const LEAST_CHANGE: f64 = 0.1;

/// What two runs of a table say together.
///
/// Compared is what a row took against its floor in the same round: the machine's own changes of
/// speed are not the code's. A change counts where *every* round of one run lies beyond every round
/// of the other, and the gap is no smaller than the greater of their ranges: rounds of one run are
/// more alike than rounds of two, so mere order says too little.
pub(crate) fn since(earlier: &Recorded, now: &Recorded) -> Vec<String> {
    if let Some(line) = incomparable(earlier, now) {
        return vec![line];
    }
    let mut lines = moved_floors(earlier, now);
    let (mut compared, mut changed, mut too_few) = (0, 0, 0);
    let rows = |run: &Recorded| {
        let rows = run.measured.rows.iter();
        let rows = rows.filter(|row| row.side != Side::Floor).cloned();
        rows.collect::<Vec<_>>()
    };
    let (old, new) = (rows(earlier), rows(now));
    for row in &new {
        let Some(before) = old.iter().find(|before| is_namesake(before, row)) else {
            lines.push(format!("new: {}", name_of(row)));
            continue;
        };
        match change_of(row, &earlier.measured, before, &now.measured) {
            Change::Unknown => too_few += 1,
            Change::Noise => compared += 1,
            Change::Certain(line) => {
                compared += 1;
                changed += 1;
                lines.push(line);
            }
        }
    }
    let is_gone = |before: &&MeasuredRow| !new.iter().any(|row| is_namesake(before, row));
    let gone = old.iter().filter(is_gone);
    lines.extend(gone.map(|row| format!("gone: {}", name_of(row))));
    if compared > 0 {
        lines.push(alike(earlier, now, compared - changed, compared));
    }
    if too_few > 0 {
        lines.push(format!(
            "{too_few} not compared: fewer than {LEAST_ROUNDS} rounds tell no change from noise"
        ));
    }
    lines
}

/// How many rows have not changed, and how many would seem to by chance.
fn alike(earlier: &Recorded, now: &Recorded, alike: usize, compared: usize) -> String {
    let when = &earlier.environment;
    let commit = when.host.commit.as_deref().unwrap_or("unknown");
    let (date, odds) = (
        &when.date,
        odds(earlier.measured.rounds(), now.measured.rounds()),
    );
    format!(
        "{alike} of {compared} within the noise of commit {commit}, {date}; if rounds were \
         independent, one row in {odds} would lie apart by chance"
    )
}

/// That the figures are of another group, or not of this machine and build; then no difference is the code's
/// alone.
fn incomparable(earlier: &Recorded, now: &Recorded) -> Option<String> {
    let before = &earlier.measured.title;
    if *before != now.measured.title {
        return Some(format!("not compared: measured before was `{before}`"));
    }
    let of = |run: &Recorded| {
        let (host, processor) = (&run.environment.host, &run.environment.processor);
        (
            processor.clone(),
            host.cpus,
            host.profile.clone(),
            host.rustc.clone(),
        )
    };
    let before = earlier.environment.one_line();
    (of(earlier) != of(now))
        .then(|| format!("not compared: another machine or build before: {before}"))
}

/// Floors that moved.
fn moved_floors(earlier: &Recorded, now: &Recorded) -> Vec<String> {
    let mut lines = Vec::new();
    for floor in now
        .measured
        .rows
        .iter()
        .filter(|row| row.side == Side::Floor)
    {
        let rows = earlier.measured.rows.iter();
        let before = rows.clone().find(|before| is_namesake(before, floor));
        let times = |row: &MeasuredRow| Spread::of(row.each_s.iter().copied());
        let (Some(old), Some(new)) = (before.and_then(times), times(floor)) else {
            continue;
        };
        let moved = new.middle / old.middle;
        if is_apart(old, new) && !(0.5..=2.0).contains(&moved) {
            let name = name_of(floor);
            lines.push(format!(
                "the floor itself, {name}, took {} times as long: ratios to it say little",
                significant(moved)
            ));
        }
    }
    lines
}

/// One row in so many lies apart though nothing has changed: two of all ways to deal the rounds.
fn odds(earlier: usize, now: usize) -> u64 {
    let (few, all) = (earlier.min(now) as u64, (earlier + now) as u64);
    let ways = (1..=few).fold(1, |ways: u64, n| ways.saturating_mul(all - few + n) / n);
    (ways / 2).max(1)
}

/// Whether the ranges lie apart, by the greater of them.
fn is_apart(old: Spread, new: Spread) -> bool {
    let gap = (new.least - old.greatest).max(old.least - new.greatest);
    gap > 0.0 && gap >= (old.greatest - old.least).max(new.greatest - new.least)
}

/// What became of a row.
enum Change {
    /// There are too few rounds to tell.
    Unknown,
    Noise,
    /// In words.
    Certain(String),
}

fn is_namesake(one: &MeasuredRow, other: &MeasuredRow) -> bool {
    (&one.name, one.side, one.at) == (&other.name, other.side, other.at)
}

fn name_of(row: &MeasuredRow) -> String {
    match row.at {
        Some(at) => format!("{} at {}", row.name, place(at)),
        None => row.name.clone(),
    }
}

fn change_of(
    row: &MeasuredRow,
    earlier: &Measured,
    before: &MeasuredRow,
    now: &Measured,
) -> Change {
    let (old, new) = (earlier.of_floor(before), now.of_floor(row));
    if old.len() < LEAST_ROUNDS || new.len() < LEAST_ROUNDS {
        return Change::Unknown;
    }
    let spreads = Spread::of(old.into_iter()).zip(Spread::of(new.into_iter()));
    let Some((old, new)) = spreads else {
        return Change::Unknown;
    };
    let change = new.middle / old.middle - 1.0;
    if !is_apart(old, new) || change.abs() < LEAST_CHANGE {
        return Change::Noise;
    }
    let [old, new] = [old.middle, new.middle].map(significant);
    let (name, heading) = (name_of(row), now.floor_heading());
    let percent = change * 100.0;
    Change::Certain(format!(
        "changed: {name}, {old} → {new} {heading} ({percent:+.0} %)"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Unit,
        figures::tests::{measured, row},
        record::Environment,
        rounds::Plan,
    };

    fn run(floor: &[f64], ours: &[f64]) -> Recorded {
        let plan = Plan {
            rounds: ours.len(),
            is_test: false,
        };
        let mut environment = Environment::inspect(plan, Vec::new(), String::new());
        environment.host.commit = Some("012345678".into());
        environment.date = "2026-01-31".into();
        let rows = vec![
            row("floor", Side::Floor, None, floor),
            row("ours", Side::Ours, None, ours),
        ];
        Recorded {
            name: "test".into(),
            environment,
            measured: measured(Unit::Time, rows),
        }
    }

    #[test]
    fn a_row_that_is_slower_in_every_round_has_changed() {
        let lines = since(
            &run(&[1.0; 3], &[1.0, 1.1, 1.2]),
            &run(&[1.0; 3], &[1.7, 1.6, 1.5]),
        );
        assert_eq!(
            lines,
            [
                "changed: ours, 1.10 → 1.60 × floor (+45 %)",
                "0 of 1 within the noise of commit 012345678, 2026-01-31; if rounds were \
                 independent, one row in 10 would lie apart by chance"
            ]
        );
    }

    #[test]
    fn rounds_that_overlap_are_noise_and_so_is_a_machine_at_half_its_speed() {
        let before = run(&[1.0; 3], &[1.0, 1.1, 1.2]);
        let one_within = run(&[1.0; 3], &[1.2, 1.4, 1.5]);
        let slow_machine = run(&[1.9; 3], &[1.9, 2.0, 2.3]);
        let next_to_it = run(&[1.0; 3], &[1.3, 1.4, 1.5]);
        for now in [one_within, slow_machine, next_to_it] {
            let lines = since(&before, &now);
            assert_eq!(lines.len(), 1, "{lines:?}");
            assert!(lines[0].starts_with("1 of 1 within the noise"), "{lines:?}");
        }
    }

    #[test]
    fn a_floor_that_moved_and_another_machine_are_told() {
        let before = run(&[1.0; 3], &[2.0, 2.1, 2.2]);
        let mut now = run(&[10.0; 3], &[2.0, 2.1, 2.2]);
        now.environment.host.rustc = "rustc 9".into();
        let lines = since(&before, &now);
        assert_eq!(lines.len(), 1, "no verdicts: {lines:?}");
        assert!(lines[0].contains("another machine or build"), "{lines:?}");
        now.environment = before.environment.clone();
        let lines = since(&before, &now);
        assert!(
            lines[0].contains("the floor itself, floor, took 10.0 times"),
            "{lines:?}"
        );
    }

    #[test]
    fn chance_is_two_of_all_ways_to_deal_the_rounds() {
        assert_eq!(
            (odds(3, 3), odds(5, 5), odds(3, 5), odds(1, 1)),
            (10, 126, 28, 1)
        );
    }

    #[test]
    fn a_certain_change_of_one_percent_is_not_worth_a_line() {
        let lines = since(&run(&[1.0; 3], &[1.0; 3]), &run(&[1.0; 3], &[1.01; 3]));
        assert_eq!(lines.len(), 1, "{lines:?}");
    }

    #[test]
    fn another_question_is_not_compared() {
        let mut before = run(&[1.0; 3], &[1.0; 3]);
        before.measured.title = "Ten requests".into();
        let lines = since(&before, &run(&[1.0; 3], &[9.0; 3]));
        assert_eq!(lines, ["not compared: measured before was `Ten requests`"]);
    }

    #[test]
    fn one_round_tells_nothing_and_rows_that_come_and_go_are_named() {
        let mut before = run(&[1.0], &[1.0]);
        before.measured.rows[1].name = "theirs".into();
        let lines = since(&before, &run(&[1.0], &[5.0]));
        assert_eq!(lines[..2], ["new: ours", "gone: theirs"]);
        let lines = since(&run(&[1.0], &[1.0]), &run(&[1.0], &[5.0]));
        assert!(lines[0].starts_with("1 not compared"), "{lines:?}");
    }
}
