//! How many threads this machine allows, as far as it tells.

use serde::Serialize;
use std::fs;

/// A thread of Rust needs this many memory mappings at most: a stack, one for its signals, and a
/// guard page below each.
const MAPPINGS_PER_THREAD: u64 = 4;
/// Mappings that the program itself has, and then some.
const MAPPINGS_BESIDE: u64 = 500;

/// A limit of this machine on the number of threads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Limit {
    /// What it is called.
    pub name: &'static str,
    /// Its value, in threads where it counts those.
    pub value: u64,
}

/// Limits that a program had better not meet.
///
/// A thread may find no memory in mid-start, or the program none for a few bytes more: neither is
/// an error that is handed back, both are the end of the process. So the crowd stops short of them.
pub(crate) struct Room {
    threads: Option<u64>,
    address_space_bytes: Option<u64>,
}

impl Room {
    /// The room of this process.
    pub(crate) fn left() -> Self {
        let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
        Self {
            threads: mappings_limit().map(threads_within_mappings),
            address_space_bytes: soft_limit(&limits, ADDRESS_SPACE),
        }
    }

    /// Why there had better be no more than `threads`.
    pub(crate) fn ends_at(&self, threads: u64) -> Option<&'static str> {
        if self.threads.is_some_and(|room| threads >= room) {
            return Some("stopped short of the limit of memory mappings");
        }
        // The last quarter is for whatever else is in need of memory.
        let room = self.address_space_bytes? / 4 * 3;
        (address_space_in_use()? > room).then_some("stopped short of the limit of address space")
    }
}

fn address_space_in_use() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmSize:"))?;
    let kibibytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kibibytes * 1024)
}

const ADDRESS_SPACE: &str = "Max address space";

/// The limits that this machine tells of; empty where it tells none.
pub fn limits_on_threads() -> Vec<Limit> {
    let own = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let limit = |name, value: Option<u64>| {
        Some(Limit {
            name,
            value: value?,
        })
    };
    [
        limit(
            "processes and threads of this user (ulimit -u)",
            soft_limit(&own, "Max processes"),
        ),
        limit(
            "address space in bytes (ulimit -v)",
            soft_limit(&own, ADDRESS_SPACE),
        ),
        limit(
            "tasks in this control group (pids.max)",
            read_number(&format!("/sys/fs/cgroup{}/pids.max", control_group())),
        ),
        limit(
            "threads in the system (kernel.threads-max)",
            read_number("/proc/sys/kernel/threads-max"),
        ),
        limit(
            "threads that memory mappings suffice for (vm.max_map_count)",
            mappings_limit().map(threads_within_mappings),
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn mappings_limit() -> Option<u64> {
    read_number("/proc/sys/vm/max_map_count")
}

fn threads_within_mappings(mappings: u64) -> u64 {
    mappings.saturating_sub(MAPPINGS_BESIDE) / MAPPINGS_PER_THREAD
}

/// The soft limit in a line of `/proc/self/limits`; `None` where it is unlimited.
fn soft_limit(limits: &str, name: &str) -> Option<u64> {
    let line = limits.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

/// The path of this process's control group, as version 2 tells it.
fn control_group() -> String {
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let path = groups.lines().find_map(|line| line.strip_prefix("0::"));
    path.unwrap_or_default().trim_end_matches('/').to_owned()
}

fn read_number(path: &str) -> Option<u64> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_soft_limit_is_the_first_number_and_unlimited_is_none() {
        let limits = "Limit                     Soft Limit           Hard Limit           Units     \n\
                      Max processes             4096                 96343                processes \n\
                      Max address space         unlimited            unlimited            bytes     \n";
        assert_eq!(soft_limit(limits, "Max processes"), Some(4096));
        assert_eq!(soft_limit(limits, "Max address space"), None);
        assert_eq!(soft_limit(limits, "Max pending signals"), None);
    }

    #[test]
    fn a_crowd_stops_short_of_what_no_program_survives() {
        let room = |threads, address_space_bytes| Room {
            threads,
            address_space_bytes,
        };
        assert_eq!(room(Some(3), None).ends_at(2), None);
        assert!(room(Some(3), None).ends_at(3).is_some());
        assert_eq!(room(None, Some(u64::MAX)).ends_at(3), None);
        #[cfg(target_os = "linux")]
        assert!(room(None, Some(4096)).ends_at(0).is_some());
    }

    #[test]
    fn mappings_are_shared_out_to_threads() {
        assert_eq!(threads_within_mappings(65_530), 16_257);
        assert_eq!(threads_within_mappings(100), 0);
    }
}
