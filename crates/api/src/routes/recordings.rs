//! What a session's recording holds, as a stream of lines.
//!
//! Reading a recording is itself noted, before the first byte goes out. Entries are read from disk in
//! pieces as the client takes them: one piece and one entry are in memory, however long the session.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_core::Stream;
use sallyport_core::{ApiRole, SessionId};
use sallyport_record::read::{self, Content, Entries};

use crate::caller::Caller;
use crate::dto::{Entry, EntryContent, EntryLine};
use crate::input::Id;
use crate::problem::Problem;
use crate::state::ApiState;

/// A piece is sent once it is this large.
const PIECE: usize = 64 * 1024;

/// A session's entries, one JSON object a line (`EntryLine`). Needs auditor.
#[utoipa::path(get, path = "/v1/sessions/{id}/entries", tag = "sessions",
    params(("id" = String, Path, description = "session id")),
    responses((status = 200, body = EntryLine, content_type = "application/x-ndjson"),
              (status = "4XX", body = Problem)))]
pub(crate) async fn entries(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id,
) -> Result<Response, Problem> {
    caller.needs(&[ApiRole::Auditor])?;
    let id = SessionId::parse(&id).ok_or_else(|| Problem::not_found("session"))?;
    if state.store.session(&id).await?.is_none() {
        return Err(Problem::not_found("session"));
    }
    state.audit(&caller.principal, "recording.read", id.as_str(), "ok").await?;
    let recordings = state.recordings.clone();
    let entries = tokio::task::spawn_blocking(move || recordings.session(&id))
        .await
        .map_err(|_| Problem::recording())?
        .map_err(|error| {
            tracing::error!(%error, "a recording cannot be read");
            Problem::recording()
        })?;
    let body = Body::from_stream(Lines::Idle(Some(Box::new(entries))));
    Ok(([(header::CONTENT_TYPE, "application/x-ndjson")], body).into_response())
}

type Piece = (Option<Box<Entries>>, Vec<u8>);

/// Reads a piece at a time, on a thread that may block.
enum Lines {
    Idle(Option<Box<Entries>>),
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
fn piece(mut entries: Box<Entries>) -> Piece {
    let mut bytes = Vec::new();
    while bytes.len() < PIECE {
        let line = match entries.next() {
            None => return (None, bytes),
            Some(Ok(entry)) => EntryLine::Entry(Box::new(shown(entry))),
            Some(Err(error)) => {
                tracing::error!(%error, "a recording cannot be read");
                EntryLine::Broken { problem: Problem::recording() }
            }
        };
        let broken = matches!(line, EntryLine::Broken { .. });
        let written = serde_json::to_writer(&mut bytes, &line);
        bytes.push(b'\n');
        if broken || written.is_err() {
            return (None, bytes);
        }
    }
    (Some(entries), bytes)
}

fn shown(entry: read::Entry) -> Entry {
    Entry {
        sequence: entry.sequence,
        at: entry.time,
        hash: entry.hash.to_string(),
        entry: match entry.event {
            Content::Event(event) => EntryContent::Event(event),
            Content::Note { event, reason } => EntryContent::Note { event, reason },
            Content::Seal { entries, head } => EntryContent::Seal { entries, head: head.to_string() },
            Content::Unknown => EntryContent::Unknown,
        },
        payload: STANDARD.encode(&entry.payload),
    }
}
