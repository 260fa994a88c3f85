//! Why somebody was not let in, and why a configuration cannot let anybody in.

use sallyport_store::StoreError;
use thiserror::Error;

/// Why a secret was not taken. The text is public and says the same for every bad secret: telling
/// wrong, revoked, expired and unknown apart would tell a guesser how near it is. [`AuthError::reason`]
/// tells them apart, for the log.
#[derive(Debug, Error)]
pub enum AuthError {
    /// It has the shape of no secret that is taken here, or its checksum is wrong.
    #[error("the credential was not accepted")]
    Malformed,
    /// No token has this id.
    #[error("the credential was not accepted")]
    UnknownToken,
    /// The token's id is known and its secret is wrong.
    #[error("the credential was not accepted")]
    WrongSecret,
    /// The token was revoked.
    #[error("the credential was not accepted")]
    Revoked,
    /// It has run out.
    #[error("the credential was not accepted")]
    Expired,
    /// It is not valid yet.
    #[error("the credential was not accepted")]
    NotYetValid,
    /// It is good, and who it names is not configured.
    #[error("the credential was not accepted")]
    UnknownPrincipal,
    /// Since sign-in the principal's kind, groups, roles or human have changed.
    #[error("the credential was not accepted")]
    PrincipalChanged,
    /// No provider with this issuer is configured.
    #[error("the credential was not accepted")]
    Issuer,
    /// It was made for another audience.
    #[error("the credential was not accepted")]
    Audience,
    /// It was issued to a client that is not among the authorised parties.
    #[error("the credential was not accepted")]
    AuthorizedParty,
    /// It is of another tenant.
    #[error("the credential was not accepted")]
    Tenant,
    /// Its algorithm is not allowed.
    #[error("the credential was not accepted")]
    Algorithm,
    /// Its header names a type, or critical extensions, that are not taken.
    #[error("the credential was not accepted")]
    Header,
    /// The provider publishes no fitting key of this id.
    #[error("the credential was not accepted")]
    UnknownKey,
    /// The signature is wrong.
    #[error("the credential was not accepted")]
    Signature,
    /// A claim that is needed is absent, or not of its type.
    #[error("the credential was not accepted")]
    Claim(&'static str),
    /// The provider left the groups out because there are too many. That is not "no groups".
    #[error("the credential was not accepted")]
    GroupOverage,
    /// The provider's keys could not be had.
    #[error("the identity provider did not answer")]
    Provider(&'static str),
    /// The store did not answer.
    #[error("the store did not answer")]
    Store(#[from] StoreError),
    /// The system gave no random bytes.
    #[error("no random bytes")]
    Random,
}

impl AuthError {
    /// Which check failed, for the log and for nobody else.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::UnknownToken => "unknown token",
            Self::WrongSecret => "wrong secret",
            Self::Revoked => "revoked",
            Self::Expired => "expired",
            Self::NotYetValid => "not yet valid",
            Self::UnknownPrincipal => "unknown principal",
            Self::PrincipalChanged => "principal changed",
            Self::Issuer => "unknown issuer",
            Self::Audience => "wrong audience",
            Self::AuthorizedParty => "wrong authorised party",
            Self::Tenant => "wrong tenant",
            Self::Algorithm => "algorithm not allowed",
            Self::Header => "header not taken",
            Self::UnknownKey => "unknown key",
            Self::Signature => "bad signature",
            Self::Claim(claim) => claim,
            Self::GroupOverage => "group overage",
            Self::Provider(problem) => problem,
            Self::Store(_) => "store",
            Self::Random => "random",
        }
    }

    /// Whether the gateway or a provider failed, and not the credential: worth trying again.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        matches!(self, Self::Provider(_) | Self::Store(_) | Self::Random)
    }
}

/// Why principals or providers cannot be used as configured.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SettingsError {
    /// Two principals whose names differ at most in case and surrounding space.
    #[error("two principals are called `{0}` (names are compared without case)")]
    DuplicateName(String),
    /// A principal without a name.
    #[error("a principal has no name")]
    EmptyName,
    /// Two principals with the same subject at the same issuer.
    #[error("the subject of `{0}` at `{1}` is another principal's too")]
    DuplicateSubject(String, String),
    /// A subject without its issuer, or the other way round.
    #[error("`{0}` has an OIDC subject or issuer without the other, or an empty one")]
    IncompleteSubject(String),
    /// A subject that maps to nobody.
    #[error("`{0}` is no configured principal")]
    NoSuchPrincipal(String),
    /// Two providers with the same issuer.
    #[error("two providers have the issuer `{0}`")]
    DuplicateIssuer(String),
    /// A provider's setting.
    #[error("provider `{issuer}`: {problem}")]
    Provider {
        /// Which provider.
        issuer: String,
        /// What is wrong and what to do.
        problem: &'static str,
    },
    /// The HTTP client could not be built.
    #[error("no HTTP client: the system's certificates could not be read")]
    Client,
}
