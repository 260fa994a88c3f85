//! The PostgreSQL frontend/backend protocol, version 3 ("PostgreSQL: Frontend/Backend Protocol",
//! chapter "Message Formats").
//!
//! [`startup`] reads what comes before the first typed message; [`FrameDecoder`] cuts a byte stream
//! into [`Frame`]s; [`frontend`] and [`backend`] read and write the bodies.

pub mod backend;
mod error;
mod frame;
pub mod frontend;
mod reader;
pub mod startup;

pub use error::WireError;
pub use frame::{Frame, FrameDecoder, finish_frame, start_frame};
pub use reader::Reader;

#[cfg(test)]
mod tests;
