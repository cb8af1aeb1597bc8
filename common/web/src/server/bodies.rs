//! httpbin's bodies: bytes, streams, links and codings.

use super::{
    Lab,
    asked::{Answer, Asked, BRIEF, BYTES_LIMIT, pretty, wait},
    httpbin::{bad_request, found},
    mix,
};
use axum::{
    Router,
    body::{Body, Bytes},
    extract::Path,
    http::header,
    response::{Html, IntoResponse, Response},
    routing::{MethodRouter, get},
};
use flate2::{
    Compression,
    bufread::{GzEncoder, ZlibEncoder},
};
use futures_util::{StreamExt, stream};
use serde_json::json;
use std::{convert::Infallible, io::Read, sync::Arc};
use tokio::time;

/// Most links of `/links` and lines of `/stream`, as in httpbin.
const LINKS_LIMIT: u32 = 200;
const LINES_LIMIT: u32 = 100;

const BYTES: [(header::HeaderName, &str); 1] = [(header::CONTENT_TYPE, "application/octet-stream")];

const HTML: &str = "text/html; charset=utf-8";

/// What is always the same: path, type and body.
const FIXED: [(&str, &str, &[u8]); 6] = [
    ("/json", "application/json", JSON.as_bytes()),
    ("/html", HTML, MOBY_DICK.as_bytes()),
    ("/encoding/utf8", HTML, UTF8.as_bytes()),
    ("/xml", "application/xml", XML.as_bytes()),
    ("/image/png", "image/png", PNG),
    ("/robots.txt", "text/plain", ROBOTS.as_bytes()),
];

const JSON: &str = r#"{ "slideshow": {
  "author": "Yours Truly", "date": "date of publication", "title": "Sample Slide Show",
  "slides": [
    { "title": "Wake up to WonderWidgets!", "type": "all" },
    { "items": ["Why <em>WonderWidgets</em> are great", "Who <em>buys</em> WonderWidgets"],
      "title": "Overview", "type": "all" }
  ]
} }
"#;

const MOBY_DICK: &str = "<!DOCTYPE html>
<title>Herman Melville - Moby-Dick</title>
<h1>Herman Melville - Moby-Dick</h1>
<p>Call me Ishmael.</p>
";

const ROBOTS: &str = "User-agent: *\nDisallow: /deny\n";

const XML: &str = "<?xml version='1.0' encoding='us-ascii'?>
<slideshow title=\"Sample Slide Show\"/>
";

const UTF8: &str = "<h1>Unicode Demo</h1>\n<p>∮ E⋅da = Q, n → ∞, ∑ f(i) = ∏ g(i), Οὐχὶ ταὐτὰ, გთხოვთ, Зарегистрируйтесь, ๏ แผ่นดิน, አይተዳደር, ᚻᛖ ᚳᚹᚫᚦ, ⡌⠁⠧⠑, 世界</p>\n";

/// A dot.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\0\0\0\0:~\x9bU\0\0\0\nIDATx\x9cc`\0\0\0\x02\0\x01H\xaf\xa4q\0\0\0\0IEND\xaeB`\x82";

pub(super) fn routes() -> Router<Arc<Lab>> {
    let router = FIXED
        .iter()
        .fold(Router::new(), |router, (path, kind, body)| {
            let answer = async move || ([(header::CONTENT_TYPE, *kind)], *body);
            router.route(path, get(answer))
        });
    router
        .route("/bytes/{n}", get(bytes))
        .route("/stream/{n}", get(lines))
        .route("/drip", get(drip))
        .route(
            "/links/{n}",
            get(async |Path(n): Path<u32>| found(&format!("/links/{n}/0"))),
        )
        .route("/links/{n}/{offset}", get(links))
        .route("/gzip", coded("gzipped", "gzip", gzip))
        .route("/deflate", coded("deflated", "deflate", deflate))
        .route("/brotli", coded("brotli", "br", brotli))
        .route("/uuid", get(uuid))
}

impl Lab {
    /// So many bytes by this seed, or by that of the server.
    pub(super) fn bytes(&self, n: u32, seed: Option<u64>) -> Vec<u8> {
        let seed = seed.unwrap_or(self.config.seed);
        let words = (0..).flat_map(|position| mix(seed, position).to_le_bytes());
        words.take(BYTES_LIMIT.min(n as usize)).collect()
    }
}

async fn bytes(Path(n): Path<u32>, asked: Asked) -> impl IntoResponse {
    (BYTES, asked.lab.bytes(n, asked.arg("seed")))
}

async fn lines(Path(n): Path<u32>, asked: Asked) -> Response {
    let about = asked.about(BRIEF);
    let lines = (0..n.min(LINES_LIMIT)).map(move |id| {
        let mut line = about.clone();
        line["id"] = id.into();
        Ok::<_, Infallible>(format!("{line}\n"))
    });
    let kind = [(header::CONTENT_TYPE, "application/json")];
    (kind, Body::from_stream(stream::iter(lines))).into_response()
}

/// Stars, one after the other.
async fn drip(asked: Asked) -> Answer {
    let seconds = |name| wait(asked.arg(name).unwrap_or(2.0));
    let count: u32 = asked.arg("numbytes").unwrap_or(10);
    if !(1..=10 << 20).contains(&count) {
        return Err(bad_request("number of bytes must be positive"));
    }
    let code = asked.code("code", 200)?;
    let pause = seconds("duration")? / count;
    time::sleep(seconds("delay")?).await;
    let stars = stream::iter(0..count).then(move |_| async move {
        time::sleep(pause).await;
        Ok::<_, Infallible>(Bytes::from_static(b"*"))
    });
    let length = [(header::CONTENT_LENGTH, count)];
    Ok((code, BYTES, length, Body::from_stream(stars)).into_response())
}

async fn links(Path((n, offset)): Path<(u32, u32)>) -> Html<String> {
    let link = |link| match link == offset {
        true => format!("{link} "),
        false => format!("<a href='/links/{n}/{link}'>{link}</a> "),
    };
    let links: String = (0..n.clamp(1, LINKS_LIMIT)).map(link).collect();
    Html(format!(
        "<html><head><title>Links</title></head><body>{links}</body></html>"
    ))
}

/// A handler whose answer is packed, and has a mark of that.
fn coded(
    mark: &'static str,
    coding: &'static str,
    pack: fn(&[u8]) -> Vec<u8>,
) -> MethodRouter<Arc<Lab>> {
    get(async move |asked: Asked| {
        let mut about = asked.about("headers method origin");
        about[mark] = true.into();
        let kind = [
            (header::CONTENT_TYPE, "application/json"),
            (header::CONTENT_ENCODING, coding),
        ];
        (kind, pack(format!("{about:#}\n").as_bytes()))
    })
}

fn packed(mut reader: impl Read) -> Vec<u8> {
    let mut packed = Vec::new();
    let read = reader.read_to_end(&mut packed);
    read.expect("memory gives and takes all");
    packed
}

pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
    packed(GzEncoder::new(bytes, Compression::fast()))
}

fn deflate(bytes: &[u8]) -> Vec<u8> {
    packed(ZlibEncoder::new(bytes, Compression::fast()))
}

/// The simplest brotli: blocks that are not compressed, each under its length, and the mark of the end.
fn brotli(bytes: &[u8]) -> Vec<u8> {
    let mut packed = Vec::new();
    for (number, block) in bytes.chunks(1 << 16).enumerate() {
        // The window of the stream stands in one bit before the first block.
        let shift = u32::from(number == 0);
        let head = ((block.len() as u32 - 1) << 3 | 1 << 19) << shift;
        packed.extend_from_slice(&head.to_le_bytes()[..3]);
        packed.extend_from_slice(block);
    }
    packed.push(3);
    packed
}

async fn uuid(asked: Asked) -> Response {
    let (high, low) = (asked.lab.draw(), asked.lab.draw());
    let [a, b, c] = [high >> 32, high >> 16 & 0xffff, high & 0xfff | 0x4000];
    let [d, e] = [low >> 48 & 0x3fff | 0x8000, low & 0xffff_ffff_ffff];
    pretty(&json!({ "uuid": format!("{a:08x}-{b:04x}-{c:04x}-{d:04x}-{e:012x}") }))
}
