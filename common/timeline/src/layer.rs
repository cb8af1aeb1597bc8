//! The `tracing` layer that feeds the store.

use super::{
    LaneId, Moment, Span, Timeline,
    fields::{Fields, Label},
    live::LiveSpan,
    runs::{Entered, Inside, Run, Runs},
    store::{self, Buffer, Closed, Kept, Thread},
};
use std::{borrow::Cow, mem, time::Duration};
use tracing::{
    Event, Level, Metadata, Subscriber,
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{
    Layer,
    layer::Context,
    registry::{LookupSpan, SpanRef},
};

/// In less time than this nobody waits for anything: it is not worth a look at the CPU clock, which
/// costs as much as the rest of recording a span.
pub(super) const TOO_SHORT_TO_WAIT: Duration = Duration::from_micros(10);

/// What the layer keeps of an open span.
struct Open {
    about: &'static Metadata<'static>,
    created: Moment,
    wait: Option<Cow<'static, str>>,
    job: Option<u64>,
    label: Option<Label>,
    /// The outermost span that it lies in, or its own number: all of them share a lane.
    root: u64,
    depth: u16,
    /// Whether its time is that of a task: from its creation on, and running while it is polled.
    is_task: bool,
    /// Whether it was entered by several threads: each entry is a span then.
    is_shared: bool,
    entries: u32,
    inside: Inside,
    runs: Runs,
    /// Where the live view shows it.
    live: Option<LaneId>,
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Timeline {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let about = attributes.metadata();
        if *about.level() > Level::INFO {
            return;
        }
        let Some(span) = context.span(id) else { return };
        let mut fields = Fields::default();
        if !attributes.fields().is_empty() {
            fields.label = self.store.finds_tasks.then(Label::default);
            attributes.record(&mut fields);
        }
        let mut open = Box::new(Open {
            about,
            // Elsewhere it begins when it is entered.
            created: if self.store.finds_tasks || fields.task.is_some() {
                Moment::now()
            } else {
                Moment::default()
            },
            wait: fields.wait,
            job: fields.job,
            label: fields.label,
            root: 0,
            depth: 0,
            is_task: false,
            is_shared: false,
            entries: 0,
            inside: Inside::default(),
            runs: Runs::default(),
            live: None,
        });
        if let Some(task) = fields.task {
            let name = format!("{} {task}", about.name());
            store::with_thread(&self.store, |thread, _| open.root = thread.new_root());
            self.make_task(&mut open, Some(name));
        }
        span.extensions_mut().insert(open);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        with_open(context.span(id), |open, _| {
            let mut fields = Fields {
                label: open.label.take(),
                ..Fields::default()
            };
            values.record(&mut fields);
            open.label = fields.label;
            open.wait = fields.wait.or(open.wait.take());
            open.job = fields.job.or(open.job);
        });
    }

    fn on_enter(&self, id: &Id, context: Context<'_, S>) {
        with_open(context.span(id), |open, span| {
            store::with_thread(&self.store, |thread, buffer| {
                if open.entries == 0 {
                    self.begin(open, span, thread);
                } else {
                    self.begin_again(open, span, thread, buffer);
                }
                open.entries = open.entries.saturating_add(1);
                let at = Moment::now();
                if open.created == Moment::default() {
                    open.created = at;
                }
                open.inside.push(Entered {
                    thread: thread.id,
                    // A task's run time is the time it is polled: its own thread may be shared.
                    cpu: if open.is_task {
                        None
                    } else {
                        thread.cpu_time(at)
                    },
                    at,
                });
            });
        });
    }

    fn on_exit(&self, id: &Id, context: Context<'_, S>) {
        let end = Moment::now();
        with_open(context.span(id), |open, _| {
            store::with_thread(&self.store, |thread, buffer| {
                let Some(entered) = open.inside.pop(thread.id) else {
                    return;
                };
                let lasted = end - entered.at;
                let before = entered.cpu.filter(|_| lasted > TOO_SHORT_TO_WAIT);
                let busy = before.and_then(|before| {
                    let used = thread.cpu_time(end)?.saturating_sub(before);
                    Some(used.min(lasted))
                });
                let run = Run {
                    start: entered.at,
                    end,
                    busy: busy.unwrap_or(lasted),
                    thread: thread.id,
                };
                if open.is_shared {
                    self.keep_run(open, &run, buffer);
                } else {
                    open.runs.push(run);
                }
            });
        });
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let Some(span) = context.span(&id) else {
            return;
        };
        let open = span.extensions_mut().remove::<Box<Open>>();
        let Some(open) = open else { return };
        if let Some(lane) = open.live {
            self.store.live.leave(lane, open.about.name());
        }
        let root = (open.is_task && open.depth == 0).then_some(open.root);
        store::with_thread(&self.store, |thread, buffer| {
            let (entries, is_task) = (u64::from(open.entries), open.is_task);
            let kept = if is_task {
                Some(open.task_span(thread.id))
            } else {
                open.thread_span()
            };
            let Some(kept) = kept else { return };
            self.store.push(buffer, kept, |toll| {
                toll.spans += 1;
                *(if is_task {
                    &mut toll.polls
                } else {
                    &mut toll.entries
                }) += entries;
            });
        });
        if let Some(root) = root {
            self.store.tasks.close(root);
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
            self.store.with_buffer(|buffer| {
                buffer.toll.samples += 1;
                buffer.samples.push((name.into(), Moment::now(), depth));
            });
        }
    }
}

impl Timeline {
    /// Finds out, as it is entered for the first time, where a span belongs.
    ///
    /// Not when it is created: a future's span is created by whoever spawns it, inside of a span that is
    /// none around it when it is polled.
    fn begin<S>(&self, open: &mut Open, span: &SpanRef<'_, S>, thread: &mut Thread)
    where
        S: for<'a> LookupSpan<'a>,
    {
        if open.root != 0 {
            return;
        }
        (open.root, open.depth, open.is_task) =
            around(span, thread.id).unwrap_or_else(|| (thread.new_root(), 0, false));
        self.show(open, thread.id);
    }

    /// Finds out what a span is that is entered again.
    fn begin_again<S>(
        &self,
        open: &mut Open,
        span: &SpanRef<'_, S>,
        thread: &mut Thread,
        buffer: &Buffer,
    ) where
        S: for<'a> LookupSpan<'a>,
    {
        if open.is_shared || (open.is_task && open.inside.is_empty()) {
            return;
        }
        if open.inside.is_empty() {
            match around(span, thread.id) {
                Some((_, _, is_task)) => open.is_task = is_task,
                None if self.store.finds_tasks => {
                    if open.depth > 0 {
                        open.root = thread.new_root();
                    }
                    self.make_task(open, None);
                }
                None => {}
            }
            let moved = |first: &Run| first.thread != thread.id;
            if open.is_task || !open.runs.first.as_ref().is_some_and(moved) {
                return;
            }
        }
        // Nobody polls a future twice at once: threads share this span.
        if open.is_task && open.depth == 0 {
            self.store.tasks.forget(open.root);
        }
        (open.is_task, open.is_shared) = (false, true);
        let runs = mem::take(&mut open.runs);
        if let Some(first) = runs.first {
            // Neighbours of it are on its thread: another thread would have been noticed.
            let others = runs.others.iter().map(|&(start, end)| Run {
                start,
                end,
                busy: end - start,
                thread: first.thread,
            });
            let others: Vec<Run> = others.collect();
            self.keep_run(open, &first, buffer);
            others
                .iter()
                .for_each(|run| self.keep_run(open, run, buffer));
        }
    }

    /// Gives a span a lane of its own.
    fn make_task(&self, open: &mut Open, name: Option<String>) {
        open.is_task = true;
        open.depth = 0;
        let number = self.store.tasks.open(open.root, |number| {
            name.unwrap_or_else(|| match &open.label {
                Some(label) if !label.0.is_empty() => format!("{}{}", open.about.name(), label.0),
                _ => format!("{} {number}", open.about.name()),
            })
        });
        self.show(open, number);
    }

    /// Shows an open span in the live view, on the lane where it belongs now.
    fn show(&self, open: &mut Open, lane: LaneId) {
        if self.store.live.is_watched() {
            let name = open.about.name();
            if let Some(before) = open.live.take() {
                self.store.live.leave(before, name);
            }
            let lane = self.store.tasks.lane(open.root).unwrap_or(lane);
            let span = LiveSpan::begun(name, open.wait.as_ref());
            let lane_name = || self.store.name_of(lane);
            self.store.live.enter(lane, lane_name, span);
            open.live = Some(lane);
        }
    }

    /// Keeps one entry of a span that threads share.
    fn keep_run(&self, open: &Open, run: &Run, buffer: &Buffer) {
        let span = open.closed(run.start, run.end, run.busy, Vec::new());
        let kept = Kept {
            lane: run.thread,
            root: open.root,
            span,
        };
        self.store.push(buffer, kept, |toll| {
            toll.spans += 1;
            toll.entries += 1;
        });
    }
}

impl Open {
    fn task_span(&self, thread: LaneId) -> Kept {
        // Dropping a future enters its span once more; a run after the end is not one.
        let (start, end, busy) = (self.created, Moment::now(), self.runs.busy);
        Kept {
            lane: self.runs.first.as_ref().map_or(thread, |run| run.thread),
            root: self.root,
            span: self.closed(start, end, busy, self.runs.polls()),
        }
    }

    fn thread_span(&self) -> Option<Kept> {
        let first = self.runs.first.as_ref()?;
        let (start, busy) = (first.start, self.runs.busy);
        let (end, polls) = match self.runs.others.last() {
            Some(last) => (last.1, self.runs.polls()),
            None => (first.end, Vec::new()),
        };
        Some(Kept {
            lane: first.thread,
            root: self.root,
            span: self.closed(start, end, busy, polls),
        })
    }

    fn closed(
        &self,
        start: Moment,
        end: Moment,
        busy: Duration,
        polls: Vec<(Moment, Moment)>,
    ) -> Closed {
        let (about, depth) = (self.about, self.depth);
        let wait = match &self.wait {
            None => Some(None),
            Some(Cow::Borrowed(wait)) => Some(Some(*wait)),
            Some(Cow::Owned(_)) => None,
        };
        let plain = |wait| Closed::Plain {
            about,
            start,
            end,
            busy,
            wait,
            depth,
        };
        if let Some(wait) = wait.filter(|_| polls.is_empty() && self.job.is_none()) {
            return plain(wait);
        }
        Closed::Full(Box::new(Span {
            wait: self.wait.clone(),
            polls,
            job: self.job,
            ..plain(None).into_span()
        }))
    }
}

/// The root and the depth of a span that the thread enters, and whether it is a task's, by the nearest
/// recorded span around it that the thread is inside of.
fn around<S>(span: &SpanRef<'_, S>, thread: LaneId) -> Option<(u64, u16, bool)>
where
    S: for<'a> LookupSpan<'a>,
{
    let mut outer = span.parent();
    while let Some(parent) = outer {
        if let Some(open) = parent.extensions().get::<Box<Open>>() {
            let is_around = open.inside.has(thread);
            return is_around.then(|| (open.root, open.depth.saturating_add(1), open.is_task));
        }
        outer = parent.parent();
    }
    None
}

fn with_open<S>(span: Option<SpanRef<'_, S>>, f: impl FnOnce(&mut Open, &SpanRef<'_, S>))
where
    S: for<'a> LookupSpan<'a>,
{
    if let Some(span) = span
        && let Some(open) = span.extensions_mut().get_mut::<Box<Open>>()
    {
        f(open, &span);
    }
}
