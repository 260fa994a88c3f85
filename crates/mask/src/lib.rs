//! Which values are sensitive, and what stands in their place.
//!
//! Pure: text comes in, text goes out. Two nets lie behind each other. **Labels** say which columns
//! carry which class of data ([`Labels`], read from `labels.toml`); what a label covers is masked by its
//! [`Operator`] whatever it looks like. **Detectors** (`detectors::ALL`) look at values that no label
//! covers and find what is sensitive by its own shape. Data flows one way: value -> prefilter over its
//! bytes -> views of the text (folded, unescaped, decoded) -> detectors -> [`Finding`]s without overlaps
//! -> masked text. The crate knows no protocol: rows, arrays and COPY are the gateway's.

mod column;
mod context;
mod detect;
mod detectors;
mod encoded;
mod features;
mod fold;
mod harmless;
mod json;
mod labels;
pub mod lines;
mod operator;
mod panel;
mod parts;
mod pattern;
mod question;
mod reading;
mod stream;
mod structure;
mod text;
mod topics;
mod verdicts;
mod view;
mod written;

pub use context::FieldContext;
pub use detect::{Finding, MAX_TEXT_BYTES, detect, may_hold_findings};
pub use detectors::{Kind, kinds};
pub use json::{mask_json, mask_json_leaves};
pub use labels::{Labels, LabelsError};
pub use operator::{Coarseness, Masked, Moment, Operator, ValueType, placeholder};
pub use stream::Stream;
pub use text::mask_text;
