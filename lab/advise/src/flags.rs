//! The flags, and the questions where none was given.

use clap::{CommandFactory, Parser};
use common::{
    cli::{Usage, up_to, within},
    report::wrap,
};
use lab_advise::job::{Job, Tool, parse_bytes, parse_time};
use std::{
    env,
    io::{self, BufRead, IsTerminal, Write},
    num::NonZeroUsize,
    time::Duration,
};

/// The most items that are asked about.
const MOST: usize = 1_000_000;

/// Which way for a job of your own: threads, tasks, processes, or one by one
///
/// Describe a job of many items that are alike: each first waits, then computes. What threads, tasks and processes
/// cost is measured on this machine, now; from that, the time of each way is predicted, for Rust and for Python.
/// Without a flag it asks.
#[derive(Parser, Debug)]
#[command(name = "cargo run -- advise", bin_name = "cargo run -- advise")]
pub(crate) struct Args {
    /// How many items, 1 to 1,000,000
    #[arg(long, value_name = "N", value_parser = up_to::<MOST>)]
    items: Option<NonZeroUsize>,

    /// How long each item waits, as for a server: 50ms, 1.5s
    #[arg(long, value_name = "TIME", value_parser = parse_time, allow_hyphen_values = true)]
    wait: Option<f64>,

    /// How long each item keeps a CPU busy: 2ms
    #[arg(long, value_name = "TIME", value_parser = parse_time, allow_hyphen_values = true)]
    cpu: Option<f64>,

    /// Bytes that each item is given: 200, 64k, 1MiB
    #[arg(long, value_name = "BYTES", value_parser = parse_bytes, default_value = "0", allow_hyphen_values = true)]
    bytes_in: usize,

    /// Bytes that each item gives back
    #[arg(long, value_name = "BYTES", value_parser = parse_bytes, default_value = "0", allow_hyphen_values = true)]
    bytes_out: usize,

    /// An item may crash, which must cost the others nothing
    #[arg(long)]
    crash: bool,

    /// The most items in flight, as a server allows, 1 to 100,000
    #[arg(long, value_name = "N", value_parser = up_to::<100_000>)]
    limit: Option<NonZeroUsize>,

    /// What is at hand
    #[arg(
        long,
        value_name = "TOOLS",
        value_delimiter = ',',
        default_value = "threads,async,processes"
    )]
    with: Vec<Tool>,

    /// Run a command once, and advise about what it does: 'python3 job.py'; --items says how many it does
    #[arg(long, value_name = "COMMAND", conflicts_with_all = ["wait", "cpu"])]
    pub(crate) run: Option<String>,

    /// Kill the command of --run after this time
    #[arg(long, value_name = "TIME", value_parser = parse_time, default_value = "60s", allow_hyphen_values = true)]
    run_limit: f64,

    /// Do a job of that shape in the two best ways and the worst, and say how wrong the prediction was
    #[arg(long = "try")]
    pub(crate) tries: bool,

    /// Predict with the CPUs that are free now, not with all of them
    #[arg(long, conflicts_with_all = ["table", "grid"])]
    pub(crate) now: bool,

    /// Instead of a job: what to use when, with the figures of this machine
    #[arg(long, conflicts_with_all = ["items", "wait", "cpu", "run", "tries", "grid"])]
    pub(crate) table: bool,

    /// Instead of a job: predict and do so many jobs in every way, and say how wrong it was; 100 take minutes
    #[arg(long, value_name = "N", value_parser = up_to::<1000>,
          conflicts_with_all = ["items", "wait", "cpu", "run", "tries"])]
    pub(crate) grid: Option<NonZeroUsize>,

    /// What the jobs of --grid are drawn by
    #[arg(long, value_name = "N", default_value_t = 42, value_parser = within(0..=u64::MAX), requires = "grid")]
    pub(crate) seed: u64,

    /// Print one JSON document, and nothing else
    #[arg(long)]
    pub(crate) json: bool,

    /// Draw and write in plain ASCII
    #[arg(long)]
    pub(crate) ascii: bool,

    /// Draw for this many columns, 50 to 200, whatever the terminal is
    #[arg(long, value_name = "COLUMNS", value_parser = within::<u16>(50..=200))]
    pub(crate) width: Option<u16>,
}

/// What is asked, and the usual answer; its words are no value but stand for no flag.
const QUESTIONS: [(&str, &str); 7] = [
    ("items", "100"),
    ("wait", "50ms"),
    ("cpu", "0"),
    ("bytes-in", "0"),
    ("bytes-out", "0"),
    ("crash", "no"),
    ("limit", "all"),
];

impl Args {
    /// With the answers to what no flag says, where somebody is there to answer.
    pub(crate) fn asked(self, width: usize) -> Result<Self, Usage> {
        let is_described = self.items.is_some() || self.wait.is_some() || self.cpu.is_some();
        let questions = match self.run {
            Some(_) => &QUESTIONS[..1],
            None => &QUESTIONS[..],
        };
        let is_answered = io::stdin().is_terminal() && !self.json;
        if is_described || !is_answered || self.table || self.grid.is_some() {
            return Ok(self);
        }
        let words = env::args().collect();
        let (input, prompts) = (&mut io::stdin().lock(), &mut io::stderr());
        ask(questions, words, width, input, prompts)
    }

    /// The time that a command may take.
    pub(crate) fn run_limit(&self) -> Duration {
        Duration::from_secs_f64(self.run_limit)
    }

    /// How many items the command does.
    pub(crate) fn items_of_the_command(&self) -> Result<usize, Usage> {
        let question = "how many items does the command do? give --items N";
        let items = self.items.ok_or_else(|| Usage(question.into()))?;
        Ok(items.get())
    }

    /// The job that is described.
    pub(crate) fn job(&self) -> Result<Job, Usage> {
        let Some(items) = self.items else {
            let flags =
                "give --items N with --wait TIME or --cpu TIME, or --run COMMAND; try --help";
            return Err(Usage(format!("which job? {flags}")));
        };
        let (wait_s, cpu_s) = (self.wait.unwrap_or(0.0), self.cpu.unwrap_or(0.0));
        if wait_s + cpu_s == 0.0 {
            let flags = "give --wait TIME, --cpu TIME or both, such as --wait 50ms";
            return Err(Usage(format!("what does an item do? {flags}")));
        }
        Ok(self.job_of(items.get(), wait_s, cpu_s))
    }

    /// A job of such items, all else as the flags say.
    pub(crate) fn job_of(&self, items: usize, wait_s: f64, cpu_s: f64) -> Job {
        Job {
            bytes_in: self.bytes_in,
            bytes_out: self.bytes_out,
            crash: self.crash,
            limit: self.limit.map(NonZeroUsize::get),
            with: self.with.clone(),
            ..Job::new(items, wait_s, cpu_s)
        }
    }
}

/// Asks what the flags are for, each until its answer is a value; an empty answer is the one in brackets.
fn ask(
    questions: &[(&str, &str)],
    mut words: Vec<String>,
    width: usize,
    input: &mut impl BufRead,
    prompts: &mut impl Write,
) -> Result<Args, Usage> {
    let mut say = |text: &str, end| {
        // Standard error holds nothing back; where nobody reads the prompt, nobody answers either.
        let _ = write!(prompts, "{}{end}", wrap(text, width, 0));
    };
    for (flag, usual) in questions {
        loop {
            say(&format!("{} [{usual}]", help(flag)), " ");
            let mut line = String::new();
            if input.read_line(&mut line).unwrap_or(0) == 0 {
                let flags = "give flags instead, such as --items 100 --wait 50ms";
                return Err(Usage(format!("no answer; {flags}")));
            }
            words.push(match line.trim() {
                "no" | "all" => break,
                "" if ["no", "all"].contains(usual) => break,
                "" => format!("--{flag}={usual}"),
                "yes" => format!("--{flag}"),
                text => format!("--{flag}={text}"),
            });
            let Err(error) = Args::try_parse_from(&words) else {
                break;
            };
            words.pop();
            let error = match *usual {
                "no" => "yes or no?".to_owned(),
                _ => error.to_string(),
            };
            say(error.lines().next().unwrap_or_default(), "\n");
        }
    }
    Args::try_parse_from(&words).map_err(|error| Usage(error.to_string()))
}

/// What `--help` says of a flag.
fn help(flag: &str) -> String {
    let command = Args::command();
    let mut all = command.get_arguments();
    let found = all.find(|argument| argument.get_long() == Some(flag));
    found
        .and_then(|it| it.get_help())
        .map_or_else(String::new, ToString::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(answers: &str) -> (Result<Job, Usage>, String) {
        let mut prompts = Vec::new();
        let args = ask(
            &QUESTIONS,
            vec!["advise".into()],
            80,
            &mut answers.as_bytes(),
            &mut prompts,
        );
        let job = args.and_then(|args| args.job());
        (job, String::from_utf8(prompts).expect("UTF-8"))
    }

    #[test]
    fn an_empty_answer_is_the_usual_one_and_a_wrong_one_is_asked_for_again() {
        let (job, prompts) = asked("many\n20\n\n2ms\n\n\nmaybe\nyes\n5\n");
        let expected = Job {
            crash: true,
            limit: Some(5),
            ..Job::new(20, 0.05, 0.002)
        };
        assert_eq!(job.ok(), Some(expected));
        assert!(prompts.contains("not a whole number from 1"), "{prompts}");
        assert_eq!(prompts.matches("How many items").count(), 2);
        assert_eq!(prompts.matches("yes or no?").count(), 1);
        let (job, _) = asked(&"\n".repeat(7));
        assert_eq!(job.ok(), Some(Job::new(100, 0.05, 0.0)));
    }

    #[test]
    fn questions_without_an_answer_end() {
        let (job, _) = asked("20\n");
        assert!(job.is_err_and(|usage| usage.0.contains("--items")));
    }
}
