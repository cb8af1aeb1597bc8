//! What to use when: a few typical jobs, filled with the figures of this machine.

use crate::{
    Costs, Job,
    advice::Advised,
    model::{Language, PYTHONS},
    python::Python,
};
use common::{
    format::{count, seconds_f64},
    report::TableReport,
};

const HEADINGS: [&str; 6] = [
    "job",
    "in Rust",
    "predicted",
    "in Python",
    "without a GIL",
    "one by one",
];

/// The table for this machine, with what things cost now, for costs with all its CPUs free.
pub fn table(rust: &Costs, python: &Python) -> TableReport {
    let mut limited = Job::new(1000, 0.1, 0.0);
    limited.limit = Some(5);
    let mut crashing = Job::new(100, 0.0, 0.05);
    crashing.crash = true;
    let jobs = [
        ("10 × 1 s wait", Job::new(10, 1.0, 0.0)),
        ("10,000 × 1 s wait", Job::new(10_000, 1.0, 0.0)),
        ("1,000 × 0.1 s wait, limit 5", limited),
        ("8 × 1 s CPU", Job::new(8, 0.0, 1.0)),
        ("10,000 × 1 ms CPU", Job::new(10_000, 0.0, 1e-3)),
        ("100 × 1 µs CPU", Job::new(100, 0.0, 1e-6)),
        ("1,000 × 50 ms wait, 5 ms CPU", Job::new(1000, 0.05, 0.005)),
        ("100 × 50 ms CPU, may crash", crashing),
    ];
    let free = match rust.cpus {
        1 => "its one CPU".to_owned(),
        cpus => format!("all its {cpus} CPUs"),
    };
    let note = format!(
        "Predicted from what threads, tasks and processes cost on this machine, now, with {free} free; for a job of \
         your own: `cargo run -- advise`"
    );
    TableReport {
        title: "What to use when".into(),
        headings: HEADINGS.map(String::from).to_vec(),
        rows: jobs
            .map(|(name, job)| row(name, &job, rust, python))
            .to_vec(),
        text_columns: vec![0, 1, 3, 4],
        notes: vec![note],
    }
}

fn row(name: &str, job: &Job, costs: &Costs, python: &Python) -> Vec<String> {
    let rust = Advised::new(job, costs, Language::Rust);
    let best = rust.best().expect("everything is at hand");
    let use_of = match best.at_once {
        1 => best.way.name().to_owned(),
        at_once => format!("{}, {}", best.way.name(), count(at_once as u64)),
    };
    let [time, alone] = [best, &rust.ways[0]].map(|one| seconds_f64(one.predicted_s));
    let [with_gil, without] = PYTHONS.map(|language| {
        let advised = Advised::new(job, &python.costs, language);
        advised.class.expect("everything is at hand")
    });
    vec![name.to_owned(), use_of, time, with_gil, without, alone]
}
