//! What this machine allows: open files, threads, ports, memory, and which of them forbids a row.

mod probes;
mod refusals;

pub(crate) use refusals::{why_no_socket, why_no_thread};

use common::format;
use measure::host::raise_open_files;
use probes::{address_space, cgroup, local_ports, memory};
use std::thread::available_parallelism;

/// Descriptors that are in use for other things.
const FILES_IN_USE: u64 = 32;

/// What a request in flight costs in memory, both ends and the system's part; a generous guess.
const THREAD_BYTES: u64 = 64 * 1024;
const TASK_BYTES: u64 = 24 * 1024;

/// Address space of a thread beyond its stack: a guard page, and a stack for signal handlers.
const BESIDE_STACK_BYTES: u64 = 32 * 1024;

/// Address space that the allocator may reserve for a thread, for so many threads per CPU.
const ARENA_BYTES: u64 = 64 * 1024 * 1024;
const ARENAS_PER_CPU: u64 = 8;

/// What this process may use; `None` where there is no limit, or the platform does not tell.
#[derive(Clone, Copy, Debug, Default)]
pub struct Machine {
    /// Open files of a process.
    pub open_files: Option<u64>,
    /// Ports for outgoing connections.
    pub local_ports: Option<u64>,
    /// Threads that the container may still start.
    pub free_pids: Option<u64>,
    /// Memory that is free or can be freed.
    pub memory_bytes: Option<u64>,
    /// Address space of a process.
    pub address_bytes: Option<u64>,
}

impl Machine {
    /// Looks at the machine as it is now, with the limit of open files raised as far as it goes.
    pub fn inspect() -> Self {
        Self {
            open_files: raise_open_files(),
            local_ports: local_ports(),
            free_pids: cgroup("pids.max")
                .zip(cgroup("pids.current"))
                .map(|(most, now)| most.saturating_sub(now)),
            memory_bytes: memory(),
            address_bytes: address_space(),
        }
    }

    /// The limit that forbids `at_once` requests in flight; `stack_bytes` of each thread, if any.
    pub fn forbids(&self, at_once: usize, stack_bytes: Option<usize>) -> Option<String> {
        let at_once = at_once as u64;
        let files = at_once + FILES_IN_USE;
        let threads = stack_bytes.map(|_| at_once);
        let cost = if stack_bytes.is_some() {
            THREAD_BYTES
        } else {
            TASK_BYTES
        };
        // Generous: where the space ends between a thread's stack and what belongs to it, the
        // standard library can only abort.
        let cpus = available_parallelism().map_or(1, |cpus| cpus.get() as u64);
        let arenas = ARENA_BYTES * (2 + at_once.min(ARENAS_PER_CPU * cpus));
        let stacks =
            stack_bytes.map(|stack| at_once * (stack as u64 + BESIDE_STACK_BYTES) + arenas);
        let count = format::count;
        let bytes = |value: u64| format!("about {}", format::bytes(value as f64));
        let needs = [
            (
                "open files (ulimit -n)",
                Some(files),
                self.open_files,
                count as fn(u64) -> String,
            ),
            ("local ports", Some(at_once), self.local_ports, count),
            ("threads (cgroup pids.max)", threads, self.free_pids, count),
            ("memory", Some(at_once * cost), self.memory_bytes, bytes),
            (
                "address space (ulimit -v)",
                stacks,
                self.address_bytes,
                bytes,
            ),
        ];
        needs.into_iter().find_map(|(name, needed, allowed, show)| {
            let (needed, allowed) = needed.zip(allowed)?;
            (needed > allowed)
                .then(|| format!("{name}: {} needed, {} allowed", show(needed), show(allowed)))
        })
    }
}
