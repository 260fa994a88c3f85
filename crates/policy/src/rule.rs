//! One rule: what its annotations ask for, and whether it can act at all.
//!
//! Cedar decides whether a rule matches; everything here is what the match means.

use std::collections::BTreeSet;

use cedar_policy::{ActionConstraint, Effect, EntityUid, Policy as CedarPolicy, ResourceConstraint};

use crate::judge::{DEFAULT_DENY, POLICY_ERROR};
use crate::schema::Vocabulary;

/// How long a held request lives when its rule does not say.
const DEFAULT_TTL_SECONDS: u32 = 15 * 60;
/// The longest `@ttl`: a week.
const MAX_TTL_MS: u64 = 7 * 24 * 3600 * 1000;
/// The longest `@timeout`: a day.
const MAX_TIMEOUT_MS: u64 = 24 * 3600 * 1000;
/// The largest `@approvals`.
const MAX_APPROVALS: u32 = 20;
/// The longest `@reason`, in characters: it goes to callers with every refusal.
const MAX_REASON: usize = 400;

/// What a holding rule asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hold {
    /// Every group that must answer.
    pub(crate) groups: BTreeSet<String>,
    /// Distinct humans per group.
    pub(crate) approvals: u32,
    /// How long the request lives.
    pub(crate) ttl_seconds: u32,
}

/// A rule's own part beside its Cedar condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    pub(crate) id: String,
    pub(crate) hold: Option<Hold>,
    pub(crate) rows: Option<u64>,
    pub(crate) timeout_ms: Option<u64>,
    pub(crate) reason: Option<String>,
    /// A permit whose scope names `Action::"reveal"` and a label.
    pub(crate) grants_reveal: bool,
    /// Whether any rule text depends on single columns, so that an unexpanded `*` cannot be judged.
    pub(crate) sees_columns: bool,
}

impl Rule {
    /// Reads the annotations of a policy and checks that the rule can act.
    ///
    /// # Errors
    /// Everything that is wrong with it, for its author.
    pub(crate) fn read(policy: &CedarPolicy, vocabulary: &Vocabulary) -> Result<Self, Vec<String>> {
        let mut notes = Notes::default();
        let mut problems = Vec::new();
        for (key, value) in policy.annotations() {
            if let Err(problem) = notes.take(key, value) {
                problems.push(problem);
            }
        }
        problems.extend(notes.misplaced(policy.effect()));
        problems.extend(cannot_act(policy, &notes, vocabulary));
        problems.extend(policy.entity_literals().iter().filter_map(misshapen));
        let Some(id) = notes.id else {
            problems.push("a rule needs a name: @id(\"lower-case-words\")".to_owned());
            return Err(problems);
        };
        if !problems.is_empty() {
            return Err(problems);
        }
        let grants_reveal = policy.effect() == Effect::Permit
            && names_action(policy, &vocabulary.reveal)
            && names_label(policy);
        let hold = notes.groups.map(|groups| Hold {
            groups,
            approvals: notes.approvals.unwrap_or(1),
            ttl_seconds: notes.ttl_seconds.unwrap_or(DEFAULT_TTL_SECONDS),
        });
        Ok(Self {
            id,
            hold,
            rows: notes.rows,
            timeout_ms: notes.timeout_ms,
            reason: notes.reason,
            grants_reveal,
            sees_columns: sees_columns(policy),
        })
    }
}

/// The annotations as they are read.
#[derive(Debug, Default)]
struct Notes {
    id: Option<String>,
    groups: Option<BTreeSet<String>>,
    approvals: Option<u32>,
    ttl_seconds: Option<u32>,
    rows: Option<u64>,
    timeout_ms: Option<u64>,
    reason: Option<String>,
}

impl Notes {
    fn take(&mut self, key: &str, value: &str) -> Result<(), String> {
        match key {
            "id" => self.id = Some(rule_id(value)?),
            "hold" => self.groups = Some(groups(value)?),
            "approvals" => {
                let count = value.parse().ok().filter(|count| (1..=MAX_APPROVALS).contains(count));
                self.approvals = Some(
                    count.ok_or_else(|| format!("@approvals takes a number from 1 to {MAX_APPROVALS}"))?,
                );
            }
            "ttl" => {
                let ms = duration_ms(value).filter(|ms| (1000..=MAX_TTL_MS).contains(ms) && ms % 1000 == 0);
                let seconds = ms.and_then(|ms| u32::try_from(ms / 1000).ok());
                self.ttl_seconds = Some(
                    seconds
                        .ok_or_else(|| "@ttl takes a time like 90s, 15m, 8h or 7d, at most 7d".to_owned())?,
                );
            }
            "row_limit" => {
                let rows = value.parse().ok().filter(|rows: &u64| *rows >= 1);
                self.rows =
                    Some(rows.ok_or_else(|| "@row_limit takes a number of rows, at least 1".to_owned())?);
            }
            "timeout" => {
                let ms = duration_ms(value).filter(|ms| (1..=MAX_TIMEOUT_MS).contains(ms));
                self.timeout_ms =
                    Some(ms.ok_or_else(|| {
                        "@timeout takes a time like 500ms, 30s or 5m, at most 24h".to_owned()
                    })?);
            }
            "reason" => {
                if value.trim().is_empty()
                    || value.chars().count() > MAX_REASON
                    || value.chars().any(char::is_control)
                {
                    return Err(format!("@reason takes one line of at most {MAX_REASON} characters"));
                }
                self.reason = Some(value.to_owned());
            }
            _ => {
                return Err(format!(
                    "unknown annotation @{key}; there are @id, @reason, @hold, @approvals, @ttl, @row_limit and @timeout"
                ));
            }
        }
        Ok(())
    }

    /// Annotations where they can do nothing.
    fn misplaced(&self, effect: Effect) -> Vec<String> {
        let mut problems = Vec::new();
        if effect == Effect::Forbid {
            if self.groups.is_some() {
                problems.push("@hold on a forbid does nothing: write a permit with @hold".to_owned());
            }
            if self.rows.is_some() || self.timeout_ms.is_some() {
                problems.push("@row_limit and @timeout on a forbid do nothing".to_owned());
            }
        }
        if self.groups.is_none() && (self.approvals.is_some() || self.ttl_seconds.is_some()) {
            problems.push("@approvals and @ttl belong to a rule with @hold".to_owned());
        }
        problems
    }
}

/// A rule's name: lower-case words with hyphens.
fn rule_id(value: &str) -> Result<String, String> {
    let shaped = !value.is_empty()
        && value.len() <= 64
        && value.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !value.starts_with('-')
        && !value.ends_with('-');
    if !shaped {
        return Err(
            "@id takes lower-case letters, digits and hyphens, at most 64: @id(\"agent-reads\")".to_owned()
        );
    }
    if [DEFAULT_DENY, POLICY_ERROR].contains(&value) {
        return Err(format!("@id(\"{value}\") is the gateway's own name for a decision that no rule made"));
    }
    Ok(value.to_owned())
}

/// Group names, with commas between them.
fn groups(value: &str) -> Result<BTreeSet<String>, String> {
    let groups: BTreeSet<String> = value.split(',').map(|group| group.trim().to_owned()).collect();
    if groups.iter().any(|group| group.is_empty() || group.chars().any(char::is_control)) {
        return Err(
            "@hold takes the group that must answer, or several with commas: @hold(\"dba, security\")"
                .to_owned(),
        );
    }
    Ok(groups)
}

/// `500ms`, `30s`, `15m`, `8h`, `7d` as milliseconds.
fn duration_ms(text: &str) -> Option<u64> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits)?;
    let scale: u64 = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(scale)
}

/// The actions that the scope names one by one; nothing when it names none.
fn named_actions(policy: &CedarPolicy) -> Vec<EntityUid> {
    match policy.action_constraint() {
        ActionConstraint::Any => Vec::new(),
        ActionConstraint::In(actions) => actions,
        ActionConstraint::Eq(action) => vec![action],
    }
}

fn names_action(policy: &CedarPolicy, action: &EntityUid) -> bool {
    named_actions(policy).contains(action)
}

/// Whether the scope's resource is a certain label, or what is in one.
fn names_label(policy: &CedarPolicy) -> bool {
    match policy.resource_constraint() {
        ResourceConstraint::Eq(of) | ResourceConstraint::In(of) | ResourceConstraint::IsIn(_, of) => {
            of.type_name().basename() == "Label"
        }
        ResourceConstraint::Any | ResourceConstraint::Is(_) => false,
    }
}

/// Permits that Cedar would match and that would still do nothing.
fn cannot_act(policy: &CedarPolicy, notes: &Notes, vocabulary: &Vocabulary) -> Vec<String> {
    let mut problems = Vec::new();
    if policy.effect() == Effect::Forbid {
        return problems;
    }
    if names_action(policy, &vocabulary.reveal) {
        if !names_label(policy) {
            problems.push(
                "a permit of Action::\"reveal\" must name its label: resource == Label::\"pii.email\", or in one"
                    .to_owned(),
            );
        }
        if notes.groups.is_some() || notes.rows.is_some() || notes.timeout_ms.is_some() {
            problems.push("Action::\"reveal\" cannot be held or limited".to_owned());
        }
    }
    if names_action(policy, &vocabulary.unknown) && notes.groups.is_none() {
        problems.push(
            "a permit of Action::\"unknown\" counts only with @hold: nothing unknown runs unseen".to_owned(),
        );
    }
    if names_action(policy, &vocabulary.connect)
        && (notes.groups.is_some() || notes.rows.is_some() || notes.timeout_ms.is_some())
    {
        problems.push("Action::\"connect\" cannot be held or limited; hold the operations".to_owned());
    }
    problems
}

/// An entity whose id can match nothing that the gateway asks about.
fn misshapen(entity: &EntityUid) -> Option<String> {
    let id = entity.id().unescaped();
    let slashes = id.matches('/').count();
    let (fits, shape) = match entity.type_name().basename() {
        "Target" => (slashes == 0, "shop-prod"),
        "Database" => (slashes == 1, "shop-prod/shop"),
        "Schema" => (slashes >= 2, "shop-prod/shop/public"),
        "Relation" => (slashes >= 2 && id.contains('.'), "shop-prod/shop/public.users"),
        "Column" => (slashes >= 2 && id.matches('.').count() >= 2, "shop-prod/shop/public.users.email"),
        "Object" => (slashes >= 3, "shop-prod/shop/function/public.f"),
        "Tag" => (id.contains('='), "env=production"),
        _ => return None,
    };
    let name = entity.type_name().basename();
    (!fits).then(|| format!("{entity} can never match: a {name} is written like {name}::\"{shape}\""))
}

/// Whether the rule depends on which single columns are named.
///
/// Read off Cedar's own JSON form: the type `Column`, or the context's `columns` or `filters`.
/// Errs towards yes: an unreadable form depends on everything.
fn sees_columns(policy: &CedarPolicy) -> bool {
    fn mentions(value: &serde_json::Value) -> bool {
        match value {
            serde_json::Value::String(text) => matches!(text.as_str(), "Column" | "columns" | "filters"),
            serde_json::Value::Array(items) => items.iter().any(mentions),
            serde_json::Value::Object(fields) => {
                fields.iter().any(|(key, value)| key != "annotations" && mentions(value))
            }
            _ => false,
        }
    }
    policy.to_json().map_or(true, |json| mentions(&json))
}

#[cfg(test)]
#[path = "rule_tests.rs"]
mod tests;
