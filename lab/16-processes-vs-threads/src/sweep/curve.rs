//! The sweep as a curve.

use super::{Point, Sweep, WAYS};
use common::{Curve, CurveLine, CurvePoint, Scale};

impl Sweep {
    /// Every way by the size of a job; its knee is the break-even.
    pub(super) fn curve(&self) -> Curve {
        let line = |name: &str, times_s: &dyn Fn(&Point) -> Vec<f64>, knee: Option<u64>| {
            let point = |point: &Point| CurvePoint::of(point.steps as f64, &times_s(point), None);
            CurveLine {
                name: name.into(),
                points: self.points.iter().filter_map(point).collect(),
                knee: knee.map(|steps| steps as f64),
            }
        };
        let ways = WAYS.iter().enumerate().map(|(way, (_, name))| {
            let times_s = |point: &Point| point.ways()[way].times_s.clone();
            line(name, &times_s, self.break_even_steps[way])
        });
        let first = line("one by one", &|point| point.one_by_one_s.clone(), None);
        Curve {
            title: "Time for one job for each worker, by its size; a knee is a break-even".into(),
            axis: "steps a job".into(),
            scale: Scale::Seconds,
            lines: std::iter::once(first).chain(ways).collect(),
            bound_reason: None,
        }
    }
}
