//! Four requests, one after another
fn main() {}
