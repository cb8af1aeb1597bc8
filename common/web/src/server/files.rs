//! A directory, shown as it is and no further.

use super::{Lab, asked::Answer};
use axum::{
    Router,
    extract::{Path, State},
    http::{StatusCode, Uri, header},
    response::{IntoResponse, Redirect},
    routing::get,
};
use std::{
    fs,
    path::{Path as FilePath, PathBuf},
    sync::Arc,
};

pub(super) fn routes() -> Router<Arc<Lab>> {
    Router::new()
        .route("/files", get(serve))
        .route("/files/", get(serve))
        .route("/files/{*path}", get(serve))
}

/// The directory to serve, in its one true spelling.
pub(super) fn root(directory: &FilePath) -> Result<PathBuf, String> {
    let root = directory.canonicalize();
    let root = root.and_then(|root| fs::read_dir(&root).map(|_| root));
    root.map_err(|error| {
        format!(
            "cannot serve the directory `{}`: {error}",
            directory.display()
        )
    })
}

async fn serve(State(lab): State<Arc<Lab>>, path: Option<Path<String>>, uri: Uri) -> Answer {
    let missing = || {
        let text = format!("no such file: `{}`\n", uri.path());
        (StatusCode::NOT_FOUND, text)
    };
    let root = lab.config.files.as_deref().ok_or_else(missing)?;
    // The file system has the last word, links included.
    let inside = |path: PathBuf| {
        let path = path.canonicalize().ok();
        path.filter(|path| path.starts_with(root))
    };
    let path = path.map(|Path(path)| path).unwrap_or_default();
    let mut found = inside(root.join(path));
    if let Some(directory) = found.as_ref().filter(|found| found.is_dir()) {
        if !uri.path().ends_with('/') {
            // Relative links in the directory's index need the slash.
            return Ok(Redirect::permanent(&format!("{}/", uri.path())).into_response());
        }
        found = inside(directory.join("index.html"));
    }
    // A pipe or a device might hold the reader up for ever.
    let found = found.filter(|found| found.is_file()).ok_or_else(missing)?;
    let bytes = fs::read(&found).map_err(|_| missing())?;
    Ok(([(header::CONTENT_TYPE, content_type(&found))], bytes).into_response())
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
        _ => "application/octet-stream",
    }
}
