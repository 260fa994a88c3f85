//! Statements that `sqlparser` read: queries and writes. Any other has a rule of our own, or is a gap by name.

use sallyport_core::Verb;
use sqlparser::ast::{Query, SetExpr, Statement};

use super::Reader;
use crate::mysql::inspection::StatementKind;
use crate::mysql::query::{Into, Sql};

impl Reader {
    /// A query or write, with where its result goes.
    pub(super) fn sql(&mut self, sql: &Sql) -> StatementKind {
        let Sql { statement, into } = sql;
        let kind = self.statement(statement);
        for into in into {
            match into {
                Into::Outfile(path) | Into::Dumpfile(path) => {
                    self.act_path(Verb::FileWrite, "file", Some(path));
                }
                Into::Variables(variables) => self.variables(variables),
            }
        }
        kind
    }

    /// A statement of `sqlparser`.
    pub(super) fn statement(&mut self, statement: &Statement) -> StatementKind {
        let other = match statement {
            Statement::Query(query) => {
                self.query_or_write(query);
                return StatementKind::Other;
            }
            Statement::Insert(_) | Statement::Update(_) | Statement::Delete(_) => {
                self.scoped(|reader| reader.write_statement(statement));
                return StatementKind::Other;
            }
            // Each has a rule of our own, from the tokens; that it comes here is a gap of the reading.
            Statement::Analyze(_) => "ANALYZE",
            Statement::Set(_) => "SET",
            Statement::Truncate(_) => "TRUNCATE",
            Statement::Call(_) => "CALL",
            Statement::CreateView(_) | Statement::AlterView(_) => "a view",
            Statement::CreateTable(_) => "CREATE TABLE",
            Statement::CreateIndex(_) => "CREATE INDEX",
            Statement::CreateRole(_) | Statement::AlterRole { .. } => "a role",
            Statement::CreateUser(_) | Statement::AlterUser(_) => "a user",
            Statement::CreateServer(_) => "CREATE SERVER",
            Statement::AlterTable(_) => "ALTER TABLE",
            Statement::Drop { .. } => "DROP",
            Statement::DropFunction(_) => "DROP FUNCTION",
            Statement::DropProcedure { .. } => "DROP PROCEDURE",
            Statement::DropTrigger(_) => "DROP TRIGGER",
            Statement::CreateFunction(_) => "CREATE FUNCTION",
            Statement::CreateTrigger(_) => "CREATE TRIGGER",
            Statement::CreateProcedure { .. } => "CREATE PROCEDURE",
            Statement::CreateSchema { .. } | Statement::CreateDatabase { .. } => "CREATE DATABASE",
            Statement::CreateSequence { .. } => "CREATE SEQUENCE",
            Statement::Flush { .. } => "FLUSH",
            Statement::ShowVariable { .. }
            | Statement::ShowStatus { .. }
            | Statement::ShowVariables { .. }
            | Statement::ShowCreate { .. }
            | Statement::ShowColumns { .. }
            | Statement::ShowDatabases { .. }
            | Statement::ShowSchemas { .. }
            | Statement::ShowProcessList { .. }
            | Statement::ShowCharset(_)
            | Statement::ShowTables { .. }
            | Statement::ShowCollation { .. } => "SHOW",
            Statement::Use(_) => "USE",
            Statement::StartTransaction { .. } => "START TRANSACTION",
            Statement::Commit { .. } => "COMMIT",
            Statement::Rollback { .. } => "ROLLBACK",
            Statement::Savepoint { .. } | Statement::ReleaseSavepoint { .. } => "SAVEPOINT",
            Statement::Grant(_) | Statement::GrantRole(_) => "GRANT",
            Statement::Revoke(_) | Statement::RevokeRole(_) => "REVOKE",
            Statement::Prepare { .. } => "PREPARE",
            Statement::Execute { .. } => "EXECUTE",
            Statement::Deallocate { .. } => "DEALLOCATE",
            Statement::Kill { .. } => "KILL",
            Statement::ExplainTable { .. } | Statement::Explain { .. } => "EXPLAIN",
            Statement::LockTables { .. } | Statement::UnlockTables => "LOCK TABLES",
            Statement::OptimizeTable { .. } => "OPTIMIZE TABLE",
            Statement::LoadData { .. } => "LOAD DATA",
            Statement::RenameTable(_) => "RENAME TABLE",
            Statement::Case(_) | Statement::If(_) | Statement::While(_) => "a compound statement",
            Statement::Reset(_) => "RESET",
            // What neither server has.
            Statement::Msck(_)
            | Statement::Install { .. }
            | Statement::Load { .. }
            | Statement::Directory { .. }
            | Statement::Raise(_)
            | Statement::Copy { .. }
            | Statement::CopyIntoSnowflake { .. }
            | Statement::Open(_)
            | Statement::Close { .. }
            | Statement::CreateVirtualTable { .. }
            | Statement::CreateSecret { .. }
            | Statement::CreateForeignTable(_)
            | Statement::CreateForeignDataWrapper(_)
            | Statement::CreateUserMapping(_)
            | Statement::CreatePolicy(_)
            | Statement::CreateRule(_)
            | Statement::CreateConnector(_)
            | Statement::CreateOperator(_)
            | Statement::CreateOperatorFamily(_)
            | Statement::CreateOperatorClass(_)
            | Statement::CreateTextSearch(_)
            | Statement::CreateAggregate(_)
            | Statement::AlterSchema(_)
            | Statement::AlterIndex { .. }
            | Statement::AlterFunction(_)
            | Statement::AlterType(_)
            | Statement::AlterCollation(_)
            | Statement::AlterOperator(_)
            | Statement::AlterOperatorFamily(_)
            | Statement::AlterOperatorClass(_)
            | Statement::AlterTextSearch(_)
            | Statement::AlterPolicy(_)
            | Statement::AlterTrigger(_)
            | Statement::AlterConnector { .. }
            | Statement::AlterSession { .. }
            | Statement::AttachDatabase { .. }
            | Statement::AttachDuckDBDatabase { .. }
            | Statement::DetachDuckDBDatabase { .. }
            | Statement::DropDomain(_)
            | Statement::DropSecret { .. }
            | Statement::DropPolicy(_)
            | Statement::DropRule(_)
            | Statement::DropConnector { .. }
            | Statement::Declare { .. }
            | Statement::CreateExtension(_)
            | Statement::CreateCollation(_)
            | Statement::DropExtension(_)
            | Statement::DropOperator(_)
            | Statement::DropOperatorFamily(_)
            | Statement::DropOperatorClass(_)
            | Statement::Fetch { .. }
            | Statement::Discard { .. }
            | Statement::ShowFunctions { .. }
            | Statement::ShowCatalogs { .. }
            | Statement::ShowObjects(_)
            | Statement::ShowViews { .. }
            | Statement::Comment { .. }
            | Statement::CreateMacro { .. }
            | Statement::CreateStage { .. }
            | Statement::CreateFileFormat { .. }
            | Statement::CreateWarehouse(_)
            | Statement::Assert { .. }
            | Statement::Deny(_)
            | Statement::AlterDefaultPrivileges(_)
            | Statement::Merge(_)
            | Statement::Cache { .. }
            | Statement::UNCache { .. }
            | Statement::CreateDomain(_)
            | Statement::CreateType { .. }
            | Statement::Pragma { .. }
            | Statement::Lock(_)
            | Statement::Unload { .. }
            | Statement::LISTEN { .. }
            | Statement::UNLISTEN { .. }
            | Statement::NOTIFY { .. }
            | Statement::List(_)
            | Statement::Put { .. }
            | Statement::Remove(_)
            | Statement::RaisError { .. }
            | Statement::Throw(_)
            | Statement::Print(_)
            | Statement::WaitFor(_)
            | Statement::Return(_)
            | Statement::ExportData(_)
            | Statement::Vacuum(_)
            | Statement::RefreshMaterializedView(_) => "a statement of another server",
        };
        self.unsupported(other);
        StatementKind::Other
    }

    /// A query, or a write with WITH before it, which `sqlparser` takes for one.
    fn query_or_write(&mut self, query: &Query) {
        match query.body.as_ref() {
            SetExpr::Insert(statement) | SetExpr::Update(statement) | SetExpr::Delete(statement) => {
                let Query {
                    with,
                    body: _,
                    order_by,
                    limit_clause,
                    fetch,
                    locks,
                    for_clause,
                    settings,
                    format_clause,
                    pipe_operators,
                } = query;
                self.foreign(&[(
                    "a clause behind a write",
                    order_by.is_some()
                        || limit_clause.is_some()
                        || fetch.is_some()
                        || !locks.is_empty()
                        || for_clause.is_some()
                        || settings.is_some()
                        || format_clause.is_some()
                        || !pipe_operators.is_empty(),
                )]);
                self.scoped(|reader| {
                    reader.with(with.as_ref());
                    reader.write_statement(statement);
                });
            }
            SetExpr::Select(_)
            | SetExpr::Query(_)
            | SetExpr::SetOperation { .. }
            | SetExpr::Values(_)
            | SetExpr::Merge(_)
            | SetExpr::Table(_) => self.query_statement(query),
        }
    }

    fn write_statement(&mut self, statement: &Statement) {
        match statement {
            Statement::Insert(insert) => self.insert(insert),
            Statement::Update(update) => self.update(update),
            Statement::Delete(delete) => self.delete(delete),
            _ => self.unsupported("a write that is none"),
        }
    }
}
