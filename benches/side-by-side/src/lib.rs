//! Rows that take turns: how the lab's benchmarks measure and compare.
//!
//! What is asked is how rows compare, and on a machine that is shared two rows compare only when they
//! ran within the same second. So every round runs every row once, ratios are taken within a round,
//! and what is shown is the median of the rounds with their range. A row stands beside its *floor*,
//! what the machine allows, and beside its *peers*, what people would use instead.

mod bench;
mod change;
mod figures;
mod flags;
mod group;
mod program;
mod python;
mod record;
mod rounds;
mod row;
mod tables;

pub use bench::{Setting, Table, run};
pub use group::{Group, Unit};
pub use program::{Program, serve};
pub use python::Python;
pub use record::{Document, Environment, Measured, MeasuredRow, Recorded};
pub use rounds::Plan;
pub use row::{Row, Side, Turn};
