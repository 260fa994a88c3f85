//! Calls of functions, and what those that are classed do.

use sallyport_core::{UnknownCode, Verb};
use sqlparser::ast::{
    Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentClause, FunctionArgumentList,
    FunctionArguments, Ident, Value, ValueWithSpan,
};

use super::{Mode, Reader, names};
use crate::mysql::context::Flavour;
use crate::mysql::functions::{self, Class};

impl Reader {
    pub(super) fn function(&mut self, call: &Function, mode: Mode) {
        let Function {
            name,
            uses_odbc_syntax: _,
            parameters,
            args,
            within_group,
            filter,
            null_treatment: _,
            over,
        } = call;
        self.foreign(&[
            ("two lists of arguments", !matches!(parameters, FunctionArguments::None)),
            ("WITHIN GROUP", !within_group.is_empty()),
            ("FILTER", filter.is_some()),
        ]);
        let Some(parts) = names::parts(name) else { return self.unsupported("a computed function") };
        // VALUES(c) in ON DUPLICATE KEY UPDATE: the value that was to be inserted.
        if let [only] = parts.as_slice()
            && only.quote_style.is_none()
            && (only.value.eq_ignore_ascii_case("values")
                || (only.value.eq_ignore_ascii_case("value") && self.assigning.is_some()))
            && is_one_column(args)
        {
            return;
        }
        // MySQL folds the case of some letters beyond ASCII into it before it looks a function up.
        if parts.iter().any(|part| part.value.contains(['\u{130}', '\u{212a}'])) {
            self.gap(
                UnknownCode::Ambiguous,
                "a letter in the name of a function that servers fold into ASCII",
            );
        }
        if let [only] = parts.as_slice()
            && (only.value.eq_ignore_ascii_case("last_insert_id")
                || only.value.eq_ignore_ascii_case("lastval"))
        {
            self.item.variables = true;
        }
        let class = class_of(&parts, self.flavour);
        let mut arguments: &[FunctionArg] = &[];
        match args {
            FunctionArguments::None => {}
            FunctionArguments::Subquery(query) => drop(self.query(query)),
            FunctionArguments::List(FunctionArgumentList { duplicate_treatment: _, args, clauses }) => {
                arguments = args;
                let skipped = class.map_or(0, Class::words_first);
                for (at, argument) in args.iter().enumerate() {
                    if at >= skipped {
                        self.argument(argument, mode);
                    }
                }
                for clause in clauses {
                    self.clause(clause, mode);
                }
            }
        }
        if let Some(window) = over {
            self.over(window);
        }
        self.classed(class, &parts, arguments);
    }

    fn argument(&mut self, argument: &FunctionArg, mode: Mode) {
        match argument {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(expression)) => self.expr(expression, mode),
            // COUNT(*) reads no column by itself.
            FunctionArg::Unnamed(FunctionArgExpr::Wildcard) => {}
            FunctionArg::Unnamed(
                FunctionArgExpr::QualifiedWildcard(_) | FunctionArgExpr::WildcardWithOptions(_),
            )
            | FunctionArg::Named { .. }
            | FunctionArg::ExprNamed { .. } => self.unsupported("a kind of argument"),
        }
    }

    fn clause(&mut self, clause: &FunctionArgumentClause, mode: Mode) {
        match clause {
            FunctionArgumentClause::IgnoreOrRespectNulls(_)
            | FunctionArgumentClause::Separator(_)
            | FunctionArgumentClause::JsonNullClause(_)
            | FunctionArgumentClause::JsonReturningClause(_) => {}
            FunctionArgumentClause::OrderBy(items) => {
                for item in items {
                    let expression = self.order_item(item);
                    self.expr(expression, Mode::Filter);
                }
            }
            FunctionArgumentClause::Limit(expression) => self.expr(expression, mode),
            FunctionArgumentClause::Where(_)
            | FunctionArgumentClause::OnOverflow(_)
            | FunctionArgumentClause::Having(_) => self.unsupported("a clause of a call"),
        }
    }

    fn classed(&mut self, class: Option<Class>, parts: &[&Ident], arguments: &[FunctionArg]) {
        let words: Vec<&str> = parts.iter().map(|part| part.value.as_str()).collect();
        let Some(name) = self.naming.function(&words) else {
            return self.unsupported("a function of more than two parts");
        };
        let Some(class) = class else { return self.call(name) };
        match class {
            Class::Harmless | Class::Unit => return,
            Class::Calls | Class::Sequence => return self.act(Verb::Call, "function", name),
            _ if self.planning => return self.call(name),
            _ => {}
        }
        match class {
            Class::Harmless | Class::Unit | Class::Calls | Class::Sequence => {}
            Class::ReadsFile => {
                self.act_path(Verb::FileRead, "file", arguments.first().and_then(constant_text).as_deref());
            }
            Class::Program => {
                self.call(name.clone());
                self.act(Verb::Program, "function", name);
            }
            Class::Replicates => {
                self.act(Verb::Call, "function", name.clone());
                self.act(Verb::Replication, "function", name);
            }
            Class::Network => {
                self.call(name.clone());
                self.act(Verb::Network, "function", name);
            }
        }
    }
}

/// What the function does, when it is the server's own. `db.f()` is a stored function of a user's, and so
/// is a quoted name that is a word of the grammar: `` `count`(x) ``.
fn class_of(parts: &[&Ident], flavour: Flavour) -> Option<Class> {
    match parts {
        [only] => functions::class_of(&only.value, only.quote_style.is_some(), flavour),
        _ => None,
    }
}

fn is_one_column(arguments: &FunctionArguments) -> bool {
    let FunctionArguments::List(list) = arguments else { return false };
    matches!(
        list.args.as_slice(),
        [FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Identifier(_) | Expr::CompoundIdentifier(_)))]
    )
}

/// A constant string.
pub(super) fn constant_text(argument: &FunctionArg) -> Option<String> {
    match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expression)) => text_of(expression),
        _ => None,
    }
}

/// A literal's text, through parentheses and introducers.
pub(super) fn text_of(expression: &Expr) -> Option<String> {
    match expression {
        Expr::Nested(inner) => text_of(inner),
        Expr::Prefixed { prefix: _, value } => text_of(value),
        Expr::Collate { expr, collation: _ } => text_of(expr),
        Expr::Value(ValueWithSpan { value, span: _ }) => match value {
            Value::SingleQuotedString(text)
            | Value::DoubleQuotedString(text)
            | Value::NationalStringLiteral(text) => Some(text.clone()),
            Value::Number(text, _) => Some(text.clone()),
            Value::HexStringLiteral(digits) => hex_text(digits),
            _ => None,
        },
        _ => None,
    }
}

/// `x'2f65'`, `0x2f65`: a binary string.
fn hex_text(digits: &str) -> Option<String> {
    let digits = if digits.len() % 2 == 1 { format!("0{digits}") } else { digits.to_owned() };
    let bytes: Option<Vec<u8>> = digits
        .as_bytes()
        .chunks(2)
        .map(|pair| std::str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok()))
        .collect();
    String::from_utf8(bytes?).ok()
}
