//! httpbin's paths answer as httpbin's do; the lab's own do as `/` says.

use super::*;
use serde_json::Value;

fn status_of(server: &Server, path: &str) -> u16 {
    match get_blocking(&blocking_agent(LONG), &server.url(path)) {
        Ok(page) => page.status,
        Err(FetchError::Status { code, .. }) => code,
        Err(error) => panic!("{path}: {error}"),
    }
}

fn json(page: &Page) -> Value {
    serde_json::from_slice(&page.body).expect("JSON")
}

#[test]
fn get_tells_what_was_asked() {
    let server = server();
    let url = server.url("get?a=1&b=two%20words");
    let answer = json(&get(&url));
    assert_eq!(answer["args"]["b"], "two words");
    assert_eq!(answer["url"], url.as_str());
    assert_eq!(answer["headers"]["User-Agent"], USER_AGENT);
}

#[test]
fn delay_holds_the_answer_back() {
    let server = server();
    let page = get(&server.url("delay/0.05"));
    assert!(page.elapsed >= Duration::from_millis(50));
    assert_eq!(json(&page)["url"], server.url("delay/0.05").as_str());
    get(&server.url("delay/0"));
}

#[test]
fn senseless_numbers_are_refused() {
    let server = server();
    for path in [
        "delay/-1",
        "delay/61",
        "delay/NaN",
        "delay/soon",
        "bytes/-1",
        "bytes/99999999999",
        "status/99",
        "status/ok",
        "links/many",
        "page/x",
        "page/1?size=999999999",
        "page/1?count=0",
        "retry-after/-1",
    ] {
        assert_eq!(status_of(&server, path), 400, "{path}");
    }
    assert_eq!(status_of(&server, "nowhere"), 404);
    assert_eq!(status_of(&server, "files/x"), 404);
}

#[test]
fn bytes_are_as_many_as_asked_and_by_the_seed() {
    let server = server();
    let bytes = get(&server.url("bytes/1003")).body;
    assert_eq!(bytes.len(), 1003);
    assert_eq!(bytes, get(&server.url("bytes/1003")).body);
    let other = server_with(ServerConfig {
        seed: 1,
        ..ServerConfig::default()
    });
    assert_ne!(bytes, get(&other.url("bytes/1003")).body);
    assert!(get(&server.url("bytes/0")).body.is_empty());
}

#[test]
fn links_are_as_many_as_asked_less_the_page_itself() {
    let server = server();
    let page = get(&server.url("links/5/2"));
    let text = text(&page);
    assert_eq!(text.matches("<a href='/links/5/").count(), 4);
}

#[test]
fn pages_have_the_title_that_is_foretold() {
    let server = server();
    for n in 0..6 {
        let page = get(&server.url(&format!("page/{n}?size=3000")));
        assert_eq!(page.body.len(), 3000);
        let title = server::page_title(0, n).replace('&', "&amp;");
        let start = title.split('<').next().expect("a first part").to_owned();
        let start = start.replace('"', "&quot;");
        let text = text(&page);
        assert!(text.contains(&format!("<title>{start}")), "{text}");
    }
    let links = get(&server.url("page/0?count=7"));
    assert_eq!(text(&links).matches("<a href=\"/page/").count(), 5);
}

#[test]
fn the_start_page_lists_the_paths() {
    let server = server();
    assert!(text(&get(&server.url(""))).contains("/witness"));
}

#[test]
fn a_taken_port_is_named() {
    let server = server();
    let port = server.base_url().port().expect("a port");
    let error = Server::in_process(port, ServerConfig::default()).expect_err("it is taken");
    let expected = format!(
        "the lab's server cannot start: port `{port}` is in use; choose another, or 0 for any free one"
    );
    assert_eq!(error.to_string(), expected);
}
