//! What the tour reads from a step's document, and how it tells it.

use common::format;
use serde::{Deserialize, Serialize};

/// The part of a step's document that a tour tells.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Document {
    /// The package.
    pub step: String,
    /// What was measured.
    pub variants: Vec<Variant>,
    /// What follows.
    pub claims: Vec<Claim>,
}

/// One measured variant.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Variant {
    /// Its name.
    pub name: String,
    /// Wall time of the middle run.
    pub wall_s: f64,
    /// The first variant's wall time over this one's.
    pub speedup: Option<f64>,
    /// The best attainable wall time.
    pub bound_s: Option<f64>,
    /// `bound_s` over `wall_s`.
    pub efficiency: Option<f64>,
}

/// One claim.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Claim {
    /// What is claimed.
    pub text: String,
    /// `shown`, `not_shown` or `inconclusive`.
    pub verdict: String,
    /// Why it was not shown.
    pub reason: Option<String>,
}

impl Document {
    /// How many of the claims the run showed, of how many.
    pub fn claims_shown(&self) -> (usize, usize) {
        let shown = self
            .claims
            .iter()
            .filter(|claim| claim.verdict == "shown")
            .count();
        (shown, self.claims.len())
    }

    /// A finished step in one line of at most `width` columns.
    pub fn line(&self, elapsed_s: f64, width: usize) -> String {
        let (shown, all) = self.claims_shown();
        let mark = if shown == all { "✓" } else { "–" };
        let line = row(
            mark,
            &self.step,
            &format::seconds_f64(elapsed_s),
            &format!("{shown}/{all}"),
            &self.gist(),
        );
        console::truncate_str(&line, width, "…").into_owned()
    }

    /// The variant that beats the first one by most; the only one; or how many there are.
    fn gist(&self) -> String {
        let compared = self.variants.iter().skip(1);
        let compared = compared.filter_map(|variant| Some((variant, variant.speedup?)));
        let told = |variant: &Variant| {
            let wall = format::seconds_f64(variant.wall_s);
            format!("{}, {wall}", variant.name)
        };
        match (
            compared.max_by(|a, b| a.1.total_cmp(&b.1)),
            self.variants.as_slice(),
        ) {
            (Some((best, ratio)), _) => format!("{}, {ratio:.1}×", told(best)),
            (None, [only]) => told(only),
            (None, all) => format!("{} variants", all.len()),
        }
    }
}

/// What stands above the lines of the steps.
pub fn head() -> String {
    row(" ", "step", "took", "shown", "best variant")
}

fn row(mark: &str, step: &str, took: &str, shown: &str, gist: &str) -> String {
    format!("{mark} {step:<30} {took:>7}  {shown:>5}  {gist}")
}

/// The closing table: a row per variant of every step.
pub fn table(documents: &[Document], width: usize) -> String {
    let mut rows = Vec::new();
    for document in documents {
        let (shown, all) = document.claims_shown();
        for (index, variant) in document.variants.iter().enumerate() {
            let first = index == 0;
            rows.push(vec![
                if first {
                    short(&document.step)
                } else {
                    String::new()
                },
                variant.name.clone(),
                format::seconds_f64(variant.wall_s),
                variant
                    .speedup
                    .map_or("–".into(), |ratio| format!("{ratio:.2}×")),
                variant.bound_s.map_or("–".into(), format::seconds_f64),
                variant.efficiency.map_or("–".into(), format::percent),
                if first {
                    format!("{shown}/{all}")
                } else {
                    String::new()
                },
            ]);
        }
    }
    let names = [
        "step", "variant", "wall", "speed-up", "bound", "of bound", "shown",
    ];
    report::table(&names, rows, &[0, 1], width)
}

/// `lab-07-locks` as `lab-07`.
fn short(step: &str) -> String {
    step.splitn(3, '-').take(2).collect::<Vec<_>>().join("-")
}

/// The claims that a run did not show, each with its reason.
pub fn not_shown(documents: &[Document]) -> Vec<String> {
    let claims = documents
        .iter()
        .flat_map(|document| document.claims.iter().map(move |claim| (document, claim)));
    let open = claims.filter(|(_, claim)| claim.verdict != "shown");
    open.map(|(document, claim)| {
        let mark = if claim.verdict == "not_shown" {
            "✗ not shown here"
        } else {
            "– could not tell"
        };
        let reason = claim.reason.as_deref().unwrap_or("no reason given");
        format!(
            "{mark} ({}): {}, because {reason}",
            short(&document.step),
            claim.text
        )
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document() -> Document {
        let variant = |name: &str, wall_s, speedup| Variant {
            name: name.into(),
            wall_s,
            speedup: Some(speedup),
            bound_s: Some(1.0),
            efficiency: Some(1.0 / wall_s),
        };
        let claim = |verdict: &str| Claim {
            text: "waits overlap".into(),
            verdict: verdict.into(),
            reason: (verdict != "shown").then(|| "there was nothing to wait for".into()),
        };
        Document {
            step: "lab-02-threaded-fetch".into(),
            variants: vec![
                variant("sequential", 10.0, 1.0),
                variant("threaded", 1.25, 8.0),
            ],
            claims: vec![claim("shown"), claim("inconclusive")],
        }
    }

    #[test]
    fn a_line_names_the_step_the_best_variant_and_the_claims() {
        assert_eq!(
            document().line(11.5, 80),
            "– lab-02-threaded-fetch           11.5 s    1/2  threaded, 1.25 s, 8.0×"
        );
    }

    #[test]
    fn without_a_speed_up_no_variant_is_called_the_best() {
        let mut document = document();
        for variant in &mut document.variants {
            variant.speedup = None;
        }
        assert!(document.line(1.0, 80).ends_with("2 variants"));
        document.variants.truncate(1);
        assert!(document.line(1.0, 80).ends_with("sequential, 10.0 s"));
    }

    #[test]
    fn a_line_keeps_to_its_width() {
        let mut document = document();
        document.variants[1].name = "a name that goes on and on and on".into();
        let line = document.line(11.5, 80);
        assert_eq!(line.chars().count(), 80, "{line}");
        assert!(line.ends_with('…'), "{line}");
    }

    #[test]
    fn the_table_has_a_row_per_variant_and_names_the_step_once() {
        let expected = "\
step    variant     wall  speed-up   bound  of bound  shown
lab-02  sequential  10.0 s     1.00×  1.00 s      10 %    1/2
        threaded    1.25 s     8.00×  1.00 s      80 %
";
        let table = anstream::adapter::strip_str(&table(&[document()], 80)).to_string();
        let squeeze = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(squeeze(&table), squeeze(expected));
        assert_eq!(table.lines().count(), 3);
    }

    #[test]
    fn a_claim_that_did_not_show_is_told_with_its_reason() {
        assert_eq!(
            not_shown(&[document()]),
            ["– could not tell (lab-02): waits overlap, because there was nothing to wait for"]
        );
    }
}
