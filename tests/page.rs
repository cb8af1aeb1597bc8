//! The page in a real browser: from disk, with a mouse and without, on paper and in the dark.

#![cfg(unix)]

mod browser;
mod support;

use browser::Browser;
use common::format;
use serde_json::{Value, json};
use std::{collections::BTreeSet, fs, path::PathBuf, process::Command, sync::OnceLock};
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

const PICTURE: &str = "document.querySelectorAll('.picture')";

/// Opens what is folded over the pictures, and says where one is: left, top, width.
fn place_of_picture(browser: &mut Browser, index: usize) -> [f64; 3] {
    let place = browser.eval(&format!(
        "(() => {{ document.querySelector('.timelines').closest('details').open = true; \
         const one = {PICTURE}[{index}]; one.scrollIntoView({{ block: 'center' }}); \
         const b = one.getBoundingClientRect(); return [b.left, b.top, b.width]; }})()"
    ));
    [0, 1, 2].map(|at| place[at].as_f64().expect("a number"))
}

/// Where the views of all pictures begin and how wide they are.
fn views(browser: &mut Browser) -> Vec<[f64; 2]> {
    let views = browser.eval(&format!(
        "[...{PICTURE}].map((one) => [one.viewBox.baseVal.x, one.viewBox.baseVal.width])"
    ));
    serde_json::from_value(views).expect("pairs of numbers")
}

#[test]
fn the_page_loads_from_disk_without_an_error_or_any_other_request() {
    let Some(mut browser) = opened() else { return };
    browser.is("document.documentElement.dataset.ready", "yes");
    for trouble in ["Runtime.exceptionThrown", "Log.entryAdded"] {
        assert!(browser.told(trouble).is_empty(), "{trouble}");
    }
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
        "[...document.querySelectorAll('[data-field]')].map((cell) => [cell.closest('[data-variant]')\
         .dataset.variant, cell.dataset.field, Number(cell.dataset.value), cell.textContent])",
    );
    assert!(cells[4].is_array(), "5 at least: {cells}");
    for cell in cells.as_array().expect("cells") {
        let field = cell[1].as_str().expect("a name");
        let one = variant(&a_run().document, cell[0].as_str().expect("a name"));
        let figure = one[field].as_f64().expect("a figure");
        let off = cell[2].as_f64().unwrap_or(-1.0) - figure;
        assert!(off.abs() <= 1e-9, "{cell}");
        let text = cell[3].as_str().expect("text");
        let compared = field == "speedup" && text.contains(" × as ");
        assert!(compared || text == format::seconds_f64(figure), "{cell}");
    }
    let rows = browser.eval(
        "[...document.querySelectorAll('tbody tr')].map((row) => [...row.children].map((cell) => cell.textContent))",
    );
    for one in a_run().document["variants"].as_array().expect("variants") {
        let wall = format::seconds_f64(one["wall_s"].as_f64().expect("a figure"));
        let mut rows = rows.as_array().expect("rows").iter();
        let is_told = rows.any(|row| row[0] == one["name"] && row[1] == *wall);
        assert!(is_told, "{wall}");
    }
    let raw = browser.eval("JSON.parse(document.getElementById('runs').textContent)[0]");
    for name in ["step", "host", "params", "claims", "figures", "remember"] {
        assert!(same(&raw[name], &a_run().document[name]), "{name}");
    }
    for own in raw["variants"].as_array().expect("variants") {
        let theirs = variant(&a_run().document, own["name"].as_str().expect("a name"));
        for name in ["walls_s", "speedup", "bound_s", "ledger", "lanes"] {
            assert!(same(&own[name], &theirs[name]), "{name}");
        }
    }
}

/// Whether two pieces of JSON say the same; to a browser 0.0 is 0.
fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one.as_f64() == other.as_f64(),
        (Value::Object(one), Value::Object(other)) => {
            let alike = |(name, value)| other.get(name).is_some_and(|other| same(value, other));
            one.len() == other.len() && one.iter().all(alike)
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        _ => one == other,
    }
}

#[test]
fn the_first_screenful_has_the_win_the_bars_and_the_claims() {
    let Some(mut browser) = opened() else { return };
    browser.size(1280);
    let run = a_run();
    let walls =
        ["sequential", "threaded"].map(|name| variant(&run.document, name)["wall_s"].as_f64());
    let walls = walls.map(|wall| format::seconds_f64(wall.expect("a number")));
    let seen = browser.eval(
        "[...document.querySelectorAll('.win strong, .win b, .remember, .bars li, .glance > div > .claims li')]\
         .filter((one) => one.getBoundingClientRect().bottom <= innerHeight).map((one) => one.innerText)",
    );
    let seen: Vec<String> = serde_json::from_value(seen).expect("texts");
    let claims = run.document["claims"].as_array().expect("claims").iter();
    let headlines = claims.filter(|claim| claim["headline"] == true).count();
    assert_eq!(seen.len(), 1 + 2 + 1 + 2 + headlines, "{seen:#?}");
    assert!(seen[0].ends_with("as fast"), "{seen:#?}");
    assert_eq!(&seen[1..3], [&*walls[1], &*walls[0]]);
    browser.is("document.querySelectorAll('.section[open]').length", 0);
}

#[test]
fn pointing_at_a_bar_says_at_the_pointer_what_it_is_and_marks_its_line() {
    let Some(mut browser) = opened() else { return };
    let [left, top, width] = place_of_picture(&mut browser, 0);
    let (x, y) = (left + width * 0.25, top + 8.0);
    browser.mouse("mouseMoved", x, y, json!({}));
    browser.until("document.querySelector('.tip').textContent.includes('fetch')");
    let tip = browser.eval("document.querySelector('.tip').textContent");
    let tip = tip.as_str().expect("text");
    for words in ["main: ", " to ", "ran ", "waited ", "(io)"] {
        assert!(tip.contains(words), "{words} in {tip}");
    }
    for (side, pointer) in [("left", x), ("top", y)] {
        let place = format!("document.querySelector('.tip').getBoundingClientRect().{side}");
        browser.is(&format!("Math.abs({place} - {pointer}) < 120"), true);
    }
    let span = &variant(&a_run().document, "sequential")["lanes"][0]["spans"][0];
    let line = line_of(span);
    assert_eq!(line.0, "lab/02-threaded-fetch/src/lib.rs");
    assert_eq!(marked(&mut browser, "pointed"), [line].into());
    browser.mouse("mouseMoved", x, top - 30.0, json!({}));
    browser.until("document.querySelector('.tip').hidden");
    assert!(marked(&mut browser, "pointed").is_empty());
}

/// The file and line of a span.
fn line_of(span: &Value) -> (String, u64) {
    let file = span["file"].as_str().expect("spans know their file");
    (file.into(), span["line"].as_u64().expect("and line"))
}

/// The file and line of the code that has a class.
fn marked(browser: &mut Browser, class: &str) -> BTreeSet<(String, u64)> {
    let lines = browser.eval(&format!(
        "[...document.querySelectorAll('.code li.{class}')].map((one) => \
         [one.parentElement.dataset.file, [...one.parentElement.children].indexOf(one) + 1])"
    ));
    serde_json::from_value(lines).expect("files with lines")
}

#[test]
fn playback_moves_one_clock_over_all_variants_and_lights_the_lines_that_the_recording_names() {
    let Some(mut browser) = opened() else { return };
    let _ = place_of_picture(&mut browser, 0);
    browser.eval(
        "document.querySelector('.speed').value = '4'; document.querySelector('.play').click()",
    );
    browser.until("document.querySelectorAll('.picture .cursor').length === 2");
    browser.until("Number(document.querySelector('.veil').getAttribute('x')) > 0");
    let longest = variant(&a_run().document, "sequential")["wall_s"].as_f64();
    for thousandths in [10, 50, 500] {
        browser.eval(&format!(
            "(() => {{ const moment = document.querySelector('.moment'); moment.value = {thousandths}; \
             moment.dispatchEvent(new Event('input')); }})()"
        ));
        let at = longest.expect("a number") * f64::from(thousandths) / 1000.0;
        let threads = open_at("threaded", at);
        let lanes = [open_at("sequential", at), threads.clone()].concat();
        assert_eq!(marked(&mut browser, "waits"), BTreeSet::from_iter(lanes));
        let words = browser.eval(
            "[...document.querySelectorAll('.code li.waits')].map(line => line.dataset.lanes).join()",
        );
        let says = format!("threaded: {} wait", threads.len());
        let is_said = words.as_str().expect("text").contains(&says);
        assert_eq!(is_said, threads.len() > 1, "{words}");
    }
    browser.is("document.querySelector('.play').textContent", "Play");
    browser.eval("document.querySelector('.play').click()");
    browser.until("document.querySelector('.clock').textContent.startsWith('whole')");
    let left = "document.querySelectorAll('.veil, .cursor, .code .waits').length";
    browser.is(left, 0);
}

/// The lines at which the lanes of a variant are at a moment, as the recording has it.
fn open_at(name: &str, at: f64) -> Vec<(String, u64)> {
    let lanes = variant(&a_run().document, name)["lanes"].as_array();
    let lanes = lanes.into_iter().flatten();
    let spans = lanes.flat_map(|lane| lane["spans"].as_array()).flatten();
    let is_open =
        |span: &&Value| span["start_s"].as_f64() <= Some(at) && Some(at) < span["end_s"].as_f64();
    spans.filter(is_open).map(line_of).collect()
}

#[test]
fn zoom_by_button_wheel_and_key_moves_all_variants_alike_and_arrows_go_from_span_to_span() {
    let Some(mut browser) = opened() else { return };
    let [left, top, width] = place_of_picture(&mut browser, 0);
    let whole = views(&mut browser);
    assert!(whole.len() == 2 && whole[0] == whole[1], "{whole:?}");
    browser.eval("document.querySelector('.zoom-in').click()");
    let zoomed = views(&mut browser);
    let half = whole[0][1] / 2.0;
    assert!(zoomed.iter().all(|view| view[1] == half), "{zoomed:?}");
    let (x, y) = (left + width * 0.5, top + 8.0);
    // Ctrl is the second bit of the modifiers.
    let turn = json!({ "deltaX": 0, "deltaY": -120, "modifiers": 2 });
    browser.mouse("mouseWheel", x, y, turn);
    let narrower = format!("{PICTURE}[0].viewBox.baseVal.width < {}", zoomed[0][1]);
    browser.until(&narrower);
    let before = views(&mut browser);
    let held = json!({ "button": "left", "buttons": 1, "clickCount": 1 });
    for (kind, left) in [("Pressed", 0.0), ("Moved", 100.0), ("Released", 100.0)] {
        browser.mouse(&format!("mouse{kind}"), x - left, y, held.clone());
    }
    let panned = views(&mut browser);
    let is_moved = panned[0][0] > before[0][0] && panned[0][1] == before[0][1];
    assert!(is_moved && panned[0] == panned[1], "{before:?} {panned:?}");
    browser.eval(&format!("{PICTURE}[0].focus()"));
    browser.key("0", 48, "0");
    assert_eq!(views(&mut browser), whole);
    browser.key("+", 187, "+");
    let tick = browser.eval("document.querySelector('.axis.shared span').textContent");
    assert_ne!(tick, "0 s", "the axis follows");
    (0..9).for_each(|_| browser.key("ArrowRight", 39, ""));
    browser.is(
        "document.querySelector('.tip').textContent.split(':')[0]",
        "main",
    );
    let after = views(&mut browser);
    assert!(
        after[0][0] > 0.25 * whole[0][1],
        "the last span is out of view at first"
    );
}

#[test]
fn who_wants_less_motion_gets_a_few_still_pictures() {
    let Some(mut browser) = opened() else { return };
    browser.media("screen", ["reduced-motion", "reduce"]);
    // Every place that the cursor ever takes.
    browser.eval(
        "window.places = new Set(); new MutationObserver(() => document.querySelectorAll('.picture .veil').forEach((one) => \
         window.places.add(one.getAttribute('x')))).observe(document.body, { subtree: true, childList: true }); \
         document.querySelector('.speed').value = '4'; document.querySelector('.play').click()",
    );
    browser.until("document.querySelector('.play').textContent === 'Play'");
    browser.is("window.places.size >= 2 && window.places.size <= 40", true);
}

#[test]
fn without_a_script_everything_is_there_to_read() {
    let Some(mut browser) = opened() else { return };
    let off = json!({ "value": true });
    browser.call("Emulation.setScriptExecutionDisabled", off);
    browser.open(&a_run().page);
    browser.eval("document.querySelectorAll('details').forEach((one) => { one.open = true; })");
    let text = browser.eval("document.body.innerText");
    let text = text.as_str().expect("text");
    for words in [
        "as fast",
        "threaded",
        "✓",
        "pub fn fetch_threaded",
        "Again: ",
    ] {
        assert!(text.contains(words), "{words}");
    }
    let drawn = format!(
        "[...{PICTURE}].every((one) => one.getBoundingClientRect().height > 10 && one.querySelector('path.io'))"
    );
    browser.is(&drawn, true);
}

#[test]
fn nothing_sticks_out_on_a_phone_or_a_screen_and_paper_is_light_and_keeps_colours() {
    let Some(mut browser) = opened() else { return };
    browser.eval("document.querySelectorAll('details').forEach((one) => { one.open = true; })");
    for width in [390, 740, 1280] {
        browser.size(width);
        // The text is as wide as what is left beside a scrollbar.
        let fits = "document.documentElement.scrollWidth <= document.documentElement.clientWidth";
        browser.is(fits, true);
    }
    let colours = "['body', '.track .bar'].map((one) => getComputedStyle(document.querySelector(one)).backgroundColor)";
    let looks = [("screen", "light"), ("screen", "dark"), ("print", "dark")];
    let [light, dark, print] = looks.map(|(medium, scheme)| {
        browser.media(medium, ["color-scheme", scheme]);
        browser.eval(colours)
    });
    assert_eq!(light[0], "rgb(255, 255, 255)");
    assert_ne!(light[0], dark[0]);
    assert_eq!(light, print, "paper is light whatever the screen is");
    let look =
        |of: &str, what: &str| format!("getComputedStyle(document.querySelector('{of}')).{what}");
    browser.is(&look(".track .bar", "printColorAdjust"), "exact");
    browser.is(&look(".controls", "display"), "none");
    browser.is(&look(".code", "display"), "none");
    browser.open(&a_run().page);
    // What is folded on the screen is printed.
    browser.is(
        "document.querySelector('.picture').checkVisibility({ contentVisibilityAuto: true })",
        true,
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
    let Some(program) = browser::find() else {
        return;
    };
    let mut browser = Browser::start(&program);
    browser.open(&page);
    let links = "[...document.querySelectorAll('nav a')].map((one) => document.querySelector(one.hash)?.className)";
    browser.is(links, json!(["card", "card", "card", "card"]));
    // At the end of the page the list is still in sight, on a phone as well.
    for width in [390, 1280] {
        browser.size(width);
        browser.eval("scrollTo(0, document.documentElement.scrollHeight)");
        let top = "Math.abs(document.querySelector('nav').getBoundingClientRect().top) < 1";
        browser.until(top);
        browser.is(
            "document.documentElement.scrollHeight / innerHeight < 5",
            true,
        );
    }
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
    let _ = run_command(command).refused(1, &["cannot write the page", "--report"]);
    assert_eq!(fs::read_to_string(&page).expect("there"), "the old one");
    assert_eq!(fs::read_dir(folder.path()).expect("there").count(), 1);
}
