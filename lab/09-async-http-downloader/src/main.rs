//! Limits, retries and back-off
fn main() {}
