//! Questions to guess at before a variant answers them.

use crate::{
    Lab,
    claim::{Figure, Unit, few_cpus, middle, wall},
    figure::Expression,
};
use report::{QuestionReport, Screen};
use serde_json::Value;
use std::mem;

/// What `--predict` is given for a show of hands.
pub(crate) const CLASS: &str = "class";

/// A question with answers to choose from; a figure of the run says which is right.
#[derive(Clone, Debug)]
pub struct Question {
    variant: String,
    figure: Expression,
    show: fn(f64) -> String,
    needs_cpus: bool,
    /// Between each option and the next.
    limits: Vec<f64>,
    /// What the document says of it; its figure is in words, with `{}` in its place.
    asked: QuestionReport,
}

impl Question {
    /// Asks `text` before `variant` first runs.
    ///
    /// `words` say what the figure is, with `{}` in its place: `{} times as fast`.
    pub fn before<U: Unit>(
        variant: &str,
        text: impl Into<String>,
        figure: Figure<U>,
        words: &str,
    ) -> Self {
        Self {
            variant: variant.into(),
            figure: figure.0,
            show: U::show,
            needs_cpus: false,
            limits: Vec::new(),
            asked: QuestionReport {
                question: text.into(),
                figure: words.into(),
                ..QuestionReport::default()
            },
        }
    }

    /// Asks `text` before `variant` runs: how many times as fast is it as `first`?
    pub fn faster(variant: &str, first: &str, text: impl Into<String>) -> Self {
        let figure = wall(first) / wall(variant);
        Self::before(variant, text, figure, "{} times as fast")
    }

    /// Says that only a run with its CPUs free can answer it.
    #[must_use]
    pub fn needs_cpus(mut self) -> Self {
        self.needs_cpus = true;
        self
    }

    /// What the document says of it.
    pub(crate) fn report(&self, document: &Value) -> QuestionReport {
        let value = middle(self.figure.values(document).into_iter().flatten());
        let value = value.filter(|_| !self.needs_cpus || few_cpus(document).is_none());
        let place = |value: f64| self.limits.iter().filter(|limit| value >= **limit).count();
        let figure = value.map_or("–".into(), self.show);
        QuestionReport {
            answer: value.map(place),
            figure: self.asked.figure.replace("{}", &figure),
            ..self.asked.clone()
        }
    }
}

impl Lab {
    /// Adds a question that is asked, with `--predict`, before its variant first runs.
    ///
    /// The first of `options` is right for figures below the first of `limits`, the last for all others.
    pub fn predict(&mut self, mut question: Question, options: &[&str], limits: &[f64]) {
        question.limits = limits.into();
        question.asked.options = options.iter().map(|&option| option.into()).collect();
        self.state().questions.push(question);
    }

    /// Asks what is to be asked before `variant`: the letter of `--predict` answers it, the reader, or a class.
    pub(crate) fn ask(&self, variant: &str) {
        let Some(guesser) = &self.args.predict else {
            return;
        };
        // Not under the lock, which Ctrl-C takes to report.
        let mut questions = mem::take(&mut self.state().questions);
        for question in questions.iter_mut().filter(|it| it.variant == variant) {
            question.asked.guesses = guesses(&self.screen, guesser, &question.asked);
        }
        self.state().questions = questions;
    }
}

/// How many choose each answer.
fn guesses(screen: &Screen, guesser: &str, asked: &QuestionReport) -> Vec<u64> {
    let letters = ('A'..).take(asked.options.len());
    let lettered = letters.clone().zip(&asked.options);
    let lettered: Vec<_> = lettered
        .map(|(letter, it)| format!("{letter} {it}"))
        .collect();
    screen.say(format!("? {}\n  {}", asked.question, lettered.join("   ")));
    let known = |key: char| letters.clone().find(|it| *it == key.to_ascii_uppercase());
    let guess = match guesser {
        CLASS => {
            let hands = |letter| screen.ask_number(&format!("Hands up for {letter}, a number: "));
            return letters.map(hands).collect();
        }
        "" => screen.ask("Your guess: ", known),
        letter => letter.chars().next().and_then(known),
    };
    let one = |guess| letters.map(|letter| u64::from(letter == guess)).collect();
    guess.map(one).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_makes_one_answer_right() {
        let question = |took: f64| {
            let figure = wall("b") / wall("a");
            let mut question = Question::before("b", "how fast?", figure, "{} times as long");
            question.limits = vec![0.5, 2.0];
            let variants = serde_json::json!([
                { "name": "a", "walls_s": [1.0] }, { "name": "b", "walls_s": [took] },
            ]);
            question.report(&serde_json::json!({ "variants": variants }))
        };
        assert_eq!(
            [0.1, 0.5, 3.0].map(|took| question(took).answer),
            [Some(0), Some(1), Some(2)]
        );
        assert_eq!(question(3.0).figure, "3.00 times as long");
    }
}
