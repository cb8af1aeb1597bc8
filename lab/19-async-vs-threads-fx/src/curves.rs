//! The sweep as curves: what waiting takes, and what those who wait hold.

use crate::{
    args::FxArgs,
    side::{Side, variant},
    sweep::Row,
};
use common::{Curve, CurveLine, CurvePoint, Lab, Scale};
use lab_19_async_vs_threads_fx::bound;

const AXIS: &str = "requests in flight";

/// Keeps both curves for the page.
pub(crate) fn keep(args: &FxArgs, lab: &Lab, rows: &[Row]) {
    let market = args.market(lab.seed());
    let attainable = |level| bound(&market, &args.quotes_for(level), level).as_secs_f64();
    let wall = |row: &Row| {
        let walls = lab.walls(&variant(row.side, row.level));
        CurvePoint::of(row.level as f64, &walls, Some(attainable(row.level)))
    };
    lab.curve(Curve {
        title: "Wall time of a burst of quotes, by how many are in flight at once".into(),
        axis: AXIS.into(),
        scale: Scale::Seconds,
        lines: lines(rows, &wall),
        bound_reason: Some("the longest latency of the row".into()),
    });
    let memory = |row: &Row| {
        let rounds = row.rounds.iter().filter_map(|burst| burst.grown_bytes);
        let rounds: Vec<f64> = rounds.map(|bytes| bytes as f64).collect();
        let most = row.grown_bytes()? as f64;
        let point = CurvePoint::of(row.level as f64, &rounds, None)?;
        Some(CurvePoint { y: most, ..point })
    };
    lab.curve(Curve {
        title: "How far memory grew at most past what was held before the burst".into(),
        axis: AXIS.into(),
        scale: Scale::Bytes,
        lines: lines(rows, &memory),
        bound_reason: None,
    });
}

/// A line for each side; rows that a limit forbids have no point.
fn lines(rows: &[Row], point: &dyn Fn(&Row) -> Option<CurvePoint>) -> Vec<CurveLine> {
    let line = |side: Side| CurveLine {
        name: side.name().into(),
        points: rows
            .iter()
            .filter(|row| row.side == side)
            .filter_map(point)
            .collect(),
        knee: None,
    };
    Side::BOTH.map(line).into()
}
