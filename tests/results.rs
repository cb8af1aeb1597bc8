//! RESULTS.md shows one run as it was stored, and all of it.
//!
//! `RESULTS=overwrite cargo test --test results` brings the tables up to date with
//! `benches/results/bench.json` and `advise.json`; the sentences between them are somebody's to write.

use lab_00_tour::walk::repository;
use lab_advise::{Way, grid::Grid};
use side_by_side::Document;
use std::{env, fs};

fn read(place: &str) -> String {
    let path = repository().join(place);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn document() -> Document {
    let path = repository().join("benches/results/bench.json");
    Document::read(&path).unwrap_or_else(|error| panic!("{error:#}"))
}

/// The stored run of `cargo run -- advise --grid 100 --json`.
fn grid() -> Grid {
    serde_json::from_str(&read("benches/results/advise.json")).expect("a grid")
}

/// What stands between `<!-- name -->` and `<!-- end -->`.
fn block(name: &str, document: &Document) -> String {
    if name == "machine" {
        let first = document.tables.first().expect("a table");
        return first.environment.to_markdown();
    }
    if name == "advise" {
        return grid().to_markdown();
    }
    let table = document.table(name);
    table
        .unwrap_or_else(|| panic!("no table `{name}`"))
        .to_markdown()
}

/// The text with all its blocks made anew, and their names.
fn made_anew(text: &str, document: &Document) -> (String, Vec<String>) {
    let (mut made, mut names, mut rest) = (String::new(), Vec::new(), text);
    while let Some((before, after)) = rest.split_once("<!-- ") {
        let (name, after) = after.split_once(" -->").expect("a comment ends");
        let (_, after) = after.split_once("<!-- end -->").expect("a block ends");
        made += &format!(
            "{before}<!-- {name} -->\n\n{}\n<!-- end -->",
            block(name, document)
        );
        names.push(name.to_owned());
        rest = after;
    }
    (made + rest, names)
}

#[test]
fn the_tables_are_those_of_the_stored_run() {
    let text = read("RESULTS.md");
    let (made, names) = made_anew(&text, &document());
    if env::var_os("RESULTS").is_some_and(|value| value == "overwrite") {
        fs::write(repository().join("RESULTS.md"), made).expect("writable");
        return;
    }
    assert!(
        text == made,
        "RESULTS.md is not what benches/results/bench.json says; see {}",
        file!()
    );
    for table in &document().tables {
        assert!(names.contains(&table.name), "`{}` is missing", table.name);
    }
}

#[test]
fn the_stored_run_has_every_group_and_was_one_run() {
    let document = document();
    let source = read("benches/lab/main.rs");
    let (_, tables) = source.split_once("const TABLES").expect("the groups");
    let (tables, _) = tables.split_once("];").expect("their end");
    let groups: Vec<&str> = tables.split('"').skip(1).step_by(2).collect();
    assert!(groups.len() > 20, "{groups:?}");
    let stored: Vec<&str> = document.tables.iter().map(|table| &*table.name).collect();
    assert_eq!(stored, groups);
    let commands = document
        .tables
        .iter()
        .map(|table| &table.environment.command);
    let commits = document
        .tables
        .iter()
        .map(|table| &table.environment.host.commit);
    assert!(commands.collect::<std::collections::BTreeSet<_>>().len() == 1);
    assert!(commits.collect::<std::collections::BTreeSet<_>>().len() == 1);
}

#[test]
fn the_stored_grid_has_every_job_in_every_way() {
    let grid = grid();
    assert_eq!(grid.jobs.len(), 100);
    for one in &grid.jobs {
        assert_eq!(one.ways.len(), Way::ALL.len());
        let way = |wanted: Way| one.ways.iter().find(|tried| tried.way == wanted);
        assert!(way(one.named).is_some() && way(one.fastest).is_some());
        assert!(one.against_fastest >= 1.0, "{one:?}");
    }
}

#[test]
fn what_the_lessons_point_to_is_there() {
    let text = read("RESULTS.md");
    let headings = text.lines().filter_map(|line| line.strip_prefix("## "));
    let anchors: Vec<String> = headings
        .map(|heading| heading.to_lowercase().replace(' ', "-"))
        .collect();
    let mut pointers = 0;
    for wing in ["basics", "lab"] {
        let folder = repository().join(wing);
        for entry in fs::read_dir(folder).expect("the wing is there").flatten() {
            let path = entry.path().join("README.md");
            let readme = fs::read_to_string(&path).unwrap_or_default();
            for pointer in readme.split("../../RESULTS.md#").skip(1) {
                let anchor = pointer.split(')').next().unwrap_or_default();
                let place = path.display();
                assert!(
                    anchors.iter().any(|known| known == anchor),
                    "{anchor} in {place}"
                );
                pointers += 1;
            }
        }
    }
    assert!(pointers >= 15, "{pointers} lessons point to RESULTS.md");
}
