//! Searching: a query and a reader's rights in, a page of hits out, newest first.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use sallyport_core::{SessionId, Timestamp};
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row as _, Sqlite, SqliteConnection};

use super::SearchIndex;
use super::excerpt::{Excerpt, excerpt};
use super::language::Query;
use super::terms;
use crate::database::from_big;
use crate::error::StoreError;

/// Neighbouring ids whose times are summed up.
pub(super) const BLOCK: i64 = 4096;
/// Hits are counted up to so many.
const COUNTED: u32 = 1000;
/// Hits of a page.
const MOST: u32 = 200;
/// How long one search may take. A query cannot hold a connection for longer.
const DEADLINE: Duration = Duration::from_secs(3);
/// Steps of SQLite's machine between two looks at the clock.
const STEPS: i32 = 10_000;

/// What to find.
#[derive(Clone, Debug)]
pub struct Find {
    /// The query.
    pub query: Query,
    /// Only operations of these targets; of all when absent. Part of the search itself, so that neither
    /// hits nor counts tell of others.
    pub targets: Option<BTreeSet<String>>,
    /// Go on behind this hit.
    pub before: Option<u64>,
    /// At most so many, up to 200.
    pub limit: u32,
}

/// An operation that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// Its session.
    pub session: SessionId,
    /// Its number in the session; nothing for a message that was refused by name.
    pub operation: Option<u64>,
    /// The entry that it is told from.
    pub sequence: u64,
    /// When it was asked for.
    pub at: Timestamp,
    /// Who.
    pub principal: String,
    /// The human behind.
    pub on_behalf_of: Option<String>,
    /// Where.
    pub target: String,
    /// Database within it.
    pub database: String,
    /// `allow`, `hold` or `deny`.
    pub decision: String,
    /// The rule that decided.
    pub rule: String,
    /// `running`, `waiting`, `passed`, `failed`, `refused`, or `cut` when its session ended before it did.
    pub state: String,
    /// The error's code.
    pub error: Option<String>,
    /// Rows that went to the caller, or were changed.
    pub rows: u64,
    /// Values masked.
    pub masked: u64,
    /// How long it took, microseconds.
    pub duration_us: u64,
    /// Where its text was hit.
    pub excerpt: Excerpt,
}

/// A page of hits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Newest first.
    pub hits: Vec<Hit>,
    /// The next page: to be given as `before`.
    pub next: Option<u64>,
    /// How many there are, up to 1000, on the first page.
    pub count: Option<u64>,
    /// Whether there are more than that.
    pub more: bool,
    /// The time of the last entry that the index has.
    pub until: Option<Timestamp>,
}

impl SearchIndex {
    /// Finds operations.
    ///
    /// # Errors
    /// [`StoreError::Deadline`] when it takes too long; when the index fails.
    pub async fn find(&self, find: &Find) -> Result<Found, StoreError> {
        let mut connection = self.read.acquire().await?;
        let until = Instant::now() + DEADLINE;
        connection.lock_handle().await?.set_progress_handler(STEPS, move || Instant::now() < until);
        let found = search(&mut connection, find).await;
        connection.lock_handle().await?.remove_progress_handler();
        match found {
            Err(StoreError::Database(_)) if Instant::now() >= until => Err(StoreError::Deadline),
            found => found,
        }
    }
}

async fn search(connection: &mut SqliteConnection, find: &Find) -> Result<Found, StoreError> {
    let limit = find.limit.clamp(1, MOST);
    let first_page = find.before.is_none();
    let wanted = if first_page { COUNTED.max(limit) + 1 } else { limit + 1 };
    let ids = ids(connection, find, wanted).await?;
    let length = usize::try_from(limit).unwrap_or(usize::MAX);
    let page = ids.get(..length.min(ids.len())).unwrap_or_default();
    let total = u64::try_from(ids.len()).unwrap_or(u64::MAX);
    let counted = u64::from(COUNTED.max(limit));
    Ok(Found {
        hits: hits(connection, find, page).await?,
        next: page.last().filter(|_| ids.len() > page.len()).map(|id| from_big(*id)),
        count: first_page.then(|| total.min(counted)),
        more: first_page && total > counted,
        until: sqlx::query_scalar::<_, i64>("SELECT at FROM progress WHERE at > 0")
            .fetch_optional(&mut *connection)
            .await?
            .map(Timestamp::from_micros),
    })
}

/// Ids of what fits, newest first.
async fn ids(connection: &mut SqliteConnection, find: &Find, limit: u32) -> Result<Vec<i64>, StoreError> {
    let (since, until) = (find.query.since, find.query.until);
    let timed = since.is_some() || until.is_some();
    let (mut lowest, mut highest) = (i64::MIN, i64::MAX);
    if let Some(since) = since {
        let block = sqlx::query_scalar::<_, Option<i64>>("SELECT min(block) FROM blocks WHERE latest >= $1")
            .bind(since.micros())
            .fetch_one(&mut *connection)
            .await?;
        let Some(block) = block else { return Ok(Vec::new()) };
        lowest = block.saturating_mul(BLOCK);
    }
    if let Some(until) = until {
        let block = sqlx::query_scalar::<_, Option<i64>>("SELECT max(block) FROM blocks WHERE earliest < $1")
            .bind(until.micros())
            .fetch_one(&mut *connection)
            .await?;
        let Some(block) = block else { return Ok(Vec::new()) };
        highest = block.saturating_add(1).saturating_mul(BLOCK).saturating_sub(1);
    }
    if let Some(before) = find.before {
        highest = highest.min(crate::database::to_big(before).saturating_sub(1));
    }
    let expression = terms::expression(&find.query, find.targets.as_ref());
    let mut query = match &expression {
        // CROSS JOIN keeps the order: the index gives ids newest first, and the times are looked up.
        Some(_) if timed => QueryBuilder::<Sqlite>::new(
            "SELECT words.rowid FROM words CROSS JOIN operations o ON o.id = words.rowid WHERE words MATCH ",
        ),
        Some(_) => QueryBuilder::new("SELECT words.rowid FROM words WHERE words MATCH "),
        None => QueryBuilder::new("SELECT o.id FROM operations o WHERE 1"),
    };
    let column = if expression.is_some() { "words.rowid" } else { "o.id" };
    if let Some(expression) = expression {
        query.push_bind(expression);
    }
    query.push(" AND ").push(column).push(" BETWEEN ").push_bind(lowest);
    query.push(" AND ").push_bind(highest);
    if let Some(since) = since {
        query.push(" AND o.at >= ").push_bind(since.micros());
    }
    if let Some(until) = until {
        query.push(" AND o.at < ").push_bind(until.micros());
    }
    query.push(" ORDER BY ").push(column).push(" DESC LIMIT ").push_bind(i64::from(limit));
    Ok(query.build_query_scalar::<i64>().persistent(false).fetch_all(connection).await?)
}

async fn hits(connection: &mut SqliteConnection, find: &Find, ids: &[i64]) -> Result<Vec<Hit>, StoreError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut query = QueryBuilder::<Sqlite>::new(
        "SELECT o.*, s.session AS name, s.principal, s.on_behalf_of, s.target, s.\"database\"
         FROM operations o JOIN sessions s ON s.id = o.session WHERE o.id IN (",
    );
    let mut list = query.separated(", ");
    for id in ids {
        list.push_bind(id);
    }
    query.push(") ORDER BY o.id DESC");
    let rows = query.build().persistent(false).fetch_all(connection).await?;
    let mut hits = Vec::with_capacity(rows.len());
    for row in &rows {
        let hit = hit(row, &find.query)?;
        // The expression saw to it already; a reader's rights are worth a second look.
        if find.targets.as_ref().is_none_or(|targets| targets.contains(&hit.target)) {
            hits.push(hit);
        }
    }
    Ok(hits)
}

fn hit(row: &SqliteRow, query: &Query) -> Result<Hit, StoreError> {
    let number = |name| row.try_get::<i64, _>(name).map(from_big);
    Ok(Hit {
        session: SessionId::parse(row.try_get("name")?).ok_or(StoreError::Corrupt("session"))?,
        operation: row.try_get::<Option<i64>, _>("operation")?.map(from_big),
        sequence: number("sequence")?,
        at: Timestamp::from_micros(row.try_get("at")?),
        principal: row.try_get("principal")?,
        on_behalf_of: row.try_get("on_behalf_of")?,
        target: row.try_get("target")?,
        database: row.try_get("database")?,
        decision: row.try_get("effect")?,
        rule: row.try_get("rule")?,
        state: row.try_get("state")?,
        error: row.try_get("error")?,
        rows: number("row_count")?,
        masked: number("masked")?,
        duration_us: number("duration_us")?,
        excerpt: excerpt(query, row.try_get("text")?),
    })
}
