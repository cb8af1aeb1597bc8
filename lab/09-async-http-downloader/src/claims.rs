//! What this step claims.

use crate::{CALM, KEPT, RELEASED, flags::Args};
use common::{
    Lab,
    claim::{Claim, Count, Figure, count, in_flight, retried, seconds},
    timeline::Recording,
};
use lab_09_async_http_downloader::Attempts;
use network::lesson;
use std::time::Duration;

pub(crate) struct Ran {
    pub(crate) name: &'static str,
    pub(crate) downloads: Vec<Attempts>,
    /// Counted by the server, where it is the lab's own.
    pub(crate) arrivals: Option<Figure<Count>>,
}

pub(crate) fn add(args: &Args, lab: &mut Lab, ran: &[Ran]) {
    let (limit, delay) = (args.limit.get(), args.requests.delay);
    let text = format!("never more than {limit} requests in flight, counted by the server");
    let mut within = Claim::that("within_the_limit", text).headline();
    let text = "as many requests arrived at the server as attempts were made";
    let mut arrived = Claim::that("attempts_arrived", text);
    for ran in ran {
        within = within.check(in_flight(ran.name).at_most(count(limit)));
        let attempts = lab.count(ran.name, "attempts", ran.downloads.iter().flatten().count());
        if let Some(arrivals) = ran.arrivals.clone() {
            let words = "{left} arrivals at the server, {right} attempts";
            arrived = arrived.check(arrivals.equals(attempts).in_words(words));
        }
    }
    lab.claim(within);
    if ran[0].name == CALM && !delay.is_zero() {
        let waves = ran[0].downloads.len().div_ceil(limit);
        let claim = lesson::takes_waits(CALM, waves, delay).headline();
        lab.claim(claim.check(retried(CALM).equals(count(0))));
    }
    if let [_, _, _] = ran {
        let [kept, released] = [KEPT, RELEASED].map(|name| {
            let idle = idle_permits(&lab.recording(name), limit);
            lab.duration(name, "permits_unused_while_requests_queued", idle)
        });
        let text = "kept permits were unused while requests queued; released ones hardly";
        let line = "kept permits were unused for {left} while requests queued";
        let claim = Claim::that("kept_permits_lie_idle", text).headline();
        let claim = claim
            .in_a_line(line)
            .check(kept.clone().at_least(seconds(0.01)));
        lab.claim(claim.check(released.below(kept * 0.1)));
    }
    if ran.iter().all(|ran| ran.arrivals.is_some()) {
        lab.claim(arrived);
    }
}

/// For how long requests queued while fewer than `limit` attempts were under way.
fn idle_permits(recording: &Recording, limit: usize) -> Duration {
    let of = |name, [queued, under_way]: [i64; 2]| {
        let spans = recording.named(name);
        spans.flat_map(move |it| [(it.start, queued, under_way), (it.end, -queued, -under_way)])
    };
    // How many more requests queue from then on, and how many more are under way.
    let mut steps: Vec<_> = of("permit", [1, 0]).chain(of("fetch", [0, 1])).collect();
    steps.sort_by_key(|step| step.0);
    let (mut queued, mut under_way, mut idle) = (0, 0, Duration::ZERO);
    for pair in steps.windows(2) {
        queued += pair[0].1;
        under_way += pair[0].2;
        if queued > 0 && under_way < limit as i64 {
            idle += pair[1].0 - pair[0].0;
        }
    }
    idle
}
