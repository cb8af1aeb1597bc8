//! The `tracing` layer that feeds the store.

use super::{
    LaneId, LaneKind, Moment, Span,
    cause::interned,
    live, store,
    thin::{Kept, POLLS_KEPT, merge_nearest, merge_polls},
    thread_cpu,
};
use std::{
    borrow::Cow,
    fmt, mem,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};
use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
    level_filters::LevelFilter,
    span::{Attributes, Id},
};
use tracing_subscriber::{
    Layer,
    layer::{Context, SubscriberExt},
    registry::{LookupSpan, SpanRef},
};

/// In less time than this nobody waits for anything: it is not worth a look at the CPU clock, which
/// costs as much as the rest of recording a span.
const TOO_SHORT_TO_WAIT: Duration = Duration::from_micros(4);

/// Tasks are numbered as they appear, whichever layer sees them.
static TASKS: AtomicU64 = AtomicU64::new(0);

/// Records every span of level `INFO` and above for [`take`](super::take).
///
/// Libraries trace themselves below that level, so what is recorded is what the program says.
#[derive(Clone, Copy, Debug, Default)]
pub struct TimelineLayer {
    finds_tasks: bool,
}

impl TimelineLayer {
    /// A layer for programs whose spans have no field `task`: an outermost span that is entered again,
    /// as an instrumented future is, becomes a lane of its own from then on.
    pub fn finding_tasks() -> Self {
        Self { finds_tasks: true }
    }
}

/// Records this process's spans from now on; later calls change nothing.
pub fn install() {
    let subscriber = tracing_subscriber::registry()
        .with(TimelineLayer::default())
        // Everything below costs nothing then: nobody else listens.
        .with(LevelFilter::INFO);
    // The only way to fail is that a subscriber is set already, by an earlier call or by a test.
    let _ = tracing::subscriber::set_global_default(subscriber);
}

/// What the layer keeps of an open span.
struct Open {
    name: &'static str,
    created: Moment,
    wait: Option<Cow<'static, str>>,
    job: Option<u64>,
    /// The task whose lane it belongs to; `None` for the lane of the thread that enters it.
    task: Option<LaneId>,
    /// The name of the lane that it opens.
    lane_name: Option<Box<str>>,
    depth: u16,
    entered: Option<Entered>,
    entries: u32,
    runs: Runs,
}

struct Entered {
    at: Moment,
    cpu: Option<Duration>,
    thread: LaneId,
}

/// One stretch of being entered.
struct Run {
    start: Moment,
    end: Moment,
    busy: Duration,
    thread: LaneId,
}

/// Most spans are entered once: only further runs are worth an allocation.
#[derive(Default)]
struct Runs {
    first: Option<Run>,
    others: Vec<Run>,
}

#[derive(Default)]
struct Fields {
    task: Option<String>,
    wait: Option<Cow<'static, str>>,
    job: Option<u64>,
    queue: Option<String>,
    depth: Option<f64>,
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "task" => self.task = Some(value.to_owned()),
            "wait" => self.wait = Some(interned(value)),
            "queue" => self.queue = Some(value.to_owned()),
            _ => {}
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        match field.name() {
            "job" => self.job = Some(value),
            "depth" => self.depth = Some(value as f64),
            _ => self.record_debug(field, &value),
        }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        match field.name() {
            "job" => self.job = u64::try_from(value).ok(),
            "depth" => self.depth = Some(value as f64),
            _ => self.record_debug(field, &value),
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        match field.name() {
            "task" => self.task = Some(format!("{value:?}")),
            "wait" => self.wait = Some(format!("{value:?}").into()),
            _ => {}
        }
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for TimelineLayer {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if *attributes.metadata().level() > Level::INFO {
            return;
        }
        let Some(span) = context.span(id) else { return };
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        let parent = parent_of(&span);
        let (task, lane_name) = match fields.task {
            Some(name) => {
                let name = format!("{} {name}", span.name());
                (Some(new_task()), Some(name.into_boxed_str()))
            }
            None => (parent.and_then(|(task, _)| task), None),
        };
        let depth = match parent {
            Some((_, depth)) if lane_name.is_none() => depth.saturating_add(1),
            _ => 0,
        };
        if let Some(lane) = task {
            let name = || lane_name.as_deref().map_or_else(String::new, String::from);
            live::enter(lane, name, span.name(), fields.wait.as_ref());
        }
        span.extensions_mut().insert(Open {
            name: span.name(),
            // On a thread it begins when it is entered.
            created: if task.is_some() || self.finds_tasks {
                Moment::now()
            } else {
                Moment::default()
            },
            wait: fields.wait,
            job: fields.job,
            task,
            lane_name,
            depth,
            entered: None,
            entries: 0,
            runs: Runs::default(),
        });
    }

    fn on_enter(&self, id: &Id, context: Context<'_, S>) {
        let span = context.span(id);
        if self.finds_tasks {
            span.as_ref().into_iter().for_each(find_task);
        }
        with_open(span, |open| {
            let thread = store::this_thread();
            if open.task.is_none() && open.runs.first.is_none() {
                let name = || store::name_of(thread);
                live::enter(thread, name, open.name, open.wait.as_ref());
            }
            open.entries = open.entries.saturating_add(1);
            open.entered = Some(Entered {
                thread,
                // A task's run time is the time it is polled: its own thread may be shared.
                cpu: open.task.is_none().then(thread_cpu).flatten(),
                at: Moment::now(),
            });
        });
    }

    fn on_exit(&self, id: &Id, context: Context<'_, S>) {
        with_open(context.span(id), |open| {
            let Some(entered) = open.entered.take() else {
                return;
            };
            let end = Moment::now();
            let lasted = end - entered.at;
            let busy = match entered.cpu.filter(|_| lasted > TOO_SHORT_TO_WAIT) {
                Some(before) => {
                    thread_cpu().map_or(lasted, |after| after.saturating_sub(before).min(lasted))
                }
                None => lasted,
            };
            open.runs.push(Run {
                start: entered.at,
                end,
                busy,
                thread: entered.thread,
            });
        });
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let Some(span) = context.span(&id) else {
            return;
        };
        let open = span.extensions_mut().remove::<Open>();
        let Some(mut open) = open else { return };
        if self.finds_tasks && open.task.is_none() {
            open.task = parent_of(&span).and_then(|(task, _)| task);
        }
        match open.task {
            Some(lane) => {
                live::leave(lane, open.name);
                open.push_task_span(lane);
            }
            None => {
                // Only now: between its polls an asynchronous span is open, and waits.
                if let Some(first) = &open.runs.first {
                    live::leave(first.thread, open.name);
                }
                open.push_thread_spans();
            }
        }
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        // Before its fields are read: most events are no sample.
        if *event.metadata().level() > Level::INFO
            || event.metadata().fields().field("queue").is_none()
        {
            return;
        }
        let mut fields = Fields::default();
        event.record(&mut fields);
        if let Some((name, depth)) = fields.queue.zip(fields.depth) {
            store::sample(name.into(), depth);
        }
    }
}

fn new_task() -> LaneId {
    LaneId {
        kind: LaneKind::Task,
        number: TASKS.fetch_add(1, Ordering::Relaxed),
    }
}

/// The task and the depth of the nearest span around it that is recorded.
fn parent_of<S: for<'a> LookupSpan<'a>>(span: &SpanRef<'_, S>) -> Option<(Option<LaneId>, u16)> {
    let mut around = span.parent();
    while let Some(parent) = around {
        if let Some(open) = parent.extensions().get::<Open>() {
            return Some((open.task, open.depth));
        }
        around = parent.parent();
    }
    None
}

/// Gives a span that is entered again its lane: its own if it is an outermost one, or its parent's.
fn find_task<S: for<'a> LookupSpan<'a>>(span: &SpanRef<'_, S>) {
    let parent = parent_of(span);
    if let Some(open) = span.extensions_mut().get_mut::<Open>()
        && open.task.is_none()
        && open.entries > 0
    {
        open.task = parent.map_or_else(|| Some(new_task()), |(task, _)| task);
        if parent.is_none()
            && let Some(lane) = open.task
        {
            open.lane_name = Some(format!("{} {}", open.name, lane.number).into());
        }
    }
}

fn with_open<S: for<'a> LookupSpan<'a>>(span: Option<SpanRef<'_, S>>, f: impl FnOnce(&mut Open)) {
    if let Some(span) = span
        && let Some(open) = span.extensions_mut().get_mut::<Open>()
    {
        f(open);
    }
}

impl Runs {
    fn push(&mut self, run: Run) {
        if self.first.is_none() {
            self.first = Some(run);
            return;
        }
        self.others.push(run);
        if self.others.len() > 2 * POLLS_KEPT {
            self.merge();
        }
    }

    fn iter(&self) -> impl Iterator<Item = &Run> {
        self.first.iter().chain(&self.others)
    }

    fn busy(&self) -> Duration {
        self.iter().map(|run| run.busy).sum()
    }

    fn polls(&self) -> Vec<(Moment, Moment)> {
        let mut polls = self.iter().map(|run| (run.start, run.end)).collect();
        merge_polls(&mut polls);
        polls
    }

    /// Neighbours on one thread become one run with the sum of both.
    fn merge(&mut self) {
        let gap = |one: &Run, next: &Run| (one.thread == next.thread).then(|| next.start - one.end);
        merge_nearest(&mut self.others, gap, |one, next| {
            one.end = next.end;
            one.busy += next.busy;
        });
    }
}

impl Open {
    fn push_task_span(self, lane: LaneId) {
        // Dropping a future enters its span once more; a run after the end is not one.
        let span = Span {
            name: self.name.into(),
            start: self.created,
            end: Moment::now(),
            busy: self.runs.busy(),
            wait: self.wait,
            depth: self.depth,
            polls: self.runs.polls(),
            cut: false,
            job: self.job,
        };
        let kept = Kept {
            lane,
            lane_name: self.lane_name,
            span,
        };
        store::push(kept, |toll| {
            toll.spans += 1;
            toll.polls += u64::from(self.entries);
        });
    }

    /// One span where one thread ran it; one per stretch where several threads took turns.
    fn push_thread_spans(mut self) {
        let runs = mem::take(&mut self.runs);
        let Some((first, last)) = runs.first.as_ref().zip(runs.iter().last()) else {
            return;
        };
        let mut entries = u64::from(self.entries);
        let mut push = |thread, start, end, busy, polls| {
            let span = Span {
                name: self.name.into(),
                start,
                end,
                busy,
                wait: self.wait.clone(),
                depth: self.depth,
                polls,
                cut: false,
                job: self.job,
            };
            let kept = Kept {
                lane: thread,
                lane_name: None,
                span,
            };
            store::push(kept, |toll| {
                toll.spans += 1;
                toll.entries += mem::take(&mut entries);
            });
        };
        if runs.iter().any(|run| run.thread != first.thread) {
            for run in runs.iter() {
                push(run.thread, run.start, run.end, run.busy, Vec::new());
            }
        } else {
            let polls = if runs.others.is_empty() {
                Vec::new()
            } else {
                runs.polls()
            };
            push(first.thread, first.start, last.end, runs.busy(), polls);
        }
    }
}
