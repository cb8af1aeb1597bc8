//! What the network lessons say about their fetches, and how the experiment asks the server.

use crate::{RequestArgs, Site};
use common::{Bound, Counts, Lab, Observer, format};
use web::{FetchError, Fetched};

/// The experiment's ledger takes its in-flight peak and its connections from the server.
impl Observer for Site {
    fn begin(&self) -> anyhow::Result<()> {
        Ok(self.begin_run()?)
    }

    fn counts(&self) -> anyhow::Result<Option<Counts>> {
        Ok(self.witness()?.map(|witness| Counts {
            peak_in_flight: witness.peak_in_flight,
            connections: witness.connections,
        }))
    }
}

impl RequestArgs {
    /// The bound of `count` requests, at most `at_once` of them in flight.
    ///
    /// Against the delay that was asked for; for `--url`s, against the waits of the run itself.
    pub fn bound(&self, count: usize, at_once: usize) -> Bound {
        Bound::Waits {
            // Nobody waits for an answer longer than the time-out lets them.
            each: self.url.is_empty().then_some(self.delay.min(self.timeout)),
            count,
            at_once,
        }
    }
}

/// One request in a line: its number, status, length and time, or what went wrong.
pub fn line(number: usize, fetched: &Fetched) -> String {
    match fetched {
        Ok(page) => format!(
            "URL #{number}: status {}, {} bytes, {}",
            page.status,
            format::count(page.len() as u64),
            format::seconds(page.elapsed)
        ),
        Err(error) => format!("URL #{number}: failed, {error}"),
    }
}

/// Fails the run if any request of `variant` failed: how many, and each reason once.
pub fn note_failures<'a>(
    lab: &mut Lab,
    variant: &str,
    fetched: impl IntoIterator<Item = &'a Fetched>,
) {
    let fetched: Vec<&Fetched> = fetched.into_iter().collect();
    let errors: Vec<String> = fetched
        .iter()
        .filter_map(|one| one.as_ref().err())
        .map(FetchError::to_string)
        .collect();
    let mut reasons: Vec<&str> = Vec::new();
    for error in &errors {
        if !reasons.contains(&error.as_str()) && reasons.len() < 3 {
            reasons.push(error);
        }
    }
    if !errors.is_empty() {
        let (failed, all) = (errors.len(), fetched.len());
        lab.fail(format!(
            "{variant}: {failed} of {all} requests failed: {}",
            reasons.join("; ")
        ));
    }
}

/// Says how long each of the variants took.
pub fn say_elapsed(lab: &Lab, variants: &[&str]) {
    for variant in variants {
        if let Some(wall) = lab.wall(variant) {
            lab.say(format!("{variant}: elapsed {}", format::seconds(wall)));
        }
    }
}
