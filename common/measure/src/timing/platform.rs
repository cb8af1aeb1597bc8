//! What a Unix system tells about this process.

use super::Usage;
#[cfg(target_os = "linux")]
use crate::limits::kilobytes_in;
use nix::sys::{
    resource::{UsageWho, getrusage},
    time::TimeVal,
};
use std::{ffi::c_long, time::Duration};

pub(super) fn usage() -> Usage {
    let (usage, max_rss) = of(UsageWho::RUSAGE_SELF);
    Usage {
        peak_rss_bytes: peak(max_rss),
        ..usage
    }
}

/// What the calling thread alone has used; nothing where the platform does not tell.
#[cfg(target_os = "linux")]
pub(super) fn thread_usage() -> Usage {
    of(UsageWho::RUSAGE_THREAD).0
}

#[cfg(not(target_os = "linux"))]
pub(super) fn thread_usage() -> Usage {
    Usage::NOTHING
}

/// What `getrusage` tells, and apart from it its peak of memory.
fn of(who: UsageWho) -> (Usage, c_long) {
    let Ok(used) = getrusage(who) else {
        return (Usage::NOTHING, 0);
    };
    let usage = Usage {
        cpu_user: duration(used.user_time()),
        cpu_system: duration(used.system_time()),
        voluntary_switches: u64::try_from(used.voluntary_context_switches()).ok(),
        involuntary_switches: u64::try_from(used.involuntary_context_switches()).ok(),
        peak_rss_bytes: None,
    };
    (usage, used.max_rss())
}

fn duration(time: TimeVal) -> Duration {
    let seconds = u64::try_from(time.tv_sec()).unwrap_or(0);
    let micros = u64::try_from(time.tv_usec()).unwrap_or(0);
    Duration::from_secs(seconds) + Duration::from_micros(micros)
}

/// `getrusage` knows the peak too, but on Linux nothing resets that one.
#[cfg(target_os = "linux")]
fn peak(max_rss: c_long) -> Option<u64> {
    let from_proc = kilobytes_in("/proc/self/status", "VmHWM:");
    from_proc.or_else(|| u64::try_from(max_rss).ok()?.checked_mul(1024))
}

#[cfg(not(target_os = "linux"))]
fn peak(max_rss: c_long) -> Option<u64> {
    // Apple's kernel counts bytes, the others KiB.
    let unit_bytes = if cfg!(target_vendor = "apple") {
        1
    } else {
        1024
    };
    u64::try_from(max_rss).ok()?.checked_mul(unit_bytes)
}
