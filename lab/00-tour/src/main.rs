//! The whole path in one go
fn main() {}
