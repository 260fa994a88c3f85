//! The targets' catalogs, read by the gateway itself and shared by all sessions.
//!
//! One connection and one snapshot per target and database. A session asks for the
//! [`current`](Catalogs::current) snapshot before it inspects an operation, and says
//! [`mark_dirty`](Catalogs::mark_dirty) when a transaction that held DDL has ended; whoever asks next waits for a fresh one. Catalogs change behind the gateway's back too: a
//! snapshot of more than 30 s is used once more while a new one is read, one of more than two minutes
//! is not used at all. Whatever goes wrong is an error, never an older or an empty catalog.
//!
//! A snapshot that holds what the one before held keeps its version, so that whoever caches by version
//! keeps what it has.

mod reading;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use sallyport_core::{Refusal, Target};
use sallyport_inspect::pg::Catalog;
use thiserror::Error;
use tokio::time::Instant;
use tokio_rustls::rustls::ClientConfig;
use tracing::{debug, warn};

use super::definitions::Changes;
use super::upstream::{DialError, QueryLimits, UpstreamClient, dial};
use crate::credentials::Credentials;
use crate::tasks::Tasks;

/// Older snapshots are replaced in the background.
const FRESH: Duration = Duration::from_secs(30);
/// Older snapshots are not used.
const STALE: Duration = Duration::from_secs(120);
/// After a failure in the background, the next attempt waits so long.
const BACK_OFF: Duration = Duration::from_secs(5);
/// Connection and snapshot of a database that nobody asked about for so long are let go.
const IDLE: Duration = Duration::from_secs(300);
const DIAL: Duration = Duration::from_secs(10);

/// A catalog of some hundred thousand columns; what is larger is not read.
const LIMITS: QueryLimits =
    QueryLimits { rows: 2_000_000, bytes: 128 * 1024 * 1024, deadline: Duration::from_secs(20) };

/// The catalog could not be read. `Display` is public; the detail is for the log.
#[derive(Clone, Debug, Error)]
#[error("the target's catalog could not be read")]
pub(crate) struct CatalogError {
    #[from]
    source: DialError,
}

impl CatalogError {
    /// For the log.
    pub(crate) fn detail(&self) -> &str {
        self.source.detail()
    }

    /// For a caller of `target`.
    pub(crate) fn refusal(&self, target: &Target) -> Refusal {
        self.source.refusal(target)
    }
}

/// What is needed to read a target's catalog.
#[derive(Clone, Debug)]
pub(crate) struct Reach {
    /// The target.
    pub(crate) target: Arc<Target>,
    /// TLS towards it.
    pub(crate) tls: Option<Arc<ClientConfig>>,
    /// Where its credential is.
    pub(crate) credentials: Arc<Credentials>,
    /// Where background reading runs.
    pub(crate) tasks: Tasks,
}

/// All catalogs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Catalogs {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    /// By target name. More than one entry per database only while an edited target's old sessions last.
    slots: RwLock<BTreeMap<String, Vec<Slot>>>,
    /// By target name and database, of which the configuration names so many.
    changes: Mutex<BTreeMap<(String, String), Arc<Changes>>>,
    versions: AtomicU64,
}

#[derive(Debug)]
struct Slot {
    target: Arc<Target>,
    database: String,
    entry: Arc<Entry>,
}

/// One database of one target.
#[derive(Debug)]
struct Entry {
    snapshot: RwLock<Option<Snapshot>>,
    /// Its clock ticks with each sign that the catalog changed. A snapshot holds the time before it was read.
    changes: Arc<Changes>,
    /// Held while reading: everybody else who needs a fresh snapshot waits here.
    reader: tokio::sync::Mutex<Reader>,
    /// A background task is reading or about to.
    refreshing: AtomicBool,
    times: Mutex<Times>,
}

#[derive(Clone, Debug)]
struct Snapshot {
    catalog: Arc<Catalog>,
    hash: [u8; 32],
    generation: u64,
    read: Instant,
}

#[derive(Debug, Default)]
struct Reader {
    client: Option<UpstreamClient>,
    /// The last failure and when: those who waited for that attempt share it.
    failed: Option<(Instant, CatalogError)>,
}

#[derive(Debug)]
struct Times {
    used: Instant,
    next_background: Instant,
}

impl Entry {
    fn new(changes: Arc<Changes>) -> Self {
        let now = Instant::now();
        Self {
            snapshot: RwLock::new(None),
            changes,
            reader: tokio::sync::Mutex::new(Reader::default()),
            refreshing: AtomicBool::new(false),
            times: Mutex::new(Times { used: now, next_background: now }),
        }
    }

    /// The snapshot, unless the catalog is known to have changed since, or it is older than `age`.
    fn usable(&self, age: Duration) -> Option<Snapshot> {
        let generation = self.changes.now();
        let snapshot = self.snapshot.read().unwrap_or_else(PoisonError::into_inner);
        snapshot
            .as_ref()
            .filter(|snapshot| snapshot.generation == generation && snapshot.read.elapsed() <= age)
            .cloned()
    }

    fn times<T>(&self, act: impl FnOnce(&mut Times) -> T) -> T {
        act(&mut self.times.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Catalogs {
    /// The catalog of `database`, recent enough to decide by. Reads it on first use, after
    /// [`Catalogs::mark_dirty`], and when it is too old; all who wait share one reading. Cancel-safe.
    ///
    /// # Errors
    /// When it cannot be read now. There is no fallback.
    pub(crate) async fn current(&self, reach: &Reach, database: &str) -> Result<Arc<Catalog>, CatalogError> {
        let entry = self.entry(reach, database);
        entry.times(|times| times.used = Instant::now());
        if let Some(snapshot) = entry.usable(STALE) {
            if snapshot.read.elapsed() > FRESH {
                self.read_in_background(reach, database, &entry);
            }
            return Ok(snapshot.catalog);
        }
        self.read(reach, database, &entry, STALE).await
    }

    /// Says that the catalog of a target's database changed: the next [`Catalogs::current`] reads it
    /// anew. To be called once DDL was carried out and its transaction has ended.
    pub(crate) fn mark_dirty(&self, target: &str, database: &str) {
        self.changes(target, database).tick();
    }

    /// Who is changing the definitions of a target's database.
    pub(super) fn changes(&self, target: &str, database: &str) -> Arc<Changes> {
        let mut changes = self.shared.changes.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(changes.entry((target.to_owned(), database.to_owned())).or_default())
    }

    /// The entry for exactly this target: an edited one has another, and the old one's is never its.
    fn entry(&self, reach: &Reach, database: &str) -> Arc<Entry> {
        let find = |slots: &BTreeMap<String, Vec<Slot>>| {
            slots
                .get(&reach.target.name)?
                .iter()
                .find(|slot| {
                    slot.database == database
                        && (Arc::ptr_eq(&slot.target, &reach.target) || slot.target == reach.target)
                })
                .map(|slot| Arc::clone(&slot.entry))
        };
        if let Some(entry) = find(&self.shared.slots.read().unwrap_or_else(PoisonError::into_inner)) {
            return entry;
        }
        let mut slots = self.shared.slots.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = find(&slots) {
            return entry;
        }
        let entry = Arc::new(Entry::new(self.changes(&reach.target.name, database)));
        slots.entry(reach.target.name.clone()).or_default().push(Slot {
            target: Arc::clone(&reach.target),
            database: database.to_owned(),
            entry: Arc::clone(&entry),
        });
        self.let_go_when_idle(&reach.tasks, &reach.target.name, &entry);
        entry
    }

    /// Reads the catalog, unless somebody else did so while this one waited. `age` is what is recent
    /// enough.
    async fn read(
        &self,
        reach: &Reach,
        database: &str,
        entry: &Entry,
        age: Duration,
    ) -> Result<Arc<Catalog>, CatalogError> {
        let asked = Instant::now();
        let mut reader = entry.reader.lock().await;
        if let Some(snapshot) = entry.usable(age) {
            return Ok(snapshot.catalog);
        }
        if let Some((_, error)) = reader.failed.as_ref().filter(|(when, _)| *when >= asked) {
            return Err(error.clone());
        }
        // From before the reading: a change in the middle of it makes the result dirty at once.
        let generation = entry.changes.now();
        match read_content(reach, database, &mut reader).await {
            Ok(content) => {
                reader.failed = None;
                Ok(self.store(entry, generation, content))
            }
            Err(error) => {
                warn!(target_name = %reach.target.name, detail = error.detail(), "catalog not read");
                reader.failed = Some((Instant::now(), error.clone()));
                Err(error)
            }
        }
    }

    fn store(&self, entry: &Entry, generation: u64, content: reading::Content) -> Arc<Catalog> {
        let mut snapshot = entry.snapshot.write().unwrap_or_else(PoisonError::into_inner);
        let catalog = match snapshot.as_ref().filter(|before| before.hash == content.hash) {
            Some(before) => Arc::clone(&before.catalog),
            None => {
                let version = self.shared.versions.fetch_add(1, Ordering::AcqRel).wrapping_add(1);
                let catalog = Catalog::new(content.relations, content.functions, content.operators, version);
                Arc::new(
                    catalog
                        .with_types(content.types)
                        .with_plain_type_oids(content.plain_type_oids)
                        .with_code_types(content.code_types),
                )
            }
        };
        *snapshot = Some(Snapshot {
            catalog: Arc::clone(&catalog),
            hash: content.hash,
            generation,
            read: Instant::now(),
        });
        catalog
    }

    fn read_in_background(&self, reach: &Reach, database: &str, entry: &Arc<Entry>) {
        let due = entry.times(|times| Instant::now() >= times.next_background);
        if !due || entry.refreshing.swap(true, Ordering::AcqRel) {
            return;
        }
        let (catalogs, reach, database) = (self.clone(), reach.clone(), database.to_owned());
        let busy = Busy(Arc::clone(entry));
        reach.tasks.clone().spawn("catalog", async move {
            if let Err(error) = catalogs.read(&reach, &database, &busy.0, FRESH).await {
                debug!(detail = error.detail(), "background reading of the catalog failed");
                busy.0.times(|times| times.next_background = Instant::now() + BACK_OFF);
            }
        });
    }

    /// Watches one entry until nobody asks for it any more.
    fn let_go_when_idle(&self, tasks: &Tasks, target: &str, entry: &Arc<Entry>) {
        let (shared, entry) = (Arc::downgrade(&self.shared), Arc::downgrade(entry));
        let (stop, target) = (tasks.clone(), target.to_owned());
        tasks.spawn("catalog-idle", async move {
            loop {
                tokio::select! {
                    () = stop.stopping() => break,
                    () = tokio::time::sleep(IDLE / 5) => {}
                }
                let (Some(shared), Some(entry)) = (shared.upgrade(), entry.upgrade()) else { break };
                if entry.times(|times| times.used.elapsed() >= IDLE) {
                    shared.let_go(&target, &entry);
                    break;
                }
            }
        });
    }
}

impl Shared {
    /// Forgets an entry. Its connection closes once nobody holds the entry any more.
    fn let_go(&self, target: &str, entry: &Arc<Entry>) {
        let mut slots = self.slots.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(of_target) = slots.get_mut(target) {
            of_target.retain(|slot| !Arc::ptr_eq(&slot.entry, entry));
            if of_target.is_empty() {
                slots.remove(target);
            }
        }
    }
}

/// Takes the mark off however the background task ends.
struct Busy(Arc<Entry>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.refreshing.store(false, Ordering::Release);
    }
}

/// Reads on the connection at hand, and once more on a new one if that has gone stale.
async fn read_content(
    reach: &Reach,
    database: &str,
    reader: &mut Reader,
) -> Result<reading::Content, CatalogError> {
    // Taken out: if this future is dropped in the middle, the half-read connection goes with it.
    if let Some(mut client) = reader.client.take() {
        match reading::read(&mut client).await {
            Ok(content) => {
                reader.client = Some(client);
                return Ok(content);
            }
            Err(error) => debug!(detail = error.detail(), "catalog: trying on a new connection"),
        }
    }
    let parameters = [
        ("application_name".to_owned(), "sallyport-catalog".to_owned()),
        ("client_encoding".to_owned(), "UTF8".to_owned()),
    ];
    let upstream =
        dial(&reach.target, database, &reach.credentials, reach.tls.clone(), &parameters, DIAL).await?;
    let mut client = UpstreamClient::new(upstream, LIMITS);
    reading::prepare(&mut client).await?;
    let content = reading::read(&mut client).await?;
    reader.client = Some(client);
    Ok(content)
}

#[cfg(test)]
mod tests;
