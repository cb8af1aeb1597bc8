//! Sizes: of lessons, crates, files and functions.

use crate::{
    budgets::{Numbers, hold},
    lessons, read, sources, top,
};
use std::{fs, path::Path};

/// The lessons with many ideas.
const LARGE: [&str; 5] = ["lab-10", "lab-12", "lab-13", "lab-17", "lab-19"];

/// Lines of each apparatus crate, of all of them, and of all lessons.
const CRATES: [(&str, usize); 10] = [
    ("all", 16_999),
    ("common", 2500),
    ("interleave", 1200),
    ("measure", 1500),
    ("network", 500),
    ("process-pool", 3500),
    ("report", 3500),
    ("testing", 800),
    ("timeline", 2000),
    ("web", 3000),
];

fn is_large(package: &str) -> bool {
    LARGE.iter().any(|large| package.starts_with(large))
}

/// A file's lines without the modules of its tests.
pub(crate) fn without_tests(text: &str) -> Vec<&str> {
    let mut kept = Vec::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let indented = line.len() - line.trim_start().len();
        let is_mark = ["#[cfg(test)]", "#[cfg(all(test"]
            .iter()
            .any(|mark| line.trim_start().starts_with(mark));
        let mut attributes = vec![line];
        while is_mark
            && lines
                .peek()
                .is_some_and(|line| line.trim_start().starts_with("#["))
        {
            attributes.extend(lines.next());
        }
        match lines.peek() {
            Some(next) if is_mark && next.trim_start().starts_with("mod ") => {
                if next.ends_with('{') {
                    let end = format!("{}}}", " ".repeat(indented));
                    while lines.peek().is_some_and(|line| **line != end) {
                        lines.next();
                    }
                }
                lines.next();
            }
            _ => kept.extend(attributes),
        }
    }
    kept
}

/// The files under a folder that are no tests.
pub(crate) fn code(folder: &Path) -> Vec<std::path::PathBuf> {
    let is_test = |path: &Path| {
        let inside = path.strip_prefix(folder).expect("below it");
        path.ends_with("tests.rs") || inside.components().any(|part| part.as_os_str() == "tests")
    };
    let mut found = sources(folder);
    found.retain(|path| !is_test(path));
    found
}

fn lines(path: &Path) -> usize {
    without_tests(&read(path)).len()
}

fn lines_under(folder: &Path) -> usize {
    code(folder).iter().map(|path| lines(path)).sum()
}

#[test]
fn lessons_are_small() {
    let (mut all, mut files, mut libs, mut mains) = Default::default();
    let each: [&mut Numbers; 4] = [&mut all, &mut files, &mut libs, &mut mains];
    let [all, files, libs, mains] = each;
    for (folder, package) in lessons() {
        let src = folder.join("src");
        all.insert(package.clone(), lines_under(&src));
        files.insert(package.clone(), code(&src).len());
        libs.insert(package.clone(), lines(&src.join("lib.rs")));
        mains.insert(package, lines(&src.join("main.rs")));
    }
    all.insert("all".into(), all.values().sum());
    hold("lines of a lesson", all, 0, |package| match package {
        "all" => 9000,
        _ if is_large(package) => 600,
        _ => 450,
    });
    hold("files of a lesson", files, 0, |package| {
        if is_large(package) { 8 } else { 6 }
    });
    hold("lines of a lib.rs", libs, 0, |_| 150);
    hold("lines of a main.rs", mains, 0, |_| 120);
}

#[test]
fn crates_are_small() {
    let mut crates: Numbers = fs::read_dir(top().join("common"))
        .expect("the crates")
        .flatten()
        .filter(|entry| entry.path().join("Cargo.toml").exists())
        .map(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            (name, lines_under(&entry.path().join("src")))
        })
        .collect();
    crates.insert("common".into(), lines_under(&top().join("common/src")));
    crates.insert("all".into(), crates.values().sum());
    hold("lines of a crate", &crates, 0, |name| {
        let known = CRATES.iter().find(|(known, _)| *known == name);
        known.unwrap_or_else(|| panic!("`{name}` has no budget")).1
    });
}

#[test]
fn files_and_functions_are_short() {
    let (mut files, mut functions) = (Numbers::new(), Numbers::new());
    for folder in ["basics", "benches", "common", "lab", "tests"] {
        for path in sources(&top().join(folder)) {
            let text = read(&path);
            let name = path
                .strip_prefix(top())
                .expect("below the top")
                .display()
                .to_string();
            let package: Vec<&str> = name.split('/').take(2).collect();
            *functions.entry(package.join("/")).or_default() += long_functions(&text);
            files.insert(name, text.lines().count());
        }
    }
    hold("lines of a file", &files, 0, |_| 400);
    hold("functions of more than 40 lines", &functions, 0, |_| 0);
}

/// How many functions are longer than 40 lines; the formatter ends each where its line began.
fn long_functions(text: &str) -> usize {
    let lines: Vec<&str> = text.lines().collect();
    let starts = |line: &str| {
        let line = line.trim_start();
        let words: Vec<&str> = line.split(' ').take_while(|word| *word != "fn").collect();
        words.len() < line.split(' ').count()
            && words.iter().all(|word| {
                ["async", "const", "extern", "unsafe", "\"C\""].contains(word)
                    || word.starts_with("pub")
            })
    };
    let is_long = |(at, line): (usize, &&str)| {
        let end = format!("{}}}", &line[..line.len() - line.trim_start().len()]);
        let head = lines[at..]
            .iter()
            .find(|line| line.ends_with(['{', '}', ';']));
        let length = lines[at..].iter().position(|line| *line == end);
        head.is_some_and(|line| line.ends_with('{')) && length.is_some_and(|length| length >= 40)
    };
    let starting = lines.iter().enumerate().filter(|(_, line)| starts(line));
    starting.filter(|start| is_long(*start)).count()
}
