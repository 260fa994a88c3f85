//! Calls: functions, operators and casts, and what those that are classed do.

use pg_query::NodeEnum;
use pg_query::protobuf::{AExprKind, FuncCall, Node, TypeName, a_const};
use sallyport_core::{Action, ObjectName, UnknownCode, Verb};

use super::names::{split, type_name};
use super::{Mode, Reader, builtin, string_of, strings};
use crate::pg::functions::{FunctionClass, class_in, extension_class};

/// The settings that decide how later statements read, or whose rights they run with.
pub(super) fn matters(setting: &str) -> bool {
    matches!(
        setting,
        "search_path" | "role" | "session_authorization" | "standard_conforming_strings" | "client_encoding"
    )
}

impl Reader<'_> {
    pub(super) fn function(&mut self, call: &FuncCall, mode: Mode) {
        let name = strings(&call.funcname);
        self.all(&call.args, mode);
        self.all(&call.agg_order, Mode::Filter);
        self.maybe(&call.agg_filter, Mode::Filter);
        if let Some(window) = call.over.as_deref() {
            self.window(window);
        }
        self.call_named(&name, &call.args);
    }

    /// Whether a function of that bare name may be a user's, by the path and the catalog.
    pub(super) fn is_user_function(&self, name: &str) -> bool {
        if self.created_code.contains(name) {
            return true;
        }
        let Some(path) = &self.path else { return true };
        match self.catalog {
            Some(catalog) => path.iter().any(|schema| catalog.has_function(schema, name)),
            None => self.path_shadows(),
        }
    }

    /// A schema stands before `pg_catalog`, and may hold anything.
    pub(super) fn path_shadows(&self) -> bool {
        self.path.as_ref().is_some_and(|path| {
            path.iter().position(|schema| schema == "pg_catalog").is_some_and(|at| at > 0)
        })
    }

    /// A call of a function by its name, as written.
    pub(super) fn call_named(&mut self, name: &[String], args: &[Node]) {
        let written = split(name);
        let mut class = self.class_of(written.schema.as_deref(), &written.name);
        if written.schema.is_none() {
            if self.path.is_none() {
                self.gap(
                    UnknownCode::Ambiguous,
                    "a function after search_path was set to something not constant",
                );
            }
            if self.is_user_function(&written.name) {
                let path = self.path.clone().unwrap_or_default();
                let settled = self
                    .catalog
                    .and_then(|catalog| {
                        path.iter().find(|schema| catalog.has_function(schema, &written.name))
                    })
                    .map(|schema| ObjectName::in_schema(schema, &written.name));
                self.call(settled.unwrap_or_else(|| written.clone()));
                if class == Some(FunctionClass::Harmless) {
                    return;
                }
            }
        }
        if class == Some(FunctionClass::RunsText) && written.name == "ts_rewrite" && args.len() == 3 {
            class = Some(FunctionClass::Harmless);
        }
        match (class, extension_class(&written.name)) {
            (None, None) => self.call(written),
            (None, Some(class)) => {
                self.call(written.clone());
                self.classed(class, &written, args);
            }
            (Some(class), _) => self.classed(class, &written, args),
        }
    }

    /// The class of a function on this server.
    pub(super) fn class_of(&self, schema: Option<&str>, name: &str) -> Option<FunctionClass> {
        class_in(self.given.server, schema, name)
    }

    pub(super) fn call(&mut self, name: ObjectName) {
        self.unclassed = true;
        self.act(Verb::Call, "function", name);
    }

    /// The effect of a function of `pg_catalog` that is not harmless.
    fn classed(&mut self, class: FunctionClass, written: &ObjectName, args: &[Node]) {
        if class == FunctionClass::Harmless {
            return;
        }
        let of_extension = self.class_of(written.schema.as_deref(), &written.name).is_none();
        let name =
            if of_extension { written.clone() } else { ObjectName::in_schema("pg_catalog", &written.name) };
        if self.planning {
            return self.act(Verb::Call, "function", name);
        }
        let first = args.first().and_then(|argument| self.text_of(argument));
        let second = args.get(1).and_then(|argument| self.text_of(argument));
        match class {
            FunctionClass::Harmless => {}
            FunctionClass::Calls => self.act(Verb::Call, "function", name),
            FunctionClass::RunsText => {
                self.act(Verb::Call, "function", name);
                match if written.name == "ts_rewrite" { second } else { first } {
                    Some(text) => self.nested_text(&text),
                    None => self.run_time("a query built at run time"),
                }
            }
            FunctionClass::ReadsRelation => {
                self.act(Verb::Call, "function", name);
                match first.filter(|text| text.bytes().all(is_name_byte) && !text.is_empty()) {
                    Some(relation) => self.nested_text(&format!("TABLE {relation}")),
                    None => self.run_time("a relation named at run time"),
                }
            }
            FunctionClass::ReadsAnything => {
                self.act(Verb::Call, "function", name);
                self.run_time("reads whatever a schema, database or cursor holds");
            }
            FunctionClass::Sets => match first.or_else(|| self.setting_of_row(args.first())) {
                Some(setting) => {
                    self.set_setting(&setting.to_ascii_lowercase(), second);
                }
                None => {
                    self.add(Action { kind: Some("setting".to_owned()), ..Action::new(Verb::Set) });
                    self.settings_dirty();
                    self.next_path = Some(None);
                    self.run_time("a setting named at run time");
                }
            },
            FunctionClass::Notifies => match first {
                Some(channel) => self.act_bare(Verb::Notify, "channel", &channel),
                None => self.add(Action { kind: Some("channel".to_owned()), ..Action::new(Verb::Notify) }),
            },
            FunctionClass::ReadsFile => self.file(Verb::FileRead, first),
            FunctionClass::WritesFile if of_extension => self.file(Verb::FileWrite, first),
            FunctionClass::WritesFile => self.file(Verb::FileWrite, second),
            FunctionClass::Network => self.act(Verb::Network, "function", name),
            FunctionClass::RemoteText => {
                self.act(Verb::Network, "function", name);
                self.remote_text(written, args);
            }
            FunctionClass::RunsProgram => {
                let object = first.map(|command| ObjectName::bare(&command));
                self.add(Action { kind: Some("program".to_owned()), object, ..Action::new(Verb::Program) });
            }
            FunctionClass::Terminates => self.act(Verb::Terminate, "function", name),
            FunctionClass::Configures => self.act(Verb::Configure, "function", name),
            FunctionClass::Replicates => self.act(Verb::Replication, "function", name),
            FunctionClass::Maintains => self.act(Verb::Maintain, "function", name),
        }
    }

    /// SQL sent to another server: mostly the last argument that is no flag. What it does is reported as it would
    /// be here, for the names of that server are not known.
    fn remote_text(&mut self, written: &ObjectName, args: &[Node]) {
        let is_flag = |node: &Node| match node.node.as_ref() {
            Some(NodeEnum::AConst(constant)) => matches!(constant.val, Some(a_const::Val::Boolval(_))),
            _ => false,
        };
        let text = match written.name.as_str() {
            "query_export_to_s3" => args.first(),
            _ => args.iter().rev().find(|argument| !is_flag(argument)),
        };
        match text.and_then(|text| self.text_of(text)) {
            Some(text) => self.nested_text(&text),
            None => self.run_time("a query built at run time, for another server"),
        }
    }

    /// A constant text, unless an operator that it is made with may be a user's.
    pub(super) fn text_of(&self, node: &Node) -> Option<String> {
        if let Some(NodeEnum::ParamRef(param)) = node.node.as_ref() {
            let at = usize::try_from(param.number).ok()?.checked_sub(1)?;
            return self.given.params.get(at)?.clone();
        }
        let joined = matches!(node.node.as_ref(), Some(NodeEnum::AExpr(_)));
        if joined && self.is_user_operator(None, "||") { None } else { constant_text(node) }
    }

    fn run_time(&mut self, detail: &str) {
        self.gap(UnknownCode::Dynamic, detail);
    }

    fn file(&mut self, verb: Verb, path: Option<String>) {
        let object = path.map(|path| ObjectName::bare(&path));
        self.add(Action { kind: Some("file".to_owned()), object, ..Action::new(verb) });
    }

    /// A setting changed, by SET or `set_config`.
    pub(super) fn set_setting(&mut self, setting: &str, value: Option<String>) {
        match setting {
            "role" | "session_authorization" => {
                let object = value.map(|role| ObjectName::bare(&role));
                self.add(Action { kind: Some("role".to_owned()), object, ..Action::new(Verb::SetRole) });
            }
            "row_security" => self.act_bare(Verb::RowSecurity, "setting", "row_security"),
            "search_path" => {
                self.act_bare(Verb::Set, "setting", setting);
                self.next_path = Some(value.and_then(|value| parse_path(&value)));
            }
            _ => self.act_bare(Verb::Set, "setting", setting),
        }
        if matters(setting) {
            self.settings_dirty();
        }
    }

    /// `(expression).field`: a field of a composite, or a function of the expression.
    pub(super) fn field(&mut self, of: Option<&NodeEnum>, name: &str) {
        let class = self.class_of(None, name);
        let effect = class.is_some_and(|class| class != FunctionClass::Harmless);
        if effect || extension_class(name).is_some() || self.is_user_function(name) {
            return self.call_named(&[name.to_owned()], &[]);
        }
        let composite = match of {
            // A built-in that gives a record, or a row by its relation's name.
            Some(NodeEnum::FuncCall(call)) => {
                let name = split(&strings(&call.funcname));
                self.class_of(name.schema.as_deref(), &name.name) == Some(FunctionClass::Harmless)
            }
            // A column of a sub-select that holds what `_pg_expandarray` gives, as JDBC reads keys.
            Some(NodeEnum::ColumnRef(reference))
                if matches!(name, "n" | "x") && reference.fields.len() == 2 =>
            {
                let qualifier = reference.fields.first().and_then(string_of);
                self.scopes.iter().any(|scope| {
                    scope.sources.iter().any(|s| s.targets.is_empty() && Some(s.alias.as_str()) == qualifier)
                })
            }
            Some(NodeEnum::ColumnRef(reference)) => {
                reference.fields.last().and_then(string_of).is_some_and(|name| {
                    self.scopes.iter().any(|scope| scope.sources.iter().any(|s| s.alias == name))
                })
            }
            _ => false,
        };
        let harmless = class == Some(FunctionClass::Harmless) && !self.path_shadows();
        if !composite && !harmless && self.catalog.is_none() {
            self.call(ObjectName::bare(name));
        }
    }

    pub(super) fn operator(&mut self, name: &[Node]) {
        let parts = strings(name);
        let written = split(&parts);
        if !written.name.is_empty() {
            self.operator_named(written.schema.as_deref(), &written.name);
        }
    }

    pub(super) fn operator_named(&mut self, schema: Option<&str>, name: &str) {
        if self.is_user_operator(schema, name) {
            self.unclassed = true;
            let object = match schema {
                Some(schema) => ObjectName::in_schema(schema, name),
                None => ObjectName::bare(name),
            };
            self.act(Verb::Call, "operator", object);
        }
    }

    /// Whether an operator may be a user's, by the path and the catalog.
    pub(super) fn is_user_operator(&self, schema: Option<&str>, name: &str) -> bool {
        match schema {
            Some("pg_catalog") => !builtin::is_operator(name),
            Some(_) => true,
            None => {
                let by_catalog = match (self.catalog, &self.path) {
                    (Some(catalog), Some(path)) => {
                        path.iter().any(|schema| catalog.has_operator(schema, name))
                    }
                    (Some(_), None) => true,
                    (None, _) => self.path_shadows() || self.path.is_none(),
                };
                by_catalog || self.created_code.contains(name) || !builtin::is_operator(name)
            }
        }
    }

    /// Whether the catalog says of a type that it brings no code.
    fn is_plain_type(&self, written: &ObjectName) -> bool {
        let (Some(catalog), Some(path)) = (self.catalog, &self.path) else { return false };
        self.catalog_current && catalog.is_plain_type(written.schema.as_deref(), &written.name, path)
    }

    /// A cast: to a type of `pg_catalog` it runs nothing of a user's; to any other, its input function,
    /// its domain's checks or a cast function may be anybody's.
    pub(super) fn cast_to(&mut self, name: Option<&TypeName>) {
        let Some(name) = name else { return };
        self.all(&name.typmods, Mode::Read);
        let written = type_name(name);
        let known = match written.schema.as_deref() {
            Some("pg_catalog") | None => builtin::is_type(&written.name),
            Some("information_schema") => true,
            Some(_) => false,
        };
        let shadowed =
            written.schema.is_none() && (self.path_shadows() || self.created_code.contains(&written.name));
        if (!known && !self.is_plain_type(&written)) || shadowed {
            self.unclassed = true;
            self.makes_value_of(&written);
            self.act(Verb::Call, "cast", written);
        }
    }
}

/// Whether a constant is a string, so that `||` joins texts.
fn is_string(node: &Node) -> bool {
    match node.node.as_ref() {
        Some(NodeEnum::AConst(constant)) => matches!(constant.val, Some(a_const::Val::Sval(_))),
        Some(NodeEnum::TypeCast(cast)) => cast.arg.as_deref().is_some_and(is_string),
        Some(NodeEnum::AExpr(join)) => {
            join.lexpr.as_deref().is_some_and(is_string) || join.rexpr.as_deref().is_some_and(is_string)
        }
        _ => false,
    }
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'"' | b'$') || byte >= 0x80
}

/// A constant string, through `||` and casts to text and its kind.
pub(super) fn constant_text(node: &Node) -> Option<String> {
    match node.node.as_ref()? {
        NodeEnum::AConst(constant) => match constant.val.as_ref()? {
            a_const::Val::Sval(text) => Some(text.sval.clone()),
            a_const::Val::Ival(number) => Some(number.ival.to_string()),
            a_const::Val::Boolval(value) => Some(value.boolval.to_string()),
            a_const::Val::Fval(number) => Some(number.fval.clone()),
            a_const::Val::Bsval(_) => None,
        },
        NodeEnum::TypeCast(cast) => {
            let written = cast.type_name.as_ref()?;
            let text = constant_text(cast.arg.as_deref()?)?;
            // A length, or the type's own, cuts the text.
            let whole = written.typmods.is_empty() && written.array_bounds.is_empty();
            let known = match type_name(written).name.as_str() {
                "text" | "varchar" | "regclass" => true,
                "name" => text.len() < 64,
                _ => false,
            };
            (known && whole).then_some(text)
        }
        NodeEnum::AExpr(join)
            if join.kind == AExprKind::AexprOp as i32
                && join.name.len() == 1
                && join.name.first().and_then(string_of) == Some("||") =>
        {
            let (left, right) = (join.lexpr.as_deref()?, join.rexpr.as_deref()?);
            (is_string(left) || is_string(right)).then_some(())?;
            Some(constant_text(left)? + &constant_text(right)?)
        }
        _ => None,
    }
}

/// A list of schemas, as `set_config('search_path', …)` takes it.
pub(super) fn parse_path(text: &str) -> Option<Vec<String>> {
    let mut path = Vec::new();
    for part in text.split(',') {
        let part = part.trim();
        if let Some(quoted) = part.strip_prefix('"').and_then(|part| part.strip_suffix('"')) {
            if quoted.contains('"') {
                return None;
            }
            path.push(quoted.to_owned());
        } else if part.is_empty() {
            if text.trim().is_empty() {
                return Some(Vec::new());
            }
            return None;
        } else if part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$')) {
            path.push(part.to_ascii_lowercase());
        } else {
            return None;
        }
    }
    // Who the user is, is not known here.
    if path.iter().any(|schema| schema == "$user") { None } else { Some(path) }
}
