//! Questions of the gateway's own: one at a time, small answers, everything as text.
//!
//! For the catalog and for `targets test`. Callers' operations never come this way; they need a permit.

use std::time::Duration;

use bytes::BytesMut;
use sallyport_wire::pg::backend::{self, tag};
use sallyport_wire::pg::frontend;

use super::Upstream;
use super::dial::unexpected;
use super::error::{DialError, DialErrorKind};
use super::stream::Conversation;
use crate::dialling::within;

/// What one answer may cost.
#[derive(Clone, Copy, Debug)]
pub(crate) struct QueryLimits {
    /// Most rows.
    pub(crate) rows: usize,
    /// Most bytes of all messages together.
    pub(crate) bytes: usize,
    /// Longest wait for the whole answer.
    pub(crate) deadline: Duration,
}

impl Default for QueryLimits {
    fn default() -> Self {
        Self { rows: 10_000, bytes: 4 * 1024 * 1024, deadline: Duration::from_secs(10) }
    }
}

/// One row: the values as text, nothing for NULL.
pub(crate) type Row = Vec<Option<Vec<u8>>>;

/// A connection for the gateway's own questions.
#[derive(Debug)]
pub(crate) struct UpstreamClient {
    talk: Conversation,
    limits: QueryLimits,
    /// An answer was left half read: nothing that follows could be told from it.
    broken: bool,
}

impl UpstreamClient {
    /// Takes over a connection that [`dial`](super::dial) opened.
    #[must_use]
    pub(crate) fn new(upstream: Upstream, limits: QueryLimits) -> Self {
        let Upstream { stream, leftover, .. } = upstream;
        Self { talk: Conversation::new(stream, leftover, limits.bytes), limits, broken: false }
    }

    /// Whether the connection is of no further use.
    #[cfg(test)]
    #[must_use]
    pub(crate) fn is_broken(&self) -> bool {
        self.broken
    }

    /// Runs a text by the simple protocol and returns its rows; of several statements, all their rows.
    /// Not cancel-safe: when dropped in the middle, the client is broken.
    ///
    /// # Errors
    /// [`DialErrorKind::QueryFailed`] when the server refuses the text: the client stays usable. Any
    /// other error, a limit among them, breaks it.
    pub(crate) async fn query(&mut self, sql: &str) -> Result<Vec<Row>, DialError> {
        if self.broken {
            return Err(DialError::away("this connection broke earlier"));
        }
        self.broken = true;
        let answer = within(self.limits.deadline, self.ask(sql)).await?;
        self.broken = false;
        answer
    }

    /// The outer error breaks the connection, the inner one does not.
    async fn ask(&mut self, sql: &str) -> Result<Result<Vec<Row>, DialError>, DialError> {
        if sql.contains('\0') {
            return Err(DialError::new(DialErrorKind::Gateway, "a NUL in a query of the gateway's own"));
        }
        let mut message = BytesMut::with_capacity(sql.len() + 6);
        frontend::query(&mut message, sql.as_bytes());
        self.talk.send(&message).await?;
        let mut rows = Vec::new();
        let mut bytes = 0_usize;
        let mut failed = None;
        loop {
            let frame = self.talk.receive().await?;
            bytes = bytes.saturating_add(frame.raw().len());
            if bytes > self.limits.bytes || rows.len() > self.limits.rows {
                return Err(DialError::new(DialErrorKind::QueryFailed, "the answer is larger than is read"));
            }
            match frame.tag() {
                tag::DATA_ROW => rows.push(
                    backend::data_row(&frame)?.into_iter().map(|value| value.map(<[u8]>::to_vec)).collect(),
                ),
                tag::ERROR_RESPONSE => {
                    let error = DialError::server(&frame, DialErrorKind::QueryFailed);
                    // A server that goes away says so and closes; there is no ReadyForQuery to wait for.
                    if error.kind() != DialErrorKind::QueryFailed {
                        return Err(error);
                    }
                    failed.get_or_insert(error);
                }
                tag::READY_FOR_QUERY => {
                    backend::ready_for_query(&frame)?;
                    return Ok(failed.map_or(Ok(rows), Err));
                }
                tag::ROW_DESCRIPTION
                | tag::COMMAND_COMPLETE
                | tag::EMPTY_QUERY_RESPONSE
                | tag::NOTICE_RESPONSE
                | tag::NOTIFICATION_RESPONSE
                | tag::PARAMETER_STATUS => {}
                other => return Err(unexpected(other, "in an answer to a query")),
            }
        }
    }
}
