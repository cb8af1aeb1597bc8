//! Large values, scarce descriptors, and parents that end: programs of their own, where the test's own
//! process would be in the way.

use crate::{
    functions::{self, Inflated},
    support::{MeetingPoint, PROGRAM, builder, count, pool, watched},
};
use process_pool::TaskError;
use std::{
    io::{BufRead, BufReader, Read},
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

#[test]
fn large_values_on_both_sides_of_full_queues_do_not_jam() {
    watched(|| {
        let builder = builder(functions::ECHO, 2).queue_limit(count(1));
        let pool = builder.start().expect("the pool starts");
        let inputs: Vec<Vec<u8>> = (0..40).map(|i| vec![i; 1 << 20]).collect();
        // Nobody takes a result before the last input is in.
        let tasks: Vec<_> = inputs.iter().map(|i| pool.submit(i.clone())).collect();
        for (task, input) in tasks.into_iter().zip(inputs).rev() {
            assert!(task.wait() == Ok(input));
        }
        assert_eq!(pool.shutdown(None).done, 40);
    });
}

#[test]
fn few_large_outcomes_are_on_their_way() {
    watched(|| {
        let pool = pool(functions::INFLATE, 2);
        let given = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&given);
        let inputs = (0..100).map(move |_| {
            counter.fetch_add(1, Ordering::SeqCst);
            1
        });
        // 16 MiB of them, and the one that is waiting for room.
        for (taken, (_, outcome)) in (1..).zip(pool.map_unordered(inputs)) {
            assert_eq!(outcome, Ok(Inflated(1)));
            assert!(given.load(Ordering::SeqCst) <= taken + 17, "{taken}");
        }
    });
}

#[test]
#[ignore = "takes 1 GiB of memory in two processes; .ci/run does it"]
fn values_past_the_limit_are_reported_and_the_worker_goes_on() {
    watched(|| {
        let too_large = 1 << 10;
        let inflating = pool(functions::INFLATE, 1);
        let mut outcomes = inflating.map([1, too_large, 2]);
        assert_eq!(outcomes.remove(2), Ok(Inflated(2)));
        let error = outcomes.remove(1);
        assert!(
            matches!(&error, Err(TaskError::Output(reason)) if reason.contains("past the limit")),
            "{error:?}"
        );

        let deflating = pool(functions::DEFLATE, 1);
        let outcomes = deflating.map([1, too_large, 2].map(Inflated));
        assert_eq!((&outcomes[0], &outcomes[2]), (&Ok(1), &Ok(2)));
        assert!(
            matches!(&outcomes[1], Err(TaskError::Input(reason)) if reason.contains("past the limit")),
            "{outcomes:?}"
        );

        for ledger in [inflating.shutdown(None), deflating.shutdown(None)] {
            assert_eq!((ledger.submitted, ledger.done, ledger.failed), (3, 2, 1));
            assert_eq!(ledger.workers_lost, 0);
        }
    });
}

/// The program of the workers, started by itself, with the first line that it says.
fn program_says(command: &mut Command, expected: &str) -> Child {
    let mut parent = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut line = String::new();
    let mut output = BufReader::new(parent.stdout.take().expect("it is piped"));
    output.read_line(&mut line).expect("text");
    assert_eq!(line.trim_end(), expected);
    parent
}

#[test]
fn idle_workers_end_with_a_parent_that_is_killed() {
    watched(|| {
        let mut parent = program_says(Command::new(PROGRAM).args(["idle", "5"]), "ready");
        parent.kill().expect("it runs");
        parent.wait().expect("it ends");
        // Whatever workers print goes where the parent's errors go: at its end none is left.
        let mut said = String::new();
        let mut errors = parent.stderr.take().expect("it is piped");
        errors.read_to_string(&mut said).expect("text");
        assert_eq!(said, "");
    });
}

#[test]
fn a_pool_that_may_make_no_file_maps_its_inputs() {
    watched(|| {
        let mut limited = Command::new("sh");
        limited.args(["-c", "ulimit -f 0 && exec \"$0\" map", PROGRAM]);
        let output = limited.output().expect("it starts");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{:?} {said}", output.status);
    });
}

#[test]
fn waiting_tasks_take_no_descriptors() {
    watched(|| {
        let point = MeetingPoint::new();
        let mut limited = Command::new("sh");
        limited
            .args(["-c", "ulimit -n 64 && exec \"$0\" queue \"$@\"", PROGRAM])
            .arg(&point.path)
            .arg("100000");
        let parent = thread::spawn(move || program_says(&mut limited, "queued"));
        let met = [point.meet(), point.meet()];
        let parent = parent.join().expect("no panic");
        drop(met);
        let output = parent.wait_with_output().expect("it ends");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
    });
}

#[cfg(target_os = "linux")]
#[test]
fn a_pool_for_which_no_thread_can_start_says_so() {
    watched(|| {
        let output = Command::new(PROGRAM).arg("threads").output();
        let output = output.expect("it starts");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
    });
}

#[test]
fn pools_in_a_row_leave_no_process_thread_or_descriptor() {
    end_pools("30");
}

#[test]
#[ignore = "takes a minute; .ci/run does it"]
fn a_thousand_pools_in_a_row_leave_nothing() {
    end_pools("1000");
}

/// Ends pools while their workers are being replaced.
fn end_pools(how_many: &'static str) {
    watched(move || {
        let output = Command::new(PROGRAM).args(["end", how_many]).output();
        let output = output.expect("it starts");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
    });
}
