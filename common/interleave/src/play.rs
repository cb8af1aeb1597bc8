//! Games in which the reader is the scheduler: one step at a time, with undo, toward a goal.

mod picture;

use crate::{Race, Run, Stand, run, run::run_all};
use clap::Parser;
use common::{
    cli::{self, within},
    format, on_interrupt,
    report::{Screen, ScreenOptions, wrap},
};
use serde_json::{Value, json};
use std::{
    env,
    io::{self, IsTerminal},
    process::ExitCode,
};

/// The flags of a step that has games.
#[derive(clap::Args, Clone, Debug)]
#[command(next_help_heading = "Play")]
pub struct PlayArgs {
    /// Be the scheduler: play the game of this number, or list the games
    #[arg(long, value_name = "GAME", num_args = 0..=1)]
    pub play: Option<Option<String>>,

    /// Play these moves and stop: 1 to 9 let that thread take a step, u takes one back, r all
    #[arg(long, value_name = "MOVES", requires = "play", value_parser = parse_moves)]
    pub moves: Option<String>,
}

fn parse_moves(text: &str) -> Result<String, String> {
    match text.chars().find(|key| !"123456789urh".contains(*key)) {
        Some(key) => Err(format!("`{key}` is no move; 1 to 9, u and r are")),
        None => Ok(text.to_owned()),
    }
}

/// Be the scheduler of a small program: each of your moves lets one thread take a step
#[derive(Parser)]
struct Line {
    #[command(flatten)]
    own: PlayArgs,

    /// Print one JSON document, and nothing else
    #[arg(long)]
    json: bool,

    /// Draw and write in plain ASCII
    #[arg(long)]
    ascii: bool,

    /// Draw for this many columns
    #[arg(long, value_name = "COLUMNS", value_parser = within::<u16>(50..=200))]
    width: Option<u16>,
}

/// A game has so many rows where its terminal does, and a prompt.
const ROWS: usize = 24;

/// A race that can be played in this order.
pub type Playable = Box<dyn Fn(&[usize]) -> Run>;

/// A race for a game.
pub fn playable<S: Send + Sync + 'static>(race: Race<S>) -> Playable {
    Box::new(move |turns| run(&race, turns))
}

/// A game.
pub struct Game {
    /// Its number; no other game has it.
    pub number: usize,
    /// What it is called.
    pub title: &'static str,
    /// What to reach.
    pub goal: &'static str,
    /// Whether a run reaches it.
    pub reaches: fn(&Run) -> bool,
    /// Help on the way; where the program is repaired, why the goal cannot be reached.
    pub hint: &'static str,
    /// The threads.
    pub program: Playable,
    /// What the last step's value is the value of.
    pub value: &'static str,
    /// The text in which the functions stand.
    pub source: &'static str,
    /// The functions that the threads run, in turn, and a part of the line of each of their steps.
    pub functions: &'static [(&'static str, &'static [&'static str])],
}

/// Plays if the command line has `--play`; `None` where it has not.
pub fn take(package: &str, games: &[Game]) -> Option<ExitCode> {
    let is_play = |word: String| word == "--play" || word.starts_with("--play=");
    env::args().any(is_play).then_some(())?;
    let played = cli::parse_alone().map(|line| play(package, games, &line));
    Some(match played {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(refusal)) => {
            cli::print_error(refusal);
            ExitCode::from(2)
        }
        Err(code) => code,
    })
}

fn play(package: &str, games: &[Game], line: &Line) -> Result<(), String> {
    let number = line.own.play.as_ref().and_then(Option::as_ref);
    let screen = Screen::new(ScreenOptions {
        silent: line.json,
        ascii: line.ascii,
        width: line.width,
        reads_keys: line.own.moves.is_none() && number.is_some(),
        ..ScreenOptions::default()
    });
    let Some(number) = number else {
        list(games, &screen, line.json);
        return Ok(());
    };
    let game = games.iter().find(|game| game.number.to_string() == *number);
    let mut table = Table {
        game: game.ok_or_else(|| {
            let all = games.iter().map(|game| game.number.to_string());
            let all = all.collect::<Vec<_>>().join(", ");
            format!("--play: {package} has no game `{number}`, but {all}; `cargo run -- play` lists those of all steps")
        })?,
        turns: Vec::new(),
        note: String::new(),
    };
    match &line.own.moves {
        Some(moves) => table.replay(moves, &screen, line.json)?,
        None if io::stdin().is_terminal() => table.sit_down(&screen),
        None => return Err("no terminal to ask at; `--moves 1` plays without one".into()),
    }
    screen.release_keys();
    Ok(())
}

fn list(games: &[Game], screen: &Screen, json: bool) {
    let about =
        |game: &Game| json!({ "game": game.number, "title": game.title, "goal": game.goal });
    if json {
        screen.print(&json!(games.iter().map(about).collect::<Vec<_>>()).to_string());
        return;
    }
    for game in games {
        let about = format!("{}: {}", game.title, game.goal);
        let about = wrap(&about, screen.width(), 4);
        screen.print(&format!("{:>2}  {}", game.number, about.trim_start()));
    }
}

/// A game that is being played.
struct Table<'a> {
    game: &'a Game,
    turns: Vec<usize>,
    /// What the last key gives rise to.
    note: String,
}

impl Table<'_> {
    fn run(&self) -> Run {
        (self.game.program)(&self.turns)
    }

    /// Plays one move; a note to it, or why it cannot be.
    fn play(&mut self, key: char) -> Result<String, String> {
        let stands = self.run().stands;
        let thread = key
            .to_digit(10)
            .and_then(|digit| (digit as usize).checked_sub(1));
        match (key, thread.and_then(|it| Some((it, *stands.get(it)?)))) {
            ('u', _) => _ = self.turns.pop().ok_or("there is no step to take back")?,
            ('r', _) => self.turns.clear(),
            ('h', _) => return Ok(format!("Hint: {}", self.game.hint)),
            (_, Some((thread, Stand::Next(_)))) => self.turns.push(thread),
            (_, Some((thread, stand))) => {
                let said = picture::said(stand, "");
                return Err(format!("thread {} {said}", thread + 1));
            }
            _ => {
                let what = format!("1 to {} let a thread take a step", stands.len());
                return Err(format!("`{key}` is no move here: {what}"));
            }
        }
        Ok(String::new())
    }

    fn replay(&mut self, moves: &str, screen: &Screen, json: bool) -> Result<(), String> {
        for key in moves.chars() {
            let played = self.play(key);
            let done = format::counted(self.turns.len(), "step");
            self.note = played.map_err(|no| format!("`{moves}`: after {done}: {no}"))?;
        }
        screen.print(&match json {
            true => self.document().to_string(),
            false => self.drawn(screen.width(), screen.rows(ROWS)),
        });
        Ok(())
    }

    fn sit_down(&mut self, screen: &Screen) {
        let keyboard = screen.clone();
        // Without a handler Ctrl-C ends the game, too, but leaves the terminal without an echo.
        let _ = on_interrupt(move |_| end(&keyboard));
        loop {
            let run = self.run();
            let steps = match run.is_over() {
                true => String::new(),
                false => format!("1 to {} step  ", run.stands.len()),
            };
            let keys = format!("{steps}u undo  r restart  h hint  q quit ");
            let clear = ["", "\u{1b}[2J\u{1b}[H"][usize::from(io::stdout().is_terminal())];
            screen.print(&format!(
                "{clear}{}",
                self.drawn(screen.width(), screen.rows(ROWS))
            ));
            match screen.ask(&keys, |key| (!key.is_whitespace()).then_some(key)) {
                None | Some('q') => return,
                Some(key) => self.note = self.play(key).unwrap_or_else(|no| no),
            }
        }
    }

    fn moves(&self) -> String {
        let numbers = self.turns.iter().map(|thread| (thread + 1).to_string());
        numbers.collect()
    }

    fn document(&self) -> Value {
        let run = self.run();
        let (orders, reaching) = self.odds();
        json!({
            "game": self.game.number, "title": self.game.title, "goal": self.game.goal,
            "moves": self.moves(), "run": run, "over": run.is_over(), "deadlock": run.is_deadlock(),
            "reached": run.is_over() && (self.game.reaches)(&run),
            "orders": orders, "orders_that_reach_the_goal": reaching,
        })
    }

    /// How many orders there are, and how many of them reach the goal.
    fn odds(&self) -> (usize, usize) {
        let all = run_all(&self.game.program, &mut Vec::new());
        let reaching = all.iter().filter(|run| (self.game.reaches)(run));
        (all.len(), reaching.count())
    }
}

#[expect(clippy::exit, reason = "an interrupted game ends here")]
fn end(screen: &Screen) {
    screen.release_keys();
    // The shell's prompt begins a line of its own.
    eprintln!();
    std::process::exit(1)
}

#[cfg(test)]
mod tests;
