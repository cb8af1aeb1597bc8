//! What this step claims.

use crate::{CALM, KEPT, RELEASED, flags::Args};
use common::{
    Lab,
    claim::{Claim, Count, Figure, in_flight, retried, wall},
    timeline::Recording,
};
use lab_09_async_http_downloader::Attempts;
use network::lesson;
use std::time::Duration;

// What is noted of each variant; arrivals are counted by the server, where it is the lab's own.
const ATTEMPTS: &str = "attempts";
pub(crate) const ARRIVALS: &str = "arrivals_at_the_server";

/// Notes the attempts, beside the bar too: where some failed, they are more than the requests.
pub(crate) fn note(lab: &mut Lab, name: &str, downloads: &[Attempts]) {
    let attempts = downloads.iter().flatten().count();
    lab.note(name, ATTEMPTS, attempts);
    if attempts > downloads.len() {
        lab.note_beside(name, format!("{attempts} attempts"));
    }
}

/// Adds the claims about these variants, each of so many requests.
pub(crate) fn add(args: &Args, lab: &mut Lab, ran: &[&str], requests: usize) {
    let (limit, delay) = (args.limit.get(), args.requests.delay.0);
    let text = format!("never more than {limit} requests in flight, counted by the server");
    let within = ran
        .iter()
        .fold(Claim::that("within_the_limit", text), |claim, name| {
            claim.check(in_flight(name).at_most(limit))
        });
    lab.claim(within);
    if ran[0] == CALM && !delay.is_zero() {
        let claim = lesson::takes_waits(CALM, requests.div_ceil(limit), delay);
        lab.claim(claim.check(retried(CALM).equals(0)));
    }
    if ran.contains(&RELEASED) {
        let text = "the same faults took a tenth less time where permits were released";
        let sooner = Claim::that("released_is_sooner", text)
            .check(wall(RELEASED).below(wall(KEPT) * 0.9))
            .in_a_line("the same faults: {right} kept, {left} released");
        lab.claim(sooner.headline());
        let [kept, released] = [KEPT, RELEASED].map(|name| {
            let idle = idle_permits(&lab.recording(name), limit);
            lab.note(name, "permits_unused_while_requests_queued", idle)
        });
        let text = "kept permits were unused while requests queued; released ones hardly";
        let claim = Claim::that("kept_permits_lie_idle", text)
            .check(kept.clone().at_least(Duration::from_millis(50)))
            .check(released.below(kept * 0.1))
            .in_a_line("permits unused while requests queued: {left} kept, {left2} released");
        lab.claim(claim.headline());
    }
    if args.requests.needs_server() {
        let text = "as many requests arrived at the server as attempts were made";
        let arrived = Claim::that("attempts_arrived", text);
        let number = |name, figure| Figure::<Count>::noted(Some(name), figure);
        lab.claim(ran.iter().fold(arrived, |claim, name| {
            let same = number(name, ARRIVALS).equals(number(name, ATTEMPTS));
            claim.check(same.in_words("{left} arrivals at the server, {right} attempts"))
        }));
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
