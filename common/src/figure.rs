//! Figures of a run, typed by their unit: what is not there cannot be named.
//!
//! What every variant has is a function here, such as [`wall`]. What only one step knows it notes
//! itself, as with [`Lab::count`](crate::Lab::count), and gets the figure back.

use report::format;
use serde_json::Value;
use std::{
    marker::PhantomData,
    ops::{Div, Mul},
    time::Duration,
};

/// What a figure is measured in.
pub trait Unit: Clone + Copy {
    /// A value with its unit, in words.
    fn show(value: f64) -> String;
}

macro_rules! units {
    ($($(#[$doc:meta])* $name:ident: $number:ty, $value:expr, $show:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub enum $name {}

        impl Unit for $name {
            fn show(value: f64) -> String {
                $show(value)
            }
        }

        impl From<$number> for Figure<$name> {
            fn from(number: $number) -> Self {
                Self::new($value(number), Vec::new())
            }
        }
    )*};
}

// Each with the type that its numbers have in a lesson.
units! {
    /// Seconds.
    Seconds: Duration, |it: Duration| it.as_secs_f64(), format::seconds_f64;
    /// A number of things.
    Count: usize, |it| it as f64, format::plain;
    /// Bytes.
    Bytes: u64, |it| it as f64, format::bytes;
    /// How many times as much.
    Ratio: f64, |it| it, |value: f64| format!("{value:.2}");
}

/// A figure of the document, or a quotient of two, times a factor.
#[derive(Clone, Debug)]
pub struct Figure<U>(pub(crate) Expression, PhantomData<U>);

/// A number, a number times a field, or a number times one field over another.
#[derive(Clone, Debug)]
pub(crate) struct Expression {
    factor: f64,
    fields: Vec<Field>,
}

/// A field of a variant, or of the whole document.
#[derive(Clone, Debug)]
struct Field {
    variant: Option<String>,
    /// Names joined by dots: `ledger.peak_in_flight`.
    path: String,
    /// What is said of it, with its value at `{}` and `(s)` where several have an s.
    words: String,
}

impl<U: Unit> Figure<U> {
    fn new(factor: f64, fields: Vec<Field>) -> Self {
        Self(Expression { factor, fields }, PhantomData)
    }

    fn field(variant: Option<&str>, path: String, words: String) -> Self {
        let variant = variant.map(str::to_owned);
        let field = Field {
            variant,
            path,
            words,
        };
        Self::new(1.0, vec![field])
    }

    /// What a step notes under `name`, of a variant or of the whole run.
    pub fn noted(variant: Option<&str>, name: &str) -> Self {
        let words = format!("{}: {{}}", name.replace('_', " "));
        Self::field(variant, format!("figures.{name}"), words)
    }
}

impl<U: Unit> Mul<f64> for Figure<U> {
    type Output = Self;

    fn mul(mut self, factor: f64) -> Self {
        self.0.factor *= factor;
        self
    }
}

impl<U: Unit, By: Into<Self>> Div<By> for Figure<U> {
    type Output = Figure<Ratio>;

    /// # Panics
    /// If it would be more than a field over a field, or a field over a number.
    fn div(self, by: By) -> Figure<Ratio> {
        let (above, by) = (self.0, by.into().0);
        assert!(
            above.fields.len() == 1 && by.fields.len() < 2,
            "one quotient"
        );
        let fields = [above.fields, by.fields].concat();
        Figure::new(above.factor / by.factor, fields)
    }
}

macro_rules! fields {
    ($($(#[$doc:meta])* $name:ident: $unit:ty, $path:literal, $words:literal;)*) => {$(
        $(#[$doc])*
        pub fn $name(variant: &str) -> Figure<$unit> {
            Figure::field(Some(variant), $path.into(), $words.into())
        }
    )*};
}

fields! {
    /// The wall time of each round.
    wall: Seconds, "walls_s", "took {}";
    /// The wall time of the middle round, which is the one shown.
    middle_wall: Seconds, "wall_s", "took {}";
    /// CPU time in user mode, worker processes included.
    cpu_user: Seconds, "cpu_user_s", "used {} of CPU in user mode";
    /// CPU time in the kernel, worker processes included.
    cpu_system: Seconds, "cpu_system_s", "used {} of CPU in the kernel";
    /// How long its jobs were open, all lanes together.
    open: Seconds, "open_s", "had jobs open for {} in all";
    /// How long its jobs really ran, all lanes together.
    busy: Seconds, "busy_s", "worked for {} in all";
    /// The bound over the wall time, 0–1.
    efficiency: Ratio, "efficiency", "reached {} of its bound";
    /// Tasks handed in.
    submitted: Count, "ledger.submitted", "was given {} task(s)";
    /// Tasks finished well.
    done: Count, "ledger.done", "finished {} task(s)";
    /// Tasks that ended in an error, in each round.
    failed: Count, "failed_by_round", "failed {} task(s)";
    /// Tasks that were cancelled.
    cancelled: Count, "ledger.cancelled", "cancelled {} task(s)";
    /// Extra attempts.
    retried: Count, "ledger.retried", "made {} extra attempt(s)";
    /// The most requests at once, counted by the server.
    in_flight: Count, "ledger.peak_in_flight", "had {} request(s) in flight, counted by the server";
    /// The most threads of this process at once.
    threads: Count, "ledger.threads", "had {} thread(s)";
    /// Processes that took part, this one included.
    processes: Count, "ledger.processes", "had {} process(es)";
    /// Most memory resident at once, worker processes added.
    peak_memory: Bytes, "ledger.peak_rss_bytes", "took {} of memory";
}

/// How many CPUs this process may use.
pub fn cpus() -> Figure<Count> {
    Figure::field(None, "host.cpus".into(), "CPUs: {}".into())
}

/// How many of them were free, before the run or between its variants, whichever was fewer.
pub(crate) fn free_cpus() -> Figure<Count> {
    Figure::field(None, "host.parallelism".into(), "free CPUs: {}".into())
}

impl Expression {
    /// The variants that it names.
    pub(crate) fn variants(&self) -> impl Iterator<Item = &str> {
        let variants = self.fields.iter().map(|field| field.variant.as_deref());
        variants.flatten()
    }

    /// The values in the document: several where there were rounds, `None` where it has none.
    pub(crate) fn values(&self, document: &Value) -> Vec<Option<f64>> {
        let mut values = self.fields.iter().map(|field| field.values(document));
        let mut next = || values.next().unwrap_or_else(|| vec![Some(1.0)]);
        let pairs = by_round(&next(), &next()).into_iter();
        let value = |(above, below)| Some(self.factor * above? / below?);
        let values = pairs.map(value);
        values.map(|it| it.filter(|it| it.is_finite())).collect()
    }

    /// Why it has no value, in at least one round.
    pub(crate) fn unknown(&self, document: &Value) -> Option<String> {
        let values = self.values(document);
        if !values.is_empty() && !values.contains(&None) {
            return None;
        }
        let mut fields = self.fields.iter();
        let withheld = fields.find_map(|field| field.withheld(document));
        withheld.or_else(|| Some(format!("{} (not known here)", self.subject("–"))))
    }

    /// The expression as the document writes it, and as a test can read it back.
    pub(crate) fn written(&self) -> String {
        let fields = self.fields.iter().map(Field::written);
        let fields = fields.collect::<Vec<_>>().join(" / ");
        match self.factor {
            factor if fields.is_empty() => factor.to_string(),
            1.0 => fields,
            factor => format!("{factor} * {fields}"),
        }
    }

    /// The start of a sentence: who did how much of what.
    pub(crate) fn subject(&self, value: &str) -> String {
        match &self.fields[..] {
            [field] if self.factor == 1.0 => field.sentence(value),
            [above, below] => format!("{} over {}: {value}", above.name(), below.name()),
            _ => value.to_owned(),
        }
    }

    /// The end of a sentence that began with `subject`; `value` is of [`unscaled`](Self::unscaled) ones.
    pub(crate) fn object(&self, subject: &Self, value: &str) -> String {
        let Some(field) = self.fields.first() else {
            return value.to_owned();
        };
        let text = match field.variant.as_deref() {
            Some(own) if subject.variants().next() != Some(own) => {
                format!("the {value} of `{own}`")
            }
            _ => format!("{value} ({})", field.noun()),
        };
        match self.factor {
            1.0 => text,
            factor => format!("{} × {text}", format::plain(factor)),
        }
    }

    /// The known values without the factor in front of a field.
    pub(crate) fn unscaled(&self, document: &Value) -> impl Iterator<Item = f64> {
        let factor = self.number().map_or(self.factor, |_| 1.0);
        let values = self.values(document).into_iter().flatten();
        values.map(move |value| value / factor)
    }

    /// Its value, where it is a number.
    pub(crate) fn number(&self) -> Option<f64> {
        self.fields.is_empty().then_some(self.factor)
    }
}

impl Field {
    fn values(&self, document: &Value) -> Vec<Option<f64>> {
        match find(document, self.variant.as_deref(), &self.path) {
            _ if self.disturbed(document).is_some() => vec![None],
            Some(Value::Array(items)) => items.iter().map(Value::as_f64).collect(),
            value => vec![value.and_then(Value::as_f64)],
        }
    }

    /// What disturbed a run whose time it is.
    fn disturbed<'a>(&self, document: &'a Value) -> Option<&'a str> {
        let is_time = self.path.ends_with("_s") || self.path == "efficiency";
        let variant = self.variant.as_deref().filter(|_| is_time)?;
        find(document, Some(variant), "disturbed")?.as_str()
    }

    /// Why the document has it and it decides nothing, or has it not by its reader's choice.
    fn withheld(&self, document: &Value) -> Option<String> {
        let variant = self.variant.as_deref()?;
        if document["skipped"].as_array()?.contains(&variant.into()) {
            return Some(format!("`{variant}` was skipped"));
        }
        let why = self.disturbed(document)?;
        Some(format!("`{variant}` cannot be judged by its times: {why}"))
    }

    fn written(&self) -> String {
        match &self.variant {
            Some(variant) => format!("[{variant}].{}", self.path),
            None => self.path.clone(),
        }
    }

    fn sentence(&self, value: &str) -> String {
        let several = if value == "1" { ["", ""] } else { ["s", "es"] };
        let words = self.words.replace("(s)", several[0]);
        let words = words.replace("(es)", several[1]).replace("{}", value);
        match &self.variant {
            Some(variant) => format!("`{variant}` {words}"),
            None => words,
        }
    }

    fn noun(&self) -> String {
        let last = self.path.rsplit('.').next().unwrap_or_default();
        let name = last.trim_end_matches("_s");
        if name == "walls" { "wall" } else { name }.replace('_', " ")
    }

    fn name(&self) -> String {
        match &self.variant {
            Some(variant) => format!("{} of `{variant}`", self.noun()),
            None => self.noun(),
        }
    }
}

/// The value at `path` (names joined by dots) of a variant or of the whole document.
pub(crate) fn find<'a>(
    document: &'a Value,
    variant: Option<&str>,
    path: &str,
) -> Option<&'a Value> {
    let mut variants = document["variants"].as_array().into_iter().flatten();
    let root = match variant {
        None => document,
        Some(name) => variants.find(|variant| variant["name"] == name)?,
    };
    root.pointer(&format!("/{}", path.replace('.', "/")))
}

/// Both values of each round; one that stands alone is that of every round.
pub(crate) fn by_round(
    left: &[Option<f64>],
    right: &[Option<f64>],
) -> Vec<(Option<f64>, Option<f64>)> {
    let rounds = match (left.len(), right.len()) {
        (1, rounds) | (rounds, 1) => rounds,
        (left, right) => left.min(right),
    };
    let at = |values: &[Option<f64>], round: usize| values[round.min(values.len() - 1)];
    let pairs = (0..rounds).map(|round| (at(left, round), at(right, round)));
    pairs.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_single_value_stands_beside_every_round_and_none_beside_no_round() {
        let values = |values: &[f64]| values.iter().copied().map(Some).collect::<Vec<_>>();
        let pairs = |left: &[f64], right: &[f64]| {
            let pairs = by_round(&values(left), &values(right)).into_iter();
            pairs
                .map(|(left, right)| (left.unwrap_or(0.0), right.unwrap_or(0.0)))
                .collect::<Vec<_>>()
        };
        assert_eq!(pairs(&[1.0, 2.0], &[9.0]), [(1.0, 9.0), (2.0, 9.0)]);
        let three = pairs(&[1.0, 2.0, 3.0], &[8.0, 9.0]);
        assert_eq!(three, [(1.0, 8.0), (2.0, 9.0)]);
        assert_eq!(pairs(&[], &[9.0]), []);
    }
}
