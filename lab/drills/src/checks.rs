//! The drills, each with its check and candidates.

pub mod d01;
pub mod d02;
pub mod d03;
pub mod d04;
pub mod d05;
pub mod d06;
pub mod d07;
pub mod d08;
pub mod d09;
pub mod d10;
pub mod d11;
pub mod d12;
pub mod d13;
pub mod d14;
pub mod d15;
pub mod d16;
pub mod d17;
pub mod d18;
pub mod d19;
pub mod d20;

use crate::Drill;

/// All drills, in order.
pub const DRILLS: &[&Drill] = &[
    &d01::DRILL,
    &d02::DRILL,
    &d03::DRILL,
    &d04::DRILL,
    &d05::DRILL,
    &d06::DRILL,
    &d07::DRILL,
    &d08::DRILL,
    &d09::DRILL,
    &d10::DRILL,
    &d11::DRILL,
    &d12::DRILL,
    &d13::DRILL,
    &d14::DRILL,
    &d15::DRILL,
    &d16::DRILL,
    &d17::DRILL,
    &d18::DRILL,
    &d19::DRILL,
    &d20::DRILL,
];
