//! A row for every operation (RFC 4180). A cell that a spreadsheet would take for a formula begins with
//! an apostrophe.

use std::collections::BTreeMap;
use std::io::{self, Write};

use sallyport_api::dto::{Entry, Verified};
use sallyport_core::Timestamp;

use super::Export;
use crate::story::{Asked, Ended, Moment, Opened, Passage, Room, Teller, What};

const COLUMNS: &[&str] = &[
    "session",
    "operation",
    "at",
    "principal",
    "on_behalf_of",
    "target",
    "database",
    "decision",
    "rule",
    "state",
    "error",
    "request",
    "approved_by",
    "rows",
    "masked",
    "duration_ms",
    "actions",
    "parameters",
    "text",
];

/// Operations that have not ended, at most: more would have to be an attack on the memory.
const MOST_OPEN: usize = 10_000;

#[derive(Debug)]
pub(super) struct Csv {
    session: String,
    teller: Teller,
    opened: Opened,
    open: BTreeMap<u64, (Timestamp, Asked)>,
    begun: bool,
}

impl Csv {
    pub(super) fn new(session: &str) -> Self {
        Self {
            session: session.to_owned(),
            // A spreadsheet's cell holds 32 767 characters.
            teller: Teller::new(Room { rows: 0, cell: 1000, text: 30_000 }),
            opened: Opened::default(),
            open: BTreeMap::new(),
            begun: false,
        }
    }

    fn head(&mut self, out: &mut dyn Write) -> io::Result<()> {
        if self.begun {
            return Ok(());
        }
        self.begun = true;
        line(out, COLUMNS)
    }

    fn moment(&mut self, moment: Moment, out: &mut dyn Write) -> io::Result<()> {
        match moment.what {
            What::Opened(opened) => self.opened = *opened,
            What::Asked(asked) if asked.passage == Passage::Refused => {
                self.open.remove(&asked.operation);
                self.row(moment.at, &asked, "refused", None, out)?;
            }
            What::Asked(asked) => {
                self.open.insert(asked.operation, (moment.at, *asked));
                if self.open.len() > MOST_OPEN
                    && let Some((_, (at, asked))) = self.open.pop_first()
                {
                    self.row(at, &asked, "cut", None, out)?;
                }
            }
            What::Ended(ended) => {
                if let Some((at, asked)) = self.open.remove(&ended.operation) {
                    let state = if ended.error.is_some() { "failed" } else { "passed" };
                    self.row(at, &asked, state, Some(&ended), out)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn row(
        &self,
        at: Timestamp,
        asked: &Asked,
        state: &str,
        ended: Option<&Ended>,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let number = |value: Option<u64>| value.map_or_else(String::new, |value| value.to_string());
        let error = match (&asked.refusal, ended) {
            (Some((code, _)), _) => code.clone(),
            (None, ended) => ended.and_then(|ended| ended.error.clone()).unwrap_or_default(),
        };
        let mut text = asked.text.join("\n");
        if let Some(left_out) = &asked.left_out {
            text.push_str(&format!("\n[{left_out}]"));
        }
        let parameters: Vec<String> = asked
            .parameters
            .iter()
            .enumerate()
            .map(|(index, value)| format!("${}={}", index + 1, value.as_deref().unwrap_or("NULL")))
            .collect();
        let cells = [
            self.session.clone(),
            asked.operation.to_string(),
            at.to_string(),
            self.opened.principal.clone(),
            self.opened.on_behalf_of.clone().unwrap_or_default(),
            self.opened.target.clone(),
            self.opened.database.clone(),
            asked.effect.as_str().to_owned(),
            asked.rule.clone(),
            state.to_owned(),
            error,
            asked.request.clone().unwrap_or_default(),
            asked.approved_by.join(" "),
            number(ended.map(|ended| ended.rows)),
            number(ended.map(|ended| ended.masked)),
            number(ended.map(|ended| ended.duration_us / 1000)),
            asked.actions.join(", "),
            parameters.join(" "),
            text,
        ];
        line(out, &cells)
    }
}

impl Export for Csv {
    fn entry(&mut self, entry: &Entry, out: &mut dyn Write) -> io::Result<()> {
        self.head(out)?;
        for moment in self.teller.entry(entry) {
            self.moment(moment, out)?;
        }
        Ok(())
    }

    fn end(&mut self, verified: Option<&Verified>, out: &mut dyn Write) -> io::Result<()> {
        self.head(out)?;
        let sealed = verified.is_some_and(|verified| verified.sealed);
        for (_, (at, asked)) in std::mem::take(&mut self.open) {
            let state = match (sealed, asked.passage) {
                (true, _) => "cut",
                (false, Passage::Held) => "waiting",
                (false, _) => "running",
            };
            self.row(at, &asked, state, None, out)?;
        }
        Ok(())
    }
}

fn line(out: &mut dyn Write, cells: &[impl AsRef<str>]) -> io::Result<()> {
    let cells: Vec<String> = cells.iter().map(|text| cell(text.as_ref())).collect();
    write!(out, "{}\r\n", cells.join(","))
}

fn cell(text: &str) -> String {
    // Also behind what a spreadsheet trims away.
    let first = text.trim_start().chars().next();
    let formula = matches!(first, Some('=' | '+' | '-' | '@' | '%' | '|' | '＝' | '＋' | '－' | '＠'));
    let text = if formula { format!("'{text}") } else { text.to_owned() };
    if text.contains([',', '"', '\n', '\r', '\'', ';', '\t']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}
