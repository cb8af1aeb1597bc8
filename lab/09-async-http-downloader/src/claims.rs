//! What this step claims.

use crate::{CALM, KEPT, RELEASED, flags::Args};
use common::{
    Lab,
    claim::{Claim, Count, Figure, count, in_flight, retried, seconds},
    timeline::{Recording, Span},
};
use lab_09_async_http_downloader::Attempts;
use network::lesson;
use std::time::Duration;
use web::Fetched;

/// A variant that ran, and what it brought.
pub(crate) struct Ran {
    pub(crate) name: &'static str,
    pub(crate) downloads: Vec<Attempts>,
    /// Attempts and arrivals, where the server counts them.
    pub(crate) arrivals: Option<Figure<Count>>,
}

/// Permits that were unused for less time than this are noise.
const IDLE: Duration = Duration::from_millis(10);

/// Adds every claim that these variants can bear.
pub(crate) fn add(args: &Args, lab: &mut Lab, ran: &[Ran]) {
    add_limit(args, lab, ran);
    let delay = args.requests.delay;
    if ran[0].name == CALM && !delay.is_zero() {
        let waves = ran[0].downloads.len().div_ceil(args.limit.get());
        let claim = lesson::takes_waits(CALM, waves, delay);
        lab.claim(claim.check(retried(CALM).equals(count(0))));
    }
    add_arrivals(lab, ran);
    add_given_up(args, lab, ran);
    if let [_, kept_and_released @ ..] = ran
        && !kept_and_released.is_empty()
    {
        add_idle(lab, args.limit.get());
        add_retry_after(lab, kept_and_released);
    }
}

fn add_limit(args: &Args, lab: &mut Lab, ran: &[Ran]) {
    let limit = args.limit.get();
    let claim = Claim::that(
        "within_the_limit",
        format!("never more requests in flight than the limit of {limit}, counted by the server"),
    );
    let claim = ran.iter().fold(claim.headline(), |claim, ran| {
        claim.check(in_flight(ran.name).at_most(count(limit)))
    });
    lab.claim(claim);
}

fn add_arrivals(lab: &mut Lab, ran: &[Ran]) {
    let mut claim = Claim::that(
        "attempts_arrived",
        "as many requests arrived at the server as attempts were made, retries among them",
    );
    for ran in ran {
        let attempts = ran.downloads.iter().flatten().count();
        let attempts = lab.count(ran.name, "attempts", attempts);
        let Some(arrivals) = ran.arrivals.clone() else {
            return;
        };
        let words = "{left} arrivals at the server, {right} attempts";
        claim = claim.check(arrivals.equals(attempts).in_words(words));
    }
    lab.claim(claim);
}

fn add_given_up(args: &Args, lab: &mut Lab, ran: &[Ran]) {
    let all = || ran.iter().flat_map(|ran| &ran.downloads);
    if all().all(|attempts| matches!(attempts.last(), Some(Ok(_)))) {
        return;
    }
    let policy = args.policy(lab.seed());
    let mut claim = Claim::that(
        "every_attempt_was_used",
        format!(
            "no request was given up before {} attempts, except after errors that last and waits \
             past --max-wait",
            args.attempts
        ),
    );
    for ran in ran {
        // The policy would have made another attempt.
        let is_early = |attempts: &&Attempts| {
            let next = policy.back_off_after(attempts, &mut policy.jitter(1));
            next.is_some()
        };
        let early = ran.downloads.iter().filter(is_early).count();
        let early = lab.count(ran.name, "requests_given_up_early", early);
        claim = claim.check(early.equals(count(0)));
    }
    lab.claim(claim);
}

/// What a back-off does with its permit.
fn add_idle(lab: &mut Lab, limit: usize) {
    let [kept, released] = [KEPT, RELEASED].map(|name| {
        let idle = idle_permits(&lab.recording(name), limit);
        lab.duration(name, "permits_unused_while_requests_queued", idle)
    });
    lab.claim(
        Claim::that(
            "kept_permits_lie_idle",
            "permits kept through back-offs were unused while other requests queued; permits given \
             back, for less than a tenth of that time",
        )
        .check(kept.clone().at_least(seconds(IDLE.as_secs_f64())))
        .check(released.below(kept * 0.1))
        .headline(),
    );
}

/// For how long requests queued while fewer than `limit` attempts were under way.
fn idle_permits(recording: &Recording, limit: usize) -> Duration {
    let mut changes = Vec::new();
    for span in recording.lanes.iter().flat_map(|lane| &lane.spans) {
        let (queued, under_way) = match &*span.name {
            "permit" => (1, 0),
            "fetch" => (0, 1),
            _ => continue,
        };
        changes.push((span.start, queued, under_way));
        changes.push((span.end, -queued, -under_way));
    }
    changes.sort_by_key(|change| change.0);
    let (mut queued, mut under_way, mut idle) = (0, 0, Duration::ZERO);
    for pair in changes.windows(2) {
        queued += pair[0].1;
        under_way += pair[0].2;
        if queued > 0 && under_way < limit as i64 {
            idle += pair[1].0 - pair[0].0;
        }
    }
    idle
}

/// What a back-off does with what the server asked for.
fn add_retry_after(lab: &mut Lab, ran: &[Ran]) {
    let attempts = ran.iter().flat_map(|ran| &ran.downloads).flatten();
    if attempts.filter_map(retry_after).count() == 0 {
        return;
    }
    let mut claim = Claim::that(
        "retry_after_is_honoured",
        "no request came back before the `Retry-After` it was given",
    );
    for ran in ran {
        let early = early_returns(&lab.recording(ran.name), &ran.downloads);
        let early = lab.count(ran.name, "requests_back_early", early);
        claim = claim.check(early.equals(count(0)));
    }
    lab.claim(claim);
}

/// How many back-offs ended before the time that the server had asked for.
fn early_returns(recording: &Recording, downloads: &[Attempts]) -> usize {
    let pairs = (1..).zip(downloads).flat_map(|(number, attempts)| {
        let name = format!("request {number}");
        let lane = recording.lanes.iter().find(|lane| lane.name == name);
        let spans = lane.into_iter().flat_map(|lane| &lane.spans);
        spans.filter(|span| span.name == "back-off").zip(attempts)
    });
    let is_early = |(back_off, attempt): &(&Span, &Fetched)| {
        retry_after(attempt).is_some_and(|asked| back_off.duration() < asked)
    };
    pairs.filter(is_early).count()
}

fn retry_after(fetched: &Fetched) -> Option<Duration> {
    fetched.as_ref().err()?.retry_after()
}
