//! The page in a real browser: from disk, with a mouse and without, on paper and in the dark.

#![cfg(unix)]

mod browser;
mod support;

use browser::Browser;
use common::format;
use serde_json::{Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};
use support::binaries;
use tempfile::TempDir;
use testing::{run, run_command, variant};

/// A run of two variants with its page and its JSON, both of the same run.
struct Run {
    _folder: TempDir,
    page: PathBuf,
    document: Value,
}

fn a_run() -> &'static Run {
    static RUN: OnceLock<Run> = OnceLock::new();
    RUN.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a folder");
        let page = folder.path().join("page.html");
        let place = page.to_str().expect("plain letters");
        let arguments = ["--delay", "0.05", "--json", "--report", place];
        let document = run(&binaries()["lab-02-threaded-fetch"], &arguments)
            .well()
            .document();
        Run {
            _folder: folder,
            page,
            document,
        }
    })
}

/// A browser that has the page open, if there is a browser.
fn opened() -> Option<Browser> {
    let mut browser = Browser::start(&browser::find()?);
    browser.open(&a_run().page);
    Some(browser)
}

const PICTURE: &str = "document.querySelector('.variant .picture')";

/// Where the first picture is: left, top, width, height.
fn place_of_picture(browser: &mut Browser) -> [f64; 4] {
    let expression = format!(
        "(() => {{ {PICTURE}.scrollIntoView({{block: 'center'}}); const b = {PICTURE}.getBoundingClientRect(); \
         return [b.left, b.top, b.width, b.height]; }})()"
    );
    let place = browser.eval(&expression);
    [0, 1, 2, 3].map(|at| place[at].as_f64().expect("a number"))
}

/// Where the views of all pictures begin and how wide they are.
fn views(browser: &mut Browser) -> Vec<(f64, f64)> {
    let views = browser.eval(
        "[...document.querySelectorAll('.picture')].map((one) => [one.viewBox.baseVal.x, one.viewBox.baseVal.width])",
    );
    let all = views.as_array().expect("a list").iter();
    all.map(|view| {
        (
            view[0].as_f64().expect("x"),
            view[1].as_f64().expect("width"),
        )
    })
    .collect()
}

#[test]
fn the_page_loads_from_disk_without_an_error_or_any_other_request() {
    let Some(mut browser) = opened() else { return };
    assert_eq!(
        browser.eval("document.documentElement.dataset.ready"),
        "yes"
    );
    assert!(browser.told("Runtime.exceptionThrown").is_empty());
    assert!(browser.told("Runtime.consoleAPICalled").is_empty());
    assert!(browser.told("Log.entryAdded").is_empty());
    let requests = browser.told("Network.requestWillBeSent");
    let urls = requests
        .iter()
        .filter_map(|request| request["request"]["url"].as_str());
    let others: Vec<&str> = urls.filter(|url| !url.starts_with("data:")).collect();
    assert_eq!(others, [format!("file://{}", a_run().page.display())]);
}

#[test]
fn the_numbers_on_the_page_are_those_of_the_same_runs_json() {
    let Some(mut browser) = opened() else { return };
    let cells = browser.eval(
        "[...document.querySelectorAll('[data-field]')].map((cell) => \
         [cell.closest('tr').dataset.variant, cell.dataset.field, Number(cell.dataset.value), cell.textContent])",
    );
    let cells = cells.as_array().expect("cells");
    assert!(cells.len() >= 20, "{}", cells.len());
    for cell in cells {
        let field = cell[1].as_str().expect("a name");
        let one = variant(&a_run().document, cell[0].as_str().expect("a name"));
        let figure = one.get(field).or_else(|| one["ledger"].get(field));
        let figure = figure
            .and_then(Value::as_f64)
            .unwrap_or_else(|| panic!("no {field}"));
        assert_eq!(cell[2].as_f64(), Some(figure), "{cell}");
        let shown = match field {
            "speedup" => format!("{figure:.2}×"),
            "efficiency" => format::percent(figure),
            "peak_rss_bytes" => format::bytes(figure),
            _ if field.ends_with("_s") => format::seconds_f64(figure),
            _ => format::plain(figure),
        };
        assert_eq!(cell[3].as_str().map(str::trim), Some(&*shown), "{cell}");
    }
    let raw = browser.eval("JSON.parse(document.getElementById('figures').textContent).steps[0]");
    for (own, theirs) in raw["variants"].as_array().into_iter().flatten().zip(
        a_run().document["variants"]
            .as_array()
            .into_iter()
            .flatten(),
    ) {
        for (name, value) in own.as_object().into_iter().flatten() {
            assert!(same(value, &theirs[name]), "{name}: {value}");
        }
    }
    assert!(same(&raw["params"], &a_run().document["params"]), "{raw}");
}

/// Whether two pieces of JSON say the same; to a browser 0.0 is 0.
fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one.as_f64() == other.as_f64(),
        (Value::Object(one), Value::Object(other)) => {
            let alike = |(name, value)| other.get(name).is_some_and(|other| same(value, other));
            one.len() == other.len() && one.iter().all(alike)
        }
        _ => one == other,
    }
}

#[test]
fn pointing_at_a_bar_tells_its_span() {
    let Some(mut browser) = opened() else { return };
    let [left, top, width, _] = place_of_picture(&mut browser);
    browser.mouse("mouseMoved", left + width * 0.25, top + 10.0, json!({}));
    browser.until("document.querySelector('.told').textContent.includes('fetch')");
    let told = browser.eval("document.querySelector('.told').textContent");
    let told = told.as_str().expect("text");
    for words in ["main: ", " to ", "ran ", "did not run ", "waits for I/O"] {
        assert!(told.contains(words), "{words} in {told}");
    }
    assert_eq!(
        browser.eval("document.querySelectorAll('.chosen').length"),
        1
    );
    browser.mouse("mouseMoved", left + width * 0.25, top - 30.0, json!({}));
    browser.until("document.querySelector('.told').textContent === ''");
}

#[test]
fn zoom_by_button_wheel_and_key_moves_all_variants_alike() {
    let Some(mut browser) = opened() else { return };
    let whole = views(&mut browser);
    assert!(
        whole.len() == 2 && whole.iter().all(|view| *view == whole[0]),
        "{whole:?}"
    );
    browser.eval("document.querySelector('.zoom-in').click()");
    let zoomed = views(&mut browser);
    assert!(
        zoomed.iter().all(|view| view.1 == whole[0].1 / 2.0),
        "{zoomed:?}"
    );
    let [left, top, width, _] = place_of_picture(&mut browser);
    let (x, y) = (left + width * 0.5, top + 10.0);
    // Ctrl is the second bit of the modifiers.
    browser.mouse(
        "mouseWheel",
        x,
        y,
        json!({ "deltaX": 0, "deltaY": -120, "modifiers": 2 }),
    );
    browser.until(&format!(
        "{PICTURE}.viewBox.baseVal.width < {}",
        zoomed[0].1
    ));
    let before = views(&mut browser);
    let held = json!({ "button": "left", "buttons": 1, "clickCount": 1 });
    browser.mouse("mousePressed", x, y, held.clone());
    browser.mouse("mouseMoved", x - 100.0, y, held.clone());
    browser.mouse("mouseReleased", x - 100.0, y, held);
    let panned = views(&mut browser);
    assert!(
        panned[0].0 > before[0].0 && panned[0].1 == before[0].1,
        "{before:?} {panned:?}"
    );
    assert_eq!(panned[0], panned[1]);
    browser.eval(&format!("{PICTURE}.focus()"));
    browser.key("0", 48, "0");
    assert_eq!(views(&mut browser), whole);
    browser.key("+", 187, "+");
    assert!(views(&mut browser)[1].1 < whole[1].1);
    let tick = "document.querySelector('.axis.shared span').textContent";
    let first = browser.eval(tick);
    assert_ne!(first, "0 s", "the axis follows");
    browser.key("-", 189, "-");
    assert_eq!(views(&mut browser), whole);
}

#[test]
fn the_keyboard_goes_from_span_to_span_and_the_view_follows() {
    let Some(mut browser) = opened() else { return };
    browser.eval(&format!("{PICTURE}.focus()"));
    browser.key("ArrowRight", 39, "");
    let told = "document.querySelector('.told').textContent";
    let first = browser.eval(told);
    assert!(
        first
            .as_str()
            .is_some_and(|text| text.starts_with("main: ")),
        "{first}"
    );
    browser.key("ArrowRight", 39, "");
    assert_ne!(browser.eval(told), first);
    for _ in 0..4 {
        browser.key("+", 187, "+");
    }
    let before = views(&mut browser);
    for _ in 0..9 {
        browser.key("ArrowRight", 39, "");
    }
    assert!(
        views(&mut browser)[0].0 > before[0].0,
        "the last span is out of view at first"
    );
    browser.eval("document.querySelectorAll('.picture')[1].focus()");
    browser.key("ArrowRight", 39, "");
    browser.key("ArrowDown", 40, "");
    let below = browser.eval(told);
    assert!(
        below
            .as_str()
            .is_some_and(|text| !text.starts_with("main: ") && !text.is_empty()),
        "{below}"
    );
}

#[test]
fn playback_moves_one_clock_over_all_variants_and_can_be_held() {
    let Some(mut browser) = opened() else { return };
    browser.eval(
        "document.querySelector('.speed').value = '4'; document.querySelector('.play').click()",
    );
    browser.until("document.querySelectorAll('.picture .cursor').length === 2");
    let at = "Number(document.querySelector('.veil').getAttribute('x'))";
    let before = browser.eval(at).as_f64().expect("a number");
    browser.until(&format!(
        "!document.querySelector('.veil') || {at} > {before}"
    ));
    browser.eval("document.querySelector('.moment').value = 500; document.querySelector('.moment').dispatchEvent(new Event('input'))");
    assert_eq!(
        browser.eval("document.querySelector('.play').textContent"),
        "Play"
    );
    let places = browser.eval(
        "[...document.querySelectorAll('.picture .veil')].map((one) => one.getAttribute('x'))",
    );
    assert_eq!(places[0], "50000");
    let clock = browser.eval("document.querySelector('.clock').textContent");
    assert!(
        clock.as_str().is_some_and(|text| text.contains(" of ")),
        "{clock}"
    );
    browser.eval("document.querySelector('.play').click()");
    browser.until("document.querySelector('.clock').textContent.startsWith('whole')");
    assert_eq!(
        browser.eval("document.querySelectorAll('.veil, .cursor').length"),
        0
    );
}

#[test]
fn who_wants_less_motion_gets_a_few_still_pictures() {
    let Some(mut browser) = opened() else { return };
    let calm = json!({ "features": [{ "name": "prefers-reduced-motion", "value": "reduce" }] });
    browser.call("Emulation.setEmulatedMedia", calm);
    // Every place that the cursor ever takes.
    browser.eval(
        "window.places = new Set(); new MutationObserver(() => document.querySelectorAll('.picture .veil').forEach((one) => \
         window.places.add(one.getAttribute('x')))).observe(document.body, { subtree: true, childList: true }); \
         document.querySelector('.speed').value = '4'; document.querySelector('.play').click()",
    );
    browser.until("document.querySelector('.play').textContent === 'Play'");
    let count = browser
        .eval("window.places.size")
        .as_u64()
        .expect("a count");
    assert!((2..=40).contains(&count), "{count}");
}

#[test]
fn without_a_script_everything_is_there_to_read() {
    let Some(mut browser) = opened() else { return };
    browser.call(
        "Emulation.setScriptExecutionDisabled",
        json!({ "value": true }),
    );
    browser.open(&a_run().page);
    assert_eq!(
        browser.eval("document.documentElement.dataset.ready ?? 'no'"),
        "no"
    );
    let text = browser.eval("document.body.innerText");
    let text = text.as_str().expect("text");
    for words in [
        "sequential",
        "threaded",
        "✓ shown",
        "Times",
        "Ledger",
        "What moved",
        "Again: ",
    ] {
        assert!(text.contains(words), "{words}");
    }
    let sizes = browser.eval(
        "[...document.querySelectorAll('.picture, .chart svg')].map((one) => { const b = one.getBoundingClientRect(); \
         return Math.min(b.width, b.height); })",
    );
    let sizes = sizes.as_array().expect("sizes");
    assert!(sizes.len() >= 3, "{sizes:?}");
    assert!(
        sizes
            .iter()
            .all(|size| size.as_f64().is_some_and(|size| size >= 15.0)),
        "{sizes:?}"
    );
    let bars = browser.eval("[...document.querySelectorAll('.picture')].every((one) => one.querySelector('path:not(.end)'))");
    assert_eq!(bars, true);
}

#[test]
fn nothing_sticks_out_on_a_phone_or_a_screen_in_light_dark_and_print() {
    let Some(mut browser) = opened() else { return };
    for width in [360, 1280] {
        let screen =
            json!({ "width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 500 });
        browser.call("Emulation.setDeviceMetricsOverride", screen);
        // The text is as wide as what is left beside a scrollbar.
        let fits = "document.documentElement.scrollWidth <= document.documentElement.clientWidth";
        assert_eq!(browser.eval(fits), true, "{width}");
    }
    let paper = "getComputedStyle(document.body).backgroundColor";
    let mut seen = Vec::new();
    for scheme in ["light", "dark"] {
        let media = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        browser.call("Emulation.setEmulatedMedia", media);
        seen.push(browser.eval(paper));
    }
    assert_eq!(seen[0], "rgb(255, 255, 255)");
    assert_ne!(seen[0], seen[1]);
    // A hand-out is light whatever the screen is.
    let media = json!({ "media": "print", "features": [{ "name": "prefers-color-scheme", "value": "dark" }] });
    browser.call("Emulation.setEmulatedMedia", media);
    assert_eq!(browser.eval(paper), seen[0]);
    assert_eq!(
        browser.eval("getComputedStyle(document.querySelector('.controls')).display"),
        "none"
    );
    let pdf = browser.call("Page.printToPDF", json!({ "printBackground": false }));
    // What every PDF begins with, in base 64.
    assert!(
        pdf["data"]
            .as_str()
            .is_some_and(|data| data.starts_with("JVBERi0") && data.len() > 10_000)
    );
}

#[test]
fn a_page_of_several_steps_leads_to_each() {
    let folder = tempfile::tempdir().expect("a folder");
    let page = folder.path().join("path.html");
    let mut tour = Command::new(&binaries()["lab-00-tour"]);
    tour.args(["--no-build", "--only", "basics", "--json", "--report"])
        .arg(&page);
    let _ = run_command(tour).well();
    let text = fs::read_to_string(&page).expect("it was written");
    assert!(text.len() < 500_000, "{}", text.len());
    let Some(program) = browser::find() else {
        return;
    };
    let mut browser = Browser::start(&program);
    browser.open(&page);
    let missing = "[...document.querySelectorAll('nav a')].filter((one) => !document.querySelector(one.hash)).length";
    assert_eq!(browser.eval(missing), 0);
    assert_eq!(browser.eval("document.querySelectorAll('nav a').length"), 4);
    assert_eq!(
        browser.eval("document.querySelectorAll('section.step').length"),
        4
    );
    assert!(browser.told("Runtime.exceptionThrown").is_empty());
}

#[test]
fn a_disk_that_fills_up_leaves_the_old_page_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    let page = folder.path().join("page.html");
    fs::write(&page, "the old one").expect("writable");
    let mut command = Command::new("/bin/sh");
    // In blocks of 512 bytes; without the signal the write fails as on a full disk.
    let script = "trap '' XFSZ; ulimit -f 8; exec \"$0\" --scale 0.01 --report \"$1\"";
    command
        .args(["-c", script])
        .arg(&binaries()["basics-0-sequential"])
        .arg(&page);
    let finished = run_command(command);
    finished.tells(&["✓ shown"]);
    let _ = finished.refused(1, &["cannot write the page", "--report"]);
    assert_eq!(fs::read_to_string(&page).expect("there"), "the old one");
    assert_eq!(fs::read_dir(folder.path()).expect("there").count(), 1);
}

#[test]
fn a_page_that_cannot_be_written_is_refused_before_anything_runs() {
    let finished = run(
        &binaries()["lab-02-threaded-fetch"],
        &["--report", "/nowhere/page.html"],
    );
    assert!(finished.stdout.is_empty(), "{}", finished.stdout);
    let _ = finished.refused(1, &["/nowhere/page.html", "--report"]);
    let folder = Path::new("/tmp");
    let finished = run(
        &binaries()["lab-02-threaded-fetch"],
        &["--report", folder.to_str().expect("plain")],
    );
    assert!(finished.stdout.is_empty(), "{}", finished.stdout);
    let _ = finished.refused(1, &["/tmp", "--report"]);
}
