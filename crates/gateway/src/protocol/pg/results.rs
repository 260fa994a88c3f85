//! How results are masked: the plan of a result, from lineage and the target's own description of it; and
//! whether what was masked comes back.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::Arc;

use sallyport_core::{ColumnRef, Decision, Group, LabelSource as _, Operation, Refusal, Reveal};
use sallyport_inspect::pg::{BaseColumn, CopyOptions, Inspection, Lineage};
use sallyport_policy::RevealQuestion;
use sallyport_wire::pg::backend::FieldDescription;

use super::admit::Admit;
use super::masking::{CopyPlan, Field, LONGEST_MARK, Marks, MaskContext, MaskFault, RowPlan, WrittenBack};
use super::running::{Masks, Running};
use crate::session::Session;
use crate::wording;

/// Reveals that are written out for one operation; more are not worth telling apart.
const MOST_REVEALS: usize = 1_000;

/// The decision with what it reveals; the same one, shared, where that is nothing.
pub(super) fn with_reveals(
    session: &Session,
    masks: &Masks,
    inspection: &Inspection,
    decision: Arc<Decision>,
) -> Arc<Decision> {
    let reveals = reveals(session, masks, inspection);
    if reveals.is_empty() { decision } else { Arc::new(Decision { reveals, ..(*decision).clone() }) }
}

/// What an operation's results will show in the clear of what labels cover, and by which rules: for the
/// recording, before anything of it leaves.
fn reveals(session: &Session, masks: &Masks, inspection: &Inspection) -> Vec<Reveal> {
    if !masks.policy.may_reveal() {
        return Vec::new();
    }
    let shown = RefCell::new(BTreeSet::new());
    let note = |label: &str, column: &BaseColumn, rule: &str| {
        let of = [column.schema.as_str(), &column.relation, &column.column];
        let column = if column.column.is_empty() { String::new() } else { of.join(".") };
        shown.borrow_mut().insert(Reveal { label: label.to_owned(), column, rule: rule.to_owned() });
    };
    with_context_and(session, masks, &note, |context| {
        for statement in &inspection.statements {
            context.ask_reveals(&statement.lineage);
        }
    });
    shown.into_inner().into_iter().take(MOST_REVEALS).collect()
}

/// Runs `with` with what masking has to know of the session.
fn with_context<T>(session: &Session, masks: &Masks, with: impl FnOnce(&MaskContext<'_>) -> T) -> T {
    with_context_and(session, masks, &|_, _, _| {}, with)
}

/// The same; each reveal is said to `note`.
fn with_context_and<T>(
    session: &Session,
    masks: &Masks,
    note: &dyn Fn(&str, &BaseColumn, &str),
    with: impl FnOnce(&MaskContext<'_>) -> T,
) -> T {
    let now = session.house.clock.now();
    let reveals = |label: &str, column: &BaseColumn| {
        let rule = masks.policy.revealed_by(&RevealQuestion {
            principal: &session.principal,
            target: &session.target,
            database: &session.database,
            label,
            schema: &column.schema,
            relation: &column.relation,
            column: &column.column,
            now,
        });
        if let Some(rule) = &rule {
            note(label, column, rule);
        }
        rule.is_some()
    };
    with(&MaskContext {
        target: &session.target.name,
        database: &session.database,
        catalog: Some(&masks.catalog),
        labels: &masks.labels,
        reveals: &reveals,
        handed_out: &session.house.protocols.pg.handed_out,
    })
}

/// The plan for the data of a COPY.
pub(super) fn copy_plan(
    session: &Session,
    masks: &Masks,
    options: &CopyOptions,
    lineage: &Lineage,
) -> Result<CopyPlan, MaskFault> {
    with_context(session, masks, |context| CopyPlan::new(options, lineage, context))
}

/// The plan for rows that the target describes by `fields`, as results of statement `index`.
pub(super) fn row_plan(
    session: &Session,
    running: &Running,
    masks: &Masks,
    lineage: &Lineage,
    fields: &[FieldDescription],
) -> RowPlan {
    let fields: Vec<Field> = fields
        .iter()
        .enumerate()
        .map(|(index, field)| Field {
            name: field.name.clone(),
            table_oid: field.table_oid,
            column_number: field.column_number,
            type_oid: field.type_oid,
            type_modifier: field.type_modifier,
            binary: match running.formats.as_slice() {
                [] => field.format != 0,
                [one] => *one != 0,
                each => each.get(index).is_none_or(|format| *format != 0),
            },
        })
        .collect();
    with_context(session, masks, |context| RowPlan::new(lineage, &fields, context))
}

/// Whether a described column comes from a relation that the snapshot does not hold.
pub(super) fn has_stranger(masks: &Masks, fields: &[FieldDescription]) -> bool {
    fields
        .iter()
        .any(|field| field.table_oid != 0 && masks.catalog.relation_by_oid(field.table_oid).is_none())
}

/// The lineage of the running text's statement `index`; unsettled when there is none.
pub(super) fn lineage(running: &Running, index: usize) -> Lineage {
    running.inspection.statements.get(index).map_or(Lineage::Unsettled, |statement| statement.lineage.clone())
}

/// The masks with a fresh catalog.
pub(super) fn with_catalog(masks: &Masks, catalog: Arc<sallyport_inspect::pg::Catalog>) -> Masks {
    Masks { catalog, ..masks.clone() }
}

/// Whether the target's own errors may hold protected values: the operation touches a labelled relation,
/// or runs code that nobody has read.
pub(super) fn strict_errors(session: &Session, masks: &Masks, inspection: &Inspection) -> bool {
    inspection.statements.is_empty()
        || inspection.statements.iter().any(|statement| statement.unclassed_code)
        || inspection.facts.actions.iter().any(|action| {
            let Some(object) = &action.object else { return false };
            let Some(schema) = &object.schema else { return false };
            !masks
                .labels
                .labels_of(ColumnRef {
                    target: &session.target.name,
                    database: &session.database,
                    schema,
                    relation: &object.name,
                    column: "*",
                })
                .is_empty()
        })
}

impl Admit {
    /// The refusal of an operation in which a masked value comes back.
    pub(super) fn written_back(&self, operation: &Operation, inspection: &Inspection) -> Option<Refusal> {
        let labels = self.session.labels();
        let marks = Marks { labels: &labels, handed_out: &self.session.house.protocols.pg.handed_out };
        let what = marks.in_operation(&operation.text, &operation.parameters)?;
        let writes = inspection.facts.actions.iter().any(|action| action.group == Group::Write);
        Some(wording::written_back(what == WrittenBack::Pseudonym, writes))
    }

    /// Whether the data of a COPY, behind the end of what came before it, holds a mark.
    pub(super) fn is_marked(&self, before: &[u8], data: &[u8]) -> bool {
        let labels = self.session.labels();
        let marks = Marks { labels: &labels, handed_out: &self.session.house.protocols.pg.handed_out };
        // The data by itself, then what lies across its beginning.
        let begin = data.get(..LONGEST_MARK).unwrap_or(data);
        marks.in_data(data) || (!before.is_empty() && marks.in_data(&[before, begin].concat()))
    }
}
