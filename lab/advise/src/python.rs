//! What the threads, tasks and processes of the reader's own Python cost here.

use crate::{Costs, costs::Price};
use common::ask_python;
use serde::Deserialize;
use std::{collections::BTreeMap, path::Path};

const SCRIPT: &str = include_str!("costs.py");

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
        let asked = ask_python::<Printed>(Path::new("python3"), SCRIPT, &[rounds.to_string()]);
        if let Ok((_, printed)) = asked {
            costs.prices_s.extend(printed.prices_s);
            version = Some((printed.version, printed.has_gil));
        }
        Self { version, costs }
    }
}
