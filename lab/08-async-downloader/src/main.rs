//! Ten tasks on one thread
fn main() {}
