//! Moments as lines of text. What came from outside stands behind a gutter where it could pass for a line
//! of ours.

use sallyport_core::Timestamp;

use super::{Asked, Ended, Moment, Passage, Table, What};
use crate::output::{Tint, cut};
use crate::words;

/// A column is padded up to this; a longer value stands out.
const WIDEST: usize = 40;

/// A line, and the words in it that have a colour.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Line {
    pub(crate) text: String,
    pub(crate) tint: Option<Tint>,
}

impl Line {
    fn plain(text: impl Into<String>) -> Self {
        Self { text: text.into(), tint: None }
    }
}

/// Sets moments out as lines.
#[derive(Debug, Default)]
pub(crate) struct Transcript {
    began: Option<Timestamp>,
}

impl Transcript {
    /// The lines of a moment.
    pub(crate) fn lines(&mut self, moment: &Moment) -> Vec<Line> {
        let began = *self.began.get_or_insert(moment.at);
        let at = format!("[{:>6} s]", moment.at.seconds_since(began));
        let one = |text: String| vec![Line::plain(text)];
        match &moment.what {
            What::Opened(opened) => vec![
                Line::plain(format!("{at} session of {}", opened.who)),
                Line::plain(format!(
                    "           target {}, database {}, from {}, by {}, at {}",
                    opened.target,
                    opened.database,
                    opened.client,
                    opened.by,
                    words::time(moment.at)
                )),
            ],
            What::Asked(asked) => asked_lines(&at, asked),
            What::Table(table) => table_lines(table).into_iter().map(Line::plain).collect(),
            What::Said { severity, code, message } => vec![Line {
                text: format!("  ! {severity} {code}: {message}"),
                tint: (severity != "NOTICE").then_some(Tint::Bad),
            }],
            What::Tag(tag) => one(format!("  . {tag}")),
            What::Ended(ended) => ended_lines(ended),
            What::Learnt { text, answers } => {
                let mut lines = one(format!("{at} the gateway asked: {text}"));
                lines
                    .extend(answers.iter().map(|(name, value)| Line::plain(format!("  = {name} = {value}"))));
                lines
            }
            What::MessageRefused { message, refusal } => {
                vec![Line {
                    text: format!("{at} message {message} refused: {refusal}"),
                    tint: Some(Tint::Bad),
                }]
            }
            What::Cancel => one(format!("{at} the caller asked to cancel")),
            What::Closed { reason, operations } => one(format!(
                "{at} session ended: {reason}; {}",
                words::counted(*operations, "operation", "operations")
            )),
            What::Note { event, reason } => one(format!("{at} note: {reason} ({event})")),
            What::Sealed { entries, head } => {
                one(format!("{at} sealed: {}, head {head}", words::counted(*entries, "entry", "entries")))
            }
            What::Unreadable(what) => one(format!("  ? {what}")),
        }
    }
}

fn asked_lines(at: &str, asked: &Asked) -> Vec<Line> {
    let decided = format!("{} by {}", asked.effect.as_str(), asked.rule);
    let number = asked.operation;
    let head = match (asked.passage, &asked.request) {
        (Passage::Refused, _) => format!("{at} #{number} refused, {decided}"),
        (Passage::Held, Some(request)) => format!("{at} #{number} {decided}; request {request}"),
        _ => format!("{at} #{number} {decided}"),
    };
    let tint = match asked.passage {
        Passage::Refused => Some(Tint::Bad),
        Passage::Held => Some(Tint::Wait),
        Passage::Passed => Some(Tint::Good),
    };
    let mut lines = vec![Line { text: head, tint }];
    if let (Passage::Passed, Some(request)) = (asked.passage, &asked.request) {
        let who = asked.approved_by.join(", ");
        lines.push(Line::plain(format!("           request {request}, approved by {who}")));
    }
    lines.extend(asked.text.iter().map(|line| Line::plain(format!("  | {line}"))));
    for (number, value) in asked.parameters.iter().enumerate() {
        let value = value.as_deref().unwrap_or("NULL");
        lines.push(Line::plain(format!("  ${} = {value}", number + 1)));
    }
    lines.extend(asked.left_out.iter().map(|what| Line::plain(format!("  ? {what}"))));
    if let Some((code, message)) = &asked.refusal {
        lines.push(Line { text: format!("  ! {code}: {message}"), tint: Some(Tint::Bad) });
    }
    lines
}

fn ended_lines(ended: &Ended) -> Vec<Line> {
    let mut lines = Vec::new();
    if ended.hidden > 0 {
        lines.push(Line::plain(format!("  … {}", words::counted(ended.hidden, "more row", "more rows"))));
    }
    if ended.sent > 0 {
        let sent = words::counted(ended.sent, "byte", "bytes");
        lines.push(Line::plain(format!("  > {sent} sent by the caller")));
    }
    let rows = words::counted(ended.rows, "row", "rows");
    let mut line = format!("  = #{} {rows} in {} ms", ended.operation, ended.duration_us / 1000);
    if ended.masked > 0 {
        line.push_str(&format!(", {} masked", words::counted(ended.masked, "value", "values")));
    }
    if let Some(error) = &ended.error {
        line.push_str(&format!(", error {error}"));
    }
    lines.push(Line { text: line, tint: Some(Tint::Faint) });
    lines
}

/// Columns side by side, their names above the first rows.
fn table_lines(table: &Table) -> Vec<String> {
    let rows: Vec<Vec<&str>> = table
        .rows
        .iter()
        .map(|row| row.iter().map(|value| value.as_deref().unwrap_or("NULL")).collect())
        .collect();
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0).max(table.columns.len());
    let length = |text: &str| text.chars().count();
    let widths: Vec<usize> = (0..columns)
        .map(|column| {
            let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| length(cell));
            let name = table.columns.get(column).map_or(0, |name| length(name));
            cells.chain([name]).filter(|width| *width <= WIDEST).max().unwrap_or(WIDEST)
        })
        .collect();
    let lay_out = |cells: &[&str]| {
        let mut line = String::from("  : ");
        for (column, cell) in cells.iter().enumerate() {
            if column > 0 {
                line.push_str(" | ");
            }
            line.push_str(cell);
            let padding = widths.get(column).map_or(0, |width| width.saturating_sub(length(cell)));
            if column + 1 < cells.len() {
                line.push_str(&" ".repeat(padding));
            }
        }
        line
    };
    let mut lines = Vec::with_capacity(rows.len() + 2);
    if table.first && !table.columns.is_empty() {
        let names: Vec<&str> = table.columns.iter().map(String::as_str).collect();
        lines.push(lay_out(&names));
        let rules: Vec<String> = widths.iter().map(|width| "-".repeat((*width).max(1))).collect();
        lines.push(cut(&format!("  : {}", rules.join("-+-")), 160));
    }
    lines.extend(rows.iter().map(|row| lay_out(row)));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_side_by_side_and_a_long_value_moves_only_its_own_row() {
        let row = |cells: &[Option<&str>]| cells.iter().map(|cell| cell.map(str::to_owned)).collect();
        let long = "x".repeat(60);
        let table = Table {
            operation: 1,
            columns: vec!["id".into(), "email".into(), "n".into()],
            rows: vec![
                row(&[Some("7"), Some("‹pii.email›"), Some("1")]),
                row(&[Some("1000"), None, Some("2")]),
                row(&[Some("8"), Some(&long), Some("3")]),
            ],
            first: true,
        };
        assert_eq!(
            table_lines(&table),
            [
                "  : id   | email       | n",
                "  : -----+-------------+--",
                "  : 7    | ‹pii.email› | 1",
                "  : 1000 | NULL        | 2",
                &format!("  : 8    | {long} | 3"),
            ]
        );
    }
}
