//! What do processes cost and buy?
fn main() {}
