//! The binary as a user runs it.

use testing::{assert_nothing_left_behind, run, variant, verdict};
use web::{Server, ServerConfig};

const BINARY: &str = env!("CARGO_BIN_EXE_lab-10-hybrid-pipeline");

const NAMES: [&str; 4] = [
    "barrier, processes",
    "streaming, inline",
    "streaming, rayon",
    "streaming, processes",
];

/// Whose pages may be made to be parsed for ever, and are parsed where that can be stopped.
const OF_STRANGERS: [&str; 2] = ["barrier, processes", "streaming, processes"];

#[test]
fn every_variant_finds_the_same_within_the_same_limits() {
    let flags = ["--rounds", "1", "--pages", "60", "--delay", "0.01"];
    for parser in ["scraper", "stream"] {
        let more = ["--json", "--workers", "2", "--parser", parser];
        let finished = run(BINARY, &[&flags[..], &more].concat()).well();
        let document = finished.document();
        for name in NAMES {
            let variant = variant(&document, name);
            assert_eq!(variant["ledger"]["done"], 60);
        }
        for name in ["same_findings", "queue_is_bounded", "stages_overlap"] {
            assert_eq!(verdict(&document, name), "shown", "{parser}: {name}");
        }
    }
    assert_nothing_left_behind(BINARY);
}

#[test]
fn titles_and_links_are_printed_once() {
    let finished = run(BINARY, &["--rounds", "1", "--pages", "12"]).well();
    finished.tells(&["    5 links  Page 0: ", "12 of 12 pages parsed, 60 links"]);
    assert_eq!(finished.stdout.matches("Page 4:").count(), 1);
    assert!(!finished.stdout.contains("Page 5:"));
}

#[test]
fn one_round_is_no_comparison_of_speed() {
    let finished = run(BINARY, &["--json", "--rounds", "1", "--pages", "1"]).well();
    assert_ne!(
        verdict(&finished.document(), "streaming_is_faster"),
        "shown"
    );
}

#[cfg(unix)]
#[test]
fn a_killed_worker_costs_no_page() {
    let flags = ["--json", "--rounds", "1", "--pages", "80", "--kill-worker"];
    let document = run(BINARY, &flags).well().document();
    assert_eq!(verdict(&document, "loss_costs_no_page"), "shown");
    assert_nothing_left_behind(BINARY);
}

#[test]
fn combinations_that_cannot_be_meant_are_refused() {
    let both = ["--url", "http://127.0.0.1:9/", "--delay", "1"];
    let _ = run(BINARY, &both).refused(2, &["--url", "--delay"]);
}

#[test]
fn a_page_asked_for_that_does_not_come_fails_the_run_and_spares_the_others() {
    let server = Server::in_process(0, ServerConfig::default()).expect("a server");
    for (path, words) in [
        ("status/404", "404"),
        ("status/500", "500"),
        ("cut/9000", "closed the connection"),
        ("stall", "--timeout"),
        ("reset", "reset"),
        ("get", "not HTML but application/json"),
    ] {
        let (good, bad) = (server.url("html"), server.url(path));
        let flags = "--json --rounds 2 --timeout 1";
        let mut arguments: Vec<&str> = flags.split(' ').collect();
        arguments.extend(["--url", good.as_str(), "--url", bad.as_str()]);
        let finished = run(BINARY, &arguments);
        let document = finished.document();
        // One line for each variant, whatever times the reasons name.
        assert_eq!(finished.code, Some(1), "{}", finished.stderr);
        let lines: Vec<&str> = finished.stderr.lines().collect();
        assert_eq!(lines.len(), 2, "{}", finished.stderr);
        for (line, name) in lines.iter().zip(OF_STRANGERS) {
            let begin = format!("error: {name}: 1 of 2 pages failed: ");
            assert!(line.starts_with(&begin), "{line}");
            assert!(
                line.contains(words) && line.contains(bad.as_str()),
                "{line}"
            );
            assert_eq!(line.matches("http://").count(), 1, "{line}");
        }
        assert_ne!(verdict(&document, "streaming_is_faster"), "shown");
        let barrier = variant(&document, "barrier, processes");
        assert_eq!(barrier["ledger"]["done"], 1);
        assert_eq!(barrier["ledger"]["failed"], 1);
        let title = &barrier["results"][0][2]["Ok"][0];
        assert_eq!(title, "Herman Melville - Moby-Dick");
    }
}

#[test]
fn where_nothing_comes_the_first_variant_is_the_last() {
    let finished = run(BINARY, &["--json", "--url", "http://127.0.0.1:9/"]);
    let document = finished.document();
    let _ = finished.refused(1, &["`http://127.0.0.1:9/`", "connection refused"]);
    let variants = document["variants"].as_array().expect("variants");
    assert_eq!(variants.len(), 1);
    assert_eq!(variants[0]["ledger"]["failed"], 1);

    let server = Server::in_process(0, ServerConfig::default()).expect("a server");
    let json = server.url("get");
    let finished = run(BINARY, &["--url", json.as_str()]);
    let _ = finished.refused(1, &["not HTML", "application/json"]);
}

/// Each of the many paragraphs repeats the formatting that was left open before it.
#[cfg(target_os = "linux")]
#[test]
fn a_page_made_to_take_gigabytes_fails_by_name_and_no_thread_is_given_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let formatting: String = (0..800).map(|n| format!("<b id={n}>")).collect();
    let page = format!("<p>{formatting}{}", "<p>x".repeat(20_000));
    std::fs::write(folder.path().join("b.html"), page).expect("it can be written");
    let config = ServerConfig {
        files: Some(folder.path().into()),
        ..ServerConfig::default()
    };
    let server = Server::in_process(0, config).expect("a server");
    let [good, bad] = ["html", "files/b.html"].map(|path| server.url(path));
    let urls = ["--url", good.as_str(), "--url", bad.as_str()];
    let finished = run(BINARY, &[&urls[..], &["--json", "--rounds", "1"]].concat());
    assert_eq!(finished.code, Some(1), "{}", finished.stderr);
    let error = format!("1 of 2 pages failed: cannot parse `{bad}`: ");
    assert!(finished.stderr.contains(&error), "{}", finished.stderr);
    let variants = &finished.document()["variants"];
    let names = variants.as_array().expect("variants").iter();
    let names: Vec<_> = names.map(|variant| &variant["name"]).collect();
    assert_eq!(names, OF_STRANGERS);
    assert_nothing_left_behind(BINARY);
}

#[test]
fn a_crawl_takes_dead_links_as_findings() {
    let folder = std::env::temp_dir().join(format!("lab-10-site-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a temporary folder");
    for (name, text) in [
        (
            "index.html",
            "<title>I</title><a href=a.html#x>a</a><a href=gone.html>b</a><a href=c.txt>c</a>",
        ),
        (
            "a.html",
            "<title>A</title><a href=index.html>back</a><a href=http://127.0.0.1:9/>off</a>",
        ),
        ("c.txt", "no page"),
    ] {
        std::fs::write(folder.join(name), text).expect("it can be written");
    }
    let config = ServerConfig {
        files: Some(folder.clone()),
        ..ServerConfig::default()
    };
    let server = Server::in_process(0, config).expect("a server");
    let start = server.url("files/index.html");
    let arguments = format!("--json --rounds 1 --pages 500 --url {start}");
    let arguments: Vec<&str> = arguments.split(' ').collect();
    let document = run(BINARY, &arguments).well().document();
    for name in OF_STRANGERS {
        let variant = variant(&document, name);
        assert_eq!(variant["ledger"]["submitted"], 4, "{name}");
        assert_eq!(variant["ledger"]["failed"], 0, "{name}");
        let pages = variant["results"].as_array().expect("pages");
        let known = pages.iter().map(|page| page[2].get("Ok").is_some());
        assert_eq!(known.collect::<Vec<_>>(), [true, true, false, false]);
    }
    std::fs::remove_dir_all(&folder).expect("it is ours");
}
