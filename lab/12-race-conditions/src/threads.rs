//! Threads that set off together.

use std::{
    io,
    num::NonZeroUsize,
    panic::resume_unwind,
    sync::{Barrier, OnceLock},
    thread,
};

/// Runs `work` with the number of each thread, from 0, and a barrier with a place for all of them.
///
/// Returns what each made. Nobody sets off unless all could be started: a barrier that counts on a
/// missing thread never opens.
pub(crate) fn together<T: Send>(
    threads: NonZeroUsize,
    work: impl Fn(usize, &Barrier) -> T + Sync,
) -> io::Result<Vec<T>> {
    let gate: OnceLock<Option<Barrier>> = OnceLock::new();
    let (gate, work) = (&gate, &work);
    thread::scope(|scope| {
        let start = |number| {
            thread::Builder::new()
                .name(format!("thread {}", letter(number)))
                .spawn_scoped(scope, move || {
                    let barrier = gate.wait().as_ref()?;
                    Some(work(number, barrier))
                })
        };
        let started: io::Result<Vec<_>> = (0..threads.get()).map(start).collect();
        gate.get_or_init(|| started.is_ok().then(|| Barrier::new(threads.get())));
        let ends = started?.into_iter().map(|thread| thread.join());
        Ok(ends
            .filter_map(|end| end.unwrap_or_else(|panic| resume_unwind(panic)))
            .collect())
    })
}

/// What the thread of this number, from 0, is called: A, B … Z, then by number.
pub(crate) fn letter(number: usize) -> String {
    let letter = u8::try_from(number).ok().filter(|number| *number < 26);
    letter.map_or_else(
        || (number + 1).to_string(),
        |number| char::from(b'A' + number).to_string(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::panic::catch_unwind;

    #[test]
    fn every_thread_runs_once_and_all_meet() {
        for count in [1, 2, 8] {
            let threads = NonZeroUsize::new(count).expect("not zero");
            let mut leaders = 0;
            let made = together(threads, |number, barrier| {
                (number, barrier.wait().is_leader())
            });
            for (at, (number, leads)) in made.expect("threads start").into_iter().enumerate() {
                assert_eq!(number, at);
                leaders += usize::from(leads);
            }
            assert_eq!(leaders, 1);
        }
    }

    #[test]
    fn a_panic_is_passed_on() {
        let threads = NonZeroUsize::MIN;
        let panicked = catch_unwind(|| together(threads, |_, _| resume_unwind(Box::new(41))));
        let payload = panicked.map(|made: io::Result<Vec<()>>| drop(made));
        assert_eq!(payload.expect_err("it panics").downcast_ref(), Some(&41));
    }
}
