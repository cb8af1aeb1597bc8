//! Async fetch and parsing in processes
fn main() {}
