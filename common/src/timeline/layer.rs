//! The `tracing` layer that feeds the store.

use super::{LaneId, LaneKind, Moment, Span, store, thread_cpu};
use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};
use tracing::{
    Subscriber,
    field::{Field, Visit},
    level_filters::LevelFilter,
    span::{Attributes, Id},
};
use tracing_subscriber::{
    Layer,
    layer::{Context, SubscriberExt},
    registry::{LookupSpan, SpanRef},
};

/// Polls kept per span; past that, neighbours are merged.
const POLLS_KEPT: usize = 256;

/// Records every span of level `INFO` and above for [`take`](super::take).
///
/// Libraries trace themselves below that level, so what is recorded is what the program says.
#[derive(Debug, Default)]
pub struct TimelineLayer {
    tasks: AtomicU64,
}

/// Records this process's spans from now on; later calls change nothing.
pub fn install() {
    let subscriber = tracing_subscriber::registry().with(TimelineLayer::default());
    // The only way to fail is that a subscriber is set already, by an earlier call or by a test.
    let _ = tracing::subscriber::set_global_default(subscriber);
}

/// What the layer keeps of an open span.
struct Open {
    name: &'static str,
    created: Moment,
    wait: Option<String>,
    /// The task whose lane it belongs to; `None` for the lane of the thread that enters it.
    task: Option<LaneId>,
    is_task: bool,
    depth: u16,
    entered: Option<Entered>,
    runs: Vec<Run>,
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

#[derive(Default)]
struct Fields {
    task: Option<String>,
    wait: Option<String>,
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "task" => self.task = Some(value.to_owned()),
            "wait" => self.wait = Some(value.to_owned()),
            _ => {}
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        match field.name() {
            "task" => self.task = Some(format!("{value:?}")),
            "wait" => self.wait = Some(format!("{value:?}")),
            _ => {}
        }
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for TimelineLayer {
    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::INFO)
    }

    fn enabled(&self, metadata: &tracing::Metadata<'_>, _: Context<'_, S>) -> bool {
        *metadata.level() <= tracing::Level::INFO
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        let parent = span.parent().and_then(|parent| {
            let extensions = parent.extensions();
            extensions.get::<Open>().map(|open| (open.task, open.depth))
        });
        let is_task = fields.task.is_some();
        let task = match fields.task {
            Some(name) => {
                let lane = LaneId {
                    kind: LaneKind::Task,
                    number: self.tasks.fetch_add(1, Ordering::Relaxed),
                };
                store::name_lane(lane, format!("{} {name}", span.name()));
                Some(lane)
            }
            None => parent.and_then(|(task, _)| task),
        };
        let depth = match parent {
            Some((_, depth)) if !is_task => depth + 1,
            _ => 0,
        };
        if let Some(lane) = task {
            store::live_enter(lane, span.name());
        }
        span.extensions_mut().insert(Open {
            name: span.name(),
            created: Moment::now(),
            wait: fields.wait,
            task,
            is_task,
            depth,
            entered: None,
            runs: Vec::new(),
        });
    }

    fn on_enter(&self, id: &Id, context: Context<'_, S>) {
        let thread = store::this_thread();
        with_open(context.span(id), |open| {
            if open.task.is_none() && open.runs.is_empty() {
                store::live_enter(thread, open.name);
            }
            open.entered = Some(Entered {
                thread,
                // A task's run time is the time it is polled: its own thread may be shared.
                cpu: if open.task.is_none() {
                    thread_cpu()
                } else {
                    None
                },
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
            let busy = match entered.cpu.zip(thread_cpu()) {
                Some((before, after)) => after.saturating_sub(before).min(lasted),
                None => lasted,
            };
            open.runs.push(Run {
                start: entered.at,
                end,
                busy,
                thread: entered.thread,
            });
            if open.runs.len() > 2 * POLLS_KEPT {
                merge_pairs(&mut open.runs);
            }
        });
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let end = Moment::now();
        let span = context.span(&id);
        let open = span.and_then(|span| span.extensions_mut().remove::<Open>());
        let Some(open) = open else { return };
        match open.task {
            Some(lane) => {
                store::live_leave(lane, open.name);
                store::push(lane, open.into_task_span(end));
            }
            None => {
                // Only now: between its polls an asynchronous span is open, and waits.
                if let Some(first) = open.runs.first() {
                    store::live_leave(first.thread, open.name);
                }
                open.push_thread_spans();
            }
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

/// Halves the list: each pair of neighbours on one thread becomes one run with the sum of both.
fn merge_pairs(runs: &mut Vec<Run>) {
    let mut merged: Vec<Run> = Vec::with_capacity(runs.len() / 2 + 1);
    for (index, run) in runs.drain(..).enumerate() {
        match merged.last_mut() {
            Some(last) if index % 2 == 1 && last.thread == run.thread => {
                last.end = run.end;
                last.busy += run.busy;
            }
            _ => merged.push(run),
        }
    }
    *runs = merged;
}

impl Open {
    fn into_task_span(self, end: Moment) -> Span {
        // Dropping a future enters its span once more; a run after the end is not one.
        Span {
            name: self.name.into(),
            start: self.created,
            end,
            busy: self.runs.iter().map(|run| run.busy).sum(),
            wait: self.wait,
            depth: if self.is_task { 0 } else { self.depth },
            polls: self.runs.iter().map(|run| (run.start, run.end)).collect(),
            cut: false,
        }
    }

    /// One span where one thread ran it; one per stretch where several threads took turns.
    fn push_thread_spans(self) {
        let Some((first, last)) = self.runs.first().zip(self.runs.last()) else {
            return;
        };
        let span = |runs: &[Run], start, end| Span {
            name: self.name.into(),
            start,
            end,
            busy: runs.iter().map(|run| run.busy).sum(),
            wait: self.wait.clone(),
            depth: self.depth,
            polls: if runs.len() > 1 {
                runs.iter().map(|run| (run.start, run.end)).collect()
            } else {
                Vec::new()
            },
            cut: false,
        };
        if self.runs.iter().all(|run| run.thread == first.thread) {
            store::push(first.thread, span(&self.runs, first.start, last.end));
        } else {
            for run in &self.runs {
                store::push(
                    run.thread,
                    span(std::slice::from_ref(run), run.start, run.end),
                );
            }
        }
    }
}
