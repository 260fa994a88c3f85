//! The client/server protocol of MySQL and MariaDB, version 10 handshakes ("MySQL Source Code Documentation",
//! Client/Server Protocol; "MariaDB Client/Server Protocol").
//!
//! [`PacketDecoder`] cuts a byte stream into [`Packet`]s, joined where a payload spans several;
//! [`handshake`] reads and writes what comes before the first command, [`command`] and [`bulk`] what a client
//! asks, [`reply`] how a server answers, [`column`] and [`row`] what results are made of. Compression is not
//! in here: it is not offered.

pub mod bulk;
pub mod capability;
pub mod column;
pub mod command;
mod error;
pub mod handshake;
mod packet;
mod reader;
pub mod reply;
pub mod row;

pub use error::WireError;
pub use packet::{Discard, MAX_CHUNK, Packet, PacketDecoder, finish_packet, put_packet, start_packet};
pub use reader::{Reader, put_lenenc, put_lenenc_bytes};

#[cfg(test)]
mod tests;
