//! What a worker says.

use super::{AHEAD_FOR, AHEAD_MOST, Ending, Stage, Worker};
use crate::{
    Event, PoolError,
    queue::Queue,
    wire::{FAILURE, HELLO, Incoming, MARK, Message, NO_TASK, NOTE, VALUE},
};
use std::{mem, sync::Arc, time::Instant};

impl Worker {
    /// Takes in what it has said; returns how many answers it were.
    pub(crate) fn hear(&mut self, queue: &mut Queue, incoming: &mut Incoming) -> u32 {
        let before = self.jobs.len();
        if self.stage == Stage::Mark && incoming.skip_to(&MARK) {
            self.stage = Stage::Hello;
        }
        while self.stage != Stage::Mark && !self.is_mute {
            let is_silent = self.is_ready() && self.jobs.is_empty();
            let heard = match incoming.next() {
                Ok(Some(message)) => self.understand(queue, message),
                Ok(None) if incoming.is_empty() || !is_silent => break,
                _ => Err(PoolError::NotUnderstood),
            };
            if let Err(reason) = heard {
                // Nor will anything make sense that comes.
                self.is_mute = true;
                self.kill(Ending::Unfit(reason));
            }
        }
        let answers = (before - self.jobs.len()) as u32;
        if answers > 0 {
            let now = Instant::now();
            let took = now - mem::replace(&mut self.began, now);
            let fitting = (AHEAD_FOR * answers).as_nanos() / took.as_nanos().max(1);
            self.ahead = AHEAD_MOST.min(fitting as usize);
        }
        answers
    }

    fn understand(&mut self, queue: &mut Queue, message: Message) -> Result<(), PoolError> {
        let task = self.jobs.front().map_or(NO_TASK, |job| job.task);
        match (self.stage, message.kind) {
            _ if message.task != task || self.is_ready() == self.jobs.is_empty() => {
                return Err(PoolError::NotUnderstood);
            }
            (Stage::Hello, HELLO) => self.greet(queue, &message)?,
            (Stage::Initial, VALUE | FAILURE) => {
                message
                    .decode::<()>()
                    .map_err(|error| PoolError::Initialiser(error.to_string()))?;
                self.stage = Stage::Answer;
            }
            (Stage::Answer, NOTE) => {
                self.note = postcard::from_bytes(message.payload()).unwrap_or_default();
            }
            (Stage::Answer, VALUE | FAILURE) => {
                self.announce(queue);
                if let Some(job) = self.jobs.pop_front() {
                    let (worker, note) = (self.id, mem::take(&mut self.note));
                    queue.note(|| Event::Done { worker, task, note });
                    queue.settle(job, Ok(message));
                }
                self.begin(queue);
            }
            _ => return Err(PoolError::NotUnderstood),
        }
        Ok(())
    }

    /// Takes in its first message, and has it initialised.
    fn greet(&mut self, queue: &mut Queue, hello: &Message) -> Result<(), PoolError> {
        let hello = postcard::from_bytes(hello.payload());
        let (types, note): (Vec<String>, _) = hello.map_err(|_| PoolError::NotUnderstood)?;
        let functions = queue.settings.functions.iter();
        if !functions.map(|(_, types)| types).eq(&types) {
            let reason = PoolError::OtherTypes(types.join(", "));
            let fatal = reason.clone();
            queue.later(|shared| shared.change(|state| state.give_up(fatal)));
            return Err(reason);
        }
        let (worker, took) = (self.id, self.began.elapsed());
        queue.note(|| Event::Ready { worker, took, note });
        self.stage = Stage::Answer;
        if let Some(initial) = &queue.settings.initial {
            self.message = Arc::clone(initial);
            self.stage = Stage::Initial;
        }
        Ok(())
    }
}
