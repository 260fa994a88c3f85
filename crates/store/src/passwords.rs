//! Short-lived passwords: whom they sign in and what they are verified by. The password never comes here.

use sallyport_core::{Digest, Timestamp, TokenId};
use sqlx::Row;

use crate::database::Store;
use crate::error::StoreError;

/// How many of one principal are kept; a newer one takes the place of the oldest.
const MOST: i64 = 100;

/// One password's record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasswordRecord {
    /// The user name that it goes with: its public half.
    pub username: String,
    /// The principal it signs in.
    pub principal: String,
    /// The one target it is for.
    pub target: String,
    /// What `mysql_native_password` verifies by: SHA-1 of SHA-1, in hexadecimal.
    pub native: String,
    /// What `caching_sha2_password` verifies by: SHA-256 of SHA-256.
    pub sha2: Digest,
    /// The token that it was made by; it ends with it.
    pub token: Option<TokenId>,
    /// When it was made.
    pub created: Timestamp,
    /// When it ends by itself.
    pub expires: Timestamp,
}

impl Store {
    /// Keeps a new password's record. Those that have ended go, and the oldest of a principal with too many.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the user name exists.
    pub async fn add_password(&self, password: &PasswordRecord) -> Result<(), StoreError> {
        let own = (self.clone(), password.to_owned());
        self.within(async move {
            let (this, password) = (&own.0, &own.1);
            let mut tx = this.begin().await?;
            sqlx::query("DELETE FROM passwords WHERE expires <= $1")
                .bind(this.now().micros())
                .execute(&mut *tx)
                .await?;
            sqlx::query(
                "DELETE FROM passwords WHERE principal = $1 AND username NOT IN
                 (SELECT username FROM passwords WHERE principal = $1 ORDER BY created DESC LIMIT $2)",
            )
            .bind(&password.principal)
            .bind(MOST - 1)
            .execute(&mut *tx)
            .await?;
            let added = sqlx::query(
                "INSERT INTO passwords (username, principal, target, native, sha2, token, created, expires)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            )
            .bind(&password.username)
            .bind(&password.principal)
            .bind(&password.target)
            .bind(&password.native)
            .bind(password.sha2.to_string())
            .bind(password.token.as_ref().map(TokenId::as_str))
            .bind(password.created.micros())
            .bind(password.expires.micros())
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

    /// The record of a user name, one that has ended too: judging is the caller's.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn password(&self, username: &str) -> Result<Option<PasswordRecord>, StoreError> {
        let own = (self.clone(), username.to_owned());
        self.within(async move {
            let (this, username) = (&own.0, &own.1);
            let row = sqlx::query("SELECT * FROM passwords WHERE username = $1")
                .bind(username)
                .fetch_optional(&this.read)
                .await?;
            let Some(row) = row else { return Ok(None) };
            let corrupt = StoreError::Corrupt("password");
            let Some(sha2) = Digest::parse(row.try_get::<&str, _>("sha2")?) else { return Err(corrupt) };
            let token = match row.try_get::<Option<&str>, _>("token")? {
                Some(id) => Some(TokenId::parse(id).ok_or(corrupt)?),
                None => None,
            };
            Ok(Some(PasswordRecord {
                username: row.try_get("username")?,
                principal: row.try_get("principal")?,
                target: row.try_get("target")?,
                native: row.try_get("native")?,
                sha2,
                token,
                created: Timestamp::from_micros(row.try_get("created")?),
                expires: Timestamp::from_micros(row.try_get("expires")?),
            }))
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use sallyport_core::Clock as _;

    use super::*;
    use crate::testing::fixture;

    fn record(name: &str, now: Timestamp) -> PasswordRecord {
        PasswordRecord {
            username: name.into(),
            principal: "bot".into(),
            target: "shop".into(),
            native: "00".into(),
            sha2: Digest::of(b"x"),
            token: TokenId::parse("t1"),
            created: now,
            expires: now.plus_seconds(60),
        }
    }

    #[tokio::test]
    async fn a_password_reads_back_and_the_oldest_of_too_many_goes() {
        let (store, clock, _dir) = fixture().await;
        let first = record("slp-first", clock.now());
        store.add_password(&first).await.unwrap();
        assert_eq!(store.password("slp-first").await.unwrap(), Some(first.clone()));
        assert!(matches!(store.add_password(&first).await, Err(StoreError::Conflict)));
        for number in 1..=MOST {
            let at = clock.now().plus_seconds(number % 50);
            store.add_password(&record(&format!("slp-{number}"), at.plus_seconds(1))).await.unwrap();
        }
        assert_eq!(store.password("slp-first").await.unwrap(), None);
        assert!(store.password(&format!("slp-{MOST}")).await.unwrap().is_some());
    }
}
