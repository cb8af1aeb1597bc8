//! Tasks that travel together: inputs encoded one behind the other, and results likewise.
//!
//! What generic code of other crates does per task is marked `#[inline]`: it is a call otherwise.
//!
//! A record is four bytes of length, little-endian, and so many bytes. The highest bit of the length
//! marks a result that is no value but a [`Failure`].

use super::{Payload, TaskError, reply::Reply, wire::Failure};
use postcard::ser_flavors::Flavor;
use serde::Serialize;
use std::{collections::VecDeque, ops::Range, sync::Arc};

const HEAD_BYTES: usize = 4;
const FAILED: u32 = 1 << 31;

/// The most that a value may take: with others beside it, a message still carries it.
const LIMIT_BYTES: usize = (1 << 30) - (1 << 22);

/// Tasks that came one by one wait together, so many and so large at most.
const MOST_JOINED: usize = 1024;
const MOST_JOINED_BYTES: usize = 64 * 1024;

/// Records one behind the other.
#[derive(Debug, Default)]
pub(super) struct Records {
    bytes: Vec<u8>,
    /// Where each record ends.
    ends: Vec<usize>,
}

/// Encodes to the end of a vector.
struct Append<'a>(&'a mut Vec<u8>);

impl Flavor for Append<'_> {
    type Output = ();

    #[inline]
    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        self.0.push(byte);
        Ok(())
    }

    #[inline]
    fn try_extend(&mut self, bytes: &[u8]) -> postcard::Result<()> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }

    fn finalize(self) -> postcard::Result<()> {
        Ok(())
    }
}

/// Appends a record of `value`; on failure nothing is appended, and the reason is returned.
pub(super) fn append(bytes: &mut Vec<u8>, value: &impl Serialize) -> Result<(), String> {
    append_marked(bytes, value, 0)
}

/// As [`append`], marked as a failure.
pub(super) fn append_failure(bytes: &mut Vec<u8>, failure: &Failure) -> Result<(), String> {
    append_marked(bytes, failure, FAILED)
}

fn append_marked(bytes: &mut Vec<u8>, value: &impl Serialize, mark: u32) -> Result<(), String> {
    let start = bytes.len();
    bytes.extend_from_slice(&[0; HEAD_BYTES]);
    let encoded = postcard::serialize_with_flavor(value, Append(bytes));
    let size = bytes.len() - start - HEAD_BYTES;
    let sized = encoded.map_err(|error| error.to_string()).and_then(|()| {
        let length = u32::try_from(size).ok().filter(|_| size <= LIMIT_BYTES);
        length.ok_or_else(|| format!("{size} bytes are past the limit of {LIMIT_BYTES}"))
    });
    match sized {
        Ok(length) => {
            bytes[start..start + HEAD_BYTES].copy_from_slice(&(length | mark).to_le_bytes());
            Ok(())
        }
        Err(reason) => {
            bytes.truncate(start);
            Err(reason)
        }
    }
}

/// Takes the first record off `bytes`: whether it is a value, and what it holds.
#[inline]
pub(super) fn take_record<'a>(bytes: &mut &'a [u8]) -> Option<(bool, &'a [u8])> {
    let (head, rest) = bytes.split_first_chunk::<HEAD_BYTES>()?;
    let head = u32::from_le_bytes(*head);
    let length = (head & !FAILED) as usize;
    let record = rest.get(..length)?;
    *bytes = &rest[length..];
    Some((head & FAILED == 0, record))
}

/// Takes the first `count` records off `bytes`, together; `None` when there are not so many.
fn take_records<'a>(bytes: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let start = *bytes;
    for _ in 0..count {
        take_record(bytes)?;
    }
    Some(&start[..start.len() - bytes.len()])
}

/// The failure that a record holds which is no value.
pub(super) fn failure(record: &[u8]) -> TaskError {
    match postcard::from_bytes::<Failure>(record) {
        Ok(failure) => failure.into(),
        Err(error) => TaskError::Decode {
            payload: Payload::Output,
            reason: error.to_string(),
        },
    }
}

impl Records {
    /// Appends an input; on failure nothing is appended.
    pub(super) fn push(&mut self, input: &impl Serialize) -> Result<(), TaskError> {
        append(&mut self.bytes, input).map_err(|reason| TaskError::Encode {
            payload: Payload::Input,
            reason,
        })?;
        self.ends.push(self.bytes.len());
        Ok(())
    }

    /// Appends those of `other`.
    fn append(&mut self, other: &Self) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&other.bytes);
        self.ends.extend(other.ends.iter().map(|end| start + end));
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn size_bytes(&self) -> usize {
        self.bytes.len()
    }

    fn start_of(&self, index: usize) -> usize {
        index.checked_sub(1).map_or(0, |before| self.ends[before])
    }
}

/// Tasks with consecutive numbers that have no outcome yet.
#[derive(Debug)]
pub(super) struct Part {
    /// The number of the first.
    pub(super) first: u64,
    inputs: Arc<Records>,
    range: Range<usize>,
    /// How often they were handed to a worker.
    pub(super) attempts: u32,
    reply: Reply,
}

impl Part {
    pub(super) fn new(first: u64, inputs: Records, reply: Reply) -> Self {
        Self {
            first,
            range: 0..inputs.len(),
            inputs: Arc::new(inputs),
            attempts: 0,
            reply,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.range.len()
    }

    /// Whether they were handed out before, to a worker that was lost.
    pub(super) fn is_suspect(&self) -> bool {
        self.attempts > 1
    }

    /// Whether nobody wants them done any more.
    pub(super) fn is_unwanted(&self) -> bool {
        self.reply.is_unwanted()
    }

    /// The numbers of its tasks.
    pub(super) fn tasks(&self) -> Range<u64> {
        self.first..self.first + self.len() as u64
    }

    /// Their inputs as records.
    pub(super) fn bytes(&self) -> &[u8] {
        let from = self.inputs.start_of(self.range.start);
        &self.inputs.bytes[from..self.inputs.start_of(self.range.end)]
    }

    /// How many of its tasks, one at least, fit into `limit` bytes.
    pub(super) fn fitting(&self, limit: usize) -> usize {
        let from = self.inputs.start_of(self.range.start);
        let ends = &self.inputs.ends[self.range.clone()];
        ends.partition_point(|end| end - from <= limit).max(1)
    }

    /// Takes in `next`, whose tasks follow, or returns it when they do not fit together.
    pub(super) fn join(&mut self, next: Self) -> Option<Self> {
        let fits = self.len() + next.len() <= MOST_JOINED
            && self.tasks().end == next.first
            && (self.attempts, next.attempts, next.range.start) == (0, 0, 0)
            && self.inputs.size_bytes() + next.bytes().len() <= MOST_JOINED_BYTES;
        // Inputs that are shared are also another part's, which these tasks do not follow.
        let own = match Arc::get_mut(&mut self.inputs) {
            Some(own) if fits && own.len() == self.range.end => own,
            _ => return Some(next),
        };
        match (&mut self.reply, next.reply) {
            (Reply::Handles(handles), Reply::Handles(more)) => {
                own.append(&next.inputs);
                handles.extend(more);
                self.range.end = own.len();
                None
            }
            (_, reply) => Some(Self { reply, ..next }),
        }
    }

    /// Keeps the first `count` tasks and returns the others, if there are any.
    pub(super) fn split_off(&mut self, count: usize) -> Option<Self> {
        if count >= self.len() {
            return None;
        }
        let middle = self.range.start + count;
        let rest = Self {
            first: self.first + count as u64,
            inputs: Arc::clone(&self.inputs),
            range: middle..self.range.end,
            attempts: self.attempts,
            reply: self.reply.split_off(count),
        };
        self.range.end = middle;
        Some(rest)
    }

    /// Answers all of its tasks with `error`.
    pub(super) fn fail(self, error: &TaskError) {
        self.reply.fail(self.range.len(), error);
    }

    /// Answers its tasks with the records in `results`, as many as it has tasks.
    pub(super) fn answer(self, results: &[u8]) {
        self.reply.send(self.range.len(), results);
    }
}

/// The tasks that a worker has, in order.
#[derive(Debug, Default)]
pub(super) struct Hand(VecDeque<Part>);

impl Hand {
    pub(super) fn push(&mut self, part: Part) {
        self.0.push_back(part);
    }

    pub(super) fn len(&self) -> usize {
        self.0.iter().map(Part::len).sum()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn parts(&self) -> impl Iterator<Item = &Part> {
        self.0.iter()
    }

    /// Its parts, each task by itself if asked for.
    pub(super) fn into_pieces(self, singly: bool) -> Vec<Part> {
        if singly {
            self.into_singles().collect()
        } else {
            self.0.into()
        }
    }

    /// Whether its tasks lost a worker before, each of them perhaps through its own doing.
    pub(super) fn is_suspect(&self) -> bool {
        self.parts().all(Part::is_suspect)
    }

    /// Every task as a part of its own.
    pub(super) fn into_singles(self) -> impl Iterator<Item = Part> {
        self.0.into_iter().flat_map(|part| {
            let mut left = Some(part);
            std::iter::from_fn(move || {
                let mut single = left.take()?;
                left = single.split_off(1);
                Some(single)
            })
        })
    }

    /// Keeps the first `count` tasks and returns the others.
    pub(super) fn split_off(&mut self, mut count: usize) -> Self {
        let mut kept = VecDeque::new();
        while count > 0 {
            let Some(mut part) = self.0.pop_front() else {
                break;
            };
            if let Some(rest) = part.split_off(count) {
                self.0.push_front(rest);
            }
            count -= part.len();
            kept.push_back(part);
        }
        Self(std::mem::replace(&mut self.0, kept))
    }

    /// Takes the first `count` tasks, each part with the records that answer it; `None`, and nothing is
    /// taken, when there are not so many tasks or not just so many records.
    pub(super) fn finish<'a>(
        &mut self,
        mut count: usize,
        mut results: &'a [u8],
    ) -> Option<Vec<(Part, &'a [u8])>> {
        let mut answers = Vec::new();
        let mut left = count;
        for part in self.parts() {
            let here = left.min(part.len());
            if here == 0 {
                break;
            }
            answers.push(take_records(&mut results, here)?);
            left -= here;
        }
        if left > 0 || !results.is_empty() {
            return None;
        }
        let mut finished = Vec::with_capacity(answers.len());
        for answers in answers {
            let mut part = self.0.pop_front()?;
            if let Some(rest) = part.split_off(count) {
                self.0.push_front(rest);
            }
            count -= part.len();
            finished.push((part, answers));
        }
        Some(finished)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reply::{Address, Outcome};

    fn records(inputs: &[&str]) -> Records {
        let mut records = Records::default();
        for input in inputs {
            records.push(input).expect("text can be encoded");
        }
        records
    }

    fn part(inputs: &[&str]) -> Part {
        let (tx, _) = crossbeam::channel::unbounded();
        Part::new(7, records(inputs), Reply::Iterator(Address::new(tx), 0))
    }

    fn texts(mut bytes: &[u8]) -> Vec<String> {
        let mut texts = Vec::new();
        while let Some((is_value, record)) = take_record(&mut bytes) {
            assert!(is_value);
            texts.push(postcard::from_bytes(record).expect("text"));
        }
        texts
    }

    #[test]
    fn a_part_splits_into_parts_with_their_own_inputs_and_numbers() {
        let mut part = part(&["a", "bb", "", "dddd"]);
        assert!(part.split_off(4).is_none());
        let rest = part.split_off(1).expect("three");
        assert_eq!((part.tasks(), rest.tasks()), (7..8, 8..11));
        assert_eq!(texts(part.bytes()), ["a"]);
        assert_eq!(texts(rest.bytes()), ["bb", "", "dddd"]);
    }

    #[test]
    fn what_fits_is_never_less_than_one() {
        let part = part(&["a", "bb", "", "dddd"]);
        let of_two = part.inputs.ends[1];
        assert_eq!(part.fitting(of_two), 2);
        assert_eq!(part.fitting(of_two - 1), 1);
        assert_eq!(part.fitting(0), 1);
        assert_eq!(part.fitting(usize::MAX), 4);
    }

    #[test]
    fn a_value_that_cannot_be_encoded_leaves_no_trace() {
        struct Never;
        impl Serialize for Never {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut half = serializer.serialize_seq(Some(2))?;
                serde::ser::SerializeSeq::serialize_element(&mut half, "half")?;
                Err(serde::ser::Error::custom("never"))
            }
        }
        let mut records = records(&["a"]);
        assert!(records.push(&Never).is_err());
        records.push(&"b").expect("text can be encoded");
        assert_eq!(records.len(), 2);
        assert_eq!(texts(&records.bytes), ["a", "b"]);
    }

    #[test]
    fn results_are_dealt_to_the_parts_that_they_answer() {
        let mut hand = Hand::default();
        hand.push(part(&["a", "b"]));
        hand.push(part(&["c", "d", "e"]));
        let results = records(&["A", "B", "C"]);
        let finished = hand.finish(3, &results.bytes).expect("three records");
        let dealt: Vec<_> = finished
            .iter()
            .map(|(part, answers)| (part.len(), texts(answers)))
            .collect();
        let two = vec!["A".to_owned(), "B".to_owned()];
        assert_eq!(dealt, [(2, two), (1, vec!["C".to_owned()])]);
        assert_eq!(hand.len(), 2);
        let three = records(&["D", "E", "F"]).bytes;
        let cut_short = &three[..three.len() - 1];
        for (count, misfit) in [
            (2, &records(&["D"]).bytes[..]),
            (2, &three),
            (3, &three),
            (3, cut_short),
        ] {
            assert!(hand.finish(count, misfit).is_none(), "{count}");
            assert_eq!(hand.len(), 2, "a misfit takes nothing");
        }
    }

    #[test]
    fn a_hand_comes_apart_into_single_tasks() {
        let mut hand = Hand::default();
        hand.push(part(&["a", "b", "c"]));
        let tasks: Vec<_> = hand.into_singles().map(|single| single.tasks()).collect();
        assert_eq!(tasks, [7..8, 8..9, 9..10]);
    }

    #[test]
    fn bytes_that_end_too_early_are_no_record() {
        let records = records(&["abc"]);
        for end in 0..records.bytes.len() {
            assert_eq!(take_record(&mut &records.bytes[..end]), None, "{end}");
        }
    }

    fn single(first: u64, input: &str) -> (Part, oneshot::Receiver<Outcome>) {
        let (tx, rx) = oneshot::channel();
        (Part::new(first, records(&[input]), Reply::handle(tx)), rx)
    }

    #[test]
    fn single_tasks_that_follow_each_other_wait_together_and_are_answered_apart() {
        let (mut joined, first) = single(7, "a");
        let (second, second_answer) = single(8, "bb");
        let (third, third_answer) = single(9, "c");
        assert!(joined.join(second).is_none());
        assert!(joined.join(third).is_none());
        assert_eq!(joined.tasks(), 7..10);
        assert_eq!(texts(joined.bytes()), ["a", "bb", "c"]);
        let rest = joined.split_off(1).expect("two");
        joined.fail(&TaskError::Cancelled);
        rest.answer(&records(&["B", "C"]).bytes);
        let text = |answer: oneshot::Receiver<Outcome>| {
            let record = answer.recv().expect("an answer")?;
            Ok(postcard::from_bytes::<String>(&record).expect("text"))
        };
        assert_eq!(text(first), Err(TaskError::Cancelled));
        assert_eq!(text(second_answer), Ok("B".into()));
        assert_eq!(text(third_answer), Ok("C".into()));
    }

    #[test]
    fn what_does_not_follow_or_was_tried_or_goes_elsewhere_waits_apart() {
        let (mut waiting, _answer) = single(7, "a");
        let (later, _later) = single(9, "c");
        assert!(waiting.join(later).is_some());
        let (mut tried, _tried) = single(8, "b");
        tried.attempts = 1;
        assert!(waiting.join(tried).is_some());
        let (tx, _rx) = crossbeam::channel::unbounded();
        let lot = Part::new(8, records(&["b"]), Reply::Iterator(Address::new(tx), 0));
        let lot = waiting.join(lot).expect("it has another address");
        assert_eq!((lot.tasks(), texts(lot.bytes())), (8..9, vec!["b".into()]));
        assert_eq!(
            (waiting.tasks(), texts(waiting.bytes())),
            (7..8, vec!["a".into()])
        );
        let large = "x".repeat(MOST_JOINED_BYTES);
        let (large, _large) = single(8, &large);
        assert!(waiting.join(large).is_some());
    }

    #[test]
    fn a_part_of_which_some_is_dealt_takes_none_in_until_that_is_over() {
        let (mut dealt, _first) = single(7, "a");
        let (second, _second) = single(8, "b");
        assert!(dealt.join(second).is_none());
        let mut waiting = dealt.split_off(1).expect("one");
        let (third, _third) = single(9, "c");
        let third = waiting.join(third).expect("the inputs are shared");
        drop(dealt);
        assert!(waiting.join(third).is_none());
        assert_eq!(texts(waiting.bytes()), ["b", "c"]);
    }
}
