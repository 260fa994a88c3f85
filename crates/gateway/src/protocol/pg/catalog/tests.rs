//! Against a real server: what is in a catalog, when it is read, and when it is not.

use std::process::Command;

use sallyport_core::{CredentialRef, TlsMode, TlsSettings};
use sallyport_inspect::pg::RelationKind;

use super::*;
use crate::testing::postgres::{Options, TestServer};

const SCHEMA: &str = r#"
    CREATE ROLE app LOGIN PASSWORD 'hunter2';
    CREATE SCHEMA shop;
    GRANT USAGE ON SCHEMA shop TO app;
    CREATE TABLE shop.users (id int, gone int, email text);
    ALTER TABLE shop.users DROP COLUMN gone;
    CREATE VIEW shop.mails AS SELECT email FROM shop.users;
    CREATE MATERIALIZED VIEW public.counts AS SELECT count(*) AS n FROM shop.users;
    CREATE TABLE public.events (at date) PARTITION BY RANGE (at);
    CREATE TABLE public.events_2026 PARTITION OF public.events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
    CREATE TABLE public."Odd ""name" (x int);
    CREATE FUNCTION shop.peek(int) RETURNS text LANGUAGE sql AS 'SELECT email FROM shop.users';
    CREATE TYPE shop.mood AS ENUM ('sad', 'ok');
    CREATE DOMAIN shop.mail AS text CHECK (shop.peek(1) IS NULL);
    CREATE TYPE shop.made AS ENUM ('x');
    CREATE FUNCTION shop.make(int) RETURNS shop.made LANGUAGE sql AS $$ SELECT 'x'::shop.made $$;
    CREATE CAST (int AS shop.made) WITH FUNCTION shop.make(int);
    CREATE OPERATOR shop.### (LEFTARG = int, RIGHTARG = int, FUNCTION = int4pl);
"#;

fn server() -> (TestServer, Reach) {
    let server = TestServer::start(&Options { sql: SCHEMA, ..Options::default() });
    let target = Target {
        name: "shop".into(),
        protocol: "postgres".into(),
        host: "127.0.0.1".into(),
        port: server.port,
        database: "postgres".into(),
        databases: Vec::new(),
        user: "app".into(),
        credential: CredentialRef::Env("PW".into()),
        tls: TlsSettings { mode: TlsMode::Disable, ca: None, identity: None },
        tags: BTreeMap::new(),
    };
    let credentials = Credentials::load(std::slice::from_ref(&target), &|_| Some("hunter2".into())).unwrap();
    let reach = Reach {
        target: Arc::new(target),
        tls: None,
        credentials: Arc::new(credentials),
        tasks: Tasks::new(),
    };
    (server, reach)
}

impl Catalogs {
    /// What a session does after DDL.
    async fn refresh(&self, reach: &Reach, database: &str) -> Result<Arc<Catalog>, CatalogError> {
        self.mark_dirty(&reach.target.name, database);
        self.current(reach, database).await
    }
}

/// Connections of the gateway's own that the server has now.
fn connections(server: &TestServer) -> String {
    let output = Command::new("psql")
        .args(["-XAtU", "postgres", "-p", &server.port.to_string(), "-h"])
        .arg(&server.dir)
        .args(["-c", "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'sallyport-catalog'"])
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[tokio::test]
async fn a_catalog_holds_relations_columns_definitions_parents_functions_and_operators() {
    let (server, reach) = server();
    let catalogs = Catalogs::default();
    let catalog = catalogs.current(&reach, "postgres").await.unwrap();

    let users = catalog.relation("shop", "users").unwrap();
    assert_eq!(users.kind, RelationKind::Table);
    let columns: Vec<_> = users.columns.iter().map(|column| (column.number, column.name.as_str())).collect();
    assert_eq!(columns, [(1, "id"), (3, "email")]);
    assert_eq!(users.columns[1].type_id, 25);
    assert_eq!(catalog.relation_by_oid(users.oid).unwrap().name, "users");

    let mails = catalog.relation("shop", "mails").unwrap();
    assert_eq!(mails.kind, RelationKind::View);
    // The table is qualified whatever the search path of the role.
    assert!(mails.definition.as_ref().unwrap().contains("FROM shop.users"), "{mails:?}");
    let counts = catalog.relation("public", "counts").unwrap();
    assert_eq!(counts.kind, RelationKind::MaterializedView);
    assert!(counts.definition.is_some());

    let part = catalog.relation("public", "events_2026").unwrap();
    assert_eq!(part.parents, [("public".to_owned(), "events".to_owned())]);
    assert!(catalog.relation("public", "Odd \"name").is_some());

    let class = catalog.relation("pg_catalog", "pg_class").unwrap();
    assert!(class.columns.iter().any(|column| column.name == "relname"));
    assert!(catalog.relation("information_schema", "tables").unwrap().definition.is_none());
    assert!(catalog.relations().all(|relation| !relation.schema.starts_with("pg_toast")));

    assert!(catalog.has_function("shop", "peek") && !catalog.has_function("pg_catalog", "now"));
    // An enumeration runs nobody's code; a domain's checks do, and so does a cast by a function.
    assert!(catalog.is_plain_type(Some("shop"), "mood", &[]));
    for name in ["mail", "made", "users", "_mood", "gone"] {
        assert!(!catalog.is_plain_type(Some("shop"), name, &[]), "{name}");
    }
    assert!(catalog.has_operator("shop", "###") && !catalog.has_operator("pg_catalog", "="));
    drop(server);
}

#[tokio::test]
async fn a_search_path_that_hides_pg_catalog_changes_nothing() {
    let (server, reach) = server();
    server.sql(
        "postgres",
        "CREATE SCHEMA evil; GRANT USAGE ON SCHEMA evil TO app;
         CREATE TABLE evil.pg_class AS SELECT * FROM pg_catalog.pg_class WHERE false;
         CREATE FUNCTION evil.pg_get_viewdef(oid) RETURNS text LANGUAGE sql AS $$SELECT 'SELECT 1'$$;
         CREATE FUNCTION evil.no(oid, oid) RETURNS bool LANGUAGE sql AS 'SELECT false';
         CREATE OPERATOR evil.= (LEFTARG = oid, RIGHTARG = oid, FUNCTION = evil.no);
         ALTER ROLE app SET search_path = evil, pg_catalog",
    );
    let catalog = Catalogs::default().current(&reach, "postgres").await.unwrap();
    let mails = catalog.relation("shop", "mails").unwrap();
    assert_eq!(mails.columns.len(), 1);
    assert!(mails.definition.as_ref().unwrap().contains("shop.users"));
}

#[tokio::test]
async fn a_temporary_relation_is_in_no_catalog() {
    let (server, reach) = server();
    server.sql("postgres", "ALTER ROLE app SET search_path = public");
    let mut session = UpstreamClient::new(
        dial(&reach.target, "postgres", &reach.credentials, None, &[], DIAL).await.unwrap(),
        LIMITS,
    );
    session.query("CREATE TEMP TABLE mine (x int)").await.unwrap();
    let catalog = Catalogs::default().current(&reach, "postgres").await.unwrap();
    assert!(catalog.relations().all(|relation| relation.name != "mine"));
}

#[tokio::test]
async fn the_version_changes_with_the_content_and_only_then() {
    let (server, reach) = server();
    let catalogs = Catalogs::default();
    let first = catalogs.current(&reach, "postgres").await.unwrap();
    let again = catalogs.refresh(&reach, "postgres").await.unwrap();
    assert_eq!(first.version, again.version);

    // Nobody said so: the snapshot stays.
    server.sql("postgres", "CREATE TABLE public.fresh (x int)");
    assert!(catalogs.current(&reach, "postgres").await.unwrap().relation("public", "fresh").is_none());

    catalogs.mark_dirty("shop", "postgres");
    let after = catalogs.current(&reach, "postgres").await.unwrap();
    assert!(after.relation("public", "fresh").is_some());
    assert_ne!(after.version, first.version);

    // A column under a view is renamed: its definition changes with it.
    server.sql("postgres", "ALTER TABLE shop.users RENAME COLUMN email TO mail");
    let renamed = catalogs.refresh(&reach, "postgres").await.unwrap();
    assert_ne!(renamed.version, after.version);
    assert!(renamed.relation("shop", "mails").unwrap().definition.as_ref().unwrap().contains("users.mail"));
}

#[tokio::test]
async fn all_who_wait_share_one_reading_and_one_connection() {
    let (server, reach) = server();
    let catalogs = Catalogs::default();
    let (a, b, c, d) = tokio::join!(
        catalogs.current(&reach, "postgres"),
        catalogs.current(&reach, "postgres"),
        catalogs.current(&reach, "postgres"),
        catalogs.current(&reach, "postgres"),
    );
    let a = a.unwrap();
    for other in [b, c, d] {
        assert!(Arc::ptr_eq(&a, &other.unwrap()));
    }
    assert_eq!(connections(&server), "1");
}

#[tokio::test]
async fn a_connection_that_was_cut_is_replaced() {
    let (server, reach) = server();
    let catalogs = Catalogs::default();
    catalogs.current(&reach, "postgres").await.unwrap();
    server.sql("postgres", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'app'");
    assert!(catalogs.refresh(&reach, "postgres").await.is_ok());
}

#[tokio::test]
async fn a_dirty_catalog_that_cannot_be_read_is_an_error_and_not_the_old_one() {
    let (server, reach) = server();
    let catalogs = Catalogs::default();
    catalogs.current(&reach, "postgres").await.unwrap();
    drop(server);
    assert!(catalogs.current(&reach, "postgres").await.is_ok());
    catalogs.mark_dirty("shop", "postgres");
    let error = catalogs.current(&reach, "postgres").await.unwrap_err();
    assert_eq!(error.to_string(), "the target's catalog could not be read");
    assert!(!error.detail().is_empty());
    assert!(catalogs.current(&reach, "postgres").await.is_err());
}

#[tokio::test]
async fn age_brings_a_reading_in_the_background_and_then_a_wait() {
    let (server, reach) = server();
    let catalogs = Catalogs::default();
    let first = catalogs.current(&reach, "postgres").await.unwrap();
    server.sql("postgres", "CREATE TABLE public.fresh (x int)");
    let entry = catalogs.entry(&reach, "postgres");
    let age = |by: Duration| {
        let mut snapshot = entry.snapshot.write().unwrap();
        let snapshot = snapshot.as_mut().unwrap();
        snapshot.read = snapshot.read.checked_sub(by).unwrap();
    };

    age(Duration::from_secs(31));
    let stale = catalogs.current(&reach, "postgres").await.unwrap();
    assert_eq!(stale.version, first.version);
    let until = Instant::now() + Duration::from_secs(10);
    while catalogs.current(&reach, "postgres").await.unwrap().version == first.version {
        assert!(Instant::now() < until, "never read in the background");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }

    server.sql("postgres", "CREATE TABLE public.fresher (x int)");
    age(Duration::from_secs(121));
    assert!(catalogs.current(&reach, "postgres").await.unwrap().relation("public", "fresher").is_some());
}

#[tokio::test]
async fn an_edited_target_does_not_get_the_old_ones_catalog() {
    let (_server, reach) = server();
    let catalogs = Catalogs::default();
    catalogs.current(&reach, "postgres").await.unwrap();
    let mut edited = (*reach.target).clone();
    edited.port = 1;
    let edited = Reach { target: Arc::new(edited), ..reach.clone() };
    assert!(catalogs.current(&edited, "postgres").await.is_err());
    assert!(catalogs.current(&reach, "postgres").await.is_ok());
}

#[tokio::test]
async fn an_idle_catalog_gives_its_connection_back_and_is_read_again_when_asked() {
    let (server, reach) = server();
    let catalogs = Catalogs::default();
    catalogs.current(&reach, "postgres").await.unwrap();
    let entry = catalogs.entry(&reach, "postgres");
    catalogs.shared.let_go("shop", &entry);
    drop(entry);
    let until = Instant::now() + Duration::from_secs(10);
    while connections(&server) != "0" {
        assert!(Instant::now() < until, "still connected");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(catalogs.current(&reach, "postgres").await.is_ok());
    assert!(reach.tasks.drain(Duration::from_secs(5)).await.is_clean());
}
