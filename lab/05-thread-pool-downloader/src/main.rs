//! A pool of threads with a progress bar
fn main() {}
