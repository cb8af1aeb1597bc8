//! What the reader's own programs answer, such as their Python.

use anyhow::{Context, anyhow};
use measure::inherited::isolated_python;
use process_pool::child::Guest;
use serde::de::DeserializeOwned;
use std::{
    io::Read,
    path::Path,
    process::{Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

/// How long an answer may take, and how long it and the words of an error may be.
const PATIENCE: Duration = Duration::from_secs(30);
const MOST_BYTES: u64 = 64 * 1024;

/// Runs our `script` in a Python; returns its process id, and the JSON that it printed.
///
/// # Errors
/// As [`listen_to`]; it prints something else: the last line that it wrote.
pub fn ask_python<T: DeserializeOwned>(
    path: &Path,
    script: &str,
    arguments: &[String],
) -> anyhow::Result<(u32, T)> {
    let mut command = isolated_python(path, script);
    let (id, [said, words]) = listen_to(command.args(arguments))?;
    let answer = serde_json::from_str(&said).map_err(|_| {
        let mut last = [&words, &said]
            .into_iter()
            .flat_map(|text| text.trim_end().lines().last());
        let last = last.next().unwrap_or("it printed nothing").escape_debug();
        anyhow!("no answer from {}: {last}", shown(&command))
    })?;
    Ok((id, answer))
}

/// Runs a foreign program; returns its process id, and what it wrote to its standard output and error.
///
/// It is killed on Ctrl-C, and when it takes more than 30 s.
///
/// # Errors
/// It does not start, or takes more than 30 s.
pub fn listen_to(command: &mut Command) -> anyhow::Result<(u32, [String; 2])> {
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    let guest = Guest::spawn(command.stderr(Stdio::piped()));
    let mut guest = guest.with_context(|| format!("cannot start {}", shown(command)))?;
    let pipes = guest.child.stdout.take().zip(guest.child.stderr.take());
    let (out, err) = pipes.expect("both are piped");
    let (tx, rx) = mpsc::channel();
    // It ends with the guest, which is killed when this returns.
    thread::spawn(move || {
        let (mut said, mut words) = (Vec::new(), Vec::new());
        let _ = out.take(MOST_BYTES).read_to_end(&mut said);
        let _ = err.take(MOST_BYTES).read_to_end(&mut words);
        let _ = tx.send([said, words].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()));
    });
    let heard = rx.recv_timeout(PATIENCE);
    let heard =
        heard.map_err(|_| anyhow!("no answer from {}: it was silent for 30 s", shown(command)))?;
    Ok((guest.child.id(), heard))
}

fn shown(command: &Command) -> String {
    let program = command.get_program().to_string_lossy();
    format!("`{}`", program.escape_debug())
}
