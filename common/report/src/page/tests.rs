use super::*;
use crate::{CheckReport, RecordingReport, Source, TableReport, Verdict, tests::fixtures};
use timeline::{LaneKind, Level};

const HOSTILE: &str = "</script><script>alert(1)</script>\"'&\u{202e}";

/// The run of the other tests with a win.
fn document() -> Document {
    let mut document = fixtures::document();
    document.claims[0].checks = vec![CheckReport {
        left: "[both].walls_s".into(),
        left_values: vec![Some(1.0)],
        relation: "<".into(),
        right: "0.75 * [one].walls_s".into(),
        right_values: vec![Some(1.5)],
        least_rounds: 1,
    }];
    document
}

/// A variant with so many tasks that each wait and run in turn.
fn many(name: &str, wall_ms: u64, tasks: u64, spans: u64) -> Variant {
    let lane = |number| {
        let each = wall_ms as f64 / spans as f64;
        let at = |part: f64| (part * each) as u64;
        let span = |number: u64| {
            let number = number as f64;
            fixtures::span("fetch", at(number), at(number + 0.9), at(0.3))
        };
        fixtures::lane(
            LaneKind::Task,
            number,
            "task",
            (0..spans).map(span).collect(),
        )
    };
    let mut variant = fixtures::variant(name, wall_ms, 1.0, (0..tasks).map(lane).collect());
    variant.recording.levels.push(Level {
        name: "queue".into(),
        samples: vec![(fixtures::start(), 3.0), (fixtures::start(), 8.0)],
    });
    variant.recorded = RecordingReport::of(&variant.recording);
    variant
}

#[test]
fn a_page_says_what_was_won_and_asks_the_network_for_nothing() {
    let mut document = document();
    document.variants.push(many("many", 50, 50, 4));
    document.variants[2].speedup = None;
    document.tables = vec![table("own results")];
    document.sources = vec![Source {
        file: "lab/99/src/lib.rs".into(),
        text: "fn a_line() {}\n#[cfg(test)]\nmod tests {}".into(),
    }];
    let page = of(&[document], &[], None);
    for part in [
        "2.0 ×<small> as fast",
        "instead of <b data-variant=\"one\"><span data-field=\"wall_s\" data-value=\"2\">2.00 s",
        "<p class=\"remember\">One thread does one thing at a time.",
        "2.0 × as fast</span>",
        "waits overlap: 1.00 s instead of 2.00 s",
        "not shown: </b>work overlaps",
        "because there was none",
        "undecided: </b>it is fast",
        "Because it is drawn from fixed data.",
        "11 more lanes like these",
        "queue ≤ 8",
        "<caption>own results</caption>",
        "fn a_line() {}</li></ol>",
        "Twice as fast? <code>cargo run -p lab-99-example -- --workers 4</code>",
        "<code>cargo run -p lab-98-another</code> what comes after it?",
        "requests 10,000",
    ] {
        assert!(page.contains(part), "{part}");
    }
    let without_name = page.replace("http://www.w3.org/2000/svg", "");
    for word in ["http:", "https:", "src=", "@import", "url("] {
        assert!(!without_name.contains(word), "{word}");
    }
}

#[test]
fn nothing_is_won_that_no_claim_shows() {
    let won = |change: fn(&mut Document)| {
        let mut document = document();
        change(&mut document);
        of(&[document], &[], None).contains("<strong>")
    };
    assert!(won(|_| {}));
    assert!(!won(|one| one.claims[0].verdict = Verdict::NotShown));
    assert!(!won(|one| one.claims[0].headline = false));
    assert!(!won(|one| one.claims[0].checks[0].right = "0.5".into()));
    assert!(!won(
        |one| one.claims[0].checks[0].left = "[both].open_s".into()
    ));
    assert!(!won(|one| one.variants[1].wall_s = 1.9));
    // A quotient against a factor says so too.
    assert!(won(|one| {
        let check = &mut one.claims[0].checks[0];
        check.left = "[one].walls_s / [both].wall_s".into();
        (check.relation, check.right) = (">".into(), "1.10".into());
    }));
}

fn table(title: &str) -> TableReport {
    TableReport {
        title: title.into(),
        headings: vec![title.into()],
        rows: vec![vec![title.into()]],
        text_columns: vec![0],
        notes: vec![title.into()],
    }
}

/// Sets every text of a document to the same one, except names of fields and what is one of a few words.
fn hostile(value: &mut Value) {
    match value {
        Value::String(text) => *text = HOSTILE.into(),
        Value::Array(all) => all.iter_mut().for_each(hostile),
        Value::Object(fields) => {
            let fixed = |name: &str| ["verdict", "kind", "scale", "relation"].contains(&name);
            let fields = fields.iter_mut().filter(|(name, _)| !fixed(name));
            fields.for_each(|(_, value)| hostile(value));
        }
        _ => {}
    }
}

#[test]
fn what_others_wrote_stays_text_wherever_it_stands() {
    let mut document = document();
    document.variants.push(many("many", 50, 50, 4));
    document.tables = vec![table("a")];
    document.error = Some("c".into());
    document.sources = vec![Source {
        file: "d".into(),
        text: "e".into(),
    }];
    let mut value = serde_json::to_value(document).expect("plain data");
    hostile(&mut value);
    let document: Document = serde_json::from_value(value).expect("the same shape");
    for page in [
        of(std::slice::from_ref(&document), &[], None),
        of(&[document.clone(), document], &[HOSTILE.into()], None),
    ] {
        assert_eq!(page.matches("<script").count(), 2);
        assert_eq!(page.matches("</script").count(), 2);
        assert!(!page.contains('\u{202e}'));
        assert!(page.contains("alert(1)"));
    }
}

#[test]
fn several_steps_are_cards_with_a_list_and_what_failed() {
    let mut failed = document();
    failed.step = "lab-11-other".into();
    failed.variants.clear();
    failed.error = Some("it was interrupted".into());
    let mut first = document();
    first.step = "lab-02-one".into();
    let page = of(&[first, failed], &["lab-12 did not build".into()], None);
    for part in [
        "<h2>lab-02-one</h2>",
        "<a href=\"#lab-11-other\">",
        "<article class=\"card\" id=\"lab-11-other\">",
        "it was interrupted",
        "lab-12 did not build",
        "2 of 6 checks hold",
    ] {
        assert!(page.contains(part), "{part}");
    }
}

#[test]
fn a_page_stays_small_however_much_was_recorded() {
    let large = many("large", 10_000, 60, 1_000);
    let mut step = document();
    step.variants = vec![large; 2];
    let size = of(&vec![step; 23], &[], None).len();
    assert!(size < 6_000_000, "{size}");
}

#[test]
fn an_empty_run_is_a_page_too() {
    let mut empty = document();
    empty.variants.clear();
    assert!(!of(&[empty.clone()], &[], None).contains("data-run"));
    empty.variants = vec![fixtures::variant("endless", 0, 1.0, Vec::new())];
    let _ = of(&[empty], &[], None);
    let _ = of(&[], &[], None);
}

/// The colours that a style sheet gives its variables in the block that begins with `start`.
fn colours(start: &str) -> Vec<(String, [f64; 3])> {
    let from = STYLE.find(start).expect("the block is there") + start.len();
    let block = STYLE[from..].split('}').next().unwrap_or_default();
    let pairs = block
        .split(';')
        .filter_map(|pair| pair.trim().strip_prefix("--")?.split_once(": #"));
    pairs
        .map(|(name, digits)| {
            let channel =
                |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).expect("hexadecimal");
            let channels = [0, 2, 4].map(|at| f64::from(channel(at)) / 255.0);
            (name.to_owned(), channels)
        })
        .collect()
}

/// How light a colour is, as the accessibility guidelines compute it.
fn luminance(colour: [f64; 3]) -> f64 {
    let linear = colour.map(|c| match c <= 0.040_45 {
        true => c / 12.92,
        false => ((c + 0.055) / 1.055).powf(2.4),
    });
    0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
}

fn contrast(one: [f64; 3], other: [f64; 3]) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

#[test]
fn text_and_running_stand_out_and_waiting_is_pale_in_light_and_dark() {
    assert!((contrast([0.0; 3], [1.0; 3]) - 21.0).abs() < 1e-9);
    for block in [":root { color-scheme: light dark;", "dark) { :root {"] {
        let colours = colours(block);
        let of = |name: &str| colours.iter().find(|one| one.0 == name).expect(name).1;
        for name in ["ink", "soft", "link", "good", "bad", "unsure", "run"] {
            for back in ["paper", "panel"] {
                let ratio = contrast(of(name), of(back));
                assert!(ratio >= 4.5, "{block} {name} on {back}: {ratio:.2}");
            }
        }
        for wait in ["pale", "lock", "permit", "full", "empty", "rest", "still"] {
            assert!(contrast(of(wait), of("paper")) < 3.0, "{block} {wait}");
            assert!(contrast(of(wait), of("run")) > 3.0, "{block} {wait}");
            assert!(
                contrast(of(wait), of("ink")) >= 4.5,
                "{block}: code on {wait}"
            );
        }
    }
}

#[test]
fn headings_are_in_order_and_every_column_has_a_scope() {
    let page = of(&[document(), document()], &[], None);
    let mut level = 0;
    let headings = page.match_indices("<h");
    for heading in headings.filter_map(|(at, _)| page[at + 2..].chars().next()?.to_digit(10)) {
        assert!(heading <= level + 1, "h{heading} after h{level}");
        level = heading;
    }
    assert_eq!(page.matches("<th>").count(), 0);
    let images = page.matches("role=\"img\"").count();
    let hidden = page.matches("height=\"16\" aria-hidden").count();
    assert_eq!(page.matches("<svg").count(), images + hidden);
}

#[test]
fn the_tour_ends_with_the_table_that_it_is_given() {
    let table = TableReport {
        title: "What to use when".into(),
        headings: vec!["job".into(), "in Rust".into()],
        rows: vec![vec!["10 requests".into(), "threads, 10".into()]],
        ..TableReport::default()
    };
    let page = of(&[document(), document()], &[], Some(&table));
    let cards = page.rfind("<article").expect("cards");
    let found = page.find("threads, 10").expect("the table");
    assert!(cards < found, "below the cards");
}
