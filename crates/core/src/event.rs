//! What the recording says, entry by entry.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::decision::Decision;
use crate::digest::Digest;
use crate::facts::Facts;
use crate::id::RequestId;
use crate::operation::{OperationKind, ParameterFormat};
use crate::principal::Principal;
use crate::refusal::Refusal;

/// Whose bytes a data entry holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ResultDirection {
    /// What the caller got, after masking.
    ToCaller,
    /// What the caller sent after its operation: the data of a COPY.
    ToTarget,
}

/// A parameter's type and form, in order; the values are in the entry's payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParameterShape {
    /// The target's type number.
    pub type_id: u32,
    /// Text or binary.
    pub format: ParameterFormat,
    /// Length in bytes; nothing for NULL.
    pub length: Option<usize>,
}

/// A credential that stood in an operation's text. The text beside the event has a stand-in there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Withheld {
    /// Where it stood in the text as it came, which the digest is of.
    pub offset: usize,
    /// Its bytes there.
    pub length: usize,
}

/// One entry of a session's recording. Exact bytes travel beside it as the entry's payload: the text
/// of an operation followed by its parameters' values, or the bytes of a data entry.
///
/// Facts and decision are shared: the recorder writes the same pair once and refers to it afterwards, and
/// tells that it is the same by its place in memory, so that a repeated operation costs no comparison.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// The session began.
    SessionOpened {
        /// Who, and for whom.
        principal: Principal,
        /// How the principal was established: `token` or `oidc`.
        authenticated_by: String,
        /// Target name.
        target: String,
        /// Protocol name.
        protocol: String,
        /// Database within the target.
        database: String,
        /// The caller's address.
        client: String,
        /// What the caller calls itself, and whatever else its protocol says of it. Untrusted.
        client_says: BTreeMap<String, String>,
        /// The target's own version.
        server_version: String,
        /// Sallyport's version.
        gateway_version: String,
        /// Policy version at the start.
        policy_version: String,
    },
    /// An operation may pass: written before its first byte goes out. Payload: text, then parameters' values.
    Intent {
        /// Number within the session.
        operation: u64,
        /// How it came.
        kind: OperationKind,
        /// Length of the text within the payload.
        text_length: usize,
        /// Credentials that were left out of it, in order.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        withheld: Vec<Withheld>,
        /// Parameters within the payload, in order.
        parameters: Vec<ParameterShape>,
        /// What it is bound to.
        digest: Digest,
        /// What it would do.
        facts: Arc<Facts>,
        /// What policy said.
        decision: Arc<Decision>,
        /// The request whose approval was used.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        approval: Option<RequestId>,
        /// Who approved.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        approved_by: Vec<String>,
    },
    /// An operation did not pass. Payload as for an intent.
    Refused {
        /// Number within the session.
        operation: u64,
        /// How it came.
        kind: OperationKind,
        /// Length of the text within the payload.
        text_length: usize,
        /// Credentials that were left out of it, in order.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        withheld: Vec<Withheld>,
        /// Parameters within the payload, in order.
        parameters: Vec<ParameterShape>,
        /// What it is bound to.
        digest: Digest,
        /// What it would do.
        facts: Arc<Facts>,
        /// What policy said.
        decision: Arc<Decision>,
        /// The request, where there was one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        request: Option<RequestId>,
        /// What the caller was told.
        refusal: Refusal,
    },
    /// An operation waits for a human. Payload as for an intent.
    Held {
        /// Number within the session.
        operation: u64,
        /// Length of the text within the payload.
        text_length: usize,
        /// Credentials that were left out of it, in order.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        withheld: Vec<Withheld>,
        /// Parameters within the payload, in order.
        parameters: Vec<ParameterShape>,
        /// The request made.
        request: RequestId,
        /// What it is bound to.
        digest: Digest,
        /// What it would do.
        facts: Arc<Facts>,
        /// What policy said.
        decision: Arc<Decision>,
    },
    /// A message that carries no decided operation was refused by name.
    MessageRefused {
        /// The message's name in its protocol.
        message: String,
        /// What the caller was told.
        refusal: Refusal,
    },
    /// Bytes, in the payload.
    Data {
        /// Whose.
        direction: ResultDirection,
        /// The operation at whose reply they stand.
        operation: u64,
    },
    /// How an operation ended.
    Outcome {
        /// Number within the session.
        operation: u64,
        /// Rows that went to the caller, or were changed.
        rows: u64,
        /// Bytes that went to the caller.
        bytes: u64,
        /// Values masked or withheld.
        masked: u64,
        /// From forwarding to the last reply, microseconds.
        duration_us: u64,
        /// The target's or our error code; nothing when it succeeded.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<String>,
    },
    /// The gateway asked the target something on the session's own connection.
    GatewayAsked {
        /// What was asked.
        text: String,
        /// What it learnt.
        answer: BTreeMap<String, String>,
    },
    /// The caller asked to cancel.
    CancelAsked,
    /// Something was done or tried with the gateway itself: tokens, approvals, readings of recordings. In a
    /// session of the gateway's own, one from each start to its end.
    Audited {
        /// Who.
        principal: String,
        /// What was done, as in `token.create`.
        action: String,
        /// To what.
        object: String,
        /// `ok`, or the code of the problem.
        outcome: String,
    },
    /// The session ended.
    SessionClosed {
        /// Why, in our own words.
        reason: String,
        /// Operations seen.
        operations: u64,
    },
}

impl Event {
    /// The entry's name, as in its `event` field.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::SessionOpened { .. } => "session-opened",
            Self::Intent { .. } => "intent",
            Self::Refused { .. } => "refused",
            Self::Held { .. } => "held",
            Self::MessageRefused { .. } => "message-refused",
            Self::Data { .. } => "data",
            Self::Outcome { .. } => "outcome",
            Self::GatewayAsked { .. } => "gateway-asked",
            Self::CancelAsked => "cancel-asked",
            Self::Audited { .. } => "audited",
            Self::SessionClosed { .. } => "session-closed",
        }
    }
}
