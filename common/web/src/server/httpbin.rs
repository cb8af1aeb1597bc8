//! httpbin's paths, answered as httpbin answers them.

use super::{Lab, bodies, mix};
use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    extract::{FromRequest, Multipart, Path, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header},
    middleware::Next,
    response::{IntoResponse, Response},
    routing::{any, delete, get, patch, post, put},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Map, Value, json};
use std::{sync::Arc, time::Duration};
use tokio::time;
use url::form_urlencoded;

/// Longest wait of `/delay` and `/stall`; httpbin's own is 10.
const DELAY_LIMIT_S: f64 = 60.0;

/// Longest body, asked for or sent.
pub(super) const BYTES_LIMIT: usize = 64 << 20;

/// The redirects of `/status`.
const STATUS_REDIRECTS: [u16; 5] = [301, 302, 303, 305, 307];

const FAKE_REALM: &str = "Basic realm=\"Fake Realm\"";

pub(super) fn routes() -> Router<Arc<Lab>> {
    let brief = ["args", "headers", "origin", "url"];
    let whole = [
        "args", "data", "files", "form", "headers", "json", "origin", "url",
    ];
    let sent = async move |asked: Asked| pretty(&asked.only(&whole));
    let all = async |asked: Asked| pretty(&Value::Object(asked.about));
    Router::new()
        .route(
            "/get",
            get(async move |asked: Asked| pretty(&asked.only(&brief))),
        )
        .route("/post", post(sent))
        .route("/put", put(sent))
        .route("/patch", patch(sent))
        .route("/delete", delete(sent))
        .route("/anything", any(all))
        .route("/anything/{*rest}", any(all))
        .route(
            "/headers",
            get(async |asked: Asked| pretty(&asked.only(&["headers"]))),
        )
        .route(
            "/ip",
            get(async |asked: Asked| pretty(&asked.only(&["origin"]))),
        )
        .route("/user-agent", get(user_agent))
        .route("/delay/{seconds}", any(delay))
        .route("/status/{codes}", any(status))
        .route("/redirect/{n}", get(redirect))
        .route("/absolute-redirect/{n}", get(absolute_redirect))
        .route("/relative-redirect/{n}", get(relative_redirect))
        .route("/redirect-to", any(redirect_to))
        .route("/cookies", get(cookies))
        .route("/cookies/set", get(set_cookies))
        .route("/cookies/set/{name}/{value}", get(set_cookie))
        .route("/cookies/delete", get(delete_cookies))
        .route("/basic-auth/{user}/{password}", get(basic_auth))
        .route(
            "/hidden-basic-auth/{user}/{password}",
            get(hidden_basic_auth),
        )
        .route("/bearer", get(bearer))
        .route(
            "/response-headers",
            get(response_headers).post(response_headers),
        )
        .merge(bodies::routes())
}

pub(super) async fn not_found(uri: Uri) -> Response {
    let path = uri.path().replace('<', "&lt;");
    let text = format!("no such path: `{path}`; see / for those there are\n");
    html(StatusCode::NOT_FOUND, text)
}

/// One line for a request that makes no sense.
pub(super) fn bad_request(text: impl Into<String>) -> Response {
    (StatusCode::BAD_REQUEST, text.into()).into_response()
}

/// JSON as httpbin prints it.
pub(super) fn pretty(value: &Value) -> Response {
    (
        [(header::CONTENT_TYPE, "application/json")],
        format!("{value:#}\n"),
    )
        .into_response()
}

/// What every answer has: scripts of any page may read it, and each path says which methods it takes.
pub(super) async fn shared(request: Request, next: Next) -> Response {
    let [origin, asked] = [header::ORIGIN, header::ACCESS_CONTROL_REQUEST_HEADERS]
        .map(|name| request.headers().get(name).cloned());
    let origin = origin.unwrap_or(HeaderValue::from_static("*"));
    let is_question = request.method() == Method::OPTIONS;
    let mut response = next.run(request).await;
    let is_refused = response.status() == StatusCode::METHOD_NOT_ALLOWED;
    if is_question && is_refused {
        *response.status_mut() = StatusCode::OK;
    }
    let fields = response.headers_mut();
    if is_refused && let Some(allowed) = fields.get(header::ALLOW) {
        let allowed = [allowed.as_bytes(), b",OPTIONS"].concat();
        let allowed = HeaderValue::from_bytes(&allowed).expect("names and commas");
        fields.insert(header::ALLOW, allowed);
    }
    fields.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    let yes = HeaderValue::from_static("true");
    fields.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, yes);
    if is_question {
        let methods = HeaderValue::from_static("GET, POST, PUT, DELETE, PATCH, OPTIONS");
        fields.insert(header::ACCESS_CONTROL_ALLOW_METHODS, methods);
        fields.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from(3600));
        fields.extend(asked.map(|asked| (header::ACCESS_CONTROL_ALLOW_HEADERS, asked)));
    }
    response
}

/// A request, and what the JSON answers say about it.
pub(super) struct Asked {
    pub(super) headers: HeaderMap,
    pub(super) args: Vec<(String, String)>,
    about: Map<String, Value>,
}

impl FromRequest<Arc<Lab>> for Asked {
    type Rejection = Response;

    async fn from_request(request: Request, lab: &Arc<Lab>) -> Result<Self, Response> {
        let (parts, body) = request.into_parts();
        let kind = text(parts.headers.get(header::CONTENT_TYPE));
        let kind = kind
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase();
        let (mut form, mut files, mut data) = (Vec::new(), Vec::new(), Bytes::new());
        if kind == "multipart/form-data" {
            let request = Request::from_parts(parts.clone(), body);
            let refused = IntoResponse::into_response;
            let mut multipart = Multipart::from_request(request, lab)
                .await
                .map_err(refused)?;
            while let Some(field) = multipart
                .next_field()
                .await
                .map_err(IntoResponse::into_response)?
            {
                let name = field.name().unwrap_or_default().to_owned();
                let kind = field.content_type().unwrap_or_default().to_owned();
                let part = if field.file_name().is_some() {
                    &mut files
                } else {
                    &mut form
                };
                let bytes = field.bytes().await.map_err(IntoResponse::into_response)?;
                part.push((name, json_safe(&bytes, &kind)));
            }
        } else {
            let whole = to_bytes(body, BYTES_LIMIT).await;
            data = whole.map_err(|error| bad_request(error.to_string()))?;
            if kind == "application/x-www-form-urlencoded" {
                form = pairs(&std::mem::take(&mut data));
            }
        }
        let args = pairs(parts.uri.query().unwrap_or_default().as_bytes());
        let host = text(parts.headers.get(header::HOST));
        let about = json!({
            "args": flat(&args),
            "data": json_safe(&data, ""),
            "files": flat(&files),
            "form": flat(&form),
            "headers": headers(&parts.headers),
            "json": serde_json::from_slice::<Value>(&data).ok(),
            "method": parts.method.as_str(),
            "origin": "127.0.0.1",
            "url": format!("http://{host}{}", parts.uri),
        });
        let Value::Object(about) = about else {
            unreachable!("it was made as an object");
        };
        Ok(Self {
            headers: parts.headers,
            args,
            about,
        })
    }
}

impl Asked {
    pub(super) fn only(&self, keys: &[&str]) -> Value {
        let about = self.about.iter();
        let kept = about.filter(|(key, _)| keys.contains(&key.as_str()));
        kept.map(|(key, value)| (key.clone(), value.clone()))
            .collect()
    }

    /// The value of an argument, if it is there and makes sense.
    pub(super) fn arg<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        let value = self.args.iter().find(|(key, _)| key == name);
        value.and_then(|(_, value)| value.parse().ok())
    }

    pub(super) fn field(&self, name: HeaderName) -> String {
        text(self.headers.get(name))
    }

    /// The address of a path on this server, whole.
    fn at(&self, path: &str) -> String {
        format!("http://{}{path}", self.field(header::HOST))
    }
}

fn text(value: Option<&HeaderValue>) -> String {
    let bytes = value.map(HeaderValue::as_bytes).unwrap_or_default();
    String::from_utf8_lossy(bytes).into_owned()
}

fn pairs(encoded: &[u8]) -> Vec<(String, String)> {
    form_urlencoded::parse(encoded).into_owned().collect()
}

/// Each name with its value, or with all of them if there are several.
pub(super) fn flat(pairs: &[(String, String)]) -> Value {
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
    let kind = if kind.is_empty() {
        "application/octet-stream"
    } else {
        kind
    };
    let text = std::str::from_utf8(bytes).map(str::to_owned);
    text.unwrap_or_else(|_| format!("data:{kind};base64,{}", BASE64_STANDARD.encode(bytes)))
}

/// The fields with their names as they are mostly written; those that came often in one.
fn headers(fields: &HeaderMap) -> Value {
    let written = |name: &HeaderName| {
        let words = name.as_str().split('-');
        let words = words.map(|word| {
            word[..word.len().min(1)].to_ascii_uppercase() + word.get(1..).unwrap_or_default()
        });
        words.collect::<Vec<_>>().join("-")
    };
    let joined = |name| {
        let values = fields.get_all(name).iter().map(|value| text(Some(value)));
        values.collect::<Vec<_>>().join(",")
    };
    let fields = fields
        .keys()
        .map(|name| (written(name), joined(name).into()));
    Value::Object(fields.collect())
}

async fn user_agent(asked: Asked) -> Response {
    pretty(&json!({ "user-agent": asked.field(header::USER_AGENT) }))
}

async fn delay(Path(seconds): Path<String>, asked: Asked) -> Response {
    match parse_wait(&seconds) {
        Ok(wait) => {
            time::sleep(wait).await;
            let kept = ["args", "data", "files", "form", "headers", "origin", "url"];
            pretty(&asked.only(&kept))
        }
        Err(refusal) => refusal,
    }
}

#[expect(clippy::result_large_err, reason = "the error is the answer itself")]
pub(super) fn parse_wait(seconds: &str) -> Result<Duration, Response> {
    let parsed = seconds
        .parse()
        .ok()
        .filter(|it| (0.0..=DELAY_LIMIT_S).contains(it));
    parsed.map(Duration::from_secs_f64).ok_or_else(|| {
        bad_request(format!(
            "not seconds from 0 to {DELAY_LIMIT_S}: `{seconds}`\n"
        ))
    })
}

/// One of the codes in the list, by their weights.
async fn status(State(lab): State<Arc<Lab>>, Path(codes): Path<String>) -> Response {
    let parse = |part: &str| {
        let (code, weight) = part.split_once(':').unwrap_or((part, "1"));
        let weight: f64 = weight
            .trim()
            .parse()
            .ok()
            .filter(|it| (0.0..1e9).contains(it))?;
        let code = code.trim().parse().ok().filter(|code| *code >= 200)?;
        Some((StatusCode::from_u16(code).ok()?, weight))
    };
    let codes: Option<Vec<(StatusCode, f64)>> = codes.split(',').map(parse).collect();
    let Some(codes) = codes else {
        return bad_request("Invalid status code");
    };
    let all: f64 = codes.iter().map(|(_, weight)| weight).sum();
    let mut draw = mix(lab.config.seed, lab.next()) as f64 / u64::MAX as f64 * all;
    let chosen = codes.iter().find(|(_, weight)| {
        draw -= weight;
        draw <= 0.0
    });
    let code = chosen.unwrap_or(&codes[0]).0;
    match code.as_u16() {
        number if STATUS_REDIRECTS.contains(&number) => {
            (code, [(header::LOCATION, "/redirect/1")]).into_response()
        }
        401 => (code, [(header::WWW_AUTHENTICATE, FAKE_REALM)]).into_response(),
        407 => (code, [(header::PROXY_AUTHENTICATE, FAKE_REALM)]).into_response(),
        406 => {
            let accept = [
                "image/webp",
                "image/svg+xml",
                "image/jpeg",
                "image/png",
                "image/*",
            ];
            let message = "Client did not request a supported media type.";
            (
                code,
                pretty(&json!({ "message": message, "accept": accept })),
            )
                .into_response()
        }
        418 => (code, "a teapot\n").into_response(),
        _ => html(code, String::new()),
    }
}

pub(super) fn html(code: StatusCode, page: String) -> Response {
    (
        code,
        [(header::CONTENT_TYPE, "text/html; charset=utf-8")],
        page,
    )
        .into_response()
}

pub(super) fn found(location: &str) -> Response {
    let mut response = html(StatusCode::FOUND, "<title>Redirecting...</title>\n".into());
    match HeaderValue::try_from(location) {
        Ok(location) => drop(response.headers_mut().insert(header::LOCATION, location)),
        Err(_) => return bad_request("no such Location\n"),
    }
    response
}

async fn redirect(Path(n): Path<u32>, asked: Asked) -> Response {
    let is_absolute = asked
        .arg("absolute")
        .is_some_and(|it: String| it.eq_ignore_ascii_case("true"));
    match is_absolute {
        true => absolute_redirect(Path(n), asked).await,
        false => relative_redirect(Path(n)).await,
    }
}

/// The next of `n` redirects of a kind.
fn next_of(kind: &str, n: u32) -> Option<String> {
    match n {
        0 => None,
        1 => Some("/get".into()),
        n => Some(format!("/{kind}-redirect/{}", n - 1)),
    }
}

async fn absolute_redirect(Path(n): Path<u32>, asked: Asked) -> Response {
    let next = next_of("absolute", n).map(|path| asked.at(&path));
    next.map_or_else(
        || bad_request("at least one redirect\n"),
        |next| found(&next),
    )
}

async fn relative_redirect(Path(n): Path<u32>) -> Response {
    let next = next_of("relative", n);
    next.map_or_else(
        || bad_request("at least one redirect\n"),
        |next| found(&next),
    )
}

async fn redirect_to(asked: Asked) -> Response {
    let mut args = asked.args.clone();
    if let Value::Object(form) = asked.only(&["form"])["form"].clone() {
        let form = form.into_iter();
        args.extend(form.filter_map(|(key, value)| Some((key, value.as_str()?.to_owned()))));
    }
    let arg = |name| {
        args.iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    };
    let mut response = found(arg("url").unwrap_or_default());
    let code = arg("status_code").and_then(|code| code.parse().ok());
    if let Some(code) = code.filter(|code| (300..400).contains(code)) {
        *response.status_mut() = StatusCode::from_u16(code).expect("it is in range");
    }
    response
}

async fn cookies(asked: Asked) -> Response {
    let fields = asked.headers.get_all(header::COOKIE).iter();
    let fields = fields
        .map(|field| text(Some(field)))
        .collect::<Vec<_>>()
        .join(";");
    let cookies = fields
        .split(';')
        .filter_map(|cookie| cookie.split_once('='));
    let cookies = cookies.map(|(name, value)| {
        (
            name.trim().to_owned(),
            value.trim().trim_matches('"').into(),
        )
    });
    pretty(&json!({ "cookies": Value::Object(cookies.collect()) }))
}

fn with_cookies<'a>(cookies: impl Iterator<Item = (&'a str, String)>) -> Response {
    let mut response = found("/cookies");
    for (name, value) in cookies {
        let cookie = HeaderValue::try_from(format!("{name}={value}; Path=/"));
        match cookie {
            Ok(cookie) => drop(response.headers_mut().append(header::SET_COOKIE, cookie)),
            Err(_) => return bad_request("no such cookie\n"),
        }
    }
    response
}

async fn set_cookies(asked: Asked) -> Response {
    with_cookies(
        asked
            .args
            .iter()
            .map(|(name, value)| (name.as_str(), value.clone())),
    )
}

async fn set_cookie(Path((name, value)): Path<(String, String)>) -> Response {
    with_cookies([(name.as_str(), value)].into_iter())
}

async fn delete_cookies(asked: Asked) -> Response {
    let gone = "; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0";
    with_cookies(
        asked
            .args
            .iter()
            .map(|(name, _)| (name.as_str(), gone.to_owned())),
    )
}

fn is_allowed(asked: &Asked, user: &str, password: &str) -> bool {
    let given = asked.field(header::AUTHORIZATION);
    let given = given
        .split_once(' ')
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("basic"));
    let given = given.and_then(|(_, coded)| BASE64_STANDARD.decode(coded.trim()).ok());
    given.is_some_and(|given| given == format!("{user}:{password}").as_bytes())
}

fn welcome(user: &str) -> Response {
    pretty(&json!({ "authenticated": true, "user": user }))
}

async fn basic_auth(Path((user, password)): Path<(String, String)>, asked: Asked) -> Response {
    match is_allowed(&asked, &user, &password) {
        true => welcome(&user),
        false => (
            StatusCode::UNAUTHORIZED,
            [(header::WWW_AUTHENTICATE, FAKE_REALM)],
        )
            .into_response(),
    }
}

async fn hidden_basic_auth(
    Path((user, password)): Path<(String, String)>,
    asked: Asked,
) -> Response {
    match is_allowed(&asked, &user, &password) {
        true => welcome(&user),
        false => html(StatusCode::NOT_FOUND, String::new()),
    }
}

async fn bearer(asked: Asked) -> Response {
    match asked.field(header::AUTHORIZATION).strip_prefix("Bearer ") {
        Some(token) => pretty(&json!({ "authenticated": true, "token": token })),
        None => (
            StatusCode::UNAUTHORIZED,
            [(header::WWW_AUTHENTICATE, "Bearer")],
        )
            .into_response(),
    }
}

async fn response_headers(asked: Asked) -> Response {
    let mut length = 0;
    let body = loop {
        // The length is said within what it is the length of.
        let mut about = vec![
            ("Content-Length".to_owned(), format!("{length}")),
            ("Content-Type".to_owned(), "application/json".to_owned()),
        ];
        about.extend(asked.args.iter().cloned());
        let body = format!("{:#}\n", flat(&about));
        if body.len() == length {
            break body;
        }
        length = body.len();
    };
    let mut response = pretty(&Value::Null);
    for (name, value) in &asked.args {
        match (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            (Ok(name), Ok(value)) => drop(response.headers_mut().append(name, value)),
            _ => return bad_request(format!("no such field: `{name}`\n")),
        }
    }
    response.map(|_| Body::from(body))
}
