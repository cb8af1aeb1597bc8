//! Figures of a run, typed by their unit: what is not there cannot be named.
//!
//! What every variant has is a function here, such as [`wall`]. What only one step knows it notes
//! itself, as with [`Lab::count`](crate::Lab::count), and gets the figure back.

use crate::rounds::align;
use report::format;
use serde_json::Value;
use std::{
    marker::PhantomData,
    ops::{Div, Mul},
};

/// What a figure is measured in.
pub trait Unit: Clone + Copy {
    /// A value with its unit, in words.
    fn show(value: f64) -> String;
}

macro_rules! units {
    ($($(#[$doc:meta])* $name:ident: $show:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub enum $name {}

        impl Unit for $name {
            fn show(value: f64) -> String {
                $show(value)
            }
        }
    )*};
}

units! {
    /// Seconds.
    Seconds: format::seconds_f64;
    /// A number of things.
    Count: format::plain;
    /// Bytes.
    Bytes: format::bytes;
    /// How many times as much.
    Ratio: |value: f64| format!("{value:.2}");
}

/// A figure of the document, or an expression over such figures.
#[derive(Clone, Debug)]
pub struct Figure<U> {
    pub(crate) of: Expression,
    unit: PhantomData<U>,
}

/// Where a figure comes from.
#[derive(Clone, Debug)]
pub(crate) enum Expression {
    /// A number that the claim itself names.
    Number(f64),
    /// A field: of a variant, or of the whole document.
    Field(Field),
    Times(Box<Expression>, f64),
    Quotient(Box<Expression>, Box<Expression>),
}

#[derive(Clone, Debug)]
pub(crate) struct Field {
    pub(crate) variant: Option<String>,
    /// Names joined by dots: `ledger.peak_in_flight`.
    path: String,
    /// What stands before its value: `took`, `lost updates:`.
    lead: String,
    /// What stands behind its value: `requests in flight`; empty for most.
    noun: &'static str,
}

impl<U: Unit> Figure<U> {
    fn new(of: Expression) -> Self {
        Self {
            of,
            unit: PhantomData,
        }
    }

    fn number(value: f64) -> Self {
        Self::new(Expression::Number(value))
    }

    fn field(variant: &str, path: &str, lead: &str, noun: &'static str) -> Self {
        Self::new(Expression::Field(Field {
            variant: Some(variant.into()),
            path: path.into(),
            lead: lead.into(),
            noun,
        }))
    }

    /// What a step notes under `name`, of a variant or of the whole run.
    pub fn noted(variant: Option<&str>, name: &str) -> Self {
        Self::new(Expression::Field(Field {
            variant: variant.map(str::to_owned),
            path: format!("figures.{name}"),
            lead: format!("{}:", name.replace('_', " ")),
            noun: "",
        }))
    }
}

impl<U: Unit> Mul<f64> for Figure<U> {
    type Output = Self;

    fn mul(self, factor: f64) -> Self {
        Self::new(Expression::Times(Box::new(self.of), factor))
    }
}

impl<U: Unit> Div for Figure<U> {
    type Output = Figure<Ratio>;

    fn div(self, below: Self) -> Figure<Ratio> {
        Figure::new(Expression::Quotient(Box::new(self.of), Box::new(below.of)))
    }
}

/// So many things.
pub fn count(value: usize) -> Figure<Count> {
    Figure::number(value as f64)
}

/// So many seconds.
pub fn seconds(value: f64) -> Figure<Seconds> {
    Figure::number(value)
}

/// So many bytes.
pub fn bytes(value: f64) -> Figure<Bytes> {
    Figure::number(value)
}

/// So many times as much.
pub fn times(value: f64) -> Figure<Ratio> {
    Figure::number(value)
}

macro_rules! fields {
    ($($(#[$doc:meta])* $name:ident: $unit:ty, $path:literal, $lead:literal, $noun:literal;)*) => {$(
        $(#[$doc])*
        pub fn $name(variant: &str) -> Figure<$unit> {
            Figure::field(variant, $path, $lead, $noun)
        }
    )*};
}

fields! {
    /// The wall time of each round.
    wall: Seconds, "walls_s", "took", "";
    /// The wall time of the middle round, which is the one shown.
    middle_wall: Seconds, "wall_s", "took", "";
    /// CPU time in user mode, worker processes included.
    cpu_user: Seconds, "cpu_user_s", "used", "of CPU in user mode";
    /// CPU time in the kernel, worker processes included.
    cpu_system: Seconds, "cpu_system_s", "used", "of CPU in the kernel";
    /// How long its jobs were open, all lanes together.
    open: Seconds, "open_s", "had jobs open for", "in all";
    /// How long its jobs really ran, all lanes together.
    busy: Seconds, "busy_s", "worked for", "in all";
    /// The bound over the wall time, 0–1.
    efficiency: Ratio, "efficiency", "reached", "of its bound";
    /// Tasks handed in.
    submitted: Count, "ledger.submitted", "was given", "tasks";
    /// Tasks finished well.
    done: Count, "ledger.done", "finished", "tasks";
    /// Tasks that ended in an error, in each round.
    failed: Count, "failed_by_round", "failed", "tasks";
    /// Tasks that were cancelled.
    cancelled: Count, "ledger.cancelled", "cancelled", "tasks";
    /// Extra attempts.
    retried: Count, "ledger.retried", "made", "extra attempts";
    /// The most requests at once, counted by the server.
    in_flight: Count, "ledger.peak_in_flight", "had", "requests in flight, counted by the server";
    /// Connections, counted by the server.
    connections: Count, "ledger.connections", "used", "connections, counted by the server";
    /// The most threads of this process at once.
    threads: Count, "ledger.threads", "had", "threads";
    /// Processes that took part, this one included.
    processes: Count, "ledger.processes", "had", "processes";
    /// Most memory resident at once, worker processes added.
    peak_memory: Bytes, "ledger.peak_rss_bytes", "took", "of memory";
    /// Times a thread gave up its CPU to wait.
    waits: Count, "ledger.voluntary_switches", "waited", "times";
}

/// How many CPUs this process may use.
pub fn cpus() -> Figure<Count> {
    Figure::new(Expression::Field(Field {
        variant: None,
        path: "host.cpus".into(),
        lead: "CPUs:".into(),
        noun: "",
    }))
}

impl Expression {
    /// The fields that it is made of.
    pub(crate) fn fields(&self) -> Vec<&Field> {
        match self {
            Self::Number(_) => Vec::new(),
            Self::Field(field) => vec![field],
            Self::Times(of, _) => of.fields(),
            Self::Quotient(above, below) => [above.fields(), below.fields()].concat(),
        }
    }

    /// The values in the document: several where there were rounds, `None` where nobody could count.
    pub(crate) fn values(&self, document: &Value) -> Vec<Option<f64>> {
        match self {
            Self::Number(value) => vec![Some(*value)],
            Self::Times(of, factor) => {
                let values = of.values(document).into_iter();
                values.map(|value| Some(value? * factor)).collect()
            }
            Self::Quotient(above, below) => {
                let (above, below) = align(above.values(document), below.values(document));
                let pairs = above.into_iter().zip(below);
                pairs
                    .map(|(a, b)| Some(a? / b?).filter(|ratio| ratio.is_finite()))
                    .collect()
            }
            Self::Field(field) => match field.find(document) {
                Some(Value::Array(items)) => items.iter().map(Value::as_f64).collect(),
                Some(value) => vec![value.as_f64()],
                None => vec![None],
            },
        }
    }

    /// The expression as the document writes it, and as a test can read it back.
    pub(crate) fn written(&self) -> String {
        match self {
            Self::Number(value) => value.to_string(),
            Self::Times(of, factor) => format!("{factor} * {}", of.written()),
            Self::Quotient(above, below) => format!("{} / {}", above.written(), below.written()),
            Self::Field(field) => match &field.variant {
                Some(variant) => format!("[{variant}].{}", field.path),
                None => field.path.clone(),
            },
        }
    }

    /// The start of a sentence: who did how much of what.
    pub(crate) fn subject(&self, value: &str) -> String {
        match self {
            Self::Number(_) => value.to_owned(),
            Self::Field(field) => field.subject(value),
            Self::Times(of, factor) => {
                format!("{value}, {} × that of {}", format::plain(*factor), of.who())
            }
            Self::Quotient(above, below) => {
                format!("{} over {}: {value}", above.name(), below.name())
            }
        }
    }

    /// The end of a sentence that began with `subject`.
    pub(crate) fn object(&self, subject: &Self, value: &str, whole: &str) -> String {
        match self {
            Self::Number(_) => value.to_owned(),
            Self::Field(field) => field.object(subject, value),
            Self::Times(of, factor) => {
                let of = of.object(subject, whole, whole);
                format!("{} × {of}", format::plain(*factor))
            }
            Self::Quotient(above, below) => {
                format!("{value} ({} over {})", above.name(), below.name())
            }
        }
    }

    /// The expression without a factor in front.
    pub(crate) fn unscaled(&self) -> &Self {
        match self {
            Self::Times(of, _) => of.unscaled(),
            other => other,
        }
    }

    fn who(&self) -> String {
        let fields = self.fields();
        let variant = fields.first().and_then(|field| field.variant.as_ref());
        variant.map_or_else(|| "the run".into(), |variant| format!("`{variant}`"))
    }

    fn name(&self) -> String {
        match self {
            Self::Field(field) => field.name(),
            other => other.written(),
        }
    }

    /// Why it has no value.
    pub(crate) fn absence(&self) -> &'static str {
        let by_server = ["ledger.peak_in_flight", "ledger.connections"];
        let fields = self.fields();
        let mut paths = fields.iter().map(|field| field.path.as_str());
        if paths.any(|path| by_server.contains(&path)) {
            "only the lab's own server counts that"
        } else {
            "this platform does not report it"
        }
    }
}

impl Field {
    fn find<'a>(&self, document: &'a Value) -> Option<&'a Value> {
        find(document, self.variant.as_deref(), &self.path)
    }

    fn subject(&self, value: &str) -> String {
        let who = self.variant.as_ref();
        let who = who.map_or_else(String::new, |variant| format!("`{variant}` "));
        let text = format!("{who}{} {value} {}", self.lead, self.noun_of(value));
        text.trim_end().to_owned()
    }

    /// The noun behind a value: `1 thread`, `2 threads`.
    fn noun_of(&self, value: &str) -> String {
        let (first, rest) = self.noun.split_once(' ').unwrap_or((self.noun, ""));
        let singular = first.strip_suffix("es").filter(|it| it.ends_with("ss"));
        match singular.or_else(|| first.strip_suffix('s')) {
            Some(first) if value == "1" => format!("{first} {rest}").trim_end().to_owned(),
            _ => self.noun.to_owned(),
        }
    }

    fn object(&self, subject: &Expression, value: &str) -> String {
        let noun = match subject {
            Expression::Field(other) if other.noun == self.noun => String::new(),
            _ if self.noun.is_empty() => String::new(),
            _ => format!(" {}", self.noun_of(value)),
        };
        let same = subject.fields().first().map(|field| &field.variant) == Some(&self.variant);
        match &self.variant {
            _ if same && self.lead.ends_with(':') => {
                format!("{value} ({})", self.lead.trim_end_matches(':'))
            }
            Some(variant) if !same => format!("the {value}{noun} of `{variant}`"),
            Some(_) => format!("its {value}{noun}"),
            None => format!("{value} ({})", self.lead.trim_end_matches(':')),
        }
    }

    fn name(&self) -> String {
        let last = self.path.rsplit('.').next().unwrap_or_default();
        let name = last.trim_end_matches("_s").replace('_', " ");
        let name = if name == "walls" { "wall".into() } else { name };
        match &self.variant {
            Some(variant) => format!("{name} of `{variant}`"),
            None => name,
        }
    }
}

/// The value at `path` (names joined by dots) of a variant or of the whole document.
pub(crate) fn find<'a>(
    document: &'a Value,
    variant: Option<&str>,
    path: &str,
) -> Option<&'a Value> {
    let root = match variant {
        None => document,
        Some(name) => {
            let variants = document.get("variants")?.as_array()?;
            variants
                .iter()
                .find(|v| v.get("name").and_then(Value::as_str) == Some(name))?
        }
    };
    path.split('.')
        .try_fold(root, |value, name| value.get(name))
}
