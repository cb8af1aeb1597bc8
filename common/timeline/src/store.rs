//! Where closed spans are kept until somebody takes them, and how much of them.

use super::{
    Handover, Lane, LaneId, LaneKind, Level, Moment, Recording, Span, Toll,
    thin::{self, Kept},
};
use std::{
    borrow::Cow,
    cell::OnceCell,
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

/// What all closed spans may take in memory, about: some 170,000 without polls.
const MEMORY_BYTES: usize = 32 << 20;

/// Samples of levels, and ends of hand-overs, that a thread keeps of each.
const SAMPLES_KEPT: usize = 32_768;

/// What one thread has recorded.
#[derive(Debug, Default)]
struct Buffer {
    spans: Vec<Kept>,
    samples: Vec<(Cow<'static, str>, Moment, f64)>,
    handed: Vec<Handover>,
    toll: Toll,
}

type Shared = Arc<Mutex<Buffer>>;

/// Every thread's buffer; a buffer outlives its thread until it has been taken.
static BUFFERS: Mutex<Vec<Shared>> = Mutex::new(Vec::new());
static NAMES: Mutex<BTreeMap<LaneId, String>> = Mutex::new(BTreeMap::new());
static THREADS: AtomicU64 = AtomicU64::new(0);
/// What the spans in all buffers take.
static BYTES: AtomicUsize = AtomicUsize::new(0);
/// Below this length, in nanoseconds, spans are joined; 0 until there are too many.
static WINDOW: AtomicU64 = AtomicU64::new(0);

thread_local! {
    static LOCAL: OnceCell<(LaneId, Shared)> = const { OnceCell::new() };
}

/// Locks, whatever a panicking thread left behind: no update here is left half made.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn with_local<R>(f: impl FnOnce(&(LaneId, Shared)) -> R) -> R {
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
            let buffer = Shared::default();
            lock(&BUFFERS).push(Arc::clone(&buffer));
            (id, buffer)
        }))
    })
}

/// The lane of the calling thread.
pub(super) fn this_thread() -> LaneId {
    with_local(|(id, _)| *id)
}

/// The calling thread's buffer.
fn with_buffer<R>(f: impl FnOnce(&mut Buffer) -> R) -> R {
    with_local(|(_, buffer)| f(&mut lock(buffer)))
}

/// Keeps a closed span in the calling thread's buffer; `book` adds what recording it took.
pub(super) fn push(mut kept: Kept, book: impl FnOnce(&mut Toll)) {
    let window = Duration::from_nanos(WINDOW.load(Ordering::Relaxed));
    let bytes = kept.bytes();
    let is_kept = with_buffer(|buffer| {
        book(&mut buffer.toll);
        if !window.is_zero() {
            let last = buffer.spans.last_mut();
            let joined = last.is_some_and(|last| {
                last.lane == kept.lane && thin::join(&mut last.span, &mut kept.span, window)
            });
            if joined || thin::is_dropped(&kept.span, window) {
                buffer.toll.thinned += 1;
                return false;
            }
        }
        buffer.spans.push(kept);
        true
    });
    if is_kept && BYTES.fetch_add(bytes, Ordering::Relaxed) + bytes > MEMORY_BYTES {
        thin_all();
    }
}

/// Runs `f` and forgets what it records on this thread.
pub(super) fn set_aside<R>(f: impl FnOnce() -> R) -> R {
    let own = with_buffer(std::mem::take);
    let result = f();
    let scratch = with_buffer(|buffer| std::mem::replace(buffer, own));
    let bytes: usize = scratch.spans.iter().map(Kept::bytes).sum();
    BYTES.fetch_sub(bytes, Ordering::Relaxed);
    result
}

/// Thins what all threads have recorded to half of the memory.
fn thin_all() {
    let began = Moment::now();
    let buffers = lock(&BUFFERS);
    if BYTES.load(Ordering::Relaxed) <= MEMORY_BYTES {
        return;
    }
    let mut window = Duration::from_nanos(WINDOW.load(Ordering::Relaxed));
    let starts = buffers.iter().filter_map(|buffer| {
        let buffer = lock(buffer);
        buffer.spans.iter().map(|kept| kept.span.start).min()
    });
    let stretch = began - starts.min().unwrap_or(began);
    window = window.max(thin::first_window(stretch));
    let mut thinned = 0;
    loop {
        let mut bytes = 0;
        for buffer in buffers.iter() {
            let spans = &mut lock(buffer).spans;
            let before = spans.len();
            thin::thin(spans, window);
            if window > stretch {
                thin::drop_short_half(spans);
            }
            thinned += before - spans.len();
            bytes += spans.iter().map(Kept::bytes).sum::<usize>();
        }
        BYTES.store(bytes, Ordering::Relaxed);
        if bytes <= MEMORY_BYTES / 2 {
            break;
        }
        window *= 2;
    }
    WINDOW.store(window.as_nanos() as u64, Ordering::Relaxed);
    drop(buffers);
    with_buffer(|buffer| {
        buffer.toll.thinned += thinned as u64;
        buffer.toll.thinning += Moment::now() - began;
    });
}

/// Says what a lane is called.
pub fn name_lane(id: LaneId, name: impl Into<String>) {
    lock(&NAMES).insert(id, name.into());
}

/// What a lane is called.
pub fn name_of(id: LaneId) -> String {
    let name = lock(&NAMES).get(&id).cloned();
    name.unwrap_or_else(|| nameless(id))
}

/// Adds one span of the process `pid`, told by whoever watched it; `lane_name` is the lane's.
pub fn record_process(pid: u32, lane_name: &str, span: Span) {
    name_lane(process(pid), lane_name);
    push(of_process(pid, span), |toll| toll.spans += 1);
}

fn of_process(pid: u32, span: Span) -> Kept {
    Kept {
        lane: process(pid),
        lane_name: None,
        span,
    }
}

fn process(pid: u32) -> LaneId {
    LaneId {
        kind: LaneKind::Process,
        number: pid.into(),
    }
}

/// Adds what a worker process recorded, as the lane of that process.
///
/// All its threads and tasks become one lane: a worker runs one job at a time.
pub fn adopt(pid: u32, lane_name: &str, recording: Recording) {
    name_lane(process(pid), lane_name);
    with_buffer(|buffer| {
        buffer.toll.add(&recording.toll);
        for level in recording.levels {
            for (at, depth) in level.samples {
                buffer.add_sample(level.name.clone(), at, depth);
            }
        }
    });
    for span in recording.lanes.into_iter().flat_map(|lane| lane.spans) {
        push(of_process(pid, span), |_| ());
    }
}

impl Buffer {
    fn add_sample(&mut self, name: Cow<'static, str>, at: Moment, level: f64) {
        self.samples.push((name, at, level));
        if self.samples.len() > SAMPLES_KEPT {
            // Of two neighbours the higher stays: a peak is what such a curve is read for.
            self.samples.sort_by(|a, b| (&a.0, a.1).cmp(&(&b.0, b.1)));
            let mut is_second = false;
            self.samples.dedup_by(|next, first| {
                is_second = !is_second && next.0 == first.0;
                if is_second {
                    first.2 = first.2.max(next.2);
                }
                is_second
            });
        }
    }
}

/// Notes a level, such as the depth of a queue after a push or a pop.
pub(super) fn sample(name: Cow<'static, str>, level: f64) {
    with_buffer(|buffer| {
        buffer.toll.samples += 1;
        buffer.add_sample(name, Moment::now(), level);
    });
}

/// Notes that this thread hands the job in.
pub fn submitted(job: u64) {
    let here = Some((this_thread(), Moment::now()));
    hand_over(job, here, None);
}

/// Notes that this thread takes the job's result.
pub fn received(job: u64) {
    let here = Some((this_thread(), Moment::now()));
    hand_over(job, None, here);
}

fn hand_over(job: u64, submitted: Option<(LaneId, Moment)>, received: Option<(LaneId, Moment)>) {
    with_buffer(|buffer| {
        buffer.toll.samples += 1;
        if buffer.handed.len() < SAMPLES_KEPT {
            buffer.handed.push(Handover {
                job,
                submitted,
                received,
            });
        }
    });
}

/// Takes all that was recorded since the last call; the stretch is that of the spans.
pub fn take() -> Recording {
    let mut taken = Taken::default();
    let mut buffers = lock(&BUFFERS);
    for buffer in buffers.iter() {
        taken.add(std::mem::take(&mut lock(buffer)));
    }
    BYTES.store(0, Ordering::Relaxed);
    WINDOW.store(0, Ordering::Relaxed);
    // A buffer only this list still holds belongs to a thread that has ended.
    buffers.retain(|buffer| Arc::strong_count(buffer) > 1);
    drop(buffers);
    taken.into_recording()
}

/// What was in the buffers.
#[derive(Default)]
struct Taken {
    lanes: BTreeMap<LaneId, Vec<Span>>,
    names: BTreeMap<LaneId, Box<str>>,
    levels: BTreeMap<Cow<'static, str>, Vec<(Moment, f64)>>,
    handovers: BTreeMap<u64, Handover>,
    toll: Toll,
}

impl Taken {
    fn add(&mut self, buffer: Buffer) {
        self.toll.add(&buffer.toll);
        for kept in buffer.spans {
            self.names
                .extend(kept.lane_name.map(|name| (kept.lane, name)));
            self.lanes.entry(kept.lane).or_default().push(kept.span);
        }
        for (name, at, level) in buffer.samples {
            self.levels.entry(name).or_default().push((at, level));
        }
        for half in buffer.handed {
            let whole = self.handovers.entry(half.job).or_insert(half);
            whole.submitted = whole.submitted.or(half.submitted);
            whole.received = whole.received.or(half.received);
        }
    }

    fn into_recording(mut self) -> Recording {
        let now = Moment::now();
        let spans = self.lanes.values_mut().flatten();
        self.toll.mended += spans
            .filter_map(|span| span.mend(now).then_some(1))
            .sum::<u64>();
        let mut lanes: Vec<Lane> = (self.lanes.into_iter())
            .map(|(id, mut spans)| {
                spans.sort_by_key(|span| (span.start, span.depth));
                let name = self.names.remove(&id).map(String::from);
                let name = name.unwrap_or_else(|| name_of(id));
                Lane { id, name, spans }
            })
            .collect();
        in_reading_order(&mut lanes);
        let levels = self.levels.into_iter().map(|(name, mut samples)| {
            samples.sort_by_key(|sample| sample.0);
            Level { name, samples }
        });
        let all = || lanes.iter().flat_map(|lane| &lane.spans);
        let start = all().map(|span| span.start).min().unwrap_or(now);
        let end = all().map(|span| span.end).max().unwrap_or(now);
        Recording {
            start,
            wall: end - start,
            levels: levels.collect(),
            handovers: self.handovers.into_values().collect(),
            toll: self.toll,
            lanes,
        }
    }
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

/// A name without the number, or the letter, at its end, and that number: `worker 2`, `worker B`.
fn family(name: &str) -> (String, Option<u64>) {
    if let Some((text, letter)) = name.rsplit_once(' ')
        && let [letter @ b'A'..=b'Z'] = letter.as_bytes()
    {
        return (text.to_owned(), Some((letter - b'A').into()));
    }
    let text = name.trim_end_matches(|c: char| c.is_ascii_digit());
    (text.to_owned(), name[text.len()..].parse().ok())
}

fn nameless(id: LaneId) -> String {
    let kind = match id.kind {
        LaneKind::Thread => "thread",
        LaneKind::Task => "task",
        LaneKind::Process => "process",
    };
    format!("{kind} {}", id.number)
}
