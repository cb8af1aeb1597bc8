//! The path: every step in order, with its question and its flags for a quick pace.

/// One step of the path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stop {
    /// The package, whose name is also that of its binary and its folder.
    pub package: &'static str,
    /// Minutes on film.
    pub minutes: u32,
    /// The question that it answers.
    pub question: &'static str,
    /// The flags that make it quick.
    pub quick: &'static [&'static str],
}

/// The half of the path that a step belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Wing {
    /// Four bite-sized steps
    Basics,
    /// The fuller demonstrations
    Lab,
}

/// All steps in the order in which to walk them.
pub const PATH: [Stop; 14] = [
    stop(
        "basics-0-sequential",
        3,
        "how long is one slow loop?",
        &["--scale", "2"],
    ),
    stop(
        "basics-1-multiprocess",
        4,
        "what changes with a process pool?",
        &["--scale", "2"],
    ),
    stop(
        "basics-2-single-threaded",
        2,
        "four requests, one after another",
        &["--delay", "0.3"],
    ),
    stop(
        "basics-3-multi-threaded",
        3,
        "the same four, overlapping",
        &["--delay", "0.3"],
    ),
    stop(
        "lab-01-sequential-fetch",
        3,
        "URL #1 … still waiting …",
        &["--delay", "0.2"],
    ),
    stop(
        "lab-02-threaded-fetch",
        3,
        "one thread per URL",
        &["--delay", "0.2"],
    ),
    stop(
        "lab-03-gil-threads",
        5,
        "do threads help CPU work?",
        &["--rounds", "1"],
    ),
    stop(
        "lab-04-gil-processes",
        4,
        "what do processes cost and buy?",
        &["--rounds", "1"],
    ),
    stop(
        "lab-05-thread-pool-downloader",
        4,
        "a cleaner abstraction, with a progress bar",
        &["--delay", "0.2"],
    ),
    stop(
        "lab-06-race-condition",
        4,
        "expected against got",
        &["--trials", "5"],
    ),
    stop("lab-07-locks", 4, "lock and queue", &["--rounds", "3"]),
    stop(
        "lab-08-async-downloader",
        4,
        "the threading idea as tasks",
        &["--delay", "0.2"],
    ),
    stop(
        "lab-09-async-http-downloader",
        5,
        "limits and retries",
        &["--delay", "0.2"],
    ),
    stop(
        "lab-10-hybrid-pipeline",
        6,
        "async fetch + process-pool parse",
        &[],
    ),
];

const fn stop(
    package: &'static str,
    minutes: u32,
    question: &'static str,
    quick: &'static [&'static str],
) -> Stop {
    Stop {
        package,
        minutes,
        question,
        quick,
    }
}

impl Stop {
    /// The wing that it belongs to.
    pub fn wing(&self) -> Wing {
        if self.package.starts_with("basics-") {
            Wing::Basics
        } else {
            Wing::Lab
        }
    }

    /// The folder, from the top of the repository.
    pub fn folder(&self) -> String {
        self.package.replacen('-', "/", 1)
    }
}

/// The step that `word` names: `07`, `7`, `basics-1`, `lab-07`, or a package in full.
pub fn find(word: &str) -> Option<&'static Stop> {
    let number = word
        .parse::<u8>()
        .ok()
        .map(|number| format!("lab-{number:02}"));
    let start = number.as_deref().unwrap_or(word);
    PATH.iter().find(|stop| {
        stop.package == start
            || stop
                .package
                .strip_prefix(start)
                .is_some_and(|rest| rest.starts_with('-') && start.contains('-'))
    })
}

/// The steps of a wing, or all.
pub fn stops(only: Option<Wing>) -> Vec<&'static Stop> {
    PATH.iter()
        .filter(|stop| only.is_none_or(|wing| wing == stop.wing()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_found_by_number_by_short_name_and_by_package() {
        let seven = find("lab-07-locks");
        assert_eq!(seven.map(|stop| stop.package), Some("lab-07-locks"));
        assert_eq!(find("07"), seven);
        assert_eq!(find("7"), seven);
        assert_eq!(find("lab-07"), seven);
        assert_eq!(
            find("basics-1").map(|stop| stop.package),
            Some("basics-1-multiprocess")
        );
        for nothing in ["", "lab", "99", "lab-0", "locks", "basics", "--"] {
            assert_eq!(find(nothing), None, "{nothing}");
        }
    }

    #[test]
    fn the_wings_make_up_the_path() {
        let (basics, lab) = (stops(Some(Wing::Basics)), stops(Some(Wing::Lab)));
        assert_eq!(basics.len(), 4);
        assert_eq!(basics.len() + lab.len(), stops(None).len());
    }

    #[test]
    fn a_folder_is_the_package_with_its_wing_in_front() {
        assert_eq!(PATH[0].folder(), "basics/0-sequential");
        assert_eq!(PATH[13].folder(), "lab/10-hybrid-pipeline");
    }
}
