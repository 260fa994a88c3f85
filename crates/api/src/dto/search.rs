//! What a search found.

use sallyport_core::{SessionId, Timestamp};
use sallyport_store::search::{Found, Hit};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A piece of a statement with the words that were looked for. Hidden characters are written out; else
/// untrusted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ExcerptView {
    /// The piece, on one line.
    pub text: String,
    /// First character and length of every hit in it, in characters.
    pub marks: Vec<(usize, usize)>,
    /// Whether the statement begins before it.
    pub cut_before: bool,
    /// Whether it goes on after it.
    pub cut_after: bool,
}

/// An operation that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SearchHit {
    /// Its session.
    #[schema(value_type = String)]
    pub session: SessionId,
    /// Its number in the session; nothing for a message that was refused by name.
    pub operation: Option<u64>,
    /// The recording's entry that says so.
    pub sequence: u64,
    /// When it was asked for.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// Principal name.
    pub principal: String,
    /// The human behind it.
    pub on_behalf_of: Option<String>,
    /// Target name.
    pub target: String,
    /// Database within it.
    pub database: String,
    /// What policy said: `allow`, `hold` or `deny`.
    pub decision: String,
    /// The rule that decided.
    pub rule: String,
    /// `running`, `waiting`, `passed`, `failed`, `refused`, or `cut` when its session ended before it did.
    pub state: String,
    /// The error's code.
    pub error: Option<String>,
    /// Rows that went to the caller, or were changed.
    pub rows: u64,
    /// Values masked.
    pub masked: u64,
    /// How long it took, microseconds.
    pub duration_us: u64,
    /// The statement, where it was hit.
    pub excerpt: ExcerptView,
}

impl From<Hit> for SearchHit {
    fn from(hit: Hit) -> Self {
        Self {
            session: hit.session,
            operation: hit.operation,
            sequence: hit.sequence,
            at: hit.at,
            principal: hit.principal,
            on_behalf_of: hit.on_behalf_of,
            target: hit.target,
            database: hit.database,
            decision: hit.decision,
            rule: hit.rule,
            state: hit.state,
            error: hit.error,
            rows: hit.rows,
            masked: hit.masked,
            duration_us: hit.duration_us,
            excerpt: ExcerptView {
                text: hit.excerpt.text,
                marks: hit.excerpt.marks,
                cut_before: hit.excerpt.cut.0,
                cut_after: hit.excerpt.cut.1,
            },
        }
    }
}

/// Operations, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SearchPage {
    /// The operations.
    pub hits: Vec<SearchHit>,
    /// Ask with `before` set to this for the next page; nothing when this is the last.
    pub next: Option<u64>,
    /// How many there are, counted up to 1000; on the first page only.
    pub count: Option<u64>,
    /// Whether there are more than were counted.
    pub more: bool,
    /// Whether everything that is recorded was searched; false while the index catches up.
    pub current: bool,
    /// The time of the last entry that was searched.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub until: Option<Timestamp>,
}

impl SearchPage {
    pub(crate) fn new(found: Found, current: bool) -> Self {
        Self {
            hits: found.hits.into_iter().map(SearchHit::from).collect(),
            next: found.next,
            count: found.count,
            more: found.more,
            current,
            until: found.until,
        }
    }
}
