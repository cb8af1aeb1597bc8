//! What else decides how fast this process is: its share of the CPUs, and being stopped.

use crate::inherited::STOPPED;
use std::{fs, path::PathBuf, sync::atomic::Ordering, time::Duration};

/// CPU time above this that a quota withheld from a run says something about its times.
const NOTABLE: Duration = Duration::from_millis(5);

/// How many CPUs this process may run on at once: its affinity, and the quota is not taken off.
pub fn cpus() -> usize {
    #[cfg(target_os = "linux")]
    {
        use nix::{
            sched::{CpuSet, sched_getaffinity},
            unistd::Pid,
        };
        if let Ok(set) = sched_getaffinity(Pid::from_raw(0)) {
            let allowed = (0..CpuSet::count()).filter(|cpu| set.is_set(*cpu).unwrap_or(false));
            return allowed.count().max(1);
        }
    }
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// How many CPUs' worth of time the container's quota allows; `None` without a quota.
pub fn quota() -> Option<f64> {
    let quota_1 = || in_group("cpu", "cpu.cfs_quota_us");
    let of_version_1 = || Some(quota_1()? + " " + &in_group("cpu", "cpu.cfs_period_us")?);
    let text = in_group("", "cpu.max").or_else(of_version_1)?;
    let mut numbers = text.split_whitespace().map(str::parse::<f64>);
    let cpus = numbers.next()?.ok()? / numbers.next()?.ok()?;
    (cpus > 0.0).then_some(cpus)
}

/// What has happened to this process so far, to be compared before and after a run.
#[derive(Clone, Copy, Debug)]
pub struct Surroundings {
    withheld: Duration,
}

impl Surroundings {
    /// Looks now, and from now on notices when the process is stopped and continued.
    pub fn now() -> Self {
        STOPPED.store(false, Ordering::SeqCst);
        let withheld = withheld();
        Self { withheld }
    }

    /// What has disturbed the process since, in words; `None` if nothing did that can be seen.
    pub fn disturbed(self) -> Option<String> {
        if STOPPED.load(Ordering::SeqCst) {
            return Some("a process of the program was stopped for a while meanwhile".into());
        }
        let held = withheld().saturating_sub(self.withheld);
        let quota = quota().unwrap_or_default();
        (held > NOTABLE).then(|| {
            let ms = held.as_millis();
            format!("the quota of {quota:.1} CPUs held its threads back for {ms} ms in all")
        })
    }
}

/// For how long the quota has held back the threads of this process's group.
fn withheld() -> Duration {
    let number = |group: &str, name: &str| {
        let text = in_group(group, "cpu.stat")?;
        let value = text.lines().find_map(|line| line.strip_prefix(name))?;
        value.trim().parse().ok()
    };
    let microseconds = number("", "throttled_usec ").map(Duration::from_micros);
    let found = microseconds.or_else(|| number("cpu", "throttled_time ").map(Duration::from_nanos));
    found.unwrap_or_default()
}

/// A file of this process's control group: of version 2 under no name, of version 1 by controller.
pub(crate) fn in_group(controller: &str, file: &str) -> Option<String> {
    let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
    let path = groups.lines().find_map(|line| {
        let (names, path) = line.split_once(':')?.1.split_once(':')?;
        let is_its = names.split(',').any(|name| name == controller);
        is_its.then(|| path.trim_start_matches('/').to_owned())
    })?;
    let root = PathBuf::from("/sys/fs/cgroup").join(controller);
    let read = |folder: PathBuf| fs::read_to_string(folder.join(file)).ok();
    // In a container the group is the root of what can be seen.
    read(root.join(path)).or_else(|| read(root))
}
