//! Ten tasks on one thread: the waits overlap, and nothing blocks.

use std::io;
use tokio::{
    runtime::Builder,
    task::{JoinSet, yield_now},
};
use web::{AsyncClient, FetchError, Fetched, Url, get_async};

/// So many tasks are started before those that run get a turn.
///
/// All at once, thousands would wait for connections together, and the client's pool goes through all
/// that wait whenever one has got its own.
const STARTED_AT_ONCE: usize = 8;

/// Runs a future to its end on the calling thread, and no other: Python's `asyncio.run`.
///
/// # Errors
/// The system refuses the runtime its event queue.
pub fn run_on_this_thread<F: Future>(future: F) -> io::Result<F::Output> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    Ok(runtime.block_on(future))
}

/// Awaits one download before it starts the next: asynchronous, and still sequential.
///
/// `on_arrival` gets each answer and its number as it comes.
pub async fn download_awaiting_each(
    client: &AsyncClient,
    urls: &[Url],
    on_arrival: impl Fn(usize, &Fetched),
) -> Vec<Fetched> {
    let mut pages = Vec::with_capacity(urls.len());
    for (number, url) in (1..).zip(urls) {
        let fetched = get_async(client, url).await;
        on_arrival(number, &fetched);
        pages.push(fetched);
    }
    pages
}

/// Downloads every URL in a task of its own; pages are in the order of the URLs.
///
/// # Cancel safety
/// A dropped future takes its tasks along.
pub async fn download_in_tasks(
    client: &AsyncClient,
    urls: &[Url],
    on_arrival: impl Fn(usize, &Fetched),
) -> Vec<Fetched> {
    let mut tasks = JoinSet::new();
    for (number, url) in (1..).zip(urls) {
        tasks.spawn(download(number, client.clone(), url.clone()));
        if number.is_multiple_of(STARTED_AT_ONCE) {
            yield_now().await;
        }
    }
    // One task's panic is one failed request; the others keep their pages.
    let mut pages: Vec<Fetched> = urls.iter().map(|url| Err(panicked(url))).collect();
    while let Some(joined) = tasks.join_next().await {
        if let Ok((number, fetched)) = joined {
            on_arrival(number, &fetched);
            pages[number - 1] = fetched;
        }
    }
    pages
}

/// One task; it owns what it needs, because it may outlive its caller.
#[tracing::instrument(name = "task", skip_all, fields(task = number, wait = "io"))]
async fn download(number: usize, client: AsyncClient, url: Url) -> (usize, Fetched) {
    (number, get_async(&client, &url).await)
}

/// Makes a future per URL and drops them without awaiting one; returns how many there were.
pub fn make_without_awaiting(client: &AsyncClient, urls: &[Url]) -> usize {
    let futures: Vec<_> = urls.iter().map(|url| get_async(client, url)).collect();
    futures.len()
}

fn panicked(url: &Url) -> FetchError {
    FetchError::Other {
        url: url.to_string(),
        reason: "its task panicked".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{thread, time::Duration};
    use web::{Server, ServerConfig, async_client};

    fn server() -> Server {
        Server::in_process(0, ServerConfig::default()).expect("a server in this process")
    }

    fn client() -> AsyncClient {
        async_client(Duration::from_secs(30))
    }

    fn run<F: Future>(future: F) -> F::Output {
        run_on_this_thread(future).expect("a runtime starts")
    }

    fn bodies(pages: Vec<Fetched>) -> Vec<Vec<u8>> {
        let pages = pages.into_iter();
        pages
            .map(|page| page.expect("the server answers").body)
            .collect()
    }

    #[test]
    fn tasks_bring_home_what_awaiting_each_does_in_the_same_order_each_once() {
        let server = server();
        for count in [0, 1, 3, 40] {
            let urls: Vec<Url> = (1..=count)
                .map(|n| server.url(&format!("bytes/{n}")))
                .collect();
            let sequential = bodies(run(download_awaiting_each(&client(), &urls, |_, _| ())));
            assert!(sequential.iter().map(Vec::len).eq(1..=count));
            server.begin_run().expect("the server counts");
            assert_eq!(
                bodies(run(download_in_tasks(&client(), &urls, |_, _| ()))),
                sequential
            );
            let witness = server.witness().expect("the server tells");
            assert_eq!(witness.arrivals, count as u64);
        }
    }

    #[test]
    fn awaiting_each_never_has_two_in_flight() {
        let server = server();
        let urls = vec![server.url("get"); 20];
        run(download_awaiting_each(&client(), &urls, |_, _| ()));
        let witness = server.witness().expect("the server tells");
        assert_eq!((witness.arrivals, witness.peak_in_flight), (20, 1));
        assert_eq!(witness.connections, 1, "kept alive");
    }

    #[test]
    fn futures_that_nobody_awaits_send_nothing() {
        let server = server();
        let urls = vec![server.url("get"); 10];
        let client = client();
        // Even with a runtime at hand.
        assert_eq!(run(async { make_without_awaiting(&client, &urls) }), 10);
        let witness = server.witness().expect("the server tells");
        assert_eq!((witness.arrivals, witness.connections), (0, 0));
    }

    #[test]
    fn all_tasks_are_in_flight_at_once_on_one_thread() {
        let server = server();
        let urls = vec![server.url("delay/2"); 20];
        let here = thread::current().id();
        let pages = run(download_in_tasks(&client(), &urls, |_, _| {
            assert_eq!(thread::current().id(), here);
        }));
        assert!(pages.iter().all(Result::is_ok));
        let witness = server.witness().expect("the server tells");
        assert_eq!(witness.peak_in_flight, 20);
    }

    #[test]
    fn a_failed_request_keeps_its_place_and_spares_the_others() {
        let server = server();
        let urls = ["get", "status/500", "html"].map(|path| server.url(path));
        let pages = run(download_in_tasks(&client(), &urls, |_, _| ()));
        let fine: Vec<bool> = pages.iter().map(Result::is_ok).collect();
        assert_eq!(fine, [true, false, true]);
    }
}
