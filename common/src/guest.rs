//! What the reader's own Python answers.

use anyhow::{Context, anyhow};
use measure::inherited::isolated_python;
use process_pool::child::Guest;
use serde::de::DeserializeOwned;
use std::{io::Read, path::Path, process::Stdio, sync::mpsc, thread, time::Duration};

/// How long an answer may take, and how long it and the words of an error may be.
const PATIENCE: Duration = Duration::from_secs(30);
const MOST_BYTES: u64 = 64 * 1024;

/// Runs our `script` in a Python; returns its process id, and the JSON that it printed.
///
/// It is killed on Ctrl-C, and when it takes more than 30 s.
///
/// # Errors
/// It does not start, takes more than 30 s, or prints something else: the last line that it wrote.
pub fn ask_python<T: DeserializeOwned>(
    path: &Path,
    script: &str,
    arguments: &[String],
) -> anyhow::Result<(u32, T)> {
    let shown = format!("`{}`", path.to_string_lossy().escape_debug());
    let mut command = isolated_python(path, script);
    command.args(arguments).stdin(Stdio::null());
    let guest = Guest::spawn(command.stdout(Stdio::piped()).stderr(Stdio::piped()));
    let mut guest = guest.with_context(|| format!("cannot start {shown}"))?;
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
    let silent = |_| anyhow!("no answer from {shown}: it was silent for 30 s");
    let [said, words] = rx.recv_timeout(PATIENCE).map_err(silent)?;
    let answer = serde_json::from_str(&said).map_err(|_| {
        let mut lines = said.trim_end().lines().chain(words.trim_end().lines());
        let last = lines.next_back().unwrap_or("it printed nothing");
        anyhow!("no answer from {shown}: {}", last.escape_debug())
    })?;
    Ok((guest.id(), answer))
}
