//! Locks and a queue: the race repaired, and what it costs
fn main() {}
