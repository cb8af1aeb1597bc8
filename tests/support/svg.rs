//! A terminal's text as a picture: light or dark as the reader's screen is.

use std::fmt::Write;

/// A cell of the terminal, in pixels.
const CELL: (f64, f64) = (8.4, 18.0);
const MARGIN: f64 = 14.0;

/// Ink on paper, then what terminals call dim, red, green, yellow, blue, magenta and cyan; each has a
/// contrast to its paper of at least 4.5.
const LIGHT: [&str; 9] = [
    "#1f2328", "#ffffff", "#59636e", "#b31d28", "#116329", "#7d4e00", "#0550ae", "#6639ba",
    "#17666c",
];
const DARK: [&str; 9] = [
    "#e6edf3", "#0d1117", "#9198a1", "#ff7b72", "#3fb950", "#d29922", "#79c0ff", "#d2a8ff",
    "#76e3ea",
];
const NAMES: [&str; 9] = [
    "ink", "paper", "dim", "red", "green", "yellow", "blue", "magenta", "cyan",
];

/// How a stretch of text looks.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Look {
    bold: bool,
    dim: bool,
    /// 1 for red to 6 for cyan, as terminals count.
    colour: Option<usize>,
}

impl Look {
    fn change(&mut self, code: &str) {
        match code.parse().unwrap_or(0) {
            0 => *self = Self::default(),
            1 => self.bold = true,
            2 => self.dim = true,
            22 => (self.bold, self.dim) = (false, false),
            39 => self.colour = None,
            code @ (31..=36 | 91..=96) => self.colour = Some(code % 10),
            // Black and white, on whichever paper, are its ink.
            30 | 37 | 90 | 97 => self.colour = None,
            _ => panic!("a picture knows no style `{code}`"),
        }
    }

    fn class(self) -> String {
        let colour = match self.colour {
            Some(number) => Some(NAMES[number + 2]),
            None => self.dim.then_some("dim"),
        };
        let words = colour.into_iter().chain(self.bold.then_some("bold"));
        words.collect::<Vec<_>>().join(" ")
    }
}

/// Draws lines as a terminal prints them; `title` is what the picture shows, in words.
pub(crate) fn draw(title: &str, lines: &[String]) -> String {
    let columns = lines.iter().map(|line| plain(line).chars().count()).max();
    let width = columns.unwrap_or(0) as f64 * CELL.0 + 2.0 * MARGIN;
    let height = lines.len() as f64 * CELL.1 + 2.0 * MARGIN;
    let title = escaped(title);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" width=\"{width:.0}\" \
         height=\"{height:.0}\" role=\"img\" aria-label=\"{title}\">\n<title>{title}</title>\n<style>\n{}</style>\n\
         <rect class=\"paper\" width=\"100%\" height=\"100%\" rx=\"6\"/>\n",
        style()
    );
    let mut look = Look::default();
    for (row, line) in lines.iter().enumerate() {
        let y = MARGIN + CELL.1 * (row as f64 + 0.75);
        let _ = writeln!(svg, "<text y=\"{y:.1}\">{}</text>", runs(line, &mut look));
    }
    svg + "</svg>\n"
}

fn style() -> String {
    let mut text = String::from(
        "text { font: 14px ui-monospace, SFMono-Regular, Menlo, Consolas, \"DejaVu Sans Mono\", monospace; \
         fill: var(--ink); white-space: pre }\n.bold { font-weight: bold }\n",
    );
    for name in NAMES {
        let _ = writeln!(text, ".{name} {{ fill: var(--{name}) }}");
    }
    let colours = |colours: [&str; 9]| {
        let each = NAMES.iter().zip(colours);
        let each = each.map(|(name, colour)| format!("--{name}: {colour};"));
        each.collect::<Vec<_>>().join(" ")
    };
    let _ = writeln!(text, "svg {{ {} }}", colours(LIGHT));
    let dark = colours(DARK);
    let _ = writeln!(
        text,
        "@media (prefers-color-scheme: dark) {{ svg {{ {dark} }} }}"
    );
    text
}

/// A line's stretches of one look, each put where a terminal has it, whatever font draws it.
fn runs(line: &str, look: &mut Look) -> String {
    let (mut text, mut column) = (String::new(), 0);
    for (index, piece) in line.split("\u{1b}[").enumerate() {
        let mut piece = piece;
        if index > 0 {
            let (codes, rest) = piece.split_once('m').expect("styles only");
            codes.split(';').for_each(|code| look.change(code));
            piece = rest;
        }
        // Block characters may come from another font than letters.
        let mut rest = piece;
        while let Some(first) = rest.chars().next() {
            let same = |c: &char| kind(*c) == kind(first);
            let run: String = rest.chars().take_while(same).collect();
            rest = &rest[run.len()..];
            let cells = run.chars().count();
            if kind(first) != Kind::Blank {
                let x = MARGIN + CELL.0 * column as f64;
                let wide = CELL.0 * cells as f64;
                let run = escaped(&run);
                let class = look.class();
                let _ = write!(
                    text,
                    "<tspan x=\"{x:.1}\" textLength=\"{wide:.1}\" lengthAdjust=\"spacingAndGlyphs\" class=\"{class}\">{run}</tspan>"
                );
            } else {
                text.push_str(&run);
            }
            column += cells;
        }
    }
    text
}

#[derive(PartialEq)]
enum Kind {
    Blank,
    Word,
    Block,
}

fn kind(c: char) -> Kind {
    match c {
        ' ' => Kind::Blank,
        '\u{2500}'..='\u{259f}' => Kind::Block,
        _ => Kind::Word,
    }
}

/// The lines of text in a picture.
pub(crate) fn text_of(svg: &str) -> Vec<String> {
    let texts = svg.split("<text ").skip(1);
    let texts = texts.filter_map(|text| text.split("</text>").next()?.split_once('>'));
    texts
        .map(|(_, inside)| unescaped(&without_tags(inside)))
        .collect()
}

fn without_tags(text: &str) -> String {
    let pieces = text.split('<').enumerate();
    let pieces = pieces.map(|(index, piece)| match index {
        0 => piece,
        _ => piece.split_once('>').map_or("", |(_, after)| after),
    });
    pieces.collect()
}

/// Text without its styles.
pub(crate) fn plain(line: &str) -> String {
    let pieces = line.split("\u{1b}[").enumerate();
    let pieces = pieces.map(|(index, piece)| match index {
        0 => piece,
        _ => piece.split_once('m').map_or("", |(_, after)| after),
    });
    pieces.collect()
}

fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    text.replace('>', "&gt;").replace('"', "&quot;")
}

fn unescaped(text: &str) -> String {
    let text = text.replace("&lt;", "<").replace("&gt;", ">");
    text.replace("&quot;", "\"").replace("&amp;", "&")
}
