//! Spans become lanes, whoever runs them.

mod bounds;
mod spans;
mod support;
mod threads;
