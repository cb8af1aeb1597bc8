//! The machine under the experiment, as it is right now.
//!
//! A listed CPU is not a usable one: a shared machine lends them out and takes them back within
//! minutes. [`measure_parallelism`] therefore counts what really runs at once, and every conclusion
//! of the lab is drawn against that number.

use std::fs;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::workload::mix;

/// The machine, the build and the checkout behind a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Host {
    /// The operating system as Rust names it, such as `linux`.
    pub os: String,
    /// The processor family as Rust names it, such as `x86_64`.
    pub arch: String,
    /// CPUs this process may use: affinity and container limits are taken off.
    pub cpus: usize,
    /// Threads' worth of CPU work that ran at once when asked, from 1 to `cpus`.
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
    /// Looks at this machine; takes about 120 ms, nearly all for [`measure_parallelism`].
    pub fn inspect() -> Self {
        // The load comes first: the measurement itself is load.
        let load = load();
        Self {
            os: std::env::consts::OS.to_owned(),
            arch: std::env::consts::ARCH.to_owned(),
            cpus: cpus(),
            parallelism: measure_parallelism(),
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
        let cpus = match self.cpus {
            1 => "1 CPU".to_owned(),
            cpus => format!("{cpus} CPUs, {:.1} usable now", self.parallelism),
        };
        let rustc: Vec<&str> = self.rustc.split_whitespace().take(2).collect();
        format!(
            "{os} {} · {cpus} · {} · {}",
            self.arch,
            self.profile,
            rustc.join(" ")
        )
    }
}

fn cpus() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

#[cfg(target_os = "linux")]
fn load() -> Option<f64> {
    first_number(&fs::read_to_string("/proc/loadavg").ok()?)
}

#[cfg(not(target_os = "linux"))]
fn load() -> Option<f64> {
    None
}

#[cfg(any(target_os = "linux", test))]
fn first_number(text: &str) -> Option<f64> {
    text.split_whitespace().next()?.parse().ok()
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
/// ratio of their throughputs is the answer, from 1 to the number of CPUs. Each of five rounds
/// compares neighbouring windows, since the machine's speed may have changed by the next round; the
/// median counts. Takes about 120 ms, and no time where there is one CPU.
pub fn measure_parallelism() -> f64 {
    let threads = cpus().min(MOST_THREADS);
    if threads == 1 {
        return 1.0;
    }
    let rounds = (0..ROUNDS).map(|_| {
        let alone = chunks_done(1).max(1);
        let together = chunks_done(threads);
        together as f64 / alone as f64
    });
    // `clamp` is safe: `threads` is at least 2 here.
    median(rounds.collect()).clamp(1.0, threads as f64)
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

fn median(mut values: Vec<f64>) -> f64 {
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

/// The commit of the checkout that contains `folder`, read from git's files, without git.
fn commit_above(folder: &Path) -> Option<String> {
    let (checkout, dot_git) = folder
        .ancestors()
        .map(|folder| (folder, folder.join(".git")))
        .find(|(_, dot_git)| dot_git.exists())?;
    let git_dir = if dot_git.is_file() {
        // A linked worktree or a submodule: one line says where its git directory is.
        let pointer = fs::read_to_string(&dot_git).ok()?;
        checkout.join(pointer.trim().strip_prefix("gitdir:")?.trim())
    } else {
        dot_git
    };
    let head = fs::read_to_string(git_dir.join("HEAD")).ok()?;
    match head.trim().strip_prefix("ref:") {
        None => short_hash(head.trim()),
        Some(name) => resolve(&git_dir, name.trim()),
    }
}

/// The commit a branch points to. A worktree keeps its branches in the main checkout.
fn resolve(git_dir: &Path, name: &str) -> Option<String> {
    let shared: PathBuf = match fs::read_to_string(git_dir.join("commondir")) {
        Ok(relative) => git_dir.join(relative.trim()),
        Err(_) => git_dir.to_owned(),
    };
    // A loose file is newer than the same name among the packed ones.
    [git_dir, &shared]
        .iter()
        .find_map(|folder| fs::read_to_string(folder.join(name)).ok())
        .map_or_else(
            || packed(&fs::read_to_string(shared.join("packed-refs")).ok()?, name),
            |loose| short_hash(loose.trim()),
        )
}

fn packed(packed_refs: &str, name: &str) -> Option<String> {
    let (hash, _) = packed_refs
        .lines()
        .filter_map(|line| line.split_once(' '))
        .find(|(_, packed_name)| *packed_name == name)?;
    short_hash(hash)
}

fn short_hash(hash: &str) -> Option<String> {
    let whole = hash.len() >= 40 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    whole.then(|| hash[..9].to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    const HASH: &str = "0123456789abcdef0123456789abcdef01234567";
    const OTHER: &str = "fedcba9876543210fedcba9876543210fedcba98";

    /// A folder with these files; the name says the path, `/` between its parts.
    fn folder_with(files: &[(&str, &str)]) -> TempDir {
        let root = TempDir::new().expect("the system's temporary folder is writable");
        for (name, text) in files {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().expect("a file lies in a folder")).expect("writable");
            fs::write(path, text).expect("writable");
        }
        root
    }

    fn commit_in(files: &[(&str, &str)], inner: &str) -> Option<String> {
        let root = folder_with(files);
        commit_above(&root.path().join(inner))
    }

    #[test]
    fn a_branch_is_followed_from_a_folder_deep_inside() {
        let files = [
            (".git/HEAD", "ref: refs/heads/main\n"),
            (".git/refs/heads/main", &format!("{HASH}\n")),
            ("common/src/lib.rs", ""),
        ];
        assert_eq!(
            commit_in(&files, "common/src").as_deref(),
            Some("012345678")
        );
    }

    #[test]
    fn a_detached_head_is_its_own_commit() {
        let files = [(".git/HEAD", &*format!("{OTHER}\n"))];
        assert_eq!(commit_in(&files, "").as_deref(), Some("fedcba987"));
    }

    #[test]
    fn a_packed_branch_is_found_by_its_whole_name() {
        let packed_refs = format!(
            "# pack-refs with: peeled fully-peeled sorted \n\
             {OTHER} refs/heads/mainly\n{HASH} refs/heads/main\n^{OTHER}\n"
        );
        let files = [
            (".git/HEAD", "ref: refs/heads/main"),
            (".git/packed-refs", &packed_refs),
        ];
        assert_eq!(commit_in(&files, "").as_deref(), Some("012345678"));
    }

    #[test]
    fn a_loose_branch_wins_over_a_packed_one() {
        let files = [
            (".git/HEAD", "ref: refs/heads/main"),
            (".git/refs/heads/main", HASH),
            (".git/packed-refs", &*format!("{OTHER} refs/heads/main\n")),
        ];
        assert_eq!(commit_in(&files, "").as_deref(), Some("012345678"));
    }

    #[test]
    fn a_worktree_finds_its_branch_in_the_main_checkout() {
        let files = [
            ("tree/.git", "gitdir: ../main/.git/worktrees/tree\n"),
            ("main/.git/worktrees/tree/HEAD", "ref: refs/heads/topic\n"),
            ("main/.git/worktrees/tree/commondir", "../..\n"),
            ("main/.git/HEAD", OTHER),
            ("main/.git/refs/heads/topic", HASH),
        ];
        assert_eq!(commit_in(&files, "tree").as_deref(), Some("012345678"));
    }

    #[test]
    fn a_branch_without_a_commit_has_none() {
        let files = [(".git/HEAD", "ref: refs/heads/unborn\n")];
        assert_eq!(commit_in(&files, ""), None);
        let files = [(".git/HEAD", "not a hash\n")];
        assert_eq!(commit_in(&files, ""), None);
    }

    #[test]
    fn the_load_is_the_first_number() {
        assert_eq!(first_number("0.27 0.55 0.32 2/84 8004\n"), Some(0.27));
        assert_eq!(first_number(""), None);
    }

    #[test]
    fn the_median_ignores_one_wild_round() {
        assert_eq!(median(vec![1.9, 0.2, 2.0, 9.0, 1.8]), 1.9);
    }

    #[test]
    fn parallelism_lies_between_one_and_the_cpus() {
        let parallelism = measure_parallelism();
        assert!(
            (1.0..=cpus() as f64).contains(&parallelism),
            "{parallelism}"
        );
    }

    #[test]
    fn the_line_tells_the_machine_and_the_build() {
        let mut host = Host {
            os: "linux".to_owned(),
            arch: "x86_64".to_owned(),
            cpus: 2,
            parallelism: 1.87,
            load: None,
            profile: "dev profile".to_owned(),
            rustc: "rustc 1.95.0 (59807616e 2026-04-14)".to_owned(),
            commit: None,
        };
        assert_eq!(
            host.one_line(),
            "Linux x86_64 · 2 CPUs, 1.9 usable now · dev profile · rustc 1.95.0"
        );
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
            "parallelism",
            "load",
            "profile",
            "rustc",
            "commit",
        ] {
            assert!(names.contains(&name), "{name} is missing in {names:?}");
        }
        assert_eq!(names.len(), 8);
    }
}
