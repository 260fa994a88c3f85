//! What commands print: tables of at most 80 columns, or JSON; colour on a terminal only.
//!
//! Everything printed goes through here. Text of targets and callers is made visible first, so that it
//! cannot drive the terminal.

use std::io::{self, IsTerminal as _, Write};

use sallyport_core::visible;
use serde::Serialize;

use crate::environment::Environment;
use crate::failure::Failure;

/// The width that tables keep to.
const WIDTH: usize = 80;

/// Between two columns.
const GAP: &str = "  ";

/// Where a command's result goes.
pub(crate) struct Output {
    to: Box<dyn Write>,
    colour: bool,
    terminal: bool,
    json: bool,
}

impl std::fmt::Debug for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Output").field("json", &self.json).finish_non_exhaustive()
    }
}

/// A colour, which is never the only signal: the word stands beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tint {
    /// Went well.
    Good,
    /// Waits.
    Wait,
    /// Refused or failed.
    Bad,
    /// Beside the point.
    Faint,
}

impl Tint {
    /// What a terminal does with it.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Good => "\x1b[32m",
            Self::Wait => "\x1b[33m",
            Self::Bad => "\x1b[31m",
            Self::Faint => "\x1b[2m",
        }
    }

    /// For a decision or a state.
    pub(crate) fn of(word: &str) -> Option<Self> {
        match word {
            "allow" | "approved" | "used" | "ok" | "live" => Some(Self::Good),
            "hold" | "open" => Some(Self::Wait),
            "deny" | "denied" | "failed" | "revoked" => Some(Self::Bad),
            "expired" | "withdrawn" => Some(Self::Faint),
            _ => None,
        }
    }
}

impl Output {
    /// Standard output.
    pub(crate) fn standard(environment: &Environment, json: bool) -> Self {
        let terminal = io::stdout().is_terminal();
        let colour = terminal && !environment.no_color && !environment.dumb;
        Self { to: Box::new(io::BufWriter::new(io::stdout())), colour, terminal, json }
    }

    /// Into anything, plain.
    #[cfg(test)]
    pub(crate) fn plain(to: Box<dyn Write>, json: bool) -> Self {
        Self { to, colour: false, terminal: false, json }
    }

    /// Whether JSON was asked for.
    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// Whether a person looks at it.
    pub(crate) fn is_terminal(&self) -> bool {
        self.terminal
    }

    /// One line of our own words.
    pub(crate) fn line(&mut self, text: &str) -> Result<(), Failure> {
        writeln!(self.to, "{text}").map_err(closed)
    }

    /// Several lines as they are; the text must have been made visible.
    pub(crate) fn text(&mut self, text: &str) -> Result<(), Failure> {
        self.to.write_all(text.as_bytes()).map_err(closed)
    }

    /// Words in a colour, when there is colour.
    pub(crate) fn tinted(&self, text: &str, tint: Option<Tint>) -> String {
        match tint {
            Some(tint) if self.colour => format!("{}{text}\x1b[0m", tint.code()),
            _ => text.to_owned(),
        }
    }

    /// A hit within a text: in a colour, or between signs.
    pub(crate) fn marked(&self, text: &str) -> String {
        if self.colour { format!("\x1b[1;4m{text}\x1b[0m") } else { format!("»{text}«") }
    }

    /// A value as indented JSON.
    pub(crate) fn json(&mut self, value: &impl Serialize) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(value).map_err(|error| Failure::failed(error.to_string()))?;
        self.line(&escape_hidden(&text))
    }

    /// A value as JSON on one line.
    pub(crate) fn json_line(&mut self, value: &impl Serialize) -> Result<(), Failure> {
        let text = safe_json(value).map_err(Failure::from)?;
        self.line(&text)
    }

    /// Words that stand there until the next line does, for a person who looks on.
    pub(crate) fn passing(&mut self, text: &str) -> Result<(), Failure> {
        if self.terminal {
            self.text(&format!("\r\x1b[K{text}\r"))?;
            self.flush()?;
        }
        Ok(())
    }

    /// A table; `empty` is said in its place when there are no rows. Where it would be wider than 80
    /// columns, the cells of the columns named in `shrink` are cut, with a sign that they are, the first
    /// named first.
    pub(crate) fn table(
        &mut self,
        headers: &[&str],
        rows: &[Vec<String>],
        shrink: &[usize],
        empty: &str,
    ) -> Result<(), Failure> {
        self.table_with(headers, rows, &[], shrink, empty)
    }

    /// A table whose rows have a second line below their second column, with almost the whole width to
    /// itself: for what must not be cut short for the sake of the other columns.
    pub(crate) fn table_with(
        &mut self,
        headers: &[&str],
        rows: &[Vec<String>],
        below: &[String],
        shrink: &[usize],
        empty: &str,
    ) -> Result<(), Failure> {
        if rows.is_empty() {
            return self.line(empty);
        }
        let rows: Vec<Vec<String>> =
            rows.iter().map(|row| row.iter().map(|cell| visible::line(cell)).collect()).collect();
        let widths = widths(headers, &rows, shrink);
        let header: Vec<String> = headers.iter().map(|header| (*header).to_owned()).collect();
        let line = lay_out(&header, &widths, |text, _| self.tinted(text, Some(Tint::Faint)));
        self.line(&line)?;
        let indent = widths.first().map_or(0, |width| width + GAP.len());
        for (number, row) in rows.iter().enumerate() {
            let line = lay_out(row, &widths, |text, word| self.tinted(text, Tint::of(word)));
            self.line(&line)?;
            if let Some(second) = below.get(number).filter(|second| !second.is_empty()) {
                let second = cut(&visible::line(second), WIDTH.saturating_sub(indent));
                self.line(&format!("{}{second}", " ".repeat(indent)))?;
            }
        }
        Ok(())
    }

    /// Hands over what is still held back.
    pub(crate) fn flush(&mut self) -> Result<(), Failure> {
        self.to.flush().map_err(closed)
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.to.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// A value as JSON that is the same value and cannot drive a terminal: JSON leaves some control and all
/// reordering characters as they are, and may always write them as `\u….`.
pub(crate) fn safe_json(value: &impl Serialize) -> io::Result<String> {
    Ok(escape_hidden(&serde_json::to_string(value)?))
}

/// Such characters stand in strings only; outside of them JSON is plain.
fn escape_hidden(json: &str) -> String {
    if !visible::has_hidden(json) {
        return json.to_owned();
    }
    let mut out = String::with_capacity(json.len());
    let mut buffer = [0_u16; 2];
    for c in json.chars() {
        if visible::has_hidden(c.encode_utf8(&mut [0; 4])) {
            for unit in c.encode_utf16(&mut buffer) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            out.push(c);
        }
    }
    out
}

/// Whoever closed the pipe has seen enough; that is no failure worth a word.
fn closed(error: io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::BrokenPipe => Failure::failed(""),
        _ => Failure::failed(format!("cannot write the result: {error}")),
    }
}

fn length(text: &str) -> usize {
    text.chars().count()
}

fn widths(headers: &[&str], rows: &[Vec<String>], shrink: &[usize]) -> Vec<usize> {
    let mut widths: Vec<usize> = headers
        .iter()
        .enumerate()
        .map(|(column, header)| {
            let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| length(cell));
            cells.max().unwrap_or(0).max(length(header))
        })
        .collect();
    for column in shrink {
        let total: usize = widths.iter().sum::<usize>() + GAP.len() * widths.len().saturating_sub(1);
        let least = headers.get(*column).map_or(4, |header| length(header).max(8));
        if let Some(width) = widths.get_mut(*column)
            && total > WIDTH
        {
            *width = width.saturating_sub(total - WIDTH).max(least.min(*width));
        }
    }
    widths
}

fn lay_out(cells: &[String], widths: &[usize], tint: impl Fn(&str, &str) -> String) -> String {
    let last = widths.len().saturating_sub(1);
    let mut line = String::new();
    for (column, (cell, width)) in cells.iter().zip(widths).enumerate() {
        let shown = cut(cell, *width);
        let padding = width.saturating_sub(length(&shown));
        line.push_str(&tint(&shown, cell));
        if column < last {
            line.push_str(&" ".repeat(padding));
            line.push_str(GAP);
        }
    }
    line.truncate(line.trim_end().len());
    line
}

/// The text in at most so many characters; `…` stands where it was cut.
pub(crate) fn cut(text: &str, width: usize) -> String {
    if length(text) <= width {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(width.saturating_sub(1)).collect();
    short.push('…');
    short
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Page;

    #[test]
    fn tables_fit_80_columns_and_say_where_they_cut() {
        let page = Page::default();
        let mut output = page.output(false);
        let row = |a: &str, b: &str, c: &str| vec![a.to_owned(), b.to_owned(), c.to_owned()];
        let long = "x".repeat(90);
        output
            .table(
                &["id", "what", "state"],
                &[row("1", &long, "open"), row("22", "short", "used")],
                &[1],
                "none",
            )
            .unwrap();
        drop(output);
        let text = page.text();
        assert!(text.lines().all(|line| length(line) <= WIDTH), "{text}");
        assert!(text.contains('…') && text.contains("open") && text.contains("short"), "{text}");
    }

    #[test]
    fn what_targets_say_cannot_drive_the_terminal() {
        let page = Page::default();
        page.output(false).table(&["a"], &[vec!["\x1b[2J\n".to_owned()]], &[], "none").unwrap();
        assert_eq!(page.text(), "a\n\\u{1b}[2J\\n\n");
    }

    #[test]
    fn json_is_the_same_value_and_cannot_drive_the_terminal() {
        let value = serde_json::json!({ "a": "\u{9b}2J\u{202e}\u{e0041}\u{1b}\n\"", "b": ["\u{2028}"] });
        let page = Page::default();
        page.output(true).json(&value).unwrap();
        page.output(true).json_line(&value).unwrap();
        let text = page.text();
        assert!(!visible::has_hidden(&text), "{text}");
        assert!(text.contains("\\u009b2J\\u202e\\udb40\\udc41\\u001b\\n"), "{text}");
        let last = text.lines().last().unwrap();
        assert_eq!(serde_json::from_str::<serde_json::Value>(last).unwrap(), value);
    }

    #[test]
    fn an_empty_table_says_what_to_do() {
        let page = Page::default();
        page.output(false).table(&["a"], &[], &[], "nothing waits").unwrap();
        assert_eq!(page.text(), "nothing waits\n");
    }
}
