//! Peers in other languages: a program for each row, told over a line how many tasks to run.

use crate::row::{Row, Side, Turn};
use anyhow::{Context, bail};
use common::cli::print_error;
use process_pool::child::Guest;
use std::{
    io::{self, BufRead, BufReader, Read, Write},
    process::{ChildStdin, Command, ExitCode, ExitStatus, Stdio},
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    thread,
    time::{Duration, Instant},
};

/// How long one may take to end when it is told to.
const GRACE: Duration = Duration::from_secs(3);

/// How long one may say nothing: the longest turn of any peer is far below it.
const PATIENCE: Duration = Duration::from_secs(120);

/// How often it is looked whether one that says nothing has ended.
const LOOK: Duration = Duration::from_millis(500);

/// The most of its complaints that is passed on.
const COMPLAINT_CHARS: usize = 300;

/// A foreign program that runs one row.
///
/// It says `ready`, or `missing NAME` and ends. For each line of its input, a count, it runs so many
/// tasks and prints the seconds they took and, if it likes, its peak memory in bytes. It checks its
/// answers itself, and ends with its input.
pub struct Program {
    process: Guest,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
    complaints: Receiver<String>,
}

impl Program {
    /// Starts one; `Err` holds the name of what it misses.
    ///
    /// # Errors
    /// It does not start, or does not answer as agreed.
    pub fn start(command: &mut Command) -> anyhow::Result<Result<Self, String>> {
        let name = command.get_program().to_string_lossy().into_owned();
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = Guest::spawn(command.stderr(Stdio::piped()))
            .with_context(|| format!("cannot start `{name}`"))?;
        let input = process.child.stdin.take();
        let output = process.child.stdout.take().context("it is piped")?;
        let errors = process.child.stderr.take().context("it is piped")?;
        let mut program = Self {
            process,
            input,
            lines: in_lines(output),
            complaints: complaints(errors),
        };
        let answer = program.answer()?;
        match answer.strip_prefix("missing ") {
            Some(missing) => Ok(Err(missing.to_owned())),
            None if answer == "ready" => Ok(Ok(program)),
            None => bail!("`{name}` said `{answer}` where `ready` was expected"),
        }
    }

    /// The row of a peer that it runs.
    pub fn row(self, name: impl Into<String>) -> Row {
        self.row_of(Side::Peer, name)
    }

    /// The row that it runs: of ours or a floor, too, where that needs a process of its own.
    pub fn row_of(mut self, side: Side, name: impl Into<String>) -> Row {
        Row::new(name, side, move |count| self.run(count))
    }

    /// Has it run so many tasks.
    ///
    /// # Errors
    /// It is gone, silent for two minutes, or says something else than figures.
    pub fn run(&mut self, count: u64) -> anyhow::Result<Turn> {
        if let Ok(line) = self.lines.try_recv() {
            bail!("it said `{line}` without being asked");
        }
        let input = self.input.as_mut().context("it is open until the end")?;
        if writeln!(input, "{count}").is_err() {
            return Err(self.last_words());
        }
        let answer = self.answer()?;
        parse(&answer).with_context(|| format!("it said `{answer}` where figures were expected"))
    }

    fn answer(&mut self) -> anyhow::Result<String> {
        let deadline = Instant::now() + PATIENCE;
        let mut has_ended = false;
        loop {
            match self.lines.recv_timeout(LOOK) {
                Ok(line) => return Ok(line),
                Err(RecvTimeoutError::Disconnected) => return Err(self.last_words()),
                // Somebody it has started may hold its output open.
                Err(RecvTimeoutError::Timeout) if has_ended => return Err(self.last_words()),
                Err(RecvTimeoutError::Timeout) if Instant::now() > deadline => {
                    bail!("it said nothing for {} s", PATIENCE.as_secs())
                }
                Err(RecvTimeoutError::Timeout) => {
                    has_ended = !matches!(self.process.child.try_wait(), Ok(None));
                }
            }
        }
    }

    /// Why it ended.
    fn last_words(&mut self) -> anyhow::Error {
        self.input = None;
        let end = self.end().map_or_else(
            || "it closed its output".to_owned(),
            |status| format!("it ended with {status}"),
        );
        let words = self.complaints.recv_timeout(LOOK).ok();
        match words.as_deref().map(str::trim) {
            None | Some("") => anyhow::anyhow!(end),
            Some(words) => anyhow::anyhow!("{end}: {words}"),
        }
    }

    /// Waits a moment for its end; killed, it would leave what it started.
    fn end(&mut self) -> Option<ExitStatus> {
        let deadline = Instant::now() + GRACE;
        loop {
            match self.process.child.try_wait() {
                Ok(Some(status)) => return Some(status),
                Ok(None) if Instant::now() < deadline => thread::sleep(Duration::from_millis(1)),
                _ => break,
            }
        }
        self.process.kill();
        None
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.input = None;
        self.end();
    }
}

/// The other end in Rust: what this program does when a [`Program`] has started it to run a row.
pub fn serve<T: Into<Turn>>(mut turn: impl FnMut(u64) -> anyhow::Result<T>) -> ExitCode {
    let mut serve = || {
        let mut output = io::stdout().lock();
        writeln!(output, "ready")?;
        for line in io::stdin().lines() {
            let turn: Turn = turn(line?.trim().parse()?)?.into();
            write!(output, "{}", turn.took.as_secs_f64())?;
            if let Some(bytes) = turn.peak_bytes {
                write!(output, " {bytes}")?;
            }
            writeln!(output)?;
        }
        anyhow::Ok(())
    };
    match serve() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            print_error(format_args!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

pub(crate) fn in_lines(output: impl Read + Send + 'static) -> Receiver<String> {
    let (tx, rx) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if tx.send(line).is_err() {
                break;
            }
        }
    });
    rx
}

/// The end of what it wrote to its standard error, in one line, once that is closed.
fn complaints(mut errors: impl Read + Send + 'static) -> Receiver<String> {
    let (tx, rx) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // What was read until then counts.
        let _ = errors.read_to_end(&mut bytes);
        let text = String::from_utf8_lossy(&bytes);
        let words: Vec<&str> = text.split_whitespace().collect();
        let text = words.join(" ");
        let skipped = text.chars().count().saturating_sub(COMPLAINT_CHARS);
        tx.send(text.chars().skip(skipped).collect())
    });
    rx
}

fn parse(answer: &str) -> Option<Turn> {
    let mut words = answer.split_whitespace();
    let took = Duration::try_from_secs_f64(words.next()?.parse().ok()?).ok()?;
    // Neither nothing nor a century.
    let took = Some(took).filter(|took| !took.is_zero() && took.as_secs() < 86_400)?;
    let peak_bytes = words.next().map(str::parse).transpose().ok()?;
    words.next().is_none().then_some(Turn { took, peak_bytes })
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn shell(script: &str) -> anyhow::Result<Result<Program, String>> {
        Program::start(Command::new("sh").args(["-c", script]))
    }

    fn running(script: &str) -> Program {
        let started = shell(script).expect("it answers");
        started.unwrap_or_else(|missing| panic!("{missing}"))
    }

    #[test]
    fn a_program_answers_each_count_with_seconds_and_perhaps_its_memory() {
        let mut program = running("echo ready; while read n; do echo 0.$n 4096; done");
        for (count, seconds) in [(5, 0.5), (25, 0.25)] {
            let turn = program.run(count).expect("figures");
            assert_eq!(turn.took, Duration::from_secs_f64(seconds));
            assert_eq!(turn.peak_bytes, Some(4096));
        }
        let mut program = running("echo ready; read n; echo 1.5");
        let turn = program.run(1).expect("figures");
        assert_eq!(turn, Turn::from(Duration::from_millis(1_500)));
    }

    #[test]
    fn what_it_misses_is_named() {
        let missing = shell("echo missing aiohttp").expect("it answers");
        assert_eq!(missing.err().as_deref(), Some("aiohttp"));
    }

    #[test]
    fn one_that_ends_says_why() {
        let mut program = running("echo ready; read n; echo a wrong answer >&2; exit 3");
        let error = format!("{:#}", program.run(1).expect_err("it ended"));
        assert!(error.contains("exit status: 3: a wrong answer"), "{error}");
        let error = shell("exit 4").err().expect("it said nothing");
        assert!(format!("{error:#}").contains("exit status: 4"));
    }

    #[test]
    fn one_that_ends_is_not_waited_for_while_somebody_holds_its_output() {
        let mut program = running("echo ready; read n; sleep 60 & exit 5");
        let error = format!("{:#}", program.run(1).expect_err("it ended"));
        assert!(error.contains("exit status: 5"), "{error}");
    }

    #[test]
    fn what_nobody_asked_for_is_no_answer() {
        // The second line may still be on its way when the next turn begins: then it is taken for an answer.
        let noticed = (0..1_000).find_map(|_| {
            let mut program = running("echo ready; read n; printf '1\\n2\\n'; read n; read n");
            program.run(1).expect("figures");
            program.run(1).err()
        });
        let error = noticed.expect("it is seen sooner or later");
        assert!(
            format!("{error:#}").contains("without being asked"),
            "{error:#}"
        );
    }

    #[test]
    fn chatter_is_no_figure() {
        for said in ["fast", "-1", "NaN", "0", "1e19", "1 2 3", "1 x", ""] {
            let mut program = running(&format!("echo ready; read n; echo '{said}'; read n"));
            let error = program.run(1).expect_err("no figure");
            assert!(
                format!("{error:#}").contains("expected"),
                "{said}: {error:#}"
            );
        }
        assert!(shell("echo hello").is_err());
    }
}
