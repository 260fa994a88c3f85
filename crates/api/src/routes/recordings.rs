//! What a session's recording holds, as a stream of lines.
//!
//! Reading a recording is itself noted, before the first byte goes out. Entries are read from disk in
//! pieces as the client takes them: one piece and one entry are in memory, however long the session. The
//! last line says what the reading checked.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_core::Stream;
use sallyport_core::{Digest, SessionId};
use sallyport_record::VerifyingKey;
use sallyport_record::read::{self, Content, Entries};
use serde::Deserialize;

use super::reading;
use crate::caller::Caller;
use crate::dto::{Entry, EntryContent, EntryLine, Verified};
use crate::input::{Id, Search};
use crate::problem::Problem;
use crate::state::ApiState;

/// A piece is sent once it is this large.
pub(super) const PIECE: usize = 64 * 1024;

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct EntriesQuery {
    /// What it is read for, for the audit: `read`, `replay` or `export`.
    purpose: Option<Purpose>,
}

#[derive(Clone, Copy, Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
enum Purpose {
    Read,
    Replay,
    Export,
}

/// A session's entries, one JSON object a line (`EntryLine`). Needs auditor, for the session's target.
#[utoipa::path(get, path = "/v1/sessions/{id}/entries", tag = "sessions",
    params(("id" = String, Path, description = "session id"), EntriesQuery),
    responses((status = 200, body = EntryLine, content_type = "application/x-ndjson"),
              (status = "4XX", body = Problem)))]
pub(crate) async fn entries(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id,
    Search(query): Search<EntriesQuery>,
) -> Result<Response, Problem> {
    let action = match query.purpose {
        None | Some(Purpose::Read) => "recording.read",
        Some(Purpose::Replay) => "recording.replay",
        Some(Purpose::Export) => "recording.export",
    };
    let id = reading::admit(&state, &caller, &id, action).await?.id;
    let recordings = state.recordings.clone();
    let session = id.clone();
    let entries = tokio::task::spawn_blocking(move || recordings.session(&session))
        .await
        .map_err(|_| Problem::recording())?
        .map_err(|error| {
            tracing::error!(%error, "a recording cannot be read");
            Problem::recording()
        })?;
    let body = Body::from_stream(Lines::Idle(Some(Box::new((entries, Check::new(id, state.key))))));
    Ok(([(header::CONTENT_TYPE, "application/x-ndjson")], body).into_response())
}

/// What the reading of a session checks on the way.
struct Check {
    session: SessionId,
    key: Option<VerifyingKey>,
    entries: u64,
    head: Option<Digest>,
    sealed: bool,
    signature: Option<bool>,
}

impl Check {
    fn new(session: SessionId, key: Option<VerifyingKey>) -> Self {
        Self { session, key, entries: 0, head: None, sealed: false, signature: None }
    }

    /// The reader has checked hashes and links of each entry that it gives.
    fn take(&mut self, entry: &read::Entry) {
        if let Content::Seal { entries, head, signature } = &entry.event {
            let covers = *entries == self.entries && Some(*head) == self.head;
            self.sealed = true;
            self.signature = self
                .key
                .as_ref()
                .map(|key| covers && read::seal_holds(key, &self.session, *entries, *head, signature));
        }
        self.entries += 1;
        self.head = Some(entry.hash);
    }

    fn line(&self) -> EntryLine {
        EntryLine::Verified {
            verified: Verified {
                entries: self.entries,
                head: self.head.map(|head| head.to_string()),
                sealed: self.sealed,
                signature: self.signature,
            },
        }
    }
}

type Reader = Box<(Entries, Check)>;
type Piece = (Option<Reader>, Vec<u8>);

/// Reads a piece at a time, on a thread that may block.
enum Lines {
    Idle(Option<Reader>),
    Reading(tokio::task::JoinHandle<Piece>),
}

impl Stream for Lines {
    type Item = Result<Bytes, std::io::Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            match &mut *self {
                Self::Idle(entries) => {
                    let Some(entries) = entries.take() else { return Poll::Ready(None) };
                    *self = Self::Reading(tokio::task::spawn_blocking(move || piece(entries)));
                }
                Self::Reading(handle) => {
                    let Poll::Ready(read) = Pin::new(handle).poll(cx) else { return Poll::Pending };
                    let Ok((rest, bytes)) = read else {
                        *self = Self::Idle(None);
                        return Poll::Ready(Some(Err(std::io::ErrorKind::Other.into())));
                    };
                    *self = Self::Idle(rest);
                    if !bytes.is_empty() {
                        return Poll::Ready(Some(Ok(Bytes::from(bytes))));
                    }
                }
            }
        }
    }
}

/// The next entries as lines, and the reader unless it is done.
fn piece(mut reader: Reader) -> Piece {
    let (entries, check) = &mut *reader;
    let mut bytes = Vec::new();
    while bytes.len() < PIECE {
        let (line, over) = match entries.next() {
            None => (check.line(), true),
            Some(Ok(entry)) => {
                check.take(&entry);
                (EntryLine::Entry(Box::new(shown(entry))), false)
            }
            Some(Err(error)) => {
                tracing::error!(%error, "a recording cannot be read");
                (EntryLine::Broken { problem: Problem::recording() }, true)
            }
        };
        let written = serde_json::to_writer(&mut bytes, &line);
        bytes.push(b'\n');
        if over || written.is_err() {
            return (None, bytes);
        }
    }
    (Some(reader), bytes)
}

pub(super) fn shown(entry: read::Entry) -> Entry {
    Entry {
        sequence: entry.sequence,
        at: entry.time,
        hash: entry.hash.to_string(),
        session_link: entry.session_link.to_string(),
        log_link: entry.log_link.to_string(),
        entry: match entry.event {
            Content::Event(event) => EntryContent::Event(event),
            Content::Note { event, reason } => EntryContent::Note { event, reason },
            Content::Seal { entries, head, signature } => {
                EntryContent::Seal { entries, head: head.to_string(), signature }
            }
            Content::Unknown => EntryContent::Unknown,
        },
        payload: STANDARD.encode(&entry.payload),
    }
}
