//! From a secret to a principal, and again every 30 seconds.

use std::sync::{Arc, PoisonError, RwLock};

use aws_lc_rs::constant_time::verify_slices_are_equal;
use sallyport_core::{Clock, Digest, Principal, Secret, Timestamp, TokenId, fold_name};
use sallyport_store::{PasswordRecord, Store, TokenRecord};

use crate::directory::Directory;
use crate::egress;
use crate::error::{AuthError, SettingsError};
use crate::oidc::{LEEWAY, OidcSettings, Provider, claimed_issuer};
use crate::password::Proof;
use crate::token::{looks_like_token, parse_token};

/// `last_used` is written when it is older than this, seconds.
const TOUCH_SECONDS: i64 = 60;

/// Who has signed in, and how. Only [`Authenticator::authenticate`] makes one.
#[derive(Clone, Debug)]
pub struct Authenticated {
    /// The principal, with the groups that its provider gave it.
    pub principal: Arc<Principal>,
    /// `token`, `oidc` or `password`.
    pub method: &'static str,
    /// The token's public half.
    pub token: Option<TokenId>,
    /// When the credential ends by itself.
    pub expires: Option<Timestamp>,
    /// The one target that the credential is for, by name; nothing when it is for any.
    pub target: Option<String>,
    /// The principal as it stood in the directory, without what a provider added.
    configured: Arc<Principal>,
    /// Issuer and subject, of a provider's token.
    subject: Option<(String, String)>,
    /// The user name of a short-lived password.
    username: Option<String>,
}

/// Tells who is calling. Cheap to clone; all clones see the same directory.
#[derive(Clone, Debug)]
pub struct Authenticator {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    store: Store,
    directory: RwLock<Arc<Directory>>,
    providers: Vec<Provider>,
    clock: Arc<dyn Clock>,
}

impl Authenticator {
    /// Puts the parts together. Nothing is fetched yet: a provider that is away must not keep the
    /// gateway from starting.
    ///
    /// # Errors
    /// When a provider's settings would take tokens that they should not.
    pub fn new(
        store: Store,
        directory: Directory,
        oidc: Vec<OidcSettings>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, SettingsError> {
        let mut providers: Vec<Provider> = Vec::new();
        if !oidc.is_empty() {
            let client = egress::client().map_err(|_| SettingsError::Client)?;
            for settings in oidc {
                if providers.iter().any(|provider| provider.issuer() == settings.issuer) {
                    return Err(SettingsError::DuplicateIssuer(settings.issuer));
                }
                providers.push(Provider::new(settings, client.clone())?);
            }
        }
        let directory = RwLock::new(Arc::new(directory));
        Ok(Self { inner: Arc::new(Inner { store, directory, providers, clock }) })
    }

    /// Replaces the configured principals. Live sessions meet the new ones at their next recheck.
    pub fn set_directory(&self, directory: Directory) {
        *self.inner.directory.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(directory);
    }

    /// The configured principals.
    #[must_use]
    pub fn directory(&self) -> Arc<Directory> {
        Arc::clone(&self.inner.directory.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The issuers whose access tokens are taken, in the configured order.
    pub fn issuers(&self) -> impl Iterator<Item = &str> {
        self.inner.providers.iter().map(Provider::issuer)
    }

    /// Who presents this secret.
    ///
    /// # Errors
    /// Whenever it is not surely a configured principal. The text is public, [`AuthError::reason`] is not.
    pub async fn authenticate(&self, secret: &Secret<String>) -> Result<Authenticated, AuthError> {
        let text = secret.expose();
        if looks_like_token(text) { self.by_token(text).await } else { self.by_provider(text).await }
    }

    async fn by_token(&self, text: &str) -> Result<Authenticated, AuthError> {
        let (id, digest) = parse_token(text).ok_or(AuthError::Malformed)?;
        let record = self.inner.store.token(&id).await?.ok_or(AuthError::UnknownToken)?;
        if !same(&record.hash, &digest) {
            return Err(AuthError::WrongSecret);
        }
        let principal = self.judge(&record)?;
        let now = self.inner.clock.now();
        if record.last_used.is_none_or(|used| now.seconds_since(used) >= TOUCH_SECONDS)
            && let Err(error) = self.inner.store.touch_token(&id).await
        {
            // When it was last used is for people to tidy up by, not for deciding.
            tracing::warn!(token = %id, %error, "could not note that a token was used");
        }
        Ok(Authenticated {
            principal: Arc::clone(&principal),
            method: "token",
            token: Some(id),
            expires: record.expires,
            target: None,
            configured: principal,
            subject: None,
            username: None,
        })
    }

    /// Whose short-lived password this proves to be.
    ///
    /// # Errors
    /// As [`Authenticator::authenticate`].
    pub async fn by_password(&self, username: &str, proof: Proof<'_>) -> Result<Authenticated, AuthError> {
        let record = self.inner.store.password(username).await?.ok_or(AuthError::UnknownToken)?;
        if !proof.proves(&record) {
            return Err(AuthError::WrongSecret);
        }
        let principal = self.judge_password(&record).await?;
        Ok(Authenticated {
            principal: Arc::clone(&principal),
            method: "password",
            token: record.token,
            expires: Some(record.expires),
            target: Some(record.target),
            configured: principal,
            subject: None,
            username: Some(record.username),
        })
    }

    /// The principal of a password that may be used now: it has not run out, and the token that it was made by
    /// still holds.
    async fn judge_password(&self, record: &PasswordRecord) -> Result<Arc<Principal>, AuthError> {
        if self.inner.clock.now() >= record.expires {
            return Err(AuthError::Expired);
        }
        let Some(id) = &record.token else {
            return self.directory().get(&record.principal).ok_or(AuthError::UnknownPrincipal);
        };
        let token = self.inner.store.token(id).await?.ok_or(AuthError::UnknownToken)?;
        if fold_name(&token.principal) != fold_name(&record.principal) {
            return Err(AuthError::PrincipalChanged);
        }
        self.judge(&token)
    }

    /// The principal of a token that may be used now.
    fn judge(&self, record: &TokenRecord) -> Result<Arc<Principal>, AuthError> {
        if record.revoked.is_some() {
            return Err(AuthError::Revoked);
        }
        if record.expires.is_some_and(|expires| self.inner.clock.now() >= expires) {
            return Err(AuthError::Expired);
        }
        self.directory().get(&record.principal).ok_or(AuthError::UnknownPrincipal)
    }

    async fn by_provider(&self, text: &str) -> Result<Authenticated, AuthError> {
        if self.inner.providers.is_empty() {
            return Err(AuthError::Malformed);
        }
        let issuer = claimed_issuer(text)?;
        let provider = self.inner.providers.iter().find(|provider| provider.issuer() == issuer);
        let verified = provider.ok_or(AuthError::Issuer)?.verify(text, self.inner.clock.now()).await?;
        let configured = self
            .directory()
            .by_subject(&verified.issuer, &verified.subject)
            .ok_or(AuthError::UnknownPrincipal)?;
        let principal = if verified.groups.is_subset(&configured.groups) {
            Arc::clone(&configured)
        } else {
            let mut principal = Principal::clone(&configured);
            principal.groups.extend(verified.groups);
            Arc::new(principal)
        };
        Ok(Authenticated {
            principal,
            method: "oidc",
            token: None,
            expires: Some(verified.expires),
            target: None,
            configured,
            subject: Some((verified.issuer, verified.subject)),
            username: None,
        })
    }

    /// Whether somebody who signed in earlier may go on. Live sessions ask every 30 seconds and end on
    /// any error: the principal's kind, human, groups and roles must be what they were.
    ///
    /// # Errors
    /// When the credential was revoked or has run out, or the principal was removed or changed.
    pub async fn recheck(&self, who: &Authenticated) -> Result<Arc<Principal>, AuthError> {
        let present = match (&who.username, &who.token, &who.subject) {
            (Some(username), _, None) => {
                let record = self.inner.store.password(username).await?.ok_or(AuthError::Expired)?;
                if fold_name(&record.principal) != fold_name(&who.configured.name) {
                    return Err(AuthError::PrincipalChanged);
                }
                self.judge_password(&record).await?
            }
            (None, Some(id), None) => {
                let record = self.inner.store.token(id).await?.ok_or(AuthError::UnknownToken)?;
                if fold_name(&record.principal) != fold_name(&who.configured.name) {
                    return Err(AuthError::PrincipalChanged);
                }
                self.judge(&record)?
            }
            (None, None, Some((issuer, subject))) => {
                let expires = who.expires.ok_or(AuthError::Claim("exp"))?;
                if self.inner.clock.now() >= expires.plus_seconds(LEEWAY) {
                    return Err(AuthError::Expired);
                }
                self.directory().by_subject(issuer, subject).ok_or(AuthError::UnknownPrincipal)?
            }
            _ => return Err(AuthError::Malformed),
        };
        if *present != *who.configured {
            return Err(AuthError::PrincipalChanged);
        }
        Ok(Arc::clone(&who.principal))
    }
}

/// Whether two digests are the same, in a time that does not depend on where they differ.
fn same(kept: &Digest, shown: &Digest) -> bool {
    verify_slices_are_equal(kept.as_bytes(), shown.as_bytes()).is_ok()
}

#[cfg(test)]
#[path = "authenticator_tests.rs"]
mod tests;
