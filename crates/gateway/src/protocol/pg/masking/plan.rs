//! From lineage, RowDescription, catalog and labels to what happens to each column.
//!
//! Made once per result. Three sources name a column's origin; a label that any of them brings counts, and
//! where they contradict each other the column is unsettled. Labels also hold along inheritance and
//! partitioning, both ways: a parent's label covers the child's rows, and reading a parent reads the child's.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use sallyport_core::{ColumnRef, LabelSource, Secret};
use sallyport_inspect::pg::{BaseColumn, Catalog, Lineage, Origin, RelationKind};
use sallyport_mask::{FieldContext, Labels, Masked, Operator};

use super::handed_out::HandedOut;
use super::shape::Shape;

/// The label of what cannot be settled; a rule may reveal it under this name.
pub(super) const UNSETTLED: &str = "unsettled";

/// One column as RowDescription gives it, with the result format of Bind.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    /// Its name in the result.
    pub(crate) name: Vec<u8>,
    /// The relation it comes from, 0 for none.
    pub(crate) table_oid: u32,
    /// `attnum` in that relation, 0 for none.
    pub(crate) column_number: i16,
    /// Its type.
    pub(crate) type_oid: u32,
    /// The type's modifier: of `varchar(n)` and `char(n)` n + 4, else -1.
    pub(crate) type_modifier: i32,
    /// Binary format.
    pub(crate) binary: bool,
}

/// What decides how a result is masked.
pub(crate) struct MaskContext<'a> {
    /// Target name.
    pub(crate) target: &'a str,
    /// Database name.
    pub(crate) database: &'a str,
    /// The target's catalog.
    pub(crate) catalog: Option<&'a Catalog>,
    /// The labels in force.
    pub(crate) labels: &'a Labels,
    /// Whether policy reveals a label on a column to this principal. For what is unsettled the label is
    /// `unsettled` and the column's parts are empty.
    pub(crate) reveals: &'a dyn Fn(&str, &BaseColumn) -> bool,
    /// Where pseudonyms are noted.
    pub(crate) handed_out: &'a Arc<HandedOut>,
}

impl fmt::Debug for MaskContext<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MaskContext")
            .field("target", &self.target)
            .field("database", &self.database)
            .finish_non_exhaustive()
    }
}

/// What happens to the values of a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Treatment {
    /// They pass.
    Pass,
    /// Detectors look at them.
    Look,
    /// Each value is masked by the operator of its label.
    Label {
        /// The label.
        label: String,
        /// Its operator.
        operator: Operator,
    },
    /// Each value is replaced whole by this text, or by NULL.
    Whole(Option<String>),
}

/// One column of a plan.
#[derive(Clone, Debug)]
pub(super) struct ColumnPlan {
    /// What happens to its values.
    pub(super) treatment: Treatment,
    /// Its type.
    pub(super) type_oid: u32,
    /// What its type can hold.
    pub(super) shape: Shape,
    /// The most characters it takes.
    pub(super) longest: Option<usize>,
    /// Binary format.
    pub(super) binary: bool,
    /// The name that detectors take as context.
    pub(super) name: String,
}

/// What operators work with.
#[derive(Clone, Debug, Default)]
pub(super) struct Means {
    /// The key of `hash` and `pseudonym`.
    pub(super) key: Option<Secret<Vec<u8>>>,
    /// Where pseudonyms are noted.
    pub(super) handed_out: Arc<HandedOut>,
}

/// How the rows of one result are masked.
#[derive(Clone, Debug)]
pub(crate) struct RowPlan {
    pub(super) columns: Vec<ColumnPlan>,
    pub(super) means: Means,
    untouched: bool,
}

impl RowPlan {
    /// The plan for rows that the target describes by `fields`.
    pub(crate) fn new(lineage: &Lineage, fields: &[Field], context: &MaskContext<'_>) -> Self {
        let settled = match lineage {
            Lineage::Columns(columns) if columns.len() == fields.len() => Some(columns),
            _ => None,
        };
        let columns: Vec<ColumnPlan> = fields
            .iter()
            .enumerate()
            .map(|(index, field)| {
                let origin = settled
                    .and_then(|columns| columns.get(index))
                    .map_or(&Origin::Unsettled, |column| &column.origin);
                context.column(origin, field)
            })
            .collect();
        Self {
            untouched: columns.iter().all(|column| column.treatment == Treatment::Pass),
            columns,
            means: Means {
                key: context.labels.hash_key().cloned(),
                handed_out: Arc::clone(context.handed_out),
            },
        }
    }

    /// Whether no column needs a look: every row may leave as it came, unread.
    pub(crate) fn passes_untouched(&self) -> bool {
        self.untouched
    }

    /// Whether any column carries a label that is not revealed, or is unsettled.
    #[cfg(test)]
    pub(crate) fn labelled(&self) -> bool {
        self.withheld_columns() > 0
    }

    /// How many columns do.
    #[cfg(test)]
    pub(crate) fn withheld_columns(&self) -> usize {
        self.columns.iter().filter(|column| column.treatment.is_masked()).count()
    }
}

#[cfg(test)]
impl Treatment {
    fn is_masked(&self) -> bool {
        matches!(self, Self::Label { .. } | Self::Whole(_))
    }
}

/// What the labels of a column come to.
struct Verdict {
    /// The strictest label that is not revealed.
    masked: Option<(String, Operator)>,
    /// Whether there are labels, and all of them are revealed.
    revealed: bool,
}

impl MaskContext<'_> {
    fn column(&self, origin: &Origin, field: &Field) -> ColumnPlan {
        let shape = Shape::of(field.type_oid);
        let treatment = self.treatment(origin, field, shape);
        let name = match origin {
            Origin::Column(base) => base.column.clone(),
            _ => String::from_utf8_lossy(&field.name).into_owned(),
        };
        let longest = match field.type_oid {
            1042 | 1043 => field.type_modifier.checked_sub(4).and_then(|most| usize::try_from(most).ok()),
            _ => None,
        };
        ColumnPlan { treatment, type_oid: field.type_oid, shape, longest, binary: field.binary, name }
    }

    fn treatment(&self, origin: &Origin, field: &Field, shape: Shape) -> Treatment {
        let confirmed = self.confirmed(field);
        if let Err(Contradiction) = confirmed {
            return self.unsettled(shape);
        }
        let confirmed = confirmed.unwrap_or(None);
        match origin {
            Origin::Unsettled => self.unsettled(shape),
            Origin::Column(base) => {
                if let Some((confirmed, is_view)) = &confirmed
                    && !is_view
                    && confirmed != base
                {
                    return self.unsettled(shape);
                }
                let verdict = self.verdict(std::iter::once(base), confirmed.as_ref());
                match verdict.masked {
                    Some((label, operator)) => Treatment::Label { label, operator },
                    None if verdict.revealed => Treatment::Pass,
                    None => look(shape, &base.column),
                }
            }
            Origin::Expression(sources) => {
                let verdict = self.verdict(sources.iter(), confirmed.as_ref());
                match verdict.masked {
                    Some((label, operator)) => whole(&label, &operator, shape),
                    None if verdict.revealed => Treatment::Pass,
                    None => look(shape, &String::from_utf8_lossy(&field.name)),
                }
            }
        }
    }

    /// Asks about every label that a result of this lineage could show.
    pub(crate) fn ask_reveals(&self, lineage: &Lineage) {
        let Lineage::Columns(columns) = lineage else {
            self.unsettled(Shape::Text);
            return;
        };
        for column in columns {
            match &column.origin {
                Origin::Unsettled => {
                    self.unsettled(Shape::Text);
                }
                Origin::Column(base) => {
                    self.verdict(std::iter::once(base), None);
                }
                Origin::Expression(sources) => {
                    self.verdict(sources.iter(), None);
                }
            }
        }
    }

    fn unsettled(&self, shape: Shape) -> Treatment {
        let nowhere = BaseColumn { schema: String::new(), relation: String::new(), column: String::new() };
        if (self.reveals)(UNSETTLED, &nowhere) {
            // What it is remains unknown, so the second net stays.
            return look(shape, "");
        }
        whole(UNSETTLED, &Operator::Redact, shape)
    }

    /// The column that RowDescription names, and whether its relation is a view; nothing where it names none.
    fn confirmed(&self, field: &Field) -> Result<Option<(BaseColumn, bool)>, Contradiction> {
        let Some(catalog) = self.catalog.filter(|_| field.table_oid != 0) else { return Ok(None) };
        let Some(relation) = catalog.relation_by_oid(field.table_oid) else {
            // The system's own relations need not be in the snapshot; anything else would be a stranger.
            return if field.table_oid < FIRST_USER_OID { Ok(None) } else { Err(Contradiction) };
        };
        let name = match field.column_number {
            // ctid, tableoid and the like hold nobody's data.
            ..0 => return Ok(None),
            // The whole row: the labels of every column.
            0 => "*",
            number => match relation.columns.iter().find(|column| column.number == number) {
                Some(column) => &column.name,
                None => return Err(Contradiction),
            },
        };
        let base = BaseColumn {
            schema: relation.schema.clone(),
            relation: relation.name.clone(),
            column: name.to_owned(),
        };
        let is_view = matches!(relation.kind, RelationKind::View | RelationKind::MaterializedView);
        Ok(Some((base, is_view)))
    }

    /// What the labels of all these columns come to. Those of the confirmed column can mask, not reveal: a
    /// view's column carries none of its own.
    fn verdict<'b>(
        &self,
        columns: impl Iterator<Item = &'b BaseColumn>,
        confirmed: Option<&'b (BaseColumn, bool)>,
    ) -> Verdict {
        let mut masked: Option<(String, Operator)> = None;
        let mut revealed = true;
        let mut any = false;
        let confirmed = confirmed.map(|(column, _)| (column, false));
        for (column, counts) in columns.map(|column| (column, true)).chain(confirmed) {
            let labels = self.labels_of(column);
            any |= counts;
            revealed &= !counts || !labels.is_empty();
            for label in labels {
                if (self.reveals)(&label, column) {
                    continue;
                }
                let operator = self.labels.operator(&label);
                if masked.as_ref().is_none_or(|(_, before)| operator.strictness() > before.strictness()) {
                    masked = Some((label, operator));
                }
            }
        }
        Verdict { revealed: any && revealed && masked.is_none(), masked }
    }

    /// The labels of a column, its parents' and its children's.
    fn labels_of(&self, column: &BaseColumn) -> BTreeSet<String> {
        let mut labels = BTreeSet::new();
        let mut seen: BTreeSet<(String, String)> = BTreeSet::new();
        let start = (column.schema.clone(), column.relation.clone());
        let mut ask = vec![(start, true, true)];
        while let Some((relation, up, down)) = ask.pop() {
            if !seen.insert(relation.clone()) {
                continue;
            }
            let reference = ColumnRef {
                target: self.target,
                database: self.database,
                schema: &relation.0,
                relation: &relation.1,
                column: &column.column,
            };
            labels.extend(self.labels.labels_of(reference));
            let Some(catalog) = self.catalog else { continue };
            if up && let Some(relation) = catalog.relation(&relation.0, &relation.1) {
                ask.extend(relation.parents.iter().map(|parent| (parent.clone(), true, false)));
            }
            if down {
                let children = catalog.children(&relation.0, &relation.1);
                ask.extend(children.iter().map(|child| (child.clone(), true, true)));
            }
        }
        labels
    }
}

/// The first object id that a user's relation can have (`FirstNormalObjectId`).
const FIRST_USER_OID: u32 = 16_384;

/// The target's description and the catalog do not fit together.
struct Contradiction;

/// A computed value keeps nothing of itself, so the operators that keep something redact.
fn whole(label: &str, operator: &Operator, shape: Shape) -> Treatment {
    Treatment::Whole(match operator.whole(label) {
        Masked::Text(text) if shape.takes_text() => Some(text),
        _ => None,
    })
}

fn look(shape: Shape, name: &str) -> Treatment {
    let says_whose = || FieldContext::column(name).says_whose_number();
    match shape {
        Shape::Plain => Treatment::Pass,
        Shape::Figure(_) if !says_whose() => Treatment::Pass,
        Shape::Array(element) if matches!(Shape::of(element), Shape::Figure(_)) && !says_whose() => {
            Treatment::Pass
        }
        _ => Treatment::Look,
    }
}

#[cfg(test)]
#[path = "plan_tests.rs"]
pub(super) mod tests;
