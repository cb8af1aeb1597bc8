//! The process pool against workers that do as they should, and workers that do not.
#![cfg(all(unix, unix))]

mod calls;
mod crew;
mod faults;
mod harm;
mod life;
mod limits;
mod orders;
mod soak;
mod support;
mod tasks;
