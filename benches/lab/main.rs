//! `cargo bench`: the lessons' own functions, beside what the machine allows and what people would use
//! instead. A module for each group; how they are measured is the crate `side_by_side`.

mod cpu;
mod fetch;
mod in_flight;
mod process_pool;

use common::{
    child::{self, Role},
    http::SERVER,
};
use lab_16_processes_vs_threads::JOB;
use side_by_side::Table;
use std::process::ExitCode;

const TABLES: [Table; 12] = [
    ("cpu", cpu::group),
    ("fetch", fetch::group),
    ("in-flight", in_flight::group),
    ("process-pool/map", process_pool::map),
    ("process-pool/stream", process_pool::stream),
    ("process-pool/one-in-flight", process_pool::one_in_flight),
    ("process-pool/ready", process_pool::ready),
    ("process-pool/payload", process_pool::payload),
    ("process-pool/four-long", process_pool::four_long),
    (
        "process-pool/many-short",
        process_pool::many_of_a_millisecond,
    ),
    ("process-pool/short-and-long", process_pool::short_and_long),
    ("process-pool/queue", process_pool::queue),
];

fn main() -> ExitCode {
    // Workers and servers of all kinds are copies of this program: the pools', the server and the pipes'
    // are told by an argument, procspawn's by a variable of the environment, and none is told by both.
    let roles: Vec<&dyn Role> = [&[&SERVER as &dyn Role, &JOB], &process_pool::ROLES[..]].concat();
    if let Some(code) = child::take_role(&roles) {
        return code;
    }
    if let Some(code) = in_flight::take_role().or_else(process_pool::take_role) {
        return code;
    }
    side_by_side::run(&TABLES, env!("CARGO_TARGET_TMPDIR"))
}
