//! Work to do: CPU work that stays linear in any profile, waits, and seeded random numbers.
//!
//! An optimiser that finds the closed form of a loop turns a lesson about CPU work into a lesson
//! about nothing. Each loop here hides one value from it, and [`check_linear`] tells at run time
//! whether that worked.

mod linearity;
mod squares;

pub use linearity::check_linear;
pub use squares::{SquareSum, square_jobs};

use std::{hint::black_box, ops::Range, time::Duration};

/// Adds up `i * i` for every `i` below `n`, one by one.
///
/// This is Python's `sum(i * i for i in range(n))`, at about 1 ns per step.
///
/// # Panics
/// If the sum does not fit in `u128`; getting there would take hours.
pub fn sum_of_squares(n: u64) -> u128 {
    let mut sum = 0;
    for i in 0..n {
        // Hiding the index costs least: hiding the sum would send it through memory at each step.
        let i = u128::from(black_box(i));
        sum += i * i;
    }
    sum
}

/// The same sum at once: the oracle for [`sum_of_squares`].
///
/// # Panics
/// If six times the sum does not fit in `u128`: past 5 × 10¹², which no loop reaches.
pub fn sum_of_squares_closed_form(n: u64) -> u128 {
    let n = u128::from(n);
    let pairs = n * n.saturating_sub(1);
    let six_times = pairs.checked_mul((2 * n).saturating_sub(1));
    six_times.expect("n is below 5 × 10¹²") / 6
}

/// Counts `n` down to zero, each step waiting for the one before, and returns the steps made.
///
/// This is Python's `while n: n -= 1`.
pub fn count_down(n: u64) -> u64 {
    let mut left = n;
    let mut steps = 0;
    while left > 0 {
        left = black_box(left - 1);
        steps += 1;
    }
    steps
}

/// Stirs `seed` for `steps` dependent steps: CPU work without memory traffic.
///
/// Seed 0 would stay 0 for ever and counts as 1.
///
/// # Source
/// George Marsaglia, "Xorshift RNGs" (2003), 64 bits with shifts 13, 7, 17.
pub fn mix(seed: u64, steps: u64) -> u64 {
    let mut state = seed.max(1);
    for _ in 0..steps {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
    }
    // A caller may drop the result; the loop must run all the same.
    black_box(state)
}

/// Blocks this thread for `duration`, as a blocking read would; a span on the timeline.
pub fn io_wait_blocking(duration: Duration) {
    let _waiting = tracing::info_span!("io wait", wait = "sleep").entered();
    std::thread::sleep(duration);
}

/// A seeded stream of random numbers: SplitMix64, for jitter and made-up pages, not for secrets.
///
/// ```
/// use measure::workload::Seeded;
///
/// let mut one = Seeded::new(7);
/// let mut same = Seeded::new(7);
/// assert_eq!(one.range(50..150), same.range(50..150));
/// ```
///
/// # Source
/// Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators" (2014), with the
/// constants of Vigna's <https://prng.di.unimi.it/splitmix64.c>.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seeded {
    state: u64,
}

impl Seeded {
    /// The stream of `seed`.
    pub fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// The stream of one item of many: the same whichever thread draws from it, and when.
    pub fn for_item(seed: u64, item: u64) -> Self {
        // Scrambling the item first keeps neighbours from being one stream, a few draws apart.
        let scrambled = Self::new(item).next_u64();
        Self::new(Self::new(seed ^ scrambled).next_u64())
    }

    /// The next 64 random bits.
    pub fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.state;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// A number within `range`, each as likely as the other to within width / 2⁶⁴.
    ///
    /// # Panics
    /// If the range is empty.
    pub fn range(&mut self, range: Range<u64>) -> u64 {
        assert!(!range.is_empty(), "the range `{range:?}` is empty");
        let width = u128::from(range.end - range.start);
        // The upper half of a 64 by 64 bit product: a multiplication instead of a remainder.
        let offset = (u128::from(self.next_u64()) * width) >> 64;
        range.start + offset as u64
    }

    /// A number from 0 up to, but not including, 1.
    pub fn unit(&mut self) -> f64 {
        // 53 bits are all an f64 can hold below 1.
        (self.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A duration within `range`, of at most 584 years, to the nanosecond: for jitter.
    ///
    /// # Panics
    /// If the range is empty.
    pub fn duration(&mut self, range: Range<Duration>) -> Duration {
        let [start, end] = [range.start, range.end].map(|it| it.as_nanos() as u64);
        Duration::from_nanos(self.range(start..end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loop_equals_the_closed_form() {
        for n in [0, 1, 2, 3, 1_000, 1_000_003] {
            assert_eq!(sum_of_squares(n), sum_of_squares_closed_form(n), "n = {n}");
        }
    }

    #[test]
    fn the_closed_form_has_the_exact_values() {
        assert_eq!(sum_of_squares_closed_form(4), 14);
        assert_eq!(
            sum_of_squares_closed_form(1_000_003),
            333_335_833_339_500_005
        );
        assert_eq!(
            sum_of_squares_closed_form(40_000_000),
            21_333_332_533_333_340_000_000
        );
    }

    #[test]
    fn each_square_is_the_difference_of_two_closed_forms() {
        for n in (0..5_000).chain(4_999_999_995_000..5_000_000_000_000) {
            let square = u128::from(n) * u128::from(n);
            assert_eq!(
                sum_of_squares_closed_form(n + 1) - sum_of_squares_closed_form(n),
                square,
                "n = {n}"
            );
        }
    }

    #[test]
    #[should_panic(expected = "below 5 × 10¹²")]
    fn the_closed_form_refuses_what_does_not_fit() {
        sum_of_squares_closed_form(6_000_000_000_000);
    }

    #[test]
    fn counting_down_takes_as_many_steps_as_asked() {
        for n in [0, 1, 1_000, 1_000_003] {
            assert_eq!(count_down(n), n);
        }
    }

    #[test]
    fn mixing_follows_the_published_sequence() {
        assert_eq!(mix(1, 0), 1);
        assert_eq!(mix(1, 1), 1_082_269_761);
        assert_eq!(mix(1, 2), 1_152_992_998_833_853_505);
        assert_eq!(mix(0, 9), mix(1, 9));
    }

    #[test]
    fn mixing_in_two_parts_is_mixing_at_once() {
        assert_eq!(mix(mix(42, 600), 400), mix(42, 1_000));
    }

    #[test]
    fn a_blocking_wait_lasts_at_least_as_long_as_asked() {
        let nap = Duration::from_millis(3);
        let started = std::time::Instant::now();
        io_wait_blocking(nap);
        assert!(started.elapsed() >= nap);
    }

    #[test]
    fn the_stream_follows_the_published_values() {
        let mut stream = Seeded::new(1_234_567);
        let drawn: Vec<u64> = (0..5).map(|_| stream.next_u64()).collect();
        assert_eq!(
            drawn,
            [
                6_457_827_717_110_365_317,
                3_203_168_211_198_807_973,
                9_817_491_932_198_370_423,
                4_593_380_528_125_082_431,
                16_408_922_859_458_223_821,
            ]
        );
    }

    #[test]
    fn a_range_is_kept_and_all_of_it_is_reached() {
        let mut stream = Seeded::new(3);
        let mut seen = [0; 6];
        for _ in 0..6_000 {
            seen[(stream.range(10..16) - 10) as usize] += 1;
        }
        assert!(seen.iter().all(|count| *count > 800), "{seen:?}");
        assert_eq!(stream.range(9..10), 9);
        assert!(stream.range(0..u64::MAX) < u64::MAX);
    }

    #[test]
    #[should_panic(expected = "is empty")]
    fn an_empty_range_is_refused() {
        Seeded::new(1).range(4..4);
    }

    #[test]
    fn units_lie_in_the_half_open_interval_around_their_mean() {
        let mut stream = Seeded::new(11);
        let units: Vec<f64> = (0..4_000).map(|_| stream.unit()).collect();
        assert!(units.iter().all(|unit| (0.0..1.0).contains(unit)));
        let mean = units.iter().sum::<f64>() / units.len() as f64;
        assert!((mean - 0.5).abs() < 0.03, "{mean}");
    }

    #[test]
    fn durations_keep_their_range() {
        let mut stream = Seeded::new(5);
        let range = Duration::from_millis(50)..Duration::from_millis(150);
        for _ in 0..1_000 {
            assert!(range.contains(&stream.duration(range.clone())));
        }
    }

    #[test]
    fn items_have_streams_of_their_own() {
        let first: Vec<u64> = (0..1_000)
            .map(|item| Seeded::for_item(7, item).next_u64())
            .collect();
        let mut distinct = first.clone();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct.len(), first.len());
        assert_eq!(Seeded::for_item(7, 3).next_u64(), first[3]);
        assert_ne!(Seeded::for_item(8, 3).next_u64(), first[3]);
    }
}
