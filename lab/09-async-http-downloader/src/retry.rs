//! Whether a failed attempt is worth another one, and how long to back off before it.

use measure::workload::Seeded;
use std::time::Duration;
use web::Fetched;

/// How often to try, and how long to back off in between.
#[derive(Clone, Debug)]
pub struct RetryPolicy {
    /// Attempts per request, the first included.
    pub attempts: usize,
    /// The back-off after the first failure, before jitter; it doubles with each further one.
    pub back_off: Duration,
    /// The longest back-off; where the server asks for more, there is no further attempt.
    pub max_wait: Duration,
    /// Decides the jitter, together with the number of the request.
    pub seed: u64,
}

impl RetryPolicy {
    /// The source of the jitter of one request.
    pub fn jitter(&self, number: usize) -> Seeded {
        Seeded::for_item(self.seed, number as u64)
    }

    /// How long to back off after these attempts; `None` after a success, or to give up.
    pub fn back_off_after(&self, attempts: &[Fetched], jitter: &mut Seeded) -> Option<Duration> {
        let error = attempts.last()?.as_ref().err()?;
        let asked = error.retry_after().unwrap_or_default();
        // Coming back sooner than asked would be rude, and would be refused again.
        if attempts.len() >= self.attempts || !error.is_retryable() || asked > self.max_wait {
            return None;
        }
        let factor = 2_u32.saturating_pow(attempts.len() as u32 - 1);
        let doubled = self.back_off.saturating_mul(factor);
        // Half of it is certain and half is chance: what failed together does not return together.
        let half = doubled.min(self.max_wait) / 2;
        let back_off = asked.max(half) + half.mul_f64(jitter.unit());
        Some(back_off.min(self.max_wait))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use web::FetchError;

    const SECOND: Duration = Duration::from_secs(1);

    fn policy(seed: u64) -> RetryPolicy {
        RetryPolicy {
            attempts: 20,
            back_off: SECOND,
            max_wait: 10 * SECOND,
            seed,
        }
    }

    fn status(code: u16, retry_after: Option<Duration>) -> FetchError {
        FetchError::Status {
            url: "http://h/".into(),
            code,
            retry_after,
        }
    }

    fn after(
        policy: &RetryPolicy,
        failures: usize,
        error: &FetchError,
        jitter: &mut Seeded,
    ) -> Option<Duration> {
        policy.back_off_after(&vec![Err(error.clone()); failures], jitter)
    }

    fn schedule(seed: u64, number: usize) -> Vec<Duration> {
        let (policy, error) = (policy(seed), status(500, None));
        let mut jitter = policy.jitter(number);
        (1..20)
            .map_while(|failures| after(&policy, failures, &error, &mut jitter))
            .collect()
    }

    #[test]
    fn rests_double_up_to_the_cap_and_half_of_each_is_jitter() {
        for seed in 0..200 {
            let rests = schedule(seed, 1);
            assert_eq!(rests.len(), 19);
            for (rest, whole) in rests.iter().zip([1, 2, 4, 8, 10, 10, 10]) {
                let whole = whole * SECOND;
                assert!((whole / 2..=whole).contains(rest), "{rest:?} of {whole:?}");
            }
        }
    }

    #[test]
    fn the_seed_and_the_number_decide_the_jitter() {
        assert_eq!(schedule(7, 3), schedule(7, 3));
        assert_ne!(schedule(7, 3), schedule(8, 3));
        assert_ne!(schedule(7, 3), schedule(7, 4));
    }

    #[test]
    fn a_server_that_asks_for_time_gets_at_least_that() {
        let policy = policy(1);
        for (asked, fits) in [(0, true), (3, true), (10, true), (11, false)] {
            let error = status(429, Some(asked * SECOND));
            for number in 1..50 {
                let rest = after(&policy, 1, &error, &mut policy.jitter(number));
                let kept = rest.is_some_and(|rest| (asked * SECOND..=10 * SECOND).contains(&rest));
                assert_eq!((rest.is_some(), kept), (fits, fits), "{asked}: {rest:?}");
            }
        }
    }

    #[test]
    fn what_a_retry_cannot_mend_and_what_was_tried_often_enough_is_given_up() {
        let (policy, url) = (policy(1), String::from("http://h/"));
        let rest = |failures, error| after(&policy, failures, &error, &mut policy.jitter(1));
        for error in [
            status(500, None),
            status(503, None),
            status(429, None),
            FetchError::Timeout {
                url: url.clone(),
                after: SECOND,
            },
            FetchError::Reset(url.clone()),
            FetchError::Cut {
                url: url.clone(),
                got: 5,
                expected: Some(10),
            },
        ] {
            assert!(rest(19, error.clone()).is_some(), "{error}");
            assert!(rest(20, error.clone()).is_none(), "{error}");
        }
        let gone = FetchError::HostNotFound(url.clone());
        for error in [status(404, None), FetchError::Refused(url), gone] {
            assert!(rest(1, error.clone()).is_none(), "{error}");
        }
    }
}
