//! The data path.
//!
//! ```text
//! listener -> protocol::<p>::handshake -> session::open -> [ inspect -> decide -> gate -> upstream ] -> mask -> caller
//! ```
//!
//! A connection is accepted by [`listener`], speaks its protocol's words in `protocol::<p>`, and every
//! operation it brings goes one way: inspected, decided, passed by [`gate`], which alone makes a
//! [`gate::Permit`], and forwarded by [`upstream`], which takes nothing else. Replies go the other way:
//! masked, recorded, then written. [`house`] holds what all sessions share.
//!
//! Forwarding without a permit does not compile. A permit can be named out here, as can a receipt:
//!
//! ```
//! fn shown(_: &sallyport_gateway::gate::Permit, _: &sallyport_record::Receipt) {}
//! ```
//!
//! but it cannot be made:
//!
//! ```compile_fail,E0451
//! let permit = sallyport_gateway::gate::Permit { operation: 1, digest: todo!(), limits: Default::default(), receipt: todo!() };
//! ```
//!
//! Nor can a receipt, without which the gate has nothing to make it of:
//!
//! ```compile_fail,E0451
//! let receipt = sallyport_record::Receipt { session: todo!(), sequence: 1, hash: todo!() };
//! ```

mod approvals;
pub mod credentials;
mod decided;
mod dialling;
mod downstream;
pub mod gate;
pub mod house;
mod listener;
mod protocol;
mod registry;
mod session;
mod settings;
pub mod survey;
mod swap;
pub mod tasks;
pub mod tls;
mod turns;
pub mod upstream;
mod watch;
mod wording;
mod workers;

#[cfg(test)]
mod testing;

pub use house::{Gateway, GatewayError, Parts};
pub use settings::{ListenerTls, Settings, SignIn};
