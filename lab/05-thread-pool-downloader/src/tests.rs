use super::*;
use std::{
    collections::BTreeSet,
    sync::{
        Arc, Barrier,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    time::Duration,
};
use web::{Server, ServerConfig, blocking_agent};

fn server() -> Server {
    Server::in_process(0, ServerConfig::default()).expect("a server in this process")
}

fn agent() -> Agent {
    blocking_agent(Duration::from_secs(30))
}

fn workers(workers: usize) -> NonZeroUsize {
    NonZeroUsize::new(workers).expect("not zero")
}

/// The bodies by the number of their request.
fn bodies(mut downloads: Vec<Download>) -> Vec<Vec<u8>> {
    downloads.sort_by_key(|one| one.0);
    let numbers = downloads.iter().map(|one| one.0);
    assert!(numbers.eq(1..=downloads.len()), "{downloads:?}");
    let pages = downloads.into_iter().map(|one| one.1);
    pages
        .map(|page| page.expect("the server answers").body)
        .collect()
}

#[test]
fn any_pool_brings_home_the_page_of_each_request_once() {
    let (server, agent) = (server(), agent());
    for count in [0, 1, 3, 40] {
        let urls: Vec<Url> = (1..=count)
            .map(|n| server.url(&format!("bytes/{n}")))
            .collect();
        for size in 1..=8 {
            server.begin_run().expect("the server counts");
            let pooled = download_pooled(&agent, &urls, workers(size), |_| ());
            assert!(bodies(pooled).iter().map(Vec::len).eq(1..=count));
            let witness = server.witness().expect("the server tells");
            assert_eq!(witness.arrivals, count as u64);
            assert!(witness.peak_in_flight <= size as u64, "{witness:?}");
        }
    }
}

#[test]
fn each_download_is_handed_out_as_it_completes_in_the_order_of_the_result() {
    let (server, agent) = (server(), agent());
    let urls = vec![server.url("get"); 12];
    let mut arrived = Vec::new();
    let downloads = download_pooled(&agent, &urls, workers(4), |one| arrived.push(one.0));
    assert!(
        downloads.iter().map(|one| one.0).eq(arrived),
        "{downloads:?}"
    );
}

#[test]
fn a_failed_request_is_a_value_and_spares_the_others() {
    let (server, agent) = (server(), agent());
    let urls = ["get", "status/500", "html"].map(|path| server.url(path));
    let mut downloads = download_pooled(&agent, &urls, workers(2), |_| ());
    downloads.sort_by_key(|one| one.0);
    let is_ok = downloads.iter().map(|one| one.1.is_ok());
    assert!(is_ok.eq([true, false, true]));
}

fn pool<T: Send + 'static>(workers: usize) -> ThreadPool<T> {
    ThreadPool::new(NonZeroUsize::new(workers).expect("not zero"))
}

/// Runs `work`, and turns a hang into a failure.
fn without_hanging<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (tx, rx) = mpsc::channel();
    thread::spawn(move || tx.send(work()));
    rx.recv_timeout(Duration::from_secs(60))
        .expect("it panicked, or it hangs")
}

#[test]
fn each_job_comes_back_once_under_its_number() {
    without_hanging(|| {
        for workers in 1..=8 {
            for count in [0, 1, 3, 100] {
                let mut pool = pool(workers);
                for number in 1..=count {
                    assert_eq!(pool.submit(move || number * number), number);
                }
                let completed: Vec<_> = pool.as_completed().collect();
                assert_eq!(completed.len(), count, "{workers} workers");
                let numbers: BTreeSet<usize> = completed.iter().map(|one| one.0).collect();
                assert!(numbers.into_iter().eq(1..=count), "{workers} workers");
                for (number, square) in completed {
                    assert_eq!(square.expect("no job panics"), number * number);
                }
            }
        }
    });
}

#[test]
fn all_workers_work_at_once_and_none_holds_the_queue_meanwhile() {
    for workers in 1..=8 {
        // Each job waits for the others: fewer at once would wait for ever.
        let met = without_hanging(move || {
            let meeting = Arc::new(Barrier::new(workers));
            let mut pool = pool(workers);
            for _ in 0..2 * workers {
                let meeting = Arc::clone(&meeting);
                pool.submit(move || meeting.wait().is_leader());
            }
            let leaders = pool.as_completed().filter_map(|(_, leader)| leader.ok());
            leaders.filter(|leader| *leader).count()
        });
        assert_eq!(met, 2, "two waves of {workers}");
    }
}

#[test]
fn no_more_jobs_run_at_once_than_there_are_workers() {
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let mut pool = pool(3);
    for _ in 0..200 {
        let (now, most) = (Arc::clone(&now), Arc::clone(&most));
        pool.submit(move || {
            most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            thread::yield_now();
            now.fetch_sub(1, Ordering::SeqCst);
        });
    }
    assert_eq!(pool.as_completed().count(), 200);
    assert!((1..=3).contains(&most.load(Ordering::SeqCst)), "{most:?}");
}

#[test]
fn the_first_to_finish_comes_first_whatever_was_asked_first() {
    let order = without_hanging(|| {
        let mut pool = pool(2);
        let (tx, rx) = mpsc::channel::<()>();
        pool.submit(move || rx.recv().is_ok());
        pool.submit(|| true);
        let mut completed = pool.as_completed();
        let first = completed.next().map(|one| one.0);
        tx.send(()).expect("the first job still waits");
        [first, completed.next().map(|one| one.0)]
    });
    assert_eq!(order, [Some(2), Some(1)]);
}

#[test]
fn a_panic_comes_back_as_a_value_and_its_worker_goes_on() {
    let completed = without_hanging(|| {
        let mut pool = pool(1);
        pool.submit(|| panic!("on purpose"));
        pool.submit(|| "well");
        pool.as_completed().collect::<Vec<_>>()
    });
    let panic = completed[0].1.as_ref().expect_err("the job panics");
    assert_eq!(panic.downcast_ref(), Some(&"on purpose"));
    assert_eq!(completed[1].1.as_ref().ok(), Some(&"well"));
}

#[test]
fn a_pool_can_be_asked_again_after_its_jobs_are_done() {
    let mut pool = pool(2);
    pool.submit(|| ());
    assert_eq!(pool.as_completed().count(), 1);
    assert_eq!(pool.as_completed().count(), 0);
    assert_eq!(pool.submit(|| ()), 2);
    assert_eq!(pool.as_completed().count(), 1);
}

#[test]
fn dropping_the_pool_waits_for_every_job() {
    let done = Arc::new(AtomicUsize::new(0));
    let mut pool = pool(2);
    for _ in 0..50 {
        let done = Arc::clone(&done);
        pool.submit(move || done.fetch_add(1, Ordering::SeqCst));
    }
    drop(pool);
    assert_eq!(done.load(Ordering::SeqCst), 50);
}
