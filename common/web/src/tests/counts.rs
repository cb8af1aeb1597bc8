//! What the witness says is what happened.

use super::*;

#[test]
fn five_open_requests_are_five_in_flight() {
    let server = server();
    let open: Vec<_> = (0..5).map(|_| send_raw(&server, "/delay/60")).collect();
    let busy = witness_when(&server, |now| now.in_flight == 5);
    assert_eq!((busy.arrivals, busy.peak_in_flight), (5, 5));
    drop(open);
    let quiet = witness_when(&server, |now| now.in_flight == 0);
    assert_eq!(quiet.peak_in_flight, 5);
    assert_eq!(quiet.connections, 5);
}

#[test]
fn a_stalled_answer_stays_in_flight_until_its_client_leaves() {
    let server = server();
    let open = send_raw(&server, "/stall");
    let seen = witness_when(&server, |now| now.faults.get(&FaultKind::Stall) == Some(&1));
    assert_eq!((seen.in_flight, seen.by_status.len()), (1, 0));
    drop(open);
    witness_when(&server, |now| now.in_flight == 0);
}

#[test]
fn one_request_after_another_is_one_in_flight_on_one_connection() {
    let server = server();
    let agent = blocking_agent(LONG);
    for _ in 0..100 {
        get_blocking(&agent, &server.url("bytes/200000")).expect("bytes");
    }
    let seen = witness(&server);
    assert_eq!((seen.arrivals, seen.peak_in_flight), (100, 1));
    assert_eq!(seen.connections, 1);
    assert_eq!(seen.by_status[&200], 100);
}

#[test]
fn the_asynchronous_client_keeps_its_connection_too() {
    let server = server();
    let client = async_client(LONG);
    block_on(async {
        for _ in 0..100 {
            let page = get_async(&client, &server.url("bytes/200000")).await;
            assert_eq!(page.expect("bytes").body.len(), 200_000);
        }
    });
    let seen = witness(&server);
    assert_eq!((seen.arrivals, seen.peak_in_flight), (100, 1));
    assert_eq!(seen.connections, 1);
}

#[test]
fn clients_of_their_own_have_connections_of_their_own() {
    let server = server();
    for _ in 0..3 {
        get(&server.url("get"));
    }
    assert_eq!(witness(&server).connections, 3);
}

#[test]
fn a_new_run_begins_at_zero_and_counts_an_old_connection_again() {
    let server = server();
    let agent = blocking_agent(LONG);
    let fetch = || get_blocking(&agent, &server.url("html")).expect("a page");
    fetch();
    let left_over = send_raw(&server, "/delay/60");
    let before = witness_when(&server, |now| now.in_flight == 1);
    server.begin_run().expect("a new run");
    let zero = witness(&server);
    let fresh = Witness {
        run: before.run + 1,
        ..Witness::default()
    };
    assert_eq!(zero, fresh);
    // The end of what was left over must not make the new count negative.
    drop(left_over);
    fetch();
    let seen = witness(&server);
    assert_eq!((seen.arrivals, seen.connections), (1, 1));
    assert_eq!((seen.in_flight, seen.peak_in_flight), (0, 1));
}

/// Whether a request for 1000 bytes came to what was planned for it.
fn fits(outcome: &Fetched, plan: Option<FaultKind>) -> bool {
    match (outcome, plan) {
        (Ok(page), None) => page.body.len() == 1000,
        (Err(FetchError::Status { code: 500, .. }), Some(FaultKind::ServerError)) => true,
        (Err(error), Some(FaultKind::TooManyRequests)) => {
            error.retry_after() == Some(Duration::from_secs(7))
        }
        (Err(FetchError::Cut { got, expected, .. }), Some(FaultKind::Cut)) => {
            (*got, *expected) == (500, Some(1000))
        }
        (Err(FetchError::Reset(_)), Some(FaultKind::Reset)) => true,
        _ => false,
    }
}

#[test]
fn faults_come_as_the_seed_has_it_in_every_run() {
    let kinds = vec![
        FaultKind::ServerError,
        FaultKind::TooManyRequests,
        FaultKind::Cut,
        FaultKind::Reset,
    ];
    let faults = Faults {
        retry_after_s: 7,
        ..Faults::new(some(3), 42, kinds)
    };
    let server = server_with(ServerConfig {
        faults: Some(faults.clone()),
        ..ServerConfig::default()
    });
    let agent = blocking_agent(LONG);
    for _ in 0..2 {
        server.begin_run().expect("a new run");
        let mut planned = 0;
        for ask in 1..=30 {
            // What else arrives changes nothing.
            let _ = get_blocking(&agent, &server.url("bytes/1"));
            let outcome = get_blocking(&agent, &server.url("bytes/1000"));
            let plan = faults.at("/bytes/1000", ask);
            let is_as_planned = fits(&outcome, plan);
            assert!(is_as_planned, "{ask}: planned {plan:?}, got {outcome:?}");
            planned += [faults.at("/bytes/1", ask), plan].iter().flatten().count() as u64;
        }
        let seen = witness(&server);
        // Neither client tries again behind the lesson's back.
        assert_eq!(seen.arrivals, 60);
        assert_eq!(seen.faults.values().sum::<u64>(), planned);
    }
}

#[test]
fn the_asynchronous_client_meets_the_same_faults() {
    let kinds = vec![FaultKind::Reset, FaultKind::Cut, FaultKind::ServerError];
    let faults = Faults::new(some(2), 3, kinds);
    let server = server_with(ServerConfig {
        faults: Some(faults.clone()),
        ..ServerConfig::default()
    });
    let client = async_client(LONG);
    block_on(async {
        for ask in 1..=20 {
            let outcome = get_async(&client, &server.url("bytes/1000")).await;
            let kind = outcome.as_ref().map_or_else(FetchError::kind, |_| "none");
            let plan = match faults.at("/bytes/1000", ask) {
                None => "none",
                Some(FaultKind::Reset) => "reset",
                Some(FaultKind::Cut) => "cut",
                Some(_) => "status",
            };
            assert_eq!(kind, plan, "{ask}: {outcome:?}");
        }
    });
    assert_eq!(witness(&server).arrivals, 20);
}

#[test]
fn a_stall_by_fault_ends_with_the_client() {
    let server = server_with(ServerConfig {
        faults: Some(Faults::new(some(1), 1, vec![FaultKind::Stall])),
        ..ServerConfig::default()
    });
    let agent = blocking_agent(Duration::from_millis(100));
    let error = get_blocking(&agent, &server.url("get")).expect_err("a stall");
    assert_eq!(error.kind(), "timeout");
    let seen = witness_when(&server, |now| now.in_flight == 0);
    assert_eq!(seen.faults[&FaultKind::Stall], 1);
}

#[test]
fn what_was_cut_stalled_or_reset_on_request_is_counted_as_that() {
    let server = server();
    for (path, kind) in [
        ("cut/100", "cut"),
        ("reset", "reset"),
        ("wrong-length/9/2", "cut"),
    ] {
        for fetched in fetch_with_all(&server.url(path), LONG) {
            assert_eq!(fetched.expect_err("a fault").kind(), kind, "{path}");
        }
    }
    for fetched in fetch_with_all(&server.url("wrong-length/1/2"), LONG) {
        assert_eq!(fetched.expect("as long as it says").body.len(), 1);
    }
    let seen = witness(&server);
    let faults: Vec<_> = seen.faults.into_iter().collect();
    assert_eq!(faults, [(FaultKind::Cut, 4), (FaultKind::Reset, 2)]);
    assert_eq!(seen.by_status.into_iter().collect::<Vec<_>>(), [(200, 2)]);
}

#[test]
fn faults_aim_at_a_path_and_have_a_status() {
    let server = server_with(ServerConfig {
        faults: Some(Faults {
            status: 502,
            path: "/page/".into(),
            ..Faults::new(some(1), 1, vec![FaultKind::ServerError])
        }),
        ..ServerConfig::default()
    });
    get(&server.url("get"));
    for fetched in fetch_with_all(&server.url("page/1"), LONG) {
        assert!(matches!(fetched, Err(FetchError::Status { code: 502, .. })));
    }
}

#[test]
fn a_flaky_path_fails_so_often_and_then_never_in_each_run() {
    let server = server();
    let agent = blocking_agent(LONG);
    let status = |path| match get_blocking(&agent, &server.url(path)) {
        Ok(page) => page.status,
        Err(FetchError::Status { code, .. }) => code,
        Err(error) => panic!("{error}"),
    };
    for _ in 0..2 {
        server.begin_run().expect("a new run");
        assert_eq!([status("flaky/2"); 1], [503]);
        assert_eq!(
            [
                status("flaky/2?status=500"),
                status("flaky/2"),
                status("flaky/2")
            ],
            [500, 503, 200]
        );
        assert_eq!([status("flaky/2"), status("flaky/0")], [200, 200]);
    }
}

#[test]
fn a_date_may_stand_for_seconds() {
    let server = server();
    for fetched in fetch_with_all(&server.url("retry-after/100?as=date"), LONG) {
        let asked = fetched.expect_err("429").retry_after().expect("a date");
        assert!((90..=100).contains(&asked.as_secs()), "{asked:?}");
    }
}
