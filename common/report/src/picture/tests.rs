use super::*;
use crate::{CounterReport, LaneReport, SpanReport};
use row::Scale;
use timeline::{BACK_OFF, LaneKind, START_UP};

/// A span over thousandths of a second that runs for some of them.
fn span(start: u32, end: u32, busy: u32, depth: u16) -> SpanReport {
    let [start_s, end_s, busy_s] = [start, end, busy].map(|ms| f64::from(ms) / 1e3);
    SpanReport {
        name: "work".into(),
        start_s,
        end_s,
        busy_s,
        wait: Some("io".into()),
        depth,
        cut: false,
        polls_s: Vec::new(),
        file: None,
        line: None,
    }
}

fn waits_for(what: &str, span: SpanReport) -> SpanReport {
    let wait = Some(what.into());
    SpanReport { wait, ..span }
}

const SCALE: Scale = Scale {
    axis_s: 0.1,
    cells: 20,
};

fn drawn(spans: Vec<SpanReport>) -> String {
    let (name, kind) = ("one".into(), LaneKind::Thread);
    let lane = LaneReport {
        id: 0,
        name,
        kind,
        spans,
    };
    let row = row::row(&lane, SCALE);
    String::from_iter(row)
}

#[test]
fn running_and_waiting_look_different_and_idle_is_blank() {
    let spans = vec![span(0, 50, 50, 0), span(75, 100, 1, 0)];
    assert_eq!(drawn(spans), "██████████     ░░░░░");
}

#[test]
fn running_begins_and_ends_within_a_cell() {
    let spans = vec![span(0, 22, 22, 0), span(48, 61, 13, 0), span(77, 78, 1, 0)];
    assert_eq!(drawn(spans), "████▍    ▍██▎  ▎    ");
}

#[test]
fn a_span_that_follows_at_once_has_an_edge() {
    let spans = vec![span(0, 50, 0, 0), span(50, 100, 0, 0)];
    assert_eq!(drawn(spans), "░░░░░░░░░░|░░░░░░░░░");
}

#[test]
fn a_span_that_overlaps_another_has_no_edge() {
    let spans = vec![span(0, 90, 45, 0), span(50, 100, 25, 0)];
    assert_eq!(drawn(spans), "▒".repeat(20));
}

#[test]
fn a_deeper_span_is_painted_over_the_one_around_it() {
    let spans = vec![span(0, 100, 75, 0), span(25, 50, 0, 1)];
    assert_eq!(drawn(spans), "█████░░░░░██████████");
}

#[test]
fn what_ran_inside_is_not_counted_for_the_span_around_it() {
    let spans = vec![span(0, 100, 50, 0), span(25, 75, 50, 1)];
    assert_eq!(drawn(spans), "░░░░░██████████░░░░░");
}

#[test]
fn an_edge_and_a_start_up_show_through_what_is_painted_over_them() {
    let mut spans = vec![span(0, 2, 1, 0), span(2, 50, 48, 0), span(2, 50, 48, 1)];
    spans[0].name = START_UP.into();
    spans.extend([span(50, 100, 50, 0), span(50, 100, 50, 1)]);
    assert_eq!(drawn(spans), "s█████████|█████████");
}

#[test]
fn half_busy_is_told_from_both() {
    assert_eq!(drawn(vec![span(0, 100, 50, 0)]), "▒".repeat(20));
}

#[test]
fn causes_of_waiting_are_told_apart() {
    let spans = vec![
        span(0, 100, 0, 0),
        waits_for("permit", span(0, 25, 0, 1)),
        waits_for("io", span(25, 30, 0, 1)),
        waits_for(BACK_OFF, span(30, 60, 0, 1)),
        waits_for("lock", span(70, 80, 0, 1)),
        waits_for("queue full", span(80, 90, 0, 1)),
        waits_for("queue empty", span(90, 100, 0, 1)),
    ];
    assert_eq!(drawn(spans), "·····░×     ░░──>><<");
}

#[test]
fn a_thread_that_waits_for_nothing_and_does_not_run_is_ready() {
    let mut starved = span(0, 100, 10, 0);
    starved.wait = None;
    assert_eq!(drawn(vec![starved]), "┄".repeat(20));
}

#[test]
fn polls_are_drawn_where_they_were() {
    let mut task = span(0, 100, 10, 0);
    task.polls_s = vec![(0.05, 0.06)];
    assert_eq!(drawn(vec![task]), "░░░░░░░░░░██░░░░░░░░");
}

#[test]
fn polls_that_reach_over_rests_are_drawn_for_the_part_that_ran() {
    let mut task = span(0, 100, 5, 0);
    task.polls_s = vec![(0.0, 0.05), (0.06, 0.1)];
    assert_eq!(drawn(vec![task]), "░".repeat(20));
}

#[test]
fn what_began_before_the_variant_is_cut_off_at_its_start() {
    let mut early = span(0, 50, 0, 0);
    early.start_s = -1.0;
    assert_eq!(drawn(vec![early]), "░░░░░░░░░░          ");
}

#[test]
fn a_span_whose_end_nobody_told_ends_in_a_mark() {
    let mut lost = span(0, 50, 0, 0);
    lost.cut = true;
    assert_eq!(drawn(vec![lost]), "?????????!          ");
}

#[test]
fn times_of_another_age_draw_something_and_do_not_panic() {
    let far = 1.8e10;
    let mut spans = vec![span(0, 0, 0, 0), span(0, 0, 0, 0)];
    (spans[0].end_s, spans[0].busy_s) = (far, far);
    (spans[1].start_s, spans[1].busy_s) = (far, far);
    assert_eq!(drawn(spans), "█".repeat(20));
}

#[test]
fn a_level_is_drawn_against_its_peak() {
    let level = CounterReport {
        name: "queue".into(),
        samples: vec![(0.02, 1.0), (0.04, 100.0), (0.06, 0.0)],
    };
    let scale = Scale { cells: 5, ..SCALE };
    let heights = |end_s| String::from_iter(row::heights(&level, scale, end_s));
    assert_eq!(heights(0.1), " ▂▇▁▁");
    assert_eq!(heights(0.06), " ▂▇", "nothing is known of later");
}

#[test]
fn variants_that_compare_are_a_lane_ahead_of_the_others() {
    let needs = [(2, true), (3, true), (3, false)];
    let shares = |room| shares(needs.into_iter(), room);
    assert_eq!(shares(3), [2, 1, 0]);
    assert_eq!(shares(5), [2, 2, 1]);
    assert_eq!(shares(99), [2, 3, 3]);
}

#[test]
fn lanes_shown_of_one_variant_are_shown_of_the_next_and_beside_a_failure_the_one_that_queued() {
    let rows =
        [("a", "x"), ("b", "x"), ("cC", "░"), ("d", "·"), ("e", "··")].map(|(label, drawn)| Row {
            lanes: label.chars().map(String::from).collect(),
            cells: drawn
                .chars()
                .map(|it| if it == 'x' { FAILED } else { it })
                .collect(),
        });
    let shown = |share, before: &[&str]| {
        let shown = worth_most(&rows, share, before);
        shown.iter().map(|row| &*row.lanes[0]).collect::<String>()
    };
    assert_eq!(shown(1, &[]), "a");
    assert_eq!(shown(1, &["b", "c"]), "b");
    assert_eq!(shown(2, &["b"]), "be");
    assert_eq!(shown(2, &["b", "C"]), "bc");
    assert_eq!(shown(2, &["b", "d"]), "bd");
}
