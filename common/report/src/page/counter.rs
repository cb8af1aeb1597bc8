//! A level over time, such as the depth of a queue, below the lanes.

use super::{
    attribute,
    bars::{self, UNITS},
    escape,
};
use crate::CounterReport;
use crate::format;
use std::fmt::Write;

/// The height of its row.
const HEIGHT: usize = 36;

/// A level over time as steps, below the lanes.
pub(super) fn of(counter: &CounterReport, axis_s: f64, limit: usize) -> String {
    let peak = counter
        .samples
        .iter()
        .map(|sample| sample.1)
        .fold(0.0, f64::max);
    let mut path = String::new();
    let height = |level: f64| (HEIGHT as f64 - 2.0) * (1.0 - level / peak.max(1e-9)) + 1.0;
    let every = counter.samples.len().div_ceil(limit.max(1));
    // Where there are too many, the highest of each few stands for them.
    for few in counter.samples.chunks(every.max(1)) {
        let level = few.iter().map(|sample| sample.1).fold(0.0, f64::max);
        let Some((at, _)) = bars::place(few[0].0, axis_s, axis_s) else {
            continue;
        };
        let start = if path.is_empty() {
            format!("M{at} {HEIGHT}")
        } else {
            format!("H{at}")
        };
        let _ = write!(path, "{start}V{:.1}", height(level));
    }
    let (name, top) = (escape(&counter.name), format::plain(peak));
    format!(
        "<div class='rows counter'><div class=lanes>{name} <small>≤ {top}</small></div>\n\
         <svg class=level role=img aria-label=\"{}: at most {top} at once\" viewBox='0 0 {UNITS} {HEIGHT}' \
         preserveAspectRatio=none height={HEIGHT}><path d='{path}H{UNITS}V{HEIGHT}z'/></svg></div>\n",
        attribute(&counter.name)
    )
}
