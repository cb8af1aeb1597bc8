//! A worker process as its supervisor has it.

use crate::{
    WorkerId, WorkerStartError,
    child::{Child, Incoming, Line, PACKET_BYTES, Seen},
    job::{Job, Output},
    wire::{MARK, Order, Report},
};
use std::{
    collections::VecDeque,
    io,
    sync::Arc,
    time::{Duration, Instant},
};

/// Tasks are sent ahead only where they are so short that all of them take about this.
const AHEAD_FOR: Duration = Duration::from_millis(2);
const AHEAD_MOST: usize = 15;
const LONGEST_REST: Duration = Duration::from_micros(200);
/// How long a worker that closed its link, or is to end, may take to end.
pub(crate) const END_LIMIT: Duration = Duration::from_secs(1);
/// At most so many reads are answered before the next task is sent.
const READS_A_TURN: usize = 64;

/// Why a worker is ending.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Ending {
    /// It closed its link, or it was killed for what it said.
    Lost,
    TimedOut,
    /// It cannot serve.
    Unfit(WorkerStartError),
    /// It is needed no more.
    Dismissed,
}

#[derive(Debug)]
pub(crate) struct Worker {
    pub(crate) id: WorkerId,
    pub(crate) child: Child,
    pub(crate) line: Line,
    incoming: Incoming,
    pub(crate) spawned: Instant,
    pub(crate) has_greeted: bool,
    /// Whether its answers count no more, or have come to their end.
    pub(crate) is_mute: bool,
    /// A message that did not fit, and how much of it was sent.
    partly_sent: Option<(Arc<Vec<u8>>, usize)>,
    /// When the first task that it has was begun.
    pub(crate) began: Instant,
    /// Since when what was sent ahead waits behind the first message that it has.
    pub(crate) waits_since: Instant,
    /// How long its tasks take.
    pub(crate) pace: Option<Duration>,
    /// How many tasks it was given.
    pub(crate) given: u64,
    /// Why it is ending, and when it is to be killed.
    pub(crate) ending: Option<(Ending, Instant)>,
}

/// What a worker has said.
#[derive(Debug)]
pub(crate) struct Heard {
    pub(crate) reports: Vec<(Report, Output)>,
    pub(crate) makes_sense: bool,
    pub(crate) is_at_end: bool,
}

impl Worker {
    pub(crate) fn new(slot: usize, child: Child, line: Line, spawned: Instant) -> Self {
        let pid = child.id();
        Self {
            id: WorkerId { pid, slot },
            child,
            line,
            // A test program prints something first.
            incoming: Incoming::behind(&MARK),
            spawned,
            has_greeted: false,
            is_mute: false,
            partly_sent: None,
            began: spawned,
            waits_since: spawned,
            pace: None,
            given: 0,
            ending: None,
        }
    }

    pub(crate) fn wants_room(&self) -> bool {
        self.partly_sent.is_some()
    }

    /// Whether another message may be sent ahead to this worker: all that it has is short.
    pub(crate) fn may_have_more(&self, sent: &VecDeque<Job>) -> bool {
        let is_small = |job: &Job| job.message.len() <= PACKET_BYTES;
        let waiting = sent.iter().map(Job::unanswered).sum();
        self.line.can_take_back()
            && sent.len() <= AHEAD_MOST
            && sent.iter().all(is_small)
            && self.pace.is_some_and(|pace| pace * waiting <= AHEAD_FOR)
    }

    /// So many tasks were done since the last ones.
    pub(crate) fn note_pace(&mut self, tasks: u32, now: Instant) {
        let took = (now - self.began) / tasks;
        let pace = self.pace.map_or(took, |pace| (pace * 3 + took) / 4);
        self.pace = Some(pace);
        self.began = now;
    }

    /// How long not to look for answers: a worker that wakes its parent for each task of a chunk of
    /// very short ones is several times slower.
    pub(crate) fn rest(&self, job: Option<&Job>) -> Option<Duration> {
        let (job, pace) = (job?, self.pace?);
        let is_short = job.unanswered() > 1 && pace < LONGEST_REST / 10;
        is_short.then(|| (pace * job.unanswered() / 2).min(LONGEST_REST))
    }

    /// Sends a message as a packet, or as much of it as there is room for; `false` where a packet
    /// has no room.
    pub(crate) fn send(&mut self, message: Arc<Vec<u8>>) -> bool {
        if message.len() <= PACKET_BYTES && self.line.can_take_back() {
            return self.line.send(&message) > 0;
        }
        // What fails here fails because the worker is gone, which is noticed elsewhere.
        let _ = self.line.send_whole(false);
        self.partly_sent = Some((message, 0));
        self.send_more();
        true
    }

    /// Sends more of a large message.
    pub(crate) fn send_more(&mut self) {
        while let Some((message, at)) = &mut self.partly_sent {
            match self.line.send(&message[*at..]) {
                0 => return,
                sent => *at += sent,
            }
            if *at == message.len() {
                let _ = self.line.send_whole(true);
                self.began = Instant::now();
                self.partly_sent = None;
            }
        }
    }

    /// Takes out of `sent` what it has not begun.
    pub(crate) fn take_back(&self, sent: &mut VecDeque<Job>, is_dead: bool) -> Vec<Job> {
        let is_large = sent.iter().any(|job| job.message.len() > PACKET_BYTES);
        // A large message is alone; while its worker lives, it cannot be had back.
        if !is_dead && (is_large || self.wants_room()) {
            return Vec::new();
        }
        let packets = self.line.take_back();
        if self.wants_room() || is_large && !packets.is_empty() {
            return sent.pop_back().into_iter().collect();
        }
        let orders = packets.iter().filter_map(|packet| packet.get(4..));
        let orders = orders.filter_map(|order| Some(Order::read(order)?.0));
        let jobs = orders.filter_map(|order| {
            let place = sent.iter().position(|job| job.order == order)?;
            sent.remove(place)
        });
        jobs.collect()
    }

    /// Reads what it has to say; all of it, if it has ended.
    pub(crate) fn hear(&mut self, seen: Seen) -> Heard {
        let mut heard = Heard {
            reports: Vec::new(),
            makes_sense: true,
            is_at_end: false,
        };
        if !seen.answers && !seen.end || self.is_mute {
            return heard;
        }
        let mut reads = 0;
        while heard.makes_sense && (seen.end || reads < READS_A_TURN) {
            reads += 1;
            let read = self.incoming.read(&self.line.answers);
            heard.makes_sense = heard.take_messages(&mut self.incoming).is_ok();
            match read {
                Ok(Some(true)) => {}
                Ok(Some(false)) => break,
                Ok(None) | Err(_) => {
                    heard.is_at_end = true;
                    break;
                }
            }
        }
        heard
    }

    /// Has it killed; what it had is settled once it is dead.
    pub(crate) fn kill(&mut self, ending: Ending, now: Instant) {
        self.child.start_killing();
        let earlier = self.ending.take().map(|(earlier, _)| earlier);
        self.ending = Some((earlier.unwrap_or(ending), now + END_LIMIT));
    }

    /// Lets it end by itself.
    pub(crate) fn dismiss(&mut self, now: Instant) {
        self.line.close();
        self.ending = Some((Ending::Dismissed, now + END_LIMIT));
    }

    /// It says no more: it is about to end.
    pub(crate) fn fall_silent(&mut self, now: Instant) {
        self.is_mute = true;
        self.line.silence();
        self.ending.get_or_insert((Ending::Lost, now + END_LIMIT));
    }
}

impl Heard {
    fn take_messages(&mut self, incoming: &mut Incoming) -> io::Result<()> {
        while let Some((message, from)) = incoming.next()? {
            let parsed = postcard::take_from_bytes(&message[from..]);
            let (report, rest): (Report, _) = parsed.map_err(|_| io::ErrorKind::InvalidData)?;
            let from = message.len() - rest.len();
            let failed = matches!(report, Report::Done { failed: true, .. }).into();
            // Neighbours go on together.
            if let Report::Done { id, note: None, .. } = report
                && let Some((Report::Done { id: last, .. }, output)) = self.reports.last_mut()
                && id == *last
            {
                output.message.extend_from_slice(rest);
                output.tasks += 1;
                output.failed += failed;
                continue;
            }
            let output = Output {
                message,
                from,
                tasks: 1,
                failed,
            };
            self.reports.push((report, output));
        }
        Ok(())
    }
}
