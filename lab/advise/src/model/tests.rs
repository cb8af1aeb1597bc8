use super::*;
use crate::advice;

/// A machine with two CPUs where everything costs something.
fn costs() -> Costs {
    let prices = [
        (Price::Thread, 20e-6),
        (Price::Task, 1e-6),
        (Price::Rayon, 1e-6),
        (Price::Pool, 5e-3),
        (Price::Process, 2e-3),
        (Price::MoreProcesses, 2e-3),
        (Price::Handoff, 30e-6),
        (Price::Mib, 1e-3),
        (Price::ThreadLate, 60e-6),
        (Price::TaskLate, 1e-3),
    ];
    Costs {
        cpus: 2,
        free_cpus: vec![2.0],
        pieces_s: vec![0.01],
        prices_s: prices.map(|(price, cost)| (price, vec![cost])).into(),
        ..Costs::default()
    }
}

fn of(job: &Job, language: Language, way: Way) -> Forecast {
    let all = forecasts(job, &costs(), language);
    all.into_iter().find(|one| one.way == way).expect("a way")
}

fn best(job: &Job, language: Language) -> Way {
    let all = forecasts(job, &costs(), language);
    advice::best(&all, job).expect("some way").way
}

fn is_near(time: f64, expected: f64) {
    assert!(
        (time / expected - 1.0).abs() < 0.05,
        "{time}, not {expected}"
    );
}

#[test]
fn what_only_waits_takes_a_wait_for_each_wave() {
    for (items, limit, waves) in [
        (100, None, 1.0),
        (100, Some(10), 10.0),
        (101, Some(10), 11.0),
    ] {
        let job = Job {
            limit,
            ..Job::new(items, 0.2, 0.0)
        };
        for way in [Way::Threads, Way::Tasks] {
            is_near(of(&job, Language::Rust, way).predicted_s, waves * 0.2);
        }
        is_near(
            of(&job, Language::Rust, Way::OneByOne).predicted_s,
            items as f64 * 0.2,
        );
        assert!([Way::Threads, Way::Tasks].contains(&best(&job, Language::Rust)));
    }
    let job = Job {
        limit: Some(10),
        ..Job::new(100, 0.2, 0.0)
    };
    assert_eq!(
        of(&job, Language::Rust, Way::Tasks).limited_by,
        "the limit in flight"
    );
    let job = Job::new(100, 0.2, 0.0);
    assert_eq!(
        of(&job, Language::Rust, Way::Tasks).limited_by,
        "the longest item"
    );
}

#[test]
fn what_computes_is_bounded_by_the_cpus_and_by_the_longest_item() {
    let job = Job::new(40, 0.0, 0.05);
    for way in [Way::Threads, Way::Rayon, Way::Processes] {
        let found = of(&job, Language::Rust, way);
        is_near(found.predicted_s, 1.0);
        assert_eq!(found.limited_by, "the CPUs", "{way:?}");
    }
    assert_eq!(
        of(&job, Language::Rust, Way::Tasks).limited_by,
        "its one thread"
    );
    is_near(of(&job, Language::Rust, Way::Tasks).predicted_s, 2.0);
    let job = Job::new(3, 0.0, 1.0);
    // Two at once, and then the third alone; or all three share the CPUs.
    let found = of(&job, Language::Rust, Way::Rayon).predicted_s;
    assert!((1.45..=2.05).contains(&found), "{found}");
    let one = Job::new(1, 0.0, 1.0);
    is_near(of(&one, Language::Rust, Way::Threads).predicted_s, 1.0);
    assert_eq!(best(&one, Language::Rust), Way::OneByOne);
}

/// Two waves of ten: nine of each wait for the CPU, and the second wave begins when all of the first have computed.
#[test]
fn on_a_single_thread_the_next_wait_begins_behind_all_that_is_ready() {
    let job = Job {
        limit: Some(10),
        ..Job::new(20, 0.1, 0.01)
    };
    is_near(of(&job, Language::Rust, Way::Tasks).predicted_s, 0.4);
    let job = Job {
        with: vec![Tool::Threads],
        ..job
    };
    // A thread takes the next item at once, whatever the others do.
    is_near(of(&job, Language::Rust, Way::Threads).predicted_s, 0.3);
}

#[test]
fn threads_that_wait_in_between_compute_more_slowly_in_a_crowd() {
    let crowded = Costs {
        crowding: vec![1.5],
        ..costs()
    };
    let time = |job: &Job, costs: &Costs| time(job, costs, Way::Threads, 8);
    let both = Job::new(40, 0.001, 0.01);
    let [calm, crowd] = [&costs(), &crowded].map(|costs| time(&both, costs));
    assert!((1.4..1.5).contains(&(crowd / calm)), "{crowd} {calm}");
    let computes = Job::new(40, 0.0, 0.01);
    is_near(time(&computes, &crowded), time(&computes, &costs()));
}

#[test]
fn half_the_cpus_free_take_twice_as_long() {
    let job = Job::new(40, 0.0, 0.05);
    let busy = Costs {
        free_cpus: vec![1.0],
        ..costs()
    };
    let all = forecasts(&job, &busy, Language::Rust);
    let rayon = all.iter().find(|one| one.way == Way::Rayon).expect("rayon");
    is_near(rayon.predicted_s, 2.0);
}

#[test]
fn a_crash_that_must_be_contained_leaves_processes_only() {
    for (wait, cpu) in [(0.0, 0.05), (0.05, 0.0), (0.05, 0.01)] {
        let job = Job {
            crash: true,
            ..Job::new(40, wait, cpu)
        };
        for language in [Language::Rust, Language::PythonWithGil] {
            assert!(best(&job, language).uses(Tool::Processes), "{job:?}");
        }
        let job = Job {
            with: vec![Tool::Threads, Tool::Async],
            ..job
        };
        let all = forecasts(&job, &costs(), Language::Rust);
        assert_eq!(advice::best(&all, &job), None);
        assert!(advice::sentences(&all, &job).contains("add `processes` to --with"));
    }
}

#[test]
fn under_a_gil_threads_are_never_the_way_to_compute() {
    for items in [2, 10, 100, 10_000] {
        for cpu in [1e-5, 1e-3, 0.1, 1.0] {
            for wait in [0.0, cpu / 20.0] {
                let job = Job::new(items, wait, cpu);
                let best = best(&job, Language::PythonWithGil);
                assert!(![Way::Threads, Way::Tasks].contains(&best), "{job:?}");
            }
        }
    }
    let job = Job::new(100, 0.0, 0.1);
    assert_eq!(best(&job, Language::PythonWithGil), Way::Processes);
    assert_eq!(best(&job, Language::PythonWithoutGil), Way::Threads);
    assert_eq!(
        of(&job, Language::PythonWithGil, Way::Threads).limited_by,
        "the GIL"
    );
}

#[test]
fn what_is_not_at_hand_is_not_recommended() {
    let job = Job {
        with: vec![Tool::Async],
        ..Job::new(100, 0.05, 0.0)
    };
    assert_eq!(best(&job, Language::Rust), Way::Tasks);
    let job = Job {
        with: vec![Tool::Processes],
        ..Job::new(100, 0.05, 0.0)
    };
    assert_eq!(best(&job, Language::Rust), Way::Processes);
}

#[test]
fn short_items_are_not_worth_a_start() {
    assert_eq!(
        best(&Job::new(10, 0.0, 1e-6), Language::Rust),
        Way::OneByOne
    );
    let job = Job {
        with: vec![Tool::Processes],
        ..Job::new(1000, 0.0, 1e-6)
    };
    assert_eq!(best(&job, Language::Rust), Way::OneByOne);
}

#[test]
fn the_machine_limits_how_many_there_are() {
    let most_threads = Some(Limit {
        name: "threads within memory",
        value: 50,
    });
    let costs = Costs {
        most_threads,
        ..costs()
    };
    let all = forecasts(&Job::new(1000, 0.1, 0.0), &costs, Language::Rust);
    let threads = all
        .iter()
        .find(|one| one.way == Way::Threads)
        .expect("threads");
    assert_eq!(
        (threads.at_once, &*threads.limited_by),
        (50, "threads within memory")
    );
    is_near(threads.predicted_s, 2.0);
}

#[test]
fn bytes_count_for_processes_only() {
    let job = Job {
        bytes_in: 8 << 20,
        ..Job::new(100, 0.0, 1e-3)
    };
    let found = of(&job, Language::Rust, Way::Processes);
    assert_eq!(found.limited_by, "bytes and handoffs");
    assert!(found.predicted_s > 0.8, "{found:?}");
    is_near(of(&job, Language::Rust, Way::Threads).predicted_s, 0.05);
}

#[test]
fn more_items_than_are_simulated_go_on_at_the_same_rate() {
    for limit in [Some(7), Some(100_000)] {
        let job = Job {
            limit,
            ..Job::new(1_000_000, 10.0, 0.0)
        };
        let waves = 1_000_000_f64 / limit.expect("a limit") as f64;
        is_near(
            of(&job, Language::Rust, Way::Tasks).predicted_s,
            waves.ceil() * 10.0,
        );
    }
}

#[test]
fn a_range_holds_its_prediction_and_is_wider_on_a_restless_machine() {
    let pieces_s = vec![0.008, 0.010, 0.015];
    let restless = Costs {
        pieces_s,
        ..costs()
    };
    for one in forecasts(&Job::new(50, 0.01, 0.01), &restless, Language::Rust) {
        assert!(
            one.low_s <= one.predicted_s && one.predicted_s <= one.high_s,
            "{one:?}"
        );
        assert!(one.low_s < one.high_s, "{one:?}");
        // No good moment makes an item compute less than its owner says.
        assert!(one.way != Way::OneByOne || one.low_s >= 1.0, "{one:?}");
    }
}
