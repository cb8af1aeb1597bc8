//! Ten tasks on one thread: the waits overlap, and nothing blocks.

use reqwest::Client;
use std::{collections::HashMap, io};
use tokio::{
    runtime::Builder,
    task::{Id, JoinError, JoinSet, yield_now},
};
use web::{FetchError, Fetched, Url, get_async};

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
pub async fn download_awaiting_each(client: &Client, urls: &[Url]) -> Vec<Fetched> {
    let mut pages = Vec::with_capacity(urls.len());
    for url in urls {
        pages.push(get_async(client, url).await);
    }
    pages
}

/// Downloads every URL in a task of its own; pages come in the order of asking.
///
/// # Cancel safety
/// A dropped future takes its tasks along.
pub async fn download_in_tasks(client: &Client, urls: &[Url]) -> Vec<Fetched> {
    let downloads = (1..)
        .zip(urls)
        .map(|(number, url)| download(number, client.clone(), url.clone()));
    let outcomes = run_as_tasks(downloads).await;
    let pages = urls.iter().zip(outcomes).map(|(url, outcome)| {
        // One task's panic is one failed request; the others keep their pages.
        outcome.unwrap_or_else(|panic| Err(panicked(url, &panic)))
    });
    pages.collect()
}

/// One task; it owns what it needs, because it may outlive its caller.
#[tracing::instrument(name = "task", skip_all, fields(task = number, wait = "io"))]
async fn download(number: usize, client: Client, url: Url) -> Fetched {
    get_async(&client, &url).await
}

/// Makes a future per URL and drops them without awaiting one; returns how many there were.
pub fn make_without_awaiting(client: &Client, urls: &[Url]) -> usize {
    let futures: Vec<_> = urls.iter().map(|url| get_async(client, url)).collect();
    futures.len()
}

/// Starts a task per future, waits for all, and gives each one's value or panic in their order.
pub async fn run_as_tasks<T: Send + 'static>(
    futures: impl IntoIterator<Item: Future<Output = T> + Send + 'static>,
) -> Vec<Result<T, JoinError>> {
    let mut tasks = JoinSet::new();
    let mut order: Vec<Id> = Vec::new();
    for future in futures {
        order.push(tasks.spawn(future).id());
        if order.len().is_multiple_of(STARTED_AT_ONCE) {
            yield_now().await;
        }
    }
    let mut outcomes = HashMap::new();
    // Drained to the end: what a task panicked with is an outcome like any other.
    while let Some(joined) = tasks.join_next_with_id().await {
        let (id, outcome) = match joined {
            Ok((id, value)) => (id, Ok(value)),
            Err(panic) => (panic.id(), Err(panic)),
        };
        outcomes.insert(id, outcome);
    }
    order.iter().filter_map(|id| outcomes.remove(id)).collect()
}

fn panicked(url: &Url, panic: &JoinError) -> FetchError {
    FetchError::Other {
        url: url.to_string(),
        reason: panic.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        sync::{Arc, mpsc},
        thread,
        time::Duration,
    };
    use tokio::sync::Barrier;
    use web::{Server, ServerConfig, async_client};

    fn server() -> Server {
        Server::in_process(0, ServerConfig::default()).expect("a server in this process")
    }

    fn client() -> Client {
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
            let sequential = bodies(run(download_awaiting_each(&client(), &urls)));
            assert!(sequential.iter().map(Vec::len).eq(1..=count));
            server.begin_run().expect("the server counts");
            assert_eq!(bodies(run(download_in_tasks(&client(), &urls))), sequential);
            let witness = server.witness().expect("the server tells");
            assert_eq!(witness.arrivals, count as u64);
        }
    }

    #[test]
    fn awaiting_each_never_has_two_in_flight() {
        let server = server();
        let urls = vec![server.url("get"); 20];
        run(download_awaiting_each(&client(), &urls));
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
    fn all_tasks_are_under_way_at_once_on_one_thread() {
        let (tx, rx) = mpsc::channel();
        thread::spawn(move || {
            // Each task waits for all the others: one after another would wait for ever.
            let meeting = Arc::new(Barrier::new(1_000));
            let tasks = (0..1_000).map(|number| {
                let meeting = Arc::clone(&meeting);
                async move {
                    meeting.wait().await;
                    (number, thread::current().id())
                }
            });
            tx.send((run(run_as_tasks(tasks)), thread::current().id()))
        });
        let (outcomes, caller) = rx
            .recv_timeout(Duration::from_secs(60))
            .expect("it panicked, or it hangs");
        let outcomes = outcomes.into_iter().map(|one| one.expect("no task panics"));
        assert!(outcomes.eq((0..1_000).map(|number| (number, caller))));
    }

    #[test]
    fn a_panicking_task_is_a_value_in_its_place_and_spares_the_others() {
        let tasks = (1..=3).map(|number| async move {
            assert!(number != 2, "on purpose");
            number
        });
        let outcomes = run(run_as_tasks(tasks));
        assert_eq!(outcomes[0].as_ref().ok(), Some(&1));
        assert!(outcomes[1].as_ref().expect_err("it panics").is_panic());
        assert_eq!(outcomes[2].as_ref().ok(), Some(&3));
    }

    #[test]
    fn a_failed_request_keeps_its_place_and_spares_the_others() {
        let server = server();
        let urls = ["get", "status/500", "html"].map(|path| server.url(path));
        let pages = run(download_in_tasks(&client(), &urls));
        let fine: Vec<bool> = pages.iter().map(Result::is_ok).collect();
        assert_eq!(fine, [true, false, true]);
    }
}
