//! One way of running the threads, and what all of them are to show.

use common::{
    Bound, Lab, Tally,
    claim::{Claim, Count, Figure, done, failed, wall},
    format::seconds,
    panics,
};
use lab_11_threads_basics::{End, Plan};
use std::sync::{Arc, Mutex};

// What is noted of each way.
const MADE: &str = "iterations_made_when_main_went_on";
const CHANGES: &str = "changes_of_speaker";
const AT_ONCE: &str = "workers_at_once";

/// What join returned, a panic in words.
type Ends = Vec<Result<usize, String>>;

/// What workers say things to, and what was said so far, in the order of events.
pub(crate) type Say = Box<dyn Fn(char, usize) + Send + Sync>;
pub(crate) type Lines = Mutex<Vec<(char, usize)>>;

fn listen(lab: &Lab, is_printed: bool) -> (Arc<Say>, Arc<Lines>) {
    let (lines, screen) = (Arc::<Lines>::default(), lab.screen());
    let said = Arc::clone(&lines);
    let say: Arc<Say> = Arc::new(Box::new(move |worker, iteration| {
        // Printed under the lock: no two lines change places on their way to the screen.
        let mut said = said.lock().unwrap();
        if is_printed {
            screen.say(format!("  [worker {worker}] iteration {iteration}"));
        }
        said.push((worker, iteration));
    }));
    (say, lines)
}

/// Runs the threads in one way, and notes what was seen; prints the lines of `late join` as they come.
///
/// `way` returns how many iterations were made when main went on, where that was before the join.
pub(crate) fn run(
    lab: &mut Lab,
    plan: Plan,
    name: &str,
    way: impl Fn(&Arc<Say>, &Lines) -> (Option<usize>, Vec<End>),
) -> anyhow::Result<Ends> {
    let (say, lines) = listen(lab, name == "late join");
    let in_a_row = match name {
        "sequential" => plan.iterations * plan.threads.get(),
        _ => plan.iterations,
    };
    let variant = lab.variant(name).bound(Bound::Known(
        plan.delay * in_a_row as u32,
        format!("{in_a_row} waits of {} in a row", seconds(plan.delay)),
    ));
    // A thread that ends early leaves some of the work undone.
    let variant = match name {
        "panicking" => variant.other_work(),
        _ => variant,
    };
    let work = || {
        lines.lock().unwrap().clear();
        let (made, ends) = way(&say, &lines);
        let made = made.unwrap_or_else(|| lines.lock().unwrap().len());
        let in_words = |end: End| end.map_err(|panic| panics::message(panic.as_ref()));
        Ok((made, ends.into_iter().map(in_words).collect::<Vec<_>>()))
    };
    let Some((made, ends)) = variant.run_counted(work, |(_, ends)| Tally::of(ends))? else {
        return Ok(Ends::new());
    };
    let lines = lines.lock().unwrap();
    let changes = lines.windows(2).filter(|pair| pair[0].0 != pair[1].0);
    let at_once = lab.recording(name).most_open("iterate");
    lab.note(name, MADE, made);
    lab.note(name, CHANGES, changes.count());
    lab.note(name, AT_ONCE, at_once);
    Ok(ends)
}

/// Adds the claims; given how many joins returned a panic.
pub(crate) fn claim(lab: &mut Lab, plan: Plan, panics: usize) {
    let seen = |name, figure| Figure::<Count>::noted(Some(name), figure);
    let threads = plan.threads.get();
    let all = || threads * plan.iterations;
    let text = "when join had returned, every iteration had been made";
    let waits = Claim::that("join_waits", text)
        .check(seen("scoped", MADE).equals(all()))
        .check(seen("'static", MADE).equals(all()))
        .in_a_line("after join, {left} of {right} iterations had been made");
    lab.claim(waits.headline());
    let text = "before join, main went on while iterations were still to be made";
    let goes_on = Claim::that("main_goes_on", text)
        .check(seen("late join", MADE).below(all()))
        .in_a_line("before join, main went on with {left} of {right} iterations made");
    lab.claim(goes_on.headline());
    let text = "the threads' lines mixed: the speaker changed more often than on one thread";
    let more = |name| seen(name, CHANGES).above(seen("sequential", CHANGES));
    let mix = Claim::that("lines_mix", text).check(more("scoped"));
    let mix = mix.check(more("'static"));
    let text = "the waits overlapped: threads took less than three quarters of the time";
    let mut overlap = Claim::that("waits_overlap", text)
        .in_a_line("{left2} threads waited at once: {left} instead of {right}");
    for name in ["scoped", "'static"] {
        overlap = overlap
            .check(wall(name).below(wall("sequential") * 0.75))
            .check(seen(name, AT_ONCE).above(1));
    }
    for claim in [mix, overlap.headline()] {
        let alone = (threads == 1).then_some("one thread has no other to run beside");
        lab.claim(claim.otherwise(alone));
    }
    claim_panic(lab, threads, panics);
}

/// Claims what a panic ended, and what join made of it.
fn claim_panic(lab: &mut Lab, threads: usize, panics: usize) {
    let panicked = lab.note("panicking", "panics_that_join_returned", panics);
    let text = "one thread panicked, join returned it as a value, and main went on";
    let value = Claim::that("panic_is_a_value", text)
        .check(panicked.equals(1))
        .check(failed("panicking").equals(1))
        .in_a_line("join returned the panic of {left} thread as a value; main went on");
    lab.claim(value.headline());
    if threads > 1 {
        let text = "the panic ended its own thread and no other";
        let others = Claim::that("panic_ends_one_thread", text);
        lab.claim(others.check(done("panicking").equals(threads - 1)));
    }
}
