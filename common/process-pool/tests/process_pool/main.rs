//! The process pool against workers that do as they should, and workers that do not.
#![cfg(unix)]

mod attacks;
mod calls;
mod chunks;
mod faults;
mod functions;
mod harm;
mod life;
mod limits;
mod soak;
mod support;
mod tasks;
mod wakers;
mod ways;
