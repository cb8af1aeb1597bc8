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

/// The part of the path that a step belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Wing {
    /// Four bite-sized steps
    Basics,
    /// The fuller demonstrations, `lab-01` to `lab-10`
    Lab,
    /// The same ideas taken apart, `lab-11` to `lab-19`
    Advanced,
}

macro_rules! path {
    ($($package:literal $minutes:literal $question:literal $($flag:literal)+;)+) => {
        [$(Stop { package: $package, minutes: $minutes, question: $question, quick: &[$($flag),+] }),+]
    };
}

/// All steps in the order in which to walk them.
pub const PATH: [Stop; 23] = path! {
    "basics-0-sequential" 3 "how long is one slow loop?" "--scale" "2";
    "basics-1-multiprocess" 4 "what changes with a process pool?" "--scale" "1";
    "basics-2-single-threaded" 2 "four requests, one after another" "--delay" "0.3";
    "basics-3-multi-threaded" 3 "the same four, overlapping" "--delay" "0.3";
    "lab-01-sequential-fetch" 3 "URL #1 … still waiting …" "--delay" "0.2";
    "lab-02-threaded-fetch" 3 "one thread per URL" "--delay" "0.2";
    "lab-05-thread-pool-downloader" 4 "a cleaner abstraction, with a progress bar" "--delay" "0.2";
    "lab-03-gil-threads" 5 "do threads help CPU work?" "--scale" "5";
    "lab-04-gil-processes" 4 "what do processes cost and buy?" "--rounds" "1";
    "lab-06-race-condition" 4 "expected against got" "--trials" "5";
    "lab-07-locks" 4 "lock and queue" "--rounds" "3";
    "lab-08-async-downloader" 4 "the threading idea as tasks" "--delay" "0.2";
    "lab-09-async-http-downloader" 5 "limits and retries" "--delay" "0.3";
    "lab-10-hybrid-pipeline" 6 "async fetch + process-pool parse" "--rounds" "3" "--pages" "24";
    "lab-11-threads-basics" 4 "start, interleave, join" "--delay" "0.05";
    "lab-12-race-conditions" 7 "how often, and why?" "--trials" "4";
    "lab-13-locks-and-rlock" 7 "Lock, RLock and their cost" "--increments" "1_000_000";
    "lab-14-queue-producer-consumer" 6 "a queue between threads" "--shortest" "0.002" "--longest" "0.01";
    "lab-15-thread-pool-executor" 6 "pool or threads by hand?" "--rounds" "3" "--many" "1_000";
    "lab-16-processes-vs-threads" 6 "which for CPU, which for I/O?" "--work" "2_000_000" "--rounds" "3";
    "lab-17-async-basics" 7 "sequential await or concurrent?" "--delay" "0.1" "--block" "0.2";
    "lab-18-async-producer-consumer" 6 "backpressure, cooperation" "--make" "0.001" "--least" "0.005" "--most" "0.015" "--work" "50_000_000";
    "lab-19-async-vs-threads-fx" 6 "where does async shine, and where not?" "--sweep" "10,100" "--rounds" "3" "--paths" "30_000_000";
};

impl Stop {
    /// The wing that it belongs to.
    pub fn wing(&self) -> Wing {
        match self.package.strip_prefix("lab-") {
            None => Wing::Basics,
            Some(rest) if rest < "11" => Wing::Lab,
            Some(_) => Wing::Advanced,
        }
    }

    /// The folder, from the top of the repository.
    pub fn folder(&self) -> String {
        self.package.replacen('-', "/", 1)
    }
}

/// The step that `word` names: `07`, `7`, `basics-1`, `lab-07`, or a package in full.
pub fn find(word: &str) -> Option<&'static Stop> {
    let number = word.parse::<u8>();
    let start = number.map_or(word.into(), |number| format!("lab-{number:02}"));
    let is_start = |package: &str| start.contains('-') && package.starts_with(&format!("{start}-"));
    PATH.iter()
        .find(|stop| stop.package == start || is_start(stop.package))
}

/// The most lines of the screen that a run of `package` ends with.
pub fn rows(package: &str) -> usize {
    let is_long = package.starts_with("lab-1") && !package.starts_with("lab-11");
    if is_long { 40 } else { 24 }
}

/// The step after `package`; `None` after the last.
pub fn after(package: &str) -> Option<&'static Stop> {
    let mut rest = PATH.iter().skip_while(|stop| stop.package != package);
    rest.nth(1)
}

/// The steps of a wing, or all.
pub fn stops(only: Option<Wing>) -> Vec<&'static Stop> {
    let is_in = |stop: &&Stop| only.is_none_or(|wing| wing == stop.wing());
    PATH.iter().filter(is_in).collect()
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
        let wings = [Wing::Basics, Wing::Lab, Wing::Advanced];
        assert_eq!(wings.map(|wing| stops(Some(wing)).len()), [4, 10, 9]);
        let in_order = wings.iter().flat_map(|wing| stops(Some(*wing)));
        assert!(in_order.eq(&PATH));
    }

    #[test]
    fn every_step_but_the_last_has_a_next_one() {
        let packages = |stops: &[Stop]| stops.iter().map(|stop| stop.package).collect::<Vec<_>>();
        let next = PATH[..22].iter().filter_map(|stop| after(stop.package));
        assert_eq!(
            next.map(|stop| stop.package).collect::<Vec<_>>(),
            packages(&PATH[1..])
        );
        assert_eq!(after(PATH[22].package), None);
        assert_eq!(after("lab-02-threaded-fetch"), find("lab-05"));
    }

    #[test]
    fn a_folder_is_the_package_with_its_wing_in_front() {
        assert_eq!(PATH[0].folder(), "basics/0-sequential");
        assert_eq!(PATH[13].folder(), "lab/10-hybrid-pipeline");
    }
}
