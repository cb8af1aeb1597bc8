//! Builds the steps and runs each as its user would.

use crate::path::Stop;
use anyhow::{Context, bail};
use common::Document;
use serde_json::Value;
use std::{
    collections::BTreeMap,
    env,
    error::Error,
    fmt,
    io::Read,
    path::{Path, PathBuf},
    process::{self, Child, Command, ExitStatus, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{self, Receiver},
    },
    thread,
    time::{Duration, Instant},
};

/// A step at its quick pace that takes longer than this hangs.
const PATIENCE: Duration = Duration::from_secs(120);

/// What cargo tells the programs that it runs, besides all that begins with `CARGO_PKG_`.
const TOLD_BY_CARGO: [&str; 6] = [
    "CARGO_BIN_NAME",
    "CARGO_CRATE_NAME",
    "CARGO_MANIFEST_DIR",
    "CARGO_MANIFEST_PATH",
    "CARGO_PRIMARY_PACKAGE",
    "CARGO_TARGET_TMPDIR",
];

/// How long what a step has printed may take to arrive once it has ended.
const AFTER_THE_END: Duration = Duration::from_secs(2);

/// The cargo that started this program, or the one on the path, at the top of the repository.
///
/// It does not see what an outer cargo told this program: build scripts ask for some of that, and
/// would build again for other answers.
pub fn cargo() -> Command {
    let program = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    command.current_dir(repository());
    for (name, _) in env::vars_os() {
        let told = name
            .to_str()
            .is_some_and(|name| name.starts_with("CARGO_PKG_") || TOLD_BY_CARGO.contains(&name));
        if told {
            command.env_remove(name);
        }
    }
    command
}

/// The top of the repository that this program was built from.
pub fn repository() -> &'static Path {
    let tour = Path::new(env!("CARGO_MANIFEST_DIR"));
    tour.ancestors()
        .nth(2)
        .expect("the tour lies two folders below the top")
}

/// `--release` if this program was built that way, so that every step is.
pub fn profile() -> &'static [&'static str] {
    if cfg!(debug_assertions) {
        &[]
    } else {
        &["--release"]
    }
}

/// Builds all `stops` and returns where each binary is; one that fails to build is left out.
///
/// # Errors
/// Cargo cannot be started.
pub fn build(stops: &[&Stop]) -> anyhow::Result<BTreeMap<String, PathBuf>> {
    let mut command = cargo();
    command
        .args([
            "build",
            "--keep-going",
            "--message-format=json-render-diagnostics",
        ])
        .args(profile())
        .args(stops.iter().flat_map(|stop| ["-p", stop.package]))
        .stdin(Stdio::null())
        .stderr(Stdio::inherit());
    let output = command
        .output()
        .context("cannot start `cargo`; is Rust installed?")?;
    let messages = String::from_utf8_lossy(&output.stdout).into_owned();
    Ok(messages.lines().filter_map(executable).collect())
}

/// Where the binary of each of `stops` lies beside this program, if it has been built.
pub fn built(stops: &[&Stop]) -> BTreeMap<String, PathBuf> {
    let own = env::current_exe().unwrap_or_default();
    let beside = |stop: &&Stop| {
        let name = format!("{}{}", stop.package, env::consts::EXE_SUFFIX);
        (stop.package.to_owned(), own.with_file_name(name))
    };
    let all = stops.iter().map(beside);
    all.filter(|(_, binary)| binary.is_file()).collect()
}

/// The name and the place of the binary that a message of cargo's names.
pub fn executable(message: &str) -> Option<(String, PathBuf)> {
    let message: Value = serde_json::from_str(message).ok()?;
    let path = message.get("executable")?.as_str()?;
    let name = message.pointer("/target/name")?.as_str()?;
    Some((name.to_owned(), path.into()))
}

/// A step that failed; what it had measured by then is in the document that it printed all the same.
#[derive(Debug)]
pub struct Failed {
    /// The document, if it printed one.
    pub document: Option<Document>,
    message: String,
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for Failed {}

/// Runs one step with `flags` and reads its document.
///
/// # Errors
/// It cannot be started, hangs, fails, or prints something else; with what it printed.
pub fn run(binary: &Path, flags: &[&str], interrupted: &AtomicBool) -> anyhow::Result<Document> {
    let mut child = Command::new(binary)
        .args(flags)
        .arg("--json")
        .env(common::PARENT, process::id().to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start `{}`", binary.display()))?;
    let stdout = read_aside(child.stdout.take());
    let stderr = read_aside(child.stderr.take());
    let status = wait(&mut child, interrupted);
    // What a step leaves behind may hold its pipes open: nothing waits for that.
    let latest = Instant::now() + AFTER_THE_END;
    let read = |text: Receiver<String>| {
        let left = latest.saturating_duration_since(Instant::now());
        text.recv_timeout(left).unwrap_or_default()
    };
    let (stdout, stderr) = (read(stdout), read(stderr));
    let status = status.with_context(|| stderr.trim().to_owned())?;
    if !status.success() {
        bail!(Failed {
            document: serde_json::from_str(&stdout).ok(),
            message: format!("it ended with {status}\n{}", stderr.trim()),
        });
    }
    serde_json::from_str(&stdout)
        .with_context(|| format!("it printed no document: {stdout}{stderr}"))
}

fn read_aside(pipe: Option<impl Read + Send + 'static>) -> Receiver<String> {
    let (tx, rx) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            // What arrived before an error is still worth telling.
            let _ = pipe.read_to_end(&mut bytes);
        }
        // Nobody may be waiting for it any more.
        let _ = tx.send(String::from_utf8_lossy(&bytes).into_owned());
    });
    rx
}

fn wait(child: &mut Child, interrupted: &AtomicBool) -> anyhow::Result<ExitStatus> {
    let started = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        let hangs = started.elapsed() > PATIENCE;
        if hangs || interrupted.load(Ordering::SeqCst) {
            // Its own children end with it.
            let _ = child.kill();
            let _ = child.wait();
            if hangs {
                bail!("it did not end within {} s", PATIENCE.as_secs());
            }
            bail!("interrupted");
        }
        thread::sleep(Duration::from_millis(10));
    }
}

/// A flag that Ctrl-C raises, so that what was finished can still be reported.
pub fn interrupt_flag() -> Arc<AtomicBool> {
    let flag = Arc::new(AtomicBool::new(false));
    let raised = Arc::clone(&flag);
    // Without a handler Ctrl-C ends the tour at once, which is the usual behaviour.
    let _ = common::on_interrupt(move |_| raised.store(true, Ordering::SeqCst));
    flag
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_binary_is_read_from_cargos_messages_and_nothing_else_is() {
        let binary = r#"{"reason":"compiler-artifact","target":{"name":"lab-07-locks"},"executable":"/t/lab-07-locks"}"#;
        assert_eq!(
            executable(binary),
            Some(("lab-07-locks".into(), "/t/lab-07-locks".into()))
        );
        let library =
            r#"{"reason":"compiler-artifact","target":{"name":"common"},"executable":null}"#;
        assert_eq!(executable(library), None);
        assert_eq!(executable("no json"), None);
    }

    #[test]
    fn a_step_that_fails_is_told_with_what_it_printed() {
        let calm = AtomicBool::new(false);
        let error =
            run(Path::new("/nowhere/step"), &[], &calm).expect_err("there is no such program");
        assert!(format!("{error:#}").contains("/nowhere/step"));
    }

    #[cfg(unix)]
    #[test]
    fn a_step_that_prints_no_document_or_fails_is_an_error() {
        let calm = AtomicBool::new(false);
        let error = run(Path::new("/bin/echo"), &["hello"], &calm).expect_err("no document");
        assert!(format!("{error:#}").contains("hello"), "{error:#}");
        let error = run(
            Path::new("/bin/sh"),
            &["-c", "echo broken >&2; exit 3"],
            &calm,
        );
        let error = error.expect_err("exit code 3");
        assert!(format!("{error:#}").contains("broken"), "{error:#}");
        let script = r#"echo '{"step": "x"}'; exit 1"#;
        let error = run(Path::new("/bin/sh"), &["-c", script], &calm).expect_err("exit code 1");
        let failed = error.downcast_ref::<Failed>().expect("it failed");
        let measured = failed.document.as_ref().map(|document| &*document.step);
        assert_eq!(measured, Some("x"));
    }

    #[cfg(unix)]
    #[test]
    fn what_a_step_leaves_behind_holds_nobody_up() {
        let calm = AtomicBool::new(false);
        let script = "sleep 60 & exit 3";
        let began = Instant::now();
        let error = run(Path::new("/bin/sh"), &["-c", script], &calm).expect_err("exit code 3");
        assert!(format!("{error:#}").contains("exit status: 3"), "{error:#}");
        // A watchdog, not a measurement: it would be a minute.
        assert!(began.elapsed() < Duration::from_secs(50));
    }

    #[cfg(unix)]
    #[test]
    fn an_interrupted_step_does_not_stay() {
        let stop = AtomicBool::new(true);
        let error =
            run(Path::new("/bin/sh"), &["-c", "exec sleep 600"], &stop).expect_err("it is stopped");
        assert!(format!("{error:#}").contains("interrupted"), "{error:#}");
    }
}
