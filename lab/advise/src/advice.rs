//! The way to take, in two sentences that follow from the predictions.

use crate::{Forecast, Job, Way, model::AS_GOOD};
use common::format::{count, seconds_f64};

/// The fastest of the ways that may be taken, or the simplest of those that are as good.
pub fn best<'a>(forecasts: &'a [Forecast], job: &Job) -> Option<&'a Forecast> {
    let allowed = || forecasts.iter().filter(|one| one.why_not.is_none());
    let least = fastest(allowed())?.predicted_s;
    let good = allowed().filter(|one| one.predicted_s <= least * AS_GOOD);
    // What waits needs a thread for each wait; what computes needs one for each CPU.
    good.min_by_key(|one| match one.way {
        Way::Rayon if job.cpu_s >= job.wait_s => 1,
        way => 2 * way as usize,
    })
}

fn fastest<'a>(forecasts: impl Iterator<Item = &'a Forecast>) -> Option<&'a Forecast> {
    forecasts.min_by(|one, other| one.predicted_s.total_cmp(&other.predicted_s))
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
    format!("{first} {}", compared(forecasts, best))
}

/// How the best compares with one by one and the next, or with what would be faster.
fn compared(forecasts: &[Forecast], best: &Forecast) -> String {
    let others = || forecasts.iter().filter(|other| other.way != best.way);
    let of = |other: &Forecast| {
        let (name, time) = (other.way.name(), seconds_f64(other.predicted_s));
        let ratio = other.predicted_s / best.predicted_s;
        let how = match ratio {
            _ if other.low_s <= best.high_s && best.low_s <= other.high_s => {
                "perhaps as fast".into()
            }
            ..1.05 => "about as long".into(),
            10.0.. => format!("{} × as long", count(ratio as u64)),
            _ => format!("{ratio:.1} × as long"),
        };
        format!("{name} {time}, {how}")
    };
    let forbidden = fastest(others().filter(|other| other.why_not.is_some()));
    if let Some(faster) = forbidden.filter(|other| other.high_s < best.low_s) {
        let (name, time) = (faster.way.name(), seconds_f64(faster.predicted_s));
        let why = faster.why_not.unwrap_or_default();
        return format!("By comparison: {name} {time}, but that {why}.");
    }
    let alone = others().find(|other| other.way == Way::OneByOne);
    let mut compared: Vec<&Forecast> = alone.into_iter().collect();
    compared.extend(fastest(others().filter(|other| other.why_not.is_none())));
    compared.dedup_by_key(|one| one.way);
    match compared.is_empty() {
        true => "Nothing else is at hand.".into(),
        false => format!(
            "By comparison: {}.",
            compared.into_iter().map(of).collect::<Vec<_>>().join("; ")
        ),
    }
}
