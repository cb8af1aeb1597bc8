//! The way to take, in two sentences that follow from the predictions.

use crate::{Forecast, Job, Way};
use common::format::{count, seconds_f64};

/// A simpler way that is this little slower is the better one.
const AS_GOOD: f64 = 1.05;

/// The simplest of the ways that are as fast as any that is allowed.
pub fn best<'a>(forecasts: &'a [Forecast], job: &Job) -> Option<&'a Forecast> {
    let fastest = fastest(forecasts)?.predicted_s;
    let mut by_simplicity = Way::ALL;
    // What waits needs a thread for each wait; what computes needs one for each CPU.
    by_simplicity.sort_by_key(|way| match way {
        Way::OneByOne => 0,
        Way::Rayon if job.cpu_s >= job.wait_s => 1,
        Way::Threads => 2,
        Way::Tasks => 3,
        Way::Rayon => 4,
        Way::Processes => 5,
        Way::TasksAndProcesses => 6,
    });
    let of_way = |way: Way| forecasts.iter().find(|forecast| forecast.way == way);
    let mut simple = by_simplicity.into_iter().filter_map(of_way);
    simple.find(|one| one.is_allowed && one.predicted_s <= fastest * AS_GOOD)
}

fn fastest(forecasts: &[Forecast]) -> Option<&Forecast> {
    let allowed = forecasts.iter().filter(|forecast| forecast.is_allowed);
    allowed.min_by(|one, other| one.predicted_s.total_cmp(&other.predicted_s))
}

/// A time with its range, where that is no single figure.
pub fn ranged(forecast: &Forecast) -> String {
    let (time, range) = (seconds_f64(forecast.predicted_s), range(forecast));
    match time == range {
        true => time,
        false => format!("{time} ({range})"),
    }
}

/// The range of a time, a single figure where both ends are shown alike.
pub fn range(forecast: &Forecast) -> String {
    let [low, high] = [forecast.low_s, forecast.high_s].map(seconds_f64);
    match low == high {
        true => low,
        false => format!("{low}–{high}"),
    }
}

/// What to use, in two sentences.
pub fn sentences(forecasts: &[Forecast], job: &Job) -> String {
    let Some(best) = best(forecasts, job) else {
        let what = "None of what is at hand contains a crash.";
        return format!("{what} Only processes do: add `processes` to --with.");
    };
    let at_once = match best.at_once {
        1 => String::new(),
        at_once => format!(", {} at once", count(at_once as u64)),
    };
    let first = format!(
        "Use {}{at_once}: {}, limited by {}.",
        best.way.name(),
        ranged(best),
        best.limited_by
    );
    format!("{first} {}", compared(forecasts, best, job))
}

/// How the best compares with the next, and with one by one or what would be faster.
fn compared(forecasts: &[Forecast], best: &Forecast, job: &Job) -> String {
    let others = forecasts.iter().filter(|other| other.way != best.way);
    let forbidden = others.clone().filter(|other| !other.is_allowed);
    let forbidden = forbidden.min_by(|one, other| one.predicted_s.total_cmp(&other.predicted_s));
    let allowed = others.clone().filter(|other| other.is_allowed);
    let next = allowed.min_by(|one, other| one.predicted_s.total_cmp(&other.predicted_s));
    let of = |other: &Forecast| {
        let ratio = other.predicted_s / best.predicted_s;
        let (name, time) = (other.way.name(), seconds_f64(other.predicted_s));
        let takes = other.way.takes();
        match ratio {
            _ if other.low_s <= best.high_s && best.low_s <= other.high_s => {
                format!("{name} may take as long ({time})")
            }
            10.0.. => format!("{name} {takes} {} × as long ({time})", count(ratio as u64)),
            1.0.. => format!("{name} {takes} {ratio:.1} × as long ({time})"),
            _ => format!("{name} would take {:.0} % of that ({time})", ratio * 100.0),
        }
    };
    if let Some(faster) = forbidden.filter(|other| other.high_s < best.low_s) {
        let why = match job.crash && !faster.contains_a_crash {
            true => "does not contain a crash",
            false => "is not at hand",
        };
        return format!("{}, but {why}.", capital(&of(faster)));
    }
    let alone = others.clone().find(|other| other.way == Way::OneByOne);
    let alone = alone.filter(|alone| next.is_some_and(|next| next.way != alone.way));
    let parts: Vec<String> = alone.into_iter().chain(next).map(of).collect();
    match parts.is_empty() {
        true => "Nothing else is at hand.".into(),
        false => format!("{}.", capital(&parts.join(", and "))),
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}
