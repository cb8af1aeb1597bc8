//! A browser without a window, driven over its DevTools pipe: no port, no driver, no network.

use serde_json::{Value, json};
use std::{
    env,
    io::{self, BufRead, BufReader, Write},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    thread,
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// An answer that takes longer than this does not come.
const PATIENCE: Duration = Duration::from_secs(60);

const NAMES: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// A running browser with one page in it; it ends, with all its processes, when dropped.
pub(crate) struct Browser {
    child: Child,
    orders: ChildStdin,
    answers: Receiver<Value>,
    last: u64,
    session: Option<String>,
    /// What it told of its own accord.
    events: Vec<Value>,
    _profile: TempDir,
}

/// The browser of this machine; `None`, said plainly, where there is none. In CI there must be one.
///
/// # Panics
/// If there is none and `CI` is set.
pub(crate) fn find() -> Option<PathBuf> {
    let folders: Vec<PathBuf> =
        env::split_paths(&env::var_os("PATH").unwrap_or_default()).collect();
    let all = NAMES
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    let found = all.into_iter().find(|program| program.is_file());
    if found.is_none() {
        let message = format!("SKIPPED: no browser to test the page in; install one of {NAMES:?}");
        let in_ci = env::var("CI").is_ok_and(|value| !["", "false", "0"].contains(&&*value));
        assert!(!in_ci, "{message}");
        // Past the test harness, which would swallow it.
        let _ = writeln!(io::stderr(), "{message}");
    }
    found
}

/// No window, nothing of its own to fetch, and a pipe for its orders.
const FLAGS: [&str; 9] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--remote-debugging-pipe",
];

impl Browser {
    /// Starts it with an empty page that reports everything that it does.
    pub(crate) fn start(program: &Path) -> Self {
        let profile = tempfile::tempdir().expect("a folder");
        // It reads orders from descriptor 3 and answers on 4.
        let script = "exec \"$0\" \"$@\" 3<&0 4>&1 </dev/null >/dev/null 2>/dev/null";
        let mut child = Command::new("/bin/sh")
            .args(["-c", script])
            .arg(program)
            .args(FLAGS)
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg("about:blank")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .process_group(0)
            .spawn()
            .expect("a shell starts");
        let orders = child.stdin.take().expect("it is piped");
        let stdout = child.stdout.take().expect("it is piped");
        let (tx, answers) = mpsc::channel();
        thread::spawn(move || {
            for message in BufReader::new(stdout).split(0).map_while(Result::ok) {
                let message = serde_json::from_slice(&message).expect("the browser speaks JSON");
                if tx.send(message).is_err() {
                    break;
                }
            }
        });
        let mut browser = Self {
            child,
            orders,
            answers,
            last: 0,
            session: None,
            events: Vec::new(),
            _profile: profile,
        };
        browser.open_page();
        browser
    }

    fn open_page(&mut self) {
        let target = self.call("Target.createTarget", json!({ "url": "about:blank" }));
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        let session = self.call("Target.attachToTarget", attach);
        self.session = session["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page", "Network", "Runtime", "Log"] {
            self.call(&format!("{domain}.enable"), json!({}));
        }
    }

    /// Gives an order and waits for its result.
    pub(crate) fn call(&mut self, method: &str, params: Value) -> Value {
        self.last += 1;
        let mut order = json!({ "id": self.last, "method": method, "params": params });
        if let Some(session) = &self.session {
            order["sessionId"] = json!(session);
        }
        write!(self.orders, "{order}\0").expect("the browser listens");
        self.orders.flush().expect("the browser listens");
        let id = json!(self.last);
        let answer = self.wait(|message| message["id"] == id, method);
        assert!(answer["error"].is_null(), "{method}: {answer}");
        answer["result"].clone()
    }

    /// Waits for a message; what else comes is kept.
    fn wait(&mut self, wanted: impl Fn(&Value) -> bool, what: &str) -> Value {
        let latest = Instant::now() + PATIENCE;
        loop {
            let left = latest.saturating_duration_since(Instant::now());
            match self.answers.recv_timeout(left) {
                Ok(message) if wanted(&message) => return message,
                Ok(message) => self.events.push(message),
                Err(RecvTimeoutError::Timeout) => panic!("no answer to {what}"),
                Err(RecvTimeoutError::Disconnected) => panic!("the browser has gone before {what}"),
            }
        }
    }

    /// Loads a file from disk, as a double click does.
    pub(crate) fn open(&mut self, file: &Path) {
        self.events.clear();
        let url = format!("file://{}", file.display());
        self.call("Page.navigate", json!({ "url": url }));
        let loaded = |message: &Value| message["method"] == "Page.loadEventFired";
        if !self.events.iter().any(loaded) {
            let event = self.wait(loaded, "loading");
            self.events.push(event);
        }
    }

    /// What an expression comes to in the page.
    pub(crate) fn eval(&mut self, expression: &str) -> Value {
        let params = json!({ "expression": expression, "returnByValue": true });
        let answer = self.call("Runtime.evaluate", params);
        assert!(
            answer["exceptionDetails"].is_null(),
            "{expression}: {answer}"
        );
        answer["result"]["value"].clone()
    }

    /// Waits until an expression is true; a page may need a moment to follow.
    pub(crate) fn until(&mut self, expression: &str) {
        let latest = Instant::now() + PATIENCE;
        while self.eval(expression) != json!(true) {
            assert!(Instant::now() < latest, "never: {expression}");
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Holds an expression against what it must come to.
    pub(crate) fn is(&mut self, expression: &str, expected: impl Into<Value>) {
        assert_eq!(self.eval(expression), expected.into(), "{expression}");
    }

    /// Makes the window so wide, and a phone of it where that is little.
    pub(crate) fn size(&mut self, width: u32) {
        let size =
            json!({ "width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 500 });
        self.call("Emulation.setDeviceMetricsOverride", size);
    }

    /// Shows the page on this medium, to one who prefers what the pairs say.
    pub(crate) fn media(&mut self, medium: &str, prefers: [&str; 2]) {
        let feature = json!({ "name": format!("prefers-{}", prefers[0]), "value": prefers[1] });
        let media = json!({ "media": medium, "features": [feature] });
        self.call("Emulation.setEmulatedMedia", media);
    }

    /// Presses and lets go of a key.
    pub(crate) fn key(&mut self, key: &str, code: u32, text: &str) {
        for kind in ["keyDown", "keyUp"] {
            let mut params = json!({ "type": kind, "key": key, "windowsVirtualKeyCode": code });
            if kind == "keyDown" && !text.is_empty() {
                params["text"] = json!(text);
            }
            self.call("Input.dispatchKeyEvent", params);
        }
    }

    /// Moves, presses or lets go of the mouse, or turns its wheel.
    pub(crate) fn mouse(&mut self, kind: &str, x: f64, y: f64, more: Value) {
        let mut params = json!({ "type": kind, "x": x, "y": y });
        for (name, value) in more.as_object().into_iter().flatten() {
            params[name] = value.clone();
        }
        self.call("Input.dispatchMouseEvent", params);
    }

    /// What it told of its own accord by this name since the page was opened.
    pub(crate) fn told(&self, method: &str) -> Vec<&Value> {
        let all = self.events.iter().filter(|event| event["method"] == method);
        all.map(|event| &event["params"]).collect()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let group = format!("-{}", self.child.id());
        // It may have ended on its own.
        let _ = Command::new("kill")
            .args(["-KILL", "--", &group])
            .stderr(Stdio::null())
            .status();
        let _ = self.child.wait();
    }
}
