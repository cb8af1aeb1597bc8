//! The same for Python: what its threads, tasks and processes cost here, and the class to use.

use crate::{Costs, Forecast, Job, Way, costs::Price};
use measure::inherited::isolated_python;
use process_pool::child::Guest;
use serde::Deserialize;
use std::{collections::BTreeMap, io::Read, process::Stdio, sync::mpsc, thread, time::Duration};

const SCRIPT: &str = include_str!("costs.py");
/// The script takes a second or two; what takes longer is no Python, or a machine that has no CPU for it.
const PATIENCE: Duration = Duration::from_secs(30);

/// The most that it may print.
const MOST_BYTES: u64 = 64 * 1024;

/// What the script prints: each cost as often as it was seen.
#[derive(Deserialize)]
struct Printed {
    version: String,
    has_gil: bool,
    prices_s: BTreeMap<Price, Vec<f64>>,
}

/// A Python on this machine.
#[derive(Clone, Debug)]
pub struct Python {
    /// Such as `3.11.7`, and whether it has a GIL; `None` where no `python3` answers, and the costs are Rust's.
    pub version: Option<(String, bool)>,
    /// What it costs.
    pub costs: Costs,
}

impl Python {
    /// Measures the `python3` of the path so many times, on the machine of `costs`.
    pub fn measure(costs: &Costs, rounds: usize) -> Self {
        let (mut costs, mut version) = (costs.clone(), None);
        if let Some(printed) = ask(rounds) {
            costs.prices_s.extend(printed.prices_s);
            version = Some((printed.version, printed.has_gil));
        }
        Self { version, costs }
    }
}

fn ask(rounds: usize) -> Option<Printed> {
    let mut command = isolated_python("python3", SCRIPT);
    command.arg(rounds.to_string());
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    let mut guest = Guest::spawn(command.stderr(Stdio::null())).ok()?;
    let printed = guest.stdout.take()?;
    let (tx, rx) = mpsc::channel();
    // It ends with the guest, which is killed when this returns.
    thread::spawn(move || {
        let mut text = String::new();
        let read = printed.take(MOST_BYTES).read_to_string(&mut text);
        let _ = tx.send(read.map(|_| text));
    });
    let text = rx.recv_timeout(PATIENCE).ok()?.ok()?;
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
