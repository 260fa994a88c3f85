//! What may be done: [Facts](sallyport_core::Facts) in, [Decision](sallyport_core::Decision) out.
//!
//! Rules are Cedar policies; what Cedar does not know (holds, approvals, limits) stands in their
//! annotations. Data flows one way: files are read, validated and checked by [`Policy::load`]
//! (`load`, `rule`); a [`Question`] becomes one Cedar request per action and object and per named
//! column (`ask`, `entity`); the answers are composed to the strictest (`judge`), cached
//! (`cache`), and can be shown one by one (`explain`) or held against expectations (`testing`).
//!
//! This room is pure: no I/O, no clock, no wire format, no parser of SQL. Whatever goes wrong
//! inside it is a denial by the rule `policy-error`.

mod ask;
mod cache;
mod entity;
mod explain;
mod judge;
mod load;
mod policy;
mod rule;
mod schema;
mod starter;
mod testing;

pub use explain::{ExplainedRequest, Explanation};
pub use judge::{DEFAULT_DENY, POLICY_ERROR};
pub use load::{PolicyFile, Problem};
pub use policy::{Policy, Question, RevealQuestion};
pub use schema::schema;
pub use testing::{CaseReport, TestReport, run_tests};
