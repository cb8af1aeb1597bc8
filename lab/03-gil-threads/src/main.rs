//! Do threads help CPU work, with and without a GIL?
fn main() {}
