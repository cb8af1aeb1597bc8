//! From what threads noted to spans: on which lane each lies, how deep, and when it ran.

use crate::{
    LaneId, LaneKind, Moment, Span,
    fields::Fields,
    gathered::Gathered,
    log::{Event, Log, TOO_SHORT_TO_WAIT, What},
    thin::{POLLS_KEPT, merge_polls},
};
use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    mem,
    sync::MutexGuard,
    time::Duration,
};
use tracing::Metadata;

/// A span that is complete, the thread that it ran on, and the outermost span that it lies in.
type Done = (u64, u64, Span);

/// What is not complete yet, and what is.
#[derive(Clone, Default)]
pub(super) struct Replay {
    finds_tasks: bool,
    /// What each thread is inside of, the innermost last.
    threads: BTreeMap<u64, Vec<Entered>>,
    open: BTreeMap<u64, Open>,
    tasks: Tasks,
    /// Spans that are complete; they may turn out to be a task's.
    pub(super) done: Vec<Done>,
    /// What other processes do at this moment, on lanes of these names.
    pub(super) busy: BTreeMap<LaneId, (String, Span)>,
    pub(super) gathered: Gathered,
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
    lanes: BTreeMap<u64, (LaneId, String)>,
    /// How many there were.
    count: u64,
    /// Spans that no other is around get numbers.
    roots: u64,
}

impl Replay {
    pub(super) fn new(finds_tasks: bool) -> Self {
        Self {
            finds_tasks,
            ..Self::default()
        }
    }

    /// Goes on by all that these logs hold, in the order of time.
    pub(super) fn replay(&mut self, mut logs: Vec<MutexGuard<'_, Log>>) {
        let mut events = Vec::new();
        for log in &mut logs {
            let (thread, noted) = (log.thread, mem::take(&mut log.events));
            let name = log.name.as_deref().unwrap_or_default();
            self.gathered.lane(LaneKind::Thread.lane(thread), name);
            events.extend(noted.into_iter().map(|event| (thread, event)));
        }
        drop(logs);
        // Stable: what a thread noted stays in order.
        events.sort_by_key(|(_, event)| event.at);
        self.gathered.toll.events += events.len() as u64;
        let before = self.done.len();
        for (thread, event) in events {
            self.apply(thread, event);
        }
        self.gathered.toll.spans += (self.done.len() - before) as u64;
    }

    fn apply(&mut self, thread: u64, Event { at, span: id, what }: Event) {
        let lane = LaneKind::Thread.lane(thread);
        match what {
            What::New(about, fields) => self.create(thread, (id, at), about, fields),
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
            What::HandOver(what) => self.gathered.hand_over(lane, what, at, id),
            What::Sample(sample) => self.gathered.sample(sample.0.into(), at, sample.1),
        }
    }

    fn create(
        &mut self,
        thread: u64,
        (id, created): (u64, Moment),
        about: &'static Metadata<'static>,
        fields: Option<Box<Fields>>,
    ) {
        // Its end went unnoticed, as where a thread was about to be gone.
        self.close(id, created);
        let mut open = Open {
            about,
            created,
            fields: fields.unwrap_or_default(),
            place: Place::default(),
            thread,
            is_shared: false,
            inside: 0,
            runs: Vec::new(),
            busy: Duration::ZERO,
        };
        if open.fields.task.is_some() {
            self.tasks.open(&mut open);
        }
        self.open.insert(id, open);
    }

    fn enter(&mut self, thread: u64, id: u64, at: Moment, cpu: Option<Duration>) {
        let Some(open) = self.open.get_mut(&id) else {
            return;
        };
        let stack = self.threads.entry(thread).or_default();
        let around = stack.last().map(|outer| outer.place.inside());
        if open.place.root == 0 {
            let outermost = || Place {
                root: self.tasks.new_root(),
                ..Place::default()
            };
            (open.place, open.thread) = (around.unwrap_or_else(outermost), thread);
        } else if open.is_again() && !open.place.is_task {
            match around {
                Some(around) => open.place.is_task = around.is_task,
                // It is polled again where nothing is around it.
                None if self.finds_tasks => self.tasks.open(open),
                None => {}
            }
        }
        // No future is polled twice at once: threads share this span.
        let is_moved = !open.place.is_task && open.thread != thread;
        if !open.is_shared && (open.inside > 0 || is_moved) {
            if open.place.depth == 0 {
                self.tasks.lanes.remove(&open.place.root);
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
            self.done.push(open.done(thread, place, (at, end), busy));
            return;
        }
        open.busy += busy;
        open.runs.push((at, end));
        if open.runs.len() > 2 * POLLS_KEPT {
            merge_polls(&mut open.runs);
        }
    }

    fn close(&mut self, id: u64, at: Moment) {
        let open = self.open.remove(&id);
        self.done.extend(open.and_then(|open| open.whole(at)));
    }

    /// Goes on as if all that is open ended `now`.
    pub(super) fn end(&mut self, now: Moment) {
        for open in self.open.values_mut() {
            // A span that was left and not closed is a future that waits for its next poll.
            open.place.is_task |= open.is_again() && !open.is_shared;
        }
        for (thread, stack) in self.threads.clone() {
            for entered in stack.into_iter().rev() {
                let open = self.open.get(&entered.id);
                let waits = open.is_some_and(|open| open.fields.wait.is_some());
                // Who does not say what it waits for is taken to run.
                self.exit(thread, entered.id, now, entered.cpu.filter(|_| waits));
            }
        }
        let open = mem::take(&mut self.open).into_values();
        self.done.extend(open.filter_map(|open| open.whole(now)));
        for (lane, (name, mut span)) in mem::take(&mut self.busy) {
            (span.end, span.busy) = (now, now - span.start);
            self.gathered.lane(lane, &name).spans.push(span);
        }
        self.share_out();
    }

    /// Puts spans that are complete on lanes; forgets tasks that are, and threads that are inside of nothing.
    pub(super) fn share_out(&mut self) {
        for (thread, root, span) in mem::take(&mut self.done) {
            let lane = match self.tasks.lanes.get(&root) {
                Some((lane, name)) => self.gathered.lane(*lane, name),
                None => self.gathered.lane(LaneKind::Thread.lane(thread), ""),
            };
            lane.spans.push(span);
        }
        let open: BTreeSet<u64> = self.open.values().map(|open| open.place.root).collect();
        self.tasks.lanes.retain(|root, _| open.contains(root));
        self.threads.retain(|_, stack| !stack.is_empty());
    }
}

impl Open {
    /// Whether it was entered and left before.
    fn is_again(&self) -> bool {
        self.inside == 0 && !self.runs.is_empty()
    }

    /// From now on, each entry is a span; those before are too.
    fn share(&mut self, done: &mut Vec<Done>) {
        (self.is_shared, self.place.is_task) = (true, false);
        let length = |run: &(Moment, Moment)| run.1 - run.0;
        let runs = mem::take(&mut self.runs);
        let open: Duration = runs.iter().map(length).sum();
        let density = self.busy.as_secs_f64() / open.as_secs_f64().max(f64::MIN_POSITIVE);
        done.extend(runs.into_iter().map(|run| {
            let busy = length(&run).mul_f64(density.min(1.0));
            self.done(self.thread, self.place, run, busy)
        }));
    }

    /// A span that is not shared and was entered, or is a task; `end` is a task's.
    fn whole(self, end: Moment) -> Option<Done> {
        let run = match self.place.is_task {
            true => (self.created, end),
            false => (self.runs.first()?.0, self.runs.last()?.1),
        };
        let mut done = self.done(self.thread, self.place, run, self.busy);
        if self.place.is_task || self.runs.len() > 1 {
            done.2.polls = self.runs;
            merge_polls(&mut done.2.polls);
        }
        Some(done)
    }

    fn done(&self, thread: u64, place: Place, run: (Moment, Moment), busy: Duration) -> Done {
        let span = Span {
            wait: self.fields.wait.clone(),
            depth: place.depth,
            job: self.fields.job,
            file: (self.fields.file.clone()).or(self.about.file().map(Cow::Borrowed)),
            line: self.fields.line.or(self.about.line()),
            ..Span::watched(self.about.name(), run.0, run.1, busy)
        };
        (thread, place.root, span)
    }
}

impl Place {
    /// Where a span lies that is entered inside of this one.
    fn inside(self) -> Self {
        Self {
            depth: self.depth.saturating_add(1),
            ..self
        }
    }
}

impl Tasks {
    fn new_root(&mut self) -> u64 {
        self.roots += 1;
        self.roots
    }

    /// Makes a span a task: `fetch 7` by its field `task`, `request user 70` by its others, or `request 3`.
    fn open(&mut self, open: &mut Open) {
        let is_outermost = open.place.root > 0 && open.place.depth == 0;
        let root = match is_outermost {
            true => open.place.root,
            false => self.new_root(),
        };
        let name = open.about.name();
        let name = match (&open.fields.task, &open.fields.label) {
            (Some(task), _) => format!("{name} {task}"),
            (_, Some(label)) if !label.is_empty() => format!("{name}{label}"),
            _ => format!("{name} {}", self.count),
        };
        let lane = LaneKind::Task.lane(self.count);
        self.count += 1;
        self.lanes.insert(root, (lane, name));
        (open.place.root, open.place.depth, open.place.is_task) = (root, 0, true);
    }
}
