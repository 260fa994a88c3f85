//! Durable state: tokens, requests for approval, the session index, the audit of the API and policy
//! versions. The only crate that knows SQL.
//!
//! Data flows through [`Store`] alone: callers hand in and get back the nouns of `sallyport-core`, and
//! never see a row. Everything that must happen at most once (an answer by a human, the use of an
//! approval) is one transaction whose last statement names the state it expects and whose affected rows
//! are counted; a race is lost by getting nothing. Every call has a deadline: a store that is stuck
//! refuses, it does not hang.
//!
//! [`search`] is a database of its own, which the recordings can fill anew.
//!
//! SQLite today, PostgreSQL later: the statements keep to what both read alike (`$1` parameters,
//! `ON CONFLICT DO NOTHING`, `BIGINT` for times and flags), and what differs (pragmas, `BEGIN
//! IMMEDIATE`, file modes) is in `database.rs` alone.

mod audit;
mod database;
mod error;
mod passwords;
mod policies;
mod requests;
pub mod search;
mod sessions;
mod tokens;
mod waiting;

pub use audit::AuditRow;
pub use database::Store;
pub use error::{AnswerError, StoreError};
pub use passwords::PasswordRecord;
pub use policies::PolicyVersion;
pub use requests::{MAX_OPEN_REQUESTS, MAX_REQUEST, RequestFilter};
pub use sessions::{SessionFilter, SessionRow};
pub use tokens::TokenRecord;

#[cfg(test)]
mod testing;
