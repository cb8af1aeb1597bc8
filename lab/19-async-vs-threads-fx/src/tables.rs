//! The sweep as a table: what each row took, and what it cost the venue.

use crate::{side::variant, sweep::Row};
use common::{Lab, TableReport, format};
use lab_19_async_vs_threads_fx::venue::Counts;

/// Prints both tables and a line for every row that a limit forbids.
pub(crate) fn say(lab: &Lab, rows: &[Row]) {
    let names = [
        "in flight",
        "side",
        "wall",
        "p50",
        "p99",
        "threads",
        "memory",
        "switches",
        "venue",
    ];
    let cells = rows.iter().map(|row| cells(lab, row));
    lab.table(TableReport {
        title: "The sweep: from ten in flight to many".into(),
        headings: names.map(String::from).into(),
        rows: cells.collect(),
        text_columns: vec![1],
        notes: vec![
            "p50, p99: from the word go, when all are connected, to the answer".into(),
            "memory: how far it grew; venue: the most in flight at once, as it counted".into(),
        ],
    });
    say_what_is_missing(lab, rows);
    let names = [
        "the venue's own",
        "side",
        "CPU",
        "at work",
        "answers late, p99",
    ];
    let cells = rows.iter().filter_map(|row| venue_cells(lab, row));
    lab.table(TableReport {
        title: "What the sweep cost the venue".into(),
        headings: names.map(String::from).into(),
        rows: cells.collect(),
        text_columns: vec![1],
        notes: vec![
            "at work: CPU time over wall time; late: left so long after its latency had passed. \
             Venue and clients share these CPUs: where late is much of p99, they were short of CPU \
             together."
                .into(),
        ],
    });
}

/// Says which rows a limit forbids, and which cannot be compared.
fn say_what_is_missing(lab: &Lab, rows: &[Row]) {
    for row in rows {
        if let Some(limit) = &row.limit {
            let name = variant(row.side, row.level);
            lab.say(report::wrap(
                &format!("{name}: not run; {limit}"),
                lab.screen().width(),
                2,
            ));
        } else if !row.reached_its_level() {
            let name = variant(row.side, row.level);
            lab.say(format!(
                "  {name}: not comparable, the venue saw another number"
            ));
        }
    }
}

/// The index of the run that the report shows: the middle one by wall time, the lower of two.
fn shown(lab: &Lab, name: &str) -> Option<usize> {
    let walls = lab.walls(name);
    let mut order: Vec<usize> = (0..walls.len()).collect();
    order.sort_by(|&one, &other| walls[one].total_cmp(&walls[other]));
    order.get(walls.len().checked_sub(1)? / 2).copied()
}

fn cells(lab: &Lab, row: &Row) -> Vec<String> {
    const UNKNOWN: &str = "–";
    let name = variant(row.side, row.level);
    let level = format::count(row.level as u64);
    let mut cells = vec![level, row.side.name().into()];
    let burst = shown(lab, &name).and_then(|index| row.rounds.get(index));
    let ledger = lab.ledger(&name);
    let (Some(burst), Some(ledger)) = (burst, ledger) else {
        cells.resize(9, UNKNOWN.into());
        return cells;
    };
    let count = |value: Option<u64>| value.map_or(UNKNOWN.into(), format::count);
    let switches = ledger.voluntary_switches.zip(ledger.involuntary_switches);
    cells.extend([
        lab.wall(&name).map_or(UNKNOWN.into(), format::seconds),
        format::seconds_f64(burst.latencies.p50_s),
        format::seconds_f64(burst.latencies.p99_s),
        count(ledger.threads),
        row.grown_bytes()
            .map_or(UNKNOWN.into(), |bytes| format::bytes(bytes as f64)),
        count(switches.map(|(own, forced)| own + forced)),
        count(ledger.peak_in_flight),
    ]);
    cells
}

fn venue_cells(lab: &Lab, row: &Row) -> Option<Vec<String>> {
    let name = variant(row.side, row.level);
    let counts: &Counts = row.rounds.get(shown(lab, &name)?)?.venue.get()?;
    Some(vec![
        format::count(row.level as u64),
        row.side.name().into(),
        format::seconds_f64(counts.cpu_s),
        format::percent(counts.busy_ratio()),
        format::seconds_f64(counts.late_p99_s),
    ])
}
