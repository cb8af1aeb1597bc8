use super::*;

fn tasks(count: usize) -> Vec<Task> {
    let load = |number: usize| match number % 3 {
        0 => Load::Wait(Duration::from_micros(number as u64)),
        _ => Load::Work(500 * (number % 7) as u64),
    };
    let task = |number| Task {
        number,
        load: load(number),
    };
    (1..=count).map(task).collect()
}

/// What a way returns, in the order of the tasks.
fn all(way: impl FnOnce(&mut dyn FnMut(Done))) -> Vec<Done> {
    let mut done = Vec::new();
    way(&mut |one| done.push(one));
    done.sort_unstable();
    done
}

#[test]
fn every_way_returns_each_result_once_and_right() {
    for count in [0, 1, 5, 80] {
        let tasks = tasks(count);
        let expected = all(|each| run_one_by_one(&tasks, each));
        assert!(expected.iter().map(|done| done.0).eq(1..=count));
        let threads = all(|each| run_thread_per_task(&tasks, each));
        assert_eq!(threads, expected);
        for workers in (1..=8).filter_map(NonZeroUsize::new) {
            let pool = all(|each| run_on_pool(workers, &tasks, each));
            assert_eq!(pool, expected, "pool of {workers}");
            let rayon = all(|each| run_on_rayon(workers, &tasks, each));
            assert_eq!(rayon, expected, "rayon on {workers}");
        }
    }
}

#[test]
fn a_short_task_asked_for_later_comes_back_first() {
    let wait = |number, seconds| Task {
        number,
        load: Load::Wait(Duration::from_secs_f64(seconds)),
    };
    // Long against anything that keeps a thread from starting.
    let tasks = [wait(1, 1.0), wait(2, 0.0)];
    let two = NonZeroUsize::new(2).expect("not zero");
    let mut order = Vec::new();
    run_thread_per_task(&tasks, |done| order.push(done.0));
    run_on_pool(two, &tasks, |done| order.push(done.0));
    run_on_rayon(two, &tasks, |done| order.push(done.0));
    assert_eq!(order, [2, 1, 2, 1, 2, 1]);
}
