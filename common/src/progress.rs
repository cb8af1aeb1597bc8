//! What the reader has done, in one file in their data folder.

use report::{Document, QuestionReport, file};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs, io,
    path::{Path, PathBuf},
};

/// A larger file is not one of ours.
const MOST_BYTES: u64 = 1 << 20;

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
fn place() -> Option<PathBuf> {
    if let Some(named) = env::var_os("LAB_PROGRESS") {
        return (!named.is_empty()).then(|| named.into());
    }
    let variable = |name| env::var_os(name).map(PathBuf::from);
    let below_home = |folder| variable("HOME").map(|home| home.join(folder));
    let folder = match env::consts::OS {
        "windows" => variable("APPDATA"),
        "macos" => below_home("Library/Application Support"),
        _ => variable("XDG_DATA_HOME").or_else(|| below_home(".local/share")),
    };
    Some(folder?.join("concurrency-lab").join("progress.json"))
}

impl Progress {
    /// Reads what was kept.
    ///
    /// # Errors
    /// It cannot be read, and why, in a line.
    pub fn load() -> Result<Self, String> {
        let read = place().map_or(Ok(None), |place| Self::read(&place));
        read.map(Option::unwrap_or_default)
    }

    /// What the file holds; nothing where there is none.
    fn read(place: &Path) -> Result<Option<Self>, String> {
        let read = || {
            let about = match fs::metadata(place) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                about => about?,
            };
            // A device or a pipe may never end, and somebody else's file is not to be written over.
            if !about.is_file() || about.len() > MOST_BYTES {
                return Err(io::Error::other("no file of this program's"));
            }
            let text = fs::read_to_string(place)?;
            let kept: serde_json::Map<_, _> = serde_json::from_str(&text)?;
            Ok(Some(serde_json::from_value(kept.into())?))
        };
        let place = place.display();
        let way_out = "name another file in LAB_PROGRESS";
        read().map_err(|error| format!("cannot read progress in `{place}`: {error}; {way_out}"))
    }

    /// Changes what is kept.
    ///
    /// # Errors
    /// Nothing is kept, and why, in a line.
    pub fn update<T>(change: impl FnOnce(&mut Self) -> T) -> Result<(), String> {
        let Some(place) = place() else {
            return Ok(());
        };
        let mut progress = Self::read(&place)?.unwrap_or_default();
        change(&mut progress);
        let folder = place.parent().map_or(Ok(()), fs::create_dir_all);
        let text = serde_json::to_string(&progress).unwrap_or_default();
        let written = folder.and_then(|()| file::replace(&place, &text));
        written.map_err(|error| format!("progress is not kept in `{}`: {error}", place.display()))
    }

    /// Removes what was kept.
    ///
    /// # Errors
    /// The file is not one of this program's, or cannot be removed.
    pub fn forget() -> Result<(), String> {
        match place() {
            Some(place) if Self::read(&place)?.is_some() => fs::remove_file(&place)
                .map_err(|error| format!("cannot remove `{}`: {error}", place.display())),
            _ => Ok(()),
        }
    }

    /// Keeps that a step ran, and how its reader guessed.
    pub(crate) fn ran(document: &Document) -> Result<(), String> {
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
        })
    }
}
