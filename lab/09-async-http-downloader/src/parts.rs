//! The variants of this step, and what is said of each.

use super::flags::Args;
use common::{Lab, format};
use lab_09_async_http_downloader::{Downloads, PermitUse};
use network::lesson;
use std::time::Duration;

/// A variant of this step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// The lab's server without faults.
    Calm,
    /// A host of the reader's choice.
    Yours,
    /// A server with faults, and permits kept in back-offs.
    Kept,
    /// The same server, and permits given back.
    Released,
}

impl Part {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Calm => "calm",
            Self::Yours => "yours",
            Self::Kept => "kept",
            Self::Released => "released",
        }
    }

    pub(crate) fn permit_use(self) -> PermitUse {
        match self {
            Self::Kept => PermitUse::Request,
            Self::Calm | Self::Yours | Self::Released => PermitUse::Attempt,
        }
    }

    pub(crate) fn has_faults(self) -> bool {
        matches!(self, Self::Kept | Self::Released)
    }
}

/// What is about to happen.
pub(crate) fn say_begin(args: &Args, lab: &Lab, part: Part, count: usize) {
    let use_of_permits = match part.permit_use() {
        PermitUse::Attempt => "given back in rests",
        PermitUse::Request => "kept in rests",
    };
    let faults = match part {
        Part::Calm => "no faults".into(),
        Part::Yours => "faults as they come".into(),
        Part::Kept | Part::Released => format!("1 arrival of {} fails", args.faults),
    };
    lab.say(format!(
        "{}: requests {count}, permits {} ({use_of_permits}), {faults} …",
        part.name(),
        args.limit
    ));
}

/// Each request with its attempts, and the books.
pub(crate) fn say_end(lab: &Lab, part: Part, downloads: &Downloads) {
    let name = part.name();
    for one in &downloads.requests {
        let line = lesson::line(one.number, &one.fetched);
        let attempts: Vec<&str> = one.attempts.iter().map(|one| &*one.outcome).collect();
        let rested: Duration = one.back_offs().map(|rest| rest.lasted).sum();
        let rested = match rested {
            Duration::ZERO => String::new(),
            rested => format!("; rested {}", format::seconds(rested)),
        };
        lab.say(format!("{line}; attempts: {}{rested}", attempts.join(", ")));
    }
    let tally = downloads.tally();
    lab.say(format!(
        "{name}: submitted {} = ok {} + failed {}; retried {}",
        tally.submitted, tally.done, tally.failed, tally.retried
    ));
    lesson::say_elapsed(lab, &[name]);
    if part.has_faults() && tally.failed > 0 {
        lab.say(format!(
            "{name}: the server was told to fail here, so failed requests do not fail the run"
        ));
    }
}
