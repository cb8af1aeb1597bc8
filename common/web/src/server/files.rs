//! A directory, shown as it is and no further.

use super::{Lab, httpbin::bad_request};
use axum::{
    Router,
    extract::{Path, State},
    http::{StatusCode, Uri, header},
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use std::{
    fs, io,
    path::{Component, Path as FilePath, PathBuf},
    sync::Arc,
};

/// A larger file is read on another thread, so that it does not hold up the rest.
const INLINE_LIMIT_BYTES: u64 = 256 * 1024;

pub(super) fn routes() -> Router<Arc<Lab>> {
    Router::new()
        .route("/files", get(|| async { Redirect::permanent("/files/") }))
        .route("/files/", get(top))
        .route("/files/{*path}", get(file))
}

/// The directory to serve, in its one true spelling.
pub(super) fn root(directory: &FilePath) -> Result<PathBuf, String> {
    let shown = directory.display();
    let root = directory
        .canonicalize()
        .map_err(|error| format!("cannot serve the directory `{shown}`: {error}"))?;
    if root.is_dir() {
        Ok(root)
    } else {
        Err(format!("cannot serve `{shown}`: not a directory"))
    }
}

async fn top(State(lab): State<Arc<Lab>>, uri: Uri) -> Response {
    serve(&lab, "", &uri).await
}

async fn file(State(lab): State<Arc<Lab>>, Path(path): Path<String>, uri: Uri) -> Response {
    serve(&lab, &path, &uri).await
}

async fn serve(lab: &Lab, path: &str, uri: &Uri) -> Response {
    let Some(root) = &lab.config.files else {
        return (StatusCode::NOT_FOUND, "no directory is served here\n").into_response();
    };
    let relative = FilePath::new(path);
    let plain = |part| matches!(part, Component::Normal(_) | Component::CurDir);
    if !relative.components().all(plain) {
        return bad_request("a path may not leave the directory");
    }
    let mut found = inside(root, root.join(relative));
    if found.as_ref().is_ok_and(|found| found.is_dir()) {
        if !uri.path().ends_with('/') {
            // Relative links in the directory's index need the slash.
            return Redirect::permanent(&format!("{}/", uri.path())).into_response();
        }
        found = inside(root, root.join(relative).join("index.html"));
    }
    let found = match found {
        Ok(found) => found,
        Err(error) => return missing(&error, uri),
    };
    let content_type = content_type(&found);
    match read(found).await {
        Ok(bytes) => ([(header::CONTENT_TYPE, content_type)], bytes).into_response(),
        Err(error) => missing(&error, uri),
    }
}

/// `path` in its one true spelling; the file system has the last word, links included.
fn inside(root: &FilePath, path: PathBuf) -> io::Result<PathBuf> {
    let path = path.canonicalize()?;
    if path.starts_with(root) {
        Ok(path)
    } else {
        Err(io::ErrorKind::PermissionDenied.into())
    }
}

async fn read(path: PathBuf) -> io::Result<Vec<u8>> {
    let about = fs::metadata(&path)?;
    if !about.is_file() {
        // A pipe or a device might hold the reader up for ever.
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    if about.len() <= INLINE_LIMIT_BYTES {
        return fs::read(path);
    }
    tokio::task::spawn_blocking(|| fs::read(path)).await?
}

fn missing(error: &io::Error, uri: &Uri) -> Response {
    let status = match error.kind() {
        io::ErrorKind::PermissionDenied => StatusCode::FORBIDDEN,
        _ => StatusCode::NOT_FOUND,
    };
    (status, format!("no such file: `{}`\n", uri.path())).into_response()
}

fn content_type(path: &FilePath) -> &'static str {
    let extension = path.extension().and_then(|extension| extension.to_str());
    match extension.unwrap_or_default().to_ascii_lowercase().as_str() {
        "html" | "htm" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "json" => "application/json",
        "md" | "txt" => "text/plain; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        _ => "application/octet-stream",
    }
}
