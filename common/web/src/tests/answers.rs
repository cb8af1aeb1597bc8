//! Raw answers, as servers in the field send them: both clients give the same verdict on the same bytes.

use super::*;
use flate2::{
    Compression,
    write::{DeflateEncoder, GzEncoder, ZlibEncoder},
};
use std::{net::TcpListener, sync::mpsc};

/// A server that answers each request with what `answer` makes of its target, and then closes.
pub(super) fn raw(answer: impl Fn(&str) -> Vec<u8> + Send + 'static) -> Url {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let head = head_of(&mut stream);
            let target = head.split(' ').nth(1).unwrap_or_default();
            // The client may hang up as soon as it has seen enough.
            let _ = stream.write_all(&answer(target));
        }
    });
    Url::parse(&format!("http://{address}/")).expect("a URL")
}

/// A request's head, or nothing when the client hung up.
pub(super) fn head_of(stream: &mut impl Read) -> String {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|read| read == 1) {
        head.push(byte[0]);
    }
    String::from_utf8_lossy(&head).into_owned()
}

/// What both clients make of a URL, which must be the same; times and ports are left out.
pub(super) fn verdict(url: &Url) -> String {
    let verdicts = fetch_with_all(url, LONG).into_iter().map(|fetched| {
        let text = match fetched {
            Ok(page) => format!("{} {}", page.status, text(&page)),
            Err(error) => error.to_string(),
        };
        text.replace(&format!("http://{}", url.authority()), "")
    });
    let [blocking, asynchronous] = verdicts
        .collect::<Vec<_>>()
        .try_into()
        .expect("two clients");
    assert_eq!(blocking, asynchronous, "{url}");
    blocking
}

fn verdict_on(answer: impl Into<Vec<u8>>) -> String {
    let answer = answer.into();
    let bytes = answer.escape_ascii().to_string();
    let verdict = verdict(&raw(move |_| answer.clone()));
    println!("case: {bytes:.70} -> {verdict:.90}");
    verdict
}

/// An answer that ends with its connection.
pub(super) fn answer(head: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let head = format!("HTTP/1.1 {head}\r\nconnection: close\r\n\r\n");
    [head.as_bytes(), body.as_ref()].concat()
}

const HEAD: &str =
    "cannot fetch `/`: the head of its answer is not as HTTP/1.1 has it; is this a web server?";
const CHUNKS: &str = "cannot fetch `/`: the body of its answer is not chunked as HTTP/1.1 has it";
const CUT: &str = "`/` closed the connection after 2 bytes; try again";
const NOTHING: &str = "`/` closed the connection after 0 bytes; try again";

const LARGE: &str = "cannot fetch `/`: the head of its answer has more than 100 fields or 24576 bytes, or a length that no body can have";

const CHUNKED: &[(&str, &str)] = &[
    ("2\r\nab\r\n0\r\n\r\n", "200 ab"),
    ("2\r\nab\r\n0\r\nx-t: 1\r\n\r\n", "200 ab"),
    ("2;a=b\r\nab\r\n0\r\n\r\n", "200 ab"),
    ("0\r\n\r\n", "200 "),
    ("2\r\nab\r\n", CUT),
    ("5\r\nab", CUT),
    ("2\nab\n0\n\n", CHUNKS),
    ("2\r\nabXX0\r\n\r\n", CHUNKS),
    ("2 ;a\r\nab\r\n0\r\n\r\n", "200 ab"),
    ("2\t\r\nab\r\n0;end\r\n\r\n", "200 ab"),
    (
        "2;name=of twenty or more bytes\r\nab\r\n0\r\n\r\n",
        "200 ab",
    ),
    (
        "000000000000000000000000000002\r\nab\r\n000\r\n\r\n",
        "200 ab",
    ),
    ("1\r\na\r\n1\r\nb\r\n0\r\na: b\r\nc: d\r\n\r\n", "200 ab"),
    ("A\r\n0123456789\r\n0\r\n\r\n", "200 0123456789"),
    ("2\r\nab\r\n0\r\n", CUT),
    ("2\r\nab\r\n0\r\nx-t: 1\r\n", CUT),
    ("2\r\nab\r\n0\r\n\r", CUT),
    ("2\r\nab\r\n0\r\nx-t\r\n\r\n", CHUNKS),
    ("2\r\nab\r\n0\r\nx-t: 1\n\r\n", CUT),
    ("2\r\nab\n0\r\n\r\n", CHUNKS),
    ("2;a\nb\r\nab\r\n0\r\n\r\n", CHUNKS),
    ("\r\nab\r\n0\r\n\r\n", CHUNKS),
    (";a\r\nab\r\n0\r\n\r\n", CHUNKS),
    ("2 2\r\nab\r\n0\r\n\r\n", CHUNKS),
    ("0x2\r\nab\r\n0\r\n\r\n", CHUNKS),
    ("zz\r\nab\r\n0\r\n\r\n", CHUNKS),
    ("-2\r\nab\r\n0\r\n\r\n", CHUNKS),
    ("+2\r\nab\r\n0\r\n\r\n", CHUNKS),
    (" 2\r\nab\r\n0\r\n\r\n", CHUNKS),
    ("fffffffffffffffff\r\nab\r\n0\r\n\r\n", CHUNKS),
];

#[test]
fn chunks_are_read_alike() {
    let long = "a".repeat(40_000);
    let lengthy = [
        (format!("2;{:0>15000}\r\nab\r\n0\r\n\r\n", "a"), "200 ab"),
        (format!("2;{long}\r\nab\r\n0\r\n\r\n"), CHUNKS),
        (format!("2\r\nab\r\n0\r\nx-t: {long}\r\n\r\n"), CHUNKS),
    ];
    let lengthy = lengthy.iter().map(|(body, expected)| (&**body, *expected));
    for (body, expected) in CHUNKED.iter().copied().chain(lengthy) {
        let bytes = answer("200 x\r\ntransfer-encoding: Chunked", body);
        assert_eq!(verdict_on(bytes), expected, "{body:.40}");
    }
}

const LENGTHS: &[(&str, &str)] = &[
    ("200 x", "200 ab"),
    ("200 x\r\ncontent-length: 1", "200 a"),
    ("200 x\r\ncontent-length: 2\r\ncontent-length: 2", "200 ab"),
    (
        "200 x\r\ncontent-length: 5",
        "`/` closed the connection after 2 of 5 bytes; try again",
    ),
    (
        "200 x\r\ncontent-length: 99999999999",
        "`/` sends more than 67108864 bytes, the limit for one page; fetch a smaller one",
    ),
    ("200 x\r\ncontent-length: 18446744073709551615", LARGE),
    ("200 x\r\ncontent-length: 99999999999999999999999", HEAD),
    ("200 x\r\ncontent-length: 2\r\ncontent-length: 3", HEAD),
    ("200 x\r\ncontent-length: +2", HEAD),
    ("200 x\r\ncontent-length: -1", HEAD),
    ("200 x\r\ncontent-length: ", HEAD),
    (
        "200 x\r\ntransfer-encoding: gzip, chunked",
        "cannot fetch `/`: its transfer coding is `gzip, chunked`; this client reads only `chunked`",
    ),
    (
        "200 x\r\ntransfer-encoding: identity",
        "cannot fetch `/`: its transfer coding is `identity`; this client reads only `chunked`",
    ),
    ("204 x\r\ncontent-length: 2", "204 "),
    (
        "302 x\r\nlocation: /x\r\ncontent-length: 9",
        "`/` closed the connection after 2 of 9 bytes; try again",
    ),
];

#[test]
fn lengths_are_read_alike() {
    for (head, expected) in LENGTHS {
        assert_eq!(verdict_on(answer(head, "ab")), *expected, "{head}");
    }
}

#[test]
fn heads_are_read_alike() {
    for (head, expected) in [
        ("HTTP/1.0 200 x\r\n\r\nab", "200 ab"),
        (
            "HTTP/1.0 200 x\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n",
            HEAD,
        ),
        ("\r\n\r\nHTTP/1.1 200\r\n\r\nab", "200 ab"),
        ("HTTP/1.1 200 \u{e9}\r\nx-a: \u{ff}\r\n\r\nab", "200 ab"),
        ("HTTP/1.1 200 x\nconnection: close\n\nab", "200 ab"),
        ("HTTP/2 200\r\n\r\n", HEAD),
        ("ICY 200 OK\r\n\r\n", HEAD),
        ("http/1.1 200 x\r\n\r\n", HEAD),
        ("<html>hello</html>", HEAD),
        ("SSH-2.0-OpenSSH_9.9\r\n\r\n", HEAD),
        ("\x15\x03\x01\0\x02\x02\x46", HEAD),
        ("HTTP/1.1 42 x\r\n\r\n", HEAD),
        ("HTTP/1.1 099 x\r\n\r\n", HEAD),
        ("HTTP/1.1 200 x\r\nx-a : b\r\n\r\n", HEAD),
        ("HTTP/1.1 200 x\r\nx-a: b\r\n folded\r\n\r\n", HEAD),
        ("HTTP/1.1 200 x\r\nx-a: a\x01b\r\n\r\n", HEAD),
        ("HTTP/1.1 200 x\r\nx-a: a\0b\r\n\r\n", HEAD),
        ("HTTP/1.1 200 x\r\nx\u{e9}: b\r\n\r\n", HEAD),
        ("HTTP/1.1 200 x\r\nno colon\r\n\r\n", HEAD),
        ("", NOTHING),
        ("HTTP/1.1 200 x\r\nconten", NOTHING),
        ("HTTP/1.1 302 x\r\nlocation: /x\r\n", NOTHING),
    ] {
        assert_eq!(verdict_on(head), expected, "{head}");
    }
}

#[test]
fn interim_answers_are_passed_over() {
    let last = "HTTP/1.1 200 x\r\n\r\nab";
    for (before, expected) in [
        ("100 x\r\n\r\nHTTP/1.1 103 x\r\nlink: x", "200 ab"),
        ("100 x\r\nx-a: b", "200 ab"),
        ("102 x\r\ncontent-length: 9", "200 ab"),
        ("100 x\r\nno colon", HEAD),
    ] {
        let bytes = format!("HTTP/1.1 {before}\r\n\r\n{last}");
        assert_eq!(verdict_on(bytes), expected, "{before}");
    }
    assert_eq!(verdict_on("HTTP/1.1 100 x\r\n\r\n"), NOTHING);
}

#[test]
fn statuses_are_named_as_what_they_are() {
    for (status, expected) in [
        ("206 x", "206 ab"),
        (
            "101 x\r\nupgrade: x\r\nconnection: upgrade",
            "101; it changes the protocol, which nobody asked for",
        ),
        (
            "300 x\r\nlocation: /x",
            "300; neither a page nor a redirect that can be followed",
        ),
        ("302 x", "302; a redirect without a place to go to"),
        (
            "304 x",
            "304; it sends nothing, for a copy that this client does not have",
        ),
        ("401 x", "401; it wants a permission this client has not"),
        ("404 x", "404; check the path"),
        ("451 x", "451; it refuses such a request"),
        ("503 x", "503; try again later"),
        ("503 x\r\nretry-after: 7", "503; it asks to wait 7 s"),
        (
            "429 x\r\nretry-after: 99999999999999999999",
            "429; it asks to wait a year or more",
        ),
        ("429 x\r\nretry-after: 7\u{a0}", "429; try again later"),
        ("600 x", "600; no status of HTTP; is this a web server?"),
        ("999 x", "999; no status of HTTP; is this a web server?"),
    ] {
        let got = verdict_on(answer(status, "ab"));
        let got = got.strip_prefix("`/` answered ").unwrap_or(&got);
        assert_eq!(got, expected, "{status}");
    }
}

#[test]
fn a_head_that_is_too_large_is_refused_once_and_by_name() {
    let long = |length| "a".repeat(length);
    let fields = |count| {
        (0..count)
            .map(|n| format!("x-{n}: b\r\n"))
            .collect::<String>()
    };
    for (head, fits) in [
        (format!("x-a: {}\r\n", long(16_000)), true),
        (format!("x-a: {}\r\n", long(25_000)), false),
        (format!("x-a: {}\r\n", long(33_000)), false),
        (format!("x-a: {}\r\n", long(500_000)), false),
        (format!("{}: b\r\n", long(70_000)), false),
        (fields(98), true),
        (fields(100), false),
        (fields(127), false),
        (fields(300), false),
    ] {
        let bytes =
            format!("HTTP/1.1 200 x\r\n{head}content-length: 0\r\nconnection: close\r\n\r\n");
        let expected = if fits { "200 " } else { LARGE };
        assert_eq!(verdict_on(bytes), expected, "{head:.40}");
    }
    for (length, expected) in [(40_000, "200 "), (400_000, "200 "), (900_000, LARGE)] {
        let blank = answer(&format!("200 x\r\nx-a:{}b", " ".repeat(length)), "");
        let reason = answer(&format!("200 {}", long(length)), "");
        assert_eq!([blank, reason].map(verdict_on), [expected; 2], "{length}");
    }
    let (tx, asked) = mpsc::channel();
    let url = raw(move |_| {
        let _ = tx.send(());
        answer(&format!("200 x\r\nx-a: {}", "a".repeat(33_000)), "")
    });
    for fetched in fetch_with_all(&url, LONG) {
        let error = fetched.expect_err("too large");
        assert!(!error.is_retryable(), "{error}");
    }
    assert_eq!(asked.try_iter().count(), 2, "once by each client");
}

fn packed(pack: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut bytes = Vec::new();
    pack(&mut bytes);
    bytes
}

fn gzip(text: &[u8]) -> Vec<u8> {
    packed(|bytes| {
        GzEncoder::new(bytes, Compression::fast())
            .write_all(text)
            .expect("packed")
    })
}

#[test]
fn a_coded_body_is_decoded_or_refused_by_name() {
    let text = b"<title>Z</title>";
    let zlib = zlib_of(text);
    let deflate = packed(|bytes| {
        DeflateEncoder::new(bytes, Compression::fast())
            .write_all(text)
            .expect("packed")
    });
    // One block that is not compressed, and the mark of the end.
    let brotli = [&[0xf0, 0x00, 0x10][..], text, &[3]].concat();
    let fine = "200 <title>Z</title>";
    let broken =
        |coding: &str| format!("cannot fetch `/`: its body is said to be `{coding}`, and is not");
    let bomb = (0..2).fold(vec![0; 80 << 20], |bytes, _| gzip(&bytes));
    for (coding, body, expected) in [
        ("gzip", gzip(text), fine.into()),
        ("x-gzip", gzip(text), fine.into()),
        ("GZip ", gzip(text), fine.into()),
        ("gzip", [gzip(b"<title>"), gzip(b"Z</title>")].concat(), fine.into()),
        ("gzip, gzip", gzip(&gzip(text)), fine.into()),
        ("identity, ,gzip", gzip(text), fine.into()),
        ("gzip\r\ncontent-encoding: deflate", zlib_of(&gzip(text)), fine.into()),
        ("deflate", zlib, fine.into()),
        ("deflate", deflate, fine.into()),
        ("br", brotli, fine.into()),
        ("identity", text.to_vec(), fine.into()),
        ("", text.to_vec(), fine.into()),
        ("gzip", Vec::new(), "200 ".into()),
        ("gzip", text.to_vec(), broken("gzip")),
        ("br", text.to_vec(), broken("br")),
        ("deflate", text.to_vec(), broken("deflate")),
        ("gzip", gzip(text)[..20].to_vec(), broken("gzip")),
        ("zstd", text.to_vec(), "cannot fetch `/`: its body is coded as `zstd`, which this client cannot read".into()),
        ("gzip,gzip,gzip,gzip,gzip", (0..5).fold(text.to_vec(), |bytes, _| gzip(&bytes)), "cannot fetch `/`: its body is coded as `gzip,gzip,gzip,gzip,gzip`, which this client cannot read".into()),
        ("gzip, gzip", bomb, "`/` sends more than 67108864 bytes, the limit for one page; fetch a smaller one".into()),
    ] {
        let head = format!("200 x\r\ncontent-type: text/html\r\ncontent-encoding: {coding}\r\ncontent-length: {}", body.len());
        assert_eq!(verdict_on(answer(&head, body)), expected, "{coding}");
    }
}

fn zlib_of(text: &[u8]) -> Vec<u8> {
    packed(|bytes| {
        ZlibEncoder::new(bytes, Compression::fast())
            .write_all(text)
            .expect("packed")
    })
}

const TYPES: &[(&str, &str)] = &[
    ("200 x\r\ncontent-type: Text/HTML;charset=x", ""),
    ("200 x\r\ncontent-type: text/html; x=\"\u{e9}\"", ""),
    (
        "200 x\r\ncontent-type: text/html\r\ncontent-type: text/html",
        "",
    ),
    ("200 x", "not HTML, as far as it says: it has no type"),
    (
        "200 x\r\ncontent-type: html",
        "not HTML, as far as it says: it has no type",
    ),
    (
        "200 x\r\ncontent-type: application/json",
        "not HTML but application/json",
    ),
    (
        "200 x\r\ncontent-type: application/xhtml+xml",
        "XHTML, which has rules of its own that an HTML parser does not know",
    ),
    (
        "204 x\r\ncontent-type: text/html",
        "no page, but an answer without one (204)",
    ),
    (
        "205 x\r\ncontent-type: text/html",
        "no page, but an answer without one (205)",
    ),
    (
        "206 x\r\ncontent-type: text/html",
        "not the page, but a part of it (206), which nobody asked for",
    ),
];

#[test]
fn what_a_page_is_follows_from_status_and_type() {
    for (head, expected) in TYPES {
        let bytes = answer(head, "");
        for page in fetch_with_all(&raw(move |_| bytes.clone()), LONG) {
            let what = page.expect("it came").is_html().err().unwrap_or_default();
            assert_eq!(what, *expected, "{head}");
        }
    }
}
