//! The data of a `COPY … TO STDOUT`: messages in, messages out, rows in between.
//!
//! Messages need not hold whole rows, nor one each, so bytes are kept until a row has ended, up to the
//! limit of a row. The target names no types for a COPY: those of plain columns come from the catalog;
//! everything else counts as no text, so what is masked there becomes NULL.

use bytes::BytesMut;
use sallyport_inspect::pg::{BaseColumn, CopyFormat, CopyOptions, Lineage, Origin, OutputColumn};
use sallyport_mask::{FieldContext, may_hold_findings};

use super::delimited::{Delimited, Search};
use super::plan::{Field, MaskContext, RowPlan, Treatment, UNSETTLED};
use super::row::Cursor;
use super::shape::Shape;
use super::value::{self, Change};
use super::{MaskFault, ROW_LIMIT_BYTES};

/// The first bytes of the binary form.
const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0";

/// How the data of one COPY is masked. After a fault it must not be used again.
#[derive(Debug)]
pub(crate) struct CopyPlan {
    rows: RowPlan,
    form: Form,
    /// Bytes of a row that has not ended.
    pending: Vec<u8>,
    /// No column may be changed whatever its value: a row without any trigger leaves as it came.
    only_looks: bool,
    broken: bool,
}

/// What became of some rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Copied {
    /// How many values were masked.
    pub(crate) masked: u32,
    /// How many of them because they could not be read surely.
    pub(crate) unread: u32,
}

impl Copied {
    fn add(&mut self, other: Self) {
        self.masked = self.masked.saturating_add(other.masked);
        self.unread = self.unread.saturating_add(other.unread);
    }
}

#[derive(Debug)]
enum Form {
    Delimited { form: Delimited, search: Search, header: bool },
    Binary(Stage),
}

/// How far the binary form has been read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Header,
    Rows,
    Trailer,
}

impl CopyPlan {
    /// The plan for the data of a COPY.
    ///
    /// # Errors
    /// [`MaskFault::Unsettled`] when a column's origin cannot be settled (decision 16).
    pub(crate) fn new(
        options: &CopyOptions,
        lineage: &Lineage,
        context: &MaskContext<'_>,
    ) -> Result<Self, MaskFault> {
        let Lineage::Columns(columns) = lineage else { return Err(MaskFault::Unsettled) };
        let nowhere = BaseColumn { schema: String::new(), relation: String::new(), column: String::new() };
        let unsettled = columns.iter().any(|column| column.origin == Origin::Unsettled);
        if unsettled && !(context.reveals)(UNSETTLED, &nowhere) {
            return Err(MaskFault::Unsettled);
        }
        let binary = options.format == CopyFormat::Binary;
        let fields: Vec<Field> = columns.iter().map(|column| field(column, binary, context)).collect();
        let rows = RowPlan::new(lineage, &fields, context);
        let only_looks = rows.columns.iter().all(|column| {
            let always = match column.shape {
                Shape::Array(element) => Shape::of(element) == Shape::Address,
                shape => shape == Shape::Address,
            };
            match column.treatment {
                Treatment::Pass => true,
                // Of a column whose name says that all of it is sensitive no byte need tell.
                Treatment::Look => !always && !FieldContext::column(&column.name).reads_everything(),
                _ => false,
            }
        });
        let form = if binary {
            Form::Binary(Stage::Header)
        } else {
            Form::Delimited {
                form: Delimited::new(options),
                search: Search::default(),
                header: options.header,
            }
        };
        Ok(Self { rows, form, pending: Vec::new(), only_looks, broken: false })
    }

    /// Takes the content of one CopyData; whole rows are appended to `out` (perhaps none, perhaps several).
    ///
    /// # Errors
    /// The data is not of its form, or a row is over the limit; the COPY must end.
    pub(crate) fn push(&mut self, data: &[u8], out: &mut BytesMut) -> Result<Copied, MaskFault> {
        self.guarded(out, |plan, out| {
            if plan.rows.passes_untouched() {
                out.extend_from_slice(data);
                return Ok(Copied::default());
            }
            if plan.pending.is_empty() {
                let (used, masked) = plan.take_rows(data, out)?;
                plan.pending.extend_from_slice(data.get(used..).unwrap_or(&[]));
                return plan.within_limit(masked);
            }
            let mut held = std::mem::take(&mut plan.pending);
            held.extend_from_slice(data);
            let (used, masked) = plan.take_rows(&held, out)?;
            held.drain(..used);
            plan.pending = held;
            plan.within_limit(masked)
        })
    }

    /// The data has ended: what is left is the last row, or a fault.
    ///
    /// # Errors
    /// What is left is no row.
    pub(crate) fn finish(&mut self, out: &mut BytesMut) -> Result<Copied, MaskFault> {
        self.guarded(out, |plan, out| {
            let held = std::mem::take(&mut plan.pending);
            match &mut plan.form {
                _ if plan.rows.passes_untouched() => Ok(Copied::default()),
                Form::Binary(Stage::Trailer) if held.is_empty() => Ok(Copied::default()),
                Form::Binary(_) => Err(MaskFault::Malformed),
                Form::Delimited { .. } if held.is_empty() => Ok(Copied::default()),
                Form::Delimited { form, header, .. } => {
                    if std::mem::take(header) {
                        out.extend_from_slice(&held);
                        return Ok(Copied::default());
                    }
                    mask_delimited(form, &plan.rows, plan.only_looks, &held, out)
                }
            }
        })
    }

    /// After a fault nothing more passes.
    fn guarded(
        &mut self,
        out: &mut BytesMut,
        step: impl FnOnce(&mut Self, &mut BytesMut) -> Result<Copied, MaskFault>,
    ) -> Result<Copied, MaskFault> {
        if self.broken {
            return Err(MaskFault::Malformed);
        }
        let begun = out.len();
        let result = step(self, out);
        if result.is_err() {
            out.truncate(begun);
            self.broken = true;
            self.pending = Vec::new();
        }
        result
    }

    fn within_limit(&self, masked: Copied) -> Result<Copied, MaskFault> {
        if self.pending.len() > ROW_LIMIT_BYTES { Err(MaskFault::TooLarge) } else { Ok(masked) }
    }

    /// Masks the whole rows at the start of `bytes`: how many bytes they took, and what became of them.
    fn take_rows(&mut self, bytes: &[u8], out: &mut BytesMut) -> Result<(usize, Copied), MaskFault> {
        let (rows, only_looks) = (&self.rows, self.only_looks);
        let (mut used, mut masked) = (0, Copied::default());
        match &mut self.form {
            Form::Delimited { form, search, header } => loop {
                let rest = bytes.get(used..).unwrap_or(&[]);
                let Some(end) = form.row_end(rest, search) else { return Ok((used, masked)) };
                let row = rest.get(..end.saturating_sub(1)).unwrap_or(&[]);
                if std::mem::take(header) {
                    out.extend_from_slice(row);
                } else {
                    masked.add(mask_delimited(form, rows, only_looks, row, out)?);
                }
                out.extend_from_slice(b"\n");
                used += end;
            },
            Form::Binary(stage) => loop {
                let rest = bytes.get(used..).unwrap_or(&[]);
                let Some((length, next)) = binary_piece(*stage, rest)? else { return Ok((used, masked)) };
                let piece = rest.get(..length).unwrap_or(&[]);
                let mut changed = false;
                if *stage == Stage::Rows && next == Stage::Rows {
                    let outcome = rows.mask_row(piece, out)?;
                    masked.add(Copied { masked: outcome.masked, unread: outcome.unread });
                    changed = outcome.changed;
                }
                if !changed {
                    out.extend_from_slice(piece);
                }
                *stage = next;
                used += length;
            },
        }
    }
}

/// A column of a COPY as a plan needs it: its type from the catalog, where it is a plain column.
fn field(column: &OutputColumn, binary: bool, context: &MaskContext<'_>) -> Field {
    let type_oid = match (&column.origin, context.catalog) {
        (Origin::Column(base), Some(catalog)) => catalog
            .relation(&base.schema, &base.relation)
            .and_then(|relation| relation.columns.iter().find(|column| column.name == base.column))
            .map_or(0, |column| column.type_id),
        _ => 0,
    };
    let name = column.name.clone().unwrap_or_default().into_bytes();
    Field { name, table_oid: 0, column_number: 0, type_oid, type_modifier: -1, binary }
}

/// Appends one row of a textual form, without a line feed.
fn mask_delimited(
    form: &Delimited,
    rows: &RowPlan,
    only_looks: bool,
    row: &[u8],
    out: &mut BytesMut,
) -> Result<Copied, MaskFault> {
    if row.len() > ROW_LIMIT_BYTES {
        return Err(MaskFault::TooLarge);
    }
    if only_looks && !may_hold_findings(row) || (rows.columns.is_empty() && row.is_empty()) {
        out.extend_from_slice(row);
        return Ok(Copied::default());
    }
    let fields = form.fields(row)?;
    if fields.len() != rows.columns.len() {
        return Err(MaskFault::Malformed);
    }
    let (mut copied, mut masked) = (0, Copied::default());
    for (field, column) in fields.iter().zip(&rows.columns) {
        let Some(text) = &field.value else { continue };
        if let Some(change) = value::mask(column, text, &rows.means) {
            out.extend_from_slice(row.get(copied..field.start).unwrap_or(&[]));
            match &change {
                Change::Bytes(bytes) => form.put(Some(bytes), out),
                Change::Null | Change::Unread => form.put(None, out),
            }
            copied = field.end;
            masked.add(Copied { masked: 1, unread: u32::from(change.is_unread()) });
        }
    }
    out.extend_from_slice(row.get(copied..).unwrap_or(&[]));
    Ok(masked)
}

/// The length of the piece of the binary form that `bytes` starts with, and the stage after it; nothing
/// when it has not all come.
fn binary_piece(stage: Stage, bytes: &[u8]) -> Result<Option<(usize, Stage)>, MaskFault> {
    let mut cursor = Cursor::new(bytes);
    match stage {
        Stage::Header => {
            let known = bytes.len().min(SIGNATURE.len());
            if bytes.get(..known) != SIGNATURE.get(..known) {
                return Err(MaskFault::Malformed);
            }
            let flags = cursor.take(SIGNATURE.len()).and_then(|_| cursor.i32());
            let Some(extension) = flags.and_then(|_| cursor.i32()) else { return Ok(None) };
            // Flags other than 0 (OIDs of old servers) change how rows read.
            if flags != Some(0) {
                return Err(MaskFault::Malformed);
            }
            let extension = usize::try_from(extension).map_err(|_| MaskFault::Malformed)?;
            Ok(cursor.take(extension).map(|_| (cursor.at(), Stage::Rows)))
        }
        Stage::Rows => {
            let Some(count) = cursor.i16() else { return Ok(None) };
            if count == -1 {
                return Ok(Some((cursor.at(), Stage::Trailer)));
            }
            for _ in 0..u16::try_from(count).map_err(|_| MaskFault::Malformed)? {
                let Some(length) = cursor.i32() else { return Ok(None) };
                if length == -1 {
                    continue;
                }
                let length = usize::try_from(length).map_err(|_| MaskFault::Malformed)?;
                if length > ROW_LIMIT_BYTES {
                    return Err(MaskFault::TooLarge);
                }
                if cursor.take(length).is_none() {
                    return Ok(None);
                }
            }
            Ok(Some((cursor.at(), Stage::Rows)))
        }
        Stage::Trailer if bytes.is_empty() => Ok(None),
        Stage::Trailer => Err(MaskFault::Malformed),
    }
}

#[cfg(test)]
#[path = "copy_tests.rs"]
mod tests;
