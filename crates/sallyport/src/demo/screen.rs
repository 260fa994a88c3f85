//! What the tour prints: headings, words, commands and their output, within 80 columns.
//!
//! Colour stands only on a terminal and never alone. What children printed is made visible first, and
//! lines that are too long are broken at a word.

use std::io::{self, IsTerminal as _, Write};

use sallyport_core::visible;

use crate::environment::Environment;
use crate::failure::Failure;

/// No line is longer.
const WIDTH: usize = 80;

/// Before words of ours.
const MARGIN: &str = "  ";

/// Before what a command printed.
const INDENT: &str = "    ";

/// Before the rest of a printed line that was broken.
const HANGING: &str = "      ";

const BOLD: &str = "\x1b[1m";
const FAINT: &str = "\x1b[2m";
const RED: &str = "\x1b[31m";
const GREEN: &str = "\x1b[32m";
const YELLOW: &str = "\x1b[33m";
const CYAN: &str = "\x1b[36m";

/// Where the tour goes.
pub(crate) struct Screen {
    to: Box<dyn Write>,
    colour: bool,
}

impl std::fmt::Debug for Screen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Screen").field("colour", &self.colour).finish_non_exhaustive()
    }
}

impl Screen {
    /// Standard output.
    pub(crate) fn standard(environment: &Environment) -> Self {
        let colour = io::stdout().is_terminal() && !environment.no_color && !environment.dumb;
        Self { to: Box::new(io::stdout()), colour }
    }

    /// The name of all of it.
    pub(crate) fn title(&mut self, text: &str) -> Result<(), Failure> {
        let text = self.tinted(text, BOLD);
        self.raw(&format!("\n{MARGIN}{text}\n"))
    }

    /// The head of a step, with a rule to the right edge.
    pub(crate) fn heading(&mut self, number: usize, text: &str) -> Result<(), Failure> {
        let head = format!("── {number}  {text} ");
        let rule = "─".repeat(WIDTH.saturating_sub(length(&head)));
        let (head, rule) = (self.tinted(&head, BOLD), self.tinted(&rule, FAINT));
        self.raw(&format!("\n\n{head}{rule}\n"))
    }

    /// A paragraph of ours.
    pub(crate) fn say(&mut self, text: &str) -> Result<(), Failure> {
        let mut out = String::from("\n");
        for line in broken(text, WIDTH - MARGIN.len(), WIDTH - MARGIN.len()) {
            out.push_str(&format!("{MARGIN}{line}\n"));
        }
        self.raw(&out)
    }

    /// Lines of ours as they are.
    pub(crate) fn lines(&mut self, lines: &[String]) -> Result<(), Failure> {
        let mut out = String::from("\n");
        for line in lines {
            out.push_str(format!("{MARGIN}{line}").trim_end());
            out.push('\n');
        }
        self.raw(&out)
    }

    /// A command, after the name of who types it, as it can be copied.
    pub(crate) fn command(&mut self, who: &str, text: &str) -> Result<(), Failure> {
        let (who, mark) = (self.tinted(who, CYAN), self.tinted("$", FAINT));
        let text: Vec<String> = text.split('\n').map(|line| self.tinted(line, BOLD)).collect();
        self.raw(&format!("\n{MARGIN}{who} {mark} {}\n", text.join("\n")))
    }

    /// What a command printed.
    pub(crate) fn output(&mut self, text: &str) -> Result<(), Failure> {
        if text.is_empty() {
            return Ok(());
        }
        let lines: Vec<String> = text
            .trim_end_matches('\n')
            .split('\n')
            .map(|line| visible::line(&line.replace('\t', "  ")))
            .collect();
        // A table of 80 columns is not broken for the sake of the margin.
        let widest = lines.iter().max_by_key(|line| length(line)).map_or("", String::as_str);
        let table = widest.contains("  ") && length(widest) <= WIDTH;
        let margin = if table { INDENT.len().min(WIDTH - length(widest)) } else { INDENT.len() };
        let mut out = String::new();
        let mut colour = None;
        for line in lines {
            // What belongs to a message of the server is coloured as its first line is.
            colour = match line.split_once(':').map_or("", |(word, _)| word) {
                "ERROR" | "sallyport" => Some(RED),
                "NOTICE" => Some(YELLOW),
                "DETAIL" | "HINT" => colour,
                _ => None,
            };
            for (number, line) in broken(&line, WIDTH - margin, WIDTH - HANGING.len()).iter().enumerate() {
                let indent = if number == 0 { " ".repeat(margin) } else { HANGING.to_owned() };
                let line = colour.map_or_else(|| line.clone(), |colour| self.tinted(line, colour));
                out.push_str(format!("{indent}{line}").trim_end());
                out.push('\n');
            }
        }
        self.raw(&out)
    }

    /// What a step has shown.
    pub(crate) fn shown(&mut self, text: &str) -> Result<(), Failure> {
        let mut out = String::from("\n");
        let room = WIDTH - INDENT.len();
        for (number, line) in broken(text, room, room).iter().enumerate() {
            let mark = if number == 0 { self.tinted("✓ ", GREEN) } else { MARGIN.to_owned() };
            out.push_str(&format!("{MARGIN}{mark}{line}\n"));
        }
        self.raw(&out)
    }

    /// Something beside the point.
    pub(crate) fn aside(&mut self, text: &str) -> Result<(), Failure> {
        let mut out = String::from("\n");
        for line in broken(text, WIDTH - MARGIN.len(), WIDTH - MARGIN.len()) {
            out.push_str(&format!("{MARGIN}{}\n", self.tinted(&line, FAINT)));
        }
        self.raw(&out)
    }

    fn tinted(&self, text: &str, code: &str) -> String {
        if self.colour && !text.is_empty() { format!("{code}{text}\x1b[0m") } else { text.to_owned() }
    }

    fn raw(&mut self, text: &str) -> Result<(), Failure> {
        let written = self.to.write_all(text.as_bytes()).and_then(|()| self.to.flush());
        written.map_err(|error| match error.kind() {
            // Whoever closed the pipe has seen enough.
            io::ErrorKind::BrokenPipe => Failure::failed(""),
            _ => Failure::failed(format!("cannot write: {error}")),
        })
    }
}

fn length(text: &str) -> usize {
    text.chars().count()
}

/// The text in lines of at most `first`, then `rest` columns, broken at spaces; within a word only where
/// it is longer than a line.
fn broken(text: &str, first: usize, rest: usize) -> Vec<String> {
    if length(text) <= first {
        return vec![text.to_owned()];
    }
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut begun = false;
    for word in text.split(' ') {
        let room = if lines.is_empty() { first } else { rest };
        if begun && length(&line) + 1 + length(word) > room {
            lines.push(std::mem::take(&mut line));
        } else if begun {
            line.push(' ');
        }
        begun = true;
        for c in word.chars() {
            let room = if lines.is_empty() { first } else { rest };
            if length(&line) >= room {
                lines.push(std::mem::take(&mut line));
            }
            line.push(c);
        }
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Page(Arc<Mutex<Vec<u8>>>);

    impl Write for Page {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn shown(colour: bool, act: impl Fn(&mut Screen)) -> String {
        let page = Page::default();
        act(&mut Screen { to: Box::new(page.clone()), colour });
        String::from_utf8(page.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn no_line_is_wider_than_80_columns() {
        let long = "word ".repeat(60) + &"x".repeat(200);
        let text = shown(false, |screen| {
            screen.heading(3, "blocked").unwrap();
            screen.say(&long).unwrap();
            screen.output(&format!("HINT:  {long}")).unwrap();
            screen.shown(&long).unwrap();
            screen.aside(&long).unwrap();
        });
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        assert_eq!(text.matches("word").count(), 240, "nothing is lost");
        assert_eq!(text.matches('x').count(), 800, "nothing is lost");
    }

    #[test]
    fn a_table_of_80_columns_stays_a_table() {
        let row = "x".repeat(38);
        let table = format!("{row}    {row}\nshort\n");
        assert_eq!(shown(false, |screen| screen.output(&table).unwrap()), table);
    }

    #[test]
    fn without_a_terminal_there_is_no_colour_and_children_cannot_bring_any() {
        let act = |screen: &mut Screen| screen.output("ERROR:  no\x1b[2J\nDETAIL:  why").unwrap();
        assert_eq!(shown(false, act), "    ERROR:  no\\u{1b}[2J\n    DETAIL:  why\n");
        let coloured = shown(true, act);
        assert_eq!(coloured.matches("\x1b[31m").count(), 2, "{coloured:?}");
        assert!(!coloured.contains("\x1b[2J"));
    }
}
