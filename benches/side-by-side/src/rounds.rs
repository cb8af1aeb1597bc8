//! The turns themselves.

use crate::{
    group::Group,
    record::{Measured, MeasuredRow},
    row::{Row, Side},
};
use serde::{Deserialize, Serialize};
use std::{num::NonZeroUsize, time::Duration};

/// How long one turn of a row is to take, where its count can be chosen.
const TURN: Duration = Duration::from_millis(150);

/// Counts grow to a turn in so many steps: what sizes its orders by what it has seen is slow at
/// first.
const STEPS: usize = 3;

/// How often, and whether for long enough to mean something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// How many turns each row has.
    pub rounds: usize,
    /// Each row once with its least count: the figures mean nothing.
    pub is_test: bool,
}

impl Plan {
    pub(crate) fn of(rounds: NonZeroUsize) -> Self {
        let rounds = rounds.get();
        let is_test = false;
        Self { rounds, is_test }
    }

    pub(crate) fn once() -> Self {
        let (rounds, is_test) = (1, true);
        Self { rounds, is_test }
    }
}

impl Group {
    /// Runs every row once per round; each round begins with another row, so that none always runs
    /// behind the same one.
    ///
    /// A peer that fails is left out with a note.
    ///
    /// # Errors
    /// A row of the lab's or a floor fails; in a test, any.
    pub fn take_turns(self, plan: Plan) -> anyhow::Result<Measured> {
        let mut notes = self.notes;
        let mut rows = Vec::new();
        for mut row in self.rows {
            let count = count_of(&mut row, self.counts, plan);
            if let Some(count) = keep(count, &row, plan, &mut notes)? {
                rows.push((MeasuredRow::of(&row, count), row));
            }
        }
        for round in 0..plan.rounds.min(self.rounds_limit) {
            let mut failed = Vec::new();
            for place in 0..rows.len() {
                let at = (place + round) % rows.len();
                let (measured, row) = &mut rows[at];
                if row.is_single && round > 0 {
                    continue;
                }
                match keep(row.turn(measured.count), row, plan, &mut notes)? {
                    Some(turn) => measured.push(turn),
                    None => failed.push(at),
                }
            }
            failed.sort_unstable_by(|one, other| other.cmp(one));
            for at in failed {
                rows.remove(at);
            }
        }
        Ok(Measured {
            title: self.title,
            unit: self.unit,
            axis: self.axis,
            rows: rows.into_iter().map(|(measured, _)| measured).collect(),
            notes,
        })
    }
}

/// What a row brought; `None` for a peer that failed, which is noted.
fn keep<T>(
    brought: anyhow::Result<T>,
    row: &Row,
    plan: Plan,
    notes: &mut Vec<String>,
) -> anyhow::Result<Option<T>> {
    match brought {
        Ok(brought) => Ok(Some(brought)),
        Err(error) if row.side == Side::Peer && !plan.is_test => {
            notes.push(format!("left out, because it failed: {error:#}"));
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// How many tasks make a turn of the wanted length; warms the row up as well.
fn count_of(row: &mut Row, counts: (u64, u64), plan: Plan) -> anyhow::Result<u64> {
    let (least, most) = row.count.map_or(counts, |count| (count, count));
    let mut count = least;
    if plan.is_test || row.is_cold {
        return Ok(count);
    }
    for _ in 0..STEPS {
        let took = row.turn(count)?.took.max(Duration::from_nanos(1));
        let fitting = count as f64 * TURN.as_secs_f64() / took.as_secs_f64();
        count = (fitting as u64).clamp(least, most);
        if least == most {
            break;
        }
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Turn, Unit};
    use anyhow::bail;
    use std::{cell::RefCell, rc::Rc};

    const THREE: Plan = Plan {
        rounds: 3,
        is_test: false,
    };

    /// A row that writes its name down at each turn and claims to have taken 1 ms a task.
    fn scribe(name: &str, book: &Rc<RefCell<Vec<String>>>) -> Row {
        let (line, book) = (name.to_owned(), Rc::clone(book));
        Row::ours(name, move |count| {
            book.borrow_mut().push(line.clone());
            Ok(Duration::from_millis(count))
        })
    }

    #[test]
    fn each_round_runs_every_row_once_and_begins_with_another() {
        let book = Rc::default();
        let rows = ["a", "b", "c"].map(|name| scribe(name, &book)).into();
        let group = Group::new("", Unit::Time, rows).in_counts_of(1, 1);
        let measured = group.take_turns(THREE).expect("nothing fails");
        // The first three turns warm up.
        assert_eq!(book.borrow().concat(), "abcabcbcacab");
        assert!(measured.rows.iter().all(|row| row.each_s.len() == 3));
    }

    #[test]
    fn counts_grow_until_a_turn_is_long_enough_and_a_row_is_divided_by_its_own() {
        let rows = vec![scribe("a", &Rc::default())];
        let group = Group::new("", Unit::Time, rows).in_counts_of(1, 1_000);
        let measured = group.take_turns(THREE).expect("nothing fails");
        assert_eq!(measured.rows[0].count, 150);
        assert_eq!(measured.rows[0].each_s, [0.001; 3]);
    }

    #[test]
    fn a_peer_that_fails_is_left_out_with_its_reason_and_ours_ends_the_group() {
        let fails_later = |side| {
            let mut turns = 0;
            Row::new("fails", side, move |_| {
                turns += 1;
                if turns == 2 {
                    bail!("no such luck");
                }
                Ok(Turn::from(Duration::from_millis(1)))
            })
        };
        let group = |side| {
            let rows = vec![fails_later(side), scribe("stays", &Rc::default())];
            Group::new("", Unit::Time, rows).in_counts_of(1, 1)
        };
        let measured = group(Side::Peer).take_turns(THREE).expect("a peer's loss");
        assert_eq!(measured.rows.len(), 1);
        assert_eq!(measured.rows[0].each_s.len(), 3);
        assert!(measured.notes[0].contains("no such luck"));
        let fails_first = Row::peer("fails", |_| Err::<Duration, _>(anyhow::anyhow!("no")));
        let test = Group::new("", Unit::Time, vec![fails_first]);
        assert!(test.take_turns(Plan::once()).is_err(), "a test must tell");
        let error = group(Side::Ours).take_turns(THREE).expect_err("ours fails");
        assert!(format!("{error:#}").contains("the row `fails`: no such luck"));
    }

    #[test]
    fn a_row_that_runs_once_has_one_figure_and_no_turn_before() {
        let book = Rc::default();
        let rows = vec![scribe("a", &book).once(), scribe("b", &book).cold()];
        let group = Group::new("", Unit::Time, rows).in_counts_of(1, 1);
        let measured = group.take_turns(THREE).expect("nothing fails");
        assert_eq!(book.borrow().concat(), "abbb");
        assert_eq!(measured.rows[0].each_s.len(), 1);
    }

    #[test]
    fn no_time_at_all_is_no_infinite_speed() {
        let rows = vec![Row::ours("a", |_| Ok(Duration::ZERO))];
        let group = Group::new("", Unit::per_second("tasks"), rows).in_counts_of(1, 1);
        let measured = group.take_turns(Plan::once()).expect("nothing fails");
        assert!(
            measured
                .in_unit(&measured.rows[0])
                .is_some_and(|speed| speed.middle.is_finite())
        );
    }

    #[test]
    fn a_test_runs_each_row_once_with_its_least_count() {
        let book = Rc::default();
        let group = Group::new("", Unit::Time, vec![scribe("a", &book)]).in_counts_of(7, 9);
        let measured = group.take_turns(Plan::once()).expect("nothing fails");
        assert_eq!((book.borrow().len(), measured.rows[0].count), (1, 7));
    }
}
