//! What this step claims.

use crate::{SEQUENTIAL, flags::Args, pool_of};
use common::{
    Lab,
    claim::{Claim, Count, Figure, in_flight, none_failed, open, submitted, wall},
    format,
};
use lab_05_thread_pool_downloader::Download;
use network::lesson;
use std::{collections::BTreeSet, num::NonZeroUsize, time::Duration};

const KEPT: &str = "pages_kept";
const OVERTAKES: &str = "pages_right_before_one_asked_for_earlier";

/// Notes how many requests have a page, and how many came right before one asked for earlier.
pub(crate) fn note(lab: &mut Lab, name: &str, downloads: &[Download]) {
    let pages = downloads.iter().filter(|(_, fetched)| fetched.is_ok());
    let kept: BTreeSet<usize> = pages.map(|(number, _)| *number).collect();
    let pairs = downloads.windows(2);
    let overtakes = pairs.filter(|pair| pair[0].0 > pair[1].0).count();
    let mut came: Vec<String> = downloads.iter().map(|one| one.0.to_string()).collect();
    if came.len() > 20 {
        came.splice(20.., ["…".into()]);
    }
    lab.legend(format!(
        "{name}: as_completed() gave the pages in this order: {}",
        came.join(" ")
    ));
    lab.note(name, KEPT, kept.len());
    lab.note(name, OVERTAKES, overtakes);
}

/// Adds the claims of a run with so many requests.
pub(crate) fn add(args: &Args, lab: &mut Lab, requests: usize) {
    let (name, at_once) = (pool_of(args.workers), args.workers.get().min(requests));
    add_limits(args, lab, requests);
    let text = "each request has a page of its own, though URLs may be equal";
    let kept = Figure::<Count>::noted(Some(&name), KEPT).equals(submitted(&name));
    let kept = kept.in_words("{left} pages kept by number, for {right} requests");
    lab.claim(Claim::that("each_its_own_result", text).check(kept));
    lab.claim(lesson::waits_overlap(SEQUENTIAL, &name, at_once, 0.75).headline());
    if args.spread {
        add_spread(args, lab, requests);
    } else if args.requests.url.is_empty() && !args.requests.delay.0.is_zero() {
        let waves = requests.div_ceil(args.workers.get());
        lab.claim(lesson::takes_waits(&name, waves, args.requests.delay.0).headline());
    }
}

fn add_limits(args: &Args, lab: &mut Lab, requests: usize) {
    let text = "as many requests were in flight at once as the pool has threads, or as there are \
                requests if they are fewer; counted by the server";
    let claim = Claim::that("in_flight_up_to_the_pool", text);
    let claim = args.pools().fold(claim, |claim, workers| {
        let at_once = workers.get().min(requests);
        claim.check(in_flight(&pool_of(workers)).equals(at_once))
    });
    let line =
        format!("never more than {{left}} of {requests} requests in flight, counted by the server");
    lab.claim(claim.in_a_line(line).headline());
}

/// Unequal waits: which is ready first, and how few threads would do.
fn add_spread(args: &Args, lab: &mut Lab, requests: usize) {
    let name = pool_of(args.workers);
    let text = "pages came in another order than that of asking";
    let overtakes = Figure::<Count>::noted(Some(&name), OVERTAKES);
    let other = Claim::that("another_order", text).check(overtakes.above(0));
    lab.claim(other.check(none_failed(&name)).headline());
    if let Some(half) = args.half().filter(|_| requests > 1) {
        add_half(args, lab, requests, half);
    }
}

/// That the waits were unequal shows in their sum: equal ones, the longest for all, would come to
/// at least a third more.
fn add_half(args: &Args, lab: &mut Lab, requests: usize, half: NonZeroUsize) {
    let asked: Vec<_> = args.delays(requests).collect();
    let sum: Duration = asked.iter().sum();
    let (few, all) = (pool_of(half), pool_of(args.workers));
    let claim = Claim::that(
        "half_the_threads_do",
        format!(
            "with waits from {} down to {}, asked for in this order, {half} of {} threads took \
             less than 1.5 × the time of all",
            format::seconds(asked[0]),
            format::seconds(asked[requests - 1]),
            args.workers
        ),
    )
    .check(wall(&few).below(wall(&all) * 1.5));
    lab.claim([&few, &all].into_iter().fold(claim, |claim, name| {
        claim
            .check(open(name).at_least(sum))
            .check(open(name).below(sum.mul_f64(1.25)))
            .check(none_failed(name))
    }));
}
