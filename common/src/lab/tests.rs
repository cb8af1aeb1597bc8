use super::*;
use crate::claim::{Check, all_in_flight, busy, in_flight, middle_wall, none_failed, wall};
use measure::Moment;
use report::{ClaimReport, Ledger, Verdict};
use timeline::Timeline;

/// An experiment that measured nothing and says nothing.
fn experiment() -> Lab {
    let document = Document {
        host: measure::host::Host {
            cpus: 2,
            parallelism: 1.0,
            ..measure::host::Host::default()
        },
        ..Document::default()
    };
    Lab {
        state: Arc::new(Mutex::new(State {
            document,
            ..State::default()
        })),
        screen: Screen::new(report::ScreenOptions {
            silent: true,
            ..report::ScreenOptions::default()
        }),
        timeline: Timeline::default(),
        args: CommonArgs::default(),
    }
}

/// Records a run of `wall_ms` as if it had been measured.
fn record(lab: &mut Lab, name: &str, wall_ms: u64, results: Value) {
    let wall = Duration::from_millis(wall_ms);
    let run = Variant {
        wall_s: wall.as_secs_f64(),
        recording: Recording {
            start: Moment::now(),
            wall,
            ..Recording::default()
        },
        ledger: Ledger {
            submitted: 1,
            done: 1,
            ..Ledger::default()
        },
        results,
        ..Variant::default()
    };
    let runs = Runs {
        name: name.into(),
        ..Runs::default()
    };
    lab.record(&runs, run, false);
}

fn run(variant: Measure) {
    let ran = variant.run_counted(|| Ok(()), |()| Tally::all_done(1));
    ran.expect("nothing fails");
}

fn judged(lab: &mut Lab, claim: Claim) -> ClaimReport {
    lab.claim(claim);
    lab.state().conclude(None).claims[0].clone()
}

#[test]
fn the_run_with_the_median_wall_is_the_one_shown() {
    let mut lab = experiment();
    for (wall, result) in [(30, 3), (10, 1), (20, 2), (40, 4)] {
        record(&mut lab, "a", wall, Value::from(result));
        lab.note_beside("a", format!("got {result}"));
    }
    let shown = lab.state().conclude(None).variants[0].clone();
    assert_eq!(
        (shown.results, shown.note),
        (2.into(), Some("got 2".into()))
    );
    let wall_s = |name| lab.middle(name, |run| run.wall_s);
    assert_eq!([wall_s("a"), wall_s("b")], [Some(0.02), None]);
    let document = lab.state().conclude(None).clone();
    let a = &document.variants[0];
    assert_eq!(
        (a.runs, a.wall_s, a.wall_min_s, a.wall_max_s),
        (4, 0.02, 0.01, 0.04)
    );
    assert_eq!(a.results, Value::from(2), "of the median run");
    assert_eq!(a.walls_s, [0.03, 0.01, 0.02, 0.04], "by round");
}

#[test]
fn speed_up_is_the_quotient_of_the_two_times_shown() {
    let mut lab = experiment();
    for (slow, fast) in [(100, 50), (200, 50), (90, 30)] {
        record(&mut lab, "slow", slow, Value::Null);
        record(&mut lab, "fast", fast, Value::Null);
    }
    let document = lab.state().conclude(None).clone();
    assert_eq!(document.variants[0].speedup, Some(1.0));
    assert_eq!(document.variants[1].speedup, Some(2.0));
}

#[test]
fn other_work_than_the_first_variants_has_no_speed_up() {
    let mut lab = experiment();
    for name in ["first", "same"] {
        run(lab.variant(name));
    }
    run(lab.variant("other").other_work());
    let document = lab.state().conclude(None).clone();
    let told: Vec<bool> = document
        .variants
        .iter()
        .map(|variant| variant.speedup.is_some())
        .collect();
    assert_eq!(told, [true, true, false]);
}

#[test]
fn a_claim_holds_in_all_rounds_in_none_or_is_undecided() {
    for (fast, verdict) in [
        ([10, 10, 10], Verdict::Shown),
        ([90, 90, 90], Verdict::NotShown),
        ([10, 90, 10], Verdict::Inconclusive),
    ] {
        let mut lab = experiment();
        for wall in fast {
            record(&mut lab, "slow", 50, Value::Null);
            record(&mut lab, "fast", wall, Value::Null);
        }
        let claim = Claim::that("faster", "fast is faster").check(wall("fast").below(wall("slow")));
        let report = judged(&mut lab, claim.needs_cpus());
        assert_eq!(report.verdict, verdict, "{fast:?}");
        assert_eq!(report.reason.is_some(), verdict != Verdict::Shown);
    }
}

/// The evidence, and the reason, of a comparison of `fast`, with these walls, and `slow`, with those.
fn evidence(fast: &[u64], slow: &[u64], check: Check) -> (String, Option<String>) {
    let mut lab = experiment();
    for (fast, slow) in fast.iter().zip(slow) {
        record(&mut lab, "slow", *slow, Value::Null);
        record(&mut lab, "fast", *fast, Value::Null);
    }
    let report = judged(
        &mut lab,
        Claim::that("faster", "fast is faster").check(check),
    );
    (report.evidence, report.reason)
}

#[test]
fn evidence_is_a_sentence_with_both_figures() {
    let is = |fast_ms: u64, slow_ms: u64, check: Check, sentence: &str| {
        assert_eq!(evidence(&[fast_ms], &[slow_ms], check).0, sentence);
    };
    let faster = || wall("fast").below(wall("slow"));
    let text = "`fast` took 1.00 s, less than the 10.0 s of `slow`";
    is(1_000, 10_000, faster(), text);
    let text = "`fast` took 1.00 s (needed: less than the 500 ms of `slow`)";
    is(1_000, 500, faster(), text);
    let text = "`fast` took 1.00 s, less than 0.5 × the 10.0 s of `slow`";
    is(1_000, 10_000, wall("fast").below(wall("slow") * 0.5), text);
    let text = "`fast` took 100 ms, less than 200 ms";
    is(100, 1, wall("fast").below(Duration::from_millis(200)), text);
    let text = "`fast` took 1.00 s, less than the 1.00 s of `slow`, 0.1 % apart";
    is(1_001, 1_002, faster(), text);
}

#[test]
fn evidence_of_rounds_says_how_far_they_lie_apart_and_in_how_many_it_held() {
    let faster = || wall("fast").below(wall("slow"));
    let (found, _) = evidence(&[1, 1], &[2, 2], faster().in_rounds());
    assert_eq!(found, "it needs 3 rounds and had 2");
    for (fast, slow, sentence) in [
        (
            [205, 220],
            [227, 229],
            "`fast` took 205 ms–220 ms, less than the 227 ms–229 ms of `slow`, in every round",
        ),
        (
            [205, 229],
            [228, 237],
            "`fast` took 205 ms–229 ms, less than the 228 ms–237 ms of `slow`, 3.4 to 10.1 % apart, \
             in every round",
        ),
        (
            [205, 239],
            [228, 237],
            "`fast` took 205 ms–239 ms (needed: less than the 228 ms–237 ms of `slow`), 0.8 to 10.1 % apart, \
             in 1 of 2 rounds",
        ),
    ] {
        assert_eq!(evidence(&fast, &slow, faster()).0, sentence);
    }
}

#[test]
fn a_claim_that_needed_cpus_says_how_many_there_were_and_how_many_it_kept_busy() {
    let mut lab = experiment();
    record(&mut lab, "slow", 100, Value::Null);
    record(&mut lab, "fast", 100, Value::Null);
    lab.state().runs[1].runs[0].cpu_user_s = 0.07;
    let claim = Claim::that("faster", "fast is faster")
        .check(wall("fast").below(wall("slow") * 0.75))
        .needs_cpus();
    assert_eq!(
        judged(&mut lab, claim).reason.as_deref(),
        Some("this run had 2 CPUs, 1.0 free; `fast` kept 0.7 busy")
    );
    let claim = Claim::that("own", "fast is faster")
        .check(wall("fast").below(wall("slow") * 0.75))
        .needs_cpus()
        .otherwise(Some("there is one job"));
    let report = judged(&mut lab, claim);
    assert_eq!(report.reason.as_deref(), Some("there is one job"));
    assert!(!report.needs_quiet, "more CPUs would not help");
}

#[test]
fn what_a_step_notes_is_a_figure_by_round() {
    let mut lab = experiment();
    let mut lost = None;
    for value in [3_usize, 5] {
        record(&mut lab, "racy", 1, Value::Null);
        lost = Some(lab.note("racy", "lost_updates", value));
    }
    let lost = lost.expect("it was noted");
    let trials = lab.note(None, "trials", 2_usize);
    let claim = Claim::that("lossy", "updates were lost")
        .check(lost.clone().above(0))
        .check(lost.above(trials.clone()))
        .check((trials.clone() / trials).equals(1.0));
    let report = judged(&mut lab, claim);
    assert_eq!(report.verdict, Verdict::Shown);
    assert_eq!(
        report.evidence,
        "`racy` lost updates: 3–5, more than 0, in every round; \
         `racy` lost updates: 3–5, more than 2 (trials), in every round; \
         trials over trials: 1.00"
    );
    let checks: Vec<&str> = report
        .checks
        .iter()
        .map(|check| check.left.as_str())
        .collect();
    let expected = [
        "[racy].figures.lost_updates",
        "[racy].figures.lost_updates",
        "figures.trials / figures.trials",
    ];
    assert_eq!(checks, expected);
    assert_eq!(
        lab.state().document.variants[0].figures["lost_updates"],
        [3.0, 5.0]
    );
}

#[test]
fn what_only_the_server_counts_is_unknown_without_it() {
    let mut lab = experiment();
    record(&mut lab, "a", 1, Value::Null);
    for check in [all_in_flight("a"), in_flight("a").above(0)] {
        let report = judged(
            &mut lab,
            Claim::that("peak", "they were in flight").check(check),
        );
        assert_eq!(report.verdict, Verdict::Inconclusive);
        assert_eq!(
            report.evidence,
            "`a` had – requests in flight, counted by the server (not known here)"
        );
    }
    let report = judged(&mut lab, Claim::that("nothing", "nothing is checked"));
    assert_eq!(report.verdict, Verdict::Inconclusive);
}

#[test]
fn a_sentence_of_its_own_has_both_values() {
    let mut lab = experiment();
    record(&mut lab, "a", 1, Value::Null);
    lab.state().runs[0].runs[0].ledger.peak_in_flight = Some(1);
    let claim = Claim::that("peak", "all were in flight").check(all_in_flight("a"));
    let report = judged(&mut lab, claim.check(none_failed("a")));
    assert_eq!(
        report.evidence,
        "1 of 1 requests in flight at once, counted by the server; `a` failed 0 tasks"
    );
    lab.state().runs[0].runs[0].ledger.peak_in_flight = Some(0);
    let claim = Claim::that("peak", "all were in flight").check(all_in_flight("a"));
    let report = judged(&mut lab, claim.check(none_failed("a")));
    assert_eq!(
        report.evidence,
        "0 of 1 requests in flight at once, counted by the server (needed: exactly 1 (submitted))",
        "what held is left out under a claim that did not show"
    );
}

#[test]
fn two_limits_of_one_figure_give_one_sentence() {
    let mut lab = experiment();
    for (slow_ms, fast_ms) in [(10, 10), (10, 20), (10, 5)] {
        record(&mut lab, "slow", slow_ms, Value::Null);
        record(&mut lab, "fast", fast_ms, Value::Null);
    }
    let claim = lab.compare("same", "both", ["slow", "fast"]);
    let evidence = judged(&mut lab, claim).evidence;
    assert_eq!(evidence.matches("× as long").count(), 1, "{evidence}");
}

#[test]
#[should_panic(expected = "the variant `nobody` did not run")]
fn a_claim_about_what_did_not_run_fails_at_once() {
    let mut lab = experiment();
    record(&mut lab, "a", 1, Value::Null);
    lab.claim(Claim::that("busy", "it worked").check(busy("nobody").above(Duration::ZERO)));
}

#[test]
fn the_shown_round_is_the_middle_one() {
    let faster = middle_wall("fast").below(middle_wall("slow"));
    let (sentence, reason) = evidence(&[10, 90, 20], &[50, 50, 50], faster);
    assert_eq!(
        sentence,
        "`fast` took 20.0 ms, less than the 50.0 ms of `slow`"
    );
    assert_eq!(reason, None);
}

#[test]
fn another_peak_than_the_limit_is_not_comparable() {
    let mut lab = experiment();
    for (name, peak) in [("full", 1), ("idle", 0)] {
        record(&mut lab, name, 1, Value::Null);
        let mut state = lab.state();
        let runs = state.runs.last_mut().expect("just recorded");
        runs.limit = Some(5);
        runs.runs[0].ledger.peak_in_flight = Some(peak);
    }
    let document = lab.state().conclude(None).clone();
    assert!(
        document.variants[0].comparable,
        "one task can only be one in flight"
    );
    assert!(!document.variants[1].comparable);
}

#[test]
fn a_run_that_fails_as_a_whole_is_not_recorded() {
    let mut lab = experiment();
    let outcome = lab
        .variant("a")
        .run_counted(|| anyhow::bail!("no"), |(): &()| Tally::default());
    assert!(outcome.is_err());
    assert_eq!(lab.middle("a", |run| run.wall_s), None);
}

#[test]
fn a_run_that_was_stopped_proves_nothing_by_its_times_and_all_by_its_counts() {
    let mut lab = experiment();
    record(&mut lab, "stopped", 100, Value::Null);
    lab.state().runs[0].runs[0].disturbed = Some("it was stopped".into());
    lab.claim(
        Claim::that("by_time", "slow").check(wall("stopped").above(Duration::from_millis(10))),
    );
    lab.claim(Claim::that("by_count", "well").check(none_failed("stopped")));
    let document = lab.state().conclude(None).clone();
    let verdicts: Vec<Verdict> = document.claims.iter().map(|claim| claim.verdict).collect();
    assert_eq!(verdicts, [Verdict::Inconclusive, Verdict::Shown]);
    let reason = document.claims[0].reason.as_deref();
    assert!(reason.is_some_and(|reason| reason.contains("it was stopped")));
}
