//! The same four requests, overlapping
fn main() {}
