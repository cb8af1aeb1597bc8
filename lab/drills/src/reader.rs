//! Builds the reader's file, and runs its check in a process of its own: a repair may hang.

use anyhow::{Context, anyhow, bail, ensure};
use common::{
    PARENT,
    child::{Exit, Guest},
};
use lab_drills::{Drill, verdict::Verdict};
use serde_json::Value;
use std::{
    env, fs,
    hash::{BuildHasher, RandomState},
    io::Read,
    path::PathBuf,
    process::{self, Command, Stdio},
    sync::{Arc, Mutex, PoisonError},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// A check without a verdict by then has none.
pub(crate) const LIMIT: Duration = Duration::from_secs(120);

const A_DAY: Duration = Duration::from_hours(24);

/// So long, what another process may hold open is waited for.
const MOMENTS: Duration = Duration::from_secs(1);

/// So much of what a repair prints is kept.
const MOST_BYTES: usize = 1 << 20;

/// Runs a program, which ends with this one; returns how it ended and the end of what it printed, but `None` where
/// it was killed after its time.
pub(crate) fn run(
    command: &mut Command,
    limit: Duration,
) -> anyhow::Result<Option<(Exit, String, String)>> {
    command.env(PARENT, process::id().to_string());
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    let mut program = Guest::spawn(command.stderr(Stdio::piped()))?;
    let pipes = (program.child.stdout.take(), program.child.stderr.take());
    let (printed, errors) = (Tail::of(pipes.0), Tail::of(pipes.1));
    let exit = program.end_within(limit);
    // A thread of the program may have printed last.
    Ok(exit.map(|exit| (exit, printed.text(), errors.text())))
}

/// Checks the reader's file; also returns the end of what its code printed.
///
/// # Errors
/// It is not there, does not compile, waits by sleeping, or ends the process by itself.
pub(crate) fn check(drill: &Drill) -> anyhow::Result<(Verdict, Vec<String>)> {
    let (name, number) = (drill.file(), drill.number);
    let text = fs::read_to_string(drill.place());
    let text = text.map_err(|error| anyhow!("cannot read `lab/drills/src/{name}.rs`: {error}; `cargo run -- drill {number} --reset` writes it as it was at first"))?;
    if let Some(fault) = sleeping(&text) {
        let verdict = Verdict {
            fault: Some(fault),
            ..Verdict::default()
        };
        return Ok((verdict, Vec::new()));
    }
    let mut command = Command::new(build(&name)?);
    // What a repair prints is not the check's word.
    let mark = format!("{:x}", RandomState::new().hash_one(process::id()));
    let Some((exit, printed, errors)) = run(command.args(["--mark", &mark]), LIMIT)? else {
        bail!("there was no verdict after {} s", LIMIT.as_secs());
    };
    let verdict = |line: &str| serde_json::from_str(line.strip_prefix(&*mark)?).ok();
    let verdict = printed.lines().rev().find_map(verdict);
    let own = printed.lines().filter(|line| !line.starts_with(&*mark));
    let own = last_lines(own.chain(errors.lines()));
    let verdict = verdict.with_context(|| {
        let (call, own) = (drill.call(), own.join("\n"));
        let text = format!("the program ended before its check did ({exit}); `main` must call `{call}`, and nothing else may end the program\n{own}");
        text.trim().to_owned()
    });
    Ok((verdict?, own))
}

/// The last lines that say something; long ones are cut.
fn last_lines<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<String> {
    const MOST: usize = 10;
    let plain = |line: &str| {
        line.chars()
            .filter(|it| !it.is_control())
            .take(200)
            .collect()
    };
    let lines: Vec<String> = lines
        .map(plain)
        .filter(|line: &String| !line.trim().is_empty())
        .collect();
    lines[lines.len().saturating_sub(MOST)..].to_vec()
}

/// The end of what is printed: a repair may print for ever, and a process that it started may live on.
struct Tail {
    kept: Arc<Mutex<Vec<u8>>>,
    reading: JoinHandle<()>,
}

impl Tail {
    fn of(pipe: Option<impl Read + Send + 'static>) -> Self {
        let kept = Arc::<Mutex<Vec<u8>>>::default();
        let keeps = Arc::clone(&kept);
        let reading = thread::spawn(move || {
            let (mut pipe, mut chunk) = (pipe, vec![0; MOST_BYTES]);
            while let Some(read @ 1..) = pipe.as_mut().and_then(|pipe| pipe.read(&mut chunk).ok()) {
                let mut kept = keeps.lock().unwrap_or_else(PoisonError::into_inner);
                kept.extend_from_slice(&chunk[..read]);
                let surplus = kept.len().saturating_sub(MOST_BYTES);
                kept.drain(..surplus);
            }
        });
        Self { kept, reading }
    }

    /// What came until the pipe was closed, or for some moments: the program has ended.
    fn text(&self) -> String {
        let until = Instant::now() + MOMENTS;
        while !self.reading.is_finished() && Instant::now() < until {
            thread::sleep(Duration::from_millis(1));
        }
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&kept).into_owned()
    }
}

/// Why a text that waits by the clock is no repair.
fn sleeping(text: &str) -> Option<String> {
    let code = text.lines().position(|line| {
        line.split("//")
            .next()
            .is_some_and(|code| code.contains("thread::sleep"))
    })?;
    Some(format!(
        "line {} sleeps: a sleep waits for the clock, not for what you need; on a busy machine it is too short. Wait for the thing itself",
        code + 1
    ))
}

/// Builds the reader's file; returns where its program is.
fn build(name: &str) -> anyhow::Result<PathBuf> {
    let top = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(top).args([
        "build",
        "--quiet",
        "--message-format=json",
        "-p",
        "lab-drills",
        "--bin",
        name,
    ]);
    if !cfg!(debug_assertions) {
        cargo.arg("--release");
    }
    let built = run(&mut cargo, A_DAY).context("cannot start `cargo`")?;
    let (exit, messages, errors) = built.context("cargo did not end")?;
    let mut binary = None;
    for message in messages.lines().flat_map(serde_json::from_str::<Value>) {
        if message
            .pointer("/message/level")
            .is_some_and(|level| level == "error")
        {
            bail!(rendered(&message["message"]));
        }
        if message.pointer("/target/name").is_some_and(|it| it == name) {
            binary = message["executable"].as_str().map(PathBuf::from);
        }
    }
    ensure!(exit == Exit::Code(0), "{}", errors.trim());
    binary.context("cargo built no program")
}

/// rustc's error as it prints it, with the lines that it is about; a long one is cut.
fn rendered(message: &Value) -> String {
    const MOST: usize = 15;
    let text = message["rendered"].as_str().unwrap_or_default();
    let mut lines: Vec<&str> = text.trim_end().lines().collect();
    if lines.len() > MOST {
        lines.splice(MOST.., ["  …"]);
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_what_is_printed_the_end_is_kept_however_much_it_is() {
        let forever = std::io::repeat(b'x').take(5 << 20);
        let tail = Tail::of(Some(forever.chain(&b"\n{}"[..])));
        while !tail.reading.is_finished() {
            thread::yield_now();
        }
        let printed = tail.text();
        assert!(printed.ends_with("x\n{}") && printed.len() == MOST_BYTES);
        assert_eq!(Tail::of(None::<&[u8]>).text(), "");
    }

    #[test]
    fn of_what_the_code_printed_the_last_lines_are_shown() {
        let printed: String = (1..=30).map(|at| format!("line {at}\n\n")).collect();
        let last = last_lines(printed.lines());
        assert_eq!((last.len(), last[9].as_str()), (10, "line 30"));
        assert_eq!(last_lines(["\u{1b}[2Jred\t"].into_iter()), ["[2Jred"]);
    }

    #[test]
    fn rustc_s_error_is_shown_whole_unless_it_is_long() {
        let error = |text: String| rendered(&serde_json::json!({ "rendered": text }));
        let short = "error[E0368]: no `+=`\n --> d03.rs:11:5\nhelp: use `fetch_add`";
        assert_eq!(error(format!("{short}\n\n")), short);
        let long = error("a line\n".repeat(40));
        assert_eq!(
            (long.lines().count(), long.lines().last()),
            (16, Some("  …"))
        );
    }
}
