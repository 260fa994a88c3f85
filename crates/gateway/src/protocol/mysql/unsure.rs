//! What would be allowed and yet is refused: what reaches beyond this connection, what would carry a masked value
//! out, and a masked value that comes back.

use std::sync::Arc;

use sallyport_core::{Blame, Group, Operation, Refusal, RefusalCode, Verb};
use sallyport_inspect::mysql::{Inspection, StatementKind};

use super::catalog::Catalog;
use super::masking::Basis;
use super::talk::Talk;
use crate::protocol::pg::Marks;
use crate::wording;

impl Talk {
    /// Refuses a setting that would be made of what the caller may not see: settings are read in too many ways,
    /// the clock among them.
    pub(super) fn hidden_setting(
        &self,
        inspection: &Inspection,
        operation: &Operation,
        catalog: &Arc<Catalog>,
    ) -> Option<Refusal> {
        let sets = inspection.facts.actions.iter().any(|action| {
            let name = action.object.as_ref().map_or("", |object| object.name.as_str());
            matches!(action.action, Verb::Set | Verb::Configure) && !name.starts_with('@')
        });
        if !sets {
            return None;
        }
        let basis = Basis::new(&self.session, Arc::clone(catalog), inspection, &operation.text, &self.taint);
        self.taint.reaches(&operation.text, &basis).then(|| {
            Refusal::new(
                RefusalCode::Mask,
                Blame::Downstream,
                "this would put into a setting what is masked for this caller",
            )
            .hint("nothing of it was run. Set it to a constant.")
        })
    }

    /// Refuses a condition on a user variable once one of the session holds what is masked: it would tell the value
    /// bit by bit, and no column is named that policy could decide by.
    pub(super) fn asks_of_variables(&self, inspection: &Inspection) -> Option<Refusal> {
        (inspection.deciding.variables && self.taint.is_in_variables()).then(|| {
            Refusal::new(
                RefusalCode::Mask,
                Blame::Downstream,
                "this condition uses a user variable, and the session's variables hold what is masked for this caller",
            )
            .hint("nothing of it was run. Use a constant, or connect anew: variables end with the session.")
        })
    }

    /// Refuses an operation in which a masked value comes back: whoever stores a mark overwrites the value that
    /// it stands for, and a condition on one matches nothing.
    pub(super) fn written_back(&self, inspection: &Inspection, operation: &Operation) -> Option<Refusal> {
        let labels = self.session.labels();
        let marks = Marks { labels: &labels, handed_out: &self.session.house.protocols.pg.handed_out };
        let marked = marks.in_data(&operation.text)
            || operation
                .parameters
                .iter()
                .filter_map(|parameter| parameter.value.as_deref())
                .any(|value| marks.in_data(value));
        let writes = inspection.facts.actions.iter().any(|action| action.group == Group::Write);
        marked.then(|| wording::written_back(false, writes))
    }
}

/// What is refused whatever a rule says: it would reach what is no business of this connection's.
pub(super) fn never(inspection: &Inspection) -> Option<Refusal> {
    if inspection.statements.iter().any(|statement| statement.kind == StatementKind::LocalFile) {
        return Some(
            Refusal::new(
                RefusalCode::Protocol,
                Blame::Downstream,
                "LOAD DATA LOCAL is not carried: nobody could see what the server asks of this client",
            )
            .hint("send the rows as INSERT statements"),
        );
    }
    if inspection.facts.actions.iter().any(|action| action.action == Verb::Terminate) {
        return Some(
            Refusal::new(
                RefusalCode::Denied,
                Blame::Policy,
                "KILL reaches your own connections only, by the number that each was greeted with",
            )
            .hint("send it alone, as KILL QUERY number"),
        );
    }
    None
}
