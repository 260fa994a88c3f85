//! What the items of a select list are made of: each is read on its own, and what it was found to read is
//! what its value may depend on.

use sallyport_core::Group;
use sqlparser::ast::SelectItem;

use super::super::inspection::ResultItem;
use super::{Mode, Reader};

/// More items no server gives.
const MOST_ITEMS: usize = 4096;

impl Reader {
    /// Notes what the items of the statement's own select list read. The list is read once more as a whole,
    /// for its actions: nothing found here counts.
    pub(super) fn result_items(&mut self, items: &[SelectItem]) {
        self.result.items = None;
        if items.len() > MOST_ITEMS {
            return;
        }
        let outer = std::mem::take(&mut self.found);
        let (effects, unclassed) = (self.effects.len(), self.unclassed);
        let mut read = Some(Vec::with_capacity(items.len()));
        for item in items {
            let one = match item {
                SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, alias: _ } => {
                    self.item = ResultItem::default();
                    self.expr(expr, Mode::Read);
                    Some(self.item_read())
                }
                SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..) => {
                    Some(ResultItem { star: true, ..ResultItem::default() })
                }
                SelectItem::ExprWithAliases { .. } => None,
            };
            read = read.zip(one).map(|(mut all, one)| {
                all.push(one);
                all
            });
        }
        self.found = outer;
        self.effects.truncate(effects);
        self.unclassed = unclassed;
        self.result.items = read;
    }

    fn item_read(&mut self) -> ResultItem {
        let mut item = std::mem::take(&mut self.item);
        let found = std::mem::take(&mut self.found);
        item.unsettled |= found.unknown.is_some();
        for action in found.actions() {
            item.unsettled |= !matches!(action.group, Group::Read | Group::Session);
            if let Some(object) = action.object.filter(|_| action.group == Group::Read) {
                let columns = action.columns.into_iter().chain(action.filters);
                item.reads.extend(columns.map(|column| (object.clone(), column)));
            }
        }
        item
    }
}
