//! The CPU jobs of basics 0 and 1: four sums of squares of unequal size.

use super::{sum_of_squares, sum_of_squares_closed_form};
use serde::{Deserialize, Serialize};

/// The four jobs, `scale` times the scripts' size.
pub fn square_jobs(scale: f64) -> Vec<u64> {
    let scaled = [1e7, 2e7, 3e7, 4e7].map(|job| (job * scale).round() as u64);
    scaled.into()
}

/// One job's answer: the sum of the squares of all numbers below `n`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SquareSum {
    /// Where the sum stops.
    pub n: u64,
    /// The sum; as text in JSON, where numbers of this size would lose digits.
    #[serde(with = "as_text")]
    pub total: u128,
}

impl SquareSum {
    /// Does the job, step by step.
    pub fn compute(n: u64) -> Self {
        let _working = tracing::info_span!("sum").entered();
        Self {
            n,
            total: sum_of_squares(n),
        }
    }

    /// Whether the closed form says the same.
    pub fn is_right(&self) -> bool {
        self.total == sum_of_squares_closed_form(self.n)
    }
}

mod as_text {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(total: &u128, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(total)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<u128, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_scale_one_the_jobs_are_the_scripts() {
        let scripts = [10_000_000, 20_000_000, 30_000_000, 40_000_000];
        assert_eq!(square_jobs(1.0), scripts);
        assert_eq!(square_jobs(0.5)[0], 5_000_000);
    }

    #[test]
    fn a_sum_keeps_all_its_digits_in_json() {
        let sum = SquareSum {
            n: 40_000_000,
            total: sum_of_squares_closed_form(40_000_000),
        };
        let text = serde_json::to_string(&sum).expect("plain data");
        assert_eq!(text, r#"{"n":40000000,"total":"21333332533333340000000"}"#);
        assert_eq!(
            serde_json::from_str::<SquareSum>(&text).expect("its own text"),
            sum
        );
    }

    #[test]
    fn a_wrong_sum_is_told_from_a_right_one() {
        let right = SquareSum::compute(1_000);
        assert!(right.is_right());
        let wrong = SquareSum {
            total: right.total + 1,
            ..right
        };
        assert!(!wrong.is_right());
    }
}
