//! Who may do what: GRANT, REVOKE, roles, owners, default privileges.

use pg_query::NodeEnum;
use pg_query::protobuf::{
    AlterDefaultPrivilegesStmt, AlterOwnerStmt, GrantRoleStmt, GrantStmt, GrantTargetType, Node, ObjectType,
};
use sallyport_core::{Action, ObjectName, Verb};

use super::names::{object_name, role, roles};
use super::schema::kind_word;
use super::{Reader, inner, strings};

impl Reader<'_> {
    pub(super) fn grant(&mut self, grant: &GrantStmt) {
        let verb = if grant.is_grant { Verb::Grant } else { Verb::Revoke };
        let to = roles(&grant.grantees);
        let mut columns: Vec<String> = grant
            .privileges
            .iter()
            .filter_map(|node| match node.node.as_ref() {
                Some(NodeEnum::AccessPriv(privilege)) => Some(strings(&privilege.cols)),
                _ => None,
            })
            .flatten()
            .collect();
        columns.sort();
        columns.dedup();
        self.grant_of(grant);
        let whole = grant.targtype == GrantTargetType::AclTargetAllInSchema as i32;
        let object_type = self.object_type(grant.objtype);
        let add = |reader: &mut Self, kind: &str, object: ObjectName| {
            reader.add(Action {
                columns: columns.clone(),
                to: to.clone(),
                ..Action::on_object(verb, kind, object)
            });
        };
        for object in &grant.objects {
            if whole {
                add(self, "schema", object_name(object));
                continue;
            }
            match object.node.as_ref() {
                Some(NodeEnum::RangeVar(range)) => {
                    for object in self.relations(range) {
                        let kind = if object_type == ObjectType::ObjectSequence {
                            "sequence"
                        } else {
                            self.relation_kind(&object)
                        };
                        add(self, kind, object);
                    }
                }
                _ => {
                    for name in self.named_object(object_type, object) {
                        add(self, kind_word(object_type), name);
                    }
                }
            }
        }
        if grant.objects.is_empty() {
            self.add(Action { to: to.clone(), ..Action::new(verb) });
        }
    }

    fn grant_of(&mut self, grant: &GrantStmt) {
        if GrantTargetType::try_from(grant.targtype).is_err() {
            self.unsupported("a kind of GRANT");
        }
        self.object_type(grant.objtype);
    }

    pub(super) fn grant_role(&mut self, grant: &GrantRoleStmt) {
        let verb = if grant.is_grant { Verb::Grant } else { Verb::Revoke };
        let to = roles(&grant.grantee_roles);
        for granted in roles(&grant.granted_roles) {
            self.act_to(verb, "role", ObjectName::bare(&granted), to.clone());
        }
    }

    pub(super) fn default_privileges(&mut self, alter: &AlterDefaultPrivilegesStmt) {
        let to = alter.action.as_ref().map(|action| roles(&action.grantees)).unwrap_or_default();
        if let Some(action) = &alter.action {
            self.grant_of(action);
        }
        let mut schemas = Vec::new();
        for option in &alter.options {
            match option.node.as_ref() {
                Some(NodeEnum::DefElem(option)) if option.defname == "schemas" => {
                    if let Some(NodeEnum::List(list)) = inner(&option.arg) {
                        schemas.extend(strings(&list.items));
                    }
                }
                // FOR ROLE: whose defaults they are.
                Some(NodeEnum::DefElem(_)) => {}
                Some(other) => self.unsupported_node(other),
                None => {}
            }
        }
        if schemas.is_empty() {
            self.add(Action { to: to.clone(), ..Action::new(Verb::DefaultPrivileges) });
        }
        for schema in schemas {
            self.act_to(Verb::DefaultPrivileges, "schema", ObjectName::bare(&schema), to.clone());
        }
    }

    pub(super) fn alter_owner(&mut self, alter: &AlterOwnerStmt) {
        let to = Self::owner(alter.newowner.as_ref());
        let object_type = self.object_type(alter.object_type);
        let kind = kind_word(object_type);
        if let Some(range) = &alter.relation {
            for object in self.relations(range) {
                self.act_to(Verb::AlterOwner, kind, object, to.clone());
            }
        } else if let Some(object) = alter.object.as_deref() {
            for object in self.named_object(object_type, object) {
                self.act_to(Verb::AlterOwner, kind, object, to.clone());
            }
        }
    }

    /// Roles made, changed and dropped.
    pub(super) fn role_statement(&mut self, node: &NodeEnum) -> bool {
        match node {
            NodeEnum::GrantStmt(grant) => self.grant(grant),
            NodeEnum::GrantRoleStmt(grant) => self.grant_role(grant),
            NodeEnum::AlterDefaultPrivilegesStmt(alter) => self.default_privileges(alter),
            NodeEnum::AlterOwnerStmt(alter) => self.alter_owner(alter),
            NodeEnum::CreateRoleStmt(create) => {
                self.act_bare(Verb::CreateRole, "role", &create.role);
                self.role_members(&create.role, &create.options, Verb::Grant);
            }
            NodeEnum::AlterRoleStmt(alter) => {
                let name = alter.role.as_ref().map(role).unwrap_or_default();
                let members = alter.options.iter().any(|option| {
                    matches!(option.node.as_ref(), Some(NodeEnum::DefElem(option)) if option.defname == "rolemembers")
                });
                self.act_bare(Verb::AlterRole, "role", &name);
                if members {
                    let verb = if alter.action < 0 { Verb::Revoke } else { Verb::Grant };
                    self.role_members(&name, &alter.options, verb);
                }
            }
            NodeEnum::AlterRoleSetStmt(alter) => match &alter.role {
                Some(spec) => self.act_bare(Verb::AlterRole, "role", &role(spec)),
                None => self.act_bare(Verb::AlterRole, "role", "all"),
            },
            NodeEnum::DropRoleStmt(drop) => {
                for name in roles(&drop.roles) {
                    self.act_bare(Verb::DropRole, "role", &name);
                }
            }
            NodeEnum::ReassignOwnedStmt(reassign) => {
                let to = Self::owner(reassign.newrole.as_ref());
                for name in roles(&reassign.roles) {
                    self.act_to(Verb::AlterOwner, "role", ObjectName::bare(&name), to.clone());
                }
            }
            NodeEnum::DropOwnedStmt(drop) => {
                self.doubt_temporary();
                for name in roles(&drop.roles) {
                    self.act_bare(Verb::Drop, "owned", &name);
                    self.act_bare(Verb::Revoke, "owned", &name);
                }
            }
            _ => return false,
        }
        true
    }

    /// CREATE ROLE … IN ROLE, ROLE, ADMIN: memberships are grants.
    fn role_members(&mut self, name: &str, options: &[Node], verb: Verb) {
        for option in options {
            let Some(NodeEnum::DefElem(option)) = option.node.as_ref() else { continue };
            let Some(NodeEnum::List(list)) = inner(&option.arg) else { continue };
            let named = roles(&list.items);
            match option.defname.as_str() {
                "addroleto" => {
                    for granted in named {
                        self.act_to(Verb::Grant, "role", ObjectName::bare(&granted), vec![name.to_owned()]);
                    }
                }
                "rolemembers" | "adminmembers" => {
                    self.act_to(verb, "role", ObjectName::bare(name), named);
                }
                _ => {}
            }
        }
    }
}
