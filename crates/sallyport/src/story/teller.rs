//! Tells entries as moments, in order.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sallyport_api::dto::{Entry, EntryContent};
use sallyport_core::{Decision, Event, Facts, ParameterFormat, ParameterShape, ResultDirection, visible};

use super::results::Results;
use super::{Asked, Ended, Moment, Opened, Passage, What};
use crate::words;

/// How much is shown of what may be long; the recording has it whole.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    /// Rows of each result.
    pub(crate) rows: u64,
    /// Characters of a value.
    pub(crate) cell: usize,
    /// Bytes of a statement.
    pub(crate) text: usize,
}

impl Room {
    /// For a terminal.
    pub(crate) fn terminal(rows: u64) -> Self {
        Self { rows, cell: 200, text: 256 << 10 }
    }
}

/// Turns entries into moments.
#[derive(Debug)]
pub(crate) struct Teller {
    room: Room,
    results: Results,
    /// The operation whose reply is being read.
    operation: u64,
    /// Bytes that the caller sent after it.
    sent: u64,
    /// What the caller is about to be told of a refusal that has been shown.
    told: Option<String>,
}

impl Teller {
    pub(crate) fn new(room: Room) -> Self {
        Self { room, results: Results::new(room), operation: 0, sent: 0, told: None }
    }

    /// The moments of the next entry.
    pub(crate) fn entry(&mut self, entry: &Entry) -> Vec<Moment> {
        let told = match STANDARD.decode(&entry.payload) {
            Err(_) => vec![What::Unreadable("an entry's bytes cannot be read".to_owned())],
            Ok(payload) => match &entry.entry {
                EntryContent::Event(event) => self.event(event, &payload),
                EntryContent::Note { event, reason } => {
                    vec![What::Note { event: visible::line(event), reason: visible::line(reason) }]
                }
                EntryContent::Seal { entries, head, .. } => {
                    vec![What::Sealed { entries: *entries, head: visible::line(head) }]
                }
                EntryContent::Unknown => {
                    vec![What::Unreadable("an entry of a newer version".to_owned())]
                }
            },
        };
        told.into_iter().map(|what| Moment { at: entry.at, sequence: entry.sequence, what }).collect()
    }

    fn event(&mut self, event: &Event, payload: &[u8]) -> Vec<What> {
        match event {
            Event::SessionOpened { protocol, .. } => {
                self.results.set_protocol(protocol);
                opened(event).map_or_else(Vec::new, |opened| vec![What::Opened(Box::new(opened))])
            }
            Event::Intent {
                operation,
                kind,
                text_length,
                parameters,
                facts,
                decision,
                approval,
                approved_by,
                ..
            } => {
                self.results.asked(*operation, *kind);
                let said = (payload, *text_length, parameters.as_slice());
                let mut asked = self.asked(*operation, Passage::Passed, said, facts, decision);
                asked.request = approval.as_ref().map(ToString::to_string);
                asked.approved_by = approved_by.iter().map(|name| visible::line(name)).collect();
                vec![What::Asked(Box::new(asked))]
            }
            Event::Held { operation, text_length, parameters, request, facts, decision, .. } => {
                let said = (payload, *text_length, parameters.as_slice());
                let mut asked = self.asked(*operation, Passage::Held, said, facts, decision);
                asked.request = Some(request.to_string());
                vec![What::Asked(Box::new(asked))]
            }
            Event::Refused {
                operation, text_length, parameters, facts, decision, refusal, request, ..
            } => {
                let said = (payload, *text_length, parameters.as_slice());
                let mut asked = self.asked(*operation, Passage::Refused, said, facts, decision);
                let message = visible::line(&refusal.message);
                asked.refusal = Some((refusal.code.as_str().to_owned(), message.clone()));
                asked.request = request.as_ref().map(ToString::to_string);
                self.told = Some(message);
                vec![What::Asked(Box::new(asked))]
            }
            Event::MessageRefused { message, refusal } => vec![What::MessageRefused {
                message: visible::line(message),
                refusal: visible::line(&refusal.message),
            }],
            Event::Data { direction: ResultDirection::ToCaller, operation } => self.data(*operation, payload),
            Event::Data { direction: ResultDirection::ToTarget, .. } => {
                self.sent = self.sent.saturating_add(u64::try_from(payload.len()).unwrap_or(u64::MAX));
                Vec::new()
            }
            Event::Outcome { operation, rows, masked, duration_us, error, .. } => {
                let mut told = self.results.end();
                told.push(What::Ended(Ended {
                    operation: *operation,
                    rows: *rows,
                    masked: *masked,
                    duration_us: *duration_us,
                    error: error.as_deref().map(visible::line),
                    hidden: self.results.hidden(),
                    sent: std::mem::take(&mut self.sent),
                }));
                self.results.begin(*operation);
                told
            }
            Event::GatewayAsked { text, answer } => {
                vec![What::Learnt { text: visible::line(text), answers: learnt(answer) }]
            }
            Event::CancelAsked => vec![What::Cancel],
            Event::Audited { principal, action, object, outcome } => vec![What::Note {
                event: visible::line(action),
                reason: visible::line(&format!("{principal} {object}: {outcome}")),
            }],
            Event::SessionClosed { reason, operations } => {
                let mut told = self.results.end();
                told.push(What::Closed { reason: visible::line(reason), operations: *operations });
                told
            }
        }
    }

    fn data(&mut self, operation: u64, payload: &[u8]) -> Vec<What> {
        let mut told = Vec::new();
        if operation != self.operation {
            told = self.results.end();
            self.results.begin(operation);
            self.operation = operation;
        }
        told.extend(self.results.bytes(payload));
        // Only the error that follows its refusal says the same again; any other is shown.
        told.retain(|what| match what {
            What::Said { severity, message, .. } if severity != "NOTICE" => {
                self.told.take().is_none_or(|told| !self.results.says(message, &told))
            }
            _ => true,
        });
        told
    }

    fn asked(
        &self,
        operation: u64,
        passage: Passage,
        (payload, text_length, parameters): (&[u8], usize, &[ParameterShape]),
        facts: &Facts,
        decision: &Decision,
    ) -> Asked {
        let mut asked = Asked {
            operation,
            passage,
            effect: decision.effect,
            rule: visible::line(&decision.rule),
            reason: decision.reason.as_deref().map(visible::line),
            request: None,
            approved_by: Vec::new(),
            refusal: None,
            text: Vec::new(),
            left_out: None,
            parameters: Vec::new(),
            facts: words::facts(facts),
            actions: actions(facts),
        };
        let Some((text, mut rest)) = payload.split_at_checked(text_length) else {
            asked.left_out = Some("the text is not whole".to_owned());
            return asked;
        };
        let shown = text.get(..self.room.text).unwrap_or(text);
        asked.text = shown.split(|byte| *byte == b'\n').map(visible::bytes).collect();
        if shown.len() < text.len() {
            let more = u64::try_from(text.len() - shown.len()).unwrap_or(u64::MAX);
            asked.left_out = Some(format!("{} of the text", words::counted(more, "more byte", "more bytes")));
        }
        for shape in parameters {
            let value = match shape.length {
                None => None,
                Some(length) => {
                    let Some((value, after)) = rest.split_at_checked(length) else {
                        asked.left_out = Some("the parameters are not whole".to_owned());
                        return asked;
                    };
                    rest = after;
                    Some(cell(value, shape.format == ParameterFormat::Binary, self.room.cell))
                }
            };
            asked.parameters.push(value);
        }
        asked
    }
}

fn opened(event: &Event) -> Option<Opened> {
    let Event::SessionOpened {
        principal,
        authenticated_by,
        target,
        protocol,
        database,
        client,
        server_version,
        gateway_version,
        policy_version,
        ..
    } = event
    else {
        return None;
    };
    Some(Opened {
        who: visible::line(&principal.describe()),
        principal: visible::line(&principal.name),
        on_behalf_of: principal.on_behalf_of.as_deref().map(visible::line),
        kind: principal.kind.as_str().to_owned(),
        target: visible::line(target),
        protocol: visible::line(protocol),
        database: visible::line(database),
        client: visible::line(client),
        by: visible::line(authenticated_by),
        server: visible::line(server_version),
        gateway: visible::line(gateway_version),
        policy: visible::line(policy_version),
    })
}

fn actions(facts: &Facts) -> Vec<String> {
    let mut actions: Vec<String> = facts
        .actions
        .iter()
        .map(|action| match &action.object {
            Some(object) => format!("{} {}", action.action, visible::line(&object.to_string())),
            None => action.action.to_string(),
        })
        .collect();
    actions.dedup();
    actions
}

/// A value as it is shown.
pub(super) fn cell(value: &[u8], binary: bool, room: usize) -> String {
    // Four bytes are the most that a character has; more would be read only to be cut.
    let some = value.get(..room.saturating_mul(4)).unwrap_or(value);
    let shown = if binary {
        let digits: String = some.iter().take(room).map(|byte| format!("{byte:02x}")).collect();
        format!("\\x{digits}")
    } else {
        visible::bytes(some)
    };
    let cut = crate::output::cut(&shown, room);
    if some.len() < value.len() && !cut.ends_with('…') { format!("{cut}…") } else { cut }
}

/// What the gateway learnt of the session. The server says `none` for a role that was not changed, where
/// approvals name the one that acts; so does this, and the recording keeps both.
fn learnt(answer: &BTreeMap<String, String>) -> Vec<(String, String)> {
    let value = |wanted: &str| answer.get(wanted).map(String::as_str);
    let acts = value("session_authorization").filter(|_| value("role") == Some("none"));
    answer
        .iter()
        .filter(|(name, _)| acts.is_none() || name.as_str() != "session_authorization")
        .map(|(name, value)| {
            let value = acts.filter(|_| name == "role").unwrap_or(value.as_str());
            (visible::line(name), visible::line(value))
        })
        .collect()
}

#[cfg(test)]
#[path = "teller_tests.rs"]
mod tests;
