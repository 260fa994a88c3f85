//! Which setting a row of `pg_settings` is: `SELECT set_config(name, …) FROM pg_settings WHERE name = 'x'`, as
//! `pg_dump` writes it so that a server without the setting does nothing.

use pg_query::NodeEnum;
use pg_query::protobuf::{AExprKind, BoolExprType, Node, SelectStmt};
use sallyport_core::ObjectName;

use super::{Reader, string_of};

impl Reader<'_> {
    /// While a select list is read: the one setting that its rows are of.
    pub(super) fn set_setting_of_rows(&mut self, setting: Option<String>) {
        if let Some(scope) = self.scopes.last_mut() {
            scope.setting = setting;
        }
    }

    /// The one setting that the rows of a query over `pg_settings` alone can be of.
    pub(super) fn one_setting(&self, select: &SelectStmt) -> Option<String> {
        let [source] = self.scopes.last()?.sources.as_slice() else { return None };
        let view = ObjectName::in_schema("pg_catalog", "pg_settings");
        if source.targets != [view] || !source.renamed.is_empty() || self.is_user_operator(None, "=") {
            return None;
        }
        let condition = select.where_clause.as_deref()?;
        self.equal_to(condition, &source.alias)
    }

    /// What a condition says that `name` is equal to, by itself or as one of what must hold together.
    fn equal_to(&self, condition: &Node, alias: &str) -> Option<String> {
        match condition.node.as_ref()? {
            NodeEnum::BoolExpr(all) if all.boolop == BoolExprType::AndExpr as i32 => {
                all.args.iter().find_map(|each| match each.node.as_ref()? {
                    NodeEnum::AExpr(_) => self.equal_to(each, alias),
                    _ => None,
                })
            }
            NodeEnum::AExpr(equal)
                if equal.kind == AExprKind::AexprOp as i32
                    && equal.name.len() == 1
                    && equal.name.first().and_then(string_of) == Some("=") =>
            {
                let (left, right) = (equal.lexpr.as_deref()?, equal.rexpr.as_deref()?);
                is_name(left, alias).then(|| self.text_of(right))?
            }
            _ => None,
        }
    }

    /// The setting that an argument names, where it is the name of the one that rows here are of.
    pub(super) fn setting_of_row(&self, argument: Option<&Node>) -> Option<String> {
        let scope = self.scopes.last()?;
        let [source] = scope.sources.as_slice() else { return None };
        is_name(argument?, &source.alias).then(|| scope.setting.clone())?
    }
}

/// `name`, or `alias.name`.
fn is_name(node: &Node, alias: &str) -> bool {
    let Some(NodeEnum::ColumnRef(column)) = node.node.as_ref() else { return false };
    match column.fields.as_slice() {
        [name] => string_of(name) == Some("name"),
        [of, name] => string_of(of) == Some(alias) && string_of(name) == Some("name"),
        _ => false,
    }
}
