//! From what threads noted to spans: on which lane each lies, how deep, and when it ran.

use crate::{
    LaneId, LaneKind, Moment, Span,
    fields::Fields,
    log::{Event, TOO_SHORT_TO_WAIT, What},
    settled::Settled,
    thin::{POLLS_KEPT, merge_polls},
};
use std::{borrow::Cow, collections::BTreeMap, mem, time::Duration};
use tracing::Metadata;

/// A span, the thread that it ran on, and the outermost span that it lies in.
#[derive(Clone)]
pub(super) struct Kept {
    thread: u64,
    root: u64,
    span: Span,
}

/// What is not complete yet, and what is. Events come in the order of time.
#[derive(Clone, Default)]
pub(super) struct Replay {
    finds_tasks: bool,
    /// What each thread is inside of, the innermost last.
    threads: BTreeMap<u64, Vec<Entered>>,
    open: BTreeMap<u64, Open>,
    /// Spans that no other is around get numbers.
    roots: u64,
    tasks: Tasks,
    /// Spans that are complete; they may turn out to be a task's.
    pub(super) done: Vec<Kept>,
}

/// A span that a thread is inside of.
#[derive(Clone)]
struct Entered {
    id: u64,
    at: Moment,
    cpu: Option<Duration>,
    place: Place,
}

/// Where a span lies.
#[derive(Clone, Copy, Default)]
struct Place {
    /// The outermost span that it lies in, or its own number: all of them share a lane. 0 until it is entered:
    /// a future's span is created inside of a span that is none around it when it is polled.
    root: u64,
    depth: u16,
    /// Whether its time is that of a task: from its creation on, and running while it is polled.
    is_task: bool,
}

#[derive(Clone)]
struct Open {
    about: &'static Metadata<'static>,
    created: Moment,
    fields: Box<Fields>,
    place: Place,
    /// The one that entered it first.
    thread: u64,
    /// Whether it was entered by several threads: each entry is a span then.
    is_shared: bool,
    /// Entries that have not ended.
    inside: u32,
    runs: Vec<(Moment, Moment)>,
    /// Of all runs.
    busy: Duration,
}

/// The tasks that have spans, or still may have, by the number of their outermost span.
///
/// Known here and not by each span: that a span is a task is seen when it is polled again, and by then
/// spans inside of it have closed.
#[derive(Clone, Default)]
struct Tasks {
    tasks: BTreeMap<u64, Task>,
    count: u64,
}

#[derive(Clone)]
struct Task {
    lane: LaneId,
    name: String,
    is_open: bool,
}

impl Replay {
    pub(super) fn new(finds_tasks: bool) -> Self {
        Self {
            finds_tasks,
            ..Self::default()
        }
    }

    /// Goes on by one event of a thread.
    pub(super) fn apply(&mut self, thread: u64, event: Event) {
        let Event { at, span: id, what } = event;
        match what {
            What::New(about, fields) => {
                // Its end went unnoticed, as where a thread was about to be gone.
                self.close(id, at);
                let mut open = Open::new(thread, at, about, fields.unwrap_or_default());
                if let Some(task) = &open.fields.task {
                    let name = format!("{} {task}", about.name());
                    open.place = self.tasks.open(next(&mut self.roots), |_| name);
                }
                self.open.insert(id, open);
            }
            What::Record(fields) => {
                if let Some(open) = self.open.get_mut(&id) {
                    open.fields.update(*fields);
                }
            }
            What::Enter(cpu) => self.enter(thread, id, at, cpu),
            What::Exit { cpu, closes } => {
                self.exit(thread, id, at, cpu);
                if closes {
                    self.close(id, at);
                }
            }
            What::Close => self.close(id, at),
        }
    }

    fn enter(&mut self, thread: u64, id: u64, at: Moment, cpu: Option<Duration>) {
        let Some(open) = self.open.get_mut(&id) else {
            return;
        };
        let stack = self.threads.entry(thread).or_default();
        let around = stack.last().map(|outer| outer.place.inside());
        if open.place.root == 0 {
            let outermost = || Place {
                root: next(&mut self.roots),
                ..Place::default()
            };
            (open.place, open.thread) = (around.unwrap_or_else(outermost), thread);
        } else if open.is_again() && !open.place.is_task {
            match around {
                Some(around) => open.place.is_task = around.is_task,
                None if self.finds_tasks => open.become_task(&mut self.roots, &mut self.tasks),
                None => {}
            }
        }
        // No future is polled twice at once: threads share this span.
        let is_moved = !open.place.is_task && open.thread != thread;
        if !open.is_shared && (open.inside > 0 || is_moved) {
            if let Some(root) = open.place.own_task() {
                self.tasks.tasks.remove(&root);
            }
            open.share(&mut self.done);
        }
        let place = match around {
            Some(around) if open.is_shared => around,
            _ => open.place,
        };
        open.inside += 1;
        stack.push(Entered { id, at, cpu, place });
    }

    fn exit(&mut self, thread: u64, id: u64, end: Moment, cpu: Option<Duration>) {
        let stack = self.threads.entry(thread).or_default();
        let Some(index) = stack.iter().rposition(|entered| entered.id == id) else {
            return;
        };
        let entered = stack.remove(index);
        let Some(open) = self.open.get_mut(&id) else {
            return;
        };
        open.inside -= 1;
        let (at, place) = (entered.at, entered.place);
        let lasted = end - at;
        // A task's run time is the time it is polled: its own thread may be shared.
        let is_measured = lasted > TOO_SHORT_TO_WAIT && !place.is_task;
        let clocks = cpu.zip(entered.cpu).filter(|_| is_measured);
        let busy = clocks.map_or(lasted, |(after, before)| after.saturating_sub(before));
        let busy = busy.min(lasted);
        if open.is_shared {
            self.done.push(open.kept(thread, place, (at, end), busy));
            return;
        }
        open.busy += busy;
        open.runs.push((at, end));
        if open.runs.len() > 2 * POLLS_KEPT {
            merge_polls(&mut open.runs);
        }
    }

    fn close(&mut self, id: u64, at: Moment) {
        let Some(open) = self.open.remove(&id) else {
            return;
        };
        let task = open.place.own_task();
        if let Some(task) = task.and_then(|root| self.tasks.tasks.get_mut(&root)) {
            task.is_open = false;
        }
        self.done.extend(open.whole(at));
    }

    /// All spans, as if those that are open ended `now`.
    pub(super) fn ended(&self, now: Moment) -> Self {
        let mut ended = self.clone();
        for (thread, stack) in &self.threads {
            for entered in stack.iter().rev() {
                let open = self.open.get(&entered.id);
                let waits = open.is_some_and(|open| open.fields.wait.is_some());
                // Who does not say what it waits for is taken to run.
                ended.exit(*thread, entered.id, now, entered.cpu.filter(|_| waits));
            }
        }
        for (id, open) in &self.open {
            // A span that was left and not closed is a future that waits for its next poll.
            let waits = open.inside == 0 && !open.is_shared && !open.runs.is_empty();
            if let Some(open) = ended.open.get_mut(id).filter(|_| waits) {
                open.place.is_task = true;
            }
            ended.close(*id, now);
        }
        ended
    }

    /// Puts spans that are complete on lanes; forgets tasks that are, and threads that are inside of nothing.
    pub(super) fn share_out(&mut self, settled: &mut Settled) {
        for kept in mem::take(&mut self.done) {
            match self.tasks.tasks.get(&kept.root) {
                Some(task) => settled.add((task.lane, Some(&task.name)), kept.span),
                None => {
                    let lane = LaneKind::Thread.lane(kept.thread);
                    settled.add((lane, None), kept.span);
                }
            }
        }
        self.tasks.tasks.retain(|_, task| task.is_open);
        self.threads.retain(|_, stack| !stack.is_empty());
    }
}

impl Open {
    fn new(
        thread: u64,
        created: Moment,
        about: &'static Metadata<'static>,
        fields: Box<Fields>,
    ) -> Self {
        Self {
            about,
            created,
            fields,
            place: Place::default(),
            thread,
            is_shared: false,
            inside: 0,
            runs: Vec::new(),
            busy: Duration::ZERO,
        }
    }

    /// Whether it was entered and left before.
    fn is_again(&self) -> bool {
        self.inside == 0 && !self.runs.is_empty()
    }

    /// It is polled again where nothing is around it.
    fn become_task(&mut self, roots: &mut u64, tasks: &mut Tasks) {
        if self.place.depth > 0 {
            self.place.root = next(roots);
        }
        self.place = tasks.open(self.place.root, |number| self.lane_name(number));
    }

    /// What its lane is called where it is a task: `request user 70`, or `request 3` where it has no fields.
    fn lane_name(&self, number: u64) -> String {
        let name = self.about.name();
        match &self.fields.label {
            Some(label) if !label.is_empty() => format!("{name}{label}"),
            _ => format!("{name} {number}"),
        }
    }

    /// From now on, each entry is a span; those before are too.
    fn share(&mut self, done: &mut Vec<Kept>) {
        (self.is_shared, self.place.is_task) = (true, false);
        let length = |run: &(Moment, Moment)| run.1 - run.0;
        let runs = mem::take(&mut self.runs);
        let open: Duration = runs.iter().map(length).sum();
        let density = self.busy.as_secs_f64() / open.as_secs_f64().max(f64::MIN_POSITIVE);
        let kept = runs.into_iter().map(|run| {
            let busy = length(&run).mul_f64(density.min(1.0));
            self.kept(self.thread, self.place, run, busy)
        });
        done.extend(kept);
    }

    /// A span that is not shared and was entered, or is a task; `end` is a task's.
    fn whole(self, end: Moment) -> Option<Kept> {
        let first = self.runs.first().map(|run| run.0);
        let last = self.runs.last().map(|run| run.1);
        let (start, end) = if self.place.is_task {
            (self.created, end)
        } else {
            (first?, last?)
        };
        let mut kept = self.kept(self.thread, self.place, (start, end), self.busy);
        if self.place.is_task || self.runs.len() > 1 {
            kept.span.polls = self.runs;
            merge_polls(&mut kept.span.polls);
        }
        Some(kept)
    }

    fn kept(&self, thread: u64, place: Place, run: (Moment, Moment), busy: Duration) -> Kept {
        Kept {
            thread,
            root: place.root,
            span: Span {
                wait: self.fields.wait.clone(),
                depth: place.depth,
                job: self.fields.job,
                file: (self.fields.file.clone()).or(self.about.file().map(Cow::Borrowed)),
                line: self.fields.line.or(self.about.line()),
                ..Span::watched(self.about.name(), run.0, run.1, busy)
            },
        }
    }
}

impl Place {
    /// The number of the task that this is the outermost span of.
    fn own_task(self) -> Option<u64> {
        (self.is_task && self.depth == 0).then_some(self.root)
    }

    /// Where a span lies that is entered inside of this one.
    fn inside(self) -> Self {
        Self {
            depth: self.depth.saturating_add(1),
            ..self
        }
    }
}

impl Tasks {
    /// Makes `root` a task; `name` is asked with its number.
    fn open(&mut self, root: u64, name: impl FnOnce(u64) -> String) -> Place {
        let number = self.count;
        self.count += 1;
        let task = Task {
            lane: LaneKind::Task.lane(number),
            name: name(number),
            is_open: true,
        };
        self.tasks.insert(root, task);
        Place {
            root,
            is_task: true,
            ..Place::default()
        }
    }
}

fn next(count: &mut u64) -> u64 {
    *count += 1;
    *count
}
