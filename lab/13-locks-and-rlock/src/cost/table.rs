//! The costs in lines.

use super::{Costs, MARGIN, Shape, middle, shape};
use common::{Lab, TableReport, format};

impl Costs {
    /// Prints what a cost is, the table, and what the shapes mean.
    pub(crate) fn tell(&self, lab: &Lab) {
        let columns: Vec<String> = self.columns.iter().map(ToString::to_string).collect();
        lab.say("cost of an increment (last row: of a read), middle round:");
        lab.say("  wall time of the run / increments of all its threads together");
        match &columns[1..] {
            [] => lab.say("  1 thread: uncontended, nobody else wants the lock"),
            contended => lab.say(format!(
                "  1 thread: uncontended; {}: contended, all want the lock all the time",
                contended.join(", ")
            )),
        }
        lab.table(self.table());
        if let [_, .., most] = &columns[..] {
            let less = 1.0 / MARGIN;
            lab.say(format!(
                "shape, cost on {most} threads / cost on 1, in every round:"
            ));
            lab.say(format!(
                "  rises > {MARGIN}, falls < {less}, level between; else rounds differ"
            ));
        }
    }

    /// A line per mechanism: the middle cost in each column, and the shape.
    pub(crate) fn table(&self) -> TableReport {
        let counts = self.columns.iter().map(ToString::to_string);
        let headings: Vec<String> = ["threads".into()]
            .into_iter()
            .chain(counts)
            .chain(["last/first".into(), "shape".into()])
            .collect();
        let rows = self.rows.iter().map(|(name, row)| {
            let Shape {
                times_the_first,
                shape,
            } = shape(row);
            let costs = row.iter().map(|counts| format::seconds_f64(middle(counts)));
            let times = times_the_first.last().map_or(1.0, |times| *times);
            [(*name).to_owned()]
                .into_iter()
                .chain(costs)
                .chain([format!("{times:.2}×"), shape.to_owned()])
                .collect()
        });
        TableReport {
            title: "Cost of an increment (last row: of a read), by threads, middle round".into(),
            rows: rows.collect(),
            text_columns: vec![0, headings.len() - 1],
            headings,
            notes: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::cost::tests::costs;

    #[test]
    fn the_table_has_the_middle_round_and_the_document_all() {
        let costs = costs([&[10.0, 30.0, 11.0], &[50.0, 60.0, 44.0]], 2.0);
        let table = costs.table();
        let expected = ["a lock", "11.0 ns", "50.0 ns", "4.55×", "rises"];
        assert_eq!(
            table.rows.last().map(Vec::as_slice),
            Some(&expected.map(String::from)[..])
        );
        let all = costs.by_key("_s", |count| count.per_increment_s);
        assert_eq!(all["a_lock_on_1_thread_s"].len(), 3);
        assert_eq!(
            all["a_lock_on_4_threads_s"],
            [50.0, 60.0, 44.0].map(|cost| cost * 1e-9)
        );
    }
}
