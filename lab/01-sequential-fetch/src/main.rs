//! Ten requests, one after another, told as they come
fn main() {}
