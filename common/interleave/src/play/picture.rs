//! A game as its reader sees it.

use super::Table;
use crate::{Run, Stand, Step};
use common::report::wrap;

impl Table<'_> {
    /// All that there is to see; where it has no room with its blank lines, without them.
    pub(super) fn drawn(&self, width: usize, rows: usize) -> String {
        let (game, run) = (self.game, self.run());
        let shorten = |line: String| match line.chars().count() > width {
            true => line.chars().take(width - 1).chain(['…']).collect(),
            false => line,
        };
        let goal = wrap(&format!("Goal: {}", game.goal), width, 0);
        let mut parts = vec![format!("game {} · {}\n{goal}\n", game.number, game.title)];
        parts.extend(self.code(&run).into_iter().map(shorten));
        parts.push(String::new());
        parts.extend(self.state(&run));
        // A hint takes the place of the steps, which the next key brings back.
        let steps = Some(self.so_far(&run)).filter(|_| self.note.is_empty());
        parts.push(wrap(steps.as_ref().unwrap_or(&self.note), width, 0));
        if run.is_over() {
            parts.push(format!("\n{}", wrap(&self.verdict(&run), width, 0)));
        }
        let text = parts.join("\n");
        let mut lines: Vec<&str> = text.lines().collect();
        if lines.len() > rows {
            lines.retain(|line| !line.is_empty());
        }
        lines.join("\n")
    }

    /// Where each thread is, and what is shared; nothing once all have finished.
    fn state(&self, run: &Run) -> Vec<String> {
        if run.is_over() && !run.is_deadlock() {
            return Vec::new();
        }
        let value = self.game.value;
        // What a step's value is, is seen when it is done.
        let open = if value.is_empty() { "" } else { " …" };
        let line = |(thread, stand): (usize, &Stand)| {
            let (number, held) = (thread + 1, held(run, thread));
            format!("  thread {number}  {held}{}", said(*stand, open))
        };
        let mut lines: Vec<String> = run.stands.iter().enumerate().map(line).collect();
        let last = run.steps.last().filter(|_| !value.is_empty());
        lines.extend(last.map(|last| format!("  {value}  {}", last.value)));
        lines
    }

    fn so_far(&self, run: &Run) -> String {
        let step = |step: &Step| match self.game.value {
            "" => format!("{} {}", step.thread + 1, step.name),
            _ => format!("{} {} {}", step.thread + 1, step.name, step.value),
        };
        let steps: Vec<String> = run.steps.iter().map(step).collect();
        let steps = steps.join(", ");
        match run.is_over() {
            true => format!("All steps: {steps}"),
            false if steps.is_empty() => "No step so far".into(),
            false => format!("Not finished; so far: {steps}"),
        }
    }

    /// The functions, and in the margin who stands before which line.
    fn code(&self, run: &Run) -> Vec<String> {
        let (functions, mut lines) = (self.game.functions, Vec::new());
        let steps_of = |thread| run.steps.iter().filter(move |step| step.thread == thread);
        for (name, parts) in functions {
            let is_here = |thread: usize, line: &str| {
                let next = parts.get(steps_of(thread).count());
                functions[thread % functions.len()].0 == *name
                    && next.is_some_and(|part| line.contains(part))
            };
            for line in function(self.game.source, name) {
                let mark = |thread| match is_here(thread, line) {
                    true => (thread + 1).to_string(),
                    false => " ".to_owned(),
                };
                let marks: Vec<String> = (0..run.stands.len()).map(mark).collect();
                let margin = marks.join(" ");
                let arrow = if margin.trim().is_empty() { ' ' } else { '→' };
                lines.push(format!("  {margin} {arrow} {line}"));
            }
        }
        lines
    }

    fn verdict(&self, run: &Run) -> String {
        let (orders, reaching) = self.odds();
        let came = match run.result {
            None => "Deadlock: no thread can go on.".to_owned(),
            Some(_) if self.game.value.is_empty() => "All threads have finished.".to_owned(),
            Some(result) => format!("Expected {}, got {result}.", run.expected),
        };
        let reached = (self.game.reaches)(run);
        let mark = ["✗", "✓"][usize::from(reached || reaching == 0)];
        let end = match reaching {
            _ if reached => format!("The goal is reached, as in {reaching} of {orders} orders."),
            0 => {
                let why = self.game.hint;
                format!("All {orders} orders were tried, and none reaches the goal: {why}.")
            }
            _ => format!("In {reaching} of {orders} orders the goal is reached."),
        };
        let (number, moves) = (self.game.number, self.moves());
        format!("{mark} {came} {end}\nOnce more: cargo run -- play {number} --moves {moves}")
    }
}

/// The locks that a thread has, in words.
fn held(run: &Run, thread: usize) -> String {
    let own = run.steps.iter().filter(|step| step.thread == thread).rev();
    let since = own.take_while(|step| !step.name.starts_with("frees"));
    let locks = since.filter_map(|step| step.name.strip_prefix("takes "));
    let mut locks: Vec<&str> = locks.collect();
    locks.reverse();
    match locks.is_empty() {
        true => String::new(),
        false => format!("has {}; ", locks.join(" and ")),
    }
}

/// Where a thread is, in words; `open` stands for what its next step comes to.
pub(super) fn said(stand: Stand, open: &str) -> String {
    match stand {
        Stand::Next(step) => format!("next: {step}{open}"),
        Stand::Blocked(step, owner) => {
            let lock = step.trim_start_matches("takes ");
            format!("is blocked: wants {lock}, which thread {} has", owner + 1)
        }
        Stand::Finished => "has finished".into(),
    }
}

/// The lines of a function, without comments.
fn function<'a>(source: &'a str, name: &str) -> Vec<&'a str> {
    let head = format!("fn {name}(");
    let mut lines = source.lines().skip_while(|line| !line.contains(&head));
    let mut found = Vec::new();
    for line in lines.by_ref() {
        if !line.trim_start().starts_with("//") {
            found.push(line.trim_start_matches("pub "));
        }
        if line == "}" {
            break;
        }
    }
    found
}
