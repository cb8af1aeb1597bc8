//! One slow loop: how long is it?
fn main() {}
