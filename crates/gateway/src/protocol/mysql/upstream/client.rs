//! Questions of the gateway's own: one at a time, answers as text.
//!
//! For catalogs, cancelling and `targets test`. Callers' operations never come this way; they need a permit.

use std::time::Duration;

use sallyport_wire::mysql::capability as cap;
use sallyport_wire::mysql::command::number;
use sallyport_wire::mysql::reply::{Done, column_count, is_end, tag};
use sallyport_wire::mysql::row::text_values;

use super::exchange::{Exchange, goodbye};
use super::{Upstream, said, unreadable};
use crate::dialling::{DialError, DialErrorKind, UpstreamStream, within};

/// What one answer may cost.
#[derive(Clone, Copy, Debug)]
pub(crate) struct QueryLimits {
    /// Most rows.
    pub(crate) rows: usize,
    /// Most bytes of all packets together.
    pub(crate) bytes: usize,
    /// Longest wait for the whole answer.
    pub(crate) deadline: Duration,
}

/// One row: the values as text, nothing for NULL.
pub(crate) type Row = Vec<Option<Vec<u8>>>;

/// A connection for the gateway's own questions.
#[derive(Debug)]
pub(crate) struct Client {
    exchange: Exchange<UpstreamStream>,
    limits: QueryLimits,
    /// As negotiated.
    capabilities: u64,
    /// The last answer was read to its end.
    in_step: bool,
}

impl Client {
    /// Takes over a connection that [`dial`](super::dial) opened.
    pub(crate) fn new(upstream: Upstream, limits: QueryLimits) -> Self {
        let Upstream { stream, leftover, capabilities, .. } = upstream;
        Self { exchange: Exchange::new(stream, leftover, limits.bytes), limits, capabilities, in_step: true }
    }

    /// Runs one statement and returns its rows. After an error, or when dropped in the middle, the client is
    /// of further use only when [`Client::is_in_step`] says so.
    ///
    /// # Errors
    /// [`DialErrorKind::QueryFailed`] when the server refuses it, or the answer is larger than is read.
    pub(crate) async fn query(&mut self, sql: &str) -> Result<Vec<Row>, DialError> {
        self.in_step = false;
        within(self.limits.deadline, self.ask(sql)).await
    }

    /// Whether the last answer was read to its end, be it rows or an error.
    pub(crate) fn is_in_step(&self) -> bool {
        self.in_step
    }

    async fn ask(&mut self, sql: &str) -> Result<Vec<Row>, DialError> {
        self.exchange.command(number::QUERY, sql.as_bytes()).await?;
        let packet = self.exchange.receive().await?;
        match packet.tag() {
            tag::OK => {
                Done::parse(packet.payload()).map_err(unreadable)?;
                self.in_step = true;
                return Ok(Vec::new());
            }
            tag::ERR => {
                self.in_step = true;
                return Err(said(packet.payload(), DialErrorKind::QueryFailed));
            }
            _ => {}
        }
        let columns = column_count(packet.payload()).map_err(unreadable)?;
        let ends_columns = usize::from(self.capabilities & cap::DEPRECATE_EOF == 0);
        for _ in 0..columns + ends_columns {
            self.exchange.receive().await?;
        }
        let (mut rows, mut bytes) = (Vec::new(), 0_usize);
        loop {
            let packet = self.exchange.receive().await?;
            let payload = packet.payload();
            bytes = bytes.saturating_add(payload.len());
            if bytes > self.limits.bytes || rows.len() > self.limits.rows {
                return Err(DialError::new(DialErrorKind::QueryFailed, "the answer is larger than is read"));
            }
            match packet.tag() {
                tag::ERR => {
                    self.in_step = true;
                    return Err(said(payload, DialErrorKind::QueryFailed));
                }
                tag::EOF if is_end(payload, self.capabilities) => {
                    self.in_step = true;
                    return Ok(rows);
                }
                _ => {
                    let values = text_values(payload, columns).map_err(unreadable)?;
                    rows.push(values.into_iter().map(|value| value.map(<[u8]>::to_vec)).collect());
                }
            }
        }
    }

    /// Says goodbye.
    pub(crate) async fn leave(self) {
        goodbye(self.exchange.stream).await;
    }
}
