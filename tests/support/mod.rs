//! What the tests of the whole path share: the built steps.

use lab_00_tour::walk;
use serde_json::Value;
use std::{collections::BTreeMap, path::PathBuf, process::Command, sync::OnceLock};

/// The binary of every step, as `cargo test` builds them.
///
/// Inside `cargo test` all of them are fresh and this only asks where they are.
pub(crate) fn binaries() -> &'static BTreeMap<String, PathBuf> {
    static BINARIES: OnceLock<BTreeMap<String, PathBuf>> = OnceLock::new();
    BINARIES.get_or_init(|| {
        let built = Command::new(walk::cargo())
            .current_dir(walk::repository())
            .args([
                "test",
                "--no-run",
                "--message-format=json-render-diagnostics",
            ])
            .args(walk::profile())
            .output()
            .expect("cargo starts");
        let messages = String::from_utf8_lossy(&built.stdout).into_owned();
        let binaries: BTreeMap<_, _> = messages.lines().filter_map(binary).collect();
        for stop in &lab_00_tour::path::PATH {
            assert!(
                binaries.contains_key(stop.package),
                "{} did not build: {}",
                stop.package,
                String::from_utf8_lossy(&built.stderr)
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
