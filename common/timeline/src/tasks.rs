//! Which spans are tasks, each with a lane of its own.

use crate::{LaneId, LaneKind, store::lock};
use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

/// The lane of a task.
#[derive(Clone, Debug)]
struct Task {
    number: u64,
    name: String,
    is_open: bool,
}

/// The tasks that have spans, or still may have, by the number of their outermost span.
///
/// Known here and not by each span: that a span is a task is seen when it is polled again, and by then
/// spans inside of it have closed.
#[derive(Default)]
pub(super) struct Tasks {
    tasks: Mutex<BTreeMap<u64, Task>>,
    count: AtomicU64,
}

impl Tasks {
    /// Makes `root` a task and returns its lane; `name` is asked with the task's number.
    pub(super) fn open(&self, root: u64, name: impl FnOnce(u64) -> String) -> LaneId {
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        let task = Task {
            number,
            name: name(number),
            is_open: true,
        };
        lock(&self.tasks).insert(root, task);
        lane(number)
    }

    /// Notes that its spans are complete.
    pub(super) fn close(&self, root: u64) {
        if let Some(task) = lock(&self.tasks).get_mut(&root) {
            task.is_open = false;
        }
    }

    /// Notes that `root` is no task after all.
    pub(super) fn forget(&self, root: u64) {
        lock(&self.tasks).remove(&root);
    }

    /// The lane of the task with this outermost span, if it is one.
    pub(super) fn lane(&self, root: u64) -> Option<LaneId> {
        let number = lock(&self.tasks).get(&root)?.number;
        Some(lane(number))
    }

    /// Runs `f` with the lane of each task and its name, while no task changes; forgets those whose spans
    /// are complete then.
    pub(super) fn settle(&self, f: impl for<'a> FnOnce(&dyn Fn(u64) -> Option<(LaneId, &'a str)>)) {
        let mut tasks = lock(&self.tasks);
        f(&|root| {
            tasks
                .get(&root)
                .map(|task| (lane(task.number), task.name.as_str()))
        });
        tasks.retain(|_, task| task.is_open);
    }
}

fn lane(number: u64) -> LaneId {
    LaneId {
        kind: LaneKind::Task,
        number,
    }
}
