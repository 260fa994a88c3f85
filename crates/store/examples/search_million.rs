//! Measures the search index: filling it with a million operations, and finding among them.
//!
//! `cargo run --release -p sallyport-store --example search_million [FOLDER] [OPERATIONS]`

#![expect(clippy::print_stdout, reason = "it is run to be read")]

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::path::PathBuf;
use std::time::Instant;

use sallyport_core::{
    Action, Condition, Decision, Digest, Effect, Event, Facts, Language, Limits, ObjectName, OperationKind,
    Principal, PrincipalKind, SessionId, Timestamp, Verb,
};
use sallyport_store::search::{Batch, Find, Place, Position, Query, SearchIndex};

/// Operations of one session.
const LENGTH: u64 = 50;
/// Microseconds between two operations: a million of them span some months.
const APART: i64 = 10_000_000;
const START: i64 = 1_790_000_000_000_000;
const ROUNDS: usize = 25;

/// Queries as auditors ask them, and the worst there are: those that must walk long lists and find
/// little or nothing.
const QUERIES: &[(&str, &str, bool)] = &[
    ("everything", "", false),
    ("deletes of a table, last week", "table:public.users action:delete since:7d", false),
    ("an agent's held operations", "principal:claude-code decision:hold", false),
    ("refused for a human", "for:alice@example.com state:refused", false),
    ("a rare error", "error:42501 since:30d", false),
    ("a word and a field", "returning table:orders -error:42501", false),
    ("a phrase", "\"where created_at\" principal:robot", false),
    ("an address", "\"user4711@corp.example\"", false),
    ("one target of two, as its auditor", "delete", true),
    ("many values", "table:users,orders,staff,payments action:delete,update since:90d", false),
    ("worst: two large sets that never meet", "decision:hold state:passed", false),
    ("worst: all but everything", "-decision:allow -decision:hold -decision:deny", false),
    (
        "worst: three large sets, little in common",
        "action:select state:refused rule:writes-need-a-human",
        false,
    ),
    ("worst: a phrase of common words, none", "\"id public\"", false),
    ("worst: a phrase of common words, none", "\"from created\"", false),
    ("worst: a beginning of everything", "table:public.* -group:read -group:write", false),
    ("worst: two letters", "us* -principal:a* -principal:c* -principal:r*", false),
    ("worst: a word, none of it in time", "select since:30000d until:2026-09-22", false),
];

/// xorshift: the same operations each time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }

    /// Small numbers much more often than large ones.
    fn skewed(&mut self, sides: u64) -> u64 {
        let wide = self.roll(sides) + 1;
        self.roll(wide)
    }
}

fn opened(dice: &mut Dice) -> Event {
    let names = ["claude-code", "robot", "alice@example.com", "bob@example.com"];
    let number = dice.skewed(100);
    let name = usize::try_from(number).ok().and_then(|number| names.get(number)).copied();
    Event::SessionOpened {
        principal: Principal {
            name: name.map_or_else(|| format!("agent-{number}"), str::to_owned),
            kind: PrincipalKind::Agent,
            on_behalf_of: number.is_multiple_of(3).then(|| "alice@example.com".to_owned()),
            groups: BTreeSet::new(),
            roles: BTreeSet::new(),
        },
        authenticated_by: "token".into(),
        target: if dice.roll(5) == 0 { "shop-test".into() } else { "shop-prod".into() },
        protocol: "postgres".into(),
        database: "shop".into(),
        client: "127.0.0.1:1".into(),
        client_says: BTreeMap::new(),
        server_version: "15".into(),
        gateway_version: "0".into(),
        policy_version: "v".into(),
    }
}

/// An operation, and how it ended; nothing when it was refused.
fn operation(dice: &mut Dice, number: u64) -> (Event, Vec<u8>, Option<Event>) {
    let tables = ["users", "orders", "order_items", "staff", "payments", "events", "sessions", "carts"];
    let table = dice.skewed(300);
    let table = usize::try_from(table)
        .ok()
        .and_then(|number| tables.get(number))
        .map_or_else(|| format!("t{table}"), |name| (*name).to_owned());
    let id = dice.roll(1_000_000);
    let (verb, text) = match dice.roll(20) {
        0 => (
            Verb::Delete,
            format!(
                "delete from public.{table} where created_at < '2026-01-{:02}' and id = {id}",
                1 + dice.roll(28)
            ),
        ),
        1..=3 => (
            Verb::Insert,
            format!(
                "insert into public.{table} (id, email) values ({id}, 'user{}@corp.example') returning id",
                dice.roll(100_000)
            ),
        ),
        4..=6 => (
            Verb::Update,
            format!("update public.{table} set status = 'done', updated_at = now() where id = {id}"),
        ),
        _ => (
            Verb::Select,
            format!(
                "select id, email, created_at from public.{table} where id = {id} and status = 'active' order by created_at desc limit {}",
                dice.roll(100)
            ),
        ),
    };
    let mut action = Action::on_object(verb, "table", ObjectName::in_schema("public", &table));
    action.columns = vec!["id".into(), "email".into()];
    action.filters = vec!["id".into(), "status".into()];
    action.condition = Some(Condition::Some);
    let (effect, rule) = match (verb, dice.roll(10)) {
        (Verb::Select, 0) => (Effect::Deny, "no-personal-data"),
        (Verb::Select, _) => (Effect::Allow, "reads"),
        (_, 0..=5) => (Effect::Hold, "writes-need-a-human"),
        _ => (Effect::Allow, "writes-in-test"),
    };
    let facts =
        Facts { language: Language::Postgres, statements: 1, unknown: None, actions: vec![action] }.into();
    let decision = Decision {
        effect,
        rule: rule.into(),
        rules: vec![rule.into()],
        reason: None,
        hold: None,
        limits: Limits::default(),
        policy_version: "v".into(),
        reveals: Vec::new(),
    }
    .into();
    let digest = Digest::of(text.as_bytes());
    let text_length = text.len();
    let refused = effect != Effect::Allow;
    let event = if refused {
        let code = sallyport_core::RefusalCode::Denied;
        Event::Refused {
            operation: number,
            kind: OperationKind::Query,
            text_length,
            withheld: Vec::new(),
            parameters: vec![],
            digest,
            facts,
            decision,
            request: None,
            refusal: sallyport_core::Refusal::new(code, sallyport_core::Blame::Policy, "no"),
        }
    } else {
        Event::Intent {
            operation: number,
            kind: OperationKind::Query,
            text_length,
            withheld: Vec::new(),
            parameters: vec![],
            digest,
            facts,
            decision,
            approval: None,
            approved_by: vec![],
        }
    };
    let error = (dice.roll(200) == 0).then(|| "42501".to_owned());
    let outcome =
        Event::Outcome { operation: number, rows: 1, bytes: 90, masked: 0, duration_us: 900, error };
    (event, text.into_bytes(), (!refused).then_some(outcome))
}

async fn fill(index: &SearchIndex, total: u64) -> Result<Timestamp, Box<dyn Error>> {
    let mut writer = index.writer().await?;
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let mut batch = Batch::default();
    let mut at = Timestamp::from_micros(START);
    let mut session = SessionId::new(at, [0; 10]);
    for number in 0..total {
        at = Timestamp::from_micros(START + i64::try_from(number)? * APART);
        let in_session = number % LENGTH;
        if in_session == 0 {
            session = SessionId::new(at, [0; 10]);
            batch.take(Place { session: &session, sequence: 0, at, segment: 1 }, &opened(&mut dice), b"");
        }
        let (event, text, outcome) = operation(&mut dice, in_session + 1);
        let place = Place { session: &session, sequence: in_session * 2 + 1, at, segment: 1 };
        batch.take(place, &event, &text);
        if let Some(outcome) = outcome {
            batch.take(place, &outcome, b"");
        }
        if batch.is_full() {
            writer.write(&std::mem::take(&mut batch), Position { segment: 1, offset: number }, at).await?;
        }
    }
    writer.write(&batch, Position { segment: 1, offset: total }, at).await?;
    writer.close().await?;
    Ok(at)
}

async fn measure(index: &SearchIndex, now: Timestamp) -> Result<(), Box<dyn Error>> {
    println!("{:>9} {:>9} {:>7}  query", "p50 ms", "p99 ms", "found");
    for (what, text, narrowed) in QUERIES {
        let find = Find {
            query: Query::parse(text, now)?,
            targets: narrowed.then(|| BTreeSet::from(["shop-test".to_owned()])),
            before: None,
            limit: 50,
        };
        let mut times = Vec::with_capacity(ROUNDS);
        let mut found = String::new();
        for _ in 0..ROUNDS {
            let start = Instant::now();
            let page = index.find(&find).await?;
            times.push(start.elapsed().as_secs_f64() * 1e3);
            found = format!("{}{}", page.count.unwrap_or(0), if page.more { "+" } else { "" });
        }
        times.sort_by(f64::total_cmp);
        let at = |share: usize| times.get((times.len() - 1) * share / 100).copied().unwrap_or(0.0);
        println!("{:>9.1} {:>9.1} {found:>7}  {what}: {text}", at(50), at(99));
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder =
        arguments.next().map_or_else(|| std::env::temp_dir().join("sallyport-search"), PathBuf::from);
    let total: u64 = arguments.next().map_or(Ok(1_000_000), |text| text.parse())?;
    let path = folder.join("search.db");
    SearchIndex::remove(&path)?;
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let index = SearchIndex::open(&path).await?;
        let start = Instant::now();
        let now = fill(&index, total).await?;
        let seconds = start.elapsed().as_secs_f64();
        let size = std::fs::metadata(&path)?.len() / (1 << 20);
        println!("{total} operations indexed in {seconds:.0} s, {size} MiB");
        measure(&index, now).await?;
        index.close().await;
        SearchIndex::remove(&path)?;
        Ok(())
    })
}
