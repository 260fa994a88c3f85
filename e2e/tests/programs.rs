//! Programs that people put before a database, or behind one: PostgreSQL's own, Django's migrations, PgBouncer,
//! and what DBeaver and DataGrip ask before they show anything.

use std::io::Write as _;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use sallyport_e2e::{Cluster, Driver, Gateway, Options, Policy, Program, within};

const AGENT: &str = "claude-code";
const OPEN: &str = r#"
@id("connect") permit (principal, action == Action::"connect", resource);
@id("everything") permit (principal, action in Action::"sql", resource);
@id("all-shown") permit (principal, action == Action::"reveal", resource in Label::"pii");
@id("types-shown") permit (principal, action == Action::"reveal", resource == Label::"of-every-type");
@id("catalog-shown") permit (principal, action == Action::"reveal", resource == Label::"catalog.values");
"#;

fn open() -> Gateway {
    Gateway::with(Options { policy: Policy::Only(OPEN), ..Options::default() })
}

/// A program of PostgreSQL's that connects through the gateway by libpq's environment.
fn program(gateway: &Gateway, name: &str) -> Command {
    program_of(gateway, AGENT, name)
}

/// The same, of somebody else.
fn program_of(gateway: &Gateway, who: &str, name: &str) -> Command {
    let mut command = Command::new(name);
    for (key, value) in gateway.parameters(&gateway.token(who)) {
        let variable =
            if key == "dbname" { "PGDATABASE".to_owned() } else { format!("PG{}", key.to_uppercase()) };
        command.env(variable, value);
    }
    command.env("LC_ALL", "C.UTF-8").stdin(Stdio::null());
    command
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn psql(gateway: &Gateway, script: &str) -> Output {
    let mut command = program(gateway, "psql");
    command
        .args(["-X", "-q", "-A", "-t"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().expect("psql");
    child.stdin.take().expect("its input").write_all(script.as_bytes()).expect("the script");
    child.wait_with_output().expect("psql")
}

#[test]
fn psql_watches_describes_and_lists() {
    let gateway = open();
    let out = said(&psql(&gateway, "select id, total from orders where id < 3 order by id \\gdesc\n"));
    assert_eq!(out, "id|integer\ntotal|numeric\n");
    let out = said(&psql(
        &gateway,
        "select 'seen' \\g | cat\nselect 1 as one, 2 as two \\gset\n\\echo :one :two\n",
    ));
    assert_eq!(out, "seen\n1 2\n");
    let out = said(&psql(&gateway, "select format('select %s', n) from generate_series(1, 3) n \\gexec\n"));
    assert_eq!(out, "1\n2\n3\n");
    // \watch goes on until it is interrupted; here, until its statement fails.
    let watched = "create temp table t as select 2 as n;\nselect pg_sleep(0), 6 / n from t where (select true);\n\\echo watched\n";
    assert!(said(&psql(&gateway, watched)).contains("watched"));
    let mut command = program(&gateway, "psql");
    command.args(["-X", "-q", "-A", "-t"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("psql");
    child.stdin.take().expect("its input").write_all(b"select 'tick' \\watch 0.2\n").expect("the script");
    std::thread::sleep(Duration::from_secs(3));
    child.kill().expect("its end");
    let out = child.wait_with_output().expect("psql").stdout;
    assert!(String::from_utf8_lossy(&out).matches("tick").count() >= 2, "{}", String::from_utf8_lossy(&out));
}

#[test]
fn logical_decoding_is_refused_with_its_reason() {
    let gateway = Gateway::start();
    for sql in [
        "select * from pg_create_logical_replication_slot('s', 'test_decoding')",
        "select * from pg_logical_slot_get_changes('s', null, null)",
    ] {
        let out = said(&psql(&gateway, &format!("{sql};\nselect 'usable';\n")));
        assert!(out.contains("SLP-DENIED") && out.contains("usable"), "{sql}: {out}");
    }
    let output = program(&gateway, "pg_recvlogical")
        .args(["-d", "shop-prod", "--slot", "s", "--create-slot"])
        .output()
        .expect("pg_recvlogical");
    assert!(!output.status.success());
    assert!(said(&output).contains("replication connections are not carried"), "{}", said(&output));
}

#[test]
fn pg_dump_dumps_masked_and_pg_restore_brings_it_back() {
    let gateway = Gateway::start();
    let run = |gateway: &Gateway, who: &str, name: &str, arguments: &[&str]| {
        program_of(gateway, who, name).args(arguments).output().expect("a program of PostgreSQL's")
    };
    let dump = |arguments: &[&str]| {
        let output = run(&gateway, "dumper", "pg_dump", arguments);
        assert!(output.status.success(), "{}", said(&output));
        said(&output)
    };
    let schema = dump(&["--schema-only", "--no-owner"]);
    assert!(schema.contains("CREATE TABLE public.users") && schema.contains("CREATE VIEW public.patients"));
    let data = dump(&["--data-only", "-t", "users"]);
    assert!(data.contains("‹pii.email›") && !data.contains('@'), "{data}");
    // What the starting policy lets an agent do is no dump.
    let refused = run(&gateway, AGENT, "pg_dump", &["--schema-only"]);
    assert!(!refused.status.success() && said(&refused).contains("privilege-changes-denied"));

    let archive = gateway.path("orders.dump");
    let archive = archive.to_str().expect("a path");
    dump(&["-Fc", "-f", archive, "-t", "orders", "--no-owner"]);
    let rows = gateway.admin_sql("SELECT count(*) FROM orders");
    let target = open();
    target.admin_sql("DROP TABLE orders CASCADE");
    let restore = ["-d", "shop-prod", "--no-owner", "--section=pre-data", "--section=data", archive];
    let restored = run(&target, AGENT, "pg_restore", &restore);
    assert!(restored.status.success(), "{}", said(&restored));
    assert_eq!(target.admin_sql("SELECT count(*) FROM orders"), rows);
}

#[test]
fn django_makes_migrations_and_uses_what_they_made() {
    let gateway = open();
    let driver = Driver { program: Program::Python("django/main.py"), environment: &[], tls: true };
    let mut playing = driver.play(&gateway, AGENT, &["django"]);
    let ran = playing.said("django");
    assert_eq!(ran["rows"], serde_json::json!(["book 48", "book 49"]), "{ran}");
    assert_eq!((&ran["refused"], &ran["gone"]), (&"23514".into(), &true.into()), "{ran}");
    playing.ended();
}

/// A PgBouncer in session mode before some address. It refuses to run as root.
struct Bouncer {
    child: std::process::Child,
    port: u16,
    _folder: tempfile::TempDir,
}

impl Bouncer {
    fn start(address: &str, database: &str, users: &str, auth: &str, server: &str) -> Self {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::Builder::new().prefix("sallyport-pgb-").tempdir().expect("a folder");
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).expect("its mode");
        let port =
            std::net::TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr()).expect("a port").port();
        let (host, target) = address.rsplit_once(':').expect("an address");
        let users_file = folder.path().join("users");
        std::fs::write(&users_file, users).expect("the users");
        let ini = format!(
            "[databases]\n{database} = host={host} port={target} {server}\n[pgbouncer]\nlisten_addr = 127.0.0.1\n\
             listen_port = {port}\nauth_type = {auth}\nauth_file = {}\npool_mode = session\nunix_socket_dir =\n\
             server_tls_sslmode = prefer\nignore_startup_parameters = extra_float_digits\n",
            users_file.display()
        );
        let config = folder.path().join("pgbouncer.ini");
        std::fs::write(&config, ini).expect("the configuration");
        let mut command = Command::new("setpriv");
        command
            .args(["--reuid=nobody", "--regid=nogroup", "--clear-groups", "--", "pgbouncer", "-q"])
            .arg(&config);
        let me = std::fs::metadata("/proc/self").map(|it| std::os::unix::fs::MetadataExt::uid(&it));
        if me.ok() != Some(0) {
            command = Command::new("pgbouncer");
            command.arg("-q").arg(&config);
        }
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("pgbouncer");
        within(Duration::from_secs(20), "PgBouncer listens", &mut || {
            std::net::TcpStream::connect(("127.0.0.1", port)).ok()
        });
        Self { child, port, _folder: folder }
    }
}

impl Drop for Bouncer {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[test]
fn pgbouncer_works_before_the_gateway() {
    let gateway = open();
    let token = gateway.token(AGENT);
    // The bouncer asks its clients for a password in the clear and signs in with the token.
    let users = format!("\"someone\" \"{token}\"\n");
    let server = format!("dbname=shop-prod user=someone password={token}");
    let bouncer = Bouncer::start(&gateway.address.to_string(), "shop-prod", &users, "plain", &server);
    let place =
        format!("host=127.0.0.1 port={} dbname=shop-prod user=someone password={token}", bouncer.port);
    let psql = |sql: &str| {
        said(&Command::new("psql").args(["-X", "-A", "-t", "-c", sql, &place]).output().expect("psql"))
    };
    for _ in 0..3 {
        assert_eq!(psql("select count(*) from orders"), "20\n");
    }
    assert!(psql("select 1 / 0").contains("division by zero"));
    assert_eq!(psql("set search_path = shadow"), "SET\n");
    assert_eq!(psql("select count(*) from orders"), "20\n", "DISCARD ALL between clients is followed");
}

#[test]
fn pgbouncer_works_behind_the_gateway() {
    let address = format!("127.0.0.1:{}", Cluster::shared().port);
    let users = format!("\"{}\" \"{}\"\n", Cluster::ROLE.0, Cluster::ROLE.1);
    let bouncer = Bouncer::start(&address, "*", &users, "scram-sha-256", "");
    let policy = Policy::Only(OPEN);
    let gateway = Gateway::with(Options { policy, target_port: Some(bouncer.port), ..Options::default() });
    let run = |script: &str| said(&psql(&gateway, script));
    // One connection to the server after the other's caller: nothing of the one is left for the next.
    for _ in 0..3 {
        let script = "select count(*) from orders;\nset search_path = shadow;\ncreate temp table t as select 7 as n;\n\
                      select count(*) from t;\n";
        assert_eq!(run(script), "20\n1\n");
    }
    assert_eq!(
        run("begin;\nupdate orders set total = 1 where id = 1;\nrollback;\nselect count(*) from orders;\n"),
        "20\n"
    );
    assert!(run("select 1 / 0;\n").contains("division by zero"));
    let masked = Gateway::with(Options { target_port: Some(bouncer.port), ..Options::default() });
    assert_eq!(said(&psql(&masked, "select email from users where id = 1;\n")), "‹pii.email›\n");
}

/// What the two tools ask when they connect and when a schema is opened, written from public sources: DBeaver's
/// repository (`ext.postgresql`), and for DataGrip, which has none, its queries as users quote them from
/// `pg_stat_activity` and logs.
const PREAMBLES: &[(&str, &str)] = &[
    ("DBeaver", include_str!("preambles/dbeaver.sql")),
    ("DataGrip", include_str!("preambles/datagrip.sql")),
];

#[test]
fn the_preambles_of_dbeaver_and_datagrip_pass_the_starting_policy() {
    let gateway = Gateway::start();
    for (tool, script) in PREAMBLES {
        let statements: Vec<&str> = script.split(";\n").map(str::trim).filter(|it| !it.is_empty()).collect();
        assert!(statements.len() >= 8, "{tool}");
        for statement in statements {
            let out = psql(&gateway, &format!("\\set ON_ERROR_STOP on\n{statement};\n"));
            assert!(out.status.success(), "{tool}: {statement}: {}", said(&out));
            assert!(!said(&out).contains("SLP-"), "{tool}: {statement}: {}", said(&out));
        }
    }
}
