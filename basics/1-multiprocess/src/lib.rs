//! The four sums in a pool of processes, and what the order of hand-out does to them.

use common::workload::SquareSum;
use process_pool::{ProcessPool, TaskError, Worker};
use std::{cmp::Reverse, num::NonZeroUsize};

/// What a worker process does: one sum.
pub const SUM: Worker<u64, SquareSum> = Worker::new("sum", SquareSum::compute);

/// Worker processes that compute sums.
pub type SumPool = ProcessPool<u64, SquareSum>;

/// A sum, or why there is none.
pub type Summed = Result<SquareSum, TaskError>;

/// Computes every sum, one after another, in this process.
pub fn sum_sequential(jobs: &[u64]) -> Vec<SquareSum> {
    jobs.iter().map(|&n| SUM.run_here(n)).collect()
}

/// Hands the jobs to the pool in the order in which they stand.
///
/// Each worker takes the next job as soon as it is free.
pub fn sum_in_order(pool: &SumPool, jobs: &[u64]) -> Vec<Summed> {
    pool.map(jobs.iter().copied())
}

/// Hands the longest job to the pool first; the sums still come back in the order of the jobs.
pub fn sum_longest_first(pool: &SumPool, jobs: &[u64]) -> Vec<Summed> {
    let order = longest_first(jobs);
    let sums = pool.map(order.iter().map(|&place| jobs[place]));
    let mut placed: Vec<(usize, Summed)> = order.into_iter().zip(sums).collect();
    placed.sort_by_key(|(place, _)| *place);
    placed.into_iter().map(|(_, sum)| sum).collect()
}

/// The places of the jobs in the list, that of the longest first.
pub fn longest_first(jobs: &[u64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..jobs.len()).collect();
    order.sort_by_key(|&place| Reverse(jobs[place]));
    order
}

/// When the last job is done if each goes to the worker that is free first: the makespan.
///
/// In the unit of the jobs, be it work or time. Every worker has a CPU of its own here, and handing
/// out costs nothing.
///
/// # Source
/// R. L. Graham, "Bounds on Multiprocessing Timing Anomalies" (1969): list scheduling.
pub fn makespan(jobs: &[u64], workers: NonZeroUsize) -> u64 {
    let mut free_at = vec![0; workers.get()];
    for job in jobs {
        let first_free = free_at.iter_mut().min().expect("there is a worker");
        *first_free += job;
    }
    free_at.into_iter().max().expect("there is a worker")
}

/// The speed-up that jobs handed out in this order can attain: × the time of one worker.
///
/// By their makespan; `jobs` are sizes or times.
pub fn attainable(jobs: &[u64], workers: NonZeroUsize) -> f64 {
    let total: u64 = jobs.iter().sum();
    total as f64 / makespan(jobs, workers).max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use common::workload::square_jobs;

    fn workers(count: usize) -> NonZeroUsize {
        NonZeroUsize::new(count).expect("a pool has a worker")
    }

    #[test]
    fn one_after_another_each_sum_is_that_of_the_closed_form() {
        for jobs in [vec![], vec![0], vec![2, 1, 12_345], square_jobs(0.001)] {
            let sums = sum_sequential(&jobs);
            assert!(sums.iter().map(|sum| sum.n).eq(jobs));
            assert!(sums.iter().all(SquareSum::is_right), "{sums:?}");
        }
    }

    #[test]
    fn two_workers_need_60_of_100_in_order_and_50_longest_first() {
        for (count, in_order, longest_first_takes) in [
            (1, 100.0, 100.0),
            (2, 60.0, 50.0),
            (3, 50.0, 40.0),
            (4, 40.0, 40.0),
            (8, 40.0, 40.0),
        ] {
            let (jobs, workers) = (square_jobs(1.0), workers(count));
            let descending: Vec<u64> = longest_first(&jobs)
                .iter()
                .map(|&place| jobs[place])
                .collect();
            assert_eq!(attainable(&jobs, workers), 100.0 / in_order);
            assert_eq!(
                attainable(&descending, workers),
                100.0 / longest_first_takes
            );
        }
    }

    #[test]
    fn no_schedule_beats_the_shared_total_or_the_longest_job() {
        let jobs: Vec<u64> = (1..=40).map(|n| n * 7919 % 97).collect();
        let total: u64 = jobs.iter().sum();
        let longest = *jobs.iter().max().expect("there are jobs");
        for count in 1..=8 {
            let least = total.div_ceil(count).max(longest);
            // From the moment that one worker idles, each of the others is at its last job.
            let most = total / count + longest;
            let span = makespan(&jobs, workers(count as usize));
            assert!((least..=most).contains(&span), "{span}, {count} workers");
        }
    }

    #[test]
    fn without_jobs_nothing_takes_time() {
        assert_eq!(makespan(&[], workers(2)), 0);
        assert_eq!(attainable(&[], workers(2)), 0.0);
    }

    #[test]
    fn the_longest_comes_first_and_equals_keep_their_order() {
        assert_eq!(longest_first(&[10, 40, 20, 40]), [1, 3, 2, 0]);
        assert_eq!(longest_first(&[]), [0; 0]);
    }
}
