//! Facts and decisions are written once and referred to afterwards.
//!
//! An operation that is run ten thousand times has the same facts and the same decision each time, and
//! they are the largest part of its entry. So an intent whose facts and decision stand in one of the
//! session's last [`KEPT`] intents with facts, in the same segment, names that one's number instead.
//! [`Written`] is the writer's side, [`Resolver`] the reader's; both forget in the same order.

use std::collections::VecDeque;
use std::sync::Arc;

use sallyport_core::{Decision, Digest, Event, Facts, OperationKind, ParameterShape, RequestId, Withheld};
use serde::{Deserialize, Serialize};

/// Intents that can be referred to.
const KEPT: usize = 64;
/// Of these, so many are compared by value when none is the same by place.
const COMPARED: usize = 16;

#[derive(Debug)]
struct Known {
    sequence: u64,
    facts: Arc<Facts>,
    decision: Arc<Decision>,
}

/// What a session has written in the present segment.
#[derive(Debug, Default)]
pub(crate) struct Written {
    segment: u64,
    known: VecDeque<Known>,
}

impl Written {
    /// The number of the intent that stands in this segment with the same facts and decision.
    pub(crate) fn find(&self, segment: u64, facts: &Arc<Facts>, decision: &Arc<Decision>) -> Option<u64> {
        if self.segment != segment {
            return None;
        }
        let by_place =
            |known: &&Known| Arc::ptr_eq(&known.facts, facts) && Arc::ptr_eq(&known.decision, decision);
        let by_value = |known: &&Known| known.decision == *decision && known.facts == *facts;
        let recent = self.known.iter().rev();
        recent
            .clone()
            .find(by_place)
            .or_else(|| recent.take(COMPARED).find(by_value))
            .map(|known| known.sequence)
    }

    /// Notes an intent that was written with facts.
    pub(crate) fn note(&mut self, segment: u64, sequence: u64, facts: &Arc<Facts>, decision: &Arc<Decision>) {
        if self.segment != segment {
            self.segment = segment;
            self.known.clear();
        }
        if self.known.len() >= KEPT {
            self.known.pop_front();
        }
        let (facts, decision) = (Arc::clone(facts), Arc::clone(decision));
        self.known.push_back(Known { sequence, facts, decision });
    }
}

/// An intent that refers to another one.
#[derive(Debug, Serialize)]
#[serde(tag = "event", rename = "intent")]
pub(crate) struct Referring<'a> {
    operation: u64,
    kind: OperationKind,
    text_length: usize,
    #[serde(skip_serializing_if = "<[Withheld]>::is_empty")]
    withheld: &'a [Withheld],
    parameters: &'a [ParameterShape],
    digest: Digest,
    same_as: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    approval: Option<&'a RequestId>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    approved_by: &'a [String],
}

impl<'a> Referring<'a> {
    /// An intent with a number in the place of facts and decision; nothing of another event.
    pub(crate) fn to(event: &'a Event, same_as: u64) -> Option<Self> {
        let Event::Intent {
            operation,
            kind,
            text_length,
            withheld,
            parameters,
            digest,
            approval,
            approved_by,
            ..
        } = event
        else {
            return None;
        };
        Some(Self {
            operation: *operation,
            kind: *kind,
            text_length: *text_length,
            withheld,
            parameters,
            digest: *digest,
            same_as,
            approval: approval.as_ref(),
            approved_by,
        })
    }
}

/// The same, as it is read.
#[derive(Debug, Deserialize)]
struct Referred {
    operation: u64,
    kind: OperationKind,
    text_length: usize,
    #[serde(default)]
    withheld: Vec<Withheld>,
    parameters: Vec<ParameterShape>,
    digest: Digest,
    same_as: u64,
    #[serde(default)]
    approval: Option<RequestId>,
    #[serde(default)]
    approved_by: Vec<String>,
}

/// Gives intents their facts and decision back.
#[derive(Debug, Default)]
pub(crate) struct Resolver {
    known: VecDeque<Known>,
}

impl Resolver {
    /// Whether anything can be referred to.
    pub(crate) fn knows_any(&self) -> bool {
        !self.known.is_empty()
    }

    /// Reads a session's next event; nothing when it is none that this version knows, or refers to what
    /// is not there.
    pub(crate) fn read(&mut self, sequence: u64, event: &[u8]) -> Option<Event> {
        match serde_json::from_slice::<Event>(event) {
            Ok(event) => {
                if let Event::Intent { facts, decision, .. } = &event {
                    if self.known.len() >= KEPT {
                        self.known.pop_front();
                    }
                    let (facts, decision) = (Arc::clone(facts), Arc::clone(decision));
                    self.known.push_back(Known { sequence, facts, decision });
                }
                Some(event)
            }
            Err(_) => {
                let found = serde_json::from_slice::<Referred>(event).ok()?;
                let known = self.known.iter().rev().find(|known| known.sequence == found.same_as)?;
                Some(Event::Intent {
                    operation: found.operation,
                    kind: found.kind,
                    text_length: found.text_length,
                    withheld: found.withheld,
                    parameters: found.parameters,
                    digest: found.digest,
                    facts: Arc::clone(&known.facts),
                    decision: Arc::clone(&known.decision),
                    approval: found.approval,
                    approved_by: found.approved_by,
                })
            }
        }
    }
}
