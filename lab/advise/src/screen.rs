//! What was measured and predicted, for the screen and as JSON.

use common::{
    format::{bytes, count, counted, percent, seconds_f64},
    host::Host,
    report::{table, wrap},
};
use lab_advise::{
    Costs, Forecast, Job,
    advice::Advised,
    command::Ran,
    costs::{MIDDLE, Price},
    model,
    python::Python,
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
    pub(crate) job: Job,
    pub(crate) host: Host,
    /// With the CPUs that are free now.
    pub(crate) now: Costs,
    /// As they were taken for the predictions.
    pub(crate) costs: Costs,
    pub(crate) python: Python,
    pub(crate) rust: Advised,
    pub(crate) pythons: [Advised; 2],
    pub(crate) ran: Option<Ran>,
    pub(crate) trial: Option<Trial>,
}

impl Seen {
    /// The document of `--json`.
    pub(crate) fn document(&self) -> Value {
        let (version, has_gil) = self.python.version.clone().unzip();
        json!({
            "schema": SCHEMA, "host": self.host, "job": self.job, "costs": self.costs.document(),
            "ways": self.rust.ways, "use": self.rust.way, "advice": self.rust.advice,
            "python": {
                "version": version, "has_gil": has_gil, "costs": self.python.costs.document(), "each": self.pythons,
            },
            "run": self.ran.as_ref().map(|ran| json!({ "seen": ran, "reading": ran.reading() })),
            "try": self.trial,
        })
    }

    /// The screen.
    pub(crate) fn lines(&self, width: usize) -> String {
        let machine = self.host.cpus_in_words();
        let mut lines = vec![format!("\nlab-advise · which way for my job?\n{machine}\n")];
        let ran = self.ran.iter();
        let ran = ran.flat_map(|ran| [ran.end(), ran.figures(), ran.conclusions()]);
        let measured = [
            described(&self.job),
            self.costs_in_words(),
            self.cpus_in_words(),
        ];
        lines.extend(ran.chain(measured).map(|line| wrap(&line, width, 2)));
        lines.push(format!("\n{}", self.table(width).trim_end()));
        lines.push(wrap(WORDS, width, 2) + "\n");
        lines.push(labelled("USE", &self.rust.advice, width));
        let costs_of = match &self.python.version {
            Some((version, has_gil)) => {
                let a = if *has_gil { "a" } else { "no" };
                format!("with what {version}, which has {a} GIL, costs here:")
            }
            None => "no `python3` answers; with what Rust costs here:".into(),
        };
        lines.push(labelled("Python", &costs_of, width));
        for (label, python) in ["  a GIL", "  no GIL"].into_iter().zip(&self.pythons) {
            let words = match python.best().zip(python.class.as_ref()) {
                Some((best, class)) => {
                    format!("{class}: {}, limited by {}", best.ranged(), best.limited_by)
                }
                None => python.advice.clone(),
            };
            lines.push(labelled(label, &words, width));
        }
        lines.extend(self.trial.iter().map(|trial| tried(trial, width)));
        lines.join("\n")
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
    fn cpus_in_words(&self) -> String {
        let [taken, free] = [&self.costs, &self.now].map(|costs| costs.free(MIDDLE));
        if taken == free {
            return format!("predicted with the CPUs that are free now: {free:.1}");
        }
        let change = self.rust.best().map_or_else(String::new, |best| {
            let now_s = model::time(&self.job, &self.now, best.way, best.at_once);
            let [then, now] = [best.predicted_s, now_s].map(seconds_f64);
            match then == now {
                true => " nothing changes".to_owned(),
                false => format!(" {} {now} instead of {then}", best.way.name()),
            }
        });
        format!(
            "predicted with all {taken} CPUs free; with the {free:.1} that are free now:{change}"
        )
    }

    fn table(&self, width: usize) -> String {
        // On a narrow screen there is no room for the last; the sentences have that of the best.
        let columns = if width < 72 { 4 } else { 5 };
        let row = |one: &Forecast| {
            let mark = match self.rust.way == Some(one.way) {
                true => "→",
                false if one.why_not.is_some() => "✗",
                false => " ",
            };
            let mut row = vec![
                format!("{mark} {}", one.way.name()),
                count(one.at_once as u64),
                seconds_f64(one.predicted_s),
                one.why_not.unwrap_or(&one.limited_by).to_owned(),
                one.range(),
            ];
            row.truncate(columns);
            row
        };
        let rows = self.rust.ways.iter().map(row).collect();
        let headings = ["  way", "at once", "predicted", "limited by", "range"];
        table(&headings[..columns], rows, &[0, 3], width)
    }
}

/// How wrong the predictions were, and whether the advice stands.
fn tried(trial: &Trial, width: usize) -> String {
    let all = count(trial.compared.job.items as u64);
    let rounds = counted(trial.compared.rounds, "round");
    let title = format!(
        "{rounds}, taking turns, CPUs free: {:.1}; the median:",
        trial.free_cpus
    );
    let row = |one: &Tried| {
        let [predicted, took] = [one.predicted_s, one.took_s].map(seconds_f64);
        let off = percent(one.error.abs());
        let off = match one.error {
            error if error.abs() < 0.005 => "right".into(),
            error if error > 0.0 => format!("{off} too long"),
            _ => format!("{off} too short"),
        };
        let items = one.with_items.map_or_else(
            || all.clone(),
            |some| format!("{} of {all}, scaled up", count(some as u64)),
        );
        vec![format!("  {}", one.way.name()), items, predicted, took, off]
    };
    let rows = trial.compared.ways.iter().map(row).collect();
    let headings = ["  tried", "items", "predicted", "took", "prediction"];
    let rows = table(&headings, rows, &[0, 1, 4], width);
    let title = labelled("Tried", &title, width);
    let verdict = labelled("", &verdict(trial), width);
    format!("\n{title}\n{}\n{verdict}", rows.trim_end())
}

/// Which way was the fastest, and what that makes of the advice.
fn verdict(trial: &Trial) -> String {
    let took = |way| {
        let mut ways = trial.compared.ways.iter();
        let one = ways.find(|one| one.way == way);
        seconds_f64(one.map_or(0.0, |one| one.took_s))
    };
    let (fastest, named) = (trial.compared.fastest, trial.compared.named);
    let against = format!("{} took {}", named.name(), took(named));
    let verdict = match trial.stands {
        true if fastest == named => "The advice stands.".into(),
        true => format!("The advice stands: {against}, no more than a tenth longer."),
        false => format!("Here the advice does not stand: {against}."),
    };
    let (name, least) = (fastest.name(), took(fastest));
    format!("In the trial {name} took least: {least}. {verdict}")
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
