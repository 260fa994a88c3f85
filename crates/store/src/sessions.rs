//! The session index: who was connected to what, from when to when. The recordings hold the rest.

use std::collections::BTreeSet;

use sallyport_core::{PrincipalKind, SessionId, Timestamp, TokenId, fold_name};
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row, Sqlite};

use crate::database::{Store, from_big, to_big};
use crate::error::StoreError;

const MAX_LIST: u32 = 1000;

/// One session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRow {
    /// Its id; sorts by start.
    pub id: SessionId,
    /// Principal name.
    pub principal: String,
    /// Human, service or agent.
    pub kind: PrincipalKind,
    /// The human behind it.
    pub on_behalf_of: Option<String>,
    /// Target name.
    pub target: String,
    /// Database within it.
    pub database: String,
    /// The caller's address and port.
    pub client: String,
    /// How it signed in: `token` or `oidc`.
    pub method: String,
    /// The token it signed in with, so that revoking one finds its sessions.
    pub token: Option<TokenId>,
    /// When it began.
    pub started: Timestamp,
    /// When it ended; nothing while it lives.
    pub ended: Option<Timestamp>,
    /// Operations seen; final once ended.
    pub operations: u64,
    /// Why it ended, one short phrase of our own.
    pub reason: Option<String>,
}

/// Which sessions to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SessionFilter {
    /// Only of this principal.
    pub principal: Option<String>,
    /// Only to this target.
    pub target: Option<String>,
    /// Only to these targets; to all when absent.
    pub targets: Option<BTreeSet<String>>,
    /// Only living (`true`) or ended (`false`) ones.
    pub live: Option<bool>,
    /// Only those that began before this one: the next page.
    pub before: Option<SessionId>,
    /// At most so many, newest first; 0 and anything above 1000 mean 1000.
    pub limit: u32,
}

impl Store {
    /// A session has begun.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the id exists.
    pub async fn session_opened(&self, session: &SessionRow) -> Result<(), StoreError> {
        let own = (self.clone(), session.to_owned());
        self.within(async move {
            let (this, session) = (&own.0, &own.1);
            let mut tx = this.begin_unsynced().await?;
            let added = sqlx::query(
                "INSERT INTO sessions (id, principal, folded, kind, on_behalf_of, target, \"database\", client,
                     method, token, started, ended, operations, reason)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
            )
            .bind(session.id.as_str())
            .bind(&session.principal)
            .bind(fold_name(&session.principal))
            .bind(session.kind.as_str())
            .bind(&session.on_behalf_of)
            .bind(&session.target)
            .bind(&session.database)
            .bind(&session.client)
            .bind(&session.method)
            .bind(session.token.as_ref().map(TokenId::as_str))
            .bind(session.started.micros())
            .bind(session.ended.map(Timestamp::micros))
            .bind(to_big(session.operations))
            .bind(&session.reason)
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

    /// A session has ended. False when it was not living.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn session_closed(
        &self,
        id: &SessionId,
        ended: Timestamp,
        operations: u64,
        reason: &str,
    ) -> Result<bool, StoreError> {
        let own = (self.clone(), id.to_owned(), reason.to_owned());
        self.within(async move {
            let (this, id, reason) = (&own.0, &own.1, &own.2);
            let mut tx = this.begin_unsynced().await?;
            let done = sqlx::query(
                "UPDATE sessions SET ended = $1, operations = $2, reason = $3 WHERE id = $4 AND ended IS NULL",
            )
            .bind(ended.micros())
            .bind(to_big(operations))
            .bind(reason)
            .bind(id.as_str())
            .execute(&mut *tx)
            .await?;
            tx.commit().await?;
            Ok(done.rows_affected() == 1)
        })
        .await
    }

    /// One session.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn session(&self, id: &SessionId) -> Result<Option<SessionRow>, StoreError> {
        let own = (self.clone(), id.to_owned());
        self.within(async move {
            let (this, id) = (&own.0, &own.1);
            let row = sqlx::query("SELECT * FROM sessions WHERE id = $1")
                .bind(id.as_str())
                .fetch_optional(&this.read)
                .await?;
            row.as_ref().map(session_from).transpose()
        })
        .await
    }

    /// Sessions, newest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn sessions(&self, filter: &SessionFilter) -> Result<Vec<SessionRow>, StoreError> {
        let own = (self.clone(), filter.to_owned());
        self.within(async move {
            let (this, filter) = (&own.0, &own.1);
            let mut query = QueryBuilder::<Sqlite>::new("SELECT * FROM sessions WHERE 1 = 1");
            if let Some(principal) = &filter.principal {
                query.push(" AND folded = ").push_bind(fold_name(principal));
            }
            if let Some(target) = &filter.target {
                query.push(" AND target = ").push_bind(target.clone());
            }
            if let Some(targets) = &filter.targets {
                query.push(" AND target IN (");
                let mut list = query.separated(", ");
                for target in targets {
                    list.push_bind(target.clone());
                }
                query.push(")");
            }
            match filter.live {
                Some(true) => drop(query.push(" AND ended IS NULL")),
                Some(false) => drop(query.push(" AND ended IS NOT NULL")),
                None => {}
            }
            if let Some(before) = &filter.before {
                query.push(" AND id < ").push_bind(before.as_str().to_owned());
            }
            let limit = if filter.limit == 0 { MAX_LIST } else { filter.limit.min(MAX_LIST) };
            query.push(" ORDER BY id DESC LIMIT ").push_bind(i64::from(limit));
            let rows = query.build().fetch_all(&this.read).await?;
            rows.iter().map(session_from).collect()
        })
        .await
    }

    /// At start: nothing lives yet, so whatever the index says is living was cut off. Their callers are
    /// gone too, which turns their unsettled requests into tickets. Returns how many sessions there were.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn close_orphans(&self, now: Timestamp) -> Result<u64, StoreError> {
        let this = self.clone();
        self.within(async move {
            let mut tx = this.begin_unsynced().await?;
            let done = sqlx::query(
                "UPDATE sessions SET ended = $1, reason = 'the gateway stopped' WHERE ended IS NULL",
            )
            .bind(now.micros())
            .execute(&mut *tx)
            .await?;
            sqlx::query(
                "UPDATE requests SET caller_waits = 0, returned = 0
                 WHERE (caller_waits = 1 OR returned > 0) AND state IN ('open', 'approved')",
            )
            .execute(&mut *tx)
            .await?;
            tx.commit().await?;
            Ok(done.rows_affected())
        })
        .await
    }
}

fn session_from(row: &SqliteRow) -> Result<SessionRow, StoreError> {
    let corrupt = || StoreError::Corrupt("session");
    let kind = match row.try_get::<&str, _>("kind")? {
        "human" => PrincipalKind::Human,
        "service" => PrincipalKind::Service,
        "agent" => PrincipalKind::Agent,
        _ => return Err(corrupt()),
    };
    let token = match row.try_get::<Option<&str>, _>("token")? {
        Some(id) => Some(TokenId::parse(id).ok_or_else(corrupt)?),
        None => None,
    };
    Ok(SessionRow {
        id: SessionId::parse(row.try_get::<&str, _>("id")?).ok_or_else(corrupt)?,
        principal: row.try_get("principal")?,
        kind,
        on_behalf_of: row.try_get("on_behalf_of")?,
        target: row.try_get("target")?,
        database: row.try_get("database")?,
        client: row.try_get("client")?,
        method: row.try_get("method")?,
        token,
        started: Timestamp::from_micros(row.try_get("started")?),
        ended: row.try_get::<Option<i64>, _>("ended")?.map(Timestamp::from_micros),
        operations: from_big(row.try_get("operations")?),
        reason: row.try_get("reason")?,
    })
}

#[cfg(test)]
#[path = "sessions_tests.rs"]
mod tests;
