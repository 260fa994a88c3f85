//! What a caller may read when something does not pass.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Who is to blame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Blame {
    /// The caller's side of the wire.
    Downstream,
    /// The target.
    Upstream,
    /// The gateway itself.
    Gateway,
    /// A rule, or a human's answer.
    Policy,
}

/// Stable codes: the first word of every refusal's detail, and the same in API and recordings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum RefusalCode {
    /// A rule denies it, or none allows it.
    #[serde(rename = "SLP-DENIED")]
    Denied,
    /// It could not be understood.
    #[serde(rename = "SLP-UNKNOWN")]
    Unknown,
    /// A human said no.
    #[serde(rename = "SLP-REJECTED")]
    Rejected,
    /// Nobody answered in time; the request stays open.
    #[serde(rename = "SLP-TICKET")]
    Ticket,
    /// The request ended unanswered, or what it asked for means something else by now.
    #[serde(rename = "SLP-EXPIRED")]
    Expired,
    /// The caller took it back.
    #[serde(rename = "SLP-WITHDRAWN")]
    Withdrawn,
    /// A limit of the policy or the gateway was reached.
    #[serde(rename = "SLP-LIMIT")]
    Limit,
    /// It ran out of its allotted time.
    #[serde(rename = "SLP-TIMEOUT")]
    Timeout,
    /// It could not be recorded.
    #[serde(rename = "SLP-RECORDER")]
    Recorder,
    /// The store did not answer.
    #[serde(rename = "SLP-STORE")]
    Store,
    /// The target is away.
    #[serde(rename = "SLP-TARGET")]
    Target,
    /// The token was not taken.
    #[serde(rename = "SLP-TOKEN")]
    Token,
    /// The protocol message is not carried, or out of place.
    #[serde(rename = "SLP-PROTOCOL")]
    Protocol,
    /// The result could not be masked surely.
    #[serde(rename = "SLP-MASK")]
    Mask,
    /// An administrator ended the session, or the gateway is stopping.
    #[serde(rename = "SLP-ENDED")]
    Ended,
}

impl RefusalCode {
    /// The stable word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Denied => "SLP-DENIED",
            Self::Unknown => "SLP-UNKNOWN",
            Self::Rejected => "SLP-REJECTED",
            Self::Ticket => "SLP-TICKET",
            Self::Expired => "SLP-EXPIRED",
            Self::Withdrawn => "SLP-WITHDRAWN",
            Self::Limit => "SLP-LIMIT",
            Self::Timeout => "SLP-TIMEOUT",
            Self::Recorder => "SLP-RECORDER",
            Self::Store => "SLP-STORE",
            Self::Target => "SLP-TARGET",
            Self::Token => "SLP-TOKEN",
            Self::Protocol => "SLP-PROTOCOL",
            Self::Mask => "SLP-MASK",
            Self::Ended => "SLP-ENDED",
        }
    }
}

/// A refusal: public text only. No library's error text and no untrusted text goes in here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// Stable code.
    pub code: RefusalCode,
    /// What was refused and why, one lower-case sentence.
    pub message: String,
    /// Rule, request, target, principal: for who wants to know more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// What to do next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// Who is to blame.
    pub blame: Blame,
}

impl Refusal {
    /// A refusal with its message.
    #[must_use]
    pub fn new(code: RefusalCode, blame: Blame, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), detail: None, hint: None, blame }
    }

    /// With detail.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// With a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.code.as_str(), self.message)
    }
}

impl std::error::Error for Refusal {}
