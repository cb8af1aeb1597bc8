//! Shows the race repaired in four ways, and what an increment costs in each.

mod claims;
mod flags;

use common::{
    Bound, Lab, Step, Tally,
    claim::{Count, Figure},
    format,
};
use flags::CountArgs;
use lab_07_locks::{
    Plan, count_losing_updates, count_sequential, count_with_fetch_add, count_with_mutex,
    queue::{Signal, sum_through_queue},
    sum_at_the_end,
};
use std::process::ExitCode;

const STEP: Step = Step {
    package: env!("CARGO_PKG_NAME"),
    mirrors: &["lab/07_lock_fixed_demo.py"],
    question: "lock and queue: what makes the count right, and at what cost?",
    why: "A lock lets one worker at a time into the critical section: load, add and store become one \
          step for everybody else, and whoever comes meanwhile waits. An atomic addition is that one \
          step in hardware, though the CPUs still pass the counter back and forth. A counter for each worker \
          needs neither: only the shares are brought together, by a join or through a queue, \
          and a share that was sent belongs to the receiver alone.",
    remember: "A lock lets one thread in at a time: always right, never free. Cheapest is not to \
              share: count alone, add up once at the end.",
    predict: (
        "8 threads instead of 2: which of the costs grow?",
        "cargo run -p lab-07-locks -- --threads 8",
    ),
    sources: common::sources!["lib.rs", "queue.rs"],
};

/// A variant's name and what it runs.
type Way = (&'static str, fn(Plan) -> u64);

/// The variants that take turns, in the order of the story.
const TAKING_TURNS: [Way; 5] = [
    ("sequential", count_sequential),
    ("racy", count_losing_updates),
    ("Mutex", count_with_mutex),
    ("fetch_add", count_with_fetch_add),
    ("sum at the end", sum_at_the_end),
];

fn main() -> ExitCode {
    STEP.run(&[], demonstrate)
}

fn demonstrate(args: &CountArgs, lab: &mut Lab) -> anyhow::Result<()> {
    let (plan, rounds) = (args.plan()?, args.rounds.rounds.get());
    let (workers, each) = (plan.threads.get(), format::count(plan.increments));
    lab.say(format!(
        "{workers} × {each} increments; rounds: {rounds}, the variants taking turns …"
    ));
    let mut got: [Vec<u64>; TAKING_TURNS.len()] = Default::default();
    let mut counted = Vec::new();
    for _ in 0..rounds {
        counted.clear();
        for ((name, work), got) in TAKING_TURNS.into_iter().zip(&mut got) {
            let workers = if name == "sequential" { 1 } else { workers };
            let variant = lab.variant(name).bound(Bound::Work { workers });
            got.push(variant.run_counted(|| Ok(work(plan)), |_| tally(plan))?);
            counted.push(note(lab, name, plan, got[got.len() - 1]));
        }
    }
    for ((name, _), got) in TAKING_TURNS.iter().zip(got) {
        say_middle(lab, name, plan, &got);
    }
    let queue = count_through_queue(lab, plan)?;
    let [_, racy, mutex, fetch_add, sum] = <[_; 5]>::try_from(counted).expect("five take turns");
    claims::claim(lab, plan, racy, [mutex, fetch_add, sum, queue]);
    Ok(())
}

fn tally(plan: Plan) -> Tally {
    Tally::all_done(plan.expected() as usize)
}

/// What a variant counted in this round, and what it lost.
type Counted = (Figure<Count>, Figure<Count>);

fn note(lab: &mut Lab, name: &str, plan: Plan, got: u64) -> Counted {
    let lost = plan.expected().saturating_sub(got) as usize;
    let counted = lab.count(name, "counted", got as usize);
    (counted, lab.count(name, "lost_updates", lost))
}

/// Prints the round with the middle time, the lower of two, and its cost per increment.
fn say_middle(lab: &Lab, name: &str, plan: Plan, got: &[u64]) {
    let walls = lab.walls(name);
    let mut rounds: Vec<(&f64, &u64)> = walls.iter().zip(got).collect();
    rounds.sort_by(|a, b| a.0.total_cmp(b.0));
    let (wall, got) = rounds[(rounds.len() - 1) / 2];
    let each = format::seconds_f64(wall / plan.expected() as f64);
    lab.note_beside(
        name,
        match plan.expected().saturating_sub(*got) {
            0 => format!("right, {each} each"),
            lost => format!("{} lost", format::count(lost)),
        },
    );
    lab.say(line(name, plan, *got));
}

fn line(name: &str, plan: Plan, got: u64) -> String {
    let (expected, got) = (format::count(plan.expected()), format::count(got));
    let width = expected.len();
    format!("  {name:<14}  Expected: {expected}, Got: {got:>width$}")
}

/// Prints each worker's signal as it comes; the time is therefore not compared.
fn count_through_queue(lab: &mut Lab, plan: Plan) -> anyhow::Result<Counted> {
    lab.say("queue: each worker counts alone, then hands over its share …");
    let screen = lab.screen();
    let hear = |signal: &Signal| {
        let (worker, share) = (signal.worker, format::count(signal.share));
        screen.say(format!("  worker {worker}: done, {share} increments"));
    };
    let workers = plan.threads.get();
    let variant = lab
        .variant("queue")
        .other_work()
        .bound(Bound::Work { workers });
    let got = variant.run_counted(|| Ok(sum_through_queue(plan, hear)), |_| tally(plan))?;
    lab.say(line("queue", plan, got));
    Ok(note(lab, "queue", plan, got))
}
