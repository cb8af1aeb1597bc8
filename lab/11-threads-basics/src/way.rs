//! One way of running the threads, and what was seen of it.

use common::{
    Bound, Lab, Tally,
    claim::{Count, Figure},
    format::seconds,
    panics,
};
use lab_11_threads_basics::{End, Line, Notebook, Plan};
use std::sync::Arc;

/// What join returned, a panic in words.
type Ends = Vec<Result<usize, String>>;

/// Iterations made when main went on, and how often the next line was another thread's.
pub(crate) type Seen = (Figure<Count>, Figure<Count>);

/// Runs the threads in one way and prints their lines as they come.
///
/// `way` returns how many iterations were made when main went on, where that was before the join.
pub(crate) fn run(
    lab: &mut Lab,
    plan: Plan,
    name: &str,
    in_a_row: usize,
    way: impl FnOnce(&Arc<Notebook>) -> (Option<usize>, Vec<End>),
) -> anyhow::Result<(Seen, Ends)> {
    let screen = lab.screen();
    let is_told = matches!(name, "scoped" | "late join");
    let notebook = Arc::new(Notebook::printing(move |line: &Line| {
        if is_told {
            screen.say(format!("  [{}] iteration {}", line.worker, line.iteration));
        }
    }));
    let mut variant = lab.variant(name).bound(Bound::Known {
        duration: plan.delay * in_a_row as u32,
        reason: format!("{in_a_row} waits of {} in a row", seconds(plan.delay)),
    });
    if name == "panicking" {
        // A thread that ends early leaves some of the work undone.
        variant = variant.other_work();
    }
    let work = || {
        let (made, ends) = way(&notebook);
        let made = made.unwrap_or_else(|| notebook.open().len());
        let in_words = |end: End| end.map_err(|panic| panics::message(panic.as_ref()));
        Ok((made, ends.into_iter().map(in_words).collect::<Ends>()))
    };
    let (made, ends): (usize, Ends) = variant.run_counted(work, |(_, ends)| Tally::of(ends))?;
    let lines = notebook.open();
    let pairs = lines.windows(2);
    let changes = pairs
        .filter(|pair| pair[0].worker != pair[1].worker)
        .count();
    let made = lab.count(name, "iterations_made_when_main_went_on", made);
    Ok(((made, lab.count(name, "changes_of_speaker", changes)), ends))
}
