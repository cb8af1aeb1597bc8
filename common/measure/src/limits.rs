//! What this machine allows a process: threads, open files, ports, memory.

use crate::{host::raise_open_files, surroundings::in_group};
use std::{fs, str::FromStr, thread::available_parallelism};

/// A limit by its name; in bytes where the name says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// What it is called.
    pub name: &'static str,
    /// Its value.
    pub value: u64,
}

/// Descriptors that are in use for other things.
const FILES_IN_USE: u64 = 32;
/// What a thread or a socket that waits takes in memory, the system's part included: generous guesses.
const THREAD_BYTES: u64 = 64 * 1024;
const SOCKET_BYTES: u64 = 24 * 1024;
/// Memory mappings of a thread (a stack, one for its signals, a guard page below each), and others.
const MAPPINGS_PER_THREAD: u64 = 4;
const MAPPINGS_BESIDE: u64 = 500;
/// Address space of a thread beyond its stack: a guard page, and a stack for signal handlers.
const BESIDE_STACK_BYTES: u64 = 32 * 1024;
/// Address space that the allocator may reserve for a thread, for so many threads per CPU.
const ARENA_BYTES: u64 = 64 * 1024 * 1024;
const ARENAS_PER_CPU: u64 = 8;

/// The limit that allows the fewest more threads, and how many; `None` where none is known.
///
/// A thread may find no memory in mid-start, or the program none for a few bytes more: neither is an
/// error that is handed back, both are the end of the process. So a program had better ask before.
pub fn threads_allowed(stack_bytes: usize) -> Option<Limit> {
    let per_thread = stack_bytes as u64 + BESIDE_STACK_BYTES;
    let cpus = available_parallelism().map_or(1, |cpus| cpus.get() as u64);
    let arenas = ARENA_BYTES * (2 + ARENAS_PER_CPU * cpus);
    let addresses = address_space_left().map(|left| {
        // Few threads do not take all arenas.
        let few = left.saturating_sub(2 * ARENA_BYTES) / (per_thread + ARENA_BYTES);
        few.max(left.saturating_sub(arenas) / per_thread)
    });
    let memory = memory_left().map(|bytes| bytes / THREAD_BYTES);
    least([
        ("threads (cgroup pids.max)", cgroup_left("pids")),
        ("threads within mappings (vm.max_map_count)", mappings()),
        ("threads within address space (ulimit -v)", addresses),
        ("threads within memory", memory),
    ])
}

/// The limit that allows the fewest more sockets, and how many; raises that of open files.
pub fn sockets_allowed() -> Option<Limit> {
    let files = raise_open_files().map(|files| files.saturating_sub(FILES_IN_USE));
    let memory = memory_left().map(|bytes| bytes / SOCKET_BYTES);
    least([
        ("open files (ulimit -n)", files),
        ("local ports", local_ports()),
        ("sockets within memory", memory),
    ])
}

fn least<const N: usize>(limits: [(&'static str, Option<u64>); N]) -> Option<Limit> {
    let limits = limits.into_iter();
    let known = limits.filter_map(|(name, value)| value.map(|value| Limit { name, value }));
    known.min_by_key(|limit| limit.value)
}

fn address_space_left() -> Option<u64> {
    let used = kilobytes_in("/proc/self/status", "VmSize:").unwrap_or(0);
    // Unlimited is no number.
    let limit: u64 = number_behind("Max address space", "/proc/self/limits")?;
    Some(limit.saturating_sub(used))
}

fn mappings() -> Option<u64> {
    let mappings: u64 = number_behind("", "/proc/sys/vm/max_map_count")?;
    Some(mappings.saturating_sub(MAPPINGS_BESIDE) / MAPPINGS_PER_THREAD)
}

fn local_ports() -> Option<u64> {
    let range = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").ok()?;
    let (least, most) = range.trim().split_once(char::is_whitespace)?;
    let (least, most): (u64, u64) = (least.parse().ok()?, most.trim().parse().ok()?);
    Some((most + 1).saturating_sub(least))
}

/// The less of what the machine has available and what is left of the container's share.
fn memory_left() -> Option<u64> {
    let machine = kilobytes_in("/proc/meminfo", "MemAvailable:");
    machine.into_iter().chain(cgroup_left("memory")).min()
}

/// What is left of a share of this process's control group, version 2.
fn cgroup_left(controller: &str) -> Option<u64> {
    let number = |what| -> Option<u64> {
        let text = in_group("", &format!("{controller}.{what}"))?;
        text.trim().parse().ok()
    };
    Some(number("max")?.saturating_sub(number("current")?))
}

/// The kB that follow `key` in the line of a file that begins with it, in bytes.
pub fn kilobytes_in(path: &str, key: &str) -> Option<u64> {
    Some(number_behind::<u64>(key, path)? * 1024)
}

/// The number that follows `key` in the line of a file that begins with it.
pub(crate) fn number_behind<T: FromStr>(key: &str, path: &str) -> Option<T> {
    let text = fs::read_to_string(path).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(key))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_limit_counts_and_an_unknown_one_does_not() {
        let found = least([("a", None), ("b", Some(7)), ("c", Some(3))]);
        assert_eq!(
            found,
            Some(Limit {
                name: "c",
                value: 3
            })
        );
        assert_eq!(least([("a", None)]), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_number_is_found_by_what_its_line_begins_with() {
        assert!(kilobytes_in("/proc/self/status", "VmHWM:") > Some(0));
        assert!(number_behind("", "/proc/loadavg") >= Some(0.0));
        assert_eq!(number_behind::<u64>("Name:", "/proc/self/status"), None);
        assert_eq!(number_behind::<u64>("", "/proc/nothing"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn larger_stacks_leave_room_for_no_more_threads() {
        let allowed = |stack| threads_allowed(stack).expect("Linux reports some").value;
        assert!(allowed(8 << 20) <= allowed(16 << 10));
    }
}
