//! How results are masked: the plan of a result, from lineage and the target's own description of it.

use std::sync::Arc;

use sallyport_inspect::pg::{BaseColumn, CopyOptions, Lineage};
use sallyport_policy::RevealQuestion;
use sallyport_wire::pg::backend::FieldDescription;

use super::masking::{CopyPlan, Field, MaskContext, MaskFault, RowPlan};
use super::running::{Masks, Running};
use crate::session::Session;

/// Runs `with` with what masking has to know of the session.
fn with_context<T>(session: &Session, masks: &Masks, with: impl FnOnce(&MaskContext<'_>) -> T) -> T {
    let now = session.house.clock.now();
    let reveals = |label: &str, column: &BaseColumn| {
        masks.policy.reveals(&RevealQuestion {
            principal: &session.principal,
            target: &session.target,
            database: &session.database,
            label,
            schema: &column.schema,
            relation: &column.relation,
            column: &column.column,
            now,
        })
    };
    with(&MaskContext {
        target: &session.target.name,
        database: &session.database,
        catalog: Some(&masks.catalog),
        labels: &masks.labels,
        reveals: &reveals,
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
