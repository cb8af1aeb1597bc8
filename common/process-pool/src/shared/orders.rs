//! Orders: how many tasks a worker is given, and what becomes of them.

use super::{Hand, Part, Phase, Shared, Slot, State, lock};
use crate::{TaskError, batch, wire::Done};
use std::time::Duration;

/// What an order is to take: long beside the hand-over, short beside anybody's patience.
const ORDER_TIME: Duration = Duration::from_millis(4);

/// However little waits, an order of short tasks takes this part of that time: hand-over has a price.
const LEAST_PART: usize = 16;

/// The inputs of an order with several tasks.
const ORDER_BYTES: usize = 1 << 20;

/// An order has at most so many times the tasks of the one before it.
const GROWTH: usize = 16;

impl Slot {
    /// How many of `queued` tasks its worker is to have next, where `idle` of the pool's `workers` have
    /// nothing else to do, itself among them.
    pub(super) fn order_size(&self, queued: usize, workers: usize, idle: usize) -> usize {
        let Some(pace) = self.pace else {
            return 1;
        };
        let in_time = ORDER_TIME.as_nanos() / pace.as_nanos().max(1);
        let in_time = usize::try_from(in_time).unwrap_or(usize::MAX);
        // Half of it: the last orders are the smallest, so that the workers end together.
        let share = queued.div_ceil(2 * workers).max(in_time / LEAST_PART);
        // What one takes another cannot have: short tasks may turn out to be long.
        let fair = queued.div_ceil(idle.max(1));
        let grown = self.last_order.saturating_mul(GROWTH);
        in_time.min(share).min(fair).min(grown).max(1)
    }

    /// Its worker is gone; which of its tasks were cancelled.
    fn release(&mut self) -> Vec<u64> {
        self.tasks.clear();
        std::mem::take(&mut self.cancelled)
    }

    /// Takes note that its worker has given back what is behind the first `count` tasks.
    fn forget_after(&mut self, mut count: u64) {
        for tasks in &mut self.tasks {
            tasks.end = tasks.end.min(tasks.start + count);
            count -= tasks.end - tasks.start;
        }
        self.tasks.retain(|tasks| !tasks.is_empty());
    }

    /// Takes note that its first `count` tasks are over.
    fn advance(&mut self, mut count: u64) {
        while let Some(tasks) = self.tasks.front_mut() {
            let here = count.min(tasks.end - tasks.start);
            tasks.start += here;
            count -= here;
            if !tasks.is_empty() {
                return;
            }
            self.tasks.pop_front();
        }
    }
}

impl State {
    /// Takes up to `wanted` tasks off the queue; those that lost a worker before go by themselves.
    pub(super) fn deal(&mut self, wanted: usize) -> Hand {
        let mut hand = Hand::default();
        let (mut left, mut room) = (wanted, ORDER_BYTES);
        while left > 0 {
            let Some(entry) = self.queue.first_entry() else {
                break;
            };
            let lost_a_worker = entry.get().attempts > 0;
            let size = entry.get().bytes().len();
            if !hand.is_empty() && (lost_a_worker != hand.is_suspect() || room == 0) {
                break;
            }
            let mut part = entry.remove();
            self.queued -= part.len();
            if let Some(rest) = part.split_off(left.min(part.fitting(room))) {
                self.put(rest);
            }
            part.attempts += 1;
            left -= part.len();
            room = room.saturating_sub(size);
            hand.push(part);
        }
        hand
    }

    /// Queues what a worker gave back, and returns how many tasks that are; those that were cancelled,
    /// and all in a pool that has ended, go to `ended`.
    fn take_back(
        &mut self,
        returned: Hand,
        cancelled: &[u64],
        ended: &mut Vec<(Part, TaskError)>,
    ) -> usize {
        let end = match &self.phase {
            Phase::Open | Phase::Finishing => None,
            Phase::Stopping => Some(TaskError::Cancelled),
            Phase::Broken(reason) => Some(TaskError::PoolBroken {
                reason: reason.clone(),
            }),
        };
        let mut waiting = 0;
        for mut part in returned.into_pieces(!cancelled.is_empty()) {
            let error = if part.is_unwanted() || cancelled.contains(&part.first) {
                Some(TaskError::Cancelled)
            } else {
                end.clone()
            };
            if let Some(error) = error {
                self.count(&error, part.len());
                ended.push((part, error));
            } else {
                part.attempts -= 1;
                waiting += part.len();
                self.put(part);
            }
        }
        waiting
    }
}

/// Tells the cancelled tasks of a part, each alone, from those that are answered.
fn sort_out<'a>(
    part: Part,
    mut answers: &'a [u8],
    cancelled: &[u64],
    answered: &mut Vec<(Part, &'a [u8])>,
    dropped: &mut Vec<Part>,
) {
    let mut hand = Hand::default();
    hand.push(part);
    for single in hand.into_singles() {
        let start = answers;
        batch::take_record(&mut answers);
        if cancelled.contains(&single.first) {
            dropped.push(single);
        } else {
            answered.push((single, &start[..start.len() - answers.len()]));
        }
    }
}

/// How many of the answers are no values.
fn failures(answered: &[(Part, &[u8])]) -> u64 {
    let count = |mut answers: &[u8]| {
        let mut failures = 0;
        while let Some((is_value, _)) = batch::take_record(&mut answers) {
            failures += u64::from(!is_value);
        }
        failures
    };
    answered.iter().map(|(_, answers)| count(answers)).sum()
}

impl Shared {
    /// Settles the next tasks of `hand`, whose results a worker reported; whether it may have more.
    ///
    /// Returns `None` when the report does not fit the tasks.
    pub(in super::super) fn settle(
        &self,
        slot: usize,
        hand: &mut Hand,
        done: &Done,
        results: &[u8],
    ) -> Option<bool> {
        let count = done.tasks as usize;
        let finished = hand.finish(count, results)?;
        let mut state = lock(&self.state);
        let stopping = state.phase == Phase::Stopping;
        let own = &mut state.slots[slot];
        own.advance(count as u64);
        own.pace = Some(done.took / done.tasks.max(1));
        let keeps = done.keeps as usize;
        let returned = hand.split_off(keeps);
        own.forget_after(keeps as u64);
        let cancelled = own.cancelled.clone();
        if keeps == 0 {
            own.cancelled.clear();
        }
        let (mut answered, mut dropped) = (Vec::new(), Vec::new());
        for (part, answers) in finished {
            if stopping {
                dropped.push(part);
            } else if cancelled.iter().any(|task| part.tasks().contains(task)) {
                sort_out(part, answers, &cancelled, &mut answered, &mut dropped);
            } else {
                answered.push((part, answers));
            }
        }
        let gone: usize = dropped.iter().map(Part::len).sum();
        state.count(&TaskError::Cancelled, gone);
        // A failed task among the cancelled ones is rare enough to be counted one by one.
        let failed = if gone == 0 {
            u64::from(done.failed)
        } else {
            failures(&answered)
        };
        state.ledger.failed += failed;
        state.ledger.done += (count - gone) as u64 - failed;
        let mut ended: Vec<_> = dropped
            .into_iter()
            .map(|part| (part, TaskError::Cancelled))
            .collect();
        let waiting = state.take_back(returned, &cancelled, &mut ended);
        self.rouse(state, waiting);
        for (part, answers) in answered {
            part.answer(answers);
        }
        for (part, error) in ended {
            part.fail(&error);
        }
        Some(cancelled.is_empty() && !stopping)
    }

    /// Ends the tasks of `hand`, whose worker was killed, with `error`.
    pub(in super::super) fn end(&self, slot: usize, hand: Hand, error: &TaskError) {
        let mut state = lock(&self.state);
        let cancelled = state.slots[slot].release();
        let stopping = state.phase == Phase::Stopping;
        let mut ended = Vec::new();
        for part in hand.into_singles() {
            let error = if stopping || cancelled.contains(&part.first) {
                TaskError::Cancelled
            } else {
                error.clone()
            };
            state.count(&error, 1);
            ended.push((part, error));
        }
        drop(state);
        for (part, error) in ended {
            part.fail(&error);
        }
    }

    /// Queues the tasks of `hand` again, whose worker was lost; those that were cancelled, or have no
    /// attempt left, end. `error` is made of the number of attempts.
    ///
    /// Each of them may have begun, and is reported at once from now on: of a hand of such tasks only
    /// the first has.
    pub(in super::super) fn retry(
        &self,
        slot: usize,
        mut hand: Hand,
        error: impl Fn(u32) -> TaskError,
    ) {
        let mut state = lock(&self.state);
        let cancelled = state.slots[slot].release();
        let may_have_begun = if hand.is_suspect() { 1 } else { hand.len() };
        let rest = hand.split_off(may_have_begun);
        let goes_on = matches!(state.phase, Phase::Open | Phase::Finishing);
        let stopping = state.phase == Phase::Stopping;
        let (mut ended, mut returned) = (Vec::new(), 0);
        for (hand, has_begun) in [(hand, true), (rest, false)] {
            for mut part in hand.into_pieces(!cancelled.is_empty()) {
                // With a cancelled task beside them it was that one which ended the worker.
                let is_tried = has_begun && cancelled.is_empty();
                let is_cancelled = part.is_unwanted() || cancelled.contains(&part.first);
                let error = if stopping || is_cancelled {
                    TaskError::Cancelled
                } else if goes_on && (!is_tried || part.attempts <= self.settings.retries) {
                    if is_tried {
                        state.ledger.retried += part.len() as u64;
                    } else {
                        part.attempts -= 1;
                    }
                    returned += part.len();
                    state.put(part);
                    continue;
                } else {
                    error(part.attempts)
                };
                state.count(&error, part.len());
                ended.push((part, error));
            }
        }
        self.rouse(state, returned);
        for (part, error) in ended {
            part.fail(&error);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot(pace: Duration, last_order: usize) -> Slot {
        Slot {
            pace: Some(pace),
            last_order,
            ..Slot::default()
        }
    }

    #[test]
    fn a_worker_that_has_shown_nothing_gets_one_task() {
        assert_eq!(Slot::default().order_size(1_000_000, 2, 1), 1);
    }

    #[test]
    fn orders_take_some_milliseconds_and_grow_step_by_step() {
        let micro = Duration::from_micros(1);
        assert_eq!(slot(micro, 1).order_size(1_000_000, 2, 1), GROWTH);
        assert_eq!(slot(micro, 4000).order_size(1_000_000, 2, 1), 4000);
        let milli = Duration::from_millis(1);
        assert_eq!(slot(milli, 100).order_size(1_000_000, 2, 1), 4);
        assert_eq!(slot(5 * milli, 100).order_size(1_000_000, 2, 1), 1);
    }

    #[test]
    fn the_last_orders_are_small_and_leave_something_for_every_idle_worker() {
        let micro = Duration::from_micros(1);
        assert_eq!(slot(micro, 4000).order_size(4000, 2, 1), 1000);
        // Below this hand-over would cost as much as the tasks.
        assert_eq!(slot(micro, 4000).order_size(400, 2, 1), 4000 / LEAST_PART);
        assert_eq!(slot(micro, 4000).order_size(100, 2, 2), 50);
        assert_eq!(slot(micro, 4000).order_size(4, 2, 2), 2);
        assert_eq!(slot(micro, 4000).order_size(1, 2, 2), 1);
        assert_eq!(slot(Duration::ZERO, 9).order_size(0, 2, 0), 1);
    }
}
