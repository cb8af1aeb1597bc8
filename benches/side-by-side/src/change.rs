//! What changed since an earlier run, and whether that is more than noise.

use crate::{
    figures::{Spread, place, significant},
    record::{Measured, MeasuredRow, Recorded},
    row::Side,
};

/// Fewer rounds than this have no range to speak of.
const LEAST_ROUNDS: usize = 3;

/// A change below this is not worth a line, however certain.
const LEAST_CHANGE: f64 = 0.03;

/// What two runs of a table say together.
///
/// Compared is what a row took against its floor in the same round: the machine's own changes of
/// speed are not the code's. A change counts where *every* round of one run lies beyond every round
/// of the other.
pub(crate) fn since(earlier: &Recorded, now: &Recorded) -> Vec<String> {
    if earlier.measured.title != now.measured.title {
        let before = &earlier.measured.title;
        return vec![format!("not compared: measured before was `{before}`")];
    }
    let mut lines = Vec::new();
    let (mut compared, mut changed) = (0, 0);
    for row in now
        .measured
        .rows
        .iter()
        .filter(|row| row.side != Side::Floor)
    {
        let before = earlier.measured.rows.iter();
        let Some(before) = before.clone().find(|before| is_namesake(before, row)) else {
            lines.push(format!("new: {}", name_of(row)));
            continue;
        };
        compared += 1;
        if let Some(line) = change_of(row, &earlier.measured, before, &now.measured) {
            changed += 1;
            lines.push(line);
        }
    }
    let gone = earlier.measured.rows.iter().filter(|before| {
        before.side != Side::Floor && !now.measured.rows.iter().any(|row| is_namesake(before, row))
    });
    lines.extend(gone.map(|row| format!("gone: {}", name_of(row))));
    let rounds = earlier.measured.rounds().min(now.measured.rounds());
    let when = &earlier.environment;
    let commit = when.host.commit.as_deref().unwrap_or("unknown");
    let alike = compared - changed;
    lines.push(if rounds < LEAST_ROUNDS {
        format!(
            "{rounds} rounds are too few to tell a change from noise; take {LEAST_ROUNDS} or more"
        )
    } else {
        format!(
            "{alike} of {compared} within the noise of commit {commit}, {}",
            when.date
        )
    });
    lines
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
) -> Option<String> {
    let (old, new) = (earlier.of_floor(before), now.of_floor(row));
    if old.len() < LEAST_ROUNDS || new.len() < LEAST_ROUNDS {
        return None;
    }
    let (old, new) = (Spread::of(old.into_iter())?, Spread::of(new.into_iter())?);
    let is_apart = new.least > old.greatest || new.greatest < old.least;
    let change = new.middle / old.middle - 1.0;
    (is_apart && change.abs() >= LEAST_CHANGE).then(|| {
        let [old, new] = [old.middle, new.middle].map(significant);
        let (name, heading) = (name_of(row), now.floor_heading());
        format!(
            "changed: {name}, {old} → {new} {heading} ({:+.0} %)",
            change * 100.0
        )
    })
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
            &run(&[1.0; 3], &[1.5, 1.4, 1.3]),
        );
        assert_eq!(
            lines,
            [
                "changed: ours, 1.10 → 1.40 × floor (+27 %)",
                "0 of 1 within the noise of commit 012345678, 2026-01-31"
            ]
        );
    }

    #[test]
    fn rounds_that_overlap_are_noise_and_so_is_a_machine_at_half_its_speed() {
        let before = run(&[1.0; 3], &[1.0, 1.1, 1.2]);
        let one_within = run(&[1.0; 3], &[1.2, 1.4, 1.5]);
        let slow_machine = run(&[2.0; 3], &[2.0, 2.2, 2.4]);
        for now in [one_within, slow_machine] {
            let lines = since(&before, &now);
            assert_eq!(
                lines,
                ["1 of 1 within the noise of commit 012345678, 2026-01-31"]
            );
        }
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
        assert!(lines[2].contains("too few"), "{lines:?}");
    }
}
