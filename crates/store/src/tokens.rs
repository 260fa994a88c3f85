//! Sallyport tokens: who they belong to and the digest of their secret. The secret never comes here.

use sallyport_core::{Digest, Timestamp, TokenId};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use crate::database::Store;
use crate::error::StoreError;

/// One issued token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRecord {
    /// The public half.
    pub id: TokenId,
    /// Name of the principal it speaks for, as configured when issued.
    pub principal: String,
    /// SHA-256 of the whole token text.
    pub hash: Digest,
    /// When it was issued.
    pub created: Timestamp,
    /// When it ends by itself.
    pub expires: Option<Timestamp>,
    /// When it was revoked.
    pub revoked: Option<Timestamp>,
    /// When it last opened something, to about a minute.
    pub last_used: Option<Timestamp>,
    /// What it is for, in the issuer's words.
    pub note: Option<String>,
}

/// `last_used` is not written again within this many seconds: connecting must not cost a disk sync.
const TOUCH_SECONDS: i64 = 60;

impl Store {
    /// Keeps a new token's record.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the id exists.
    pub async fn add_token(&self, token: &TokenRecord) -> Result<(), StoreError> {
        let own = (self.clone(), token.to_owned());
        self.within(async move {
            let (this, token) = (&own.0, &own.1);
            let mut tx = this.begin().await?;
            let added = sqlx::query(
                "INSERT INTO tokens (id, principal, hash, created, expires, revoked, last_used, note)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            )
            .bind(token.id.as_str())
            .bind(&token.principal)
            .bind(token.hash.to_string())
            .bind(token.created.micros())
            .bind(token.expires.map(Timestamp::micros))
            .bind(token.revoked.map(Timestamp::micros))
            .bind(token.last_used.map(Timestamp::micros))
            .bind(&token.note)
            .execute(&mut *tx)
            .await;
            match added {
                Ok(_) => Ok(tx.commit().await?),
                Err(error) if StoreError::is_duplicate(&error) => Err(StoreError::Conflict),
                Err(error) => Err(error.into()),
            }
        })
        .await
    }

    /// The token's record, revoked and expired ones too: judging is the caller's.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn token(&self, id: &TokenId) -> Result<Option<TokenRecord>, StoreError> {
        let own = (self.clone(), id.to_owned());
        self.within(async move {
            let (this, id) = (&own.0, &own.1);
            let row = sqlx::query("SELECT * FROM tokens WHERE id = $1")
                .bind(id.as_str())
                .fetch_optional(&this.read)
                .await?;
            row.as_ref().map(token_from).transpose()
        })
        .await
    }

    /// All tokens, newest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn tokens(&self) -> Result<Vec<TokenRecord>, StoreError> {
        let this = self.clone();
        self.within(async move {
            let rows = sqlx::query("SELECT * FROM tokens ORDER BY created DESC, id DESC LIMIT 10000")
                .fetch_all(&this.read)
                .await?;
            rows.iter().map(token_from).collect()
        })
        .await
    }

    /// Revokes the token. False when there is none such, or it was revoked before.
    ///
    /// # Errors
    /// When the store fails; the token may then still be good.
    pub async fn revoke_token(&self, id: &TokenId) -> Result<bool, StoreError> {
        let own = (self.clone(), id.to_owned());
        self.within(async move {
            let (this, id) = (&own.0, &own.1);
            let mut tx = this.begin().await?;
            let done = sqlx::query("UPDATE tokens SET revoked = $1 WHERE id = $2 AND revoked IS NULL")
                .bind(this.now().micros())
                .bind(id.as_str())
                .execute(&mut *tx)
                .await?;
            tx.commit().await?;
            Ok(done.rows_affected() == 1)
        })
        .await
    }

    /// Notes that the token was used now; at most once a minute per token.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn touch_token(&self, id: &TokenId) -> Result<(), StoreError> {
        let own = (self.clone(), id.to_owned());
        self.within(async move {
            let (this, id) = (&own.0, &own.1);
            let now = this.now();
            let mut tx = this.begin_unsynced().await?;
            sqlx::query(
                "UPDATE tokens SET last_used = $1 WHERE id = $2 AND (last_used IS NULL OR last_used < $3)",
            )
            .bind(now.micros())
            .bind(id.as_str())
            .bind(now.plus_seconds(-TOUCH_SECONDS).micros())
            .execute(&mut *tx)
            .await?;
            Ok(tx.commit().await?)
        })
        .await
    }
}

fn token_from(row: &SqliteRow) -> Result<TokenRecord, StoreError> {
    let corrupt = StoreError::Corrupt("token");
    let (Some(id), Some(hash)) =
        (TokenId::parse(row.try_get::<&str, _>("id")?), Digest::parse(row.try_get::<&str, _>("hash")?))
    else {
        return Err(corrupt);
    };
    Ok(TokenRecord {
        id,
        principal: row.try_get("principal")?,
        hash,
        created: Timestamp::from_micros(row.try_get("created")?),
        expires: row.try_get::<Option<i64>, _>("expires")?.map(Timestamp::from_micros),
        revoked: row.try_get::<Option<i64>, _>("revoked")?.map(Timestamp::from_micros),
        last_used: row.try_get::<Option<i64>, _>("last_used")?.map(Timestamp::from_micros),
        note: row.try_get("note")?,
    })
}

#[cfg(test)]
#[path = "tokens_tests.rs"]
mod tests;
