//! One slow loop: four sums, one after another, on one thread.

use common::workload::SquareSum;
use std::hint::black_box;

/// Computes every sum, one after another.
pub fn sum_sequential(jobs: &[u64]) -> Vec<SquareSum> {
    jobs.iter()
        .map(|&n| SquareSum {
            n,
            total: sum_of_squares(n),
        })
        .collect()
}

/// Adds up `i * i` for every `i` below `n`: Python's `sum(i * i for i in range(n))`.
#[tracing::instrument(name = "sum", skip_all)]
fn sum_of_squares(n: u64) -> u128 {
    let mut sum = 0;
    for i in 0..n {
        // Hidden from the optimiser, which would find a formula for the whole loop.
        let i = u128::from(black_box(i));
        sum += i * i;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use common::workload::square_jobs;

    #[test]
    fn each_sum_is_that_of_the_closed_form_in_the_order_of_the_jobs() {
        for jobs in [
            vec![],
            vec![0],
            vec![1, 2, 1_000, 12_345],
            square_jobs(0.001),
        ] {
            let sums = sum_sequential(&jobs);
            assert_eq!(sums.iter().map(|sum| sum.n).collect::<Vec<_>>(), jobs);
            assert!(sums.iter().all(SquareSum::is_right), "{sums:?}");
        }
    }
}
