//! Pages that are out for trouble, from a server that says exactly what it is told to.

use lab_10_hybrid_pipeline::{
    Limits, Start, crawl_streaming, crawl_with_barrier,
    nesting::MOST_NESTED,
    outcome::Finding,
    parse::Reading,
    workers::{Parser, Way},
};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    num::NonZeroUsize,
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};
use testing::{assert_nothing_left_behind, run, variant};
use web::async_client;

const BINARY: &str = env!("CARGO_BIN_EXE_lab-10-hybrid-pipeline");

/// One answer for each path, 404 for others; it notes which paths were asked for.
struct Strange {
    port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Strange {
    /// `answers` get the port, for links to other names of this server.
    fn start(answers: impl FnOnce(u16) -> BTreeMap<&'static str, Vec<u8>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("it is bound").port();
        let (answers, asked) = (Arc::new(answers(port)), Arc::new(Mutex::new(Vec::new())));
        let noted = Arc::clone(&asked);
        // Ends with the test's process.
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (answers, noted) = (Arc::clone(&answers), Arc::clone(&noted));
                thread::spawn(move || answer(stream, &answers, &noted));
            }
        });
        Self { port, asked }
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    fn was_asked_for(&self, path: &str) -> bool {
        let asked = self.asked.lock().expect("no test panics with it");
        asked.iter().any(|asked| asked == path)
    }
}

fn answer(mut stream: TcpStream, answers: &BTreeMap<&str, Vec<u8>>, noted: &Mutex<Vec<String>>) {
    let mut request = String::new();
    let mut lines = BufReader::new(&stream);
    // To the empty line: what is left unread would reset the connection.
    while !request.ends_with("\r\n\r\n") {
        if lines.read_line(&mut request).unwrap_or_default() == 0 {
            return;
        }
    }
    let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
    let missing = b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    let bytes = answers
        .get(path.as_str())
        .map_or(&missing[..], Vec::as_slice);
    noted.lock().expect("nobody panics with it").push(path);
    // A client that has gone needs no answer.
    let _ = stream.write_all(bytes);
}

fn page(head: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head =
        format!("HTTP/1.1 200 OK\r\n{head}content-length: {length}\r\nconnection: close\r\n\r\n");
    [head.as_bytes(), body].concat()
}

fn html(body: &str) -> Vec<u8> {
    page(
        "content-type: text/html; charset=utf-8\r\n",
        body.as_bytes(),
    )
}

fn redirect(to: &str) -> Vec<u8> {
    let head = format!("location: {to}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    format!("HTTP/1.1 302 Found\r\n{head}").into_bytes()
}

/// The pages of each variant in `document`.
fn pages(document: &Value) -> impl Iterator<Item = (&str, &Vec<Value>)> {
    let variants = document["variants"].as_array().expect("variants").iter();
    variants.map(|variant| {
        let name = variant["name"].as_str().expect("a name");
        (name, variant["results"]["pages"].as_array().expect("pages"))
    })
}

#[test]
fn a_crawl_does_not_follow_a_redirect_off_the_host_that_was_asked() {
    let server = Strange::start(|port| {
        let elsewhere = format!("http://localhost:{port}/off");
        BTreeMap::from([
            ("/start", redirect(&elsewhere)),
            (
                "/off",
                html("<title>Off</title><a href=secret>1</a><a href=/found>2</a>"),
            ),
            ("/secret", html("<title>Secret</title>")),
            ("/found", html("<title>Found</title>")),
            (
                "/here",
                html("<title>Here</title><a href=moved>1</a><a href=/tohost>2</a>"),
            ),
            ("/moved", redirect("/new")),
            ("/new", html("<title>New</title><a href=/last>1</a>")),
            ("/tohost", redirect(&elsewhere)),
            ("/last", html("<title>Last</title>")),
        ])
    });
    let (start, here) = (server.url("/start"), server.url("/here"));
    let arguments = [
        "--json", "--rounds", "1", "--pages", "50", "--url", &start, "--url", &here,
    ];
    let document = run(BINARY, &arguments).well().document();
    for (name, pages) in pages(&document) {
        let told: Vec<_> = pages
            .iter()
            .map(|page| {
                let text = |field: &str| page[field].as_str().unwrap_or_default();
                assert!(text("url").contains("127.0.0.1"), "{name}: {page}");
                format!("{}{}", text("title"), text("kind"))
            })
            .collect();
        assert_eq!(told, ["Off", "Here", "New", "other host", "Last"], "{name}");
        let note = pages[0]["note"].as_str().expect("it is told");
        assert!(note.contains("another host, `http://localhost:"), "{note}");
    }
    assert!(server.was_asked_for("/off") && server.was_asked_for("/last"));
    assert!(!server.was_asked_for("/secret") && !server.was_asked_for("/found"));
    assert_nothing_left_behind(BINARY);
}

#[test]
fn a_page_nested_too_deeply_is_a_finding_in_every_way_of_parsing() {
    let server = Strange::start(|_| {
        let deep = "<div>".repeat(100_000);
        let almost = "<div>".repeat(MOST_NESTED - 2);
        BTreeMap::from([
            (
                "/deep",
                html(&format!("<title>Deep</title>{deep}<a href=/x>x</a>")),
            ),
            ("/almost", html(&format!("<title>Almost</title>{almost}"))),
        ])
    });
    let (deep, almost) = (server.url("/deep"), server.url("/almost"));
    let arguments = ["--json", "--rounds", "1", "--url", &deep, "--url", &almost];
    let document = run(BINARY, &arguments).well().document();
    assert_eq!(pages(&document).count(), 4);
    for (name, pages) in pages(&document) {
        assert_eq!(pages[0]["outcome"], "skipped", "{name}");
        assert_eq!(
            pages[0]["reason"], "nested too deeply (more than 2,000 elements)",
            "{name}"
        );
        assert_eq!(pages[1]["title"], "Almost", "{name}");
        let ledger = &variant(&document, name)["ledger"];
        assert_eq!(
            (&ledger["done"], &ledger["failed"]),
            (&2.into(), &0.into()),
            "{name}"
        );
    }
    // Alone, it is all there was to do.
    let finished = run(BINARY, &["--url", &deep]);
    let words = [
        "barrier, processes: 1 of 1 pages",
        &deep,
        "nested too deeply",
    ];
    let _ = finished.refused(1, &words);
}

#[test]
fn the_barrier_and_the_stream_agree_on_what_is_too_deep() {
    let server = Strange::start(|_| BTreeMap::from([("/deep", html(&"<i>".repeat(20_000)))]));
    let one = NonZeroUsize::MIN;
    let limits = Limits {
        in_flight: one,
        queue: one,
        at_parser: one,
        batch: one,
    };
    let url = web::Url::parse(&server.url("/deep")).expect("a URL");
    let start = Start {
        urls: vec![url],
        pages: one,
        reading: Reading::Scraper,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let client = async_client(Duration::from_secs(30));
    for way in [Way::Inline, Way::Rayon, Way::Processes] {
        let program = process_pool::child::Program::at(BINARY);
        let parser = Parser::start(way, one, program).expect("workers start");
        let barrier = runtime.block_on(crawl_with_barrier(&client, &start, &parser, &limits));
        let streaming = runtime.block_on(crawl_streaming(&client, &start, &parser, &limits));
        for crawled in [barrier, streaming] {
            let finding = &crawled.pages[0].finding;
            assert!(
                matches!(finding, Finding::Skipped { kind, .. } if kind == "nested"),
                "{way:?}: {finding:?}"
            );
        }
        let _ = parser.finish();
    }
}

#[test]
fn nothing_from_a_page_steers_the_terminal() {
    let evil = "a\u{1b}[31mb\u{9b}2Jc\u{202e}d\u{2066}e\u{7f}f\u{7}g\u{8}&#x1b;[2J";
    let long = "\u{e9}".repeat(5_000);
    let server = Strange::start(|_| {
        let typed = page("content-type: text/x-\u{9b}2J\r\n", b"x");
        let charset = page(
            "content-type: text/html; charset=x\tx\r\n",
            b"<title>C</title>",
        );
        BTreeMap::from([
            ("/evil", html(&format!("<title>{evil}</title>"))),
            ("/long", html(&format!("<title>{long}</title>"))),
            ("/typed", typed),
            ("/charset", charset),
        ])
    });
    let urls = ["/evil", "/long", "/typed", "/charset"].map(|path| server.url(path));
    let mut arguments = vec!["--rounds", "1", "--parse", "processes"];
    for url in &urls {
        arguments.extend(["--url", url]);
    }
    let finished = run(BINARY, &arguments).well();
    let steers = |c: char| {
        (c.is_control() && c != '\n') || ('\u{202a}'..='\u{202e}').contains(&c) || c == '\u{2066}'
    };
    assert!(!finished.stdout.contains(steers), "{:?}", finished.stdout);
    assert!(!finished.stderr.contains(steers), "{:?}", finished.stderr);
    finished.tells(&["a\u{fffd}[31mb\u{fffd}2Jc\u{fffd}d\u{fffd}e\u{fffd}f"]);
    let cut = format!("links  {}…\n", "\u{e9}".repeat(59));
    finished.tells(&[&cut]);

    arguments.push("--json");
    let finished = run(BINARY, &arguments).well();
    assert!(!finished.stdout.contains(steers), "{:?}", finished.stdout);
    for (name, pages) in pages(&finished.document()) {
        let title = pages[1]["title"].as_str().expect("a title");
        assert_eq!(title.chars().count(), 300, "{name}");
    }
}

#[test]
fn a_page_without_a_content_type_is_named() {
    let server = Strange::start(|_| BTreeMap::from([("/plain", page("", b"<title>T</title>"))]));
    let url = server.url("/plain");
    let finished = run(BINARY, &["--url", &url]);
    let words = [
        "barrier, processes: 1 of 1 pages",
        &url,
        "does not say what it is",
    ];
    let _ = finished.refused(1, &words);
}
