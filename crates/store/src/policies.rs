//! Policy versions, content-addressed: under what a decision in a recording was taken.

use sallyport_core::Timestamp;
use sqlx::Row;

use crate::database::Store;
use crate::error::StoreError;

/// Bytes of all files of one version.
const MAX_FILES: usize = 8 << 20;

/// One version that was in force at some time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyVersion {
    /// The digest of its files, as decisions name it.
    pub version: String,
    /// When it was first seen.
    pub saved: Timestamp,
}

impl Store {
    /// Keeps the files of a version. Saving the same again is nothing; a version never changes.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the version is kept with other files.
    pub async fn save_policy(&self, version: &str, files: &[(String, String)]) -> Result<(), StoreError> {
        let files = serde_json::to_string(files).map_err(|_| StoreError::Corrupt("policy"))?;
        if files.len() > MAX_FILES {
            return Err(StoreError::TooLarge);
        }
        let own = (self.clone(), version.to_owned(), files.to_owned());
        self.within(async move {
            let (this, version, files) = (&own.0, &own.1, &own.2);
            let mut tx = this.begin().await?;
            sqlx::query(
                "INSERT INTO policies (version, saved, files) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
            )
            .bind(version)
            .bind(this.now().micros())
            .bind(files)
            .execute(&mut *tx)
            .await?;
            let kept = sqlx::query_scalar::<_, String>("SELECT files FROM policies WHERE version = $1")
                .bind(version)
                .fetch_one(&mut *tx)
                .await?;
            if kept != *files {
                return Err(StoreError::Conflict);
            }
            Ok(tx.commit().await?)
        })
        .await
    }

    /// The files of a version, as name and text.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn policy(&self, version: &str) -> Result<Option<Vec<(String, String)>>, StoreError> {
        let own = (self.clone(), version.to_owned());
        self.within(async move {
            let (this, version) = (&own.0, &own.1);
            let files = sqlx::query_scalar::<_, String>("SELECT files FROM policies WHERE version = $1")
                .bind(version)
                .fetch_optional(&this.read)
                .await?;
            files
                .map(|text| serde_json::from_str(&text).map_err(|_| StoreError::Corrupt("policy")))
                .transpose()
        })
        .await
    }

    /// All versions, newest first; at most 1000.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn policy_versions(&self) -> Result<Vec<PolicyVersion>, StoreError> {
        let this = self.clone();
        self.within(async move {
            let rows =
                sqlx::query("SELECT version, saved FROM policies ORDER BY saved DESC, version LIMIT 1000")
                    .fetch_all(&this.read)
                    .await?;
            rows.iter()
                .map(|row| {
                    Ok(PolicyVersion {
                        version: row.try_get("version")?,
                        saved: Timestamp::from_micros(row.try_get("saved")?),
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
    async fn a_policy_version_never_changes() {
        let (store, _clock, _dir) = fixture().await;
        let files = vec![("a.cedar".to_owned(), "permit(principal, action, resource);".to_owned())];
        store.save_policy("v1", &files).await.unwrap();
        store.save_policy("v1", &files).await.unwrap();
        assert!(matches!(store.save_policy("v1", &[]).await, Err(StoreError::Conflict)));
        assert_eq!(store.policy("v1").await.unwrap(), Some(files));
        assert_eq!(store.policy_versions().await.unwrap().len(), 1);
    }
}
