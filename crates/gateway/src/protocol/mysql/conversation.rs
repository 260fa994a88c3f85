//! One session's life after sign-in: its loop, and whatever else may end it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sallyport_auth::Authenticated;
use sallyport_core::{Blame, Event, Refusal, RefusalCode, visible};
use tokio::io::AsyncWriteExt as _;
use tokio::sync::watch;

use super::callers::Place;
use super::control::Control;
use super::fault::Fault;
use super::refusal::failure;
use super::server;
use super::sides::{Caller, TargetSide};
use super::talk::Talk;
use super::upstream::{self, cancel};
use crate::downstream::Downstream;
use crate::registry::EndReason;
use crate::session::Session;
use crate::upstream::Upstream;
use crate::watch::watch;

/// The last words to a caller must not wait for one that does not read.
const LAST_WORDS: Duration = Duration::from_secs(5);
/// A cancel of our own is given up after so long.
const CANCEL_DEADLINE: Duration = Duration::from_secs(10);

/// A session that is ready.
pub(super) struct Conversation {
    pub(super) session: Arc<Session>,
    pub(super) authenticated: Authenticated,
    pub(super) socket: Downstream,
    /// As negotiated with the caller.
    pub(super) capabilities: u64,
    pub(super) upstream: upstream::Upstream,
    pub(super) place: Place,
}

/// What the loop and those who may end it share.
#[derive(Debug, Default)]
pub(super) struct Shared {
    /// The target works on something.
    pub(super) busy: AtomicBool,
    /// Counts the caller's cancels that were meant for a hold.
    pub(super) withdrawals: watch::Sender<u64>,
    /// Cancels that the target has not taken yet. What is sent to it meanwhile could be hit by one.
    pub(super) cancelling: watch::Sender<u32>,
}

/// How to cancel what runs on the target.
#[derive(Clone)]
pub(super) struct Canceller {
    session: Arc<Session>,
    shared: Arc<Shared>,
    connection: u32,
}

impl Canceller {
    /// Cancels what runs on the target, without waiting for it; [`Shared::cancelling`] says when that is done.
    pub(super) fn cancel(&self) {
        let Self { session, shared, connection } = self.clone();
        shared.cancelling.send_modify(|count| *count += 1);
        let house = Arc::clone(&session.house);
        house.tasks.clone().spawn("cancel", async move {
            let tls = house.targets.get().get(&session.target.name).and_then(|it| it.tls.clone());
            let credentials = house.credentials.get();
            let cancelled = cancel(&session.target, &credentials, tls, connection, CANCEL_DEADLINE).await;
            if let Err(error) = cancelled {
                tracing::warn!(session = %session.id, %error, detail = error.detail(), "could not cancel");
            }
            shared.cancelling.send_modify(|count| *count = count.saturating_sub(1));
        });
    }
}

/// How it ended.
enum End {
    Fault(Fault),
    Asked(EndReason),
}

impl Conversation {
    /// Runs to the end; the recording is sealed then.
    pub(super) async fn run(self) {
        let Self { session, authenticated, socket, capabilities, upstream, place } = self;
        let settings = &session.house.settings;
        let (from, to) = tokio::io::split(socket);
        let (up_from, up_to) = tokio::io::split(upstream.stream);
        let shared = Arc::new(Shared::default());
        let connection = upstream.connection;
        let canceller = Canceller { session: Arc::clone(&session), shared: Arc::clone(&shared), connection };
        let caller = Caller::new(Box::new(from), Box::new(to), settings.message_bytes, capabilities);
        let target = TargetSide {
            from: Box::new(up_from),
            buffer: upstream.leftover,
            decoder: sallyport_wire::mysql::PacketDecoder::new(settings.row_bytes),
            upstream: Upstream::new(Box::new(up_to)),
            capabilities: upstream.capabilities,
            discard: None,
        };
        let flavour = server::flavour(&upstream.version);
        let mut talk =
            Talk::new(Arc::clone(&session), Arc::clone(&shared), caller, target, canceller.clone(), flavour);
        let end = tokio::select! {
            fault = talk.run() => End::Fault(fault),
            reason = session.registered.handle().ended() => End::Asked(reason),
            reason = watch(&session, &authenticated, || shared.busy.load(Ordering::Relaxed)) => End::Asked(reason),
            () = hear_cancels(&session, &shared, &canceller) => End::Asked(EndReason::Draining),
        };
        let reason = finish(end, &mut talk, &shared, &canceller).await;
        drop(place);
        Box::pin(session.close(&reason)).await;
    }
}

/// Ends both sides as the end asks for, and says why in one phrase.
async fn finish(end: End, talk: &mut Talk, shared: &Shared, canceller: &Canceller) -> String {
    let busy = shared.busy.load(Ordering::Relaxed);
    if busy {
        canceller.cancel();
    } else {
        // A target that is told goodbye counts no aborted connection.
        talk.target.upstream.forward_control(&Control::Quit);
        if !matches!(tokio::time::timeout(LAST_WORDS, talk.target.flush()).await, Ok(Ok(()))) {
            tracing::debug!(session = %talk.session.id, "the target did not hear the goodbye");
        }
    }
    let (refusal, why) = match end {
        End::Fault(fault @ (Fault::Goodbye | Fault::CallerLeft | Fault::Downstream(_))) => {
            return fault.to_string();
        }
        End::Fault(Fault::TargetAway) => (
            Refusal::new(RefusalCode::Target, Blame::Upstream, "the target closed the connection")
                .detail(format!("target {}", talk.session.target.name))
                .hint("connect again; what was under way may or may not have been carried out"),
            "the target closed the connection".to_owned(),
        ),
        End::Fault(Fault::Refused(refusal)) => {
            let why = format!("refused: {refusal}");
            (*refusal, why)
        }
        End::Fault(fault) => {
            tracing::warn!(session = %talk.session.id, %fault, "conversation broken");
            let blame =
                if matches!(fault, Fault::CallerWire(_)) { Blame::Downstream } else { Blame::Upstream };
            let refusal =
                Refusal::new(RefusalCode::Ended, blame, "the connection broke its protocol and was closed")
                    .hint("connect again");
            (refusal, fault.to_string())
        }
        End::Asked(reason) => asked(reason),
    };
    last_words(talk, &refusal).await;
    why
}

fn asked(reason: EndReason) -> (Refusal, String) {
    let (message, hint, why) = match reason {
        EndReason::Killed(by) => (
            "an administrator ended this session",
            "ask your administrator before you connect again",
            format!("ended by {}", visible::line(&by)),
        ),
        EndReason::Draining => (
            "the gateway is stopping",
            "connect again in a moment; a request for approval stays open as a ticket",
            "the gateway stopped".to_owned(),
        ),
        EndReason::Revoked => (
            "this identity is no longer valid",
            "ask for a new token",
            "the principal is no longer valid".to_owned(),
        ),
        EndReason::Idle => {
            ("this session was idle for too long", "connect again", "idle for too long".to_owned())
        }
    };
    (Refusal::new(RefusalCode::Ended, Blame::Gateway, message).hint(hint), why)
}

/// Tells the caller why its session ends, unless a packet to it was cut off in the middle.
///
/// When nothing can be recorded any more, these words alone go out unrecorded, and without what was gathered
/// before them: they are ours and hold nothing of the target's.
async fn last_words(talk: &mut Talk, refusal: &Refusal) {
    let caller = &mut talk.caller;
    if caller.writing {
        return;
    }
    let recorded = caller.record(&talk.session).is_ok();
    if !recorded {
        caller.forget_unrecorded();
    }
    caller.put_failure(&failure(refusal));
    if !recorded {
        caller.pass_unrecorded();
    }
    let told = tokio::time::timeout(LAST_WORDS, async {
        caller.send(&talk.session).await?;
        caller.to.shutdown().await.map_err(Fault::Downstream)
    })
    .await;
    if !matches!(told, Ok(Ok(()))) {
        tracing::debug!(session = %talk.session.id, "the caller could not be told why");
    }
}

/// Acts on the caller's KILL QUERY from another connection of its own: a hold is withdrawn, anything else is
/// cancelled on the target.
async fn hear_cancels(session: &Arc<Session>, shared: &Shared, canceller: &Canceller) {
    loop {
        session.registered.handle().cancel.notified().await;
        if let Err(error) = session.tape.append(&Event::CancelAsked, &[]) {
            tracing::error!(session = %session.id, %error, "a cancel could not be recorded");
        }
        if session.is_held() {
            shared.withdrawals.send_modify(|count| *count += 1);
        } else if shared.busy.load(Ordering::Relaxed) {
            canceller.cancel();
        }
    }
}
