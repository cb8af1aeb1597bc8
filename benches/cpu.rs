//! CPU work: one loop against a pool of processes, by the functions of basics 0 and 1.

use basics_0_sequential::sum_sequential;
use basics_1_multiprocess::{SUM, SumPool, sum_in_order, sum_longest_first};
use common::{
    child,
    workload::{SquareSum, square_jobs},
};
use criterion::Criterion;
use std::{hint::black_box, num::NonZeroUsize, process::ExitCode, time::Duration};

/// Small enough for a hundred samples in seconds, large enough that hand-over is no part of it.
const SCALE: f64 = 0.2;

fn main() -> ExitCode {
    // The pool's workers are copies of this very program.
    if let Some(code) = child::take_role(&[&SUM]) {
        return code;
    }
    let workers = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    match SUM.pool(workers) {
        Ok(pool) => bench_sums(&pool),
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn bench_sums(pool: &SumPool) {
    let mut criterion = Criterion::default().configure_from_args();
    let jobs = square_jobs(SCALE);
    let mut group = criterion.benchmark_group("cpu");
    group
        .sample_size(10)
        .measurement_time(Duration::from_secs(3));
    group.bench_function("sequential", |bencher| {
        bencher.iter(|| checked(sum_sequential(black_box(&jobs))));
    });
    group.bench_function("processes, in order", |bencher| {
        bencher.iter(|| checked(sum_in_order(pool, black_box(&jobs)).into_iter().flatten()));
    });
    group.bench_function("processes, longest first", |bencher| {
        bencher.iter(|| {
            checked(
                sum_longest_first(pool, black_box(&jobs))
                    .into_iter()
                    .flatten(),
            )
        });
    });
    group.finish();
    criterion.final_summary();
}

/// A timed run whose answer is wrong is no run.
fn checked(sums: impl IntoIterator<Item = SquareSum>) {
    let right = sums.into_iter().filter(SquareSum::is_right).count();
    assert_eq!(right, 4, "four right sums");
}
