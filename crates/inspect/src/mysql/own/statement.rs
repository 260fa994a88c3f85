//! What a statement with a rule of ours says: the names, expressions and options that facts are drawn from.

use sqlparser::ast::{Expr, Ident, ObjectName, Query};

use super::super::reading::Parsed;

/// A statement that has a rule of ours.
#[derive(Debug)]
#[expect(clippy::enum_variant_names, reason = "SET STATEMENT is what the server calls it")]
pub(in super::super) enum Statement {
    /// MariaDB's compound statement outside a program: `BEGIN NOT ATOMIC …`, `IF …`, `WHILE …`. Its body is not
    /// read, and neither is what follows it.
    Anonymous,
    /// `HANDLER t OPEN | READ | CLOSE`.
    Handler { table: ObjectName, reads: bool, filter: Option<Expr>, arguments: Vec<Expr> },
    /// `LOAD DATA` and `LOAD XML`.
    Load(Box<Load>),
    /// `DO expr, …`.
    Do(Vec<Expr>),
    /// `CALL p(…)`.
    Call { name: ObjectName, arguments: Vec<Expr> },
    /// `TRUNCATE [TABLE] t`.
    Truncate(ObjectName),
    /// `LOCK TABLES t READ, u WRITE`.
    LockTables(Vec<LockedTable>),
    /// `UNLOCK TABLES`.
    UnlockTables,
    /// `LOCK INSTANCE FOR BACKUP`, `UNLOCK INSTANCE`, `BACKUP STAGE …`, `BACKUP LOCK t`, `BACKUP UNLOCK`.
    Backup { words: String, table: Option<ObjectName> },

    /// `ANALYZE`, `OPTIMIZE`, `REPAIR`, `CHECK`, `CHECKSUM` of tables (or views), `CACHE INDEX`, `LOAD INDEX INTO
    /// CACHE`. `verb` is in upper case.
    Maintain { verb: &'static str, tables: Vec<ObjectName> },
    /// `FLUSH …`: what, each in upper case (`TABLES`, `BINARY LOGS`), and the tables that are named.
    Flush { what: Vec<String>, tables: Vec<ObjectName>, locks: bool },
    /// `RESET QUERY CACHE | PERSIST x`: not of replication.
    Reset { what: Vec<String> },
    /// All that steers replication and the binary log: CHANGE MASTER and REPLICATION SOURCE, START and STOP
    /// REPLICA, RESET MASTER, PURGE, BINLOG, GROUP_REPLICATION. The leading words, in upper case.
    Replication { words: String },
    /// `XA …`, its second word in upper case.
    Xa { verb: String },
    /// `INSTALL PLUGIN p SONAME 'l'`, `INSTALL SONAME 'l'`, `INSTALL COMPONENT 'c', …`.
    Install { what: Vec<String>, libraries: Vec<String>, assignments: Vec<Assignment> },
    /// `UNINSTALL PLUGIN p | SONAME 'l' | COMPONENT 'c'`.
    Uninstall { what: Vec<String> },
    /// `KILL …`.
    Kill { query: bool, target: KillTarget },
    /// `SHUTDOWN`.
    Shutdown,
    /// `RESTART`.
    Restart,
    /// `CLONE LOCAL DATA DIRECTORY = 'd'`, or from another server.
    Clone { local: bool, source: Option<Account>, directory: Option<String> },
    /// `ALTER INSTANCE …`, the words after it in upper case.
    AlterInstance { words: String },
    /// `IMPORT TABLE FROM 'f', …`.
    ImportTable { files: Vec<String> },
    /// `HELP 'x'`.
    Help,

    /// `CREATE USER`, with the roles of `DEFAULT ROLE`.
    CreateUser { accounts: Vec<Account>, or_replace: bool, roles: Vec<Account> },
    /// `ALTER USER`: of the session's own account, `accounts` is empty.
    AlterUser { accounts: Vec<Account>, roles: Vec<Account> },
    /// `DROP USER`.
    DropUser(Vec<Account>),
    /// `RENAME USER a TO b`.
    RenameUser(Vec<(Account, Account)>),
    /// `CREATE ROLE r [WITH ADMIN a]`.
    CreateRole { roles: Vec<Account>, or_replace: bool, admin: Option<Account> },
    /// `DROP ROLE`.
    DropRole(Vec<Account>),
    /// `SET PASSWORD [FOR u]`: the session's own account when there is none.
    SetPassword { account: Option<Account>, value: Option<Expr> },
    /// `SET ROLE …`: a role's name, or a word (`NONE`, `ALL`, `DEFAULT`).
    SetRole { roles: Vec<Account>, word: Option<String> },
    /// `SET DEFAULT ROLE … TO u`.
    SetDefaultRole { roles: Vec<Account>, word: Option<String>, accounts: Vec<Account> },
    /// `GRANT …`.
    Grant(Box<Grant>),
    /// `REVOKE …`.
    Revoke(Box<Grant>),

    /// `CREATE [OR REPLACE] DATABASE`.
    CreateDatabase { name: Ident, or_replace: bool },
    /// `ALTER DATABASE`: the current one when there is no name.
    AlterDatabase { name: Option<Ident> },
    /// `DROP DATABASE`.
    DropDatabase { name: Ident },
    /// `CREATE TABLE`.
    CreateTable(Box<CreateTable>),
    /// `ALTER TABLE`.
    AlterTable(Box<AlterTable>),
    /// `DROP TABLE`.
    DropTables { names: Vec<ObjectName>, temporary: bool },
    /// `RENAME TABLE a TO b, …`.
    RenameTable(Vec<(ObjectName, ObjectName)>),
    /// `CREATE VIEW`, or `ALTER VIEW`.
    View(Box<View>),
    /// `DROP VIEW`.
    DropViews(Vec<ObjectName>),
    /// `CREATE INDEX i ON t`, with the expressions of functional key parts.
    CreateIndex {
        name: Ident,
        table: ObjectName,
        or_replace: bool,
        columns: Vec<Ident>,
        expressions: Vec<Expr>,
    },
    /// `DROP INDEX i ON t`.
    DropIndex { name: Ident, table: ObjectName },
    /// `CREATE`, `ALTER` or `DROP` of what has no parts that facts need: `object` says what.
    Object { verb: ObjectVerb, object: ObjectKind, name: Option<ObjectName>, or_replace: bool },
    /// `CREATE TRIGGER x … ON t`.
    CreateTrigger { name: ObjectName, table: ObjectName, or_replace: bool },
    /// `CREATE FUNCTION f … SONAME 'l'`.
    CreateLoadable { name: ObjectName, library: String, or_replace: bool },
    /// `ALTER EVENT e … RENAME TO f`: the schedule may hold expressions.
    Event {
        alter: bool,
        name: ObjectName,
        rename: Option<ObjectName>,
        or_replace: bool,
        expressions: Vec<Expr>,
    },
    /// `CREATE SERVER` and `ALTER SERVER`, with their options in upper case.
    Server {
        alter: bool,
        name: Ident,
        or_replace: bool,
        wrapper: Option<String>,
        options: Vec<(String, String)>,
    },
    /// `CREATE`, `ALTER` TABLESPACE, UNDO TABLESPACE and LOGFILE GROUP, with the files that they name.
    Tablespace { verb: ObjectVerb, name: Ident, files: Vec<String> },

    /// `USE d`.
    Use(Ident),
    /// `SET a = x, @b = y, GLOBAL c = z`.
    Set(Vec<Assignment>),
    /// MariaDB's `SET STATEMENT a = x FOR <statement>`.
    SetStatement { assignments: Vec<Assignment>, statement: Box<Parsed> },
    /// `SET NAMES`, `SET CHARACTER SET`: the setting's name, its value (nothing is DEFAULT).
    SetNames { setting: &'static str, value: Option<String> },
    /// `SET [SESSION | GLOBAL] TRANSACTION …`.
    SetTransaction { global: bool },
    /// `BEGIN`, `START TRANSACTION`.
    Begin,
    /// `COMMIT`.
    Commit,
    /// `ROLLBACK [TO s]`.
    Rollback { to: Option<Ident> },
    /// `SAVEPOINT s`.
    Savepoint(Ident),
    /// `RELEASE SAVEPOINT s`.
    Release(Ident),
    /// `PREPARE s FROM …`.
    Prepare { name: Ident, source: Source },
    /// `EXECUTE s USING …`.
    Execute { name: Ident, arguments: Vec<Expr> },
    /// MariaDB's `EXECUTE IMMEDIATE …`.
    ExecuteImmediate { source: Source, arguments: Vec<Expr> },
    /// `DEALLOCATE PREPARE s`.
    Deallocate(Ident),
    /// `SIGNAL`, `RESIGNAL`, `GET DIAGNOSTICS`: what they evaluate.
    Diagnostics { words: &'static str, expressions: Vec<Expr> },
    /// `EXPLAIN <statement>`; `executes` for `EXPLAIN ANALYZE` and MariaDB's `ANALYZE <statement>`.
    Explain { executes: bool, statement: Box<Parsed> },
    /// `EXPLAIN FOR CONNECTION n`.
    ExplainConnection,
    /// `DESCRIBE t [column]`, `EXPLAIN t`.
    Describe { table: ObjectName, column: Option<String> },
    /// `SHOW …`.
    Show(Box<Show>),
}

/// `CREATE`, `ALTER`, `DROP`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum ObjectVerb {
    Create,
    Alter,
    Drop,
}

/// What [`Statement::Object`] is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum ObjectKind {
    Procedure,
    Function,
    Package,
    PackageBody,
    /// Only dropped so.
    Trigger,
    /// Only dropped so.
    Event,
    /// Only dropped so.
    Server,
    /// Only dropped so.
    Tablespace,
    LogfileGroup,
    Sequence,
    SpatialReferenceSystem,
    ResourceGroup,
}

/// A user or role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Account {
    /// As written, without quotes; `CURRENT_USER`, `CURRENT_ROLE` and `PUBLIC` are themselves.
    pub(in super::super) name: String,
    pub(in super::super) host: Option<String>,
}

/// A table of `LOCK TABLES`.
#[derive(Debug)]
pub(in super::super) struct LockedTable {
    pub(in super::super) table: ObjectName,
    pub(in super::super) write: bool,
}

/// Whom `KILL` ends.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "one of it stands in a statement that is boxed")]
pub(in super::super) enum KillTarget {
    /// A connection, or a query by its id.
    Id(Expr),
    /// MariaDB: all of a user's.
    User(Account),
}

/// `LOAD DATA`, `LOAD XML`.
#[derive(Debug)]
pub(in super::super) struct Load {
    /// Read by the client, not by the server.
    pub(in super::super) local: bool,
    pub(in super::super) file: String,
    /// Rows that are there already are replaced.
    pub(in super::super) replace: bool,
    pub(in super::super) table: ObjectName,
    /// Columns that are loaded, without user variables.
    pub(in super::super) columns: Vec<Ident>,
    pub(in super::super) assignments: Vec<(ObjectName, Expr)>,
}

/// `GRANT` and `REVOKE`.
#[derive(Debug)]
pub(in super::super) struct Grant {
    /// In upper case, without their columns: `SELECT`, `ALL PRIVILEGES`; of dynamic ones their name.
    pub(in super::super) privileges: Vec<(String, Vec<Ident>)>,
    /// Roles that are granted, in place of privileges.
    pub(in super::super) roles: Vec<Account>,
    pub(in super::super) on: GrantObject,
    pub(in super::super) to: Vec<Account>,
    /// `WITH GRANT OPTION`, `WITH ADMIN OPTION`; of REVOKE, that the option is revoked.
    pub(in super::super) option: bool,
    /// `IDENTIFIED …`: accounts are made, or sign in otherwise afterwards.
    pub(in super::super) identified: bool,
}

/// What privileges are granted on.
#[derive(Debug)]
pub(in super::super) enum GrantObject {
    /// Roles, or `ALL PRIVILEGES, GRANT OPTION` of an account.
    None,
    /// `*.*`.
    Everything,
    /// `*`: the current database.
    CurrentDatabase,
    /// `d.*`: a pattern, in which `_` and `%` match anything.
    Database(Ident),
    Table(ObjectName),
    Procedure(ObjectName),
    Function(ObjectName),
    Package(ObjectName),
    /// `PROXY ON u`.
    Proxy(Account),
}

/// `CREATE TABLE`.
#[derive(Debug)]
pub(in super::super) struct CreateTable {
    pub(in super::super) name: ObjectName,
    pub(in super::super) or_replace: bool,
    pub(in super::super) temporary: bool,
    pub(in super::super) columns: Vec<Ident>,
    /// Tables that foreign keys refer to.
    pub(in super::super) references: Vec<ObjectName>,
    pub(in super::super) like: Option<ObjectName>,
    /// Options, in upper case as `DATA DIRECTORY`, `ENGINE`, `CONNECTION`, with their values as written.
    pub(in super::super) options: Vec<(String, String)>,
    /// Tables of a MERGE table (`UNION = (a, b)`).
    pub(in super::super) union: Vec<ObjectName>,
    /// Of defaults, checks, generated columns, key parts.
    pub(in super::super) expressions: Vec<Expr>,
    pub(in super::super) query: Option<Box<Query>>,
}

/// `ALTER TABLE`.
#[derive(Debug)]
pub(in super::super) struct AlterTable {
    pub(in super::super) table: ObjectName,
    pub(in super::super) changes: Vec<TableChange>,
    pub(in super::super) references: Vec<ObjectName>,
    pub(in super::super) options: Vec<(String, String)>,
    pub(in super::super) union: Vec<ObjectName>,
    pub(in super::super) expressions: Vec<Expr>,
}

/// What `ALTER TABLE` does, where it is more than changing the table's form.
#[derive(Debug)]
pub(in super::super) enum TableChange {
    /// Of its form: the leading words in upper case, and the column where it is about one.
    Form { words: String, column: Option<Ident> },
    /// `RENAME TO n`.
    Rename(ObjectName),
    /// `DROP PARTITION`, `TRUNCATE PARTITION`: rows go.
    RemoveRows { words: &'static str },
    /// `EXCHANGE PARTITION p WITH TABLE t`, MariaDB's `CONVERT TABLE t TO PARTITION p`, and `CONVERT PARTITION p TO
    /// TABLE t`: rows move between the tables.
    Exchange { words: &'static str, table: ObjectName },
    /// `DISCARD TABLESPACE`, `IMPORT TABLESPACE`.
    Tablespace { words: &'static str },
    /// `ANALYZE | OPTIMIZE | CHECK | REPAIR | REBUILD PARTITION`.
    Maintain { verb: &'static str },
    /// `ADD INDEX i`, `DROP INDEX i` and the like.
    Index { add: bool, name: Option<Ident> },
}

/// `CREATE VIEW`, `ALTER VIEW`.
#[derive(Debug)]
pub(in super::super) struct View {
    pub(in super::super) alter: bool,
    pub(in super::super) or_replace: bool,
    pub(in super::super) name: ObjectName,
    pub(in super::super) columns: Vec<Ident>,
    pub(in super::super) query: Box<Query>,
}

/// One assignment of `SET`.
#[derive(Debug)]
pub(in super::super) struct Assignment {
    pub(in super::super) target: AssignmentTarget,
    /// Nothing is `DEFAULT`. A bare word (`ON`, `utf8mb4`) is an identifier.
    pub(in super::super) value: Option<Expr>,
}

/// What is assigned.
#[derive(Debug)]
pub(in super::super) enum AssignmentTarget {
    /// `@x`, without the `@`.
    User(String),
    /// A system variable, in lower case with its component (`hotcache.key_buffer_size`); also a variable of a
    /// program or trigger (`NEW.x`), which stands nowhere but there.
    System { scope: Scope, name: String },
}

/// Whose setting it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Scope {
    Session,
    Global,
    Persist,
    PersistOnly,
}

/// Where a prepared statement's text comes from.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "one of it stands in a statement that is boxed")]
pub(in super::super) enum Source {
    /// Constant, decoded.
    Text(String),
    /// Built at run time.
    Expression(Expr),
}

/// `SHOW …`.
#[derive(Debug)]
pub(in super::super) struct Show {
    /// What is shown, in upper case: `TABLES`, `CREATE TABLE`, `COLUMNS`, `GRANTS`, `GLOBAL STATUS`.
    pub(in super::super) what: String,
    /// The table, view or program that it is about.
    pub(in super::super) object: Option<ObjectName>,
    pub(in super::super) database: Option<Ident>,
    pub(in super::super) account: Option<Account>,
    /// Of `WHERE`; it may call functions and hold sub-queries.
    pub(in super::super) filter: Option<Expr>,
}
