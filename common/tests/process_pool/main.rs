//! The process pool against workers that do as they should, and workers that do not.
#![cfg(all(unix, feature = "process"))]

mod calls;
mod crew;
mod faults;
mod life;
mod orders;
mod support;
mod tasks;
