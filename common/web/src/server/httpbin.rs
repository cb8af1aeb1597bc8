//! httpbin's paths, answered as httpbin answers them.

use super::{
    Lab,
    asked::{Answer, Asked, BRIEF, Refusal, WHOLE, pretty, wait},
    bodies,
};
use axum::{
    Router,
    extract::Path,
    http::{HeaderValue, StatusCode, Uri, header},
    response::{Html, IntoResponse, Response},
    routing::{any, delete, get, patch, post, put},
};
use serde_json::json;
use std::sync::Arc;
use tokio::time;

const DELAYED: &str = "args data files form headers origin url";
const ALL: &str = "args data files form headers json method origin url";

const FAKE_REALM: &str = "Basic realm=\"Fake Realm\"";

pub(super) fn routes() -> Router<Arc<Lab>> {
    let about = |keys: &'static str| async move |asked: Asked| asked.json(keys);
    Router::new()
        .route("/get", get(about(BRIEF)))
        .route("/post", post(about(WHOLE)))
        .route("/put", put(about(WHOLE)))
        .route("/patch", patch(about(WHOLE)))
        .route("/delete", delete(about(WHOLE)))
        .route("/anything", any(about(ALL)))
        .route("/anything/{*rest}", any(about(ALL)))
        .route("/headers", get(about("headers")))
        .route("/ip", get(about("origin")))
        .route("/user-agent", get(about("user-agent")))
        .route("/delay/{seconds}", any(delay))
        .route("/status/{codes}", any(status))
        .route("/redirect/{n}", get(redirect))
        .route("/absolute-redirect/{n}", get(redirect))
        .route("/relative-redirect/{n}", get(redirect))
        .route("/redirect-to", any(redirect_to))
        .merge(bodies::routes())
}

pub(super) async fn not_found(uri: Uri) -> Response {
    let path = uri.path().replace('<', "&lt;");
    let text = format!("no such path: `{path}`; see / for those there are\n");
    (StatusCode::NOT_FOUND, Html(text)).into_response()
}

/// One line for a request that makes no sense.
pub(super) fn bad_request(text: impl Into<String>) -> Refusal {
    (StatusCode::BAD_REQUEST, text.into())
}

async fn delay(Path(seconds): Path<f64>, asked: Asked) -> Answer {
    time::sleep(wait(seconds)?).await;
    Ok(asked.json(DELAYED))
}

/// One of the codes in the list, by their weights.
fn drawn(lab: &Lab, codes: &str) -> Option<StatusCode> {
    let parse = |part: &str| {
        let (code, weight) = part.split_once(':').unwrap_or((part, "1"));
        let weight: f64 = weight.trim().parse().ok()?;
        let code = StatusCode::from_bytes(code.trim().as_bytes()).ok()?;
        ((0.0..1e9).contains(&weight) && code.as_u16() >= 200).then_some((code, weight))
    };
    let codes: Vec<(StatusCode, f64)> = codes.split(',').map(parse).collect::<Option<_>>()?;
    let all: f64 = codes.iter().map(|(_, weight)| weight).sum();
    let mut draw = lab.draw() as f64 / u64::MAX as f64 * all;
    let chosen = codes.iter().find(|(_, weight)| {
        draw -= weight;
        draw <= 0.0
    });
    Some(chosen.unwrap_or(&codes[0]).0)
}

async fn status(Path(codes): Path<String>, asked: Asked) -> Answer {
    let code = drawn(&asked.lab, &codes);
    let code = code.ok_or_else(|| bad_request("Invalid status code"))?;
    Ok(match code.as_u16() {
        301..=303 | 305 | 307 => (code, [(header::LOCATION, "/redirect/1")]).into_response(),
        401 => (code, [(header::WWW_AUTHENTICATE, FAKE_REALM)]).into_response(),
        407 => (code, [(header::PROXY_AUTHENTICATE, FAKE_REALM)]).into_response(),
        406 => {
            let accept = "image/webp image/svg+xml image/jpeg image/png image/*";
            let accept: Vec<&str> = accept.split(' ').collect();
            let message = "Client did not request a supported media type.";
            let body = pretty(&json!({ "message": message, "accept": accept }));
            (code, body).into_response()
        }
        418 => (code, "a teapot\n").into_response(),
        _ => (code, Html("")).into_response(),
    })
}

pub(super) fn found(location: &str) -> Answer {
    let location = HeaderValue::try_from(location);
    let location = location.map_err(|_| bad_request("no such Location\n"))?;
    let page = Html("<title>Redirecting...</title>\n");
    Ok((StatusCode::FOUND, [(header::LOCATION, location)], page).into_response())
}

/// The first of `n` redirects to `/get`, of the kind that the path or `?absolute=` names.
async fn redirect(Path(n): Path<u32>, asked: Asked) -> Answer {
    let path = asked.head.uri.path();
    let says_so = asked.arg::<String>("absolute");
    let says_so = says_so.is_some_and(|it| it.eq_ignore_ascii_case("true"));
    let is_absolute = path.starts_with("/abs") || path.starts_with("/redirect/") && says_so;
    let path = match (n, is_absolute) {
        (0, _) => return Err(bad_request("at least one redirect\n")),
        (1, _) => "/get".into(),
        (_, true) => format!("/absolute-redirect/{}", n - 1),
        (_, false) => format!("/relative-redirect/{}", n - 1),
    };
    found(&if is_absolute { asked.at(path) } else { path })
}

async fn redirect_to(asked: Asked) -> Answer {
    let mut response = found(&asked.arg::<String>("url").unwrap_or_default())?;
    if let Some(code @ 300..400) = asked.arg("status_code") {
        *response.status_mut() = StatusCode::from_u16(code).expect("it is in range");
    }
    Ok(response)
}
