//! What the tests of the whole path share: the built steps.

use lab_00_tour::{path::PATH, walk};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    path::PathBuf,
    process::{Command, Stdio},
    sync::OnceLock,
};
use testing::Finished;

/// Runs cargo at the top of the repository.
pub(crate) fn cargo(arguments: &[&str]) -> Finished {
    let mut cargo = walk::cargo();
    cargo.args(arguments);
    patiently(cargo)
}

/// Runs what may take its time, a build or a tour, so that nothing hurries it.
pub(crate) fn patiently(mut command: Command) -> Finished {
    let child = command
        .env_remove("RUST_BACKTRACE")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let pid = child.id();
    let output = child.wait_with_output().expect("it ends");
    Finished {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        pid,
    }
}

/// The binary of every step, as `cargo test` builds them.
///
/// Inside `cargo test` all of them are fresh and this only asks where they are.
pub(crate) fn binaries() -> &'static BTreeMap<String, PathBuf> {
    static BINARIES: OnceLock<BTreeMap<String, PathBuf>> = OnceLock::new();
    BINARIES.get_or_init(|| {
        let arguments = [
            "test",
            "--no-run",
            "--message-format=json-render-diagnostics",
        ];
        let built = cargo(&[&arguments, walk::profile()].concat());
        let binaries: BTreeMap<_, _> = built.stdout.lines().filter_map(binary).collect();
        for stop in &PATH {
            assert!(
                binaries.contains_key(stop.package),
                "{} did not build: {}",
                stop.package,
                built.stderr
            );
        }
        binaries
    })
}

/// The name and the place of the program that a message of cargo's tells of; tests are none.
fn binary(message: &str) -> Option<(String, PathBuf)> {
    let message: Value = serde_json::from_str(message).ok()?;
    let is_test = message.pointer("/profile/test")?.as_bool()?;
    let is_program = message.pointer("/target/kind/0")? == "bin";
    let path = message.get("executable")?.as_str()?;
    let name = message.pointer("/target/name")?.as_str()?;
    (is_program && !is_test).then(|| (name.to_owned(), path.into()))
}
