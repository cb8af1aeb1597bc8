//! What the spans tell of themselves when pointed at: raw figures for the script, few and short.

use super::raw_json;
use crate::{LaneReport, SpanReport};
use serde_json::{Value, json};

/// The spans of the drawn lanes, the longest where there are more than `limit`.
///
/// Times are whole multiples of `tick_s`, a millionth of the axis or less.
pub(super) fn script(lanes: &[&LaneReport], axis_s: f64, limit: usize) -> String {
    let tick_s = 10_f64.powi((axis_s * 1e-6).log10().floor() as i32);
    let mut lengths: Vec<f64> = lanes
        .iter()
        .flat_map(|lane| &lane.spans)
        .map(length)
        .collect();
    let all = lengths.len();
    lengths.sort_by(|one, other| other.total_cmp(one));
    let least = lengths.get(limit).copied().unwrap_or(f64::NEG_INFINITY);
    let mut words = Words::default();
    let mut told = 0;
    let lanes: Vec<Value> = lanes
        .iter()
        .map(|lane| {
            let spans = lane.spans.iter().filter(|span| length(span) > least);
            let spans: Vec<Value> = spans.map(|span| words.span(span, tick_s)).collect();
            told += spans.len();
            json!(spans)
        })
        .collect();
    let data = json!({ "tick_s": tick_s, "words": words.0, "lanes": lanes, "left": all - told });
    format!(
        "<script type=application/json class=spans>{}</script>\n",
        raw_json(&data)
    )
}

fn length(span: &SpanReport) -> f64 {
    span.end_s - span.start_s
}

/// Every word once; spans name them by number.
#[derive(Default)]
struct Words(Vec<String>);

impl Words {
    fn number(&mut self, word: &str) -> usize {
        let known = self.0.iter().position(|known| known == word);
        known.unwrap_or_else(|| {
            self.0.push(word.to_owned());
            self.0.len() - 1
        })
    }

    /// `[name, start, length, busy, wait or -1, cut]`, without what is usual at the end.
    fn span(&mut self, span: &SpanReport, tick_s: f64) -> Value {
        let ticks = |seconds: f64| (seconds / tick_s).round() as i64;
        let name = self.number(&span.name) as i64;
        let told =
            |wait: &str| super::look::waits(wait).unwrap_or_else(|| format!("waits for: {wait}"));
        let wait = span
            .wait
            .as_deref()
            .map_or(-1, |wait| self.number(&told(wait)) as i64);
        let mut figures = vec![
            name,
            ticks(span.start_s),
            ticks(length(span)),
            ticks(span.busy_s),
        ];
        if wait >= 0 || span.cut {
            figures.push(wait);
        }
        if span.cut {
            figures.push(1);
        }
        json!(figures)
    }
}
