//! What standard error is told: one line for each variant with pages that did not come.

use lab_10_hybrid_pipeline::{
    outcome::{Finding, PageReport},
    totals::{Named, Totals},
    words::{REASON_CHARS, harmless},
};
use std::collections::HashSet;

/// Kinds of reasons that are told; the rest is counted.
const KINDS_TOLD: usize = 3;

/// What became of the pages that one variant was asked for by name, over all its rounds.
#[derive(Debug, Default)]
pub(crate) struct Complaint {
    rounds: usize,
    bad_rounds: usize,
    worst: Named,
    kinds: HashSet<String>,
    /// The first of each kind, in the order of the pages.
    reasons: Vec<String>,
}

impl Complaint {
    /// Adds a round. Pages that links led to are none of it; skipped ones are if nothing was parsed.
    pub(crate) fn add(&mut self, pages: &[PageReport], totals: &Totals) {
        let mut missing = totals.named;
        let is_empty = totals.parsed == 0;
        if !is_empty {
            missing.skipped = 0;
        }
        for page in pages.iter().filter(|page| !page.is_found) {
            match &page.finding {
                Finding::Failed { kind, error } => self.note(kind, || error.clone()),
                Finding::Skipped { kind, reason } if is_empty => {
                    self.note(kind, || format!("`{}`: {reason}", page.url));
                }
                Finding::Skipped { .. } | Finding::Parsed { .. } => {}
            }
        }
        self.rounds += 1;
        self.bad_rounds += usize::from(missing.failed + missing.skipped > 0);
        self.worst = self.worst.max(missing);
    }

    fn note(&mut self, kind: &str, reason: impl FnOnce() -> String) {
        // By kind and not by text: that has times in it, and each page's URL.
        if self.kinds.insert(kind.to_owned()) && self.reasons.len() < KINDS_TOLD {
            self.reasons.push(harmless(&reason(), REASON_CHARS));
        }
    }

    /// The line about the variant `name`; `None` when there is nothing to complain of.
    pub(crate) fn line(&self, name: &str) -> Option<String> {
        let Named {
            failed,
            skipped,
            asked,
        } = self.worst;
        let counts = match (failed, skipped) {
            (0, 0) => return None,
            (_, 0) => format!("{failed} of {asked} pages failed"),
            (0, _) => format!("{skipped} of {asked} pages skipped, none parsed"),
            _ => format!("{failed} of {asked} pages failed, {skipped} skipped"),
        };
        let rounds = match (self.bad_rounds, self.rounds) {
            (bad, all) if bad < all => format!(" at worst, in {bad} of {all} rounds"),
            _ => String::new(),
        };
        let more = match self.kinds.len() - self.reasons.len() {
            0 => String::new(),
            more => format!("; and {more} more kinds of reason"),
        };
        let reasons = self.reasons.join("; ");
        Some(format!("{name}: {counts}{rounds}: {reasons}{more}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(number: usize, finding: Finding) -> PageReport {
        PageReport {
            url: format!("http://h/{number}"),
            is_found: false,
            finding,
        }
    }

    fn failed(number: usize, kind: &str, error: &str) -> PageReport {
        let error = format!("`http://h/{number}` {error}");
        let kind = kind.to_owned();
        page(number, Finding::Failed { kind, error })
    }

    fn add(complaint: &mut Complaint, pages: &[PageReport]) {
        complaint.add(pages, &Totals::of(pages));
    }

    fn parsed(number: usize) -> PageReport {
        let finding = Finding::Parsed {
            title: String::new(),
            links: 0,
            length_bytes: 0,
            elapsed_s: 0.0,
            fingerprint: 0,
            pid: 0,
            note: None,
        };
        page(number, finding)
    }

    #[test]
    fn reasons_of_one_kind_are_told_once_whatever_times_they_name() {
        let mut complaint = Complaint::default();
        add(
            &mut complaint,
            &[
                parsed(0),
                failed(1, "timeout", "after 1.01 s"),
                failed(2, "timeout", "after 1.02 s"),
                failed(3, "status 404", "answered 404"),
            ],
        );
        add(
            &mut complaint,
            &[
                parsed(0),
                failed(1, "timeout", "after 1.03 s"),
                parsed(2),
                parsed(3),
            ],
        );
        add(
            &mut complaint,
            &[parsed(0), parsed(1), parsed(2), parsed(3)],
        );
        assert_eq!(
            complaint.line("x").as_deref(),
            Some(
                "x: 3 of 4 pages failed at worst, in 2 of 3 rounds: \
                 `http://h/1` after 1.01 s; `http://h/3` answered 404"
            )
        );
    }

    #[test]
    fn three_kinds_are_told_and_the_rest_is_counted() {
        let mut complaint = Complaint::default();
        let kinds = ["a", "b", "c", "d", "e"];
        let pages = kinds
            .iter()
            .enumerate()
            .map(|(n, kind)| failed(n, kind, kind));
        add(&mut complaint, &pages.collect::<Vec<_>>());
        let line = complaint.line("x").expect("all failed");
        assert!(
            line.starts_with("x: 5 of 5 pages failed: `http://h/0` a; "),
            "{line}"
        );
        assert!(
            line.ends_with("`http://h/2` c; and 2 more kinds of reason"),
            "{line}"
        );
    }

    #[test]
    fn skipped_pages_count_when_nothing_was_parsed_and_found_ones_never() {
        let skipped = || Finding::Skipped {
            kind: "not HTML".into(),
            reason: "not HTML but `x`".into(),
        };
        let mut fine = Complaint::default();
        let mut found = failed(2, "status 404", "answered 404");
        found.is_found = true;
        add(&mut fine, &[parsed(0), page(1, skipped()), found]);
        assert_eq!(fine.line("x"), None);

        let mut empty = Complaint::default();
        add(&mut empty, &[page(1, skipped())]);
        assert_eq!(
            empty.line("x").as_deref(),
            Some("x: 1 of 1 pages skipped, none parsed: `http://h/1`: not HTML but `x`")
        );
    }
}
