//! What every step of the lab shares, behind one crate.
//!
//! A lesson keeps its mechanism in its own `lib.rs`; everything that is not the mechanism stands
//! here, behind one plain call: running variants, judging claims, reporting.

mod bound;
mod census;
pub mod claim;
pub mod cli;
mod command;
mod comparison;
mod figure;
mod guest;
mod lab;
pub mod path;
pub mod progress;
mod question;
mod recorded;
pub mod squares;
mod step;
mod sweep;

pub use bound::Bound;
pub use comparison::Comparison;
pub use guest::ask_python;
pub use lab::{Lab, Measure, Observer};
pub use measure::{
    host,
    inherited::{PARENT, end_with_parent, on_interrupt},
    timing, workload,
};
pub use process_pool::{self, child, panics};
pub use question::Question;
pub use recorded::Recorded;
pub use report::{self, Document, Ledger, MARGIN, Tally, Variant, format};
pub use step::Step;
pub use sweep::Sweep;
pub use timeline;

/// The files of a lesson's mechanism, as `Step::sources` takes them.
#[macro_export]
macro_rules! sources {
    ($($file:literal),+ $(,)?) => {
        &[$(($file, include_str!($file))),+]
    };
}
