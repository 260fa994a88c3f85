//! Masks what leaves for the caller: rows, COPY data, errors and notices, notifications.
//!
//! Data flows one way. When a result begins, [`RowPlan`] (or [`CopyPlan`]) is made from three sources that
//! must agree: the lineage that the inspector settled, the target's own RowDescription, and the catalog.
//! Each column gets a treatment: pass, look (detectors, the second net) or mask. Then every row goes
//! through `row`, every value through `value`, arrays through `array`. Whatever does not read, disagrees or
//! cannot be settled counts as labelled: it becomes a mark where the type is text, NULL where it is not.

mod array;
mod copy;
mod delimited;
mod handed_out;
mod notice;
mod plan;
mod row;
mod shape;
mod typed;
mod value;
mod written_back;

pub(crate) use copy::{Copied, CopyPlan};
pub(crate) use handed_out::HandedOut;
pub(crate) use notice::{mask_notice, mask_payload, mask_setting};
pub(crate) use plan::{Field, MaskContext, RowPlan};
pub(crate) use written_back::{LONGEST_MARK, Marks, WrittenBack};

use thiserror::Error;

/// A row, or what is held of one, larger than this is not masked but ends the result (decision 18).
pub(crate) const ROW_LIMIT_BYTES: usize = 16 << 20;

/// Why a result cannot be masked. Nothing of the row at hand has been written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(crate) enum MaskFault {
    /// The bytes are not what the protocol says they are.
    #[error("the target's row does not read")]
    Malformed,
    /// A row over the limit.
    #[error("a row is larger than the gateway holds")]
    TooLarge,
    /// A COPY of columns whose origin cannot be settled.
    #[error("the origin of a copied column cannot be settled")]
    Unsettled,
}
