//! One slow loop: four sums, one after another, on one thread.

use common::squares::SquareSum;

/// Computes every sum, one after another.
pub fn sum_sequential(jobs: &[u64]) -> Vec<SquareSum> {
    jobs.iter().map(|&n| SquareSum::compute(n)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use common::squares::square_jobs;

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
