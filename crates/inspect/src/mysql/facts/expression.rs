//! Expressions: every kind that may stand in one, so that nothing that reads or calls goes by unseen.

use sallyport_core::{ObjectName, Verb};
use sqlparser::ast::{
    BinaryOperator, CaseWhen, CastFormat, CeilFloorKind, Expr, InTarget, Interval, JsonPath, JsonPathElem,
    MemberOf, TypedString, UnaryOperator, WindowFrame, WindowFrameBound, WindowSpec, WindowType,
};

use super::{Mode, Reader, names};

impl Reader {
    /// Reads an expression. A chain of operators leans to the left and is walked down, not recursed into.
    pub(super) fn expr(&mut self, expression: &Expr, mode: Mode) {
        let mut expression = expression;
        loop {
            match expression {
                Expr::Nested(inner) => expression = inner,
                Expr::BinaryOp { left, op: BinaryOperator::Assignment, right } => {
                    return self.deeper(|reader| reader.assignment(left, right, mode));
                }
                Expr::BinaryOp { left, op, right } => {
                    self.operator(op);
                    self.deeper(|reader| reader.expr(right, mode));
                    expression = left;
                }
                Expr::IsFalse(inner)
                | Expr::IsNotFalse(inner)
                | Expr::IsTrue(inner)
                | Expr::IsNotTrue(inner)
                | Expr::IsNull(inner)
                | Expr::IsNotNull(inner)
                | Expr::IsUnknown(inner)
                | Expr::IsNotUnknown(inner) => expression = inner,
                Expr::UnaryOp { op, expr } => {
                    self.unary(*op);
                    expression = expr;
                }
                Expr::Collate { expr, collation: _ } => expression = expr,
                other => return self.deeper(|reader| reader.one(other, mode)),
            }
        }
    }

    fn one(&mut self, expression: &Expr, mode: Mode) {
        match expression {
            // Values that read nothing.
            Expr::Value(_) => {}
            Expr::TypedString(TypedString { data_type: _, value: _, uses_odbc_syntax: _ }) => {}
            Expr::Identifier(name) => self.column(&[name], mode),
            Expr::CompoundIdentifier(parts) => {
                let parts: Vec<_> = parts.iter().collect();
                self.column(&parts, mode);
            }
            // Taken apart in `expr`.
            Expr::Nested(inner)
            | Expr::IsFalse(inner)
            | Expr::IsNotFalse(inner)
            | Expr::IsTrue(inner)
            | Expr::IsNotTrue(inner)
            | Expr::IsNull(inner)
            | Expr::IsNotNull(inner)
            | Expr::IsUnknown(inner)
            | Expr::IsNotUnknown(inner)
            | Expr::UnaryOp { op: _, expr: inner }
            | Expr::Collate { expr: inner, collation: _ } => self.expr(inner, mode),
            Expr::BinaryOp { left, op: _, right }
            | Expr::IsDistinctFrom(left, right)
            | Expr::IsNotDistinctFrom(left, right) => {
                self.expr(left, mode);
                self.expr(right, mode);
            }
            Expr::JsonAccess { value, path: JsonPath { path } } => {
                self.expr(value, mode);
                for step in path {
                    match step {
                        JsonPathElem::Dot { key: _, quoted: _ } => {}
                        JsonPathElem::Bracket { key } | JsonPathElem::ColonBracket { key } => {
                            self.expr(key, mode);
                        }
                    }
                }
            }
            Expr::In { expr, target, negated: _, global } => {
                self.foreign(&[("GLOBAL IN", *global)]);
                self.expr(expr, mode);
                match target {
                    InTarget::List(items) => self.exprs(items, mode),
                    InTarget::Subquery(query) => self.sub_select(query, mode),
                    InTarget::Unnest(_) | InTarget::Table { .. } => self.unsupported("IN a table"),
                }
            }
            Expr::Between { expr, negated: _, low, high } => {
                for part in [expr, low, high] {
                    self.expr(part, mode);
                }
            }
            Expr::Like { negated: _, any, expr, pattern, escape_char } => {
                self.foreign(&[("LIKE ANY", *any)]);
                self.expr(expr, mode);
                self.expr(pattern, mode);
                if let Some(escape) = escape_char {
                    self.expr(escape, mode);
                }
            }
            Expr::RLike { negated: _, expr, pattern, regexp: _ } => {
                self.expr(expr, mode);
                self.expr(pattern, mode);
            }
            Expr::AnyOp { left, compare_op, right, is_some: _ } | Expr::AllOp { left, compare_op, right } => {
                self.operator(compare_op);
                self.expr(left, mode);
                self.expr(right, mode);
            }
            Expr::Convert { is_try, expr, data_type: _, charset: _, target_before_value: _, styles } => {
                self.foreign(&[("TRY_CONVERT", *is_try)]);
                self.expr(expr, mode);
                self.exprs(styles, mode);
            }
            Expr::Cast { kind: _, expr, data_type: _, format } => {
                match format {
                    None => {}
                    Some(CastFormat::Value(_) | CastFormat::ValueAtTimeZone(..)) => {
                        self.unsupported("CAST with a format");
                    }
                }
                self.expr(expr, mode);
            }
            Expr::AtTimeZone { timestamp, time_zone } => {
                self.expr(timestamp, mode);
                self.expr(time_zone, mode);
            }
            Expr::Extract { field: _, syntax: _, expr } => self.expr(expr, mode),
            Expr::Ceil { expr, field } | Expr::Floor { expr, field } => {
                match field {
                    CeilFloorKind::DateTimeField(_) | CeilFloorKind::Scale(_) => {}
                }
                self.expr(expr, mode);
            }
            Expr::Position { expr, r#in } => {
                self.expr(expr, mode);
                self.expr(r#in, mode);
            }
            Expr::Substring { expr, substring_from, substring_for, special: _, shorthand: _ } => {
                self.expr(expr, mode);
                for part in [substring_from, substring_for].into_iter().flatten() {
                    self.expr(part, mode);
                }
            }
            Expr::Trim { trim_where: _, trim_what, expr, trim_characters } => {
                self.expr(expr, mode);
                if let Some(what) = trim_what {
                    self.expr(what, mode);
                }
                self.exprs(trim_characters.as_deref().unwrap_or_default(), mode);
            }
            Expr::Overlay { expr, overlay_what, overlay_from, overlay_for } => {
                for part in [expr, overlay_what, overlay_from] {
                    self.expr(part, mode);
                }
                if let Some(part) = overlay_for {
                    self.expr(part, mode);
                }
            }
            Expr::Prefixed { prefix: _, value } => self.expr(value, mode),
            Expr::Function(call) => self.function(call, mode),
            Expr::Case { case_token: _, end_token: _, operand, conditions, else_result } => {
                for part in [operand, else_result].into_iter().flatten() {
                    self.expr(part, mode);
                }
                for CaseWhen { condition, result } in conditions {
                    self.expr(condition, mode);
                    self.expr(result, mode);
                }
            }
            Expr::Exists { subquery, negated: _ } => self.sub_select(subquery, mode),
            Expr::Subquery(query) => self.sub_select(query, mode),
            Expr::Tuple(items) => self.exprs(items, mode),
            Expr::Interval(Interval {
                value,
                leading_field: _,
                leading_precision: _,
                last_field: _,
                fractional_seconds_precision: _,
            }) => self.expr(value, mode),
            Expr::MatchAgainst { columns, match_value: _, opt_search_modifier: _ } => {
                for column in columns {
                    match names::parts(column) {
                        Some(parts) => self.column(&parts, mode),
                        None => self.unsupported("a computed column in MATCH"),
                    }
                }
            }
            Expr::MemberOf(MemberOf { value, array }) => {
                self.expr(value, mode);
                self.expr(array, mode);
            }
            // What the servers do not have.
            Expr::CompoundFieldAccess { .. } => self.unsupported("access to a field"),
            Expr::IsJson { .. } => self.unsupported("IS JSON"),
            Expr::IsNormalized { .. } => self.unsupported("IS NORMALIZED"),
            Expr::ILike { .. } => self.unsupported("ILIKE"),
            Expr::SimilarTo { .. } => self.unsupported("SIMILAR TO"),
            Expr::GroupingSets(_) | Expr::Cube(_) | Expr::Rollup(_) => self.unsupported("grouping sets"),
            Expr::Struct { .. } | Expr::Named { .. } => self.unsupported("STRUCT"),
            Expr::Dictionary(_) | Expr::Map(_) => self.unsupported("a map"),
            Expr::Array(_) => self.unsupported("an array"),
            Expr::Wildcard(_) | Expr::QualifiedWildcard(..) => {
                self.unsupported("a wildcard in an expression")
            }
            Expr::OuterJoin(_) => self.unsupported("(+)"),
            Expr::Prior(_) => self.unsupported("PRIOR"),
            Expr::Lambda(_) => self.unsupported("a lambda"),
        }
    }

    /// `@a := x` sets; `a := x` in SET of an UPDATE does not come here.
    fn assignment(&mut self, left: &Expr, right: &Expr, mode: Mode) {
        self.expr(right, mode);
        match left {
            Expr::Identifier(name) if names::is_variable(name) => self.set_user_variable(&name.value),
            _ => self.unsupported(":= to what is no variable"),
        }
    }

    pub(super) fn set_user_variable(&mut self, name: &str) {
        let object = names::user_variable(name);
        if !self.planning {
            self.act(Verb::Set, "variable", object);
        }
    }

    /// Operators never call code of a user's here; those that neither server has are gaps.
    fn operator(&mut self, operator: &BinaryOperator) {
        match operator {
            BinaryOperator::Custom(name) if name == "DIV" => {}
            BinaryOperator::Plus
            | BinaryOperator::Minus
            | BinaryOperator::Multiply
            | BinaryOperator::Divide
            | BinaryOperator::Modulo
            | BinaryOperator::StringConcat
            | BinaryOperator::Gt
            | BinaryOperator::Lt
            | BinaryOperator::GtEq
            | BinaryOperator::LtEq
            | BinaryOperator::Spaceship
            | BinaryOperator::Eq
            | BinaryOperator::NotEq
            | BinaryOperator::And
            | BinaryOperator::Or
            | BinaryOperator::Xor
            | BinaryOperator::BitwiseOr
            | BinaryOperator::BitwiseAnd
            | BinaryOperator::BitwiseXor
            | BinaryOperator::MyIntegerDivide
            | BinaryOperator::Match
            | BinaryOperator::Regexp
            | BinaryOperator::PGBitwiseShiftLeft
            | BinaryOperator::PGBitwiseShiftRight
            | BinaryOperator::Arrow
            | BinaryOperator::LongArrow
            | BinaryOperator::Assignment
            | BinaryOperator::Is
            | BinaryOperator::IsNot => {}
            BinaryOperator::DuckIntegerDivide
            | BinaryOperator::Glob
            | BinaryOperator::Custom(_)
            | BinaryOperator::PGBitwiseXor
            | BinaryOperator::PGExp
            | BinaryOperator::PGOverlap
            | BinaryOperator::PGRegexMatch
            | BinaryOperator::PGRegexIMatch
            | BinaryOperator::PGRegexNotMatch
            | BinaryOperator::PGRegexNotIMatch
            | BinaryOperator::PGLikeMatch
            | BinaryOperator::PGILikeMatch
            | BinaryOperator::PGNotLikeMatch
            | BinaryOperator::PGNotILikeMatch
            | BinaryOperator::PGStartsWith
            | BinaryOperator::HashArrow
            | BinaryOperator::HashLongArrow
            | BinaryOperator::AtAt
            | BinaryOperator::AtArrow
            | BinaryOperator::ArrowAt
            | BinaryOperator::HashMinus
            | BinaryOperator::AtQuestion
            | BinaryOperator::Question
            | BinaryOperator::QuestionAnd
            | BinaryOperator::QuestionPipe
            | BinaryOperator::PGCustomBinaryOperator(_)
            | BinaryOperator::Overlaps
            | BinaryOperator::DoubleHash
            | BinaryOperator::LtDashGt
            | BinaryOperator::AndLt
            | BinaryOperator::AndGt
            | BinaryOperator::LtLtPipe
            | BinaryOperator::PipeGtGt
            | BinaryOperator::AndLtPipe
            | BinaryOperator::PipeAndGt
            | BinaryOperator::LtCaret
            | BinaryOperator::GtCaret
            | BinaryOperator::QuestionHash
            | BinaryOperator::QuestionDash
            | BinaryOperator::QuestionDashPipe
            | BinaryOperator::QuestionDoublePipe
            | BinaryOperator::At
            | BinaryOperator::TildeEq => self.unsupported("an operator of another server"),
        }
    }

    fn unary(&mut self, operator: UnaryOperator) {
        match operator {
            UnaryOperator::BangNot
            | UnaryOperator::BitwiseNot
            | UnaryOperator::Plus
            | UnaryOperator::Minus
            | UnaryOperator::Not => {}
            UnaryOperator::AtDashAt
            | UnaryOperator::DoubleAt
            | UnaryOperator::Hash
            | UnaryOperator::PGAbs
            | UnaryOperator::PGCubeRoot
            | UnaryOperator::PGPostfixFactorial
            | UnaryOperator::PGPrefixFactorial
            | UnaryOperator::PGSquareRoot
            | UnaryOperator::QuestionDash
            | UnaryOperator::QuestionPipe => self.unsupported("an operator of another server"),
        }
    }

    pub(super) fn over(&mut self, window: &WindowType) {
        match window {
            WindowType::NamedWindow(_) => {}
            WindowType::WindowSpec(spec) => self.window(spec),
        }
    }

    pub(super) fn window(&mut self, window: &WindowSpec) {
        let WindowSpec { window_name: _, partition_by, order_by, window_frame } = window;
        self.exprs(partition_by, Mode::Filter);
        for item in order_by {
            let expression = self.order_item(item);
            self.expr(expression, Mode::Filter);
        }
        let Some(WindowFrame { units: _, start_bound, end_bound }) = window_frame else { return };
        for bound in std::iter::once(start_bound).chain(end_bound) {
            match bound {
                WindowFrameBound::CurrentRow
                | WindowFrameBound::Preceding(None)
                | WindowFrameBound::Following(None) => {}
                WindowFrameBound::Preceding(Some(bound)) | WindowFrameBound::Following(Some(bound)) => {
                    self.expr(bound, Mode::Filter);
                }
            }
        }
    }

    /// A call of code that nobody has read.
    pub(super) fn call(&mut self, name: ObjectName) {
        self.unclassed = true;
        self.act(Verb::Call, "function", name);
    }
}
