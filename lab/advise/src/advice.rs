//! The way to take, in two sentences that follow from the predictions.

use crate::{
    Costs, Forecast, Job, Way,
    model::{AS_GOOD, Language, forecasts},
};
use common::format::{count, seconds_f64};
use serde::Serialize;

/// What to use for a job in a language.
#[derive(Debug, Serialize)]
pub struct Advised {
    /// Of a Python.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub has_gil: Option<bool>,
    /// What each way would take.
    pub ways: Vec<Forecast>,
    /// The way to take; `None` where none contains a crash.
    #[serde(rename = "use")]
    pub way: Option<Way>,
    /// The class of a Python to use for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// Why, in two sentences.
    pub advice: String,
}

impl Advised {
    /// Predicts all ways, and chooses.
    pub fn new(job: &Job, costs: &Costs, language: Language) -> Self {
        let ways = forecasts(job, costs, language);
        let (advice, best) = (sentences(&ways, job), best(&ways, job));
        let has_gil = (language != Language::Rust).then_some(language == Language::PythonWithGil);
        Self {
            has_gil,
            way: best.map(|best| best.way),
            class: best.and_then(|best| has_gil.map(|_| class(best, job))),
            advice,
            ways,
        }
    }

    /// The forecast for the way to take.
    pub fn best(&self) -> Option<&Forecast> {
        self.ways.iter().find(|one| Some(one.way) == self.way)
    }
}

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

/// The class of a Python to use for a way.
pub fn class(forecast: &Forecast, job: &Job) -> String {
    let at_once = forecast.at_once;
    let gather = match at_once < job.items {
        true => format!("asyncio.gather with a Semaphore({at_once})"),
        false => "asyncio.gather".into(),
    };
    match forecast.way {
        Way::OneByOne | Way::Rayon => "a plain for loop".into(),
        Way::Threads => format!("ThreadPoolExecutor({at_once})"),
        Way::Tasks => gather,
        Way::Processes => format!("ProcessPoolExecutor({at_once})"),
        Way::TasksAndProcesses => format!("{gather}, run_in_executor on a ProcessPoolExecutor"),
    }
}

/// What to use, in two sentences.
pub fn sentences(forecasts: &[Forecast], job: &Job) -> String {
    let Some(best) = best(forecasts, job) else {
        return "None of what is at hand contains a crash. Only processes do: add `processes` to --with.".into();
    };
    let (name, limit, time) = (best.way.name(), &best.limited_by, best.ranged());
    let at_once = match best.at_once {
        1 => String::new(),
        at_once => format!(", {} at once", count(at_once as u64)),
    };
    let compared = compared(forecasts, best);
    format!("Use {name}{at_once}: {time}, limited by {limit}. {compared}")
}

/// How the best compares with one by one and the next, or with what would be faster.
fn compared(forecasts: &[Forecast], best: &Forecast) -> String {
    let others = || forecasts.iter().filter(|other| other.way != best.way);
    let named = |other: &Forecast| {
        let time = seconds_f64(other.predicted_s);
        format!("{} {time}", other.way.name())
    };
    let forbidden = fastest(others().filter(|other| other.why_not.is_some()));
    if let Some(faster) = forbidden.filter(|other| other.high_s < best.low_s) {
        let why = faster.why_not.unwrap_or_default();
        return format!("By comparison: {}, but that {why}.", named(faster));
    }
    let alone = others().find(|other| other.way == Way::OneByOne);
    let next = fastest(others().filter(|other| other.why_not.is_none()));
    let next = next.filter(|next| next.way != Way::OneByOne);
    let of = |other: &Forecast| {
        let how = match other.predicted_s / best.predicted_s {
            _ if other.low_s <= best.high_s && best.low_s <= other.high_s => {
                "perhaps as fast".into()
            }
            ..1.05 => "about as long".into(),
            ratio @ 10.0.. => format!("{} × as long", count(ratio as u64)),
            ratio => format!("{ratio:.1} × as long"),
        };
        format!("{}, {how}", named(other))
    };
    let compared: Vec<String> = alone.into_iter().chain(next).map(of).collect();
    match compared.is_empty() {
        true => "Nothing else is at hand.".into(),
        false => format!("By comparison: {}.", compared.join("; ")),
    }
}
