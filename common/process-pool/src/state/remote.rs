//! A worker process as the parent sees it.

use crate::{
    child::{
        Child,
        ends::{Ends, PACKET_BYTES, Watch},
    },
    job::Job,
    record,
    wire::Order,
};
use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

/// Tasks are sent ahead only where they are so short that all of them take about this.
const AHEAD_FOR: Duration = Duration::from_millis(2);
const AHEAD_MOST: usize = 15;
/// How long a worker that closed its link, or is to end, may take to end.
pub(super) const END_LIMIT: Duration = Duration::from_secs(1);

/// Why a worker is ending.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Ending {
    /// It closed its link, or it was killed for what it said.
    Lost,
    TimedOut,
    NotReady,
    NotUnderstood,
    /// It is needed no more.
    Dismissed,
}

#[derive(Debug)]
pub(crate) struct Worker {
    pub(crate) pid: u32,
    pub(crate) child: Child,
    pub(crate) watch: Arc<Watch>,
    /// Closed, the worker ends by itself.
    pub(crate) ends: Option<Arc<Ends>>,
    /// Whether its answers have come to their end.
    pub(crate) is_mute: bool,
    pub(crate) is_ready: bool,
    pub(super) spawned: Instant,
    /// What it has, in order; at most the first is begun.
    pub(super) sent: VecDeque<Job>,
    /// How much of a large message was sent; nothing if all of it was.
    pub(super) partly_sent: Option<usize>,
    pub(super) large_header: Vec<u8>,
    /// When the first of `sent` was begun.
    pub(super) began: Instant,
    /// How long its tasks take.
    pub(super) pace: Option<Duration>,
    pub(super) tasks_given: u64,
    pub(super) ending: Option<(Ending, Instant)>,
    pub(super) busy: Option<record::Busy>,
}

impl Worker {
    pub(crate) fn new(child: Child, ends: Ends, watch: Watch, spawned: Instant) -> Self {
        Self {
            pid: child.id(),
            child,
            watch: Arc::new(watch),
            ends: Some(Arc::new(ends)),
            is_mute: false,
            is_ready: false,
            spawned,
            sent: VecDeque::new(),
            partly_sent: None,
            large_header: Vec::new(),
            began: spawned,
            pace: None,
            tasks_given: 0,
            ending: None,
            busy: None,
        }
    }

    pub(crate) fn since_spawned(&self) -> Duration {
        self.spawned.elapsed()
    }

    pub(crate) fn wants_room(&self) -> bool {
        self.partly_sent.is_some()
    }

    pub(crate) fn is_ending(&self) -> bool {
        self.ending.is_some()
    }

    /// Whether a message with this job is sure to be a packet.
    pub(super) fn is_small(job: &Job) -> bool {
        job.input.len() <= PACKET_BYTES - 64
    }

    /// How many tasks may be sent ahead to this worker now.
    pub(super) fn ahead(&self) -> usize {
        let can = self.ends.as_ref().is_some_and(|ends| ends.can_take_back());
        let (true, Some(pace), true) = (can, self.pace, self.sent.iter().all(Self::is_small))
        else {
            return 0;
        };
        let many = AHEAD_FOR.as_nanos() / pace.as_nanos().max(1);
        usize::try_from(many).map_or(AHEAD_MOST, |many| many.min(AHEAD_MOST))
    }

    /// Sends a job; it comes back when there is no room for it.
    pub(super) fn send(&mut self, job: Job, record: bool, now: Instant) -> Option<Job> {
        let Some(ends) = self.ends.clone() else {
            return Some(job);
        };
        let order = Order {
            id: job.id,
            tasks: job.tasks,
            record,
        };
        // Three numbers and a flag always encode.
        let mut message = postcard::to_extend(&order, vec![0; 4]).unwrap_or_default();
        let size = message.len() - 4 + job.input.len();
        message[..4].copy_from_slice(&u32::try_from(size).unwrap_or(u32::MAX).to_le_bytes());
        let is_small = Self::is_small(&job);
        // What fails here fails because the worker is gone, which is noticed elsewhere.
        if is_small {
            message.extend_from_slice(&job.input);
            if matches!(ends.send(&message), Ok(0)) {
                return Some(job);
            }
        } else {
            let _ = ends.send_whole(false);
            self.large_header = message;
            self.partly_sent = Some(0);
        }
        if self.sent.is_empty() {
            self.began = now;
        }
        self.tasks_given += u64::from(job.tasks);
        self.sent.push_back(job);
        self.send_more();
        None
    }

    /// Sends more of a large message.
    pub(crate) fn send_more(&mut self) {
        let (Some(ends), Some(job)) = (&self.ends, self.sent.back()) else {
            return;
        };
        while let Some(at) = self.partly_sent {
            let header = self.large_header.get(at..).unwrap_or_default();
            let part = if header.is_empty() {
                &job.input[at - self.large_header.len()..]
            } else {
                header
            };
            if part.is_empty() {
                self.partly_sent = None;
                self.began = Instant::now();
                let _ = ends.send_whole(true);
                return;
            }
            match ends.send(part) {
                Ok(sent @ 1..) => self.partly_sent = Some(at + sent),
                // The worker is gone, or there is no room.
                Ok(0) | Err(_) => return,
            }
        }
    }

    /// Takes back what it has not begun.
    pub(super) fn take_back(&mut self, is_dead: bool) -> Vec<Job> {
        let all_small = self.sent.iter().all(Self::is_small);
        // A large message is alone; while its worker lives, it cannot be had back.
        if !is_dead && (!all_small || self.partly_sent.is_some()) {
            return Vec::new();
        }
        let packets = self.ends.as_ref().map(|ends| ends.take_back());
        let packets = packets.unwrap_or_default();
        if self.partly_sent.is_some() || (!all_small && !packets.is_empty()) {
            return self.sent.pop_back().into_iter().collect();
        }
        let orders = packets.iter().filter_map(|packet| packet.get(4..));
        let orders = orders.filter_map(|order| postcard::take_from_bytes::<Order>(order).ok());
        orders
            .filter_map(|(order, _)| {
                let place = self.sent.iter().position(|job| job.id == order.id)?;
                self.sent.remove(place)
            })
            .collect()
    }

    /// Has it killed; it is buried once it is dead.
    pub(crate) fn kill(&mut self, ending: Ending, now: Instant) {
        self.child.start_killing();
        let ending = self.ending.map_or(ending, |(earlier, _)| earlier);
        self.ending = Some((ending, now + END_LIMIT));
    }

    /// Lets it end by itself.
    pub(super) fn dismiss(&mut self, now: Instant) {
        self.ends = None;
        self.ending = Some((Ending::Dismissed, now + END_LIMIT));
    }

    /// It says no more: it is about to end.
    pub(crate) fn fall_silent(&mut self, now: Instant) {
        self.is_mute = true;
        self.ending.get_or_insert((Ending::Lost, now + END_LIMIT));
    }
}
