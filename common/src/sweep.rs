//! Times of several ways at growing sizes, round by round.

use crate::{Comparison, Lab, claim::middle, format};
use std::time::Duration;

/// What a lesson measured by size, way and round.
#[derive(Clone, Debug)]
pub struct Sweep {
    axis: &'static str,
    ways: Vec<&'static str>,
    /// The sizes, in order.
    pub sizes: Vec<u64>,
    /// By size and way: the times of all rounds, in seconds.
    pub times_s: Vec<Vec<Vec<f64>>>,
}

impl Sweep {
    /// A sweep over `sizes`; `axis` names what they count.
    pub fn new(axis: &'static str, ways: &[&'static str], sizes: Vec<u64>) -> Self {
        Self {
            axis,
            ways: ways.to_vec(),
            times_s: vec![vec![Vec::new(); ways.len()]; sizes.len()],
            sizes,
        }
    }

    /// Adds a round of the size at this index: the time of each way, in their order.
    ///
    /// # Panics
    /// If there is no such size.
    pub fn add<const WAYS: usize>(&mut self, size: usize, times: [Duration; WAYS]) {
        for (all, time) in self.times_s[size].iter_mut().zip(times) {
            all.push(time.as_secs_f64());
        }
    }

    /// How a way compares with the first one, at the size of this index.
    ///
    /// # Panics
    /// If there is no such size or way.
    pub fn compared(&self, size: usize, way: usize) -> Comparison {
        Comparison::of(&self.times_s[size][0], &self.times_s[size][way])
    }

    /// Shows a table and its note: a row per size with the middle time of each way, as `cell` shows it.
    pub fn show(
        &self,
        lab: &Lab,
        [title, note]: [&str; 2],
        cell: impl Fn(usize, usize, String) -> String,
    ) {
        let mut rows = Vec::new();
        for (size, ways) in self.times_s.iter().enumerate() {
            let mut row = vec![format::count(self.sizes[size])];
            for (way, times) in ways.iter().enumerate() {
                let time = middle(times.iter().copied()).map_or("–".into(), format::seconds_f64);
                row.push(cell(size, way, time));
            }
            rows.push(row);
        }
        lab.table(title, &[&[self.axis], &*self.ways].concat(), rows, note);
    }
}
