//! An index filled from events, as a recording has them, and searched.

use std::collections::{BTreeMap, BTreeSet};

use sallyport_core::{
    Action, Blame, Condition, Decision, Effect, Event, Facts, Language, Limits, ObjectName, OperationKind,
    Refusal, RefusalCode, RequestId, SessionId, Timestamp, Verb,
};

use super::*;
use crate::testing::agent;

const START: i64 = 1_800_000_000_000_000;

struct Shelf {
    index: SearchIndex,
    writer: SearchWriter,
    batch: Batch,
    sequence: u64,
    _dir: tempfile::TempDir,
}

fn session(name: &str) -> SessionId {
    SessionId::parse(name).unwrap()
}

fn decision(effect: Effect, rule: &str) -> Decision {
    Decision {
        effect,
        rule: rule.into(),
        rules: vec![rule.into()],
        reason: None,
        hold: None,
        limits: Limits::default(),
        policy_version: "v".into(),
        reveals: Vec::new(),
    }
}

fn facts(verb: Verb, table: &str) -> Facts {
    let mut action = Action::on_object(verb, "table", ObjectName::parse(table));
    action.columns = vec!["email".into()];
    action.condition = Some(Condition::Some);
    Facts { language: Language::Postgres, statements: 1, unknown: None, actions: vec![action] }
}

impl Shelf {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let index = SearchIndex::open(&dir.path().join("search.db")).await.unwrap();
        let writer = index.writer().await.unwrap();
        Self { index, writer, batch: Batch::default(), sequence: 0, _dir: dir }
    }

    fn put(&mut self, id: &str, event: &Event, payload: &[u8]) {
        self.sequence += 1;
        let (session, sequence) = (session(id), self.sequence);
        let at = Timestamp::from_micros(START + i64::try_from(sequence).unwrap() * 1_000_000);
        self.batch.take(
            Place { session: &session, sequence, at, segment: 1 + sequence / 100 },
            event,
            payload,
        );
    }

    fn open(&mut self, id: &str, target: &str) {
        let event = Event::SessionOpened {
            principal: agent("claude-code"),
            authenticated_by: "token".into(),
            target: target.into(),
            protocol: "postgres".into(),
            database: "shop".into(),
            client: "127.0.0.1:1".into(),
            client_says: BTreeMap::new(),
            server_version: "15".into(),
            gateway_version: "0".into(),
            policy_version: "v".into(),
        };
        self.put(id, &event, b"");
    }

    fn intent(&mut self, id: &str, operation: u64, text: &str, verb: Verb, table: &str) {
        self.intent_as(id, operation, text, verb, table, None);
    }

    fn intent_as(
        &mut self,
        id: &str,
        operation: u64,
        text: &str,
        verb: Verb,
        table: &str,
        approval: Option<&str>,
    ) {
        let effect = if approval.is_some() { Effect::Hold } else { Effect::Allow };
        let event = Event::Intent {
            operation,
            kind: OperationKind::Query,
            text_length: text.len(),
            withheld: Vec::new(),
            parameters: vec![],
            digest: sallyport_core::Digest::of(text.as_bytes()),
            facts: facts(verb, table).into(),
            decision: decision(effect, "reads").into(),
            approval: approval.map(|id| RequestId::parse(id).unwrap()),
            approved_by: vec![],
        };
        self.put(id, &event, text.as_bytes());
    }

    fn held(&mut self, id: &str, operation: u64, text: &str) {
        let event = Event::Held {
            operation,
            text_length: text.len(),
            withheld: Vec::new(),
            parameters: vec![],
            request: RequestId::parse("7F3K-Q2WM").unwrap(),
            digest: sallyport_core::Digest::of(text.as_bytes()),
            facts: facts(Verb::Delete, "public.users").into(),
            decision: decision(Effect::Hold, "writes-need-a-human").into(),
        };
        self.put(id, &event, text.as_bytes());
    }

    fn refused(&mut self, id: &str, operation: u64, text: &str) {
        let event = Event::Refused {
            operation,
            kind: OperationKind::Query,
            text_length: text.len(),
            withheld: Vec::new(),
            parameters: vec![],
            digest: sallyport_core::Digest::of(text.as_bytes()),
            facts: facts(Verb::Drop, "public.users").into(),
            decision: decision(Effect::Deny, "no-drops").into(),
            request: None,
            refusal: Refusal::new(RefusalCode::Denied, Blame::Policy, "no"),
        };
        self.put(id, &event, text.as_bytes());
    }

    fn outcome(&mut self, id: &str, operation: u64, error: Option<&str>) {
        let error = error.map(str::to_owned);
        let event = Event::Outcome { operation, rows: 3, bytes: 9, masked: 1, duration_us: 1500, error };
        self.put(id, &event, b"");
    }

    async fn write(&mut self) {
        let batch = std::mem::take(&mut self.batch);
        let position = Position { segment: 1, offset: self.sequence };
        let at = Timestamp::from_micros(START + i64::try_from(self.sequence).unwrap() * 1_000_000);
        self.writer.write(&batch, position, at).await.unwrap();
    }

    async fn find_as(&self, query: &str, targets: Option<&[&str]>) -> Found {
        let now = Timestamp::from_micros(START + 3_600_000_000);
        let find = Find {
            query: Query::parse(query, now).unwrap(),
            targets: targets
                .map(|names| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>()),
            before: None,
            limit: 50,
        };
        self.index.find(&find).await.unwrap()
    }

    /// Sessions and numbers of what is found.
    async fn find(&self, query: &str) -> Vec<String> {
        let found = self.find_as(query, None).await;
        found.hits.iter().map(|hit| format!("{}#{}", hit.session, hit.operation.unwrap_or(0))).collect()
    }
}

async fn shelf() -> Shelf {
    let mut shelf = Shelf::new().await;
    shelf.open("S1", "shop-prod");
    shelf.intent(
        "S1",
        1,
        "select email from users where order_items = 'Ünïcode'",
        Verb::Select,
        "public.users",
    );
    shelf.outcome("S1", 1, None);
    shelf.intent("S1", 2, "delete from orders using users", Verb::Delete, "public.orders");
    shelf.outcome("S1", 2, Some("42501"));
    shelf.refused("S1", 3, "drop table users");
    shelf.open("S2", "shop-test");
    shelf.intent("S2", 1, "select 1", Verb::Select, "audit.users");
    shelf.outcome("S2", 1, None);
    shelf.write().await;
    shelf
}

#[tokio::test]
async fn operations_are_found_by_text_and_by_what_is_known_of_them() {
    let shelf = shelf().await;
    for (query, found) in [
        ("", &["S2#1", "S1#3", "S1#2", "S1#1"][..]),
        ("select", &["S2#1", "S1#1"]),
        ("SELECT email", &["S1#1"]),
        ("\"from users\"", &["S1#1"]),
        ("order_items ünï*", &["S1#1"]),
        ("sel* -email", &["S2#1"]),
        ("table:users", &["S2#1", "S1#3", "S1#1"]),
        ("table:PUBLIC.users", &["S1#3", "S1#1"]),
        ("table:public.*", &["S1#3", "S1#2", "S1#1"]),
        ("table:public.users action:select", &["S1#1"]),
        ("table:public.* action:delete", &["S1#2"]),
        ("table:users,orders action:delete", &["S1#2"]),
        ("action:delete,drop", &["S1#3", "S1#2"]),
        ("group:write", &["S1#2"]),
        ("column:email decision:deny", &["S1#3"]),
        ("principal:Claude-Code target:shop-test", &["S2#1"]),
        ("for:alice@example.com -target:shop-prod", &["S2#1"]),
        ("kind:agent session:S1 database:shop", &["S1#3", "S1#2", "S1#1"]),
        ("error:42501", &["S1#2"]),
        ("error:slp-denied state:refused rule:no-drops", &["S1#3"]),
        ("-error:42501 -action:select", &["S1#3"]),
        ("state:failed", &["S1#2"]),
        ("rule:no* language:postgres", &["S1#3"]),
        ("since:2027-01-15T08:00:07Z", &["S2#1"]),
        ("select until:2027-01-15T08:00:03Z", &["S1#1"]),
        ("since:2027-01-15T08:00:03Z until:2027-01-15T08:00:05Z", &["S1#2"]),
        ("nothing-like-it", &[]),
        ("x", &[]),
        ("d616c6c6f77", &[]),
    ] {
        assert_eq!(shelf.find(query).await, found, "{query}");
    }
}

#[tokio::test]
async fn a_hit_says_who_where_and_how_it_ended() {
    let shelf = shelf().await;
    let found = shelf.find_as("orders", None).await;
    let hit = &found.hits[0];
    assert_eq!(
        (hit.principal.as_str(), hit.on_behalf_of.as_deref()),
        ("claude-code", Some("alice@example.com"))
    );
    assert_eq!(
        (hit.target.as_str(), hit.decision.as_str(), hit.rule.as_str()),
        ("shop-prod", "allow", "reads")
    );
    assert_eq!(
        (hit.state.as_str(), hit.error.as_deref(), hit.rows, hit.masked),
        ("failed", Some("42501"), 3, 1)
    );
    assert_eq!(hit.at, Timestamp::from_micros(START + 4_000_000));
    assert_eq!(hit.excerpt.text, "delete from orders using users");
    assert_eq!(hit.excerpt.marks, [(12, 6)]);
    assert_eq!((found.count, found.more, found.next), (Some(1), false, None));
    assert_eq!(found.until, Some(Timestamp::from_micros(START + 9_000_000)));
}

#[tokio::test]
async fn attack_9_a_reader_of_one_target_learns_nothing_of_another_by_hits_or_counts() {
    let shelf = shelf().await;
    for query in [
        "",
        "select",
        "target:shop-prod",
        "-select",
        "error:42501",
        "session:S1",
        "table:users*",
        "since:30d",
    ] {
        let found = shelf.find_as(query, Some(&["shop-test"])).await;
        assert!(found.hits.iter().all(|hit| hit.target == "shop-test"), "{query}: {found:?}");
        assert_eq!(found.count, Some(u64::try_from(found.hits.len()).unwrap()), "{query}");
    }
    assert_eq!(shelf.find_as("", Some(&["shop-test"])).await.count, Some(1));
    assert_eq!(shelf.find_as("target:shop-prod", Some(&["shop-test"])).await.count, Some(0));
    assert_eq!(shelf.find_as("", Some(&[])).await.count, Some(0));
    assert_eq!(shelf.find_as("", Some(&["Shop-Test"])).await.count, Some(0), "names of targets are exact");
}

#[tokio::test]
async fn pages_follow_each_other_without_gap_or_repeat() {
    let mut shelf = Shelf::new().await;
    shelf.open("S1", "shop-prod");
    for number in 1..=25 {
        shelf.intent("S1", number, "select 1", Verb::Select, "t");
        shelf.outcome("S1", number, None);
    }
    shelf.write().await;
    let mut seen = Vec::new();
    let mut before = None;
    loop {
        let query = Query::parse("select", Timestamp::from_micros(START)).unwrap();
        let found = shelf.index.find(&Find { query, targets: None, before, limit: 10 }).await.unwrap();
        seen.extend(found.hits.iter().map(|hit| hit.operation.unwrap()));
        assert_eq!(found.count, before.is_none().then_some(25));
        before = found.next;
        if before.is_none() {
            break;
        }
    }
    assert_eq!(seen, (1..=25).rev().collect::<Vec<_>>());
}

#[tokio::test]
async fn an_operation_that_waits_is_found_at_once_and_is_one_operation_to_its_end() {
    let mut shelf = Shelf::new().await;
    shelf.open("S1", "shop-prod");
    shelf.held("S1", 1, "delete from users");
    shelf.write().await;
    assert_eq!(shelf.find("state:waiting decision:hold users").await, ["S1#1"]);
    shelf.intent_as("S1", 1, "delete from users", Verb::Delete, "public.users", Some("7F3K-Q2WM"));
    shelf.write().await;
    assert_eq!(shelf.find("users").await, ["S1#1"]);
    assert_eq!(shelf.find("state:running").await, ["S1#1"]);
    assert_eq!(shelf.find("state:waiting").await, Vec::<String>::new());
    shelf.outcome("S1", 1, Some("57014"));
    shelf.write().await;
    assert_eq!(shelf.find("users action:delete").await, ["S1#1"]);
    assert_eq!(shelf.find("error:57014 state:failed").await, ["S1#1"]);
    assert_eq!(shelf.find("state:running").await, Vec::<String>::new());
}

#[tokio::test]
async fn what_was_running_when_its_session_ended_is_cut() {
    let mut shelf = Shelf::new().await;
    shelf.open("S1", "shop-prod");
    shelf.intent("S1", 1, "select pg_sleep(1)", Verb::Select, "t");
    shelf.write().await;
    shelf.intent("S1", 2, "select 2", Verb::Select, "t");
    shelf.put("S1", &Event::SessionClosed { reason: "gone".into(), operations: 2 }, b"");
    shelf.write().await;
    assert_eq!(shelf.find("state:cut").await, ["S1#1", "S1#2"]);
    assert_eq!(shelf.find("select").await, ["S1#1", "S1#2"]);
}

#[tokio::test]
async fn attack_9_what_has_expired_is_not_found_any_more() {
    let mut shelf = shelf().await;
    shelf.batch.session_gone(&session("S2"));
    shelf.write().await;
    assert_eq!(shelf.find("select").await, ["S1#1"]);
    assert_eq!(shelf.writer.forget_before(1).await.unwrap(), 0);
    assert_eq!(shelf.writer.forget_before(2).await.unwrap(), 3);
    assert_eq!(shelf.find_as("", None).await.count, Some(0));
    assert_eq!(shelf.find_as("users", None).await.count, Some(0));
}

#[tokio::test]
async fn what_has_expired_is_not_in_the_file_either() {
    let mut shelf = Shelf::new().await;
    shelf.open("S1", "shop-prod");
    // Too long for one page, and a word that only the full-text index has.
    let text = format!("select 'Quetzalcoatlus' {}", "x".repeat(6000));
    shelf.intent("S1", 1, &text, Verb::Select, "t");
    shelf.write().await;
    let in_files = |dir: &std::path::Path, word: &str| {
        std::fs::read_dir(dir).unwrap().flatten().any(|file| {
            let bytes = std::fs::read(file.path()).unwrap().to_ascii_lowercase();
            bytes.windows(word.len()).any(|window| window == word.as_bytes())
        })
    };
    let dir = shelf._dir.path().to_owned();
    assert!(in_files(&dir, "quetzalcoatlus"));
    shelf.batch.session_gone(&session("S1"));
    shelf.write().await;
    assert_eq!(shelf.writer.forget_before(9).await.unwrap(), 0);
    // Closing moves everything from the log into the file.
    let Shelf { index, writer, _dir, .. } = shelf;
    writer.close().await.unwrap();
    index.close().await;
    assert!(!in_files(&dir, "quetzalcoatlus") && !in_files(&dir, "xxxxxxxx"));
}

#[tokio::test]
async fn the_position_goes_with_the_batch_and_a_damaged_index_begins_anew() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("search.db");
    let index = SearchIndex::open(&path).await.unwrap();
    let mut writer = index.writer().await.unwrap();
    assert_eq!(writer.position().await.unwrap(), Position::default());
    let position = Position { segment: 7, offset: 1234 };
    writer.write(&Batch::default(), position, Timestamp::from_micros(5)).await.unwrap();
    writer.close().await.unwrap();
    index.close().await;
    let index = SearchIndex::open(&path).await.unwrap();
    assert_eq!(index.writer().await.unwrap().position().await.unwrap(), position);
    index.close().await;
    for damage in [&b"no database at all, but long enough to be looked at"[..], b""] {
        SearchIndex::remove(&path).unwrap();
        std::fs::write(&path, damage).unwrap();
        let index = SearchIndex::open(&path).await.unwrap();
        assert_eq!(index.writer().await.unwrap().position().await.unwrap(), Position::default());
        index.close().await;
    }
}

#[tokio::test]
async fn nothing_but_the_statement_is_kept_of_an_operation() {
    let mut shelf = Shelf::new().await;
    shelf.open("S1", "shop-prod");
    let text = "select * from users where ssn = $1";
    let event = Event::Intent {
        operation: 1,
        kind: OperationKind::Execute,
        text_length: text.len(),
        withheld: Vec::new(),
        parameters: vec![],
        digest: sallyport_core::Digest::of(b""),
        facts: facts(Verb::Select, "public.users").into(),
        decision: decision(Effect::Allow, "reads").into(),
        approval: None,
        approved_by: vec![],
    };
    shelf.put("S1", &event, &[text.as_bytes(), b"078051120"].concat());
    shelf.write().await;
    assert_eq!(shelf.find("ssn").await, ["S1#1"]);
    assert_eq!(shelf.find("078051120").await, Vec::<String>::new());
}
