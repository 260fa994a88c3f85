//! A snapshot of what the target's catalog says, as plain data that somebody else fetched.

use std::collections::BTreeMap;

/// What sort of relation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RelationKind {
    /// `r` or `p`.
    Table,
    /// `v`.
    View,
    /// `m`.
    MaterializedView,
    /// `f`.
    ForeignTable,
    /// `S`.
    Sequence,
    /// `i`, `I`, `c`, `t`.
    Other,
}

/// A column of a relation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CatalogColumn {
    /// `attnum`.
    pub number: i16,
    /// Name.
    pub name: String,
    /// `atttypid`.
    pub type_id: u32,
}

/// A relation outside the temporary schemas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CatalogRelation {
    /// `pg_class.oid`.
    pub oid: u32,
    /// Schema.
    pub schema: String,
    /// Name.
    pub name: String,
    /// Sort.
    pub kind: RelationKind,
    /// Live columns in order of `attnum`.
    pub columns: Vec<CatalogColumn>,
    /// `pg_get_viewdef`, for views and materialised views.
    pub definition: Option<String>,
    /// Parents by inheritance or partitioning (`schema`, `name`): labels of a parent's column hold here too.
    pub parents: Vec<(String, String)>,
}

/// A function outside `pg_catalog` and `information_schema`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CatalogFunction {
    /// Schema.
    pub schema: String,
    /// Name.
    pub name: String,
}

/// The snapshot of one database.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    relations: BTreeMap<(String, String), CatalogRelation>,
    by_oid: BTreeMap<u32, (String, String)>,
    /// Per parent, its children by inheritance or partitioning.
    children: BTreeMap<(String, String), Vec<(String, String)>>,
    functions: std::collections::BTreeSet<CatalogFunction>,
    /// `oprname` of operators defined outside `pg_catalog`, with their schema.
    operators: std::collections::BTreeSet<(String, String)>,
    /// Types outside `pg_catalog`, and whether making a value of one runs nobody's code.
    types: BTreeMap<(String, String), bool>,
    /// The plain ones among them and their arrays, by number.
    plain_type_oids: std::collections::BTreeSet<u32>,
    /// Types that bring somebody's code with them, by number.
    code_types: BTreeMap<u32, (String, String)>,
    /// Changes with every refresh that changed anything: part of the cache's key.
    pub version: u64,
}

impl Catalog {
    /// Builds a snapshot.
    #[must_use]
    pub fn new(
        relations: Vec<CatalogRelation>,
        functions: Vec<CatalogFunction>,
        operators: Vec<(String, String)>,
        version: u64,
    ) -> Self {
        let by_oid = relations
            .iter()
            .map(|relation| (relation.oid, (relation.schema.clone(), relation.name.clone())))
            .collect();
        let mut children: BTreeMap<(String, String), Vec<(String, String)>> = BTreeMap::new();
        for relation in &relations {
            for parent in &relation.parents {
                children
                    .entry(parent.clone())
                    .or_default()
                    .push((relation.schema.clone(), relation.name.clone()));
            }
        }
        let relations = relations
            .into_iter()
            .map(|relation| ((relation.schema.clone(), relation.name.clone()), relation))
            .collect();
        Self {
            relations,
            by_oid,
            children,
            functions: functions.into_iter().collect(),
            operators: operators.into_iter().collect(),
            types: BTreeMap::new(),
            plain_type_oids: std::collections::BTreeSet::new(),
            code_types: BTreeMap::new(),
            version,
        }
    }

    /// With the types outside `pg_catalog`: schema, name, and whether it is plain: an enumeration that no
    /// cast function leads to. A type that is not listed may bring any code with it.
    #[must_use]
    pub fn with_types(mut self, types: Vec<(String, String, bool)>) -> Self {
        self.types = types.into_iter().map(|(schema, name, plain)| ((schema, name), plain)).collect();
        self
    }

    /// With the numbers of the plain types and of their arrays.
    #[must_use]
    pub fn with_plain_type_oids(mut self, oids: impl IntoIterator<Item = u32>) -> Self {
        self.plain_type_oids = oids.into_iter().collect();
        self
    }

    /// With the types whose values may run somebody's code when they are cast, compared or hashed, and all that
    /// are made of them: number, schema, name.
    #[must_use]
    pub fn with_code_types(mut self, types: impl IntoIterator<Item = (u32, String, String)>) -> Self {
        self.code_types = types.into_iter().map(|(oid, schema, name)| (oid, (schema, name))).collect();
        self
    }

    /// Whether there is any such type.
    #[must_use]
    pub fn has_code_types(&self) -> bool {
        !self.code_types.is_empty()
    }

    /// The schema and name of the type of that number, if it is one of them.
    #[must_use]
    pub fn code_type(&self, oid: u32) -> Option<(&str, &str)> {
        self.code_types.get(&oid).map(|(schema, name)| (schema.as_str(), name.as_str()))
    }

    /// Whether a type of that name is one of them, in any schema when none is written.
    #[must_use]
    pub fn is_code_type(&self, schema: Option<&str>, name: &str) -> bool {
        self.code_types.values().any(|(of, known)| known == name && schema.is_none_or(|schema| of == schema))
    }

    /// Whether making a value of the type of that number runs nobody's code: the server's own types, and
    /// plain ones. 0 leaves the type to the server, which takes it from the text.
    #[must_use]
    pub fn is_plain_type_oid(&self, oid: u32) -> bool {
        /// `FirstNormalObjectId`: what is below was made by initdb.
        const FIRST_OF_USERS: u32 = 16_384;
        oid < FIRST_OF_USERS || self.plain_type_oids.contains(&oid)
    }

    /// Whether a type of that name is plain; the first of the path counts when no schema is written.
    #[must_use]
    pub fn is_plain_type(&self, schema: Option<&str>, name: &str, path: &[String]) -> bool {
        let of = |schema: &str| self.types.get(&(schema.to_owned(), name.to_owned())).copied();
        match schema {
            Some(schema) => of(schema),
            None => path.iter().find_map(|schema| of(schema)),
        }
        .unwrap_or(false)
    }

    /// A relation by schema and name.
    #[must_use]
    pub fn relation(&self, schema: &str, name: &str) -> Option<&CatalogRelation> {
        self.relations.get(&(schema.to_owned(), name.to_owned()))
    }

    /// A relation by its object id.
    #[must_use]
    pub fn relation_by_oid(&self, oid: u32) -> Option<&CatalogRelation> {
        self.by_oid.get(&oid).and_then(|name| self.relations.get(name))
    }

    /// The relations that have this one as a parent: reading it reads their rows.
    #[must_use]
    pub fn children(&self, schema: &str, name: &str) -> &[(String, String)] {
        self.children.get(&(schema.to_owned(), name.to_owned())).map_or(&[], Vec::as_slice)
    }

    /// Every relation.
    pub fn relations(&self) -> impl Iterator<Item = &CatalogRelation> {
        self.relations.values()
    }

    /// Whether a user-defined function of that name exists in that schema.
    #[must_use]
    pub fn has_function(&self, schema: &str, name: &str) -> bool {
        self.functions.contains(&CatalogFunction { schema: schema.to_owned(), name: name.to_owned() })
    }

    /// Whether an operator of that name is defined outside `pg_catalog`, in that schema.
    #[must_use]
    pub fn has_operator(&self, schema: &str, name: &str) -> bool {
        self.operators.contains(&(schema.to_owned(), name.to_owned()))
    }
}
