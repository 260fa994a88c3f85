//! Definitions changed and dropped: every ALTER and DROP.

use pg_query::NodeEnum;
use pg_query::protobuf::{
    AlterSubscriptionType, AlterTableCmd, AlterTableStmt, AlterTableType, DropBehavior, DropStmt, ObjectType,
    RangeVar, RenameStmt,
};
use sallyport_core::{ObjectName, Verb};

use super::names::{object_name, split, type_name};
use super::schema::kind_word;
use super::scope::Source;
use super::{Mode, Reader, inner, strings};

impl Reader<'_> {
    pub(super) fn alter(&mut self, node: &NodeEnum) -> bool {
        match node {
            NodeEnum::AlterTableStmt(alter) => self.alter_table(alter),
            NodeEnum::DropStmt(drop) => self.drop_objects(drop),
            NodeEnum::RenameStmt(rename) => self.rename(rename),
            NodeEnum::AlterObjectSchemaStmt(alter) => {
                let object_type = self.object_type(alter.object_type);
                if let Some(object) = alter.object.as_deref() {
                    self.created_code.insert(object_name(object).name);
                }
                if let Some(range) = &alter.relation {
                    for object in self.relations(range) {
                        self.act(Verb::Alter, kind_word(object_type), object);
                    }
                } else {
                    self.on_object(Verb::Alter, alter.object_type, alter.object.as_deref());
                }
            }
            NodeEnum::AlterObjectDependsStmt(alter) => {
                let object_type = self.object_type(alter.object_type);
                match (&alter.relation, alter.object.as_deref()) {
                    (Some(range), object) => {
                        let name = object.map_or_else(|| ObjectName::bare(""), object_name).name;
                        self.on_each(kind_word(object_type), &name, Some(range), Verb::Alter);
                    }
                    (None, object) => self.on_object(Verb::Alter, alter.object_type, object),
                }
            }
            NodeEnum::AlterDomainStmt(alter) => {
                self.maybe_constraint(inner(&alter.def));
                for object in self.created_or_named(&alter.type_name) {
                    self.act(Verb::Alter, "domain", object);
                }
            }
            NodeEnum::AlterEnumStmt(alter) => self.alter_named("type", &alter.type_name),
            NodeEnum::AlterTypeStmt(alter) => self.alter_named("type", &alter.type_name),
            NodeEnum::AlterCollationStmt(alter) => self.alter_named("collation", &alter.collname),
            NodeEnum::AlterStatsStmt(alter) => self.alter_named("statistics", &alter.defnames),
            NodeEnum::AlterTsdictionaryStmt(alter) => {
                self.alter_named("text-search-dictionary", &alter.dictname)
            }
            NodeEnum::AlterTsconfigurationStmt(alter) => {
                self.alter_named("text-search-configuration", &alter.cfgname)
            }
            NodeEnum::AlterOpFamilyStmt(alter) => self.alter_named("operator-family", &alter.opfamilyname),
            NodeEnum::AlterOperatorStmt(alter) => {
                if let Some(operator) = &alter.opername {
                    self.alter_named("operator", &operator.objname);
                }
            }
            NodeEnum::AlterFunctionStmt(alter) => {
                let object_type = self.object_type(alter.objtype);
                if let Some(function) = &alter.func {
                    self.alter_named(kind_word(object_type), &function.objname);
                }
            }
            NodeEnum::AlterSeqStmt(alter) => {
                if let Some(range) = &alter.sequence {
                    for object in self.relations(range) {
                        self.act(Verb::Alter, "sequence", object);
                    }
                }
            }
            NodeEnum::AlterPolicyStmt(alter) => {
                self.on_each("policy", &alter.policy_name, alter.table.as_ref(), Verb::Alter);
            }
            NodeEnum::AlterEventTrigStmt(alter) => {
                self.act_bare(Verb::Alter, "event-trigger", &alter.trigname)
            }
            NodeEnum::AlterExtensionStmt(alter) => self.act_bare(Verb::Alter, "extension", &alter.extname),
            NodeEnum::AlterExtensionContentsStmt(alter) => {
                self.act_bare(Verb::Alter, "extension", &alter.extname);
                self.on_object(Verb::Alter, alter.objtype, alter.object.as_deref());
            }
            NodeEnum::AlterFdwStmt(alter) => {
                self.act_bare(Verb::Alter, "foreign-data-wrapper", &alter.fdwname);
                self.act_bare(Verb::Network, "foreign-data-wrapper", &alter.fdwname);
            }
            NodeEnum::AlterForeignServerStmt(alter) => {
                self.act_bare(Verb::Alter, "server", &alter.servername);
                self.act_bare(Verb::Network, "server", &alter.servername);
            }
            NodeEnum::AlterUserMappingStmt(alter) => {
                self.act_bare(Verb::Alter, "user-mapping", &alter.servername);
                self.act_bare(Verb::Network, "server", &alter.servername);
            }
            NodeEnum::DropUserMappingStmt(drop) => {
                self.act_bare(Verb::Drop, "user-mapping", &drop.servername)
            }
            NodeEnum::AlterDatabaseStmt(alter) => self.act_bare(Verb::Alter, "database", &alter.dbname),
            NodeEnum::AlterDatabaseSetStmt(alter) => self.act_bare(Verb::Alter, "database", &alter.dbname),
            NodeEnum::AlterDatabaseRefreshCollStmt(alter) => {
                self.act_bare(Verb::Alter, "database", &alter.dbname)
            }
            NodeEnum::DropdbStmt(drop) => self.act_bare(Verb::Drop, "database", &drop.dbname),
            NodeEnum::DropTableSpaceStmt(drop) => {
                self.act_bare(Verb::Drop, "tablespace", &drop.tablespacename)
            }
            NodeEnum::AlterTableSpaceOptionsStmt(alter) => {
                self.act_bare(Verb::Alter, "tablespace", &alter.tablespacename);
            }
            NodeEnum::AlterTableMoveAllStmt(alter) => {
                self.object_type(alter.objtype);
                self.act_bare(Verb::Alter, "tablespace", &alter.orig_tablespacename);
            }
            NodeEnum::AlterPublicationStmt(alter) => {
                self.act_bare(Verb::Alter, "publication", &alter.pubname)
            }
            NodeEnum::AlterSubscriptionStmt(alter) => {
                self.act_bare(Verb::Alter, "subscription", &alter.subname);
                if alter.kind != AlterSubscriptionType::AlterSubscriptionSkip as i32 {
                    self.act_bare(Verb::Network, "subscription", &alter.subname);
                }
            }
            NodeEnum::DropSubscriptionStmt(drop) => {
                self.act_bare(Verb::Drop, "subscription", &drop.subname);
                self.act_bare(Verb::Network, "subscription", &drop.subname);
            }
            _ => return false,
        }
        true
    }

    fn created_or_named(&mut self, name: &[pg_query::Node]) -> Vec<ObjectName> {
        let name = split(&strings(name));
        match (name.schema.is_some(), self.path.clone()) {
            (false, Some(path)) if !path.is_empty() => {
                path.iter().map(|schema| ObjectName::in_schema(schema, &name.name)).collect()
            }
            _ => vec![name],
        }
    }

    fn alter_named(&mut self, kind: &str, name: &[pg_query::Node]) {
        for object in self.created_or_named(name) {
            self.act(Verb::Alter, kind, object);
        }
    }

    fn drop_objects(&mut self, drop: &DropStmt) {
        let object_type = self.object_type(drop.remove_type);
        if object_type == ObjectType::Undefined {
            return self.unsupported("DROP of an unknown kind");
        }
        for object in &drop.objects {
            self.on_object(Verb::Drop, drop.remove_type, Some(object));
            let name = object_name(object);
            let temporary = name.schema.as_deref().is_none_or(|schema| schema.starts_with("pg_temp"));
            // One that may not have been there may be what was dropped, or what stays.
            if temporary && self.temporary.get(&name.name) == Some(&true) {
                self.temporary.remove(&name.name);
            }
        }
        if drop.behavior == DropBehavior::DropCascade as i32 {
            self.doubt_temporary();
        }
    }

    /// A temporary relation goes by another name from now on; its old one may mean what it hid.
    fn rename_temporary(&mut self, range: &RangeVar, new: &str) {
        if (range.schemaname.is_empty() || range.schemaname.starts_with("pg_temp"))
            && let Some(certain) = self.temporary.remove(&range.relname)
        {
            if !certain {
                self.temporary.insert(range.relname.clone(), false);
            }
            self.temporary.insert(new.to_owned(), certain);
        }
    }

    fn rename(&mut self, rename: &RenameStmt) {
        let object_type = self.object_type(rename.rename_type);
        let relation = self.object_type(rename.relation_type);
        // A function, operator or type of the new name may stand before a built-in.
        self.created_code.insert(rename.newname.clone());
        match object_type {
            ObjectType::ObjectRole => self.act_bare(Verb::AlterRole, "role", &rename.subname),
            // The trigger, rule or policy is renamed; for a column or constraint, the table is altered.
            ObjectType::ObjectTrigger | ObjectType::ObjectRule | ObjectType::ObjectPolicy => {
                self.on_each(kind_word(object_type), &rename.subname, rename.relation.as_ref(), Verb::Alter);
            }
            ObjectType::ObjectColumn | ObjectType::ObjectTabconstraint | ObjectType::ObjectAttribute => {
                if let Some(range) = &rename.relation {
                    let kind = match object_type {
                        ObjectType::ObjectAttribute => "type",
                        ObjectType::ObjectTabconstraint => "table",
                        _ => kind_word(relation),
                    };
                    for object in self.relations(range) {
                        self.act(Verb::Alter, kind, object);
                    }
                }
            }
            _ => match (&rename.relation, rename.object.as_deref()) {
                (Some(range), _) => {
                    for object in self.relations(range) {
                        self.act(Verb::Alter, kind_word(object_type), object);
                    }
                    self.rename_temporary(range, &rename.newname);
                }
                (None, Some(object)) => self.on_object(Verb::Alter, rename.rename_type, Some(object)),
                (None, None) => self.act_bare(Verb::Alter, kind_word(object_type), &rename.subname),
            },
        }
    }

    fn alter_table(&mut self, alter: &AlterTableStmt) {
        let Some(range) = &alter.relation else { return self.unsupported("ALTER TABLE without a name") };
        let object_type = self.object_type(alter.objtype);
        let kind = kind_word(object_type);
        let objects = self.relations(range);
        for command in &alter.cmds {
            match command.node.as_ref() {
                Some(NodeEnum::AlterTableCmd(command)) => {
                    self.scoped(|reader| {
                        reader.add_source(Source { alias: range.relname.clone(), ..Source::default() });
                        reader.alter_command(kind, &objects, command);
                    });
                }
                Some(other) => self.unsupported_node(other),
                None => {}
            }
        }
    }

    fn alter_command(&mut self, kind: &str, objects: &[ObjectName], command: &AlterTableCmd) {
        let Ok(subtype) = AlterTableType::try_from(command.subtype) else {
            return self.unsupported("a kind of ALTER TABLE");
        };
        for object in objects {
            match subtype {
                AlterTableType::AtChangeOwner => {
                    let to = Self::owner(command.newowner.as_ref());
                    self.act_to(Verb::AlterOwner, kind, object.clone(), to);
                }
                AlterTableType::AtEnableRowSecurity
                | AlterTableType::AtDisableRowSecurity
                | AlterTableType::AtForceRowSecurity
                | AlterTableType::AtNoForceRowSecurity => self.act(Verb::RowSecurity, kind, object.clone()),
                AlterTableType::Undefined => self.unsupported("a kind of ALTER TABLE"),
                AlterTableType::AtAddColumn
                | AlterTableType::AtAddColumnToView
                | AlterTableType::AtColumnDefault
                | AlterTableType::AtCookedColumnDefault
                | AlterTableType::AtDropNotNull
                | AlterTableType::AtSetNotNull
                | AlterTableType::AtSetExpression
                | AlterTableType::AtDropExpression
                | AlterTableType::AtSetStatistics
                | AlterTableType::AtSetOptions
                | AlterTableType::AtResetOptions
                | AlterTableType::AtSetStorage
                | AlterTableType::AtSetCompression
                | AlterTableType::AtDropColumn
                | AlterTableType::AtAddIndex
                | AlterTableType::AtReAddIndex
                | AlterTableType::AtAddConstraint
                | AlterTableType::AtReAddConstraint
                | AlterTableType::AtReAddDomainConstraint
                | AlterTableType::AtAlterConstraint
                | AlterTableType::AtValidateConstraint
                | AlterTableType::AtAddIndexConstraint
                | AlterTableType::AtDropConstraint
                | AlterTableType::AtReAddComment
                | AlterTableType::AtAlterColumnType
                | AlterTableType::AtAlterColumnGenericOptions
                | AlterTableType::AtClusterOn
                | AlterTableType::AtDropCluster
                | AlterTableType::AtSetLogged
                | AlterTableType::AtSetUnLogged
                | AlterTableType::AtDropOids
                | AlterTableType::AtSetAccessMethod
                | AlterTableType::AtSetTableSpace
                | AlterTableType::AtSetRelOptions
                | AlterTableType::AtResetRelOptions
                | AlterTableType::AtReplaceRelOptions
                | AlterTableType::AtEnableTrig
                | AlterTableType::AtEnableAlwaysTrig
                | AlterTableType::AtEnableReplicaTrig
                | AlterTableType::AtDisableTrig
                | AlterTableType::AtEnableTrigAll
                | AlterTableType::AtDisableTrigAll
                | AlterTableType::AtEnableTrigUser
                | AlterTableType::AtDisableTrigUser
                | AlterTableType::AtEnableRule
                | AlterTableType::AtEnableAlwaysRule
                | AlterTableType::AtEnableReplicaRule
                | AlterTableType::AtDisableRule
                | AlterTableType::AtAddInherit
                | AlterTableType::AtDropInherit
                | AlterTableType::AtAddOf
                | AlterTableType::AtDropOf
                | AlterTableType::AtReplicaIdentity
                | AlterTableType::AtGenericOptions
                | AlterTableType::AtAttachPartition
                | AlterTableType::AtDetachPartition
                | AlterTableType::AtDetachPartitionFinalize
                | AlterTableType::AtAddIdentity
                | AlterTableType::AtSetIdentity
                | AlterTableType::AtDropIdentity
                | AlterTableType::AtReAddStatistics => self.act(Verb::Alter, kind, object.clone()),
            }
        }
        if let (
            Some(NodeEnum::RangeVar(parent)),
            AlterTableType::AtAddInherit | AlterTableType::AtDropInherit,
        ) = (inner(&command.def), subtype)
        {
            self.on_relation(Verb::Alter, parent);
        }
        match inner(&command.def) {
            Some(NodeEnum::ColumnDef(column)) => {
                self.column_definition(column);
                // Every row is cast to the new type, or gets a value of it; a domain has it checked. A bare
                // name is an enumeration's, mostly, until a catalog says otherwise.
                let named = column.type_name.as_ref().is_some_and(|name| name.names.len() > 1);
                let valued = subtype == AlterTableType::AtAddColumn && (named || self.catalog.is_some());
                if valued || subtype == AlterTableType::AtAlterColumnType {
                    self.cast_to(column.type_name.as_ref());
                }
            }
            Some(NodeEnum::Constraint(constraint)) => self.constraint(constraint),
            Some(NodeEnum::PartitionCmd(partition)) => {
                if let Some(range) = &partition.name {
                    self.on_relation(Verb::Alter, range);
                }
                if let Some(bound) = &partition.bound {
                    self.partition_bound(bound);
                }
            }
            // Names, options and numbers.
            Some(
                NodeEnum::List(_)
                | NodeEnum::String(_)
                | NodeEnum::Integer(_)
                | NodeEnum::RangeVar(_)
                | NodeEnum::RoleSpec(_)
                | NodeEnum::ReplicaIdentityStmt(_)
                | NodeEnum::AtalterConstraint(_)
                | NodeEnum::DefElem(_),
            )
            | None => {}
            Some(NodeEnum::TypeName(name)) => {
                let _ = type_name(name);
            }
            // A default, or an expression of a generated column.
            Some(other) => self.node(other, Mode::Read),
        }
    }

    fn maybe_constraint(&mut self, node: Option<&NodeEnum>) {
        match node {
            Some(NodeEnum::Constraint(constraint)) => self.constraint(constraint),
            Some(other) => self.node(other, Mode::Read),
            None => {}
        }
    }
}
