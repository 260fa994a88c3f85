//! The messages of this protocol that carry no operation, all of them.
//!
//! What is not in [`Control`] goes to a target with a permit or not at all. The texts of the gateway's
//! own questions are fixed; nothing of a caller's goes into them.

use bytes::BytesMut;
use sallyport_wire::pg::frontend::{self, Subject};

use crate::upstream;

/// A message that carries no operation.
#[derive(Clone, Copy, Debug)]
pub(super) enum Control<'a> {
    /// Ends a pipeline.
    Sync,
    /// Asks for the replies so far.
    Flush,
    /// Asks what a statement or portal looks like.
    Describe(Subject, &'a [u8]),
    /// Closes a statement or portal.
    Close(Subject, &'a [u8]),
    /// Fails whatever transaction is open: runs a portal that cannot exist.
    Abort,
    /// Asks for one setting of the session, by a fixed text.
    Ask(Setting),
    /// Says goodbye.
    Terminate,
}

/// What changes how a text is read, and can be asked for. The server reports some of it by itself, but
/// only at the end of a cycle: in the middle of a pipeline it has to be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Setting {
    /// `search_path`
    SearchPath,
    /// `role`
    Role,
    /// `session_authorization`
    SessionAuthorization,
    /// `client_encoding`
    ClientEncoding,
    /// `standard_conforming_strings`
    StandardConformingStrings,
    /// Whether the session has a temporary schema: its number, or 0. Asked only after code that nobody
    /// has read, since unlike SHOW it takes a snapshot.
    TemporarySchema,
}

impl Setting {
    /// Those that are always asked for, in order.
    pub(super) const ALWAYS: [Self; 5] = [
        Self::SearchPath,
        Self::Role,
        Self::SessionAuthorization,
        Self::ClientEncoding,
        Self::StandardConformingStrings,
    ];

    /// Its name.
    #[must_use]
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::SearchPath => "search_path",
            Self::Role => "role",
            Self::SessionAuthorization => "session_authorization",
            Self::ClientEncoding => "client_encoding",
            Self::StandardConformingStrings => "standard_conforming_strings",
            Self::TemporarySchema => "temporary_schema",
        }
    }

    /// SHOW takes no snapshot, so a transaction may still choose its isolation level afterwards.
    fn text(self) -> &'static [u8] {
        match self {
            Self::SearchPath => b"SHOW search_path",
            Self::Role => b"SHOW role",
            Self::SessionAuthorization => b"SHOW session_authorization",
            Self::ClientEncoding => b"SHOW client_encoding",
            Self::StandardConformingStrings => b"SHOW standard_conforming_strings",
            Self::TemporarySchema => b"SELECT pg_catalog.pg_my_temp_schema()",
        }
    }
}

/// Names of the gateway's own statement and portals on the caller's connection. Callers cannot use them.
pub(super) const OWN_PREFIX: &[u8] = b"sallyport:";
const OWN_STATEMENT: &[u8] = b"sallyport:reading";
const NO_PORTAL: &[u8] = b"sallyport:refused";

impl upstream::Control for Control<'_> {
    fn write(&self, out: &mut BytesMut) {
        match *self {
            Self::Sync => frontend::sync(out),
            Self::Flush => frontend::flush(out),
            Self::Describe(subject, name) => frontend::describe(out, subject, name),
            Self::Close(subject, name) => frontend::close(out, subject, name),
            Self::Abort => frontend::execute(out, NO_PORTAL, 0),
            Self::Ask(setting) => {
                frontend::parse_statement(out, OWN_STATEMENT, setting.text());
                frontend::bind(out, OWN_STATEMENT, OWN_STATEMENT);
                frontend::execute(out, OWN_STATEMENT, 0);
                frontend::close(out, Subject::Portal, OWN_STATEMENT);
                frontend::close(out, Subject::Statement, OWN_STATEMENT);
            }
            Self::Terminate => frontend::terminate(out),
        }
    }
}
