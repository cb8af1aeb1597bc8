//! Hands the profile and the compiler's version to `host`, which cannot see them at run time.

use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // Cargo names only the two families here: the bench profile arrives as `release`.
    let profile = match variable("PROFILE").as_str() {
        "debug" => "dev".to_owned(),
        other => other.to_owned(),
    };
    println!("cargo::rustc-env=LAB_PROFILE={profile}");
    println!("cargo::rustc-env=LAB_RUSTC={}", rustc_version());
}

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| "unknown".to_owned())
}

fn rustc_version() -> String {
    Command::new(variable("RUSTC"))
        .arg("--version")
        .output()
        .ok()
        .filter(|output| output.status.success())
        .and_then(|output| String::from_utf8(output.stdout).ok())
        .map_or_else(
            || "rustc unknown".to_owned(),
            |version| version.trim().to_owned(),
        )
}
