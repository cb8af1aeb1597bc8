//! Where closed spans are kept until somebody takes them.

use super::{Lane, LaneId, LaneKind, Moment, Span};
use std::{
    cell::OnceCell,
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

type Buffer = Arc<Mutex<Vec<(LaneId, Span)>>>;

/// Every thread's buffer; a buffer outlives its thread until it has been taken.
static BUFFERS: Mutex<Vec<Buffer>> = Mutex::new(Vec::new());
static NAMES: Mutex<BTreeMap<LaneId, String>> = Mutex::new(BTreeMap::new());
static LIVE: Mutex<BTreeMap<LaneId, LiveLane>> = Mutex::new(BTreeMap::new());
static LIVE_IS_WATCHED: AtomicBool = AtomicBool::new(false);
static THREADS: AtomicU64 = AtomicU64::new(0);

thread_local! {
    static LOCAL: OnceCell<(LaneId, Buffer)> = const { OnceCell::new() };
}

/// What a lane is doing at this moment.
#[derive(Clone, Debug)]
pub struct LiveLane {
    /// The lane's name.
    pub name: String,
    /// The innermost open span and when it began; `None` between spans.
    pub now: Vec<(String, Moment)>,
}

/// Locks, whatever a panicking thread left behind: every update here is a single push or insert.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn with_local<R>(f: impl FnOnce(&(LaneId, Buffer)) -> R) -> R {
    LOCAL.with(|local| {
        f(local.get_or_init(|| {
            let number = THREADS.fetch_add(1, Ordering::Relaxed);
            let id = LaneId {
                kind: LaneKind::Thread,
                number,
            };
            let name = thread::current()
                .name()
                .map_or_else(|| format!("thread {number}"), String::from);
            name_lane(id, name);
            let buffer = Buffer::default();
            lock(&BUFFERS).push(Arc::clone(&buffer));
            (id, buffer)
        }))
    })
}

/// The lane of the calling thread.
pub(super) fn this_thread() -> LaneId {
    with_local(|(id, _)| *id)
}

/// Keeps a closed span in the calling thread's buffer.
pub(super) fn push(lane: LaneId, span: Span) {
    with_local(|(_, buffer)| lock(buffer).push((lane, span)));
}

/// Says what a lane is called.
pub fn name_lane(id: LaneId, name: impl Into<String>) {
    lock(&NAMES).insert(id, name.into());
}

/// Adds one span of the process `pid`, told by whoever watched it; `name` is the lane's.
pub fn record_process(pid: u32, lane_name: &str, span: Span) {
    let id = LaneId {
        kind: LaneKind::Process,
        number: pid.into(),
    };
    name_lane(id, lane_name);
    push(id, span);
}

/// Adds what a worker process recorded, as the lane of that process.
///
/// All its threads and tasks become one lane: a worker runs one job at a time.
pub fn adopt(pid: u32, lane_name: &str, lanes: Vec<Lane>) {
    for span in lanes.into_iter().flat_map(|lane| lane.spans) {
        record_process(pid, lane_name, span);
    }
}

/// Takes all spans closed since the last call, as lanes in order of their first span.
pub fn take() -> Vec<Lane> {
    let mut lanes: BTreeMap<LaneId, Vec<Span>> = BTreeMap::new();
    let mut buffers = lock(&BUFFERS);
    for buffer in buffers.iter() {
        for (id, span) in lock(buffer).drain(..) {
            lanes.entry(id).or_default().push(span);
        }
    }
    // A buffer only this list still holds belongs to a thread that has ended.
    buffers.retain(|buffer| Arc::strong_count(buffer) > 1);
    drop(buffers);
    let names = lock(&NAMES);
    let mut lanes: Vec<Lane> = lanes
        .into_iter()
        .map(|(id, mut spans)| {
            spans.sort_by_key(|span| (span.start, span.depth));
            Lane {
                id,
                name: names
                    .get(&id)
                    .cloned()
                    .unwrap_or_else(|| format!("{} {}", kind_name(id.kind), id.number)),
                spans,
            }
        })
        .collect();
    drop(names);
    in_reading_order(&mut lanes);
    lanes
}

/// Sorts lanes by kind, families ("fetch 1", "fetch 2" …) by their first span, and by number within.
fn in_reading_order(lanes: &mut [Lane]) {
    let mut first: BTreeMap<String, Moment> = BTreeMap::new();
    for lane in lanes.iter() {
        let start = lane
            .spans
            .first()
            .map_or(Moment::default(), |span| span.start);
        let earliest = first.entry(family(&lane.name).0).or_insert(start);
        *earliest = start.min(*earliest);
    }
    lanes.sort_by_cached_key(|lane| {
        let (name, number) = family(&lane.name);
        (
            lane.id.kind,
            // It often begins in the same moment as its threads, now before and now after them.
            lane.name != "main",
            first.get(&name).copied(),
            name,
            number,
            lane.id.number,
        )
    });
}

/// A name without the number at its end, and that number.
fn family(name: &str) -> (String, Option<u64>) {
    let text = name.trim_end_matches(|c: char| c.is_ascii_digit());
    (text.to_owned(), name[text.len()..].parse().ok())
}

fn kind_name(kind: LaneKind) -> &'static str {
    match kind {
        LaneKind::Thread => "thread",
        LaneKind::Task => "task",
        LaneKind::Process => "process",
    }
}

/// Switches the record of open spans on or off; it is off unless somebody looks.
pub fn watch_live(on: bool) {
    LIVE_IS_WATCHED.store(on, Ordering::Relaxed);
    lock(&LIVE).clear();
}

/// What every lane is doing at this moment; empty unless [`watch_live`] is on.
pub fn live() -> Vec<(LaneId, LiveLane)> {
    lock(&LIVE)
        .iter()
        .map(|(id, lane)| (*id, lane.clone()))
        .collect()
}

pub(super) fn live_enter(lane: LaneId, name: &str) {
    if LIVE_IS_WATCHED.load(Ordering::Relaxed) {
        let lane_name = lock(&NAMES).get(&lane).cloned().unwrap_or_default();
        let mut live = lock(&LIVE);
        let row = live.entry(lane).or_insert_with(|| LiveLane {
            name: lane_name,
            now: Vec::new(),
        });
        row.now.push((name.to_owned(), Moment::now()));
    }
}

pub(super) fn live_leave(lane: LaneId, name: &str) {
    if LIVE_IS_WATCHED.load(Ordering::Relaxed)
        && let Some(row) = lock(&LIVE).get_mut(&lane)
        && let Some(at) = row.now.iter().rposition(|(open, _)| open == name)
    {
        row.now.remove(at);
    }
}

/// A process that does something at this moment, until dropped; for the live view only.
#[cfg(feature = "process")]
#[derive(Debug)]
pub(crate) struct LiveProcess {
    lane: LaneId,
    name: &'static str,
}

#[cfg(feature = "process")]
impl LiveProcess {
    /// Says that the process `pid` does `name`; `lane_name` is the lane's.
    pub(crate) fn enter(pid: u32, lane_name: impl FnOnce() -> String, name: &'static str) -> Self {
        let lane = LaneId {
            kind: LaneKind::Process,
            number: pid.into(),
        };
        if LIVE_IS_WATCHED.load(Ordering::Relaxed) {
            name_lane(lane, lane_name());
            live_enter(lane, name);
        }
        Self { lane, name }
    }
}

#[cfg(feature = "process")]
impl Drop for LiveProcess {
    fn drop(&mut self) {
        live_leave(self.lane, self.name);
    }
}

impl Span {
    /// A span that was watched from outside: open from `start` to `end`, busy for `busy` of it.
    pub fn watched(name: &'static str, start: Moment, end: Moment, busy: Duration) -> Self {
        Self {
            name: name.into(),
            start,
            end,
            busy,
            wait: None,
            depth: 0,
            polls: Vec::new(),
            cut: false,
        }
    }
}
