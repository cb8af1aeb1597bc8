//! The READMEs tell the truth: every command in them runs.

mod support;

use lab_00_tour::{
    path::{self, PATH, Stop, Wing},
    walk,
};
use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};
use support::{binaries, patiently};
use testing::{Finished, run};

fn read(place: &str) -> String {
    let path = walk::repository().join(place);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The code in the blocks of this kind.
fn blocks(text: &str, kind: &str) -> Vec<String> {
    let start = format!("\n```{kind}\n");
    let blocks = text.split(&start).skip(1);
    let code = blocks.map(|block| block.split("\n```").next().unwrap_or_default());
    code.map(str::to_owned).collect()
}

/// The commands in the `sh` blocks of a text, without their comments.
fn commands(text: &str) -> Vec<String> {
    let blocks = blocks(text, "sh").join("\n");
    let lines = blocks.lines().filter(|line| !line.trim().is_empty());
    lines
        .map(|line| line.split(" #").next().unwrap_or(line).trim().to_owned())
        .collect()
}

/// Without a Python there is nothing to run.
#[test]
fn the_python_of_every_lesson_runs() {
    const LIMIT: Duration = Duration::from_secs(60);
    if Command::new("python3").arg("--version").output().is_err() {
        return;
    }
    for stop in &PATH {
        for program in blocks(&read(&format!("{}/README.md", stop.folder())), "python") {
            let mut python = Command::new("python3");
            python.args(["-W", "error", "-c", &program]);
            python.stdin(Stdio::null()).stderr(Stdio::piped());
            let mut child = python.stdout(Stdio::piped()).spawn().expect("it starts");
            let started = Instant::now();
            while child.try_wait().expect("a child").is_none() && started.elapsed() < LIMIT {
                thread::sleep(Duration::from_millis(20));
            }
            let _ = child.kill();
            let output = child.wait_with_output().expect("it has ended");
            let is_well = output.status.success() && !output.stdout.is_empty();
            assert!(is_well, "{}: {output:?}", stop.package);
        }
    }
}

/// The lab's server on a free port.
struct Server(Child, String);

impl Server {
    fn start(mut command: Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut line = String::new();
        let mut reader = BufReader::new(child.stdout.take().expect("it is piped"));
        reader
            .read_line(&mut line)
            .expect("it says where it listens");
        let port = line.rsplit(':').next().unwrap_or_default();
        let port: String = port.chars().take_while(char::is_ascii_digit).collect();
        assert!(!port.is_empty(), "a port in {line}");
        Self(child, port)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs the commands of the README but those in `left_out` in the manner of `prepare`, which makes a
/// command of its words.
fn run_commands(left_out: &[&str], prepare: impl Fn(&[&str]) -> Command + Sync) {
    let commands = commands(&read("README.md"));
    assert!(commands.len() >= 10, "{commands:?}");
    let prepare = |command: &str| prepare(&command.split_whitespace().collect::<Vec<_>>());
    let serving = commands
        .iter()
        .find(|command| command.contains("--bin lab-server"));
    let serving = serving.expect("the README starts the server");
    let server = Server::start(prepare(&serving.replace("8080", "0")));
    let (mut tours, mut rest) = (Vec::new(), Vec::new());
    for command in commands {
        match command.as_str() {
            // These very tests are a part of the first, and `.ci/run` calls both as they stand.
            "cargo test" | "cargo bench" => assert!(read(".ci/run").contains(&command)),
            command if command.contains("--bin lab-server") || left_out.contains(&command) => {}
            "cargo run" => tours.push(command),
            command => rest.push(command.replace("8080", &server.1)),
        }
    }
    let run_all = |commands: &[String]| {
        for command in commands {
            let finished = patiently(prepare(command));
            assert_eq!(finished.code, Some(0), "{command}\n{finished:?}");
            assert!(!finished.stdout.is_empty(), "{command}");
            match command.split_once("cargo run").map(|(_, rest)| rest) {
                Some("") => assert_tour(&finished, None),
                Some(" -- --only basics") => assert_tour(&finished, Some(Wing::Basics)),
                _ => {}
            }
        }
    };
    // The whole path takes as long as all others together.
    thread::scope(|scope| {
        scope.spawn(|| run_all(&tours));
        run_all(&rest);
    });
}

fn assert_tour(finished: &Finished, only: Option<Wing>) {
    let stops = path::stops(only);
    let told = |stop: &&Stop| {
        let lines = finished.stdout.lines();
        let named = |line: &&str| line.contains(stop.package) && !line.starts_with("Start:");
        let lines = lines.filter(named);
        assert_eq!(
            lines.count(),
            2,
            "{}: in the list and when run: {}",
            stop.package,
            finished.stdout
        );
    };
    stops.iter().for_each(told);
    finished.tells(&[&format!("{0} of {0} steps", stops.len())]);
}

/// A command of the README's as what it comes to once built: a program and its flags.
fn built(words: &[&str]) -> Command {
    let mut halves = words.splitn(2, |word| *word == "--");
    let before = halves.next().unwrap_or_default();
    let flags = halves.next().unwrap_or_default();
    let (program, extra): (_, &[&str]) = match before {
        ["cargo", "run"] => ("lab-00-tour", &["--no-build"]),
        ["cargo", "run", "-p", "network", "--bin", program] => (*program, &[]),
        ["cargo", "run", "-p", package] => (*package, &[]),
        _ => panic!("{words:?} runs nothing that is known here"),
    };
    let mut command = Command::new(&binaries()[program]);
    command.args(extra).args(flags);
    command
}

#[test]
fn the_commands_of_the_readme_do_what_they_say() {
    // All its steps run in `tests/path.rs`, one wing of it below, and it as a whole in `.ci/run`.
    run_commands(&["cargo run"], built);
}

#[test]
#[ignore = "cargo builds for each command anew; .ci/run does it"]
fn every_command_of_the_readme_runs_as_it_stands() {
    run_commands(&[], |words| {
        assert_eq!(words[0], "cargo", "{words:?}");
        let mut cargo = walk::cargo();
        cargo.args(&words[1..]);
        cargo
    });
}

/// The commands in a text's blocks and in its back-ticks that run a step: package and flags.
fn invocations(text: &str) -> Vec<(String, Vec<String>)> {
    let inline = text.split('`').skip(1).step_by(2).map(str::to_owned);
    let all = commands(text)
        .into_iter()
        .chain(inline.filter(|code| !code.contains('\n')));
    all.filter_map(|command| {
        // What `sh -c` runs ends with a quote of its own.
        let rest = command
            .split_once("cargo run -p ")?
            .1
            .trim_end_matches('\'');
        let rest = rest.to_owned();
        let mut words = rest.split_whitespace().map(str::to_owned);
        let package = words.next()?;
        Some((
            package,
            words.skip_while(|word| word != "--").skip(1).collect(),
        ))
    })
    .collect()
}

#[test]
fn every_step_takes_the_flags_that_any_readme_or_report_names() {
    let mut texts: Vec<(String, String)> = PATH
        .iter()
        .map(|stop| {
            (
                stop.package.to_owned(),
                read(&format!("{}/README.md", stop.folder())),
            )
        })
        .collect();
    texts.push(("README.md".into(), read("README.md")));
    for stop in &PATH {
        let source = read(&format!("{}/src/main.rs", stop.folder()));
        let tips = source
            .split('"')
            .filter(|text| text.starts_with("cargo run -p"));
        let tips = tips.map(|tip| format!("`{tip}`"));
        texts.push((
            format!("{} main.rs", stop.package),
            tips.collect::<Vec<_>>().join("\n"),
        ));
    }
    let mut seen = 0;
    for (place, text) in &texts {
        for (package, flags) in invocations(text)
            .into_iter()
            .filter(|(package, _)| package != "network")
        {
            let binary = binaries()
                .get(&package)
                .unwrap_or_else(|| panic!("{place}: no step `{package}`"));
            accepts(binary, &flags, place);
            seen += 1;
        }
    }
    assert!(seen > 3 * PATH.len(), "{seen} commands");
}

/// A step that gets `--help` after its flags checks the flags first and then does nothing.
fn accepts(binary: &Path, flags: &[String], place: &str) {
    let flags = flags.iter().filter(|flag| *flag != "…").map(String::as_str);
    let flags: Vec<&str> = flags.chain(["--help"]).collect();
    let finished = run(binary, &flags);
    assert_eq!(
        finished.code,
        Some(0),
        "{place}: {flags:?}: {}",
        finished.stderr
    );
}

#[test]
fn help_after_a_wrong_flag_does_not_hide_it() {
    let binary = &binaries()["basics-0-sequential"];
    assert_eq!(run(binary, &["--wrong", "--help"]).code, Some(2));
    assert_eq!(run(binary, &["--scale", "0", "--help"]).code, Some(2));
}

/// The part of the README between the marks that name `step`.
fn shown_output(step: &str) -> String {
    let readme = read("README.md");
    let start = readme
        .find(&format!("<!-- output: {step} -->"))
        .expect("the mark is there");
    let block = readme[start..]
        .split("```")
        .nth(1)
        .expect("a block follows");
    block.trim_start_matches("text\n").to_owned()
}

#[test]
fn the_output_in_the_readme_is_what_the_step_prints_in_shape() {
    let shown = shown_output("lab-02-threaded-fetch");
    assert!(shown.lines().count() > 10, "{shown}");
    let printed = run(&binaries()["lab-02-threaded-fetch"], &[]).well().stdout;
    let mut lines = printed.lines();
    for line in shown.lines() {
        assert!(
            lines.any(|other| shape(other) == shape(line)),
            "`{line}` in {printed}"
        );
    }
}

/// A line up to its first figure or bar: these differ from run to run, the words do not.
fn shape(line: &str) -> String {
    let words = line
        .split(|c: char| c.is_ascii_digit() || "│░█".contains(c))
        .next();
    let words = words.unwrap_or_default().split_whitespace();
    words.collect::<Vec<_>>().join(" ")
}

#[test]
fn the_readme_has_the_steps_in_the_order_of_the_path() {
    let readme = read("README.md");
    let rows = readme.lines().filter(|line| line.starts_with("| [`"));
    let told: Vec<String> = rows
        .map(|row| row.split('|').take(3).collect::<Vec<_>>().join("|"))
        .collect();
    let path = PATH.iter().map(|stop| {
        let (package, folder) = (stop.package, stop.folder());
        format!("| [`{package}`]({folder}) | {} ", stop.question)
    });
    assert_eq!(told[1..], path.collect::<Vec<_>>());
}

#[test]
fn every_readme_says_the_minutes_of_the_path() {
    for stop in &PATH {
        let text = read(&format!("{}/README.md", stop.folder()));
        let minutes = format!("About {} minutes on film", stop.minutes);
        assert!(text.contains(&minutes), "{}: `{minutes}`", stop.package);
    }
}
