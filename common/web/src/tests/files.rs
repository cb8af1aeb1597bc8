//! A directory is served, and nothing around it.

use super::*;
use std::fs;

/// A secret, and beside it the directory that is served.
fn site() -> (tempfile::TempDir, Server) {
    let place = tempfile::tempdir().expect("a directory");
    let root = place.path().join("site");
    fs::create_dir_all(root.join("docs")).expect("directories");
    fs::write(place.path().join("secret.txt"), "the secret").expect("a file");
    fs::write(root.join("a b.html"), "<title>a b</title>").expect("a file");
    fs::write(root.join("docs/index.html"), "<title>docs</title>").expect("a file");
    fs::write(root.join("large.bin"), vec![7; 300_000]).expect("a file");
    #[cfg(unix)]
    {
        use std::os::unix::fs::symlink;
        symlink("../secret.txt", root.join("way-out.txt")).expect("a link");
        symlink("..", root.join("up")).expect("a link");
    }
    let server = server_with(ServerConfig {
        files: Some(root),
        ..ServerConfig::default()
    });
    (place, server)
}

#[test]
fn files_come_with_their_type() {
    let (_place, server) = site();
    let page = get(&server.url("files/a%20b.html"));
    assert_eq!(page.is_html(), Ok(()));
    assert_eq!(text(&page), "<title>a b</title>");
    let large = get(&server.url("files/large.bin"));
    assert_eq!(large.body.len(), 300_000);
    assert_eq!(
        large.content_type.as_deref(),
        Some("application/octet-stream")
    );
}

#[test]
fn a_directory_answers_with_its_index_under_a_slash() {
    let (_place, server) = site();
    let page = get(&server.url("files/docs"));
    assert_eq!(page.url, server.url("files/docs/"));
    assert_eq!(text(&page), "<title>docs</title>");
}

#[test]
fn what_is_not_there_is_404() {
    let (_place, server) = site();
    for path in ["files/none.html", "files/", "files", "files/large.bin/x"] {
        let error = get_blocking(&blocking_agent(LONG), &server.url(path)).expect_err("missing");
        assert!(
            matches!(error, FetchError::Status { code: 404, .. }),
            "{path}: {error}"
        );
    }
}

#[test]
fn no_path_leads_out_of_the_directory() {
    let (_place, server) = site();
    for path in [
        "/files/../secret.txt",
        "/files/%2e%2e/secret.txt",
        "/files/..%2fsecret.txt",
        "/files/docs/../../secret.txt",
        "/files/docs/..%5c..%5csecret.txt",
        "/files//etc/passwd",
        "/files/%2fetc/passwd",
        "/files/%00",
        "/files/way-out.txt",
        "/files/up/secret.txt",
    ] {
        let answer = answer_raw(&server, path);
        assert!(answer.starts_with("HTTP/1.1 4"), "{path}: {answer}");
        assert!(!answer.contains("the secret"), "{path}: {answer}");
    }
}

#[test]
fn a_directory_that_is_not_there_is_named() {
    let config = ServerConfig {
        files: Some("/no/such/directory".into()),
        ..ServerConfig::default()
    };
    let error = Server::in_process(0, config).expect_err("nothing to serve");
    assert!(
        error.to_string().contains("`/no/such/directory`"),
        "{error}"
    );
}
