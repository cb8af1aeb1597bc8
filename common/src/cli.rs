//! The flags that every step has, the groups that some share, and one line for a bad value.

use crate::question::CLASS;
use clap::{ColorChoice, Parser};
use process_pool::child::{self, Role};
pub use report::print_error;
use serde::{Serialize, Serializer};
use std::{
    fmt::{self, Display},
    num::NonZeroUsize,
    ops::RangeInclusive,
    path::PathBuf,
    process::ExitCode,
    str::FromStr,
    time::Duration,
};

/// The most workers that `--workers` takes: past this a small machine only suffers.
pub const WORKERS_LIMIT: usize = 512;

/// What a run says that ends because a thread was refused.
pub(crate) const NO_THREAD: &str =
    "the system starts no more threads; ask for fewer, or raise `ulimit -u` or `ulimit -v`";

/// The flags that every step has.
#[derive(clap::Args, Clone, Debug, Default)]
#[command(next_help_heading = "Every step")]
pub struct CommonArgs {
    /// Print everything that was measured, before the screen that sums it up
    #[arg(long)]
    pub verbose: bool,

    /// Print one JSON document with everything measured, and nothing else
    #[arg(long)]
    pub json: bool,

    /// Write the timeline to FILE in the Chrome trace format; opens in Perfetto
    #[arg(long, value_name = "FILE")]
    pub trace: Option<PathBuf>,

    /// Record what is shown to FILE as an asciicast, with a marker per variant; asciinema plays it
    #[arg(long, value_name = "FILE", conflicts_with = "json")]
    pub cast: Option<PathBuf>,

    /// Let --cast overwrite a file
    #[arg(long, requires = "cast")]
    pub force: bool,

    /// Write everything as one HTML page to FILE; opens in any browser, without a network
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,

    /// The seed of everything random; the same seed gives the same run
    #[arg(long, value_name = "N", default_value_t = 42, value_parser = within(0..=u64::MAX))]
    pub seed: u64,

    /// Draw everything for this many columns, 50 to 200, whatever the terminal is
    #[arg(long, value_name = "COLUMNS", value_parser = within::<u16>(50..=200))]
    pub width: Option<u16>,

    /// When to use colour; auto: on a terminal, unless `NO_COLOR` says otherwise
    #[arg(long, value_name = "WHEN", default_value_t, value_enum)]
    pub color: ColorChoice,

    /// Draw and write in plain ASCII, as on a dumb terminal
    #[arg(long)]
    pub ascii: bool,

    /// Wait for Enter after each variant and before the report; r runs it again, s skips the next, q quits
    #[arg(long)]
    pub pause: bool,

    /// Guess before you see: asks the step's question, takes `A` as the answer, or counts the hands of a `class`
    #[arg(long, value_name = "ANSWER", num_args = 0..=1, default_missing_value = "", value_parser = parse_guess)]
    pub predict: Option<String>,

    /// Clear the screen first, for recording
    #[arg(long)]
    pub clear: bool,
}

/// How often the variants are repeated, taking turns.
#[derive(clap::Args, Clone, Copy, Debug, Serialize)]
pub struct RoundsArgs {
    /// Run all variants this often, taking turns; the middle run is shown, with the spread
    #[arg(long, value_name = "N", default_value = "3", value_parser = up_to::<1000>)]
    pub rounds: NonZeroUsize,
}

/// A wrong use of the program that only shows after its flags are known; exit code 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Usage(pub String);

/// Refuses more than `most` increments by all threads in all `repeats`: such a run would take minutes.
///
/// # Errors
/// It is more.
pub fn increments_up_to(
    most: u64,
    threads: NonZeroUsize,
    increments: NonZeroUsize,
    (repeats, times): (&str, NonZeroUsize),
) -> Result<(), Usage> {
    let factors = [threads, increments, times].into_iter();
    let all = factors.map(|count| count.get() as u64).product();
    if all <= most {
        return Ok(());
    }
    let [all, most] = [all, most].map(report::format::count);
    Err(Usage(format!(
        "`--threads {threads} --increments {increments} {repeats} {times}` is {all} increments, \
         more than {most}; lower one of the three"
    )))
}

/// A number of seconds on the command line, fractions allowed: `1`, `0.2`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Seconds(#[serde(serialize_with = "in_seconds")] pub Duration);

impl FromStr for Seconds {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        seconds(0.0..=3600.0)(text)
    }
}

impl Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.as_secs_f64())
    }
}

/// Parses a number in a range, which the error names.
pub fn within<T>(range: RangeInclusive<T>) -> impl Fn(&str) -> Result<T, String> + Clone
where
    T: FromStr + PartialOrd + Display + Clone,
{
    move |text| {
        let number = text.parse().ok().filter(|number| range.contains(number));
        let bad = || format!("not a number from {} to {}", range.start(), range.end());
        number.ok_or_else(bad)
    }
}

/// Parses a whole number from 1 to `LIMIT`; groups of three digits may be set apart by `_` or `,`.
///
/// # Errors
/// Anything else, with the range.
pub fn up_to<const LIMIT: usize>(text: &str) -> Result<NonZeroUsize, String> {
    let count: Option<NonZeroUsize> = text.replace(['_', ','], "").parse().ok();
    // `1,5` is a fraction where a comma is a point.
    let is_whole = |count: &NonZeroUsize| {
        let grouped = report::format::count(count.get() as u64);
        text == count.to_string() || text.replace('_', ",") == grouped
    };
    let count = count.filter(|count| count.get() <= LIMIT && is_whole(count));
    count.ok_or_else(|| format!("not a whole number from 1 to {LIMIT}"))
}

/// Parses seconds in a range, which the error names.
pub fn seconds(range: RangeInclusive<f64>) -> impl Fn(&str) -> Result<Seconds, String> + Clone {
    let parse = within(range);
    move |text| parse(text).map(|it| Seconds(Duration::from_secs_f64(it)))
}

/// Parses what `--predict` is given: the letter of an answer, `class`, or nothing.
fn parse_guess(text: &str) -> Result<String, String> {
    let is_letter = matches!(text.as_bytes(), [] | [b'a'..=b'f' | b'A'..=b'F']);
    let answer = (is_letter || text == CLASS).then(|| text.to_owned());
    answer.ok_or_else(|| "not a letter like A, or `class`".into())
}

fn in_seconds<S: Serializer>(value: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(value.as_secs_f64())
}

/// The command line of a step: its own flags and the common ones.
#[derive(Parser, Debug)]
#[command(version, disable_help_subcommand = true)]
pub(crate) struct CommandLine<Own: clap::Args> {
    #[command(flatten)]
    pub(crate) own: Own,
    #[command(flatten)]
    pub(crate) common: CommonArgs,
}

/// Parses the command line of a program, or answers `--help`, `--version` and bad values.
///
/// # Errors
/// The exit code to leave with: 0 after help, 2 after the one line that says what is wrong.
pub fn parse<Line: Parser>(command: clap::Command) -> Result<Line, ExitCode> {
    // What looks like another flag is a bad value, and the answer is about the value.
    let command = command.mut_args(|it| {
        let takes_values = it.get_action().takes_values();
        it.allow_negative_numbers(takes_values)
    });
    let matches = command.try_get_matches();
    let line = matches.and_then(|it| Line::from_arg_matches(&it));
    line.map_err(|error| match error.use_stderr() {
        true => {
            print_error(one_line(&error).trim_start_matches("error: "));
            ExitCode::from(2)
        }
        false => {
            // A closed pipe ends help as quietly as anything else.
            let _ = error.print();
            ExitCode::SUCCESS
        }
    })
}

/// [`parse`] for a program that is no step.
///
/// # Errors
/// As for a step: the exit code to leave with.
pub fn parse_alone<Line: Parser>() -> Result<Line, ExitCode> {
    parse(Line::command())
}

/// Serves a child's role and ends the process, if it was started in one.
pub fn enter(roles: &[&dyn Role]) {
    process_pool::note_tasks(crate::recorded::note);
    child::enter(roles);
}

/// Prints in one line why a program failed; returns its exit code.
pub fn failed(error: &anyhow::Error) -> ExitCode {
    print_error(in_one_line(error));
    exit_code(error)
}

/// 2 for a wrong use, 1 for any other failure.
pub(crate) fn exit_code(error: &anyhow::Error) -> ExitCode {
    ExitCode::from(if error.is::<Usage>() { 2 } else { 1 })
}

/// An error with its causes; many have the next cause in their own words already.
pub fn in_one_line(error: &anyhow::Error) -> String {
    let mut line = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if line.is_empty() {
            line = cause;
        } else if !line.ends_with(&cause) {
            line = format!("{line}: {cause}");
        }
    }
    // A child's panic, which says no more than that.
    match line.contains("kind: WouldBlock") {
        true => NO_THREAD.into(),
        false => line,
    }
}

/// What clap says over several lines, in one.
fn one_line(error: &clap::Error) -> String {
    let text = error.to_string();
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let is_over =
        |line: &&str| line.starts_with("Usage:") || line.starts_with("For more information");
    let kept: Vec<&str> = lines.take_while(|line| !is_over(line)).collect();
    let line = kept.join(" ").replace(" tip: ", "; ").replace('\'', "`");
    line + "; try --help"
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{CommandFactory, FromArgMatches};

    #[test]
    fn a_cause_that_was_said_is_not_said_again() {
        let full = || anyhow::anyhow!("disk full");
        let line = |error: anyhow::Error| in_one_line(&error);
        assert_eq!(
            line(full().context("cannot write")),
            "cannot write: disk full"
        );
        assert_eq!(
            line(full().context("cannot write: disk full")),
            "cannot write: disk full"
        );
    }

    #[test]
    fn seconds_take_fractions_and_refuse_what_is_no_time() {
        assert_eq!("0.2".parse(), Ok(Seconds(Duration::from_millis(200))));
        for bad in ["-1", "NaN", "inf", "1e9", "", "one"] {
            assert!(bad.parse::<Seconds>().is_err(), "{bad}");
        }
    }

    #[test]
    fn counts_start_at_one_and_end_at_the_limit() {
        assert_eq!(up_to::<512>("512").map(NonZeroUsize::get), Ok(512));
        assert_eq!(
            up_to::<10_000_000>("5_000_000").map(NonZeroUsize::get),
            Ok(5_000_000)
        );
        for bad in [
            "0", "513", "-1", "1.5", "", "+5", "1,5", "1_0", "1,,000", ",5", "5,", "1000,000",
        ] {
            assert!(up_to::<10_000_000>(bad).is_err() || bad == "513", "{bad}");
            assert!(up_to::<512>(bad).is_err(), "{bad}");
        }
        assert_eq!(up_to::<2_000>("1,234").map(NonZeroUsize::get), Ok(1_234));
    }

    #[test]
    fn a_complaint_is_one_line_with_the_value_and_a_way_out() {
        #[derive(clap::Args)]
        struct Own {
            #[arg(long, value_parser = up_to::<WORKERS_LIMIT>)]
            workers: NonZeroUsize,
        }
        let command = CommandLine::<Own>::command();
        let error = command
            .try_get_matches_from(["step", "--workers", "0"])
            .expect_err("0 is refused");
        assert_eq!(
            one_line(&error),
            "error: invalid value `0` for `--workers <WORKERS>`: not a whole number from 1 to 512; try --help"
        );
        let command = CommandLine::<Own>::command();
        let line = command.try_get_matches_from(["step", "--workers", "2"]);
        assert_eq!(
            Own::from_arg_matches(&line.expect("2 is fine"))
                .map(|own| own.workers.get())
                .ok(),
            Some(2)
        );
    }
}
