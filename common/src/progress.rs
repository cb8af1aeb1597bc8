//! What the reader has done, in one file in their data folder.

use report::{Document, QuestionReport};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs, io,
    path::PathBuf,
};

/// What the reader has done so far.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub struct Progress {
    /// The steps that ran, and how often.
    pub steps: BTreeMap<String, u64>,
    /// The predictions of each step's last run: the question, whether the guess was right.
    pub predictions: BTreeMap<String, Vec<(String, bool)>>,
    /// The drills that are done.
    pub drills: BTreeSet<String>,
    /// How many hints of a drill were shown.
    pub hints: BTreeMap<String, usize>,
    /// How often a bug was taken for which.
    pub diagnoses: BTreeMap<String, BTreeMap<String, u64>>,
}

/// Where progress is kept; `LAB_PROGRESS` names another file, and an empty name none.
pub fn place() -> Option<PathBuf> {
    if let Some(named) = env::var_os("LAB_PROGRESS") {
        return (!named.is_empty()).then(|| named.into());
    }
    let variable = |name| env::var_os(name).map(PathBuf::from);
    let folder = if cfg!(windows) {
        variable("APPDATA")
    } else if cfg!(target_os = "macos") {
        variable("HOME").map(|home| home.join("Library/Application Support"))
    } else {
        let home = || variable("HOME").map(|home| home.join(".local/share"));
        variable("XDG_DATA_HOME").or_else(home)
    };
    Some(folder?.join("concurrency-lab").join("progress.json"))
}

impl Progress {
    /// Reads what was kept; where that cannot be read, says so in one line.
    pub fn load() -> Self {
        Self::read(place()).unwrap_or_else(|trouble| {
            report::print_error(trouble);
            Self::default()
        })
    }

    fn read(place: Option<PathBuf>) -> Result<Self, String> {
        let Some(place) = place else {
            return Ok(Self::default());
        };
        let read = match fs::read_to_string(&place) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            read => read.and_then(|text| Ok(serde_json::from_str(&text)?)),
        };
        read.map_err(|error| {
            format!(
                "cannot read progress in `{}`: {error}; `cargo run -- progress --forget` starts over",
                place.display()
            )
        })
    }

    /// Changes what is kept; where it cannot be read or written, nothing is.
    pub fn update<T>(change: impl FnOnce(&mut Self) -> T) {
        let (Some(place), Ok(mut progress)) = (place(), Self::read(place())) else {
            return;
        };
        change(&mut progress);
        let folder = place.parent().map_or(Ok(()), fs::create_dir_all);
        let aside = place.with_extension(format!("{}.new", std::process::id()));
        let text = serde_json::to_string(&progress).unwrap_or_default();
        let written = folder.and_then(|()| fs::write(&aside, text));
        if written.and_then(|()| fs::rename(&aside, &place)).is_err() {
            // Progress is a comfort: no step fails for it.
            let _ = fs::remove_file(&aside);
        }
    }

    /// Keeps that a step ran, and how its reader guessed.
    pub(crate) fn ran(document: &Document) {
        let guessed = |asked: &QuestionReport| {
            // A class is no reader.
            let is_one = asked.guesses.iter().sum::<u64>() == 1;
            let mut guesses = asked.guesses.iter();
            let guess = guesses.position(|hands| is_one && *hands == 1)?;
            Some((asked.question.clone(), Some(guess) == asked.answer))
        };
        let guesses: Vec<_> = document.questions.iter().filter_map(guessed).collect();
        Self::update(|progress| {
            *progress.steps.entry(document.step.clone()).or_default() += 1;
            if !guesses.is_empty() {
                progress.predictions.insert(document.step.clone(), guesses);
            }
        });
    }
}
