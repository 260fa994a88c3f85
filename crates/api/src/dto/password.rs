//! Short-lived passwords. The secret is shown once, when it is made.

use sallyport_core::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A password that is to be made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPassword {
    /// How long it lives, seconds; 60 to 3600. Nothing: an hour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in_seconds: Option<u32>,
}

/// A password that was made. It is not kept and cannot be had again.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PasswordCreated {
    /// The user name that it goes with.
    pub username: String,
    /// The password itself.
    pub password: String,
    /// The one target that it is for.
    pub target: String,
    /// When it ends by itself.
    #[schema(value_type = String, format = DateTime)]
    pub expires: Timestamp,
}

impl std::fmt::Debug for PasswordCreated {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PasswordCreated").field("username", &self.username).finish_non_exhaustive()
    }
}
