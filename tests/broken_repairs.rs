//! What is wrong with a repair whatever its drill asks for has the same words in all drills.

use std::{env, process::Command};

/// Repairs by name, each with its check. What is to be said of them is below.
///
/// Each runs in a process of its own: a check looks at all threads of its process.
macro_rules! repairs {
    ($($name:ident: $verdict:expr,)+) => {
        mod repair {
            use lab_drills::{d01, d07, d13, d14, d20};
            use std::{future::pending, hint::spin_loop, thread};

            $(
                #[test]
                #[ignore = "it is run by another test"]
                fn $name() {
                    let fault = $verdict.fault.unwrap_or_default();
                    println!("\nFAULT {fault}");
                }
            )+
        }
    };
}

repairs! {
    panics: d07::check(|_, _| panic!("boom")),
    panics_in_a_thread: d07::check(|source, _| {
        let panics = thread::spawn(|| panic!("an answer"));
        assert!(panics.join().is_err());
        source.for_each(drop);
    }),
    spins: d07::check(|_, _| loop { spin_loop() }),
    asks_again_and_again: d01::check(|jobs| {
        let start = |job: d01::Job| thread::spawn(move || job.run());
        let started: Vec<_> = jobs.into_iter().map(start).collect();
        while started.iter().any(|thread| !thread.is_finished()) {}
    }),
    spins_beside_processes: d20::check(|_| loop { spin_loop() }),
    prints_without_end: d13::check(async |_| loop { println!("and on") }),
    waits: d07::check(|_, _| loop { thread::park() }),
    waits_beside_processes: d20::check(|_| loop { thread::park() }),
    awaits: d13::check(async |_| pending().await),
    awaits_without_a_lock: d14::check(async |_, _, _| pending().await),
    blocks_the_executor: d14::check(async |_, _, _| loop { thread::park() }),
}

/// What the check says of a repair.
fn fault(name: &str) -> String {
    let mut command = Command::new(env::current_exe().expect("this program"));
    let name = format!("repair::{name}");
    command.args(["--exact", &name, "--ignored", "--nocapture"]);
    let output = command.output().expect("it starts");
    let printed = String::from_utf8_lossy(&output.stdout);
    let fault = printed.lines().find_map(|line| line.strip_prefix("FAULT "));
    fault
        .unwrap_or_else(|| panic!("{name}: no verdict"))
        .to_owned()
}

fn all_say(repairs: &[&str], words: &[&str]) {
    for repair in repairs {
        let fault = fault(repair);
        assert!(
            words.iter().all(|part| fault.contains(part)),
            "{repair}: {fault}"
        );
    }
}

#[test]
fn a_panic_is_named_with_its_message_and_its_place() {
    let place = ", tests/broken_repairs.rs:";
    all_say(&["panics"], &["your code panicked: boom", place]);
    let first = "your code panicked: an answer";
    all_say(&["panics_in_a_thread"], &[first, place]);
}

#[test]
fn a_loop_without_an_end_is_named_by_the_cpu_time_that_it_took() {
    let words = [
        "your code is still computing after 3 s of CPU",
        "never ends",
    ];
    all_say(&["spins", "spins_beside_processes"], &words);
    all_say(&["asks_again_and_again", "prints_without_end"], &words);
}

#[test]
fn what_waits_for_ever_is_named_with_the_place_where_it_waits() {
    let words = ["your code waits for ever", "nothing was done before"];
    let blocked = [&words[..], &["every thread of it is blocked"]].concat();
    all_say(&["waits", "waits_beside_processes"], &blocked);
    let awaits = [&words[..], &["every task of it is at an `.await`"]].concat();
    all_say(&["awaits", "awaits_without_a_lock"], &awaits);
    let blocks = [&words[..], &["the executor's only thread is blocked"]].concat();
    all_say(&["blocks_the_executor"], &blocks);
}
