//! The limit behind a refusal.

use super::probes::{
    address_space, cgroup, number_in, rlimit_address_space, user_processes, user_threads,
};
use common::format;

/// The limit behind an error of a socket; `None` where it was no limit.
pub(crate) fn why_no_socket(code: Option<i32>) -> Option<String> {
    #[cfg(unix)]
    {
        use nix::errno::Errno;
        match Errno::from_raw(code?) {
            Errno::EMFILE => Some("open files of this process (ulimit -n)".into()),
            Errno::ENFILE => Some("open files of the whole system".into()),
            Errno::EADDRNOTAVAIL => Some("local ports: all in use".into()),
            Errno::ENOBUFS | Errno::ENOMEM => Some("memory for sockets".into()),
            _ => None,
        }
    }
    #[cfg(not(unix))]
    code.and(None)
}

/// Room that one more thread needs in the address space, with what the allocator takes for it.
const ONE_MORE_BYTES: u64 = 16 * 1024 * 1024;

/// Which limit forbids one more thread, as far as it can be seen while it does.
pub(crate) fn why_no_thread() -> String {
    let spent = cgroup("pids.max").zip(cgroup("pids.current"));
    if let Some((most, now)) = spent
        && now >= most
    {
        return format!("the cgroup's pids.max is {}", format::count(most));
    }
    if let Some(most) = rlimit_address_space()
        && address_space().is_some_and(|left| left < ONE_MORE_BYTES)
    {
        return format!(
            "address space (ulimit -v) is {}",
            format::bytes(most as f64)
        );
    }
    let processes = user_processes();
    if let Some(most) = processes
        && user_threads().is_some_and(|now| now >= most)
    {
        return format!("max user processes (ulimit -u) is {}", format::count(most));
    }
    let kernel = |name: &str| number_in(format!("/proc/sys/kernel/{name}"));
    let others = [
        ("ulimit -u", processes),
        ("kernel.threads-max", kernel("threads-max")),
        ("kernel.pid_max", kernel("pid_max")),
    ];
    let known = others
        .into_iter()
        .filter_map(|(name, most)| Some((name, most?)));
    let known = known.map(|(name, most)| format!("{name} is {}", format::count(most)));
    let known = known.collect::<Vec<_>>().join(", ");
    match known.as_str() {
        "" => "the system does not say by which limit".into(),
        _ => format!("the system does not say by which limit; {known}"),
    }
}
