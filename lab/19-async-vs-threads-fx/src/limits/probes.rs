//! What the system tells of its limits.

use std::{fs, path::Path};

/// How many threads this process's user has.
pub(super) fn user_threads() -> Option<u64> {
    let status = |process: &Path| fs::read_to_string(process.join("status")).ok();
    let line = |status: &str, key: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(key))?;
        line.split_whitespace().next()?.parse::<u64>().ok()
    };
    let own = line(&status(Path::new("/proc/self"))?, "Uid:")?;
    let all = fs::read_dir("/proc").ok()?.flatten();
    let all = all.filter_map(|process| status(&process.path()));
    let same = all.filter(|status| line(status, "Uid:") == Some(own));
    Some(same.filter_map(|status| line(&status, "Threads:")).sum())
}

/// How many processes and threads a user may have.
pub(super) fn user_processes() -> Option<u64> {
    #[cfg(any(target_os = "linux", target_os = "macos"))]
    {
        use nix::sys::resource::{Resource, getrlimit};
        finite(getrlimit(Resource::RLIMIT_NPROC).ok()?.0)
    }
    #[cfg(not(any(target_os = "linux", target_os = "macos")))]
    None
}

pub(super) fn rlimit_address_space() -> Option<u64> {
    #[cfg(target_os = "linux")]
    {
        use nix::sys::resource::{Resource, getrlimit};
        finite(getrlimit(Resource::RLIMIT_AS).ok()?.0)
    }
    #[cfg(not(target_os = "linux"))]
    None
}

/// What is left of the limit on address space.
pub(super) fn address_space() -> Option<u64> {
    let used = kilobytes_in("/proc/self/status", "VmSize:").unwrap_or(0);
    Some(rlimit_address_space()?.saturating_sub(used))
}

#[cfg(unix)]
fn finite(limit: u64) -> Option<u64> {
    // "Unlimited" is the largest number of all, or a little less on some systems.
    (limit < u64::MAX / 2).then_some(limit)
}

pub(super) fn local_ports() -> Option<u64> {
    let range = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").ok()?;
    let mut ends = range.split_whitespace().map(|end| end.parse::<u64>().ok());
    let (least, most) = (ends.next()??, ends.next()??);
    Some((most + 1).saturating_sub(least))
}

/// The less of what the machine has available and what is left of the container's share.
pub(super) fn memory() -> Option<u64> {
    let machine = kilobytes_in("/proc/meminfo", "MemAvailable:");
    let share = cgroup("memory.max").zip(cgroup("memory.current"));
    let share = share.map(|(most, now)| most.saturating_sub(now));
    machine.into_iter().chain(share).min()
}

/// The number in a file of this process's cgroup (version 2, or the controller of version 1).
pub(super) fn cgroup(file: &str) -> Option<u64> {
    let controller = file.split('.').next()?;
    let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
    groups.lines().find_map(|line| {
        let mut parts = line.splitn(3, ':').skip(1);
        let (controllers, path) = (parts.next()?, parts.next()?.trim_start_matches('/'));
        let root = Path::new("/sys/fs/cgroup");
        match controllers {
            "" => number_in(root.join(path).join(file)).or_else(|| number_in(root.join(file))),
            _ if controllers.split(',').any(|one| one == controller) => {
                number_in(root.join(controller).join(path).join(file))
            }
            _ => None,
        }
    })
}

/// The number that a file holds; `None` for `max`, and for no file.
pub(super) fn number_in(path: impl AsRef<Path>) -> Option<u64> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

fn kilobytes_in(path: &str, key: &str) -> Option<u64> {
    let text = fs::read_to_string(path).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(key))?;
    let kilobytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kilobytes * 1024)
}
