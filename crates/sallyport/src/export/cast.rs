//! The replay as an asciicast, version 2: a line of JSON about the terminal, then one for each piece of
//! output with its time. What came from outside cannot drive the player: the transcript has made it text.

use std::io::{self, Write};

use sallyport_api::dto::{Entry, Verified};
use sallyport_core::Timestamp;

use super::Export;
use crate::output::safe_json;
use crate::story::{Room, Teller, Transcript};

const ROWS: u64 = 50;

#[derive(Debug)]
pub(super) struct Cast {
    session: String,
    teller: Teller,
    transcript: Transcript,
    began: Option<Timestamp>,
    /// Time never goes back in a cast, though a clock may.
    last: i64,
}

impl Cast {
    pub(super) fn new(session: &str) -> Self {
        Self {
            session: session.to_owned(),
            teller: Teller::new(Room::terminal(ROWS)),
            transcript: Transcript::default(),
            began: None,
            last: 0,
        }
    }

    fn head(&mut self, at: Timestamp, out: &mut dyn Write) -> io::Result<Timestamp> {
        if let Some(began) = self.began {
            return Ok(began);
        }
        self.began = Some(at);
        let head = serde_json::json!({
            "version": 2, "width": 120, "height": 40, "timestamp": at.micros().div_euclid(1_000_000),
            "idle_time_limit": 2.0, "title": format!("session {}", self.session),
        });
        writeln!(out, "{}", safe_json(&head)?)?;
        Ok(at)
    }
}

impl Export for Cast {
    fn entry(&mut self, entry: &Entry, out: &mut dyn Write) -> io::Result<()> {
        let began = self.head(entry.at, out)?;
        for moment in self.teller.entry(entry) {
            let mut text = String::new();
            for line in self.transcript.lines(&moment) {
                match line.tint {
                    Some(tint) => text.push_str(&format!("{}{}\x1b[0m\r\n", tint.code(), line.text)),
                    None => text.push_str(&format!("{}\r\n", line.text)),
                }
            }
            self.last = self.last.max(moment.at.micros().saturating_sub(began.micros()));
            let (seconds, micros) = (self.last / 1_000_000, self.last % 1_000_000);
            writeln!(out, "[{seconds}.{micros:06}, \"o\", {}]", safe_json(&text)?)?;
        }
        Ok(())
    }

    fn end(&mut self, _: Option<&Verified>, out: &mut dyn Write) -> io::Result<()> {
        self.head(Timestamp::from_micros(0), out).map(|_| ())
    }
}
