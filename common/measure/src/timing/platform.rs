//! What the system reports of this process; nothing outside of Unix.

use super::Usage;
#[cfg(unix)]
use {
    nix::sys::{
        resource::{UsageWho, getrusage},
        time::{TimeVal, TimeValLike},
    },
    std::time::Duration,
};

#[cfg(unix)]
pub(super) fn usage() -> Usage {
    let used = of(UsageWho::RUSAGE_SELF);
    // `getrusage` knows the peak too, but on Linux nothing resets that one.
    let peak = crate::limits::kilobytes_in("/proc/self/status", "VmHWM:");
    Usage {
        peak_rss_bytes: peak.or(used.peak_rss_bytes),
        ..used
    }
}

#[cfg(not(unix))]
pub(super) fn usage() -> Usage {
    Usage::default()
}

/// What the calling thread alone has used, as far as the platform reports it; memory is nobody's own.
pub(super) fn thread_usage() -> Usage {
    #[cfg(target_os = "linux")]
    let used = of(UsageWho::RUSAGE_THREAD);
    #[cfg(not(target_os = "linux"))]
    let used = Usage::default();
    Usage {
        peak_rss_bytes: None,
        ..used
    }
}

#[cfg(unix)]
fn of(who: UsageWho) -> Usage {
    let Ok(used) = getrusage(who) else {
        return Usage::default();
    };
    let time = |time: TimeVal| Duration::from_micros(time.num_microseconds() as u64);
    // Apple's kernel counts bytes, the others KiB.
    let unit_bytes = if cfg!(target_vendor = "apple") {
        1
    } else {
        1024
    };
    Usage {
        cpu_user: time(used.user_time()),
        cpu_system: time(used.system_time()),
        voluntary_switches: u64::try_from(used.voluntary_context_switches()).ok(),
        involuntary_switches: u64::try_from(used.involuntary_context_switches()).ok(),
        peak_rss_bytes: u64::try_from(used.max_rss() * unit_bytes).ok(),
    }
}
