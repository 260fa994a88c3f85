//! The JSON shapes: what goes over the API, and nothing that the store keeps for itself.
//!
//! The command line reads the same types, so the two cannot drift. Text in them is untrusted unless the
//! field says otherwise; whoever shows it writes out hidden characters (`sallyport_core::visible`).

mod audit;
mod password;
mod request;
mod search;
mod session;
mod target;
mod token;

pub use audit::{AuditEntry, AuditList};
pub use password::{NewPassword, PasswordCreated};
pub use request::{
    AnswerNote, AnswerView, NeedView, Reading, RequestDetail, RequestList, RequestSummary, Statement,
};
pub use search::{ExcerptView, SearchHit, SearchPage};
pub use session::{Entry, EntryContent, EntryLine, KillResult, SessionList, SessionView, Verified};
pub use target::{TargetList, TargetTest, TargetView};
pub use token::{NewToken, TokenCreated, TokenList, TokenView};
