//! One page that needs nothing else: no network, no script to be read, and it prints.
//!
//! Operations become cards as they end. The body is gathered first, since the head of the page sums it up;
//! past [`MOST_BYTES`] further operations are counted and no longer shown, and the page says so.

use std::collections::BTreeMap;
use std::io::{self, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sallyport_api::dto::{Entry, Verified};
use sallyport_core::{Digest, Timestamp};

use super::Export;
use super::page_parts::{self as parts, Card, Sum};
use crate::story::{Moment, Opened, Passage, Room, Teller, What};

/// Rows shown of each result, characters of a value, bytes of a statement.
const ROOM: Room = Room { rows: 200, cell: 600, text: 64 << 10 };
/// Bytes of the body.
const MOST_BYTES: usize = 48 << 20;
/// Operations that have not ended, at most.
const MOST_OPEN: usize = 10_000;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

#[derive(Debug)]
pub(super) struct Page {
    session: String,
    teller: Teller,
    opened: Opened,
    began: Option<Timestamp>,
    ended: Option<Timestamp>,
    open: BTreeMap<u64, Card>,
    /// The operation whose reply comes in.
    current: u64,
    body: String,
    ticks: Vec<(i64, u64, &'static str)>,
    sum: Sum,
}

impl Page {
    pub(super) fn new(session: &str) -> Self {
        Self {
            session: session.to_owned(),
            teller: Teller::new(ROOM),
            opened: Opened::default(),
            began: None,
            ended: None,
            open: BTreeMap::new(),
            current: 0,
            body: String::new(),
            ticks: Vec::new(),
            sum: Sum::default(),
        }
    }

    fn since(&self, at: Timestamp) -> i64 {
        self.began.map_or(0, |began| at.micros().saturating_sub(began.micros()).max(0))
    }

    fn moment(&mut self, moment: Moment) {
        let at = moment.at;
        self.began.get_or_insert(at);
        self.ended = Some(self.ended.map_or(at, |ended| ended.max(at)));
        match moment.what {
            What::Opened(opened) => self.opened = *opened,
            What::Asked(asked) => {
                let number = asked.operation;
                let since = self.since(at);
                let refused = asked.passage == Passage::Refused;
                let waited = self.open.remove(&number).filter(|card| card.asked.passage == Passage::Held);
                let card = Card::new(at, since, *asked, waited.map(|card| card.since));
                self.current = number;
                if refused {
                    self.put(card, false);
                } else {
                    self.open.insert(number, card);
                    if self.open.len() > MOST_OPEN
                        && let Some((_, card)) = self.open.pop_first()
                    {
                        self.put(card, true);
                    }
                }
            }
            What::Table(table) => {
                if let Some(card) = self.open.get_mut(&table.operation) {
                    card.reply(What::Table(table));
                }
            }
            What::Ended(ended) => {
                if let Some(mut card) = self.open.remove(&ended.operation) {
                    card.ended = Some(ended);
                    self.put(card, false);
                }
            }
            reply @ (What::Said { .. } | What::Tag(_) | What::Unreadable(_)) => {
                if let Some(card) = self.open.get_mut(&self.current) {
                    card.reply(reply);
                } else if !matches!(reply, What::Tag(_)) {
                    let since = self.since(at);
                    self.add(&parts::aside(since, &reply));
                }
            }
            What::Sealed { .. } => {}
            other => {
                let since = self.since(at);
                self.add(&parts::aside(since, &other));
            }
        }
    }

    fn put(&mut self, card: Card, unfinished: bool) {
        let state = card.state(unfinished);
        self.sum.count(&card, state);
        self.ticks.push((card.since, card.asked.operation, state));
        self.add(&parts::card(&card, state));
    }

    fn add(&mut self, html: &str) {
        if self.body.len().saturating_add(html.len()) > MOST_BYTES {
            self.sum.left_out += 1;
        } else {
            self.body.push_str(html);
        }
    }
}

impl Export for Page {
    fn entry(&mut self, entry: &Entry, _: &mut dyn Write) -> io::Result<()> {
        for moment in self.teller.entry(entry) {
            self.moment(moment);
        }
        Ok(())
    }

    fn end(&mut self, verified: Option<&Verified>, out: &mut dyn Write) -> io::Result<()> {
        for (_, card) in std::mem::take(&mut self.open) {
            self.put(card, true);
        }
        let total = self.ended.map_or(0, |ended| self.since(ended));
        let sha = |text: &str| STANDARD.encode(Digest::of(text.as_bytes()).as_bytes());
        let title = format!("{} on {}", parts::escape(&self.opened.who), parts::escape(&self.opened.target));
        // Nothing may be fetched, sent or framed in; only this very style and script are taken.
        let policy = format!(
            "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; base-uri 'none'; form-action 'none'",
            sha(STYLE),
            sha(SCRIPT)
        );
        write!(
            out,
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"referrer\" content=\"no-referrer\">\n<title>{title} · Sallyport recording</title>\n\
             <style>{STYLE}</style>\n</head>\n<body>\n"
        )?;
        out.write_all(parts::head(&self.session, &self.opened, self.began, self.ended).as_bytes())?;
        out.write_all(parts::verification(verified).as_bytes())?;
        out.write_all(parts::summary(&self.sum).as_bytes())?;
        out.write_all(parts::timeline(&self.ticks, total).as_bytes())?;
        out.write_all(b"<main id=\"story\">\n")?;
        out.write_all(self.body.as_bytes())?;
        out.write_all(parts::foot(&self.session, verified, &self.sum).as_bytes())?;
        write!(out, "<script>{SCRIPT}</script>\n</body>\n</html>\n")
    }
}
