use super::*;
use measure::workload::Seeded;
use std::{
    future,
    num::NonZeroU32,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};
use tokio::{
    sync::Barrier,
    time::{self, Instant},
};
use web::{FaultKind, Faults, Page, Server, ServerConfig, Witness, async_client, get_async};

const SECOND: Duration = Duration::from_secs(1);
const BOTH: [PermitUse; 2] = [PermitUse::Attempt, PermitUse::Request];

fn policy(attempts: usize) -> RetryPolicy {
    RetryPolicy {
        attempts,
        back_off: SECOND,
        max_wait: 10 * SECOND,
        seed: 7,
    }
}

fn limit(limit: usize) -> NonZeroUsize {
    NonZeroUsize::new(limit).expect("not zero")
}

/// URLs that name their request: `http://h/1`, `http://h/2` …
fn urls(count: usize) -> Vec<Url> {
    (1..=count)
        .map(|number| Url::parse(&format!("http://h/{number}")).expect("a URL"))
        .collect()
}

fn number(url: &Url) -> usize {
    url.path()[1..].parse().expect("the path is a number")
}

fn page(url: Url) -> Fetched {
    Ok(Page {
        status: 200,
        body: url.path().into(),
        url,
        content_type: None,
        elapsed: Duration::ZERO,
    })
}

fn status(url: &Url, code: u16, retry_after: Option<Duration>) -> Fetched {
    Err(FetchError::Status {
        url: url.to_string(),
        code,
        retry_after,
    })
}

/// When each attempt began, in the order in which they did.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<(usize, Instant)>>>);

impl Log {
    /// Notes an attempt and returns how many this request has made.
    fn attempt(&self, url: &Url) -> usize {
        let mut log = self.0.lock().expect("no attempt panics here");
        log.push((number(url), Instant::now()));
        log.iter().filter(|(one, _)| *one == number(url)).count()
    }

    fn numbers(&self) -> Vec<usize> {
        let log = self.0.lock().expect("no attempt panics here");
        log.iter().map(|(number, _)| *number).collect()
    }

    /// The times between the attempts of request `number`.
    fn gaps(&self, number: usize) -> Vec<Duration> {
        let log = self.0.lock().expect("no attempt panics here");
        let own = log.iter().filter(|(one, _)| *one == number);
        let times: Vec<Instant> = own.map(|(_, at)| *at).collect();
        times.windows(2).map(|pair| pair[1] - pair[0]).collect()
    }
}

/// Downloads `count` URLs, each attempt made by `fetch`.
async fn download<F, Fut>(
    count: usize,
    permits: usize,
    permit_use: PermitUse,
    policy: &RetryPolicy,
    fetch: F,
) -> Vec<Attempts>
where
    F: Fn(Url) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = Fetched> + Send + 'static,
{
    let (urls, permits) = (urls(count), limit(permits));
    download_all(&urls, permits, permit_use, policy, fetch, |_, _| ()).await
}

/// Downloads one URL whose every attempt ends as `answer` says.
async fn download_one(
    policy: &RetryPolicy,
    answer: impl Fn(&Url, usize) -> Fetched + Clone + Send + Sync + 'static,
) -> (Attempts, Log) {
    let log = Log::default();
    let seen = log.clone();
    let fetch = move |url: Url| future::ready(answer(&url, seen.attempt(&url)));
    let mut all = download(1, 1, PermitUse::Attempt, policy, fetch).await;
    (all.pop().expect("one was asked for"), log)
}

#[tokio::test(start_paused = true)]
async fn every_request_comes_back_once_in_the_order_of_asking() {
    for permit_use in BOTH {
        for permits in 1..=8 {
            for count in [0, 1, 3, 40] {
                // The later asked for, the sooner there.
                let fetch = move |url: Url| async move {
                    time::sleep(SECOND / number(&url) as u32).await;
                    page(url)
                };
                let all = download(count, permits, permit_use, &policy(3), fetch).await;
                assert_eq!(all.len(), count);
                for (attempts, url) in all.iter().zip(urls(count)) {
                    let [Ok(page)] = &attempts[..] else {
                        panic!("one attempt and a page: {attempts:?}");
                    };
                    assert_eq!(page.body, url.path().as_bytes());
                }
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_limit_is_reached_and_never_passed() {
    for permit_use in BOTH {
        for permits in 1..=8 {
            let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
            let peak = Arc::clone(&most);
            let fetch = move |url: Url| {
                let (now, most) = (Arc::clone(&now), Arc::clone(&most));
                async move {
                    most.fetch_max(now.fetch_add(1, SeqCst) + 1, SeqCst);
                    time::sleep(SECOND).await;
                    now.fetch_sub(1, SeqCst);
                    match number(&url) % 3 {
                        0 => status(&url, 500, None),
                        _ => page(url),
                    }
                }
            };
            download(20, permits, permit_use, &policy(3), fetch).await;
            assert_eq!(peak.load(SeqCst), permits, "{permit_use:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_next_in_the_queue_goes_while_one_rests_unless_the_permit_is_kept() {
    for (permit_use, order) in [
        (PermitUse::Attempt, [1, 2, 1]),
        (PermitUse::Request, [1, 1, 2]),
    ] {
        let log = Log::default();
        let seen = log.clone();
        let fetch = move |url: Url| {
            let first = seen.attempt(&url) == 1 && number(&url) == 1;
            async move {
                // Long enough for the other to queue.
                time::sleep(SECOND).await;
                match first {
                    true => status(&url, 500, None),
                    false => page(url),
                }
            }
        };
        download(2, 1, permit_use, &policy(3), fetch).await;
        assert_eq!(log.numbers(), order, "{permit_use:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn rests_grow_and_are_the_same_for_the_same_seed() {
    let fail = |url: &Url, _| status(url, 503, None);
    let (attempts, log) = download_one(&policy(6), fail).await;
    assert_eq!(attempts.len(), 6);
    let gaps = log.gaps(1);
    for (gap, whole) in gaps.iter().zip([1, 2, 4, 8, 10]) {
        // A timer has a resolution of a millisecond, upwards.
        let range = whole * SECOND / 2..=whole * SECOND + Duration::from_millis(1);
        assert!(range.contains(gap), "{gap:?} of {whole} s");
    }
    assert_eq!(gaps, download_one(&policy(6), fail).await.1.gaps(1));
}

#[tokio::test(start_paused = true)]
async fn a_retry_after_is_waited_for_or_the_request_is_given_up() {
    let asks = |seconds| {
        move |url: &Url, attempt| match attempt {
            1 => status(url, 429, Some(seconds * SECOND)),
            _ => page(url.clone()),
        }
    };
    let (attempts, log) = download_one(&policy(3), asks(7)).await;
    assert!(matches!(attempts[..], [Err(_), Ok(_)]), "{attempts:?}");
    assert!(log.gaps(1)[0] >= 7 * SECOND, "{:?}", log.gaps(1));

    let (attempts, log) = download_one(&policy(3), asks(11)).await;
    assert_eq!(log.numbers(), [1], "longer than it is ready to wait");
    assert!(matches!(attempts[..], [Err(_)]), "{attempts:?}");
}

#[tokio::test(start_paused = true)]
async fn each_attempt_is_kept_and_none_more_is_made_than_allowed() {
    for seed in 0..100 {
        let mut random = Seeded::new(seed);
        let (count, permits) = (random.range(0..30) as usize, random.range(1..9) as usize);
        let policy = RetryPolicy {
            seed,
            ..policy(random.range(1..5) as usize)
        };
        let permit_use = BOTH[random.range(0..2) as usize];
        let log = Log::default();
        let seen = log.clone();
        let fetch = move |url: Url| {
            let draw = (number(&url) * 100 + seen.attempt(&url)) as u64;
            let mut random = Seeded::for_item(seed, draw);
            let fetched = match random.range(0..6) {
                0 => status(&url, 500, None),
                1 => status(&url, 429, Some(SECOND)),
                2 => status(&url, 404, None),
                3 => Err(FetchError::Reset(url.to_string())),
                _ => page(url),
            };
            let takes = random.duration(Duration::ZERO..SECOND);
            async move {
                time::sleep(takes).await;
                fetched
            }
        };
        let all = download(count, permits, permit_use, &policy, fetch).await;
        assert_eq!(all.len(), count);
        assert_eq!(all.iter().flatten().count(), log.numbers().len());
        for attempts in &all {
            assert!((1..=policy.attempts).contains(&attempts.len()));
            let (_, failed) = attempts.split_last().expect("at least one");
            assert!(failed.iter().all(Result::is_err), "{attempts:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_task_that_panics_is_one_failed_request() {
    let fetch = |url: Url| async move {
        assert_ne!(number(&url), 2, "on purpose");
        page(url)
    };
    for permit_use in BOTH {
        let all = download(4, 1, permit_use, &policy(3), fetch).await;
        let ok = all.iter().map(|attempts| attempts[0].is_ok());
        assert!(ok.eq([true, false, true, true]), "{all:?}");
        let error = all[1][0].as_ref().expect_err("it panicked");
        assert!(error.to_string().contains("panicked"), "{error}");
    }
}

/// Downloads `path` `count` times from a server that fails as told.
async fn from_server(
    faults: Option<Faults>,
    path: &str,
    count: usize,
    permit_use: PermitUse,
    timeout: Duration,
) -> (Vec<Attempts>, Witness) {
    let config = ServerConfig {
        faults,
        ..ServerConfig::default()
    };
    let server = Server::in_process(0, config).expect("a server in this process");
    let url = |number| server.url(&format!("{path}?request={number}"));
    let urls: Vec<Url> = (1..=count).map(url).collect();
    let policy = RetryPolicy {
        back_off: Duration::from_millis(4),
        max_wait: Duration::from_millis(4),
        ..policy(20)
    };
    let client = async_client(timeout);
    let fetch = move |url: Url| {
        let client = client.clone();
        async move { get_async(&client, &url).await }
    };
    let all = download_all(&urls, limit(4), permit_use, &policy, fetch, |_, _| ()).await;
    (all, server.witness().expect("the server answers"))
}

#[tokio::test]
async fn the_server_is_the_witness_of_every_attempt() {
    for permit_use in BOTH {
        let faults = Faults {
            retry_after_s: 0,
            ..faults(7)
        };
        let patient = Duration::from_secs(60);
        let (all, witness) = from_server(Some(faults), "bytes/999", 40, permit_use, patient).await;
        for attempts in &all {
            let page = attempts.last().and_then(|last| last.as_ref().ok());
            assert_eq!(page.expect("a page in the end").body.len(), 999);
        }
        let attempts = || all.iter().flatten();
        assert_eq!(attempts().count() as u64, witness.arrivals);
        assert!(witness.peak_in_flight <= 4, "{witness:?}");
        let failed = attempts().filter(|one| one.is_err()).count() as u64;
        assert_eq!(failed, witness.faults.values().sum::<u64>());
        assert_eq!(
            witness.faults.len(),
            4,
            "the seed brings each kind: {witness:?}"
        );
    }
}

#[tokio::test]
async fn a_stalled_answer_times_out_and_is_tried_again() {
    let soon = Duration::from_millis(20);
    let (all, _) = from_server(None, "stall", 1, PermitUse::Attempt, soon).await;
    assert_eq!(all[0].len(), 20);
    let mut timed_out = all[0].iter();
    assert!(timed_out.all(|one| matches!(one, Err(FetchError::Timeout { .. }))));
}

#[tokio::test]
async fn four_permits_let_four_requests_meet() {
    // Each waits for three others: with fewer in flight at once it would hang.
    let meeting = Arc::new(Barrier::new(4));
    let fetch = move |url: Url| {
        let meeting = Arc::clone(&meeting);
        async move {
            meeting.wait().await;
            page(url)
        }
    };
    let policy = policy(1);
    let all = download(12, 4, PermitUse::Attempt, &policy, fetch);
    let all = time::timeout(60 * SECOND, all).await.expect("they meet");
    assert_eq!(all.len(), 12);
}

/// The step's own faults, by default.
fn faults(seed: u64) -> Faults {
    let kinds = ["500", "429", "cut", "reset"].map(|kind| kind.parse().expect("a kind"));
    Faults::new(NonZeroU32::new(3).expect("not zero"), seed, kinds.into())
}

/// Downloads ten pages of a second each, which meet the faults of one plan, on a clock that jumps.
async fn timed(seed: u64, permit_use: PermitUse) -> (Duration, Vec<usize>) {
    let (faults, log) = (faults(seed), Log::default());
    let fetch = move |url: Url| {
        let ask = log.attempt(&url) as u64;
        let fault = faults.at(&format!("/delay/1?request={}", number(&url)), ask);
        async move {
            if matches!(fault, None | Some(FaultKind::Cut)) {
                time::sleep(SECOND).await;
            }
            match fault {
                None => page(url),
                Some(FaultKind::TooManyRequests) => status(&url, 429, Some(SECOND)),
                Some(_) => status(&url, 500, None),
            }
        }
    };
    let policy = RetryPolicy {
        back_off: SECOND / 2,
        seed,
        ..policy(3)
    };
    let start = Instant::now();
    let all = download(10, 5, permit_use, &policy, fetch).await;
    (start.elapsed(), all.iter().map(Vec::len).collect())
}

#[tokio::test(start_paused = true)]
async fn the_same_faults_cost_less_time_where_permits_are_released() {
    for seed in 0..50 {
        let [released, kept] = [timed(seed, BOTH[0]).await, timed(seed, BOTH[1]).await];
        assert_eq!(released.1, kept.1, "attempts of each request, seed {seed}");
    }
    // With the seed, delay and pauses that the step has by default.
    let [released, kept] = [timed(42, BOTH[0]).await, timed(42, BOTH[1]).await];
    assert!(released.0 < kept.0.mul_f64(0.6), "{released:?}, {kept:?}");
}
