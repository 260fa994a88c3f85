//! What was done over the API and the console, by whom. Reading a recording is such an act.

use sallyport_core::{SessionId, Timestamp};
use sqlx::Row;

use crate::database::Store;
use crate::error::StoreError;

const MAX_LIST: u32 = 1000;

/// One act.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRow {
    /// When.
    pub at: Timestamp,
    /// Principal name.
    pub principal: String,
    /// What, as a short word (`token.revoke`, `request.approve`, `recording.read`).
    pub action: String,
    /// On which object, by its id; empty when there is none.
    pub object: String,
    /// `ok`, or why not.
    pub outcome: String,
}

impl Store {
    /// Writes an act down. An act that is to be recorded happens only after this has succeeded.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn audit(&self, row: &AuditRow) -> Result<(), StoreError> {
        let mut random = [0_u8; 10];
        getrandom::fill(&mut random).map_err(|_| StoreError::Corrupt("source of random bytes"))?;
        let own = (self.clone(), row.to_owned());
        self.within(async move {
            let (this, row) = (&own.0, &own.1);
            let mut tx = this.begin().await?;
            sqlx::query(
                "INSERT INTO audit (id, at, principal, action, object, outcome) VALUES ($1, $2, $3, $4, $5, $6)",
            )
            .bind(SessionId::new(row.at, random).as_str())
            .bind(row.at.micros())
            .bind(&row.principal)
            .bind(&row.action)
            .bind(&row.object)
            .bind(&row.outcome)
            .execute(&mut *tx)
            .await?;
            Ok(tx.commit().await?)
        })
        .await
    }

    /// Acts, newest first; at most 1000.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn audits(&self, limit: u32) -> Result<Vec<AuditRow>, StoreError> {
        let this = self.clone();
        self.within(async move {
            let rows = sqlx::query("SELECT * FROM audit ORDER BY at DESC, id DESC LIMIT $1")
                .bind(i64::from(limit.min(MAX_LIST)))
                .fetch_all(&this.read)
                .await?;
            rows.iter()
                .map(|row| {
                    Ok(AuditRow {
                        at: Timestamp::from_micros(row.try_get("at")?),
                        principal: row.try_get("principal")?,
                        action: row.try_get("action")?,
                        object: row.try_get("object")?,
                        outcome: row.try_get("outcome")?,
                    })
                })
                .collect()
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::fixture;

    #[tokio::test]
    async fn acts_are_kept_newest_first() {
        let (store, clock, _dir) = fixture().await;
        for action in ["token.create", "token.revoke"] {
            let row = AuditRow {
                at: sallyport_core::Clock::now(&*clock),
                principal: "root".into(),
                action: action.into(),
                object: "t1".into(),
                outcome: "ok".into(),
            };
            store.audit(&row).await.unwrap();
            clock.advance(1);
        }
        let acts = store.audits(10).await.unwrap();
        assert_eq!(
            acts.iter().map(|act| act.action.as_str()).collect::<Vec<_>>(),
            ["token.revoke", "token.create"]
        );
        assert_eq!(store.audits(1).await.unwrap().len(), 1);
    }
}
