//! A live session's entries as they are recorded, as server-sent events.
//!
//! ```text
//! id: 7                      the entry's number: `?from=8`, or `Last-Event-ID: 7`, goes on behind it
//! data: {"sequence":7, …}    as in the stream of entries
//!
//! event: end                 the session ended, the reader lost its right, or the gateway stops
//! data: {"reason":"…"}
//! ```
//!
//! The entries are read from the recording's files, so a follower never holds up the session. It may fall
//! behind by any amount, for what it has not read yet lies on disk; one that takes nothing is let go.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use sallyport_core::{Secret, SessionId};
use sallyport_record::read::Content;
use sallyport_record::tail::Tail;
use serde::Deserialize;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use super::reading;
use super::recordings::{PIECE, shown};
use crate::caller::{Caller, bearer};
use crate::input::{Id, Search};
use crate::problem::Problem;
use crate::state::ApiState;

/// How often the recording is looked at when there was nothing new.
const LOOK: Duration = Duration::from_millis(200);
/// How often something is sent, and the reader's right is asked for anew.
const BEAT: Duration = if cfg!(test) { Duration::from_millis(300) } else { Duration::from_secs(5) };
/// Who takes longer than this for a piece while more waits is let go.
const PATIENCE: Duration = if cfg!(test) { Duration::from_millis(600) } else { Duration::from_secs(20) };

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct FollowQuery {
    /// The first entry that is wanted; 0 unless told. A `Last-Event-ID` header goes before it.
    from: Option<u64>,
}

/// A session's entries as they are recorded (`text/event-stream`), until it ends. Needs auditor, for the
/// session's target.
#[utoipa::path(get, path = "/v1/sessions/{id}/follow", tag = "sessions",
    params(("id" = String, Path, description = "session id"), FollowQuery),
    responses((status = 200, content_type = "text/event-stream"), (status = "4XX", body = Problem)))]
pub(crate) async fn follow(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id,
    Search(query): Search<FollowQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let row = reading::admit(&state, &caller, &id, "recording.follow").await?;
    let place = std::sync::Arc::clone(&state.followers)
        .try_acquire_owned()
        .map_err(|_| Problem::too_many("followers"))?;
    let last = match headers.get("last-event-id").map(|value| value.to_str().map(str::parse::<u64>)) {
        None => None,
        Some(Ok(Ok(last))) => Some(last.saturating_add(1)),
        Some(_) => return Err(Problem::bad_request("`Last-Event-ID` is not a number")),
    };
    // The index knows where the session begins; without it the log is gone through from its start.
    let segment = match &state.search {
        Some(index) => index.segment_of(&row.id).await?.unwrap_or(0),
        None => 0,
    };
    let following = Following {
        token: bearer(&headers)?,
        tail: Some(state.recordings.follow(&row.id, segment)),
        from: last.or(query.from).unwrap_or(0),
        next: 0,
        id: row.id,
        target: row.target,
        state,
        beat: Instant::now(),
        given: None,
        over: false,
        _place: place,
    };
    let body = Body::from_stream(futures_util::stream::unfold(following, |mut following| async move {
        let piece = following.next().await?;
        Some((Ok::<_, std::io::Error>(piece), following))
    }));
    let headers = [(header::CONTENT_TYPE, "text/event-stream"), (header::CACHE_CONTROL, "no-store")];
    Ok((headers, body).into_response())
}

struct Following {
    state: ApiState,
    token: Secret<String>,
    id: SessionId,
    target: String,
    /// Nothing while a thread reads with it, and once it failed.
    tail: Option<Tail>,
    /// The first entry that is wanted.
    from: u64,
    /// The next one that will be read.
    next: u64,
    beat: Instant,
    /// When the last piece was given out, while more may wait.
    given: Option<Instant>,
    over: bool,
    _place: OwnedSemaphorePermit,
}

/// What was read: the events, the next entry's number, and whether the session is over.
struct Read {
    bytes: Vec<u8>,
    next: u64,
    sealed: bool,
    broken: bool,
}

impl Following {
    async fn next(&mut self) -> Option<Bytes> {
        if self.over {
            return None;
        }
        if self.given.take().is_some_and(|given| given.elapsed() > PATIENCE) {
            return Some(self.end("this follower is too slow; it can go on where it was"));
        }
        let mut stopping = self.state.stopping.subscribe();
        loop {
            let Some(read) = self.read().await else {
                return Some(self.end("the recording cannot be read"));
            };
            self.next = read.next;
            let mut bytes = read.bytes;
            if read.broken {
                bytes.extend_from_slice(&self.end("the recording cannot be read"));
            } else if read.sealed {
                bytes.extend_from_slice(&self.end("the session ended"));
            }
            if !bytes.is_empty() {
                self.beat = Instant::now();
                self.given = Some(Instant::now());
                return Some(Bytes::from(bytes));
            }
            if self.beat.elapsed() >= BEAT {
                self.beat = Instant::now();
                return Some(match self.still_permitted().await {
                    Ok(()) => Bytes::from_static(b": waiting\n\n"),
                    Err(reason) => self.end(reason),
                });
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                _ = stopping.wait_for(|stopping| *stopping) => {
                    return Some(self.end("the gateway is stopping"));
                }
            }
        }
    }

    /// Reads what is there, on a thread that may block. Nothing when the thread failed.
    async fn read(&mut self) -> Option<Read> {
        let mut tail = self.tail.take()?;
        let (from, next) = (self.from, self.next);
        let reading = tokio::task::spawn_blocking(move || {
            let read = events(&mut tail, from, next);
            (tail, read)
        });
        let (tail, read) = reading.await.ok()?;
        self.tail = Some(tail);
        Some(read)
    }

    /// A right that was taken away ends what it had begun.
    async fn still_permitted(&self) -> Result<(), &'static str> {
        match self.state.auth.authenticate(&self.token).await {
            Ok(who) if self.state.readers.may_read(&who.principal, &self.target) => {}
            Ok(_) => return Err("this recording is not yours to read any more"),
            Err(_) => return Err("the token is not taken any more"),
        }
        match self.state.store.session(&self.id).await {
            Ok(Some(row)) if row.ended.is_none() => Ok(()),
            // Its seal would have been read: the session was cut off, or its recording has expired.
            Ok(_) => Err("the session ended"),
            Err(_) => Err("the store did not answer"),
        }
    }

    fn end(&mut self, reason: &str) -> Bytes {
        self.over = true;
        let reason = serde_json::json!({ "reason": reason, "next": self.next });
        Bytes::from(format!("event: end\ndata: {reason}\n\n"))
    }
}

fn events(tail: &mut Tail, from: u64, mut next: u64) -> Read {
    let mut bytes = Vec::new();
    loop {
        let entry = match tail.next_entry() {
            Ok(Some(entry)) => entry,
            Ok(None) => return Read { bytes, next, sealed: false, broken: false },
            Err(error) => {
                tracing::error!(%error, "a recording cannot be followed");
                return Read { bytes, next, sealed: false, broken: true };
            }
        };
        next = entry.sequence + 1;
        let sealed = matches!(entry.event, Content::Seal { .. });
        if entry.sequence >= from {
            bytes.extend_from_slice(format!("id: {}\ndata: ", entry.sequence).as_bytes());
            let written = serde_json::to_writer(&mut bytes, &shown(entry));
            bytes.extend_from_slice(b"\n\n");
            if written.is_err() {
                return Read { bytes, next, sealed: false, broken: true };
            }
        }
        if sealed || bytes.len() >= PIECE {
            return Read { bytes, next, sealed, broken: false };
        }
    }
}
