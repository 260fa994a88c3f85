//! Who did what over the API.

use sallyport_core::Timestamp;
use sallyport_store::AuditRow;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One thing somebody did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditEntry {
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// Principal name.
    pub principal: String,
    /// What, as `request.approve`.
    pub action: String,
    /// The object's id; empty when there is none.
    pub object: String,
    /// `ok`, or why not.
    pub outcome: String,
}

impl From<AuditRow> for AuditEntry {
    fn from(row: AuditRow) -> Self {
        let AuditRow { at, principal, action, object, outcome } = row;
        Self { at, principal, action, object, outcome }
    }
}

/// Newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditList {
    /// The entries.
    pub entries: Vec<AuditEntry>,
}
