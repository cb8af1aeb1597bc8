//! A request, and what the answers in JSON say about it.

use super::{Lab, httpbin::bad_request};
use axum::{
    body::Bytes,
    extract::{FromRequest, Multipart, Request},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Map, Value, json};
use std::{mem, str::FromStr, sync::Arc, time::Duration};
use url::form_urlencoded;

/// Longest wait of `/delay`, `/page` and `/drip`; httpbin's own is 10.
const WAIT_LIMIT: Duration = Duration::from_secs(60);

/// Longest body, asked for or sent.
pub(super) const BYTES_LIMIT: usize = 64 << 20;

/// What most answers say of a request, and what those to a body say.
pub(super) const BRIEF: &str = "args headers origin url";
pub(super) const WHOLE: &str = "args data files form headers json origin url";

type Pairs = Vec<(String, String)>;

/// What a handler returns: the answer, or the one to a request that makes no sense.
pub(super) type Answer = Result<Response, Refusal>;
pub(super) type Refusal = (StatusCode, String);

/// A request, read whole.
pub(super) struct Asked {
    pub(super) lab: Arc<Lab>,
    pub(super) head: Parts,
    pub(super) args: Pairs,
    form: Pairs,
    files: Pairs,
    data: Bytes,
}

impl FromRequest<Arc<Lab>> for Asked {
    type Rejection = Response;

    async fn from_request(request: Request, lab: &Arc<Lab>) -> Result<Self, Response> {
        let read = Self::read(request, lab).await;
        read.map_err(|error| Err::<(), _>(error).into_response())
    }
}

impl Asked {
    async fn read(request: Request, lab: &Arc<Lab>) -> axum::response::Result<Self> {
        let (head, body) = request.into_parts();
        let request = Request::from_parts(head.clone(), body);
        let mut asked = Self {
            lab: lab.clone(),
            args: pairs(head.uri.query().unwrap_or_default().as_bytes()),
            form: Vec::new(),
            files: Vec::new(),
            data: Bytes::new(),
            head,
        };
        let kind = asked.field(header::CONTENT_TYPE).to_ascii_lowercase();
        if kind.starts_with("multipart/form-data") {
            let mut parts = Multipart::from_request(request, lab).await?;
            while let Some(part) = parts.next_field().await? {
                let name = part.name().unwrap_or_default().to_owned();
                let kind = part.content_type().unwrap_or(BINARY).to_owned();
                let those = match part.file_name() {
                    Some(_) => &mut asked.files,
                    None => &mut asked.form,
                };
                those.push((name, json_safe(&part.bytes().await?, &kind)));
            }
            return Ok(asked);
        }
        asked.data = Bytes::from_request(request, lab).await?;
        if kind.starts_with("application/x-www-form-urlencoded") {
            asked.form = pairs(&mem::take(&mut asked.data));
        }
        Ok(asked)
    }

    /// What there is to say under these keys.
    pub(super) fn about(&self, keys: &str) -> Value {
        let about = |key: &str| match key {
            "args" => flat(&self.args),
            "data" => json_safe(&self.data, BINARY).into(),
            "files" => flat(&self.files),
            "form" => flat(&self.form),
            "headers" => headers(&self.head.headers),
            "json" => serde_json::from_slice(&self.data).unwrap_or_default(),
            "method" => self.head.method.as_str().into(),
            "origin" => "127.0.0.1".into(),
            "user-agent" => self.field(header::USER_AGENT).into(),
            _ => self.at(&self.head.uri).into(),
        };
        let keys = keys.split(' ');
        keys.map(|key| (key.to_owned(), about(key))).collect()
    }

    /// An answer that says it.
    pub(super) fn json(&self, keys: &str) -> Response {
        pretty(&self.about(keys))
    }

    /// The value of an argument, if it is there and makes sense.
    pub(super) fn arg<T: FromStr>(&self, name: &str) -> Option<T> {
        let mut all = self.args.iter().chain(&self.form);
        let value = all.find(|(key, _)| key == name);
        value.and_then(|(_, value)| value.parse().ok())
    }

    /// The status that an argument names.
    pub(super) fn code(&self, name: &str, default: u16) -> Result<StatusCode, Refusal> {
        let code = StatusCode::from_u16(self.arg(name).unwrap_or(default));
        code.map_err(|_| bad_request("Invalid status code"))
    }

    pub(super) fn field(&self, name: HeaderName) -> String {
        self.head.headers.get(name).map(text).unwrap_or_default()
    }

    /// The address of a path on this server, whole.
    pub(super) fn at(&self, path: impl std::fmt::Display) -> String {
        format!("http://{}{path}", self.field(header::HOST))
    }
}

/// JSON as httpbin prints it.
pub(super) fn pretty(value: &Value) -> Response {
    let kind = [(header::CONTENT_TYPE, "application/json")];
    (kind, format!("{value:#}\n")).into_response()
}

const BINARY: &str = "application/octet-stream";

fn text(value: &HeaderValue) -> String {
    String::from_utf8_lossy(value.as_bytes()).into_owned()
}

fn pairs(encoded: &[u8]) -> Pairs {
    form_urlencoded::parse(encoded).into_owned().collect()
}

/// Each name with its value, or with all of them if there are several.
fn flat(pairs: &[(String, String)]) -> Value {
    let mut map = Map::<String, Value>::new();
    for (name, value) in pairs {
        match map.get_mut(name) {
            None => drop(map.insert(name.clone(), value.as_str().into())),
            Some(Value::Array(values)) => values.push(value.as_str().into()),
            Some(first) => *first = json!([first.take(), value]),
        }
    }
    map.into()
}

fn json_safe(bytes: &[u8], kind: &str) -> String {
    let text = str::from_utf8(bytes).map(str::to_owned);
    text.unwrap_or_else(|_| format!("data:{kind};base64,{}", BASE64_STANDARD.encode(bytes)))
}

/// The fields with their names as they are mostly written; those that came often in one.
fn headers(fields: &HeaderMap) -> Value {
    let written = |word: &str| {
        let (first, rest) = word.split_at(word.len().min(1));
        first.to_ascii_uppercase() + rest
    };
    let field = |name: &HeaderName| {
        let words: Vec<_> = name.as_str().split('-').map(written).collect();
        let values: Vec<_> = fields.get_all(name).iter().map(text).collect();
        (words.join("-"), Value::from(values.join(",")))
    };
    fields.keys().map(field).collect()
}

/// A wait of so many seconds, if that makes sense.
pub(super) fn wait(seconds: f64) -> Result<Duration, Refusal> {
    let wait = Duration::try_from_secs_f64(seconds).ok();
    let wait = wait.filter(|wait| *wait <= WAIT_LIMIT);
    wait.ok_or_else(|| bad_request("not seconds from 0 to 60\n"))
}
