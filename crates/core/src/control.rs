//! What the API may ask of the data path, without knowing it.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use crate::id::SessionId;
use crate::principal::Principal;

/// Whether there was a session to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Killed {
    /// It was told to end.
    Ending,
    /// No such live session here.
    NotHere,
}

/// How a target answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetHealth {
    /// Whether the gateway could sign in.
    pub ok: bool,
    /// What a person should read: server version, or what failed. Holds no credential.
    pub detail: String,
    /// How long the attempt took, milliseconds.
    pub took_ms: u64,
}

/// The live sessions of this process. The gateway implements it, the binary hands it to the API.
pub trait SessionControl: Send + Sync + fmt::Debug {
    /// Ends a live session; `by` is who asked, for the recording.
    fn kill(&self, session: &SessionId, by: &str) -> Killed;

    /// Signs in to a target and out again; nothing when there is no such target.
    fn test_target<'a>(
        &'a self,
        target: &'a str,
    ) -> Pin<Box<dyn Future<Output = Option<TargetHealth>> + Send + 'a>>;

    /// Whether this principal may connect to a target of that name, by the present policy.
    fn may_connect(&self, principal: &Principal, target: &str) -> bool;

    /// Live sessions now.
    fn live(&self) -> usize;

    /// What does not keep sessions from being served yet, in words that anybody may read.
    fn warnings(&self) -> Vec<&'static str> {
        Vec::new()
    }

    /// Whether new sessions can be served: the recorder writes and the store answers. The text says what is wrong.
    fn ready<'a>(&'a self) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + 'a>>;
}
