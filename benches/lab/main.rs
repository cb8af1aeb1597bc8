//! `cargo bench`: the lessons' own functions, beside what the machine allows and what people would use
//! instead. A module for each group; how they are measured is the crate `side_by_side`.

mod cpu;
mod fetch;
mod in_flight;
mod locks;
mod pipeline;
mod process_pool;
mod queues;
mod recorder;
mod start_up;

use ::process_pool::child::{self, Role};
use lab_10_hybrid_pipeline::page::{STREAM, TREE};
use lab_16_processes_vs_threads::JOB;
use side_by_side::Table;
use std::process::ExitCode;
use web::SERVER;

const TABLES: [Table; 24] = [
    ("cpu", cpu::group),
    ("fetch", fetch::group),
    ("in-flight", in_flight::group),
    ("locks", locks::group),
    ("queues/threads", queues::between_threads),
    ("queues/tasks", queues::between_tasks),
    ("queues/both", queues::between_both),
    ("queues/rally", queues::rally),
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
    ("pipeline/one-core", pipeline::one_core),
    ("pipeline/scraper", pipeline::with_scraper),
    ("pipeline/stream", pipeline::with_stream),
    ("start-up/one", start_up::one),
    ("start-up/pools", start_up::pools),
    ("start-up/steps", start_up::steps),
    ("recorder", recorder::group),
];

fn main() -> ExitCode {
    // Workers and servers of all kinds are copies of this program: the pools', the server and the pipes'
    // are told by an argument, procspawn's by a variable of the environment, and none is told by both.
    let roles: Vec<&dyn Role> = [
        &[&SERVER as &dyn Role, &JOB, &TREE, &STREAM, &start_up::NEXT],
        &process_pool::ROLES[..],
    ]
    .concat();
    child::enter(&roles);
    let others = [
        in_flight::take_role,
        recorder::take_role,
        process_pool::take_role,
    ];
    if let Some(code) = others.iter().find_map(|take| take()) {
        return code;
    }
    side_by_side::run(&TABLES, env!("CARGO_TARGET_TMPDIR"))
}
