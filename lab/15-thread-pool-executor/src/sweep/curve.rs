//! The sweep as a curve.

use super::{Kind, Point, Sweep};
use common::experiment::{Curve, CurveLine, CurvePoint, Scale};
use lab_15_thread_pool_executor::Load;

impl Sweep {
    /// The same for the page, beside what was attainable at each size.
    pub(super) fn curve(&self, kind: &Kind, cpus: usize) -> Curve {
        // The quickest, so that no noise of one round makes a bound that another beats.
        let of_one = self.points.first().map_or(&[][..], |one| &one.times_s);
        let of_one = of_one.iter().copied().fold(f64::INFINITY, f64::min);
        let bound = |workers: u64| match kind.load {
            Load::Wait(each) => self.tasks.div_ceil(workers) as f64 * each.as_secs_f64(),
            _ => of_one / workers.min(cpus as u64) as f64,
        };
        let point = |one: &Point| {
            let workers = one.workers.get() as u64;
            CurvePoint::of(workers as f64, &one.times_s, Some(bound(workers)))
        };
        let bound_reason = match kind.load {
            Load::Wait(_) => "the waits in turns, as many at a time as there are threads",
            _ => "the quickest round of the pool of 1, shared out among its threads and the CPUs",
        };
        Curve {
            title: format!(
                "{} {}, on pools of ever more threads",
                self.tasks, kind.name
            ),
            axis: "threads in the pool".into(),
            scale: Scale::Seconds,
            lines: vec![CurveLine {
                name: "time for all tasks".into(),
                points: self.points.iter().filter_map(point).collect(),
                knee: self.knee.map(|knee| knee as f64),
            }],
            bound_reason: Some(bound_reason.into()),
        }
    }
}
