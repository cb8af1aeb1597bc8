//! What the network lessons say and claim about their fetches.

use crate::{RequestArgs, Site};
use common::{
    Lab, Tally,
    claim::{Claim, cpu_system, cpu_user, in_flight, middle_wall, none_failed, open, wall},
    format,
    report::Screen,
};
use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};
use web::{FetchError, Fetched};

/// One request in a line: its number, status, length and time, or what went wrong.
pub fn line(number: usize, fetched: &Fetched) -> String {
    match fetched {
        Ok(page) => format!(
            "URL #{number}: status {}, {} bytes, {}",
            page.status,
            format::count(page.body.len() as u64),
            format::seconds(page.elapsed)
        ),
        Err(error) => format!("URL #{number}: failed, {error}"),
    }
}

/// Prints each answer in a line as it arrives, from whichever thread or task got it.
pub fn printer(lab: &Lab) -> impl Fn(usize, &Fetched) + Clone + Send + Sync + 'static {
    let screen = lab.screen();
    move |number, fetched| screen.say(line(number, fetched))
}

/// Prints the number of each answer as it arrives, with a remark; answers of one moment stand together.
///
/// The time counts from this call.
pub fn arrivals(screen: &Screen) -> impl Fn(usize, &str) + Sync {
    let (start, last) = (Instant::now(), Mutex::new(String::new()));
    move |number, remark| {
        let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
        let now = format!("{:.1} s", start.elapsed().as_secs_f64());
        let moment = match last.as_str() {
            same if same == now => String::new(),
            "" => format!("  answered after {now}:"),
            _ => format!("; {now}:"),
        };
        *last = now;
        screen.say_more(&format!("{moment} #{number}{remark}"));
    }
}

/// As [`arrivals`]; the remark says whether a request failed.
pub fn answers(screen: &Screen) -> impl Fn(usize, &Fetched) + Sync {
    let arrived = arrivals(screen);
    move |number, fetched| arrived(number, if fetched.is_ok() { "" } else { " (failed)" })
}

/// Runs the variant `name` over the site's URLs, at most `at_once` of them in flight; a failed request
/// fails the run.
///
/// # Errors
/// What `fetch` returned; the server cannot be reached.
pub fn run(
    lab: &mut Lab,
    args: &RequestArgs,
    site: &Site,
    (name, at_once): (&str, usize),
    fetch: impl FnMut() -> anyhow::Result<Vec<Fetched>>,
) -> anyhow::Result<()> {
    let count = site.urls.len();
    let requests = format::counted(count, "request");
    lab.say(format!("{name}: {requests}, {at_once} at once …"));
    let variant = lab.variant(name).observed_by(site).limit(at_once);
    let variant = variant.bound(args.bound(count, at_once));
    let fetched = variant.run_counted(fetch, |all| Tally::of(all))?;
    note_failures(lab, name, fetched.iter().flatten());
    Ok(())
}

/// Fails the run if any request of `variant` failed: how many, and each reason once.
pub fn note_failures<'a>(
    lab: &mut Lab,
    variant: &str,
    fetched: impl IntoIterator<Item = &'a Fetched>,
) {
    let fetched: Vec<&Fetched> = fetched.into_iter().collect();
    let errors = fetched.iter().filter_map(|one| one.as_ref().err());
    let errors: Vec<String> = errors.map(FetchError::to_string).collect();
    let (failed, all) = (errors.len(), fetched.len());
    let reasons: BTreeSet<String> = errors.into_iter().collect();
    let reasons = reasons.into_iter().take(3).collect::<Vec<_>>().join("; ");
    if failed > 0 {
        lab.fail(format!(
            "{variant}: {failed} of {all} requests failed: {reasons}"
        ));
    }
}

/// The server never saw a second request before it had answered the first.
pub fn one_at_a_time(variant: &str) -> Claim {
    let text = "never more than one request was in flight, counted by the server";
    Claim::that("one_at_a_time", text)
        .check(in_flight(variant).at_most(1))
        .in_a_line("never more than {left} request in flight at once, counted by the server")
}

/// The requests of `concurrent`, at most `at_once`, were open at the same time, so it took less than
/// `share` of the time of `sequential`.
///
/// The times alone would also differ where requests failed, or where a server got faster; and
/// requests that compete for a CPU are open at the same time as well, though they do not wait.
pub fn waits_overlap(sequential: &str, concurrent: &str, at_once: usize, share: f64) -> Claim {
    let percent = 100.0 * share;
    let text = format!("the waits overlapped: under {percent:.0} % of the time of `{sequential}`");
    let wall_of = || middle_wall(concurrent);
    let at_a_time = (open(concurrent) / wall_of()).above(1.0 / share);
    let alone = (at_once == 1).then_some("with one request at a time nothing could overlap");
    Claim::that("waits_overlap", text)
        .check(wall(concurrent).below(wall(sequential) * share))
        .in_a_line("the waits overlapped: {left} instead of {right}")
        .check(at_a_time.in_words("{left} requests open at a time, on average"))
        .check(cpu_user(concurrent).below(wall_of() * 0.25))
        .check(cpu_system(concurrent).below(wall_of() * 0.25))
        .check(none_failed(sequential))
        .check(none_failed(concurrent))
        .otherwise(alone)
}

/// The variant took the time of so many waits in a row, and not of one more.
pub fn takes_waits(variant: &str, waits: usize, each: Duration) -> Claim {
    let time_of = |waits: usize| each.mul_f64(waits as f64);
    let more = waits + 1;
    let text = format!("`{variant}` took the time of {waits}, not of {more}, waits in a row");
    let in_a_row = format::counted(waits, "wait");
    let line = format!("`{variant}` took {{left}}, the time of {in_a_row} in a row");
    Claim::that("takes_its_waits", text)
        .check(wall(variant).at_least(time_of(waits)))
        .in_a_line(line)
        .check(wall(variant).below(time_of(more)))
        .check(none_failed(variant))
}

/// The variant kept one CPU busy for less than `share` of its time.
pub fn waiting_not_work(variant: &str, share: f64) -> Claim {
    let percent = 100.0 * share;
    let text = format!(
        "it was waiting, not work: `{variant}` kept one CPU busy for less than {percent:.0} % of the time"
    );
    let half = || middle_wall(variant) * (share / 2.0);
    Claim::that("waiting_not_work", text)
        .check(cpu_user(variant).below(half()))
        .check(cpu_system(variant).below(half()))
        .check(none_failed(variant))
}
