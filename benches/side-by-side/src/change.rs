//! What changed since an earlier run, and whether that is more than noise.

use crate::{
    figures::{Spread, place, significant},
    record::{MeasuredRow, Recorded},
    row::Side,
};

/// Fewer rounds than this have no range to speak of.
const LEAST_ROUNDS: usize = 3;

/// A change below this is not worth a line: two runs of one build differ by as much on a shared machine.
const LEAST_CHANGE: f64 = 0.1;

/// What the runs of two builds say together.
///
/// Compared is what a row took against its floor in the same round: the machine's own changes of
/// speed are not the code's. A row lies apart where *every* round of one build lies beyond every
/// round of the other, by no less than the greater of their ranges. Rounds of one run are more alike
/// than those of two, so the odds count runs, and a row is called changed only where they say something.
pub(crate) fn since(earlier: &Recorded, now: &Recorded) -> Vec<String> {
    if let Some(line) = incomparable(earlier, now) {
        return vec![line];
    }
    let program = |run: &&Recorded| run.environment.program;
    let comparable = |run: &&Recorded| incomparable(run, now).is_none();
    let new: Vec<_> = now
        .runs()
        .filter(comparable)
        .filter(|run| program(run) == program(&now))
        .collect();
    let mut others = earlier
        .runs()
        .filter(comparable)
        .filter(|run| program(run) != program(&now));
    let Some(last) = others.next_back() else {
        return vec![format!(
            "{} of this build, none of another to compare with",
            runs(new.len())
        )];
    };
    let mut old: Vec<_> = others
        .filter(|run| program(run) == program(&last))
        .collect();
    old.push(last);
    compare(&old, &new)
}

fn compare(old: &[&Recorded], new: &[&Recorded]) -> Vec<String> {
    let (before, now) = (old[old.len() - 1], new[new.len() - 1]);
    let mut lines = moved_floors(before, now);
    let odds = odds(old.len(), new.len());
    let word = if odds > 1 { "changed" } else { "apart" };
    let (old_rows, new_rows) = (rows_of(before), rows_of(now));
    let is_in =
        |rows: &[MeasuredRow], row: &&MeasuredRow| rows.iter().any(|it| is_namesake(it, row));
    let (known, fresh) = new_rows
        .iter()
        .partition::<Vec<_>, _>(|row| is_in(&old_rows, row));
    let changes: Vec<_> = known.iter().map(|row| change_of(row, old, new)).collect();
    let apart = changes.iter().filter_map(Change::apart);
    let apart: Vec<_> = apart.map(|line| format!("{word}: {line}")).collect();
    let is_unknown = |change: &&Change| matches!(change, Change::Unknown);
    let too_few = changes.iter().filter(is_unknown).count();
    let (compared, alike) = (known.len() - too_few, known.len() - too_few - apart.len());
    lines.extend(apart);
    lines.extend(fresh.iter().map(|row| format!("new: {}", name_of(row))));
    let gone = old_rows.iter().filter(|row| !is_in(&new_rows, row));
    lines.extend(gone.map(|row| format!("gone: {}", name_of(row))));
    if compared > 0 {
        let commit = before
            .environment
            .host
            .commit
            .as_deref()
            .unwrap_or("unknown");
        let (date, trust) = (&before.environment.date, trust(odds, old.len(), new.len()));
        lines.push(format!(
            "{alike} of {compared} within the noise of commit {commit}, {date}; {trust}"
        ));
    }
    if too_few > 0 {
        lines.push(format!(
            "{too_few} not compared: fewer than {LEAST_ROUNDS} rounds tell no change from noise"
        ));
    }
    lines
}

/// The rows that are compared: all but floors.
fn rows_of(run: &Recorded) -> Vec<MeasuredRow> {
    let rows = run.measured.rows.iter();
    let rows = rows.filter(|row| row.side != Side::Floor).cloned();
    rows.collect()
}

/// How far the lines can be trusted.
fn trust(odds: u64, old: usize, new: usize) -> String {
    let builds = format!("{} of that build, {} of this", runs(old), runs(new));
    match odds {
        1 => format!(
            "{builds}: too few to tell a change from the machine; run each build three times"
        ),
        odds => format!("{builds}: if nothing changed, at most one row in {odds} lies apart"),
    }
}

fn runs(count: usize) -> String {
    format!("{count} run{}", if count == 1 { "" } else { "s" })
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

/// One row in so many lies apart though nothing has changed: two of all ways to deal the runs.
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
    Apart(String),
}

impl Change {
    fn apart(&self) -> Option<&str> {
        match self {
            Self::Apart(line) => Some(line),
            Self::Unknown | Self::Noise => None,
        }
    }
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

fn change_of(row: &MeasuredRow, old: &[&Recorded], new: &[&Recorded]) -> Change {
    let of_floor = |runs: &[&Recorded]| {
        let measured = runs.iter().map(|run| &run.measured);
        let rounds = measured.flat_map(|measured| {
            let rows = measured.rows.iter().filter(|other| is_namesake(other, row));
            rows.flat_map(|row| measured.of_floor(row))
        });
        rounds.collect::<Vec<_>>()
    };
    let heading = new[0].measured.floor_heading();
    let (old, new) = (of_floor(old), of_floor(new));
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
    let (name, percent) = (name_of(row), change * 100.0);
    Change::Apart(format!("{name}, {old} → {new} {heading} ({percent:+.0} %)"))
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

    fn run(program: u64, floor: &[f64], ours: &[f64]) -> Recorded {
        let plan = Plan {
            rounds: ours.len(),
            is_test: false,
        };
        let mut environment = Environment::inspect(plan, Vec::new(), String::new());
        environment.host.commit = Some("012345678".into());
        environment.date = "2026-01-31".into();
        environment.program = Some(program);
        let rows = vec![
            row("floor", Side::Floor, None, floor),
            row("ours", Side::Ours, None, ours),
        ];
        Recorded {
            name: "test".into(),
            environment,
            measured: measured(Unit::Time, rows),
            before: Vec::new(),
        }
    }

    /// The runs of one after another, as the file keeps them.
    fn in_turn(runs: impl IntoIterator<Item = Recorded>) -> Recorded {
        let in_turn = runs.into_iter().reduce(|earlier, mut now| {
            now.follows(&earlier);
            now
        });
        in_turn.expect("some")
    }

    /// A build of another speed, run so often.
    fn build(program: u64, times: usize, ours: &[f64]) -> impl Iterator<Item = Recorded> {
        let runs = (0..times).map(move |_| run(program, &[1.0; 3], &[0.0; 3]));
        let ours = ours.to_vec();
        runs.map(move |mut run| {
            run.measured.rows[1].each_s.clone_from(&ours);
            run
        })
    }

    #[test]
    fn a_row_that_is_slower_in_every_round_of_enough_runs_has_changed() {
        let (fast, slow) = ([1.0, 1.1, 1.2], [1.7, 1.6, 1.5]);
        let earlier = in_turn(build(1, 3, &fast));
        let now = in_turn(build(1, 3, &fast).chain(build(2, 3, &slow)));
        assert_eq!(
            since(&earlier, &now),
            [
                "changed: ours, 1.10 → 1.60 × floor (+45 %)",
                "0 of 1 within the noise of commit 012345678, 2026-01-31; 3 runs of that build, \
                 3 runs of this: if nothing changed, at most one row in 10 lies apart"
            ]
        );
        let earlier = in_turn(build(1, 1, &fast));
        let now = in_turn(build(1, 1, &fast).chain(build(2, 1, &slow)));
        let lines = since(&earlier, &now);
        assert_eq!(lines[0], "apart: ours, 1.10 → 1.60 × floor (+45 %)");
        assert!(lines[1].contains("too few to tell"), "{lines:?}");
    }

    #[test]
    fn a_build_has_not_changed_against_itself_and_shows_how_far_its_runs_lie_apart() {
        let (fast, slow) = ([1.0, 1.1, 1.2], [1.7, 1.6, 1.5]);
        let earlier = in_turn(build(1, 1, &fast));
        let now = in_turn(build(1, 1, &fast).chain(build(1, 1, &slow)));
        let lines = since(&earlier, &now);
        assert_eq!(
            lines,
            ["2 runs of this build, none of another to compare with"]
        );
        let then = in_turn(now.runs().cloned().chain(build(2, 2, &slow)));
        let lines = since(&then, &then);
        assert!(lines[0].starts_with("1 of 1 within the noise"), "{lines:?}");
    }

    #[test]
    fn rounds_that_overlap_are_noise_and_so_is_a_machine_at_half_its_speed() {
        let before = run(1, &[1.0; 3], &[1.0, 1.1, 1.2]);
        let one_within = run(2, &[1.0; 3], &[1.2, 1.4, 1.5]);
        let slow_machine = run(2, &[1.9; 3], &[1.9, 2.0, 2.3]);
        let next_to_it = run(2, &[1.0; 3], &[1.3, 1.4, 1.5]);
        for now in [one_within, slow_machine, next_to_it] {
            let lines = since(&before, &now);
            assert_eq!(lines.len(), 1, "{lines:?}");
            assert!(lines[0].starts_with("1 of 1 within the noise"), "{lines:?}");
        }
    }

    #[test]
    fn a_floor_that_moved_and_another_machine_are_told() {
        let before = run(1, &[1.0; 3], &[2.0, 2.1, 2.2]);
        let mut now = run(2, &[10.0; 3], &[2.0, 2.1, 2.2]);
        now.environment.host.rustc = "rustc 9".into();
        let lines = since(&before, &now);
        assert_eq!(lines.len(), 1, "no verdicts: {lines:?}");
        assert!(lines[0].contains("another machine or build"), "{lines:?}");
        now.environment.host = before.environment.host.clone();
        let lines = since(&before, &now);
        assert!(
            lines[0].contains("the floor itself, floor, took 10.0 times"),
            "{lines:?}"
        );
    }

    #[test]
    fn chance_is_two_of_all_ways_to_deal_the_runs() {
        let all = [odds(1, 1), odds(2, 1), odds(2, 2), odds(3, 3), odds(3, 5)];
        assert_eq!(all, [1, 1, 3, 10, 28]);
    }

    #[test]
    fn a_certain_change_of_one_percent_is_not_worth_a_line() {
        let lines = since(
            &run(1, &[1.0; 3], &[1.0; 3]),
            &run(2, &[1.0; 3], &[1.01; 3]),
        );
        assert_eq!(lines.len(), 1, "{lines:?}");
    }

    #[test]
    fn another_question_is_not_compared() {
        let mut before = run(1, &[1.0; 3], &[1.0; 3]);
        before.measured.title = "Ten requests".into();
        let lines = since(&before, &run(2, &[1.0; 3], &[9.0; 3]));
        assert_eq!(lines, ["not compared: measured before was `Ten requests`"]);
    }

    #[test]
    fn one_round_tells_nothing_and_rows_that_come_and_go_are_named() {
        let mut before = run(1, &[1.0], &[1.0]);
        before.measured.rows[1].name = "theirs".into();
        let lines = since(&before, &run(2, &[1.0], &[5.0]));
        assert_eq!(lines[..2], ["new: ours", "gone: theirs"]);
        let lines = since(&run(1, &[1.0], &[1.0]), &run(2, &[1.0], &[5.0]));
        assert!(lines[0].starts_with("1 not compared"), "{lines:?}");
    }
}
