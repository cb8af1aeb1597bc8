//! The machine under the experiment, as it is right now.
//!
//! A listed CPU is not a usable one: a shared machine lends them out and takes them back within
//! minutes. [`Host::inspect`] therefore counts what really runs at once, and every conclusion
//! of the lab is drawn against that number.

use crate::{
    limits::number_behind,
    surroundings::{cpus, quota},
    workload::mix,
};
use serde::{Deserialize, Serialize};
use std::{
    hint::black_box,
    path::Path,
    process::Command,
    sync::{
        OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// The machine, the build and the checkout behind a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Host {
    /// The operating system as Rust names it, such as `linux`.
    pub os: String,
    /// The processor family as Rust names it, such as `x86_64`.
    pub arch: String,
    /// CPUs this process may run on at once.
    pub cpus: usize,
    /// CPUs' worth of time that the container's quota allows; `None` without a quota.
    #[serde(default)]
    pub quota: Option<f64>,
    /// Threads' worth of CPU work that ran at once when asked, from 1 to `cpus`, or the quota.
    pub parallelism: f64,
    /// Runnable tasks on the machine, averaged over a minute; `None` where not told.
    pub load: Option<f64>,
    /// The build: `dev profile` or `release profile`.
    pub profile: String,
    /// The compiler's own version line.
    pub rustc: String,
    /// The checkout's commit, nine digits; not necessarily the one this binary was built from.
    pub commit: Option<String>,
}

impl Host {
    /// Looks at this machine; takes about 120 ms, nearly all for `parallelism`.
    pub fn inspect() -> Self {
        // The load comes first: the measurement itself is load.
        let load = number_behind("", "/proc/loadavg");
        Self {
            os: std::env::consts::OS.to_owned(),
            arch: std::env::consts::ARCH.to_owned(),
            cpus: cpus(),
            quota: quota(),
            parallelism: free_cpus(ROUNDS),
            load,
            profile: concat!(env!("LAB_PROFILE"), " profile").to_owned(),
            rustc: env!("LAB_RUSTC").to_owned(),
            commit: commit_above(Path::new(env!("CARGO_MANIFEST_DIR"))),
        }
    }

    /// The machine in one line, for the header of a report.
    pub fn one_line(&self) -> String {
        let os = match self.os.as_str() {
            "linux" => "Linux",
            "macos" => "macOS",
            "windows" => "Windows",
            other => other,
        };
        let cpus = self.cpus_in_words();
        let rustc: Vec<&str> = self.rustc.split_whitespace().take(2).collect();
        format!(
            "{os} {} · {cpus} · {} · {}",
            self.arch,
            self.profile,
            rustc.join(" ")
        )
    }

    /// How many CPUs there are, and how many of them were to be had.
    pub fn cpus_in_words(&self) -> String {
        let (cpus, free) = (self.cpus, self.parallelism);
        match self.quota.filter(|quota| *quota < cpus as f64) {
            _ if cpus == 1 => "1 CPU".to_owned(),
            None => format!("{cpus} CPUs, {free:.1} free"),
            Some(quota) if free < quota => {
                format!("{cpus} CPUs, {quota:.1} by quota, {free:.1} free")
            }
            Some(quota) => format!("{cpus} CPUs, {quota:.1} by quota"),
        }
    }

    /// Counts again how many CPUs are free, and keeps the lower number: a neighbour may have come
    /// while the program ran.
    pub fn look_again(&mut self) {
        self.parallelism = self.parallelism.min(free_cpus(ROUNDS));
    }
}

/// More threads than this are not started: the answer is then "at least".
const MOST_THREADS: usize = 64;
const ROUNDS: usize = 5;
const WINDOW: Duration = Duration::from_millis(12);
/// About 10 µs of dependent work between two looks at the clock.
const CHUNK_STEPS: u64 = 5_000;

/// Counts how many threads' worth of CPU work this machine does at once, right now.
///
/// One thread, then one thread per CPU (at most 64), do the same work in windows of 12 ms; the
/// ratio of their throughputs is the answer, from 1 to the number of CPUs. A round compares neighbouring
/// windows, since the speed may have changed by the next one; the median of the rounds counts.
pub fn free_cpus(rounds: usize) -> f64 {
    let threads = cpus().min(MOST_THREADS);
    if threads == 1 {
        return 1.0;
    }
    let rounds = (0..rounds.max(1)).map(|_| {
        let alone = chunks_done(1).max(1);
        let together = chunks_done(threads);
        together as f64 / alone as f64
    });
    // `clamp` is safe: `threads` is at least 2 here.
    let free = median(rounds.collect()).clamp(1.0, threads as f64);
    free.min(quota().unwrap_or(free))
}

/// The work `threads` threads get done in one shared window of time.
///
/// A shared window, not a shared amount: with an amount the slowest thread alone would decide, and
/// with a window per thread two threads could take turns on one CPU unnoticed.
fn chunks_done(threads: usize) -> u64 {
    let (arrived, expected) = (AtomicUsize::new(0), AtomicUsize::new(threads));
    let opened = OnceLock::new();
    let work = || {
        // A sleeping barrier would add its wake-up to the window; these threads are already awake.
        // Relaxed: the count guards no data, `OnceLock` publishes the moment.
        arrived.fetch_add(1, Ordering::Relaxed);
        while arrived.load(Ordering::Relaxed) < expected.load(Ordering::Relaxed) {
            thread::yield_now();
        }
        let closes = *opened.get_or_init(Instant::now) + WINDOW;
        let mut chunks = 0;
        while Instant::now() < closes {
            black_box(mix(black_box(chunks), CHUNK_STEPS));
            chunks += 1;
        }
        chunks
    };
    thread::scope(|scope| {
        let start = |_| thread::Builder::new().spawn_scoped(scope, work).ok();
        let workers: Vec<_> = (0..threads).map_while(start).collect();
        // Where the system starts no more of them, nobody waits for the rest.
        expected.store(workers.len(), Ordering::Relaxed);
        workers
            .into_iter()
            .map(|worker| worker.join().expect("counting does not panic"))
            .sum()
    })
}

pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Lets this process hold as many open files as the system allows it.
///
/// Returns the limit now in force; `None` where the platform has no such limit to ask for. What
/// has thousands of connections calls it first; a site and its server do so by themselves.
pub fn raise_open_files() -> Option<u64> {
    #[cfg(unix)]
    {
        use nix::sys::resource::{Resource, getrlimit, setrlimit};
        let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).ok()?;
        // macOS says "unlimited" and then refuses it: the old limit stands.
        let raised = setrlimit(Resource::RLIMIT_NOFILE, hard, hard).is_ok();
        Some(if raised { hard } else { soft })
    }
    #[cfg(not(unix))]
    None
}

/// The commit of the checkout that contains `folder`, where there is one and a git to ask.
fn commit_above(folder: &Path) -> Option<String> {
    let mut git = Command::new("git");
    git.args(["rev-parse", "--short=9", "HEAD"])
        .current_dir(folder);
    let answer = git.output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8(answer.stdout).ok()?.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commit_is_that_of_the_checkout_if_there_is_one() {
        let commit = commit_above(Path::new(env!("CARGO_MANIFEST_DIR")));
        let is_short =
            |hash: &str| hash.len() >= 9 && hash.bytes().all(|it| it.is_ascii_hexdigit());
        assert!(commit.as_deref().is_none_or(is_short), "{commit:?}");
        assert_eq!(commit_above(Path::new("/")), None);
    }

    #[test]
    fn the_median_ignores_one_wild_round() {
        assert_eq!(median(vec![1.9, 0.2, 2.0, 9.0, 1.8]), 1.9);
    }

    #[test]
    fn parallelism_lies_between_one_and_the_cpus() {
        let parallelism = free_cpus(ROUNDS);
        assert!(
            (0.01..=cpus() as f64).contains(&parallelism),
            "{parallelism}"
        );
    }

    #[test]
    fn the_line_tells_the_machine_and_the_build() {
        let mut host = Host {
            os: "linux".to_owned(),
            arch: "x86_64".to_owned(),
            cpus: 2,
            quota: None,
            parallelism: 1.87,
            load: None,
            profile: "dev profile".to_owned(),
            rustc: "rustc 1.95.0 (59807616e 2026-04-14)".to_owned(),
            commit: None,
        };
        assert_eq!(
            host.one_line(),
            "Linux x86_64 · 2 CPUs, 1.9 free · dev profile · rustc 1.95.0"
        );
        host.quota = Some(1.5);
        host.parallelism = 1.5;
        assert_eq!(host.cpus_in_words(), "2 CPUs, 1.5 by quota");
        host.parallelism = 1.0;
        assert_eq!(host.cpus_in_words(), "2 CPUs, 1.5 by quota, 1.0 free");
        host.cpus = 1;
        host.parallelism = 1.0;
        assert_eq!(
            host.one_line(),
            "Linux x86_64 · 1 CPU · dev profile · rustc 1.95.0"
        );
    }

    #[test]
    fn the_json_has_the_names_of_the_schema() {
        let json = serde_json::to_value(Host::inspect()).expect("plain data");
        let names: Vec<&str> = json
            .as_object()
            .expect("a struct is an object")
            .keys()
            .map(String::as_str)
            .collect();
        for name in [
            "os",
            "arch",
            "cpus",
            "quota",
            "parallelism",
            "load",
            "profile",
            "rustc",
            "commit",
        ] {
            assert!(names.contains(&name), "{name} is missing in {names:?}");
        }
        assert_eq!(names.len(), 9);
    }
}
