//! The live view's lines: what a lane does, and for how long.

use crate::Screen;
use indicatif::{ProgressBar, ProgressStyle};
use std::{
    collections::BTreeMap,
    fs,
    time::{Duration, Instant},
};
use timeline::{Lane, LaneId, LaneKind, Moment, Timeline, known_cause};

/// Lanes shown at once; with a status line and bars they fit a screen of 24 lines.
const MOST: usize = 10;

/// CPU time is counted in ticks of 10 ms: over less than this a share of it means little.
const SHARE_OVER: Duration = Duration::from_millis(400);

/// Lines on the screen, each for one lane at a time.
pub(super) struct Rows {
    screen: Screen,
    status: ProgressBar,
    rows: Vec<(Option<LaneId>, ProgressBar)>,
    shares: BTreeMap<u64, Share>,
}

/// The CPU time of a process over time.
struct Share {
    since: Instant,
    used: Duration,
    told: Option<f64>,
}

impl Rows {
    /// Lines above a line for the status.
    pub(super) fn above(status: ProgressBar, screen: Screen) -> Self {
        Self {
            screen,
            status: styled(status),
            rows: Vec::new(),
            shares: BTreeMap::new(),
        }
    }

    /// Draws all lanes anew; `status` is told how many have no line.
    pub(super) fn draw(&mut self, timeline: &Timeline, status: impl FnOnce(&str) -> String) {
        let recording = timeline.so_far();
        let now = recording.start.plus(recording.wall);
        let is_shown = |lane: &&Lane| lane.id.kind == LaneKind::Thread || lane.is_open(now);
        let lanes = recording.lanes.iter().filter(is_shown);
        let lanes: BTreeMap<LaneId, &Lane> = lanes.map(|lane| (lane.id, lane)).collect();
        for (shown, _) in &mut self.rows {
            *shown = shown.filter(|id| lanes.contains_key(id));
        }
        let (mut hidden, mut busy) = (0, 0);
        for (id, lane) in &lanes {
            if self.place(*id).is_none() {
                hidden += 1;
                busy += usize::from(lane.is_open(now));
            }
        }
        for index in 0..self.rows.len() {
            let lane = self.rows[index]
                .0
                .and_then(|id| Some((id, lanes.get(&id)?)));
            let text = lane.map_or_else(String::new, |(id, lane)| self.line(id, lane, now));
            self.rows[index].1.set_message(self.screen.settled(&text));
        }
        let more = match hidden {
            0 => String::new(),
            _ => format!(" · + {hidden} more, {busy} at work"),
        };
        self.status.set_message(self.screen.settled(&status(&more)));
    }

    /// The line of a lane, a free one if it has none yet.
    fn place(&mut self, id: LaneId) -> Option<usize> {
        let has = |wanted: Option<LaneId>| self.rows.iter().position(|row| row.0 == wanted);
        if let Some(index) = has(Some(id)) {
            return Some(index);
        }
        let index = has(None).or_else(|| {
            let bar = || {
                self.screen
                    .bars()
                    .insert_before(&self.status, ProgressBar::new_spinner())
            };
            (self.rows.len() < MOST).then(|| {
                let bar = styled(bar());
                self.rows.push((None, bar));
                self.rows.len() - 1
            })
        })?;
        self.rows[index].0 = Some(id);
        Some(index)
    }

    /// What a lane does, at most 80 columns wide.
    fn line(&mut self, id: LaneId, lane: &Lane, now: Moment) -> String {
        let kind = if id.kind == LaneKind::Task { "~" } else { "-" };
        let Some(open) = lane.spans.iter().rfind(|span| span.end == now) else {
            return format!("{kind} {:<18.18}", lane.name);
        };
        let cause = open.wait.as_deref();
        let words = cause.map(|wait| known_cause(wait).map_or(wait, |cause| cause.words));
        let state = match id.kind {
            LaneKind::Process => self.share(id.number),
            LaneKind::Thread | LaneKind::Task => words.unwrap_or_default().into(),
        };
        let lasted = open.duration().as_secs_f64();
        let (lane, name) = (&lane.name, &open.name);
        let line = format!("{kind} {lane:<18.18} {name:<14.14} {lasted:>5.1} s  {state:<28.28}");
        line.trim_end().into()
    }

    /// The CPU that a process has used lately, in words.
    fn share(&mut self, pid: u64) -> String {
        let Some(used) = cpu_time(pid) else {
            return String::new();
        };
        let now = Instant::now();
        let share = self.shares.entry(pid).or_insert(Share {
            since: now,
            used,
            told: None,
        });
        let passed = now - share.since;
        if passed >= SHARE_OVER {
            let ran = used.saturating_sub(share.used).as_secs_f64();
            *share = Share {
                since: now,
                used,
                told: Some(ran / passed.as_secs_f64()),
            };
        }
        let percent = |share: f64| format!("CPU {:.0} %", 100.0 * share);
        share.told.map_or_else(String::new, percent)
    }

    /// Takes all lines off the screen.
    pub(super) fn clear(self) {
        for (_, bar) in self.rows {
            bar.finish_and_clear();
            self.screen.bars().remove(&bar);
        }
        self.status.finish_and_clear();
        self.screen.bars().remove(&self.status);
    }
}

fn styled(line: ProgressBar) -> ProgressBar {
    let plain = ProgressStyle::with_template("  {msg}");
    line.set_style(plain.expect("a constant template that the tests parse"));
    line
}

/// The CPU time of a process so far, where `/proc` tells.
fn cpu_time(pid: u64) -> Option<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let ticks = fields(&stat).skip(11).take(2).map(str::parse::<u64>);
    let ticks: Result<Vec<u64>, _> = ticks.collect();
    Some(Duration::from_millis(10 * ticks.ok()?.iter().sum::<u64>()))
}

/// What stands in a `stat` file behind the name, which may hold anything; the state comes first.
fn fields(stat: &str) -> impl Iterator<Item = &str> {
    let behind = stat.rsplit_once(')').map_or("", |parts| parts.1);
    behind.split_whitespace()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stat_line_is_read_behind_a_name_that_looks_like_one() {
        let stat = "7 (a) R b) S 1 7 7 0 -1 4 10 0 0 0 250 50 0 0 20 0 1 0 5 0 0";
        assert_eq!(fields(stat).nth(11), Some("250"), "user time");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_has_cpu_time_and_one_that_is_none_has_not() {
        assert!(cpu_time(std::process::id().into()).is_some());
        assert_eq!(cpu_time(u64::MAX), None);
    }
}
