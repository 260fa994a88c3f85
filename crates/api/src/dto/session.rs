//! Sessions, and what their recordings hold.

use sallyport_core::{Event, PrincipalKind, SessionId, Timestamp};
use sallyport_store::SessionRow;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::problem::Problem;

/// One session, without what was said in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SessionView {
    /// Its id; sorts by start.
    #[schema(value_type = String)]
    pub id: SessionId,
    /// Principal name.
    pub principal: String,
    /// `human`, `service` or `agent`.
    #[schema(value_type = String)]
    pub kind: PrincipalKind,
    /// The human behind it.
    pub on_behalf_of: Option<String>,
    /// Target name.
    pub target: String,
    /// Database within it.
    pub database: String,
    /// The caller's address and port.
    pub client: String,
    /// `token` or `oidc`.
    pub method: String,
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    pub started: Timestamp,
    /// When it ended; nothing while it lives.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub ended: Option<Timestamp>,
    /// Operations seen; final once ended.
    pub operations: u64,
    /// Why it ended.
    pub reason: Option<String>,
}

impl From<SessionRow> for SessionView {
    fn from(row: SessionRow) -> Self {
        Self {
            id: row.id,
            principal: row.principal,
            kind: row.kind,
            on_behalf_of: row.on_behalf_of,
            target: row.target,
            database: row.database,
            client: row.client,
            method: row.method,
            started: row.started,
            ended: row.ended,
            operations: row.operations,
            reason: row.reason,
        }
    }
}

/// Sessions, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SessionList {
    /// The sessions.
    pub sessions: Vec<SessionView>,
    /// Ask with `before` set to this for the next page; nothing when this is the last.
    pub next: Option<String>,
}

/// Whether a session was told to end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct KillResult {
    /// Always true; a session that does not live here is `not-found`.
    pub ending: bool,
}

/// What an entry of a recording says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "content", rename_all = "kebab-case")]
pub enum EntryContent {
    /// An event of the session; see the recording format.
    Event(Box<Event>),
    /// The recorder's own word.
    Note {
        /// `recovered` or `abandoned`.
        event: String,
        /// In words.
        reason: String,
    },
    /// The signed end.
    Seal {
        /// Entries before it.
        entries: u64,
        /// Hash of the last of them, SHA-256, hexadecimal.
        head: String,
        /// Ed25519 over both and the session's id, hexadecimal.
        #[serde(default)]
        signature: String,
    },
    /// Of a newer format; its chain is checked all the same.
    Unknown,
}

/// One entry of a recording.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Entry {
    /// Number within the session, from 0.
    pub sequence: u64,
    /// When it was written.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// Its hash, SHA-256, hexadecimal.
    pub hash: String,
    /// Hash of the session's entry before.
    #[serde(default)]
    pub session_link: String,
    /// Hash of the log's entry before, of whichever session.
    #[serde(default)]
    pub log_link: String,
    /// What it says: `kind` is `event`, `note`, `seal` or `unknown`; `content` as the recording format has it.
    #[schema(value_type = Object)]
    pub entry: EntryContent,
    /// Its exact bytes, base64 (standard, padded).
    pub payload: String,
}

/// What the reading of a session checked: each entry's hash and its link to the session's entry before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Verified {
    /// Entries, the seal included.
    pub entries: u64,
    /// Hash of the last of them; nothing when there is none.
    pub head: Option<String>,
    /// Whether it has a seal. Without one the session goes on, or was cut.
    pub sealed: bool,
    /// Whether the seal is signed by this gateway's key, over this chain; nothing without a seal or key.
    pub signature: Option<bool>,
}

/// One line of the stream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum EntryLine {
    /// The next entry.
    Entry(Box<Entry>),
    /// The last line, when all of it was read.
    Verified {
        /// What was checked.
        verified: Verified,
    },
    /// The last line, when the rest cannot be read.
    Broken {
        /// Why.
        problem: Problem,
    },
}
