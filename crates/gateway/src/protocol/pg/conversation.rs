//! One session's life after sign-in: both halves side by side, and whatever else may end it.

use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use sallyport_auth::Authenticated;
use sallyport_core::{Blame, Event, Refusal, RefusalCode};
use sallyport_wire::pg::FrameDecoder;
use tokio::io::AsyncWriteExt as _;
use tokio::sync::mpsc;

use super::admit::Admit;
use super::canceller::Canceller;
use super::control::Control;
use super::fault::Fault;
use super::judgements::Judgements;
use super::plans::Plans;
use super::refusal::{Severity, put_refusal};
use super::relay::Relay;
use super::state::State;
use super::upstream;
use crate::downstream::Downstream;
use crate::registry::EndReason;
use crate::session::Session;
use crate::upstream::Upstream;
use crate::watch::watch;

/// Notices that may wait for a caller that does not read.
const ASIDES: usize = 16;
/// After the caller's goodbye, the target may finish what it was sent.
const GOODBYE: Duration = Duration::from_secs(10);
/// The last words to a caller must not wait for one that does not read.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// A session that is ready.
pub(super) struct Conversation {
    pub(super) session: Arc<Session>,
    pub(super) authenticated: Authenticated,
    pub(super) state: Arc<State>,
    pub(super) socket: Downstream,
    pub(super) upstream: upstream::Upstream,
}

/// How it ended.
enum End {
    Fault(Fault),
    Asked(EndReason),
}

impl Conversation {
    /// Runs to the end; the recording is sealed then.
    pub(super) async fn run(self) {
        let Self { session, authenticated, state, socket, upstream } = self;
        let settings = &session.house.settings;
        let (from, to) = tokio::io::split(socket);
        let (up_from, up_to) = tokio::io::split(upstream.stream);
        let (asides, asides_out) = mpsc::channel(ASIDES);
        let tls = session.house.targets.get().get(&session.target.name).and_then(|it| it.tls.clone());
        let canceller = Canceller::new(tls, upstream.pid, upstream.secret);
        let mut admit = Admit {
            session: Arc::clone(&session),
            state: Arc::clone(&state),
            upstream: Upstream::new(Box::new(up_to)),
            from: Box::new(from),
            buffer: BytesMut::new(),
            decoder: FrameDecoder::new(settings.message_bytes),
            asides,
            canceller: canceller.clone(),
            unsynced: false,
            since: 0,
            judgements: Judgements::default(),
            discarding: false,
        };
        let mut relay = Relay {
            session: Arc::clone(&session),
            state: Arc::clone(&state),
            from: Box::new(up_from),
            buffer: upstream.leftover,
            decoder: FrameDecoder::new(settings.row_bytes),
            to: Box::new(to),
            out: BytesMut::new(),
            recorded: 0,
            ended: None,
            asides: asides_out,
            canceller,
            plans: Plans::default(),
            current: None,
            parameters: Vec::new(),
            skipping: false,
            muted: false,
            discard: 0,
            deadline: None,
            writing: false,
            operation: 0,
            strict: false,
        };
        let cancels = Cancels { session: &session, state: &state, canceller: relay.canceller.clone() };
        let end = tokio::select! {
            fault = admit.run() => End::Fault(fault),
            fault = relay.run() => End::Fault(fault),
            reason = session.registered.handle().ended() => End::Asked(reason),
            reason = watch(&session, &authenticated, || state.lock().is_waiting()) => End::Asked(reason),
            () = cancels.run() => End::Asked(EndReason::Draining),
        };
        let reason = Box::pin(finish(end, &mut admit, &mut relay)).await;
        if let Err(fault) = relay.record_ended() {
            tracing::error!(session = %session.id, %fault, "how the last operation ended is not recorded");
        }
        Box::pin(session.close(&reason)).await;
    }
}

/// Ends both sides as the end asks for, and says why in one phrase.
async fn finish(end: End, admit: &mut Admit, relay: &mut Relay) -> String {
    let busy = relay.state.lock().is_waiting();
    match end {
        End::Fault(Fault::Goodbye) => {
            admit.upstream.forward_control(&Control::Terminate);
            if admit.flush().await.is_ok() && busy {
                // What the caller had sent before its goodbye still runs, as it would without us.
                if tokio::time::timeout(GOODBYE, relay.run()).await.is_err() {
                    relay.cancel();
                }
            }
            "the caller closed the connection".to_owned()
        }
        End::Fault(fault @ (Fault::CallerLeft | Fault::Downstream(_))) => {
            if busy {
                relay.cancel();
            }
            fault.to_string()
        }
        End::Fault(Fault::TargetAway) => {
            let refusal =
                Refusal::new(RefusalCode::Target, Blame::Upstream, "the target closed the connection")
                    .detail(format!("target {}", relay.session.target.name))
                    .hint("connect again; what was under way may or may not have been carried out");
            last_words(relay, &refusal).await;
            "the target closed the connection".to_owned()
        }
        End::Fault(Fault::Refused(refusal)) => {
            if busy {
                relay.cancel();
            }
            last_words(relay, &refusal).await;
            format!("refused: {refusal}")
        }
        End::Fault(fault) => {
            tracing::warn!(session = %relay.session.id, %fault, "conversation broken");
            if busy {
                relay.cancel();
            }
            let refusal = Refusal::new(
                RefusalCode::Protocol,
                if matches!(fault, Fault::CallerWire(_)) { Blame::Downstream } else { Blame::Upstream },
                "the connection broke its protocol and was closed",
            )
            .hint("connect again");
            last_words(relay, &refusal).await;
            fault.to_string()
        }
        End::Asked(reason) => {
            if busy {
                relay.cancel();
            }
            let (message, hint, why) = match reason {
                EndReason::Killed(by) => (
                    "an administrator ended this session",
                    "ask your administrator before you connect again",
                    format!("ended by {}", sallyport_core::visible::line(&by)),
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
            let refusal = Refusal::new(RefusalCode::Ended, Blame::Gateway, message).hint(hint);
            last_words(relay, &refusal).await;
            why
        }
    }
}

/// Tells the caller why its session ends, unless a message to it was cut off in the middle.
///
/// When nothing can be recorded any more, these words alone go out unrecorded, and without what was
/// gathered before them: they are ours and hold nothing of the target's.
async fn last_words(relay: &mut Relay, refusal: &Refusal) {
    if relay.writing {
        return;
    }
    let recorded = relay.record_gathered().is_ok();
    if !recorded {
        relay.out.clear();
        relay.recorded = 0;
    }
    put_refusal(&mut relay.out, Severity::Fatal, refusal);
    if !recorded {
        relay.recorded = relay.out.len();
    }
    let told = tokio::time::timeout(LAST_WORDS, async {
        relay.send().await?;
        relay.to.shutdown().await.map_err(Fault::Downstream)
    })
    .await;
    if !matches!(told, Ok(Ok(()))) {
        tracing::debug!(session = %relay.session.id, "the caller could not be told why");
    }
}

/// Acts on the caller's cancel requests: a hold is withdrawn, anything else is cancelled on the target.
struct Cancels<'a> {
    session: &'a Arc<Session>,
    state: &'a State,
    canceller: Canceller,
}

impl Cancels<'_> {
    async fn run(&self) {
        loop {
            self.session.registered.handle().cancel.notified().await;
            if let Err(error) = self.session.tape.append(&Event::CancelAsked, &[]) {
                tracing::error!(session = %self.session.id, %error, "a cancel could not be recorded");
            }
            if self.session.is_held() {
                self.state.withdrawals.send_modify(|count| *count += 1);
            } else if self.state.lock().is_waiting() {
                self.canceller.cancel(self.session);
            }
        }
    }
}
