//! What an operation reads, by label, less what its caller may see.

use std::collections::BTreeSet;
use std::sync::Arc;

use sallyport_core::{ColumnRef, Group, LabelSource as _, ObjectName, Principal, Target, Timestamp, Verb};
use sallyport_inspect::mysql::{Inspection, ResultColumns, StatementKind};
use sallyport_mask::{Labels, Operator};
use sallyport_policy::{Policy, RevealQuestion};
use sallyport_wire::mysql::column::Column;

use super::super::catalog::{Catalog, is_system};
use super::plan::{RowPlan, Treatment};
use super::taint::Taint;
use crate::session::Session;

/// The label of what cannot be settled; a rule may reveal it under this name.
pub(super) const UNSETTLED: &str = "unsettled";
/// The label of what the server keeps of others' texts and values.
const CATALOG_VALUES: &str = "catalog.values";

/// What masking is decided by: the versions in force when the operation was admitted, and what it reads.
#[derive(Debug)]
pub(in super::super) struct Basis {
    policy: Arc<Policy>,
    labels: Arc<Labels>,
    catalog: Arc<Catalog>,
    principal: Arc<Principal>,
    target: Arc<Target>,
    now: Timestamp,
    temporary: BTreeSet<ObjectName>,
    /// Every label that its result may hold and the caller may not see.
    everything: BTreeSet<String>,
    /// Every label that it reads, in conditions too, and the caller may not see.
    touched: BTreeSet<String>,
    /// The target's own text may hold protected values.
    strict: bool,
    /// It shows what the server keeps: perhaps messages of the operation before it, or what others run.
    shows: bool,
    /// It may tell how many messages there were: one for each row that a condition met, for example.
    counts: bool,
    /// It explains: its plans may show values.
    explains: bool,
    /// Its result may have other columns than its select list: PROCEDURE ANALYSE gives values in rows.
    reshapes: bool,
}

impl Basis {
    pub(in super::super) fn new(
        session: &Session,
        catalog: Arc<Catalog>,
        inspection: &Inspection,
        text: &[u8],
        taint: &Taint,
    ) -> Self {
        let facts = &inspection.facts;
        let mut basis = Self {
            policy: session.policy(),
            labels: session.labels(),
            catalog,
            principal: Arc::clone(&session.principal),
            target: Arc::clone(&session.target),
            now: session.house.clock.now(),
            temporary: taint.temporary.clone(),
            everything: BTreeSet::new(),
            touched: BTreeSet::new(),
            strict: false,
            // Facts of SHOW do not say what it shows; its columns do.
            shows: facts.actions.iter().all(|action| action.action == Verb::Show),
            reshapes: has_word(text, b"analyse"),
            counts: [&b"warning_count"[..], b"error_count"].iter().any(|word| has_word(text, word)),
            explains: inspection.statements.iter().any(|statement| statement.kind == StatementKind::Explain),
        };
        // SHOW EXPLAIN and its kind show the plan of what another connection runs, and its text.
        let shows_plans =
            basis.shows && [&b"explain"[..], b"analyze"].iter().any(|word| has_word(text, word));
        basis.explains |= shows_plans;
        let runs_code = facts.unknown.is_some()
            || facts.touches(Group::Code)
            || inspection.statements.iter().any(|statement| statement.unclassed_code);
        // A file holds what was written into it.
        let unread = runs_code || shows_plans || facts.touches(Group::Escape);
        let mut everything = BTreeSet::new();
        let mut touched = BTreeSet::new();
        // What a variable holds may be quoted as a column's value is.
        let mut touches = unread || inspection.statements.is_empty() || !taint.variables.is_empty();
        for action in &facts.actions {
            let Some(object) = action.object.as_ref().filter(|_| is_relation(action.kind.as_deref())) else {
                continue;
            };
            // Plans quote what conditions compare with.
            let in_plans = basis.explains || action.action == Verb::Explain;
            let all = basis.labels_of(object, "*");
            if all.is_empty() {
                continue;
            }
            touches = true;
            for column in &action.columns {
                let labels = basis.labels_of(object, column);
                if action.group == Group::Read {
                    everything.extend(labels.iter().cloned());
                    touched.extend(labels);
                }
            }
            for column in &action.filters {
                touched.extend(basis.labels_of(object, column));
            }
            if in_plans {
                everything.extend(all);
            }
        }
        if unread {
            everything.extend(basis.unsettled());
            // Code may give what it finds in the session.
            everything.extend(taint.variables.iter().cloned());
        }
        touched.extend(everything.iter().cloned());
        basis.everything = everything;
        basis.touched = touched;
        basis.strict = touches;
        basis
    }

    /// Every label that it reads, in conditions too, and the caller may not see.
    pub(in super::super) fn touched(&self) -> &BTreeSet<String> {
        &self.touched
    }

    /// Whether the target's own text may hold protected values.
    pub(in super::super) fn is_strict(&self) -> bool {
        self.strict
    }

    /// Whether it shows what the server keeps, and leaves the messages of the operation before it as they are.
    pub(super) fn shows(&self) -> bool {
        self.shows
    }

    fn reveals(&self, label: &str, schema: &str, relation: &str, column: &str) -> bool {
        self.policy.reveals(&RevealQuestion {
            principal: &self.principal,
            target: &self.target,
            database: if schema.is_empty() { &self.target.database } else { schema },
            label,
            schema,
            relation,
            column,
            now: self.now,
        })
    }

    fn unsettled(&self) -> Option<String> {
        (!self.reveals(UNSETTLED, "", "", "")).then(|| UNSETTLED.to_owned())
    }

    /// The labels of a column down to the tables that it is made of, less what the caller may see.
    fn labels_of(&self, object: &ObjectName, column: &str) -> BTreeSet<String> {
        let origin = self.catalog.origin(object, column);
        let mut labels = BTreeSet::new();
        for (base, column) in &origin.columns {
            let Some(schema) = &base.schema else { continue };
            let place = ColumnRef {
                target: &self.target.name,
                database: schema,
                schema,
                relation: &base.name,
                column,
            };
            let found = self.labels.labels_of(place).into_iter();
            labels.extend(found.filter(|label| !self.reveals(label, schema, &base.name, column)));
        }
        if origin.unsettled || self.temporary.contains(object) {
            labels.extend(self.unsettled());
        }
        labels
    }

    /// How the rows of result `index` are masked.
    pub(in super::super) fn plan(
        &self,
        inspection: &Inspection,
        index: usize,
        columns: &[Column],
        taint: &Taint,
    ) -> RowPlan {
        let statement = match inspection.statements.as_slice() {
            [only] if index == 0 && only.kind == StatementKind::Other && !self.reshapes => Some(only),
            _ => None,
        };
        // Which statement of several a result belongs to is not certain; that none of them has a derived
        // table, is.
        let open = |result: &ResultColumns| result.derived || result.items.is_none();
        let derived = self.reshapes
            || inspection.statements.is_empty()
            || inspection.statements.iter().any(|statement| open(&statement.result));
        let runs_code = inspection.facts.unknown.is_some() || inspection.facts.touches(Group::Code);
        let of_statement = statement.filter(|_| inspection.facts.unknown.is_none());
        // INSERT … RETURNING answers with what it has just written.
        let writes = inspection
            .facts
            .actions
            .iter()
            .any(|action| action.group == Group::Write && action.action != Verb::Delete);
        let treatments = columns
            .iter()
            .enumerate()
            .map(|(place, column)| {
                let result = of_statement.map(|statement| &statement.result);
                let mut labels = self.of_items(result, place, columns.len(), taint).unwrap_or_else(|| {
                    let named = (!derived && !runs_code).then(|| self.by_name(column)).flatten();
                    named.unwrap_or_else(|| self.everything.iter().chain(&taint.variables).cloned().collect())
                });
                labels.extend(self.by_name(column).unwrap_or_default());
                if writes {
                    labels.extend(self.touched.iter().chain(&taint.variables).cloned());
                }
                self.special(column, columns, taint, &mut labels);
                self.treatment(labels)
            })
            .collect();
        RowPlan::new(columns, treatments, self.labels.hash_key().cloned())
    }

    /// What the parsed select list says of a column; nothing when it does not settle it.
    fn of_items(
        &self,
        result: Option<&ResultColumns>,
        place: usize,
        count: usize,
        taint: &Taint,
    ) -> Option<BTreeSet<String>> {
        let items = result?.items.as_ref().filter(|items| items.len() == count)?;
        let item = items.get(place).filter(|item| !item.star)?;
        // A star beside it would shift the places.
        if items.iter().any(|item| item.star) {
            return None;
        }
        let mut labels = BTreeSet::new();
        for (object, column) in &item.reads {
            labels.extend(self.labels_of(object, column));
        }
        if item.unsettled {
            labels.extend(self.everything.iter().cloned());
        }
        if item.variables || item.unsettled {
            labels.extend(taint.variables.iter().cloned());
        }
        Some(labels)
    }

    /// What the server's own names say of a column; nothing when they name no column of the catalog.
    fn by_name(&self, column: &Column) -> Option<BTreeSet<String>> {
        let text =
            |bytes: &[u8]| std::str::from_utf8(bytes).ok().filter(|name| !name.is_empty()).map(str::to_owned);
        let (schema, table, name) =
            (text(&column.schema)?, text(&column.org_table)?, text(&column.org_name)?);
        let object = if is_system(&schema) {
            ObjectName::mysql(Some(&schema.to_lowercase()), &table.to_lowercase())
        } else {
            ObjectName::mysql(Some(&schema), &table)
        };
        let known = is_system(&schema) || self.catalog.relation(&object).is_some();
        known.then(|| self.labels_of(&object, &name.to_lowercase()))
    }

    /// What statements show that have no select list: messages of the one before, what others run, plans.
    fn special(&self, column: &Column, columns: &[Column], taint: &Taint, labels: &mut BTreeSet<String>) {
        let tells_of_them = column.name == b"Message" || column.name.starts_with(b"@@");
        if taint.messages && (self.counts || self.shows && tells_of_them) {
            labels.extend(self.unsettled());
        }
        // SHOW PROCESSLIST, and SHOW ENGINE … STATUS, which prints texts and rows.
        let of_engine = columns.iter().map(|column| &*column.name).eq([&b"Type"[..], b"Name", b"Status"]);
        if self.shows
            && column.org_table.is_empty()
            && (column.name == b"Info" || (of_engine && column.name == b"Status"))
            && !self.reveals(CATALOG_VALUES, "information_schema", "processlist", "info")
        {
            labels.insert(CATALOG_VALUES.to_owned());
        }
        // A table of ten columns tells of indexes and counts; a text or a document may hold constants.
        let tells = matches!(
            column.name.as_slice(),
            b"id"
                | b"select_type"
                | b"table"
                | b"partitions"
                | b"type"
                | b"possible_keys"
                | b"key"
                | b"key_len"
                | b"ref"
                | b"rows"
                | b"filtered"
                | b"r_rows"
                | b"r_filtered"
        );
        if self.explains && tells {
            labels.clear();
        }
    }

    fn treatment(&self, labels: BTreeSet<String>) -> Treatment {
        let mut labels = labels.into_iter();
        match (labels.next(), labels.next()) {
            (None, _) => Treatment::Look,
            (Some(label), None) => {
                let operator = self.labels.operator(&label);
                Treatment::Label { label, operator }
            }
            (Some(label), Some(_)) => Treatment::Label { label, operator: Operator::Redact },
        }
    }
}

/// Whether a text holds a word, wherever it stands.
pub(super) fn has_word(text: &[u8], word: &[u8]) -> bool {
    text.windows(word.len()).any(|part| part.eq_ignore_ascii_case(word))
}

/// Whether an action's object has columns.
fn is_relation(kind: Option<&str>) -> bool {
    matches!(kind, None | Some("table" | "view" | "sequence"))
}
