//! What was measured and predicted, for the screen and as JSON.

use common::{
    format::{bytes, count, percent, seconds_f64},
    host::Host,
    report::{table, wrap},
};
use lab_advise::{
    Costs, Forecast, Job, advice,
    command::Ran,
    costs::Price,
    model::{Language, forecasts},
    python::{Python, class},
    trial::Trial,
};
use serde_json::{Value, json};

/// The shape of the document.
pub(crate) const SCHEMA: u32 = 1;

/// All that a run has to say.
pub(crate) struct Seen {
    pub(crate) host: Host,
    pub(crate) costs: Costs,
    pub(crate) python: Python,
    pub(crate) rust: Vec<Forecast>,
    pub(crate) with_gil: Vec<Forecast>,
    pub(crate) without_gil: Vec<Forecast>,
    pub(crate) ran: Option<Ran>,
    pub(crate) trial: Option<Trial>,
}

impl Seen {
    /// The document of `--json`.
    pub(crate) fn document(&self, job: &Job) -> Value {
        let python = |has_gil: bool, forecasts: &[Forecast]| {
            let best = advice::best(forecasts, job);
            json!({
                "has_gil": has_gil, "ways": forecasts, "use": best.map(|best| best.way),
                "class": best.map(|best| class(best, job)),
                "advice": advice::sentences(forecasts, job),
            })
        };
        json!({
            "schema": SCHEMA, "host": self.host, "job": job, "costs": self.costs, "ways": self.rust,
            "use": advice::best(&self.rust, job).map(|best| best.way),
            "advice": advice::sentences(&self.rust, job),
            "python": {
                "version": self.python.version, "has_gil": self.python.has_gil, "costs": self.python.costs,
                "each": [python(true, &self.with_gil), python(false, &self.without_gil)],
            },
            "run": self.ran.as_ref().map(|ran| json!({ "seen": ran, "reading": ran.reading() })),
            "try": self.trial,
        })
    }

    /// The screen.
    pub(crate) fn lines(&self, job: &Job, width: usize) -> String {
        let mut lines = vec![format!(
            "\nlab-advise · which way for my job?\n{}\n",
            self.host.cpus_in_words()
        )];
        let ran = self.ran.iter().flat_map(Ran::sentences);
        lines.extend(ran.map(|line| wrap(&line, width, 2)));
        lines.push(wrap(&described(job), width, 2));
        lines.push(wrap(&self.costs_in_words(), width, 2));
        lines.push(format!("\n{}", self.table(job, width)));
        lines.push(labelled("USE", &advice::sentences(&self.rust, job), width));
        lines.extend(
            self.undisturbed(job)
                .map(|words| labelled("", &words, width)),
        );
        lines.extend(self.python_in_words(job, width));
        lines.extend(self.trial.iter().map(|trial| tried(trial, job, width)));
        lines.join("\n")
    }

    /// What would be the way on a machine whose CPUs are all free, where that is another.
    fn undisturbed(&self, job: &Job) -> Option<String> {
        let quiet = forecasts(job, &self.costs.undisturbed(), Language::Rust);
        let (best, now) = (advice::best(&quiet, job)?, advice::best(&self.rust, job)?);
        let time = seconds_f64(best.predicted_s);
        let name = best.way.name();
        (best.way != now.way).then(|| format!("With all CPUs free it would be {name}: {time}."))
    }

    fn python_in_words(&self, job: &Job, width: usize) -> Vec<String> {
        let costs_of = match (&self.python.version, self.python.has_gil) {
            (Some(version), Some(true)) => {
                format!("with what {version}, which has a GIL, costs here:")
            }
            (Some(version), _) => format!("with what {version}, which has no GIL, costs here:"),
            _ => "no python3 was found; with what Rust costs here:".into(),
        };
        let mut lines = vec![labelled("Python", &costs_of, width)];
        for (name, forecasts) in [("a GIL", &self.with_gil), ("no GIL", &self.without_gil)] {
            let words = match advice::best(forecasts, job) {
                Some(best) => format!(
                    "{}: {}, limited by {}",
                    class(best, job),
                    advice::ranged(best),
                    best.limited_by
                ),
                None => advice::sentences(forecasts, job),
            };
            lines.push(labelled(&format!("  {name}"), &words, width));
        }
        lines
    }

    fn costs_in_words(&self) -> String {
        let costs = &self.costs;
        let time = |price| seconds_f64(costs.price(price).middle);
        let measured = seconds_f64(costs.measured_in_s);
        format!(
            "measured now, in {measured}: thread {} · task {} · first process {}, each more {} · handoff to a \
             process {} · MiB {} · a thread wakes {} late, a task {}",
            time(Price::Thread),
            time(Price::Task),
            time(Price::Pool),
            time(Price::Process),
            time(Price::Handoff),
            time(Price::Mib),
            time(Price::ThreadLate),
            time(Price::TaskLate),
        )
    }

    fn table(&self, job: &Job, width: usize) -> String {
        let best = advice::best(&self.rust, job).map(|best| best.way);
        let row = |one: &Forecast| {
            let mark = match best == Some(one.way) {
                true => "→",
                false if !one.is_allowed => "✗",
                false => " ",
            };
            vec![
                format!("{mark} {}", one.way.name()),
                count(one.at_once as u64),
                seconds_f64(one.predicted_s),
                one.limited_by.clone(),
                advice::range(one),
            ]
        };
        // On a narrow screen there is no room for the last; the sentences have that of the best.
        let columns = if width < 72 { 4 } else { 5 };
        let rows = self.rust.iter().map(row);
        let rows = rows
            .map(|row| row.into_iter().take(columns).collect())
            .collect();
        let headings = ["  way", "at once", "predicted", "limited by", "range"];
        table(&headings[..columns], rows, &[0, 3], width)
    }
}

/// How wrong the predictions were.
fn tried(trial: &Trial, job: &Job, width: usize) -> String {
    let fewer = match trial.items < job.items {
        true => format!(
            " with {} items, since {} would take too long",
            count(trial.items as u64),
            count(job.items as u64)
        ),
        false => String::new(),
    };
    let title = format!("{} rounds, taking turns{fewer}; the median:", trial.rounds);
    let row = |one: &lab_advise::trial::Tried| {
        let times = [one.predicted_s, one.took_s].map(seconds_f64);
        let off = percent(one.error.abs());
        let off = match one.error {
            error if error.abs() < 0.005 => "right".into(),
            error if error > 0.0 => format!("{off} too long"),
            _ => format!("{off} too short"),
        };
        let [predicted, took] = times;
        vec![format!("  {}", one.way.name()), predicted, took, off]
    };
    let rows = trial.ways.iter().map(row).collect();
    let rows = table(
        &["  tried", "predicted", "took", "prediction"],
        rows,
        &[0, 3],
        width,
    );
    format!(
        "\n{}\n{}",
        labelled("Tried", &title, width),
        rows.trim_end()
    )
}

/// The job in words.
fn described(job: &Job) -> String {
    let mut parts = vec![match job.items {
        1 => "one item".into(),
        items => format!("{} items", count(items as u64)),
    }];
    let does = [("waits", job.wait_s), ("computes", job.cpu_s)];
    let does = does.into_iter().filter(|(_, time)| *time > 0.0);
    let does: Vec<String> = does
        .map(|(what, time)| format!("{what} {}", seconds_f64(time)))
        .collect();
    parts.push(format!("each {}", does.join(" and ")));
    if job.bytes_in + job.bytes_out > 0 {
        let [given, back] = [job.bytes_in, job.bytes_out].map(|size| bytes(size as f64));
        parts.push(format!("{given} in and {back} out"));
    }
    parts.extend(
        job.limit
            .map(|limit| format!("at most {} in flight", count(limit as u64))),
    );
    parts.extend(job.crash.then(|| "a crash must be contained".into()));
    parts.join(", ")
}

/// A text behind a word that stands in front of it.
fn labelled(label: &str, text: &str, width: usize) -> String {
    let text = wrap(text, width, 11);
    format!("{label:<11}{}", text.trim_start())
}
