//! Why a target could not be reached, or not be used.
//!
//! Two texts, kept apart: `Display` is one of a few fixed sentences that any caller may read; the
//! detail is for the operator's log. It may hold the server's own words, made safe to look at, and is
//! never part of a refusal.

use std::fmt;

use bytes::BytesMut;
use sallyport_core::{Blame, Refusal, RefusalCode, Target, visible};

/// Longest detail that is kept.
const MAX_DETAIL: usize = 500;

/// The categories a caller may learn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum DialErrorKind {
    /// No connection, no answer in time, or the server says that it takes nobody now.
    TargetAway,
    /// The server answered and did not let the gateway in: credential, role or database.
    TargetRefusedUs,
    /// TLS was refused, could not be agreed, or the certificate did not hold.
    TlsFailed,
    /// The server asked for the credential in a way that would give it away, or did not prove that it
    /// knows it.
    Untrusted,
    /// What the server sent is not the protocol, or exceeds what the gateway reads.
    Protocol,
    /// The server refused a query of the gateway's own.
    QueryFailed,
    /// The gateway lacks something of its own: a credential, or usable settings.
    Gateway,
}

/// A failed dial, or a failed query of the gateway's own.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct DialError {
    kind: DialErrorKind,
    detail: String,
    sqlstate: Option<[u8; 5]>,
}

impl DialError {
    pub(crate) fn new(kind: DialErrorKind, detail: impl AsRef<str>) -> Self {
        let mut detail = visible::line(detail.as_ref());
        if let Some((cut, _)) = detail.char_indices().nth(MAX_DETAIL) {
            detail.truncate(cut);
        }
        Self { kind, detail, sqlstate: None }
    }

    pub(crate) fn protocol(detail: impl AsRef<str>) -> Self {
        Self::new(DialErrorKind::Protocol, detail)
    }

    pub(crate) fn away(detail: impl AsRef<str>) -> Self {
        Self::new(DialErrorKind::TargetAway, detail)
    }

    pub(crate) fn untrusted(detail: impl AsRef<str>) -> Self {
        Self::new(DialErrorKind::Untrusted, detail)
    }

    pub(crate) fn io(doing: &str, error: &std::io::Error) -> Self {
        Self::away(format!("{doing}: {error}"))
    }

    /// What the server itself said, with its SQLSTATE.
    pub(crate) fn said(kind: DialErrorKind, detail: impl AsRef<str>, sqlstate: Option<[u8; 5]>) -> Self {
        Self { sqlstate, ..Self::new(kind, detail) }
    }

    /// The category.
    #[must_use]
    pub(crate) fn kind(&self) -> DialErrorKind {
        self.kind
    }

    /// For logs: what happened. May hold the server's words, on one line, hidden characters written out.
    #[must_use]
    pub(crate) fn detail(&self) -> &str {
        &self.detail
    }

    /// The server's SQLSTATE, if it sent one.
    #[cfg(test)]
    #[must_use]
    pub(crate) fn sqlstate(&self) -> Option<[u8; 5]> {
        self.sqlstate
    }

    /// What a caller may read.
    #[must_use]
    pub(crate) fn public(&self) -> &'static str {
        match self.kind {
            DialErrorKind::TargetAway => "the target does not answer",
            DialErrorKind::TargetRefusedUs => "the target did not let the gateway sign in",
            DialErrorKind::TlsFailed => "no trusted TLS connection to the target could be made",
            DialErrorKind::Untrusted => "the target did not prove that it is the one it should be",
            DialErrorKind::Protocol => "the target answered with something other than its protocol",
            DialErrorKind::QueryFailed => "the target did not answer a question of the gateway's own",
            DialErrorKind::Gateway => "the gateway is not set up for this target",
        }
    }

    /// As a refusal for a caller of `target`: fixed text and the target's configured name.
    #[must_use]
    pub(crate) fn refusal(&self, target: &Target) -> Refusal {
        let blame = if self.kind == DialErrorKind::Gateway { Blame::Gateway } else { Blame::Upstream };
        Refusal::new(RefusalCode::Target, blame, self.public())
            .detail(format!("target {}", visible::line(&target.name)))
            .hint("try again; if it stays so, the gateway's log says more")
    }
}

impl fmt::Display for DialError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.public())
    }
}

impl fmt::Debug for DialError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DialError").field("kind", &self.kind).field("detail", &self.detail).finish()
    }
}

impl std::error::Error for DialError {}

impl From<crate::credentials::CredentialError> for DialError {
    fn from(error: crate::credentials::CredentialError) -> Self {
        Self::new(DialErrorKind::Gateway, error.to_string())
    }
}

/// Wipes a buffer that carried something secret.
pub(crate) fn wipe(mut buffer: BytesMut) {
    zeroize::Zeroize::zeroize(buffer.as_mut());
}
