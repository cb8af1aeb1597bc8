//! Questions to guess at before a variant answers them.

use crate::{
    Lab,
    claim::{Figure, Unit, wall},
    figure::Expression,
};
use report::QuestionReport;
use serde_json::Value;

/// A question with answers to choose from; a figure of the run says which is right.
#[derive(Clone, Debug)]
pub struct Question {
    variant: String,
    text: String,
    figure: Expression,
    show: fn(f64) -> String,
    words: &'static str,
    options: Vec<&'static str>,
    /// Between each option and the next.
    limits: Vec<f64>,
    pub(crate) guesses: Vec<u64>,
}

impl Question {
    /// Asks `text` before `variant` first runs.
    ///
    /// `words` say what the figure is, with `{}` in its place: `{} times as fast`.
    pub fn before<U: Unit>(
        variant: &str,
        text: impl Into<String>,
        figure: Figure<U>,
        words: &'static str,
    ) -> Self {
        Self {
            variant: variant.into(),
            text: text.into(),
            figure: figure.of,
            show: U::show,
            words,
            options: Vec::new(),
            limits: Vec::new(),
            guesses: Vec::new(),
        }
    }

    /// Asks `text` before `variant` runs: how many times as fast is it as `first`?
    pub fn faster(variant: &str, first: &str, text: impl Into<String>) -> Self {
        Self::before(
            variant,
            text,
            wall(first) / wall(variant),
            "{} times as fast",
        )
    }

    /// Offers `options`; `limits` stand between the figures that each is right for.
    fn offer(mut self, options: &[&'static str], limits: &[f64]) -> Self {
        (self.options, self.limits) = (options.into(), limits.into());
        self
    }

    fn prompt(&self) -> String {
        let options = ('A'..).zip(&self.options);
        let options: Vec<String> = options
            .map(|(letter, it)| format!("{letter} {it}"))
            .collect();
        format!("? {}\n  {}", self.text, options.join("   "))
    }

    /// What the document says of it.
    pub(crate) fn report(&self, document: &Value) -> QuestionReport {
        let value = crate::claim::middle(&self.figure.values(document));
        let place = |value: f64| {
            self.limits
                .iter()
                .take_while(|limit| value >= **limit)
                .count()
        };
        let figure = value.map_or("–".into(), self.show);
        QuestionReport {
            question: self.text.clone(),
            options: self.options.iter().map(|option| (*option).into()).collect(),
            answer: value.map(place),
            figure: self.words.replace("{}", &figure),
            guesses: self.guesses.clone(),
        }
    }
}

/// Who answers the questions of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Guesser {
    /// The reader, by a key.
    Reader,
    /// A class, by a show of hands.
    Class,
    /// The command line, a letter for each question.
    Given(String),
}

impl Guesser {
    /// What `--predict` says: nothing, `class`, or letters.
    pub(crate) fn of(text: &str) -> Self {
        match text {
            "" => Self::Reader,
            "class" => Self::Class,
            letters => Self::Given(letters.to_ascii_uppercase()),
        }
    }

    pub(crate) fn reads_keys(&self) -> bool {
        !matches!(self, Self::Given(_))
    }
}

impl Lab {
    /// Adds a question that is asked, with `--predict`, before its variant first runs.
    ///
    /// The first of `options` is right for figures below the first of `limits`, the last for all others.
    pub fn predict(&mut self, question: Question, options: &[&'static str], limits: &[f64]) {
        self.state().questions.push(question.offer(options, limits));
    }

    /// Asks what is to be asked before `variant`.
    pub(crate) fn ask(&self, variant: &str) {
        let Some(guesser) = &self.guesser else {
            return;
        };
        let count = self.state().questions.len();
        for place in 0..count {
            let question = self.state().questions[place].clone();
            if question.variant == variant && question.guesses.is_empty() {
                let guesses = self.guesses(guesser, place, &question);
                self.state().questions[place].guesses = guesses;
            }
        }
    }

    /// How many chose each option; empty where nobody answers.
    fn guesses(&self, guesser: &Guesser, place: usize, question: &Question) -> Vec<u64> {
        let screen = self.screen();
        screen.say(question.prompt());
        let options = question.options.len();
        let index = |key: char| (key.to_ascii_uppercase() as usize).checked_sub('A' as usize);
        let one = |at: usize| (0..options).map(|it| u64::from(it == at)).collect();
        match guesser {
            Guesser::Given(letters) => {
                let letter = letters.chars().nth(place).or(letters.chars().last());
                let at = letter.and_then(index).filter(|at| *at < options);
                at.map(one).unwrap_or_default()
            }
            Guesser::Reader => {
                let key = |key| index(key).filter(|at| *at < options);
                screen.ask("Your guess: ", key).map(one).unwrap_or_default()
            }
            Guesser::Class => ('A'..)
                .take(options)
                .map(|letter| hands(&screen, letter))
                .collect(),
        }
    }
}

/// How many hands go up for an answer: a digit.
fn hands(screen: &report::Screen, letter: char) -> u64 {
    let digit = |key: char| key.to_digit(10).or((key == '\n').then_some(0));
    let hands = screen.ask(&format!("Hands up for {letter} (0 to 9): "), digit);
    hands.unwrap_or(0).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_makes_one_answer_right() {
        let question = |took: f64| {
            let figure = wall("b") / wall("a");
            let question = Question::before("b", "how fast?", figure, "{} times as long");
            let question = question.offer(&["faster", "alike", "slower"], &[0.5, 2.0]);
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

    #[test]
    fn letters_are_an_answer_for_each_question() {
        assert_eq!(Guesser::of("ab"), Guesser::Given("AB".into()));
        assert_eq!(Guesser::of(""), Guesser::Reader);
    }
}
