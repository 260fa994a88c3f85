//! Filling the index: one transaction for a batch and the position behind it, so that after a stop at
//! any moment nothing is missing and nothing is there twice.

use std::collections::BTreeMap;

use sallyport_core::{SessionId, Timestamp};
use sqlx::{Connection as _, QueryBuilder, Row as _, Sqlite, SqliteConnection, Transaction};

use super::batch::{Batch, Document, Ending, Opened};
use super::find::BLOCK;
use crate::database::to_big;
use crate::error::StoreError;

/// Rows of one INSERT: sixteen columns each stay far below SQLite's limit of parameters.
const ROWS: usize = 50;
/// Operations forgotten at a time.
const FORGET: i64 = 5000;

/// A place in the recording: the index has everything before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Number of the segment; 0 before the first.
    pub segment: u64,
    /// Byte in it.
    pub offset: u64,
}

/// The one that fills the index.
#[derive(Debug)]
pub struct SearchWriter {
    connection: SqliteConnection,
}

/// A session's number in the index, and its words.
#[derive(Clone, Debug)]
struct Known {
    id: i64,
    words: Vec<String>,
}

impl SearchWriter {
    pub(super) fn new(connection: SqliteConnection) -> Self {
        Self { connection }
    }

    /// How far the index reaches.
    ///
    /// # Errors
    /// When the index fails.
    pub async fn position(&mut self) -> Result<Position, StoreError> {
        let row = sqlx::query("SELECT segment, offset FROM progress").fetch_one(&mut self.connection).await?;
        let number = |name| row.try_get::<i64, _>(name).map(|n| u64::try_from(n).unwrap_or(0));
        Ok(Position { segment: number("segment")?, offset: number("offset")? })
    }

    /// Writes a batch, and that the index now reaches to `position`, whose last entry is of `at`.
    ///
    /// # Errors
    /// When the index fails; nothing of the batch is in it then.
    pub async fn write(
        &mut self,
        batch: &Batch,
        position: Position,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let mut tx = self.connection.begin_with("BEGIN IMMEDIATE").await?;
        let mut known = BTreeMap::new();
        for (session, opened) in &batch.sessions {
            known.insert(session.clone(), add_session(&mut tx, session, opened).await?);
        }
        let mut rows = Vec::with_capacity(batch.documents.len());
        let mut next = sqlx::query_scalar::<_, i64>("SELECT coalesce(max(id), 0) + 1 FROM operations")
            .fetch_one(&mut *tx)
            .await?;
        for document in &batch.documents {
            let session = match known.get(&document.session) {
                Some(session) => session.clone(),
                None => {
                    let found = find_session(&mut tx, document).await?;
                    known.insert(document.session.clone(), found.clone());
                    found
                }
            };
            if let (true, Some(number)) = (document.replaces, document.operation) {
                take_out(&mut tx, session.id, number).await?;
            }
            rows.push(Row::new(next, session, document));
            next += 1;
        }
        for (session, number, ending) in &batch.late {
            let Some(session) = session_id(&mut tx, session).await? else { continue };
            if let Some(row) = take_out(&mut tx, session, *number).await? {
                rows.push(row.ended(next, ending));
                next += 1;
            }
        }
        for session in &batch.over {
            let Some(session) = session_id(&mut tx, session).await? else { continue };
            let open = sqlx::query_scalar::<_, i64>(
                "SELECT operation FROM operations WHERE session = $1 AND open_words IS NOT NULL",
            )
            .bind(session)
            .fetch_all(&mut *tx)
            .await?;
            for number in open {
                let number = u64::try_from(number).unwrap_or(0);
                if let Some(row) = take_out(&mut tx, session, number).await? {
                    let cut = Ending { state: "cut", error: None, rows: 0, masked: 0, duration_us: 0 };
                    rows.push(row.ended(next, &cut));
                    next += 1;
                }
            }
        }
        for rows in rows.chunks(ROWS) {
            add_rows(&mut tx, rows).await?;
        }
        add_blocks(&mut tx, &rows).await?;
        for session in &batch.gone {
            forget(&mut tx, session).await?;
        }
        if !batch.gone.is_empty() {
            overwrite_words(&mut tx).await?;
        }
        sqlx::query("UPDATE progress SET segment = $1, offset = $2, at = max(at, $3)")
            .bind(to_big(position.segment))
            .bind(to_big(position.offset))
            .bind(at.micros())
            .execute(&mut *tx)
            .await?;
        Ok(tx.commit().await?)
    }

    /// Empties the index: it reaches nowhere then.
    ///
    /// # Errors
    /// When the index fails; nothing has changed then.
    pub async fn clear(&mut self) -> Result<(), StoreError> {
        let mut tx = self.connection.begin_with("BEGIN IMMEDIATE").await?;
        for statement in [
            "INSERT INTO words (words) VALUES ('delete-all')",
            "DELETE FROM operations",
            "DELETE FROM sessions",
            "DELETE FROM blocks",
            "UPDATE progress SET segment = 0, offset = 0, at = 0",
        ] {
            sqlx::query(statement).execute(&mut *tx).await?;
        }
        Ok(tx.commit().await?)
    }

    /// Forgets operations that were recorded in segments before `segment`, whose recordings are gone.
    /// Returns how many there were.
    ///
    /// # Errors
    /// When the index fails.
    pub async fn forget_before(&mut self, segment: u64) -> Result<u64, StoreError> {
        let mut forgotten = 0;
        loop {
            let mut tx = self.connection.begin_with("BEGIN IMMEDIATE").await?;
            let gone = sqlx::query_scalar::<_, i64>(
                "DELETE FROM operations WHERE id IN (SELECT id FROM operations WHERE segment < $1 LIMIT $2)
                 RETURNING id",
            )
            .bind(to_big(segment))
            .bind(FORGET)
            .fetch_all(&mut *tx)
            .await?;
            for id in &gone {
                sqlx::query("DELETE FROM words WHERE rowid = $1").bind(id).execute(&mut *tx).await?;
            }
            tx.commit().await?;
            forgotten += u64::try_from(gone.len()).unwrap_or(0);
            if gone.is_empty() {
                break;
            }
        }
        sqlx::query(
            "DELETE FROM sessions WHERE segment < $1
             AND NOT EXISTS (SELECT 1 FROM operations WHERE operations.session = sessions.id)",
        )
        .bind(to_big(segment))
        .execute(&mut self.connection)
        .await?;
        if forgotten > 0 {
            overwrite_words(&mut self.connection).await?;
        }
        Ok(forgotten)
    }

    /// Closes the connection.
    ///
    /// # Errors
    /// When the index fails.
    pub async fn close(self) -> Result<(), StoreError> {
        Ok(self.connection.close().await?)
    }
}

/// A row of `operations`, with its words.
struct Row {
    id: i64,
    session: i64,
    operation: Option<i64>,
    sequence: i64,
    at: i64,
    segment: i64,
    effect: String,
    rule: String,
    text: String,
    searched: String,
    /// All but those of its ending.
    words: String,
    ending: Ending,
}

impl Row {
    fn new(id: i64, session: Known, document: &Document) -> Self {
        let words: Vec<&str> = document.words.iter().chain(&session.words).map(String::as_str).collect();
        Self {
            id,
            session: session.id,
            operation: document.operation.map(to_big),
            sequence: to_big(document.sequence),
            at: document.at.micros(),
            segment: to_big(document.segment),
            effect: document.effect.clone(),
            rule: document.rule.clone(),
            text: document.text.clone(),
            searched: document.searched.clone(),
            words: words.join(" "),
            ending: document.ending.clone(),
        }
    }

    fn ended(self, id: i64, ending: &Ending) -> Self {
        Self { id, ending: ending.clone(), ..self }
    }
}

async fn add_session(
    tx: &mut Transaction<'_, Sqlite>,
    session: &SessionId,
    opened: &Opened,
) -> Result<Known, StoreError> {
    let id = sqlx::query_scalar::<_, i64>(
        "INSERT INTO sessions (session, principal, kind, on_behalf_of, target, \"database\", segment)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (session) DO UPDATE SET principal = $2, kind = $3, on_behalf_of = $4, target = $5,
             \"database\" = $6
         RETURNING id",
    )
    .bind(session.as_str())
    .bind(&opened.principal)
    .bind(&opened.kind)
    .bind(&opened.on_behalf_of)
    .bind(&opened.target)
    .bind(&opened.database)
    .bind(to_big(opened.segment))
    .fetch_one(&mut **tx)
    .await?;
    Ok(Known { id, words: opened.words() })
}

async fn session_id(
    tx: &mut Transaction<'_, Sqlite>,
    session: &SessionId,
) -> Result<Option<i64>, StoreError> {
    Ok(sqlx::query_scalar("SELECT id FROM sessions WHERE session = $1")
        .bind(session.as_str())
        .fetch_optional(&mut **tx)
        .await?)
}

/// The session of an operation. One whose beginning is gone is known by its id alone; as nobody knows its
/// target, only who may read every target finds it.
async fn find_session(tx: &mut Transaction<'_, Sqlite>, document: &Document) -> Result<Known, StoreError> {
    let row = sqlx::query("SELECT * FROM sessions WHERE session = $1")
        .bind(document.session.as_str())
        .fetch_optional(&mut **tx)
        .await?;
    let Some(row) = row else {
        let opened = Opened { segment: document.segment, ..Opened::default() };
        return add_session(tx, &document.session, &opened).await;
    };
    let opened = Opened {
        principal: row.try_get("principal")?,
        kind: row.try_get("kind")?,
        on_behalf_of: row.try_get("on_behalf_of")?,
        target: row.try_get("target")?,
        database: row.try_get("database")?,
        segment: 0,
    };
    Ok(Known { id: row.try_get("id")?, words: opened.words() })
}

/// Takes an operation that has not ended out of the index, to be put in again.
async fn take_out(
    tx: &mut Transaction<'_, Sqlite>,
    session: i64,
    number: u64,
) -> Result<Option<Row>, StoreError> {
    let row = sqlx::query(
        "DELETE FROM operations WHERE session = $1 AND operation = $2 AND open_words IS NOT NULL RETURNING *",
    )
    .bind(session)
    .bind(to_big(number))
    .fetch_optional(&mut **tx)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let id = row.try_get("id")?;
    sqlx::query("DELETE FROM words WHERE rowid = $1").bind(id).execute(&mut **tx).await?;
    let text: String = row.try_get("text")?;
    let searched: Option<String> = row.try_get("open_text")?;
    Ok(Some(Row {
        id,
        session,
        operation: row.try_get("operation")?,
        sequence: row.try_get("sequence")?,
        at: row.try_get("at")?,
        segment: row.try_get("segment")?,
        effect: row.try_get("effect")?,
        rule: row.try_get("rule")?,
        searched: searched.unwrap_or_else(|| text.clone()),
        text,
        words: row.try_get::<Option<String>, _>("open_words")?.unwrap_or_default(),
        ending: Ending { state: "running", error: None, rows: 0, masked: 0, duration_us: 0 },
    }))
}

async fn add_rows(tx: &mut Transaction<'_, Sqlite>, rows: &[Row]) -> Result<(), StoreError> {
    let whole = rows.len() == ROWS;
    let mut operations = QueryBuilder::<Sqlite>::new(
        "INSERT INTO operations (id, session, operation, sequence, at, segment, effect, rule, state, error,
             row_count, masked, duration_us, text, open_words, open_text) ",
    );
    operations.push_values(rows, |mut values, row| {
        let open = row.ending.is_open();
        // The text is kept a second time only where less is shown than searched.
        let rest = open && row.searched.len() > row.text.len();
        values
            .push_bind(row.id)
            .push_bind(row.session)
            .push_bind(row.operation)
            .push_bind(row.sequence)
            .push_bind(row.at)
            .push_bind(row.segment)
            .push_bind(&row.effect)
            .push_bind(&row.rule)
            .push_bind(row.ending.state)
            .push_bind(&row.ending.error)
            .push_bind(to_big(row.ending.rows))
            .push_bind(to_big(row.ending.masked))
            .push_bind(to_big(row.ending.duration_us))
            .push_bind(&row.text)
            .push_bind(open.then_some(&row.words))
            .push_bind(rest.then_some(&row.searched));
    });
    operations.build().persistent(whole).execute(&mut **tx).await?;
    let mut words = QueryBuilder::<Sqlite>::new("INSERT INTO words (rowid, text, facets) ");
    words.push_values(rows, |mut values, row| {
        let ending = row.ending.words().join(" ");
        values.push_bind(row.id).push_bind(&row.searched).push_bind(format!("{} {ending}", row.words));
    });
    words.build().persistent(whole).execute(&mut **tx).await?;
    Ok(())
}

async fn forget(tx: &mut Transaction<'_, Sqlite>, session: &SessionId) -> Result<(), StoreError> {
    let Some(id) = session_id(tx, session).await? else { return Ok(()) };
    for statement in [
        "DELETE FROM words WHERE rowid IN (SELECT id FROM operations WHERE session = $1)",
        "DELETE FROM operations WHERE session = $1",
        "DELETE FROM sessions WHERE id = $1",
    ] {
        sqlx::query(statement).bind(id).execute(&mut **tx).await?;
    }
    Ok(())
}

/// What is deleted from the full-text index stays in its pages, marked, until they are merged
/// (<https://sqlite.org/fts5.html>, "Contentless-Delete Tables"): here at once, since it has expired.
async fn overwrite_words(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO words (words) VALUES ('optimize')").execute(connection).await?;
    Ok(())
}

async fn add_blocks(tx: &mut Transaction<'_, Sqlite>, rows: &[Row]) -> Result<(), StoreError> {
    let mut blocks: BTreeMap<i64, (i64, i64)> = BTreeMap::new();
    for row in rows {
        let span = blocks.entry(row.id.div_euclid(BLOCK)).or_insert((row.at, row.at));
        *span = (span.0.min(row.at), span.1.max(row.at));
    }
    for (block, (earliest, latest)) in blocks {
        sqlx::query(
            "INSERT INTO blocks (block, earliest, latest) VALUES ($1, $2, $3)
             ON CONFLICT (block) DO UPDATE SET earliest = min(earliest, $2), latest = max(latest, $3)",
        )
        .bind(block)
        .bind(earliest)
        .bind(latest)
        .execute(&mut **tx)
        .await?;
    }
    Ok(())
}
