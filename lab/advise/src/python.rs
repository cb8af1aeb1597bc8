//! The same for Python: what its threads, tasks and processes cost here, and the class to use.

use crate::{
    Costs, Forecast, Job, Way,
    costs::{Price, quartiles},
    model::{Language, forecasts},
};
use measure::inherited::isolated_python;
use process_pool::child::Guest;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, io::Read, process::Stdio};

const SCRIPT: &str = include_str!("costs.py");

/// What the script prints: each cost as often as it was seen.
#[derive(Deserialize)]
struct Printed {
    version: String,
    has_gil: bool,
    prices_s: BTreeMap<Price, Vec<f64>>,
}

/// A Python on this machine.
#[derive(Clone, Debug, Serialize)]
pub struct Python {
    /// Such as `3.11.7`; `None` where no `python3` was found, and the costs are Rust's.
    pub version: Option<String>,
    /// Whether this one has a GIL.
    pub has_gil: Option<bool>,
    /// What it costs.
    pub costs: Costs,
}

impl Python {
    /// Measures the `python3` of the path so many times, on the machine of `costs`.
    pub fn measure(costs: &Costs, rounds: usize) -> Self {
        let Some(printed) = ask(rounds) else {
            let (version, has_gil) = (None, None);
            let costs = costs.clone();
            return Self {
                version,
                has_gil,
                costs,
            };
        };
        let mut costs = costs.clone();
        costs.prices_s.extend(quartiles(&printed.prices_s));
        Self {
            version: Some(printed.version),
            has_gil: Some(printed.has_gil),
            costs,
        }
    }

    /// The same on a machine whose CPUs are all free.
    #[must_use]
    pub fn undisturbed(&self) -> Self {
        Self {
            costs: self.costs.undisturbed(),
            ..self.clone()
        }
    }

    /// What each way of a Python with or without a GIL would take.
    pub fn forecasts(&self, job: &Job, has_gil: bool) -> Vec<Forecast> {
        let language = match has_gil {
            true => Language::PythonWithGil,
            false => Language::PythonWithoutGil,
        };
        forecasts(job, &self.costs, language)
    }
}

fn ask(rounds: usize) -> Option<Printed> {
    let mut command = isolated_python("python3", SCRIPT);
    command.arg(rounds.to_string());
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    let mut guest = Guest::spawn(command.stderr(Stdio::null())).ok()?;
    let mut text = String::new();
    guest.stdout.take()?.read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

/// The class to use for a way.
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
