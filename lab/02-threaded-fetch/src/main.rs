//! One thread per URL
fn main() {}
