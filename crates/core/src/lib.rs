//! The vocabulary of Sallyport.
//!
//! Every other room speaks these nouns, and no room has others for the same thing. Nothing in here
//! does I/O, parses a wire format or knows a database: values come in, values go out. Data flows
//! through these types in one order: a [`Principal`] opens a session on a [`Target`]; each
//! [`Operation`] gets [`Facts`], then a [`Decision`], perhaps an [`ApprovalRequest`], and ends as
//! [`Event`]s in the recording or as a [`Refusal`] to the caller.

mod approval;
mod clock;
mod control;
mod decision;
mod digest;
mod event;
mod facts;
mod id;
mod label;
mod object;
mod operation;
mod principal;
mod refusal;
mod secret;
mod target;
mod verb;
pub mod visible;

pub use approval::{Answer, AnswerRefused, ApprovalRequest, GroupNeed, RequestState, Verdict, may_answer};
pub use clock::{Clock, SystemClock, Timestamp};
pub use control::{Killed, SessionControl, TargetHealth};
pub use decision::{Decision, Effect, HoldTerms, Limits, Reveal};
pub use digest::{Digest, DigestBuilder};
pub use event::{Event, ParameterShape, ResultDirection, Withheld};
pub use facts::{Action, Condition, Facts, Language, Unknown, UnknownCode};
pub use id::{RequestId, SessionId, TokenId};
pub use label::{ColumnRef, LabelSource, NoLabels};
pub use object::{ObjectName, Quoting};
pub use operation::{Binding, Operation, OperationKind, Parameter, ParameterFormat};
pub use principal::{ApiRole, Principal, PrincipalKind, fold_name};
pub use refusal::{Blame, Refusal, RefusalCode};
pub use secret::Secret;
pub use target::{CredentialRef, Target, TlsIdentity, TlsMode, TlsSettings};
pub use verb::{Group, Verb};
