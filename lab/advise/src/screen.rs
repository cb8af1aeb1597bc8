//! What was measured and predicted, for the screen and as JSON.

use common::{
    format::{bytes, count, percent, seconds_f64},
    host::Host,
    report::{table, wrap},
};
use lab_advise::{
    Costs, Forecast, Job, advice,
    command::Ran,
    costs::{MIDDLE, Price},
    model::{self, Language, PYTHONS, forecasts},
    python::{Python, class},
    trial::{Trial, Tried},
};
use serde_json::{Value, json};

/// The shape of the document.
pub(crate) const SCHEMA: u32 = 1;

/// What newcomers to Rust may not know.
const WORDS: &str = "→ the least, or the simplest within 2 % of it · rayon: a pool of threads for CPU work \
    · tasks + processes: tasks wait, worker processes compute";

/// All that a run has to say.
pub(crate) struct Seen {
    pub(crate) host: Host,
    /// With the CPUs that are free now.
    pub(crate) now: Costs,
    /// As they were taken for the predictions.
    pub(crate) costs: Costs,
    pub(crate) python: Python,
    pub(crate) rust: Vec<Forecast>,
    pub(crate) ran: Option<Ran>,
    pub(crate) trial: Option<Trial>,
}

impl Seen {
    /// The document of `--json`.
    pub(crate) fn document(&self, job: &Job) -> Value {
        let python = |language| {
            let forecasts = forecasts(job, &self.python.costs, language);
            let best = advice::best(&forecasts, job);
            json!({
                "has_gil": language == Language::PythonWithGil, "ways": forecasts, "use": best.map(|best| best.way),
                "class": best.map(|best| class(best, job)),
                "advice": advice::sentences(&forecasts, job),
            })
        };
        let best = advice::best(&self.rust, job);
        let (version, has_gil) = self.python.version.clone().unzip();
        json!({
            "schema": SCHEMA, "host": self.host, "job": job, "costs": self.costs.document(), "ways": self.rust,
            "use": best.map(|best| best.way),
            "advice": advice::sentences(&self.rust, job),
            "python": {
                "version": version, "has_gil": has_gil, "costs": self.python.costs.document(),
                "each": PYTHONS.map(python),
            },
            "run": self.ran.as_ref().map(|ran| json!({ "seen": ran, "reading": ran.reading() })),
            "try": self.trial,
        })
    }

    /// The screen.
    pub(crate) fn lines(&self, job: &Job, width: usize) -> String {
        let machine = self.host.cpus_in_words();
        let mut lines = vec![format!("\nlab-advise · which way for my job?\n{machine}\n")];
        let ran = self.ran.iter();
        let ran = ran.flat_map(|ran| [ran.end(), ran.figures(), ran.conclusions()]);
        lines.extend(ran.map(|line| wrap(&line, width, 2)));
        lines.push(wrap(&described(job), width, 2));
        lines.push(wrap(&self.costs_in_words(), width, 2));
        lines.push(wrap(&self.cpus_in_words(job), width, 2));
        lines.push(format!("\n{}", self.table(job, width).trim_end()));
        lines.push(wrap(WORDS, width, 2) + "\n");
        lines.push(labelled("USE", &advice::sentences(&self.rust, job), width));
        lines.extend(self.python_in_words(job, width));
        lines.extend(self.trial.iter().map(|trial| tried(trial, job, width)));
        lines.join("\n")
    }

    fn python_in_words(&self, job: &Job, width: usize) -> Vec<String> {
        let costs_of = match &self.python.version {
            Some((version, has_gil)) => {
                let a = if *has_gil { "a" } else { "no" };
                format!("with what {version}, which has {a} GIL, costs here:")
            }
            None => "no `python3` answers; with what Rust costs here:".into(),
        };
        let mut lines = vec![labelled("Python", &costs_of, width)];
        for (label, language) in ["  a GIL", "  no GIL"].into_iter().zip(PYTHONS) {
            let forecasts = forecasts(job, &self.python.costs, language);
            let words = match advice::best(&forecasts, job) {
                Some(best) => {
                    let (class, time) = (class(best, job), advice::ranged(best));
                    format!("{class}: {time}, limited by {}", best.limited_by)
                }
                None => advice::sentences(&forecasts, job),
            };
            lines.push(labelled(label, &words, width));
        }
        lines
    }

    fn costs_in_words(&self) -> String {
        let of = |(what, price)| {
            let time = seconds_f64(self.costs.price(price, MIDDLE));
            format!("{what} {time}")
        };
        let costs = [
            ("thread", Price::Thread),
            ("task", Price::Task),
            ("first process", Price::Pool),
            ("each more", Price::Process),
            ("handoff to a process", Price::Handoff),
            ("MiB", Price::Mib),
            ("a thread wakes late by", Price::ThreadLate),
            ("a task by", Price::TaskLate),
        ];
        let measured = seconds_f64(self.costs.measured_in_s);
        format!("measured now, in {measured}: {}", costs.map(of).join(" · "))
    }

    /// How many CPUs the predictions take as free, and what those that are free now make of the best.
    fn cpus_in_words(&self, job: &Job) -> String {
        let [taken, free] = [&self.costs, &self.now].map(|costs| costs.free(MIDDLE));
        if taken == free {
            return format!("predicted with the CPUs that are free now: {free:.1}");
        }
        let change = advice::best(&self.rust, job).map(|best| {
            let now_s = model::time(job, &self.now, best.way, best.at_once);
            let [then, now] = [best.predicted_s, now_s].map(seconds_f64);
            match then == now {
                true => " nothing changes".to_owned(),
                false => format!(" {} {now} instead of {then}", best.way.name()),
            }
        });
        let change = change.unwrap_or_default();
        format!(
            "predicted with all {taken} CPUs free; with the {free:.1} that are free now:{change}"
        )
    }

    fn table(&self, job: &Job, width: usize) -> String {
        let best = advice::best(&self.rust, job).map(|best| best.way);
        // On a narrow screen there is no room for the last; the sentences have that of the best.
        let columns = if width < 72 { 4 } else { 5 };
        let row = |one: &Forecast| {
            let mark = match best == Some(one.way) {
                true => "→",
                false if one.why_not.is_some() => "✗",
                false => " ",
            };
            let mut row = vec![
                format!("{mark} {}", one.way.name()),
                count(one.at_once as u64),
                seconds_f64(one.predicted_s),
                one.why_not
                    .map_or_else(|| one.limited_by.clone(), Into::into),
                advice::range(one),
            ];
            row.truncate(columns);
            row
        };
        let rows = self.rust.iter().map(row).collect();
        let headings = ["  way", "at once", "predicted", "limited by", "range"];
        table(&headings[..columns], rows, &[0, 3], width)
    }
}

/// How wrong the predictions were, and whether the advice stands.
fn tried(trial: &Trial, job: &Job, width: usize) -> String {
    let title = format!(
        "{} rounds, taking turns, CPUs free: {:.1}; the median:",
        trial.rounds, trial.free_cpus
    );
    let row = |one: &Tried| {
        let [predicted, took] = [one.predicted_s, one.took_s].map(seconds_f64);
        let off = percent(one.error.abs());
        let off = match one.error {
            error if error.abs() < 0.005 => "right".into(),
            error if error > 0.0 => format!("{off} too long"),
            _ => format!("{off} too short"),
        };
        let all = count(job.items as u64);
        let items = match one.with_items {
            Some(some) => format!("{} of {all}, scaled up", count(some as u64)),
            None => all,
        };
        vec![format!("  {}", one.way.name()), items, predicted, took, off]
    };
    let rows = trial.ways.iter().map(row).collect();
    let headings = ["  tried", "items", "predicted", "took", "prediction"];
    let rows = table(&headings, rows, &[0, 1, 4], width);
    let title = labelled("Tried", &title, width);
    let verdict = labelled("", &verdict(trial), width);
    format!("\n{title}\n{}\n{verdict}", rows.trim_end())
}

/// Which way was the fastest, and what that makes of the advice.
fn verdict(trial: &Trial) -> String {
    let advised = &trial.ways[0];
    let took = |way| trial.ways.iter().find(|one| one.way == way);
    let least = took(trial.fastest).map_or(0.0, |one| one.took_s);
    let first = format!(
        "In the trial {} took least: {}.",
        trial.fastest.name(),
        seconds_f64(least)
    );
    let against = format!(
        "{} took {}",
        advised.way.name(),
        seconds_f64(advised.took_s)
    );
    match trial.stands {
        true if trial.fastest == advised.way => format!("{first} The advice stands."),
        true => format!("{first} The advice stands: {against}, no more than a tenth longer."),
        false => format!("{first} Here the advice does not stand: {against}."),
    }
}

/// The job in words.
fn described(job: &Job) -> String {
    let [wait, cpu] = [job.wait_s, job.cpu_s].map(seconds_f64);
    let does = match (job.wait_s > 0.0, job.cpu_s > 0.0) {
        (true, true) => format!("waits {wait} and computes {cpu}"),
        (true, false) => format!("waits {wait}"),
        _ => format!("computes {cpu}"),
    };
    let items = count(job.items as u64);
    let mut words = format!("items: {items}, each {does}");
    if job.bytes_in + job.bytes_out > 0 {
        let [given, back] = [job.bytes_in, job.bytes_out].map(|size| bytes(size as f64));
        words += &format!(", {given} in and {back} out");
    }
    if let Some(limit) = job.limit {
        words += &format!(", at most {} in flight", count(limit as u64));
    }
    if job.crash {
        words += ", a crash must be contained";
    }
    words
}

/// A text behind a word that stands in front of it.
fn labelled(label: &str, text: &str, width: usize) -> String {
    let text = wrap(text, width, 11);
    format!("{label:<11}{}", text.trim_start())
}
