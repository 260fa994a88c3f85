//! Sans-I/O wire codecs: bytes to frames and back, both directions, with size caps.
//!
//! A codec never reads a socket: it is given a buffer and takes whole frames off its front, or says
//! that more bytes are needed. A frame keeps its raw bytes, so that what nobody has to look at
//! leaves as the slice it came in as. Every read is checked; no input panics.

pub mod mysql;
pub mod pg;
