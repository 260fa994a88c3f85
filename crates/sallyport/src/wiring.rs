//! `sallyport serve`: builds every room from the configuration, joins them, and takes them down again.
//!
//! ```text
//! store -> recorder -> authenticator -> policy, labels, credentials -> gateway -> API -> watch ... SIGTERM -> drain
//! ```

use std::path::Path;
use std::sync::Arc;

use sallyport_api::{ApiState, Readers, Targets};
use sallyport_auth::{Authenticator, Directory, DirectoryEntry, OidcSettings};
use sallyport_core::{Clock, Event, Secret, SessionControl, SessionId, SystemClock, Target};
use sallyport_gateway::credentials::Credentials;
use sallyport_gateway::tasks::Tasks;
use sallyport_gateway::{Gateway, ListenerTls, Parts, Settings, SignIn, tls};
use sallyport_mask::Labels;
use sallyport_policy::{Policy, PolicyFile};
use sallyport_record::read::Recordings;
use sallyport_record::{Journal, Recorder, RecorderSettings, load_or_create_key};
use sallyport_store::Store;
use sallyport_store::search::SearchIndex;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;
use zeroize::Zeroize as _;

use crate::config::{self, Config, SignInEntry};
use crate::environment;
use crate::failure::Failure;
use crate::folder;
use crate::hardening;
use crate::indexing::{Indexing, Shelf};
use crate::key_service;
use crate::preview::Preview;
use crate::sink;
use crate::watch::{self, Watch};

/// Sends log lines to standard error as JSON. No line holds the text of a statement: rooms log ids,
/// codes and counts.
pub(crate) fn log(filter: Option<&str>) -> Result<(), Failure> {
    let filter = EnvFilter::try_new(filter.unwrap_or("info"))
        .map_err(|error| Failure::usage(format!("SALLYPORT_LOG: {error}")))?;
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        // Rooms log `target` for what is protected; the library's own key of that name would stand beside it.
        .with_target(false)
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .try_init()
        .map_err(|error| Failure::failed(error.to_string()))
}

/// Every problem of a policy, by file and line.
pub(crate) fn policy_problems(dir: &Path, problems: &[sallyport_policy::Problem]) -> Failure {
    let lines: Vec<String> = problems.iter().map(|problem| format!("{}/{problem}", dir.display())).collect();
    Failure::usage(format!("the policy is not taken\n{}", lines.join("\n")))
}

/// The policy that the configuration names.
pub(crate) fn load_policy(config: &Config) -> Result<Policy, Failure> {
    load_policy_files(config).map(|(policy, _)| policy)
}

fn load_policy_files(config: &Config) -> Result<(Policy, Vec<PolicyFile>), Failure> {
    let files = folder::read(&config.policy_dir).map_err(Failure::usage)?;
    let policy = Policy::load(&files).map_err(|problems| policy_problems(&config.policy_dir, &problems))?;
    Ok((policy, files))
}

/// The labels that the configuration names, or the built-in ones.
pub(crate) fn load_labels(config: &Config) -> Result<Labels, Failure> {
    let Some(path) = &config.labels else { return Ok(Labels::builtin()) };
    let wrong = |error: String| Failure::usage(format!("{}: {error}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    Labels::parse(&text).map_err(|error| wrong(error.to_string()))
}

/// The configured principals.
pub(crate) fn directory(config: &Config) -> Result<Directory, Failure> {
    let entries = config.principals.iter().cloned().map(DirectoryEntry::from).collect();
    let wrong = |error: sallyport_auth::SettingsError| Failure::usage(error.to_string());
    config.oidc.iter().try_fold(Directory::new(entries).map_err(wrong)?, |directory, provider| {
        directory.with_subjects(&provider.issuer, &provider.subjects).map_err(wrong)
    })
}

fn providers(config: &Config) -> Vec<OidcSettings> {
    config
        .oidc
        .iter()
        .map(|provider| OidcSettings {
            jwks_url: provider.jwks_url.clone(),
            principal_claim: provider.principal_claim.clone(),
            groups_claim: provider.groups_claim.clone(),
            allowed_algorithms: provider.algorithms.clone(),
            tenant: provider.tenant.clone(),
            authorized_parties: provider.authorized_parties.clone(),
            ..OidcSettings::new(provider.issuer.clone(), provider.audience.clone())
        })
        .collect()
}

/// The key that masked values are hashed with, made at the first start: the same value must get the same
/// hash after a restart.
fn label_key(keys: &Path) -> Result<Secret<Vec<u8>>, Failure> {
    const NAME: &str = "labels.key";
    folder::make_private(keys)?;
    let path = keys.join(NAME);
    match std::fs::read(&path) {
        Ok(key) if key.len() == 32 => Ok(Secret::new(key)),
        Ok(mut other) => {
            other.zeroize();
            Err(Failure::failed(format!("{} is not a key of 32 bytes", path.display())))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let mut key = vec![0; 32];
            getrandom::fill(&mut key).map_err(|error| Failure::failed(error.to_string()))?;
            folder::write_new(&path, &key, 0o600)?;
            Ok(Secret::new(key))
        }
        Err(error) => Err(Failure::failed(format!("{}: {error}", path.display()))),
    }
}

fn settings(config: &Config, clock: &dyn Clock) -> Result<Settings, Failure> {
    let limits = &config.limits;
    let size = |bytes: u32| usize::try_from(bytes).unwrap_or(usize::MAX);
    let files = match &config.postgres_tls {
        config::ListenerTls::Off => None,
        config::ListenerTls::Own => Some(None),
        config::ListenerTls::Files { certificate, key } => Some(Some((certificate.as_path(), key.as_path()))),
    };
    let listener = match files {
        None => ListenerTls::Off,
        Some(given) => {
            let names: Vec<String> = config.public_host().into_iter().collect();
            let made = tls::server_config(&config.keys().join("tls"), given, &names, clock)
                .map_err(|error| Failure::usage(format!("TLS of the listener: {error}")))?;
            tracing::info!(
                authority = %made.ca_pem_path.display(),
                fingerprint = %made.fingerprint,
                "callers can verify the gateway with this file"
            );
            ListenerTls::Required(made.config)
        }
    };
    Ok(Settings {
        handshake: limits.handshake,
        hold_wait: limits.hold_wait,
        hold_wait_in_transaction: limits.hold_wait_in_transaction,
        idle: limits.idle,
        message_bytes: size(limits.message_limit_bytes),
        row_bytes: size(limits.row_limit_bytes),
        connections: size(limits.max_connections),
        connections_per_address: size(limits.max_connections_per_address),
        public_url: config.public_url.clone(),
        own_listeners: config.own_listeners.iter().map(|(name, at)| (name.clone(), *at)).collect(),
        sign_in: match config.sign_in {
            SignInEntry::Password => SignIn::Password,
            SignInEntry::Oauth => SignIn::Bearer,
        },
        mysql: config.mysql,
        ..Settings::new(config.postgres, listener)
    })
}

/// The targets as the API shows them; they change with the configuration.
#[derive(Debug)]
struct Present(tokio::sync::watch::Receiver<Vec<Target>>);

impl Targets for Present {
    fn targets(&self) -> Vec<Target> {
        self.0.borrow().clone()
    }
}

/// Who is said to have done what nobody asked for over the API.
const GATEWAY: &str = "gateway";

/// What a reload acts on.
#[derive(Debug)]
pub(crate) struct Running {
    gateway: Gateway,
    journal: Journal,
    auth: Authenticator,
    store: Store,
    targets: tokio::sync::watch::Sender<Vec<Target>>,
    readers: Readers,
    config: Config,
}

impl Running {
    /// Where what is done with the gateway itself is recorded.
    pub(crate) fn journal(&self) -> &Journal {
        &self.journal
    }

    /// A new policy takes effect once its text is kept.
    pub(crate) async fn new_policy(&mut self, policy: Policy, files: &[PolicyFile]) {
        if let Err(error) = keep_policy(&self.store, &policy, files).await {
            tracing::error!(%error, "the new policy could not be kept, so it does not take effect");
            return;
        }
        if !self.noted("policy.load", policy.version()).await {
            return;
        }
        self.gateway.set_policy(policy);
    }

    /// Whether it is recorded what takes effect now: it does not, otherwise.
    async fn noted(&self, action: &str, object: &str) -> bool {
        let noted = self.journal.note(GATEWAY, action, object, "ok").await;
        if let Err(error) = &noted {
            tracing::error!(%error, action, "it could not be recorded, so it does not take effect");
        }
        noted.is_ok()
    }

    /// New labels take effect.
    pub(crate) async fn new_labels(&mut self, labels: Labels) {
        if !self.noted("labels.load", "the labels file changed").await {
            return;
        }
        self.gateway.set_labels(labels);
    }

    /// New targets and principals take effect; the rest of the configuration asks for a restart.
    pub(crate) async fn new_config(&mut self, config: Config) {
        if !self.noted("settings.load", &config.in_short()).await {
            return;
        }
        let rest = |config: &Config| Config {
            targets: Vec::new(),
            principals: Vec::new(),
            recordings_of: Default::default(),
            notes: Vec::new(),
            oidc: config
                .oidc
                .iter()
                .cloned()
                .map(|provider| config::OidcProvider { subjects: Default::default(), ..provider })
                .collect(),
            ..config.clone()
        };
        if rest(&config) != rest(&self.config) {
            tracing::warn!(
                "the configuration changed in more than targets, principals and subjects; \
                 the rest takes effect at the next start"
            );
        }
        let targets = Credentials::load(&config.targets, &environment::variable)
            .map_err(|error| error.to_string())
            .and_then(|credentials| {
                self.gateway
                    .set_targets(config.targets.clone(), credentials)
                    .map_err(|error| error.to_string())
            });
        match targets {
            Ok(()) => {
                self.targets.send_replace(config.targets.clone());
            }
            Err(problem) => tracing::error!(problem, "new targets not taken; the last good ones stay"),
        }
        match directory(&config) {
            Ok(directory) => {
                // Narrowed before the directory is taken: nobody reads more in between.
                self.readers.set(config.recordings_of.clone());
                self.auth.set_directory(directory);
            }
            Err(failure) => {
                tracing::error!(
                    problem = failure.message,
                    "new principals not taken; the last good ones stay"
                );
            }
        }
    }
}

async fn keep_policy(store: &Store, policy: &Policy, files: &[PolicyFile]) -> Result<(), Failure> {
    let files: Vec<(String, String)> =
        files.iter().map(|file| (file.name.clone(), file.text.clone())).collect();
    store.save_policy(policy.version(), &files).await.map_err(|error| Failure::failed(error.to_string()))
}

/// The session in which the gateway records what is done with itself, from this start to its end.
async fn journal(
    recorder: &Recorder,
    clock: &dyn Clock,
    config: &Config,
    policy: &str,
) -> Result<Journal, Failure> {
    let mut random = [0; 10];
    getrandom::fill(&mut random).map_err(|_| Failure::failed("there is no randomness"))?;
    let journal = Journal::on(recorder.begin(SessionId::new(clock.now(), random)));
    let failed = |error: sallyport_record::RecordError| Failure::failed(format!("recording: {error}"));
    let version = format!("{}, policy {policy}", env!("CARGO_PKG_VERSION"));
    journal.note(GATEWAY, "gateway.start", &version, "ok").await.map_err(failed)?;
    journal.note(GATEWAY, "policy.load", policy, "ok").await.map_err(failed)?;
    journal.note(GATEWAY, "settings.load", &config.in_short(), "ok").await.map_err(failed)?;
    Ok(journal)
}

/// Runs the gateway until SIGTERM or Ctrl-C, then drains it.
///
/// # Errors
/// When something cannot start.
pub(crate) async fn serve(config: Config) -> Result<(), Failure> {
    hardening::harden()?;
    let failed = |what: &str, error: &dyn std::fmt::Display| Failure::failed(format!("{what}: {error}"));
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    for note in &config.notes {
        tracing::warn!(note, "worth knowing about the configuration");
    }
    folder::make_private(&config.data_dir).map_err(|error| failed("data_dir", &error))?;
    let store = Store::open(&config.store_file(), Arc::clone(&clock))
        .await
        .map_err(|error| failed("store", &error))?;
    let key = load_or_create_key(&config.keys()).map_err(|error| failed("recording key", &error))?;
    let keys = key_service::keys(&config)?;
    let wrapping = key_service::for_writing(&config, &keys)?;
    let recording = RecorderSettings {
        durability: config.recording.durability.into(),
        results: config.recording.results.into(),
        targets: config.recording.terms(),
        retention: config.recording.retention(),
        wrapping,
        witnesses: sink::witnesses(&config)?,
        close_after: config.sink.as_ref().map(|sink| sink.within),
        ..RecorderSettings::new(config.recordings())
    };
    let recorder =
        Recorder::open(recording, key, Arc::clone(&clock)).map_err(|error| failed("recording", &error))?;
    let public_key = recorder.public_key();
    let sending = sink::start(&config, &clock)?;
    let recordings = Recordings::in_folder(config.recordings()).with_keys(Arc::new(keys));
    // Only now that the recording's lock is ours: another gateway's sessions are not orphans.
    let orphans = store.close_orphans(clock.now()).await.map_err(|error| failed("store", &error))?;
    if orphans > 0 {
        tracing::warn!(orphans, "sessions of an earlier run had not been closed");
    }
    let auth = Authenticator::new(store.clone(), directory(&config)?, providers(&config), Arc::clone(&clock))
        .map_err(|error| Failure::usage(error.to_string()))?;
    let hash_key = label_key(&config.keys())?;
    // From here on a change of the files is seen, also one that falls between this and their reading.
    let mut watch = Watch::new(&config, &hash_key);
    let (policy, files) = load_policy_files(&config)?;
    keep_policy(&store, &policy, &files).await?;
    let labels = load_labels(&config)?.with_hash_key(hash_key.clone());
    let credentials = Credentials::load(&config.targets, &environment::variable)
        .map_err(|error| Failure::usage(error.to_string()))?;
    tracing::info!(version = policy.version(), "policy in force");

    let journal = journal(&recorder, &*clock, &config, policy.version()).await?;

    // ---- the gateway
    let parts = Parts {
        store: store.clone(),
        recorder,
        journal: Some(journal.clone()),
        authenticator: auth.clone(),
        policy,
        labels,
        targets: config.targets.clone(),
        credentials,
        clock: Arc::clone(&clock),
    };
    let gateway = Gateway::bind(settings(&config, &*clock)?, parts)
        .await
        .map_err(|error| Failure::failed(error.to_string()))?;
    let control: Arc<dyn SessionControl> = Arc::new(gateway.clone());

    // ---- what was recorded, to be found
    let shelf = Shelf::new(&config.data_dir);
    let (index, indexing) = if config.search {
        let index = SearchIndex::open(&shelf.index).await.map_err(|error| failed("search index", &error))?;
        let indexing = Indexing::start(shelf, index.clone(), recordings.clone())?;
        (Some(index), Some(indexing))
    } else {
        (None, None)
    };
    let readers = Readers::default();
    readers.set(config.recordings_of.clone());

    // ---- the API
    let (sender, receiver) = tokio::sync::watch::channel(config.targets.clone());
    let hosts: Vec<String> = config.public_host().into_iter().collect();
    let state = ApiState::new(
        store.clone(),
        Arc::new(auth.clone()),
        control,
        Arc::new(Present(receiver)),
        Arc::clone(&clock),
        recordings.clone(),
        &hosts,
    )
    .with_journal(journal.clone())
    .redacting(Arc::new(Preview))
    .with_readers(readers.clone())
    .with_search(index.clone())
    .with_key(public_key);
    let api = TcpListener::bind(config.api)
        .await
        .map_err(|error| failed(&format!("cannot listen on {}", config.api), &error))?;
    let api_address = api.local_addr().map_err(|error| failed("API", &error))?;
    let mut terminate = signal(SignalKind::terminate()).map_err(|error| failed("signals", &error))?;

    // ---- run
    let tasks = Tasks::new();
    let stopping = {
        let tasks = tasks.clone();
        async move { tasks.stopping().await }
    };
    tasks.spawn("api", async move {
        if let Err(error) = sallyport_api::serve(api, state, stopping).await {
            tracing::error!(%error, "the API ended");
        }
    });
    let drain = config.limits.drain;
    let mut running = Running {
        gateway: gateway.clone(),
        journal: journal.clone(),
        auth,
        store: store.clone(),
        targets: sender,
        readers,
        config,
    };
    let watched = tasks.clone();
    tasks.spawn("watch", async move {
        while tokio::time::timeout(watch::EVERY, watched.stopping()).await.is_err() {
            watch.look(&mut running).await;
        }
    });
    for (target, address) in gateway.own_addresses() {
        tracing::info!(target = %target, %address, "listening for one target");
    }
    let mysql = gateway.mysql_address().map_or_else(|| "off".to_owned(), |address| address.to_string());
    tracing::info!(postgres = %gateway.address(), mysql, api = %api_address, "serving");
    tokio::select! {
        () = gateway.serve() => tracing::error!("the listener ended"),
        _ = terminate.recv() => tracing::info!("SIGTERM: draining"),
        done = tokio::signal::ctrl_c() => match done {
            Ok(()) => tracing::info!("Ctrl-C: draining"),
            Err(error) => tracing::error!(%error, "signals cannot be had: draining"),
        },
    }
    // Sessions first: while they end, approvals and health can still be asked for.
    gateway.drain(drain).await;
    tasks.drain(std::time::Duration::from_secs(5)).await;
    let over = Event::SessionClosed { reason: "the gateway ended".into(), operations: 0 };
    journal.seal(&over).await.map_err(|error| failed("recording", &error))?;
    drop(sending);
    if let Some(indexing) = indexing
        && tokio::task::spawn_blocking(move || indexing.stop()).await.is_err()
    {
        tracing::error!("the search index was not ended");
    }
    if let Some(index) = index {
        index.close().await;
    }
    store.close().await;
    tracing::info!("ended");
    Ok(())
}
