//! Builds the reader's file, and runs its check in a process of its own: a repair may hang.

use anyhow::{Context, anyhow, bail, ensure};
use lab_drills::{Drill, verdict::Verdict};
use serde_json::Value;
use std::{
    env, fs,
    io::Read,
    path::PathBuf,
    process::{Command, Stdio},
    thread,
};

/// Checks the reader's file.
///
/// # Errors
/// It is not there, does not compile, waits by sleeping, or ends the process by itself.
pub(crate) fn check(drill: &Drill) -> anyhow::Result<Verdict> {
    let (name, number) = (drill.file(), drill.number);
    let text = fs::read_to_string(drill.place());
    let text = text.map_err(|error| anyhow!("cannot read `lab/drills/src/{name}.rs`: {error}; `cargo run -- drill {number} --reset` writes it as it was at first"))?;
    if let Some(fault) = sleeping(&text) {
        return Ok(Verdict {
            fault: Some(fault),
            ..Verdict::default()
        });
    }
    let mut command = Command::new(build(&name)?);
    command.arg("--json").stdin(Stdio::null());
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let errors = thread::spawn(|| tail(stderr));
    let printed = tail(stdout);
    let (status, errors) = (child.wait()?, errors.join().unwrap_or_default());
    // A thread of the repair may have printed after the check.
    let verdict = printed
        .lines()
        .rev()
        .find_map(|line| serde_json::from_str(line).ok());
    verdict.with_context(|| {
        let errors = errors.trim();
        format!("the program ended before its check did ({status}) {errors}")
    })
}

/// The end of what is printed: a repair may print forever.
fn tail(mut pipe: Option<impl Read>) -> String {
    const MOST: usize = 1 << 20;
    let (mut kept, mut chunk) = (Vec::new(), vec![0; MOST]);
    while let Some(read) = pipe.as_mut().and_then(|pipe| pipe.read(&mut chunk).ok()) {
        if read == 0 {
            break;
        }
        kept.extend_from_slice(&chunk[..read]);
        kept.drain(..kept.len().saturating_sub(MOST));
    }
    String::from_utf8_lossy(&kept).into_owned()
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
    let output = cargo.stdin(Stdio::null()).output();
    let output = output.context("cannot start `cargo`")?;
    let messages = String::from_utf8_lossy(&output.stdout);
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
    ensure!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr).trim()
    );
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
        let printed = tail(Some(forever.chain(&b"\n{}"[..])));
        assert!(printed.ends_with("x\n{}") && printed.len() == 1 << 20);
        assert_eq!(tail(None::<&[u8]>), "");
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
