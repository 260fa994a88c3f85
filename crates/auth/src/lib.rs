//! Who is calling: Sallyport's own tokens and OIDC access tokens.
//!
//! A secret comes in, a configured principal goes out. [`Authenticator::authenticate`] tells the two
//! kinds of secret apart by their shape; a token is looked up in the store and its digest compared, an
//! access token's signature and claims are checked against its provider. Either way the last step is
//! the [`Directory`]: who is not configured is refused. Live sessions come back with
//! [`Authenticator::recheck`] every 30 seconds, so that a revocation reaches them.
//!
//! What a caller may read of a failure is [`AuthError`]'s text, one sentence for all of them; which
//! check failed is [`AuthError::reason`], for the log.

mod authenticator;
mod directory;
pub mod egress;
mod error;
mod keys;
mod oidc;
mod password;
mod token;

pub use authenticator::{Authenticated, Authenticator};
pub use directory::{Directory, DirectoryEntry};
pub use error::{AuthError, SettingsError};
pub use oidc::OidcSettings;
pub use password::{IssuedPassword, LONGEST_PASSWORD, PASSWORD_USER, Proof, issue_password};
pub use token::{IssuedToken, issue, parse_token};

#[cfg(test)]
mod testing;
