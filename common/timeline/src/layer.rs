//! The `tracing` layer: it notes what happens, and leaves it to the replay what that means.

use crate::{
    Moment, Timeline,
    fields::Fields,
    log::{CpuClock, Event, What, with_log},
};
use tracing::{
    Level, Subscriber,
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{Layer, layer::Context};

impl<S: Subscriber> Layer<S> for Timeline {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, _: Context<'_, S>) {
        let about = attributes.metadata();
        if *about.level() > Level::INFO {
            return;
        }
        let fields = (!attributes.fields().is_empty()).then(|| {
            let mut fields = self.fields();
            attributes.record(&mut *fields);
            fields
        });
        self.note(id, |_, _| What::New(about, fields));
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, _: Context<'_, S>) {
        let mut fields = self.fields();
        values.record(&mut *fields);
        self.note(id, |_, _| What::Record(fields));
    }

    fn on_enter(&self, id: &Id, _: Context<'_, S>) {
        self.note(id, |clock, now| What::Enter(clock.read(now)));
    }

    fn on_exit(&self, id: &Id, _: Context<'_, S>) {
        self.note(id, |clock, now| What::Exit {
            cpu: clock.read(now),
            closes: false,
        });
    }

    fn on_close(&self, id: Id, _: Context<'_, S>) {
        let span = id.into_u64();
        with_log(&self.store, |_, noted, _| {
            if let Some(Event {
                span: last,
                what: What::Exit { closes, .. },
                ..
            }) = noted.events.last_mut()
                && *last == span
            {
                *closes = true;
                return;
            }
            noted.events.push(Event {
                at: Moment::now(),
                span,
                what: What::Close,
            });
        });
    }

    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        // Before its fields are read: most events are no sample.
        if *event.metadata().level() > Level::INFO
            || event.metadata().fields().field("queue").is_none()
        {
            return;
        }
        let mut fields = Fields::default();
        event.record(&mut fields);
        if let Some((name, depth)) = fields.queue.zip(fields.depth) {
            with_log(&self.store, |_, noted, _| {
                noted.samples.push((name, Moment::now(), depth));
            });
        }
    }
}

impl Timeline {
    /// Notes an event. The time is read while the log is locked: what is noted after a log was emptied is
    /// later than that.
    fn note(&self, id: &Id, what: impl FnOnce(&mut CpuClock, Moment) -> What) {
        let span = id.into_u64();
        with_log(&self.store, |_, noted, clock| {
            let at = Moment::now();
            let what = what(clock, at);
            noted.events.push(Event { at, span, what });
        });
    }

    fn fields(&self) -> Box<Fields> {
        Box::new(Fields {
            label: self.store.finds_tasks.then(String::new),
            ..Fields::default()
        })
    }
}
