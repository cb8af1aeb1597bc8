//! A run in the Chrome trace format.

use crate::Document;
use serde_json::{Value, json};

/// All variants above each other, from one origin, in the Chrome trace format, which Perfetto opens.
pub fn trace(document: &Document) -> Value {
    let variants = document.variants.iter();
    let recordings: Vec<_> = variants
        .map(|variant| (variant.name.as_str(), &variant.recording))
        .collect();
    let other = json!({ "step": document.step, "host": document.host, "params": document.params });
    timeline::chrome::trace(&recordings, &other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::fixtures::{document, span, start};
    use std::time::Duration;
    use testing::{events_of, faults_of};
    use timeline::{Lane, LaneId, LaneKind, Level, Moment, Span};

    #[test]
    fn variants_stand_above_each_other_from_one_origin_and_no_two_lanes_share_a_track() {
        let mut document = document();
        let slow = &mut document.variants[0].recording;
        let lane = slow.lanes[0].clone();
        slow.lanes = (0..2_000_000)
            .step_by(10_000)
            .map(|number| {
                let mut lane = lane.clone();
                lane.id.number = number;
                lane
            })
            .collect();
        // The variants ran one after the other.
        document.variants[1].recording.start = start().plus(Duration::from_millis(10));

        let trace = trace(&document);
        assert_eq!(faults_of(&trace), Vec::<String>::new());
        let names = events_of(&trace, "M").into_iter();
        let names = names.filter(|event| event["name"] == "process_name");
        let names: Vec<_> = names.map(|event| &event["args"]["name"]).collect();
        assert_eq!(names, ["one", "both"]);
        let slices = events_of(&trace, "X");
        let whole = |name: &str| {
            let whole = slices.iter().find(|slice| slice["name"] == name);
            whole.map(|slice| (slice["ts"].as_f64(), slice["dur"].as_f64()))
        };
        assert_eq!(whole("one"), Some((Some(0.0), Some(2e6))), "microseconds");
        assert_eq!(whole("both"), Some((Some(0.0), Some(1e6))));
        let first = slices
            .iter()
            .filter(|slice| slice["name"] == "fetch" && slice["ts"] == 0.0);
        assert_eq!(first.count(), 200 + 1);
    }

    /// The run of the other tests with everything that a format may trip over.
    fn crowded() -> Document {
        let mut document = document();
        let recording = &mut document.variants[1].recording;
        let at = |ms| start().plus(Duration::from_millis(ms));
        let mut lost = span("parse", 400, 900, 0);
        (lost.cut, lost.job) = (true, Some(7));
        let mut again = span("parse", 900, 950, 50);
        again.job = Some(7);
        // Before the variant began, and over its neighbours' edges.
        let early = Span::watched("early", Moment::default(), at(500), Duration::ZERO);
        recording.lanes[1].spans.extend([lost, again, early]);
        let mut inner = span("answer", 100, 1000, 0);
        inner.depth = 1;
        let mut sibling = span("answer", 500, 1000, 0);
        sibling.depth = 1;
        recording.lanes[0].spans.extend([inner, sibling]);
        recording.lanes[0].spans[0].polls = vec![(at(0), at(1)), (at(999), at(1000))];
        let main = LaneId {
            kind: LaneKind::Thread,
            number: 4711,
        };
        let handed = [("submit", 300), ("take result", 980)].map(|(what, at)| Span {
            job: Some(7),
            ..span(what, at, at, 0)
        });
        recording.handovers.push(Lane {
            id: main,
            name: "main".into(),
            spans: handed.into(),
        });
        let (name, samples) = ("queue".into(), vec![(at(1), 3.0), (at(2), 2.0)]);
        recording.levels.push(Level { name, samples });
        document
    }

    #[test]
    fn overlaps_levels_jobs_and_what_was_cut_off_keep_to_the_format() {
        let trace = trace(&crowded());
        assert_eq!(faults_of(&trace), Vec::<String>::new());
        let phases = |phase: &str| events_of(&trace, phase).len();
        assert_eq!((phases("C"), phases("i")), (2, 2));
        let slices = events_of(&trace, "X");
        let joined = slices.iter().filter(|slice| slice["bind_id"].is_string());
        assert_eq!(
            joined.count(),
            4,
            "a job: lost, run again, and both its ends"
        );
        let cut = slices.iter().filter(|event| event["args"]["cut"] == true);
        let cut: Vec<_> = cut.map(|event| &event["name"]).collect();
        assert_eq!(cut, ["parse (cut off)"]);
        let cpu = |name: &str| {
            let slice = slices.iter().rfind(|event| event["name"] == name);
            slice.and_then(|slice| slice["args"]["busy_s"].as_f64())
        };
        assert_eq!(cpu("parse"), Some(0.05), "CPU time of what ran");
        assert_eq!(cpu("both"), None, "a wall time is no CPU time");
        assert_eq!(cpu("answer"), None, "of a task only its polls are known");
    }
}
