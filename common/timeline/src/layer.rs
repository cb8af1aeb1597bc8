//! The `tracing` layer: it notes what happens, and leaves it to the replay what that means.

use crate::{
    Moment, Timeline,
    fields::Fields,
    log::{Event, What},
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
        self.store
            .note(id.into_u64(), |_, _| What::New(about, fields));
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, _: Context<'_, S>) {
        let mut fields = self.fields();
        values.record(&mut *fields);
        self.store.note(id.into_u64(), |_, _| What::Record(fields));
    }

    fn on_enter(&self, id: &Id, _: Context<'_, S>) {
        self.store
            .note(id.into_u64(), |clock, now| What::Enter(clock.read(now)));
    }

    fn on_exit(&self, id: &Id, _: Context<'_, S>) {
        self.store.note(id.into_u64(), |clock, now| What::Exit {
            cpu: clock.read(now),
            closes: false,
        });
    }

    fn on_close(&self, id: Id, _: Context<'_, S>) {
        let span = id.into_u64();
        self.store.with_log(|log| match log.events.last_mut() {
            Some(Event {
                span: last,
                what: What::Exit { closes, .. },
                ..
            }) if *last == span => *closes = true,
            _ => log.events.push(Event {
                at: Moment::now(),
                span,
                what: What::Close,
            }),
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
        if let Some(sample) = fields.queue.zip(fields.depth) {
            self.store.note(0, |_, _| What::Sample(Box::new(sample)));
        }
    }
}

impl Timeline {
    fn fields(&self) -> Box<Fields> {
        Box::new(Fields {
            label: self.store.finds_tasks.then(String::new),
            ..Fields::default()
        })
    }
}
