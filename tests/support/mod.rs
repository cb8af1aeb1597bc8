//! What the tests of the whole path share: the built steps.

use lab_00_tour::{path::PATH, walk};
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
    let output = command
        .env_remove("RUST_BACKTRACE")
        .env("LAB_PROGRESS", "")
        .stdin(Stdio::null())
        .output()
        .expect("it starts");
    Finished {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// The binary of every step.
///
/// Inside `cargo test` all of them are fresh and this only asks where they are.
pub(crate) fn binaries() -> &'static BTreeMap<String, PathBuf> {
    static BINARIES: OnceLock<BTreeMap<String, PathBuf>> = OnceLock::new();
    BINARIES.get_or_init(|| {
        let arguments = [
            "build",
            "--bins",
            "--message-format=json-render-diagnostics",
        ];
        let built = cargo(&[&arguments, walk::profile()].concat());
        let binaries: BTreeMap<_, _> = built.stdout.lines().filter_map(walk::executable).collect();
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
