//! The scale of the sums of basics 0 and 1, and the claim that they cost time.

use crate::{Lab, claim::Claim, cli::within};
use measure::workload::{SquareSum, check_linear};
use serde::Serialize;
use std::hint::black_box;

/// How much larger the jobs are than the scripts'.
#[derive(clap::Args, Clone, Copy, Debug, Serialize)]
pub struct ScaleArgs {
    /// Multiply the four jobs (10, 20, 30 and 40 million) by F; 1 is what the script does
    #[arg(long, value_name = "F", default_value = "10", value_parser = within(0.000_001..=1000.0))]
    pub scale: f64,
}

/// Measures whether a lesson's sums cost time in step with their length, and claims that they do.
///
/// An optimiser that found the closed form would turn the lesson into one about nothing.
pub fn claim_linear(lab: &mut Lab, sums: impl Fn(&[u64]) -> Vec<SquareSum>) {
    let ratio = check_linear(|n| {
        black_box(sums(&[n]));
    });
    let growth = lab.note(None, "four_times_the_work_took_times", ratio);
    let least = growth
        .clone()
        .above(2.5)
        .in_words("four times the work took {left} times as long");
    let most = growth
        .below(6.5)
        .in_words("less than {right} times counts as linear");
    let claim = Claim::that(
        "work_is_linear",
        "four times the work takes about four times as long: nothing was optimised away",
    );
    lab.claim(claim.check(least).check(most));
}
