//! The sweep as a curve.

use super::{Kind, Point, Sweep};
use common::{Curve, CurveLine, CurvePoint, Scale};
use lab_15_thread_pool_executor::Load;

impl Sweep {
    /// The same for the page, beside what was attainable at each size.
    pub(super) fn curve(&self, kind: &Kind, cpus: usize) -> Curve {
        let at_once = |workers: u64| workers.min(cpus as u64) as f64;
        // Of all rounds, so that no change of the machine's speed makes a bound that another round beats.
        let works = self.points.iter().flat_map(|point| {
            let at_once = at_once(point.workers.get() as u64);
            point.times_s.iter().map(move |time| time * at_once)
        });
        let least_work = works.fold(f64::INFINITY, f64::min);
        let bound = |workers: u64| match kind.load {
            Load::Wait(each) => self.tasks.div_ceil(workers) as f64 * each.as_secs_f64(),
            _ => least_work / at_once(workers),
        };
        let point = |one: &Point| {
            let workers = one.workers.get() as u64;
            CurvePoint::of(workers as f64, &one.times_s, Some(bound(workers)))
        };
        let bound_reason = match kind.load {
            Load::Wait(_) => "the waits in turns, as many at a time as there are threads",
            _ => {
                "the least that any round's time came to, times threads or CPUs, shared out among as many"
            }
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
