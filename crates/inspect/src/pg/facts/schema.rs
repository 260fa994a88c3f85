//! Definitions made: every CREATE, COMMENT, and what they carry.

use pg_query::NodeEnum;
use pg_query::protobuf::{CreateFunctionStmt, CreateTableAsStmt, IntoClause, Node, ObjectType, RangeVar};
use sallyport_core::{Action, ObjectName, Verb};

use super::names::{object_name, role, split, type_name, written};
use super::{Reader, inner, strings};

/// The word for a kind of object.
pub(super) fn kind_word(object: ObjectType) -> &'static str {
    match object {
        ObjectType::ObjectAccessMethod => "access-method",
        ObjectType::ObjectAggregate => "aggregate",
        ObjectType::ObjectAmop | ObjectType::ObjectAmproc | ObjectType::ObjectOpfamily => "operator-family",
        ObjectType::ObjectAttribute | ObjectType::ObjectType => "type",
        ObjectType::ObjectCast => "cast",
        ObjectType::ObjectColumn | ObjectType::ObjectTable | ObjectType::ObjectDefault => "table",
        ObjectType::ObjectCollation => "collation",
        ObjectType::ObjectConversion => "conversion",
        ObjectType::ObjectDatabase => "database",
        ObjectType::ObjectDefacl => "default-privileges",
        ObjectType::ObjectDomain | ObjectType::ObjectDomconstraint => "domain",
        ObjectType::ObjectEventTrigger => "event-trigger",
        ObjectType::ObjectExtension => "extension",
        ObjectType::ObjectFdw => "foreign-data-wrapper",
        ObjectType::ObjectForeignServer => "server",
        ObjectType::ObjectForeignTable => "foreign-table",
        ObjectType::ObjectFunction => "function",
        ObjectType::ObjectRoutine => "routine",
        ObjectType::ObjectIndex => "index",
        ObjectType::ObjectLanguage => "language",
        ObjectType::ObjectLargeobject => "large-object",
        ObjectType::ObjectMatview => "materialized-view",
        ObjectType::ObjectOpclass => "operator-class",
        ObjectType::ObjectOperator => "operator",
        ObjectType::ObjectParameterAcl => "setting",
        ObjectType::ObjectPolicy => "policy",
        ObjectType::ObjectProcedure => "procedure",
        ObjectType::ObjectPublication
        | ObjectType::ObjectPublicationNamespace
        | ObjectType::ObjectPublicationRel => "publication",
        ObjectType::ObjectRole => "role",
        ObjectType::ObjectRule => "rule",
        ObjectType::ObjectSchema => "schema",
        ObjectType::ObjectSequence => "sequence",
        ObjectType::ObjectSubscription => "subscription",
        ObjectType::ObjectStatisticExt => "statistics",
        ObjectType::ObjectTabconstraint => "constraint",
        ObjectType::ObjectTablespace => "tablespace",
        ObjectType::ObjectTransform => "transform",
        ObjectType::ObjectTrigger => "trigger",
        ObjectType::ObjectTsconfiguration => "text-search-configuration",
        ObjectType::ObjectTsdictionary => "text-search-dictionary",
        ObjectType::ObjectTsparser => "text-search-parser",
        ObjectType::ObjectTstemplate => "text-search-template",
        ObjectType::ObjectUserMapping => "user-mapping",
        ObjectType::ObjectView => "view",
        ObjectType::Undefined => "object",
    }
}

/// Languages whose code cannot leave the database.
const TRUSTED: [&str; 5] = ["sql", "plpgsql", "plperl", "pltcl", "plv8"];

impl Reader<'_> {
    /// A kind of object; one that the grammar did not have when this was written is a gap.
    pub(super) fn object_type(&mut self, value: i32) -> ObjectType {
        ObjectType::try_from(value).unwrap_or_else(|_| {
            self.unsupported("a kind of object");
            ObjectType::Undefined
        })
    }

    /// Statements that make, change or drop definitions and privileges.
    pub(super) fn definition(&mut self, node: &NodeEnum) {
        if !(self.role_statement(node) || self.create(node) || self.alter(node)) {
            self.unsupported_node(node);
        }
    }

    /// A new object of a schema.
    pub(super) fn create_in_schema(&mut self, kind: &str, name: ObjectName) {
        for object in self.created(name, false) {
            self.act(Verb::Create, kind, object);
        }
    }

    pub(super) fn create_relation(&mut self, kind: &str, range: &RangeVar) {
        for object in self.created(written(range), range.relpersistence == "t") {
            self.act(Verb::Create, kind, object);
        }
    }

    fn create(&mut self, node: &NodeEnum) -> bool {
        match node {
            NodeEnum::CreateStmt(create) => self.create_table("table", create),
            NodeEnum::CreateForeignTableStmt(create) => {
                if let Some(base) = &create.base_stmt {
                    self.create_table("foreign-table", base);
                }
                self.act_bare(Verb::Network, "server", &create.servername);
            }
            NodeEnum::CreateTableAsStmt(create) => self.create_as(create),
            NodeEnum::ViewStmt(view) => {
                if let Some(range) = &view.view {
                    self.create_relation("view", range);
                }
                if let Some(query) = inner(&view.query) {
                    self.query_statement(query);
                }
            }
            NodeEnum::IndexStmt(index) => self.create_index(index),
            NodeEnum::CreateSeqStmt(create) => {
                if let Some(range) = &create.sequence {
                    self.create_relation("sequence", range);
                }
            }
            NodeEnum::CreateSchemaStmt(create) => {
                let owner = create.authrole.as_ref().map(role);
                let name = if create.schemaname.is_empty() {
                    owner.clone().unwrap_or_default()
                } else {
                    create.schemaname.clone()
                };
                self.act_bare(Verb::Create, "schema", &name);
                // What stands inside is made in the new schema.
                let path = self.path.clone();
                let outer = self.new_schema.replace(name.clone());
                if let Some(path) = &mut self.path {
                    path.insert(0, name);
                }
                for element in &create.schema_elts {
                    if let Some(node) = element.node.as_ref() {
                        self.deeper(|reader| {
                            reader.any_statement(node);
                        });
                    }
                }
                self.path = path;
                self.new_schema = outer;
            }
            NodeEnum::CreateFunctionStmt(create) => self.create_function(create),
            NodeEnum::CreateTrigStmt(trigger) => {
                self.on_each("trigger", &trigger.trigname, trigger.relation.as_ref(), Verb::Create);
            }
            NodeEnum::RuleStmt(rule) => {
                self.on_each("rule", &rule.rulename, rule.relation.as_ref(), Verb::Create)
            }
            NodeEnum::CreatePolicyStmt(policy) => {
                self.on_each("policy", &policy.policy_name, policy.table.as_ref(), Verb::Create);
            }
            NodeEnum::CreateEventTrigStmt(trigger) => {
                self.act_bare(Verb::Create, "event-trigger", &trigger.trigname)
            }
            NodeEnum::CreateExtensionStmt(extension) => {
                self.act_bare(Verb::Create, "extension", &extension.extname)
            }
            NodeEnum::CreateFdwStmt(wrapper) => {
                self.act_bare(Verb::Create, "foreign-data-wrapper", &wrapper.fdwname);
                self.act_bare(Verb::Network, "foreign-data-wrapper", &wrapper.fdwname);
            }
            NodeEnum::CreateForeignServerStmt(server) => {
                self.act_bare(Verb::Create, "server", &server.servername);
                self.act_bare(Verb::Network, "server", &server.servername);
            }
            NodeEnum::CreateUserMappingStmt(mapping) => {
                self.act_bare(Verb::Create, "user-mapping", &mapping.servername);
                self.act_bare(Verb::Network, "server", &mapping.servername);
            }
            NodeEnum::ImportForeignSchemaStmt(import) => {
                self.act_bare(Verb::Create, "schema", &import.local_schema);
                self.act_bare(Verb::Network, "server", &import.server_name);
            }
            NodeEnum::CreateAmStmt(method) => self.act_bare(Verb::Create, "access-method", &method.amname),
            NodeEnum::CreatePlangStmt(language) => {
                self.act_bare(Verb::Create, "language", &language.plname);
                self.act_bare(Verb::LoadLibrary, "language", &language.plname);
            }
            NodeEnum::DefineStmt(define) => {
                let kind = self.object_type(define.kind);
                let name = split(&strings(&define.defnames));
                self.created_code.insert(name.name.clone());
                self.create_in_schema(kind_word(kind), name);
            }
            NodeEnum::CreateDomainStmt(domain) => {
                let name = split(&strings(&domain.domainname));
                self.created_code.insert(name.name.clone());
                self.create_in_schema("domain", name);
                self.collation(domain.coll_clause.as_deref());
                self.elements(&domain.constraints);
            }
            NodeEnum::CompositeTypeStmt(composite) => {
                if let Some(range) = &composite.typevar {
                    self.create_relation("type", range);
                }
            }
            NodeEnum::CreateEnumStmt(create) => {
                self.create_in_schema("type", split(&strings(&create.type_name)))
            }
            NodeEnum::CreateRangeStmt(create) => {
                self.create_in_schema("type", split(&strings(&create.type_name)))
            }
            NodeEnum::CreateOpClassStmt(class) => {
                self.create_in_schema("operator-class", split(&strings(&class.opclassname)));
            }
            NodeEnum::CreateOpFamilyStmt(family) => {
                self.create_in_schema("operator-family", split(&strings(&family.opfamilyname)));
            }
            NodeEnum::CreateConversionStmt(conversion) => {
                self.create_in_schema("conversion", split(&strings(&conversion.conversion_name)));
            }
            NodeEnum::CreateCastStmt(cast) => {
                let object = cast.targettype.as_ref().map_or_else(|| ObjectName::bare(""), type_name);
                self.created_code.insert(object.name.clone());
                self.act(Verb::Create, "cast", object);
            }
            NodeEnum::CreateTransformStmt(transform) => {
                let object = transform.type_name.as_ref().map_or_else(|| ObjectName::bare(""), type_name);
                self.act(Verb::Create, "transform", object);
            }
            NodeEnum::CreateStatsStmt(stats) => {
                self.create_in_schema("statistics", split(&strings(&stats.defnames)));
            }
            NodeEnum::CreatedbStmt(create) => self.act_bare(Verb::Create, "database", &create.dbname),
            NodeEnum::CreateTableSpaceStmt(space) => {
                self.act_bare(Verb::Create, "tablespace", &space.tablespacename);
                self.act_bare(Verb::FileWrite, "file", &space.location);
            }
            NodeEnum::CreatePublicationStmt(publication) => {
                self.act_bare(Verb::Create, "publication", &publication.pubname);
            }
            NodeEnum::CreateSubscriptionStmt(subscription) => {
                self.act_bare(Verb::Create, "subscription", &subscription.subname);
                self.act_bare(Verb::Network, "subscription", &subscription.subname);
            }
            NodeEnum::CommentStmt(comment) => {
                self.on_object(Verb::Comment, comment.objtype, comment.object.as_deref())
            }
            NodeEnum::SecLabelStmt(label) => {
                self.on_object(Verb::Alter, label.objtype, label.object.as_deref())
            }
            _ => return false,
        }
        true
    }

    pub(super) fn on_object(&mut self, verb: Verb, object_type: i32, object: Option<&Node>) {
        let object_type = self.object_type(object_type);
        let Some(object) = object else { return self.unsupported("a definition without an object") };
        for (kind, name, on) in self.named_part(object_type, object) {
            self.add(Action { on, ..Action::on_object(verb, kind, name) });
        }
    }

    pub(super) fn on_each(&mut self, kind: &str, name: &str, table: Option<&RangeVar>, verb: Verb) {
        let Some(range) = table else { return self.act_on(verb, kind, name, None) };
        for table in self.relations(range) {
            self.act_on(verb, kind, name, Some(table));
        }
    }

    fn create_as(&mut self, create: &CreateTableAsStmt) {
        let kind = match self.object_type(create.objtype) {
            ObjectType::ObjectMatview => "materialized-view",
            _ => "table",
        };
        match create.into.as_deref().and_then(|into| into.rel.as_ref()) {
            Some(range) => self.create_relation(kind, range),
            None => self.unsupported("CREATE TABLE AS without a name"),
        }
        if let Some(query) = inner(&create.query) {
            self.deeper(|reader| {
                reader.any_statement(query);
            });
        }
    }

    /// SELECT … INTO.
    pub(super) fn select_into(&mut self, into: &IntoClause) {
        match &into.rel {
            Some(range) => self.create_relation("table", range),
            None => self.unsupported("SELECT INTO without a name"),
        }
    }

    fn create_function(&mut self, create: &CreateFunctionStmt) {
        let kind = if create.is_procedure { "procedure" } else { "function" };
        let name = split(&strings(&create.funcname));
        self.created_code.insert(name.name.clone());
        self.create_in_schema(kind, name.clone());
        let mut language = None;
        for option in &create.options {
            match option.node.as_ref() {
                Some(NodeEnum::DefElem(option)) if option.defname == "language" => {
                    language = option.arg.as_deref().and_then(super::utility::option_text);
                }
                Some(NodeEnum::DefElem(_)) | None => {}
                Some(other) => self.unsupported_node(other),
            }
        }
        // Without a language it is SQL, whose body stands in the statement itself.
        if language.is_some_and(|language| !TRUSTED.contains(&language.as_str())) {
            for object in self.created(name, false) {
                self.act(Verb::LoadLibrary, kind, object);
            }
        }
    }

    /// The objects that a name of that type may mean.
    pub(super) fn named_object(&mut self, object_type: ObjectType, object: &Node) -> Vec<ObjectName> {
        self.named_part(object_type, object).into_iter().map(|(_, name, _)| name).collect()
    }

    /// The kind, name and table of what a statement names.
    pub(super) fn named_part(
        &mut self,
        object_type: ObjectType,
        object: &Node,
    ) -> Vec<(&'static str, ObjectName, Option<ObjectName>)> {
        let kind = kind_word(object_type);
        let parts = match object.node.as_ref() {
            Some(NodeEnum::List(list)) => strings(&list.items),
            _ => Vec::new(),
        };
        match object_type {
            // schema.table.column, schema.table.part: the last is the part's own name.
            ObjectType::ObjectColumn => {
                let table = split(parts.get(..parts.len().saturating_sub(1)).unwrap_or_default());
                self.relations_of(table)
                    .into_iter()
                    .map(|table| (self.relation_kind(&table), table, None))
                    .collect()
            }
            ObjectType::ObjectTrigger
            | ObjectType::ObjectRule
            | ObjectType::ObjectPolicy
            | ObjectType::ObjectTabconstraint => {
                let name = ObjectName::bare(parts.last().map(String::as_str).unwrap_or_default());
                let table = split(parts.get(..parts.len().saturating_sub(1)).unwrap_or_default());
                self.relations_of(table).into_iter().map(|table| (kind, name.clone(), Some(table))).collect()
            }
            ObjectType::ObjectTable
            | ObjectType::ObjectView
            | ObjectType::ObjectMatview
            | ObjectType::ObjectForeignTable
            | ObjectType::ObjectSequence
            | ObjectType::ObjectIndex => {
                let name = object_name(object);
                self.relations_of(name).into_iter().map(|name| (kind, name, None)).collect()
            }
            // Objects of a schema that the catalog does not list: under every schema of the path.
            ObjectType::ObjectFunction
            | ObjectType::ObjectProcedure
            | ObjectType::ObjectRoutine
            | ObjectType::ObjectAggregate
            | ObjectType::ObjectType
            | ObjectType::ObjectDomain
            | ObjectType::ObjectCollation
            | ObjectType::ObjectConversion
            | ObjectType::ObjectOperator
            | ObjectType::ObjectStatisticExt
            | ObjectType::ObjectTsconfiguration
            | ObjectType::ObjectTsdictionary
            | ObjectType::ObjectTsparser
            | ObjectType::ObjectTstemplate => {
                let name = object_name(object);
                let names = match (name.schema.is_some(), self.path.clone()) {
                    (false, Some(path)) if !path.is_empty() => {
                        path.iter().map(|schema| ObjectName::in_schema(schema, &name.name)).collect()
                    }
                    _ => vec![name],
                };
                names.into_iter().map(|name| (kind, name, None)).collect()
            }
            ObjectType::ObjectOpclass | ObjectType::ObjectOpfamily => {
                // The access method stands first.
                vec![(kind, split(parts.get(1..).unwrap_or_default()), None)]
            }
            ObjectType::ObjectCast | ObjectType::ObjectTransform => {
                let name = match object.node.as_ref() {
                    Some(NodeEnum::List(list)) => list
                        .items
                        .iter()
                        .rev()
                        .find(|item| matches!(item.node.as_ref(), Some(NodeEnum::TypeName(_))))
                        .map_or_else(|| ObjectName::bare(""), object_name),
                    _ => object_name(object),
                };
                vec![(kind, name, None)]
            }
            ObjectType::ObjectDomconstraint => {
                let name = match object.node.as_ref() {
                    Some(NodeEnum::List(list)) => {
                        list.items.first().map_or_else(|| ObjectName::bare(""), object_name)
                    }
                    _ => object_name(object),
                };
                vec![(kind, name, None)]
            }
            _ => vec![(kind, object_name(object), None)],
        }
    }
}
