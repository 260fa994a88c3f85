//! A policy: one immutable version of the rules, and the questions it answers.

use std::sync::Arc;

use std::collections::BTreeMap;

use cedar_policy::{Authorizer, PolicySet, RestrictedExpression};
use sallyport_core::{Decision, DigestBuilder, Effect, Facts, LabelSource, Principal, Target, Timestamp};

use crate::ask::{Ask, AskError, Asks, Labels, Silence, asks, context, moment};
use crate::cache::{Cache, Key, key};
use crate::entity::{Entities, Place};
use crate::explain::Explanation;
use crate::judge::{Court, Judged, POLICY_ERROR};
use crate::load::{PolicyFile, Problem, holds_rules, load};
use crate::rule::Rule;
use crate::schema::Vocabulary;

/// May this operation run?
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// Who asks.
    pub principal: &'a Principal,
    /// Where.
    pub target: &'a Target,
    /// The database of the session.
    pub database: &'a str,
    /// What it would do.
    pub facts: &'a Facts,
    /// Which columns carry which data class.
    pub labels: &'a dyn LabelSource,
    /// Whether a transaction is open.
    pub in_transaction: bool,
    /// When; the minute counts.
    pub now: Timestamp,
}

/// May this principal see the values of a labelled column in the clear?
#[derive(Clone, Copy, Debug)]
pub struct RevealQuestion<'a> {
    /// Who asks.
    pub principal: &'a Principal,
    /// Where.
    pub target: &'a Target,
    /// The database of the session.
    pub database: &'a str,
    /// The data class; a column with several is revealed when each of them is.
    pub label: &'a str,
    /// Schema of the base column.
    pub schema: &'a str,
    /// Relation of the base column.
    pub relation: &'a str,
    /// The base column.
    pub column: &'a str,
    /// When; the minute counts.
    pub now: Timestamp,
}

#[derive(Debug)]
struct Engine {
    vocabulary: Vocabulary,
    authorizer: Authorizer,
    set: PolicySet,
    rules: BTreeMap<String, Rule>,
    sees_columns: bool,
    grants_reveals: bool,
}

impl Engine {
    fn court(&self) -> Court<'_> {
        Court {
            vocabulary: &self.vocabulary,
            authorizer: &self.authorizer,
            set: &self.set,
            rules: &self.rules,
        }
    }
}

/// One version of the rules. Immutable; share it behind an `Arc` and swap the `Arc` on reload.
#[derive(Debug)]
pub struct Policy {
    /// Nothing only if the embedded policy did not load: then everything is denied.
    engine: Option<Engine>,
    version: String,
    decisions: Cache<Decision>,
    reveals: Cache<Option<Arc<str>>>,
}

impl Policy {
    /// Reads a policy: all `*.cedar` files together, strictly validated against [`schema`](crate::schema).
    ///
    /// `*.toml`, `*.md` and `*.cedarschema` beside them are passed over; any other name is refused.
    ///
    /// # Errors
    /// Everything that is wrong, by file and line. The caller keeps the policy it has.
    pub fn load(files: &[PolicyFile]) -> Result<Self, Vec<Problem>> {
        let vocabulary = Vocabulary::read()
            .map_err(|error| vec![Problem::of_file("schema.cedarschema", error.to_string())])?;
        let loaded = load(files, &vocabulary)?;
        let engine = Engine {
            vocabulary,
            authorizer: Authorizer::new(),
            set: loaded.set,
            sees_columns: loaded.rules.values().any(|rule| rule.sees_columns),
            grants_reveals: loaded.rules.values().any(|rule| rule.grants_reveal),
            rules: loaded.rules,
        };
        Ok(Self::of(Some(engine), version(files)))
    }

    /// The policy that ships with Sallyport: `starter/` of this crate.
    #[must_use]
    pub fn starter() -> Self {
        // Its own tests load it. Should it ever not load, what remains denies everything.
        Self::load(&Self::starter_files()).unwrap_or_else(|_| Self::of(None, "none".to_owned()))
    }

    fn of(engine: Option<Engine>, version: String) -> Self {
        Self { engine, version, decisions: Cache::new(), reveals: Cache::new() }
    }

    /// What the rules' texts hash to: the first 12 hexadecimal digits of SHA-256 over the sorted files.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Decides an operation. Any failure on the way is a denial by `policy-error`.
    #[must_use]
    pub fn decide(&self, question: &Question<'_>) -> Decision {
        let labels = Labels::look_up(question);
        let key = decision_key(question, &labels);
        if let Some(decision) = self.decisions.get(&key) {
            return decision;
        }
        let decision = self
            .judge(question, &labels)
            .map_or_else(|_| self.failed(), |(court, judged)| court.compose(&judged, &self.version));
        self.decisions.put(key, decision.clone());
        decision
    }

    /// Whether a session may be opened. Never a hold: holding rules do not count here.
    #[must_use]
    pub fn may_connect(
        &self,
        principal: &Principal,
        target: &Target,
        database: &str,
        now: Timestamp,
    ) -> Decision {
        self.connect(principal, target, database, now).unwrap_or_else(|_| self.failed())
    }

    /// Whether a labelled value is shown in the clear: only when a rule says so whose scope names
    /// `Action::"reveal"` and a label, and none forbids it.
    #[must_use]
    pub fn reveals(&self, question: &RevealQuestion<'_>) -> bool {
        self.revealed_by(question).is_some()
    }

    /// The first rule by name that shows a labelled value in the clear; nothing where none does.
    #[must_use]
    pub fn revealed_by(&self, question: &RevealQuestion<'_>) -> Option<Arc<str>> {
        if !self.may_reveal() {
            return None;
        }
        let key = reveal_key(question);
        if let Some(answer) = self.reveals.get(&key) {
            return answer;
        }
        let answer = self.reveal(question).unwrap_or_default().map(Arc::from);
        self.reveals.put(key, answer.clone());
        answer
    }

    /// Whether any rule reveals anything to anybody.
    #[must_use]
    pub fn may_reveal(&self) -> bool {
        self.engine.as_ref().is_some_and(|engine| engine.grants_reveals)
    }

    /// Every request behind a decision, with the rules that match it.
    #[must_use]
    pub fn explain(&self, question: &Question<'_>) -> Explanation {
        let labels = Labels::look_up(question);
        match self.judge(question, &labels) {
            Ok((court, judged)) => Explanation::new(court.compose(&judged, &self.version), &judged),
            Err(_) => Explanation::new(self.failed(), &[]),
        }
    }

    fn failed(&self) -> Decision {
        Decision::deny(POLICY_ERROR, Some("the policy could not be evaluated"), &self.version)
    }

    fn engine(&self) -> Result<&Engine, AskError> {
        self.engine.as_ref().ok_or(AskError::NoPolicy)
    }

    fn judge(&self, question: &Question<'_>, labels: &Labels) -> Result<(Court<'_>, Vec<Judged>), AskError> {
        let engine = self.engine()?;
        let court = engine.court();
        let judged = court.judge(&asks(question, labels, &engine.vocabulary, engine.sees_columns)?)?;
        Ok((court, judged))
    }

    fn connect(
        &self,
        principal: &Principal,
        target: &Target,
        database: &str,
        now: Timestamp,
    ) -> Result<Decision, AskError> {
        let engine = self.engine()?;
        let mut entities = Entities::new(&engine.vocabulary.types);
        let principal = entities.principal(principal)?;
        let resource = entities.target(target)?;
        let database = entities.database(&Place::new(target, database), database)?;
        let mut pairs = moment(now);
        pairs.push(("database", RestrictedExpression::new_entity_uid(database)));
        let ask = Ask {
            action: engine.vocabulary.connect.clone(),
            resource,
            context: context(pairs)?,
            silence: Silence::Denies,
        };
        let court = engine.court();
        let judged = court.judge(&Asks { principal, entities, asks: vec![ask] })?;
        Ok(court.compose(&judged, &self.version))
    }

    fn reveal(&self, question: &RevealQuestion<'_>) -> Result<Option<String>, AskError> {
        let engine = self.engine()?;
        let place = Place::new(question.target, question.database);
        let mut entities = Entities::new(&engine.vocabulary.types);
        let principal = entities.principal(question.principal)?;
        let target = entities.target(question.target)?;
        let database = entities.database(&place, question.database)?;
        let relation = entities.relation(&place, question.schema, question.relation)?;
        let labels = [question.label.to_owned()];
        let column = entities.column(&place, question.schema, question.relation, question.column, &labels)?;
        let resource = entities.label(question.label)?;
        let mut pairs = moment(question.now);
        for (name, entity) in
            [("target", target), ("database", database), ("relation", relation), ("column", column)]
        {
            pairs.push((name, RestrictedExpression::new_entity_uid(entity)));
        }
        let ask = Ask {
            action: engine.vocabulary.reveal.clone(),
            resource,
            context: context(pairs)?,
            silence: Silence::Denies,
        };
        let judged = engine.court().judge(&Asks { principal, entities, asks: vec![ask] })?;
        let allowed = judged.first().filter(|one| one.outcome.effect() == Effect::Allow);
        Ok(allowed.and_then(|one| one.rules.first().cloned()))
    }
}

/// 12 hexadecimal digits of the digest of the rule files, sorted by name.
fn version(files: &[PolicyFile]) -> String {
    let mut files: Vec<&PolicyFile> = files.iter().filter(|file| holds_rules(file) == Ok(true)).collect();
    files.sort_by(|a, b| (&a.name, &a.text).cmp(&(&b.name, &b.text)));
    let digest = files
        .iter()
        .fold(DigestBuilder::new("sallyport-policy"), |digest, file| {
            digest.field(file.name.as_bytes()).field(file.text.as_bytes())
        })
        .finish();
    digest.to_string().chars().take(12).collect()
}

fn decision_key(question: &Question<'_>, labels: &Labels) -> Key {
    key(&(
        "decide",
        who(question.principal),
        place_key(question.target, question.database),
        question.facts,
        labels,
        question.in_transaction,
        question.now.minute(),
    ))
}

fn reveal_key(question: &RevealQuestion<'_>) -> Key {
    key(&(
        "reveal",
        who(question.principal),
        place_key(question.target, question.database),
        (question.label, question.schema, question.relation, question.column),
        question.now.minute(),
    ))
}

/// All of a principal that policy sees.
fn who(principal: &Principal) -> impl std::hash::Hash {
    (&principal.name, principal.kind, &principal.on_behalf_of, &principal.groups)
}

/// All of a target that policy sees.
fn place_key<'a>(target: &'a Target, database: &'a str) -> impl std::hash::Hash {
    (&target.name, &target.protocol, &target.tags, database)
}

#[cfg(test)]
#[path = "policy_tests.rs"]
mod tests;
