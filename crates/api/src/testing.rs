//! A gateway's API over a real store and a real recording in a temporary folder.

use std::collections::BTreeSet;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response, StatusCode, header};
use sallyport_auth::{Authenticator, Directory, OidcSettings};
use sallyport_core::{
    ApiRole, ApprovalRequest, Clock, CredentialRef, Digest, Facts, GroupNeed, Killed, Language, Principal,
    PrincipalKind, RequestId, RequestState, SessionControl, SessionId, Target, TargetHealth, Timestamp,
    TlsMode, TlsSettings,
};
use sallyport_store::search::SearchIndex;
use sallyport_store::{SessionRow, Store};
use tower::ServiceExt as _;

use crate::{ApiState, Readers, Targets};

pub(crate) const NOW: i64 = 1_800_000_000_000_000;

#[derive(Debug)]
struct StillClock;

impl Clock for StillClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(NOW)
    }
}

/// Control that lives without a gateway and notes who killed what.
#[derive(Debug, Default)]
pub(crate) struct Control {
    pub(crate) killed: Mutex<Vec<(String, String)>>,
    pub(crate) broken: Mutex<Option<String>>,
}

impl SessionControl for Control {
    fn kill(&self, session: &SessionId, by: &str) -> Killed {
        if session.as_str() != LIVE {
            return Killed::NotHere;
        }
        self.killed.lock().unwrap().push((session.to_string(), by.to_owned()));
        Killed::Ending
    }

    fn test_target<'a>(
        &'a self,
        _: &'a str,
    ) -> Pin<Box<dyn Future<Output = Option<TargetHealth>> + Send + 'a>> {
        Box::pin(async { Some(TargetHealth { ok: true, detail: "PostgreSQL 15.1".into(), took_ms: 4 }) })
    }

    fn may_connect(&self, _: &Principal, target: &str) -> bool {
        target == "shop-prod"
    }

    fn live(&self) -> usize {
        1
    }

    fn ready<'a>(&'a self) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + 'a>> {
        let broken = self.broken.lock().unwrap().clone();
        Box::pin(async move { broken.map_or(Ok(()), Err) })
    }
}

#[derive(Debug)]
struct OneTarget;

impl Targets for OneTarget {
    fn targets(&self) -> Vec<Target> {
        vec![Target {
            name: "shop-prod".into(),
            protocol: "postgres".into(),
            host: "db.internal".into(),
            port: 5432,
            database: "shop".into(),
            databases: vec![],
            user: "app".into(),
            credential: CredentialRef::Env("SHOP_PASSWORD".into()),
            tls: TlsSettings { mode: TlsMode::VerifyFull, ca: None, identity: None },
            tags: [("env".to_owned(), "production".to_owned())].into(),
        }]
    }
}

pub(crate) const LIVE: &str = "01LIVE";

/// The only target whose recordings `nora` may read.
pub(crate) const NORAS: &str = "shop-test";

/// The API, its store and one token per principal.
pub(crate) struct House {
    pub(crate) state: ApiState,
    pub(crate) router: Router,
    pub(crate) store: Store,
    pub(crate) control: Arc<Control>,
    pub(crate) readers: Readers,
    pub(crate) index: SearchIndex,
    tokens: std::collections::BTreeMap<&'static str, String>,
    pub(crate) dir: tempfile::TempDir,
}

fn principal(
    name: &str,
    kind: PrincipalKind,
    human: Option<&str>,
    groups: &[&str],
    roles: &[ApiRole],
) -> Principal {
    Principal {
        name: name.into(),
        kind,
        on_behalf_of: human.map(Into::into),
        groups: groups.iter().map(|group| (*group).to_owned()).collect(),
        roles: roles.iter().copied().collect(),
    }
}

/// The people of the examples. `claude-code` has every role in the configuration, which must not help it.
pub(crate) fn people() -> Vec<Principal> {
    use ApiRole::{Admin, Approver, Auditor, Viewer};
    use PrincipalKind::{Agent, Human, Service};
    vec![
        principal("alice", Human, None, &["dba"], &[Viewer, Approver]),
        principal("bob", Human, None, &["dba"], &[Approver]),
        principal("carol", Human, None, &["sre"], &[Approver]),
        principal("vera", Human, None, &[], &[Viewer]),
        principal("otto", Human, None, &[], &[Auditor]),
        principal("nora", Human, None, &[], &[Auditor]),
        principal("root", Human, None, &[], &[Admin]),
        principal("plain", Human, None, &[], &[]),
        principal("claude-code", Agent, Some("alice"), &["dba"], &[Viewer, Approver, Auditor, Admin]),
        principal("other-agent", Agent, Some("alice"), &["agents"], &[]),
        principal("robot", Service, None, &["dba"], &[Viewer, Approver]),
    ]
}

/// Takes `secret-…` for what is sensitive.
#[derive(Debug)]
struct Secrets;

impl crate::Redact for Secrets {
    fn statement(&self, text: &str) -> Option<String> {
        self.value(text)
    }

    fn value(&self, text: &str) -> Option<String> {
        text.contains("secret-").then(|| text.replace("secret-42", "‹SECRET›"))
    }
}

impl House {
    pub(crate) async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let clock: Arc<dyn Clock> = Arc::new(StillClock);
        let store = Store::open(&dir.path().join("data/store.db"), clock.clone()).await.unwrap();
        let people = people();
        let mut tokens = std::collections::BTreeMap::new();
        for person in &people {
            let issued = sallyport_auth::issue(&person.name, None, None, clock.now()).unwrap();
            store.add_token(&issued.record).await.unwrap();
            tokens.insert(&*person.name.clone().leak(), issued.secret.expose().clone());
        }
        let directory = Directory::new(people.into_iter().map(Into::into).collect()).unwrap();
        let none: Vec<OidcSettings> = vec![];
        let auth = Arc::new(Authenticator::new(store.clone(), directory, none, clock.clone()).unwrap());
        let control = Arc::new(Control::default());
        let state = ApiState::new(
            store.clone(),
            auth,
            control.clone(),
            Arc::new(OneTarget),
            clock,
            sallyport_record::read::Recordings::in_folder(dir.path().join("data/recordings")),
            &["gw.example.com".to_owned()],
        )
        .redacting(Arc::new(Secrets));
        let readers = Readers::default();
        readers.set([("Nora".to_owned(), BTreeSet::from([NORAS.to_owned()]))]);
        let index = SearchIndex::open(&dir.path().join("data/search.db")).await.unwrap();
        let key = sallyport_record::load_or_create_key(&dir.path().join("data/keys")).unwrap();
        let state = state
            .with_readers(readers.clone())
            .with_search(Some(index.clone()))
            .with_key(key.verifying_key());
        Self { router: crate::router(state.clone()), state, store, control, readers, index, tokens, dir }
    }

    pub(crate) fn principal(&self, name: &str) -> Principal {
        people()
            .into_iter()
            .find(|found| found.name == name)
            .unwrap_or_else(|| panic!("nobody is called {name}"))
    }

    pub(crate) fn token(&self, name: &str) -> &str {
        self.tokens.get(name).unwrap_or_else(|| panic!("nobody is called {name}"))
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Response<Body> {
        self.router.clone().oneshot(request).await.unwrap()
    }

    /// Asks as somebody (or as nobody) and gives back status and JSON.
    pub(crate) async fn ask(
        &self,
        name: Option<&str>,
        method: &str,
        path: &str,
        body: Option<serde_json::Value>,
    ) -> (StatusCode, serde_json::Value) {
        let mut request = Request::builder().method(method).uri(path).header(header::HOST, "localhost:6480");
        if let Some(name) = name {
            request = request.header(header::AUTHORIZATION, format!("Bearer {}", self.token(name)));
        }
        let body = match body {
            Some(json) => {
                request = request.header(header::CONTENT_TYPE, "application/json");
                Body::from(json.to_string())
            }
            None => Body::empty(),
        };
        let response = self.send(request.body(body).unwrap()).await;
        let status = response.status();
        let bytes = axum::body::to_bytes(response.into_body(), 10 << 20).await.unwrap();
        (status, serde_json::from_slice(&bytes).unwrap_or(serde_json::Value::Null))
    }

    pub(crate) async fn get(&self, name: &str, path: &str) -> (StatusCode, serde_json::Value) {
        self.ask(Some(name), "GET", path, None).await
    }

    pub(crate) async fn post(&self, name: &str, path: &str) -> (StatusCode, serde_json::Value) {
        self.ask(Some(name), "POST", path, Some(serde_json::json!({}))).await
    }

    /// A held DELETE by `claude-code` for alice, waiting for one of the DBAs.
    pub(crate) async fn held(&self, seed: u8) -> RequestId {
        let claude = people().into_iter().find(|person| person.name == "claude-code").unwrap();
        let request = ApprovalRequest {
            id: RequestId::new([seed; 5]),
            digest: Digest::of(&[seed]),
            session: SessionId::parse(LIVE).unwrap(),
            operation: 3,
            principal: Principal { roles: BTreeSet::new(), ..claude },
            target: "shop-prod".into(),
            database: "shop".into(),
            text: "delete from users where id = $1".into(),
            parameters: vec![Some("secret-42".into())],
            state: [("search_path".to_owned(), "public".to_owned())].into(),
            facts: Facts {
                language: Language::Postgres,
                statements: 1,
                unknown: None,
                actions: vec![sallyport_core::Action::on_object(
                    sallyport_core::Verb::Delete,
                    "table",
                    sallyport_core::ObjectName::in_schema("public", "users"),
                )],
            },
            rule: "writes-need-a-human".into(),
            rule_reason: Some("writes on production are approved by a DBA".into()),
            caller_reason: Some("cleaning up".into()),
            transaction: vec!["begin".into()],
            needs: vec![GroupNeed { group: "dba".into(), approvals: 1 }],
            created: Timestamp::from_micros(NOW),
            expires: Timestamp::from_micros(NOW).plus_seconds(600),
            state_of_request: RequestState::Open,
            caller_waits: true,
            answers: vec![],
            policy_version: "0123456789ab".into(),
        };
        self.store.add_request(&request).await.unwrap();
        request.id
    }

    /// A session in the index.
    pub(crate) async fn session(&self, id: &str) -> SessionId {
        self.session_at(id, "shop-prod").await
    }

    pub(crate) async fn session_at(&self, id: &str, target: &str) -> SessionId {
        let id = SessionId::parse(id).unwrap();
        let row = SessionRow {
            id: id.clone(),
            principal: "claude-code".into(),
            kind: PrincipalKind::Agent,
            on_behalf_of: Some("alice".into()),
            target: target.into(),
            database: "shop".into(),
            client: "127.0.0.1:50000".into(),
            method: "token".into(),
            token: None,
            started: Timestamp::from_micros(NOW),
            ended: None,
            operations: 0,
            reason: None,
        };
        self.store.session_opened(&row).await.unwrap();
        id
    }
}
