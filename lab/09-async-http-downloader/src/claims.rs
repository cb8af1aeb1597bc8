//! What this step claims.

use super::{flags::Args, parts::Part};
use common::{
    Lab,
    claim::{Claim, number, of, top},
    format,
};
use lab_09_async_http_downloader::Downloads;
use std::time::Duration;

/// A variant with what it brought.
type Ran = (Part, Downloads);

/// A rest that is shorter leaves next to nothing idle.
const REST: Duration = Duration::from_millis(10);

/// Adds every claim that these variants can bear.
pub(crate) fn add(args: &Args, lab: &mut Lab, ran: &[Ran]) {
    add_limit(args, lab, ran);
    add_waves(args, lab, ran);
    add_arrivals(lab, ran);
    add_given_up(args, lab, ran);
    add_back_off(lab, ran);
}

fn add_limit(args: &Args, lab: &mut Lab, ran: &[Ran]) {
    let limit = args.limit;
    let mut claim = Claim::that(format!(
        "never more requests in flight than the limit of {limit}, by the server's own count"
    ));
    for (part, _) in ran {
        let peak = of(part.name(), "ledger.peak_in_flight");
        claim = claim.check(peak.at_most(number(limit.get() as f64)));
    }
    let timeouts = ran
        .iter()
        .map(|(_, all)| all.attempts_that("timeout"))
        .sum();
    claim = match timeouts {
        _ if !args.requests.needs_server() => {
            claim.otherwise("only the lab's own server tells what it saw")
        }
        0 => claim,
        timed_out => claim.otherwise(format!(
            "attempts that timed out: {timed_out}; the server counts each until it notices that \
             nobody waits for it"
        )),
    };
    lab.claim(claim);
}

/// Equal waits: the limit decides how many of them follow each other.
fn add_waves(args: &Args, lab: &mut Lab, ran: &[Ran]) {
    let calm = ran.iter().find(|(part, _)| *part == Part::Calm);
    let Some((count, waves)) = calm.and_then(|(_, all)| {
        let count = all.requests.len();
        Some((count, args.waves(count)?))
    }) else {
        return;
    };
    let delay = args.requests.delay.as_secs_f64();
    lab.claim(
        Claim::that(format!(
            "without faults, requests {count} and permits {} took the time of {waves}, not of {}, \
             waits in a row",
            args.limit,
            waves + 1
        ))
        .check(of("calm", "ledger.failed").equals(number(0)))
        .check(of("calm", "ledger.retried").equals(number(0)))
        .check(of("calm", "wall_s").at_least(number(waves as f64 * delay)))
        .check(of("calm", "wall_s").below(number((waves + 1) as f64 * delay))),
    );
}

fn add_arrivals(lab: &mut Lab, ran: &[Ran]) {
    let ran = ran.iter().filter(|(part, _)| *part != Part::Yours);
    let names: Vec<_> = ran.map(|(part, _)| part.name()).collect();
    if names.is_empty() {
        return;
    }
    let claim = Claim::that(
        "the books are right: as many arrivals at the server as attempts, retries among them",
    );
    lab.claim(names.into_iter().fold(claim, |claim, name| {
        let arrivals = top(format!("params.{name}_seen_by_server.arrivals"));
        claim.check(arrivals.equals(of(name, "results.attempts")))
    }));
}

fn add_given_up(args: &Args, lab: &mut Lab, ran: &[Ran]) {
    let failed = ran.iter().filter(|(_, all)| all.tally().failed > 0);
    let names: Vec<_> = failed.map(|(part, _)| part.name()).collect();
    if names.is_empty() {
        return;
    }
    let claim = Claim::that(format!(
        "none was given up before {} attempts, but for lasting errors and waits past --max-wait",
        args.attempts
    ));
    lab.claim(names.into_iter().fold(claim, |claim, name| {
        claim.check(of(name, "results.given_up_early").equals(number(0)))
    }));
}

/// What a rest does with its permit, and with what the server asked for.
fn add_back_off(lab: &mut Lab, ran: &[Ran]) {
    let find = |wanted| ran.iter().find(|(part, _)| *part == wanted);
    let Some(((_, kept), (_, released))) = find(Part::Kept).zip(find(Part::Released)) else {
        return;
    };
    let claim = Claim::that(
        "rests that kept their permit left it idle while others queued for one; rests that gave \
         it back never did",
    )
    .check(of("kept", "results.blocking_back_offs").above(number(0)))
    .check(of("kept", "results.longest_blocking_s").at_least(number(REST.as_secs_f64())))
    .check(of("released", "results.blocking_back_offs").equals(number(0)));
    lab.claim(match kept {
        none if none.back_offs == 0 => claim.otherwise("no request rested"),
        none if none.blocking_back_offs == 0 => {
            claim.otherwise("no request queued when another began to rest")
        }
        short if short.longest_blocking < REST => claim.otherwise(format!(
            "the longest rest at which another queued was to last {}, less than {}; --backoff and \
             --max-wait decide that",
            format::seconds(short.longest_blocking),
            format::seconds(REST)
        )),
        _ => claim,
    });
    if kept.asked_back_offs + released.asked_back_offs > 0 {
        let claim = Claim::that("no request came back before the `Retry-After` it was given");
        lab.claim(["kept", "released"].into_iter().fold(claim, |claim, name| {
            claim.check(of(name, "results.early_returns").equals(number(0)))
        }));
    }
}
