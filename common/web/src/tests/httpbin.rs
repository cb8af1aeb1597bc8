//! httpbin's paths answer as httpbin's do: compared with the real one where there is a Python that
//! has it, and with what it answered before (`httpbin.json`) otherwise.
//!
//! `HTTPBIN=overwrite` writes that file again from the real one.

use super::*;
use reqwest::{Method, Response};
use serde_json::{Map, Value, json};
use std::{
    env, fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

type Row = (
    &'static str,
    &'static str,
    &'static [&'static str],
    &'static [u8],
);

/// Method, target, fields, and the body.
const ROWS: [Row; 54] = [
    ("GET", "/get?a=1&a=2&b=&c=%20x+y", &["x-a: 1", "x-a: 2"], b""),
    ("HEAD", "/get", &[], b""),
    ("POST", "/get", &[], b""),
    ("GET", "/post", &[], b""),
    ("GET", "/nowhere", &[], b""),
    ("POST", "/post", &["content-type: application/x-www-form-urlencoded"], b"x=1&x=2&y=a+b"),
    ("POST", "/post?q=1", &["content-type: application/json"], b"{\"a\": [1, 2.5, null]}"),
    ("POST", "/post", &["content-type: text/plain"], b"{\"a\": 1}"),
    ("POST", "/post", &["content-type: application/octet-stream"], b"\xff\xfe"),
    ("POST", "/post", &["content-type: multipart/form-data; boundary=B"], b"--B\r\ncontent-disposition: form-data; name=\"f\"; filename=\"x\"\r\n\r\nfile\r\n--B\r\ncontent-disposition: form-data; name=\"k\"\r\n\r\nv\r\n--B--\r\n"),
    ("PUT", "/put", &["content-type: text/plain"], b"abc"),
    ("PATCH", "/patch", &[], b""),
    ("DELETE", "/delete", &[], b""),
    ("GET", "/anything?a=1", &[], b""),
    ("PUT", "/anything/x/y", &["content-type: text/plain"], b"abc"),
    ("GET", "/headers", &["accept-language: en"], b""),
    ("GET", "/ip", &["origin: http://o"], b""),
    ("GET", "/user-agent", &["user-agent: me"], b""),
    ("GET", "/delay/0", &[], b""),
    ("POST", "/delay/0.01", &["content-type: text/plain"], b"abc"),
    ("GET", "/status/200", &[], b""),
    ("PUT", "/status/204", &[], b""),
    ("GET", "/status/299", &[], b""),
    ("GET", "/status/301", &[], b""),
    ("GET", "/status/302", &[], b""),
    ("GET", "/status/304", &[], b""),
    ("GET", "/status/307", &[], b""),
    ("GET", "/status/401", &[], b""),
    ("GET", "/status/406", &[], b""),
    ("GET", "/status/407", &[], b""),
    ("GET", "/status/418", &[], b""),
    ("GET", "/status/503", &[], b""),
    ("GET", "/status/404,404", &[], b""),
    ("GET", "/status/200:0,500:1", &[], b""),
    ("GET", "/status/ok", &[], b""),
    ("GET", "/redirect/1", &[], b""),
    ("GET", "/redirect/3", &[], b""),
    ("GET", "/redirect/3?absolute=true", &[], b""),
    ("GET", "/absolute-redirect/1", &[], b""),
    ("GET", "/absolute-redirect/2", &[], b""),
    ("GET", "/relative-redirect/2", &[], b""),
    ("GET", "/redirect-to?url=/get", &[], b""),
    ("GET", "/redirect-to?url=http://o/x%3Fa&status_code=308", &[], b""),
    ("POST", "/redirect-to?url=/post&status_code=307", &[], b""),
    ("GET", "/bytes/0", &[], b""),
    ("GET", "/stream/2?a=1", &[], b""),
    ("GET", "/drip?numbytes=3&duration=0&delay=0", &[], b""),
    ("GET", "/drip?numbytes=2&duration=0&delay=0&code=500", &[], b""),
    ("GET", "/drip?numbytes=0", &[], b""),
    ("GET", "/links/3", &[], b""),
    ("GET", "/links/3/1", &[], b""),
    ("GET", "/json", &[], b""),
    ("GET", "/robots.txt", &[], b""),
    ("GET", "/xml", &[], b""),
];

/// The fields of an answer that a client can depend on.
const FIELDS: [&str; 6] = [
    "allow",
    "content-encoding",
    "content-type",
    "location",
    "proxy-authenticate",
    "www-authenticate",
];

/// The fields that count, whatever port they came from.
fn fields_of(answer: &Response, here: &str) -> Map<String, Value> {
    let mut fields = Map::new();
    for name in FIELDS {
        let values = answer.headers().get_all(name).iter();
        let values =
            values.map(|value| String::from_utf8_lossy(value.as_bytes()).replace(here, "HERE"));
        let mut values: Vec<String> = values.collect();
        if name == "allow" {
            values = values
                .iter()
                .flat_map(|list| list.split(','))
                .map(|it| it.trim().into())
                .filter(|method| method != "OPTIONS")
                .collect();
            values.sort();
        }
        if !values.is_empty() {
            fields.insert(name.into(), values.into());
        }
    }
    fields
}

/// What counts of an answer, whatever port it came from.
async fn about(answer: Response, port: u16) -> Value {
    let status = answer.status().as_u16();
    let here = format!("127.0.0.1:{port}");
    let mut fields = fields_of(&answer, &here);
    // Prose is not compared, nor the type of nothing.
    let kind = fields
        .get("content-type")
        .map(ToString::to_string)
        .unwrap_or_default();
    let body = answer.bytes().await.expect("a body");
    let text = String::from_utf8_lossy(&body).replace(&here, "HERE");
    if body.is_empty() || status >= 300 && kind.contains("html") || status == 418 {
        fields.remove("content-type");
    }
    let is_prose = body.is_empty()
        || kind.contains("html") && status != 200
        || kind.contains("xml")
        || status == 418;
    let body = match () {
        () if is_prose => Value::Null,
        () if kind.contains("octet") => json!(body.to_vec()),
        () => {
            let lines = text
                .lines()
                .map(serde_json::from_str)
                .collect::<Result<Vec<Value>, _>>();
            let whole = serde_json::from_str(&text);
            whole.or(lines.map(Value::Array)).unwrap_or(text.into())
        }
    };
    json!({ "status": status, "fields": fields, "body": body })
}

/// What a server answers to all rows.
fn ask_all(port: u16) -> Map<String, Value> {
    let client = async_client(LONG).client;
    block_on(async {
        let mut answers = Map::new();
        for (method, target, fields, body) in ROWS {
            let method = Method::from_bytes(method.as_bytes()).expect("a method");
            let name = format!("{method} {target} {}", fields.join(", "));
            let mut request = client.request(method, format!("http://127.0.0.1:{port}{target}"));
            for field in fields {
                let (name, value) = field.split_once(": ").expect("a field");
                request = request.header(name, value);
            }
            let answer = request.body(body).send().await.expect("an answer");
            assert_eq!(
                answers.insert(name, about(answer, port).await),
                None,
                "{target}"
            );
        }
        answers
    })
}

/// The real httpbin, if there is one here.
struct Real(Child, u16);

impl Drop for Real {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Real {
    fn start() -> Option<Self> {
        let program = "import httpbin; from werkzeug.serving import make_server; \
            s = make_server('127.0.0.1', 0, httpbin.app, threaded=True); \
            print(s.server_port, flush=True); s.serve_forever()";
        let python = env::var("PYTHON").unwrap_or_else(|_| "python3".into());
        let mut python = Command::new(python);
        python
            .args(["-c", program])
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = python.spawn().ok()?;
        let mut line = String::new();
        let output = child.stdout.take().expect("a pipe");
        let _ = BufReader::new(output).read_line(&mut line);
        let mut real = Self(child, 0);
        real.1 = line.trim().parse().ok()?;
        Some(real)
    }
}

#[test]
fn paths_answer_as_those_of_httpbin() {
    let stored = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/tests/httpbin.json");
    let real = Real::start().map(|real| ask_all(real.1));
    if env::var_os("HTTPBIN").is_some_and(|value| value == "overwrite") {
        let real = real.as_ref().expect("a Python that has httpbin");
        let text = serde_json::to_string_pretty(real).expect("JSON");
        fs::write(&stored, text + "\n").expect("writable");
    }
    let who = if real.is_some() {
        "the real httpbin"
    } else {
        "httpbin, as stored"
    };
    let expected = real.unwrap_or_else(|| {
        let text = fs::read_to_string(&stored).expect("the stored answers");
        serde_json::from_str(&text).expect("JSON")
    });
    let server = server();
    let ours = ask_all(server.base_url().port().expect("a port"));
    let same = ours
        .iter()
        .filter(|(name, answer)| expected.get(*name) == Some(answer))
        .count();
    for (name, answer) in &ours {
        if expected.get(name) != Some(answer) {
            println!(
                "{name}\n  httpbin: {}\n  ours:    {answer}",
                expected.get(name).unwrap_or(&Value::Null)
            );
        }
    }
    println!(
        "case: {same} of {} requests are answered as by {who}",
        ours.len()
    );
    assert_eq!(same, ours.len(), "answers that are the same");
}

#[test]
fn coded_bodies_say_what_they_are() {
    let server = server();
    for (path, mark) in [
        ("gzip", "gzipped"),
        ("deflate", "deflated"),
        ("brotli", "brotli"),
    ] {
        for page in fetch_with_all(&server.url(path), LONG) {
            let about: Value = serde_json::from_slice(&page.expect("a page").body).expect("JSON");
            assert_eq!(
                (&about[mark], &about["method"]),
                (&true.into(), &"GET".into())
            );
        }
    }
    for fetched in fetch_with_all(&server.url("broken-gzip"), LONG) {
        let error = fetched.expect_err("half of it").to_string();
        assert!(
            error.ends_with("its body is said to be `gzip`, and is not"),
            "{error}"
        );
    }
    let png = get(&server.url("image/png"));
    assert_eq!(
        (png.content_type.as_deref(), &png.body[1..4]),
        (Some("image/png"), &b"PNG"[..])
    );
    assert!(text(&get(&server.url("encoding/utf8"))).contains('∮'));
    let uuid = |_| text(&get(&server.url("uuid")));
    assert_ne!(uuid(1), uuid(2));
}
