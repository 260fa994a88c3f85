//! Every entry of a session, with exact bytes, hashes and links.

use std::io::{self, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sallyport_api::dto::{Entry, EntryContent, Verified};
use sallyport_core::Timestamp;
use serde::Serialize;

use super::Export;
use crate::output::safe_json;

#[derive(Debug)]
pub(super) struct Json {
    session: String,
    entries: u64,
}

impl Json {
    pub(super) fn new(session: &str) -> Self {
        Self { session: session.to_owned(), entries: 0 }
    }

    fn head(&self, out: &mut dyn Write) -> io::Result<()> {
        let session = safe_json(&self.session)?;
        write!(out, "{{\"export\":\"sallyport-session\",\"version\":1,\"session\":{session},\"entries\":[")
    }
}

#[derive(Serialize)]
struct Exported<'a> {
    sequence: u64,
    at: Timestamp,
    hash: &'a str,
    session_link: &'a str,
    log_link: &'a str,
    entry: &'a EntryContent,
    /// How `payload` is written: `utf-8`, or `base64` where the bytes are no text.
    encoding: &'static str,
    payload: String,
}

impl Export for Json {
    fn entry(&mut self, entry: &Entry, out: &mut dyn Write) -> io::Result<()> {
        if self.entries == 0 {
            self.head(out)?;
        } else {
            out.write_all(b",")?;
        }
        self.entries += 1;
        let bytes = STANDARD.decode(&entry.payload).ok();
        let (encoding, payload) = match bytes.and_then(|bytes| String::from_utf8(bytes).ok()) {
            Some(text) => ("utf-8", text),
            None => ("base64", entry.payload.clone()),
        };
        let exported = Exported {
            sequence: entry.sequence,
            at: entry.at,
            hash: &entry.hash,
            session_link: &entry.session_link,
            log_link: &entry.log_link,
            entry: &entry.entry,
            encoding,
            payload,
        };
        write!(out, "\n{}", safe_json(&exported)?)
    }

    fn end(&mut self, verified: Option<&Verified>, out: &mut dyn Write) -> io::Result<()> {
        if self.entries == 0 {
            self.head(out)?;
        }
        writeln!(out, "\n],\"verified\":{}}}", safe_json(&verified)?)
    }
}
