//! The server's expressions, for `sqlparser`: which operators there are, how tightly they bind, and the forms
//! that its own dialect of MySQL has not, or reads after guessing.

use std::any::TypeId;

use sqlparser::ast::{
    CastKind, DataType, DateTimeField, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentList,
    FunctionArguments, Ident, Interval, ObjectName, UnaryOperator, Value,
};
use sqlparser::dialect::{Dialect, MySqlDialect, Precedence};
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Token, Word};

/// MySQL and MariaDB, under a mode.
#[derive(Debug)]
pub(super) struct Server {
    /// `HIGH_NOT_PRECEDENCE`.
    pub(super) high_not: bool,
}

// From the grammar of both servers (`sql_yacc.yy`), loosest first.
const ASSIGN: u8 = 2;
const OR: u8 = 5;
const XOR: u8 = 8;
const AND: u8 = 10;
const NOT: u8 = 15;
const COMPARE: u8 = 20;
const PREDICATE: u8 = 22;
const BIT_OR: u8 = 24;
const BIT_AND: u8 = 26;
const SHIFT: u8 = 28;
const ADD: u8 = 30;
const MULTIPLY: u8 = 40;
const BIT_XOR: u8 = 45;
const CONCAT: u8 = 50;
const UNARY: u8 = 55;
const COLLATE: u8 = 60;
const EXTRACT: u8 = 70;

impl Dialect for Server {
    // What it does for MySQL by name, it does for this.
    fn dialect(&self) -> TypeId {
        TypeId::of::<MySqlDialect>()
    }

    fn is_identifier_start(&self, ch: char) -> bool {
        MySqlDialect {}.is_identifier_start(ch)
    }

    fn is_identifier_part(&self, ch: char) -> bool {
        MySqlDialect {}.is_identifier_part(ch)
    }

    fn identifier_quote_style(&self, _identifier: &str) -> Option<char> {
        Some('`')
    }

    fn supports_string_literal_table_alias(&self, _explicit: bool) -> bool {
        false
    }

    fn supports_string_literal_concatenation(&self) -> bool {
        true
    }

    fn supports_bitwise_shift_operators(&self) -> bool {
        true
    }

    fn supports_singular_value_keyword(&self) -> bool {
        true
    }

    fn supports_limit_comma(&self) -> bool {
        true
    }

    fn supports_insert_set(&self) -> bool {
        true
    }

    fn supports_update_order_by(&self) -> bool {
        true
    }

    fn supports_group_by_with_modifier(&self) -> bool {
        true
    }

    fn supports_parens_around_table_factor(&self) -> bool {
        true
    }

    fn supports_left_associative_joins_without_parens(&self) -> bool {
        false
    }

    fn allow_extract_custom(&self) -> bool {
        true
    }

    fn require_interval_qualifier(&self) -> bool {
        true
    }

    fn is_table_factor_alias(&self, explicit: bool, kw: &Keyword, parser: &mut Parser<'_>) -> bool {
        explicit || (MySqlDialect {}.is_table_factor_alias(explicit, kw, parser))
    }

    fn is_column_alias(&self, kw: &Keyword, _parser: &mut Parser<'_>) -> bool {
        !reserved(*kw) && !matches!(kw, Keyword::INTO | Keyword::EXCEPT | Keyword::OFFSET | Keyword::WINDOW)
    }

    fn prec_value(&self, prec: Precedence) -> u8 {
        match prec {
            Precedence::Period => 100,
            Precedence::DoubleColon | Precedence::AtTz | Precedence::PgOther | Precedence::Colon => EXTRACT,
            Precedence::MulDivModOp => MULTIPLY,
            Precedence::PlusMinus => ADD,
            Precedence::Xor => XOR,
            Precedence::Ampersand => BIT_AND,
            Precedence::Caret => BIT_XOR,
            Precedence::Pipe => BIT_OR,
            Precedence::Like => PREDICATE,
            // Of its upper bound, which takes in the predicates behind it.
            Precedence::Between => PREDICATE - 1,
            Precedence::Eq | Precedence::Is => COMPARE,
            Precedence::UnaryNot => NOT,
            Precedence::And => AND,
            Precedence::Or => OR,
        }
    }

    fn get_next_precedence(&self, parser: &Parser<'_>) -> Option<Result<u8, ParserError>> {
        let precedence = match &parser.peek_token_ref().token {
            Token::Word(word) => match word.keyword {
                Keyword::NOT => match &parser.peek_nth_token_ref(1).token {
                    Token::Word(next)
                        if matches!(
                            next.keyword,
                            Keyword::IN | Keyword::BETWEEN | Keyword::LIKE | Keyword::REGEXP | Keyword::RLIKE
                        ) =>
                    {
                        PREDICATE
                    }
                    _ => 0,
                },
                Keyword::MEMBER => match &parser.peek_nth_token_ref(1).token {
                    Token::Word(next) if next.keyword == Keyword::OF => PREDICATE,
                    _ => 0,
                },
                Keyword::OR => OR,
                Keyword::XOR => XOR,
                Keyword::AND => AND,
                Keyword::IS => COMPARE,
                Keyword::IN | Keyword::BETWEEN | Keyword::LIKE | Keyword::REGEXP | Keyword::RLIKE => {
                    PREDICATE
                }
                Keyword::COLLATE => COLLATE,
                _ => 0,
            },
            Token::Assignment => ASSIGN,
            Token::Eq | Token::Lt | Token::LtEq | Token::Neq | Token::Gt | Token::GtEq | Token::Spaceship => {
                COMPARE
            }
            Token::Pipe => BIT_OR,
            Token::Ampersand => BIT_AND,
            Token::ShiftLeft | Token::ShiftRight => SHIFT,
            Token::Plus | Token::Minus => ADD,
            // The only one of that form is DIV.
            Token::Mul | Token::Div | Token::Mod | Token::CustomBinaryOperator(_) => MULTIPLY,
            Token::Caret => BIT_XOR,
            Token::StringConcat => CONCAT,
            Token::Arrow | Token::LongArrow => EXTRACT,
            _ => 0,
        };
        Some(Ok(precedence))
    }

    fn between_low_bound_precedence(&self) -> u8 {
        PREDICATE
    }

    fn parse_prefix(&self, parser: &mut Parser<'_>) -> Option<Result<Expr, ParserError>> {
        let op = match &parser.peek_token_ref().token {
            Token::Word(word) => {
                let next = &parser.peek_nth_token_ref(1).token;
                let (word, call) = (word.clone(), matches!(next, Token::LParen));
                return self.word(parser, &word, call);
            }
            Token::Number(..)
            | Token::HexStringLiteral(_)
            | Token::SingleQuotedString(_)
            | Token::Placeholder(_) => {
                return Some(parser.parse_value().map(Expr::Value));
            }
            Token::ExclamationMark => UnaryOperator::Not,
            Token::Minus => UnaryOperator::Minus,
            Token::Plus => UnaryOperator::Plus,
            Token::Tilde => UnaryOperator::BitwiseNot,
            _ => return None,
        };
        parser.advance_token();
        let operand = parser.parse_subexpr(UNARY);
        Some(operand.map(|expr| Expr::UnaryOp { op, expr: Box::new(expr) }))
    }
}

impl Server {
    /// An expression that starts with a word.
    fn word(&self, parser: &mut Parser<'_>, word: &Word, call: bool) -> Option<Result<Expr, ParserError>> {
        match word.keyword {
            Keyword::NoKeyword => Some(named(parser)),
            Keyword::BINARY => Some(binary(parser)),
            Keyword::NOT if self.high_not => {
                parser.advance_token();
                let operand = parser.parse_subexpr(UNARY);
                Some(operand.map(|expr| Expr::UnaryOp { op: UnaryOperator::Not, expr: Box::new(expr) }))
            }
            Keyword::CAST if call => Some(cast(parser)),
            Keyword::CONVERT if call => Some(cast(parser)),
            Keyword::INTERVAL => Some(interval(parser)),
            Keyword::ROW if call => Some(row(parser)),
            Keyword::DEFAULT if !call => {
                parser.advance_token();
                Some(Ok(Expr::Value(Value::Placeholder("DEFAULT".to_owned()).into())))
            }
            Keyword::DATE | Keyword::TIME | Keyword::TIMESTAMP
                if matches!(parser.peek_nth_token_ref(1).token, Token::SingleQuotedString(_)) =>
            {
                parser.advance_token();
                Some(parser.parse_value().map(Expr::Value))
            }
            Keyword::NEXT if matches!(&parser.peek_nth_token_ref(1).token, Token::Word(w) if w.keyword == Keyword::VALUE) => {
                Some(sequence(parser))
            }
            Keyword::MATCH => Some(match_against(parser)),
            Keyword::POSITION if call => Some(position(parser)),
            Keyword::CASE
            | Keyword::EXISTS
            | Keyword::NOT
            | Keyword::NULL
            | Keyword::TRUE
            | Keyword::FALSE
            | Keyword::CURRENT_DATE
            | Keyword::CURRENT_TIME
            | Keyword::CURRENT_TIMESTAMP
            | Keyword::LOCALTIME
            | Keyword::LOCALTIMESTAMP => None,
            Keyword::TRIM | Keyword::SUBSTRING | Keyword::SUBSTR | Keyword::EXTRACT if call => None,
            _ if call => Some(named(parser)),
            keyword if reserved(keyword) => {
                Some(Err(ParserError::ParserError(format!("expected an expression, found {}", word.value))))
            }
            _ => Some(named(parser)),
        }
    }
}

/// Words that are reserved by the servers, among those that are known to `sqlparser`.
pub(super) fn reserved(keyword: Keyword) -> bool {
    use Keyword::*;
    matches!(
        keyword,
        ALL | AND
            | AS
            | ASC
            | BETWEEN
            | BOTH
            | BY
            | CAST
            | COLLATE
            | CONVERT
            | CROSS
            | DELETE
            | DESC
            | DISTINCT
            | DIV
            | ELSE
            | EXISTS
            | FETCH
            | FOR
            | FROM
            | GROUP
            | HAVING
            | IGNORE
            | IN
            | INNER
            | INSERT
            | INTERSECT
            | INTO
            | IS
            | JOIN
            | KEY
            | LEADING
            | LEFT
            | LIKE
            | LIMIT
            | NATURAL
            | ON
            | OR
            | ORDER
            | OUTER
            | PARTITION
            | RANGE
            | REGEXP
            | REPLACE
            | RIGHT
            | RLIKE
            | SELECT
            | SEPARATOR
            | SET
            | STRAIGHT_JOIN
            | TABLE
            | THEN
            | TO
            | TRAILING
            | UNION
            | UPDATE
            | USING
            | VALUES
            | WHEN
            | WHERE
            | WITH
            | XOR
    )
}

/// A column, variable or function, as far as its dots go.
fn named(parser: &mut Parser<'_>) -> Result<Expr, ParserError> {
    let mut parts = vec![parser.parse_identifier()?];
    while matches!(parser.peek_token_ref().token, Token::Period)
        && matches!(parser.peek_nth_token_ref(1).token, Token::Word(_))
    {
        parser.advance_token();
        parts.push(parser.parse_identifier()?);
    }
    if matches!(parser.peek_token_ref().token, Token::LParen) {
        return parser.parse_function(ObjectName::from(parts));
    }
    Ok(match <[Ident; 1]>::try_from(parts) {
        Ok([part]) => Expr::Identifier(part),
        Err(parts) => Expr::CompoundIdentifier(parts),
    })
}

/// `BINARY x`.
fn binary(parser: &mut Parser<'_>) -> Result<Expr, ParserError> {
    parser.advance_token();
    let expr = Box::new(parser.parse_subexpr(UNARY)?);
    Ok(Expr::Cast { kind: CastKind::Cast, expr, data_type: DataType::Binary(None), format: None })
}

/// `CAST(x AS type)`, `CONVERT(x, type)`, `CONVERT(x USING charset)`: the type is not looked at.
fn cast(parser: &mut Parser<'_>) -> Result<Expr, ParserError> {
    parser.advance_token();
    parser.expect_token(&Token::LParen)?;
    let expr = Box::new(parser.parse_expr()?);
    let (mut depth, mut words) = (1_u32, 0_u32);
    while depth > 0 {
        match parser.next_token().token {
            Token::LParen => depth += 1,
            Token::RParen => depth -= 1,
            Token::Word(_) => words += 1,
            Token::Comma | Token::Number(..) | Token::SingleQuotedString(_) => {}
            other => return Err(ParserError::ParserError(format!("expected a type, found {other}"))),
        }
    }
    if words == 0 {
        return Err(ParserError::ParserError("expected a type".to_owned()));
    }
    Ok(Expr::Cast { kind: CastKind::Cast, expr, data_type: DataType::Unspecified, format: None })
}

/// `INTERVAL x unit`, and the function `INTERVAL(x, y)`.
fn interval(parser: &mut Parser<'_>) -> Result<Expr, ParserError> {
    let value = if matches!(parser.peek_nth_token_ref(1).token, Token::LParen) {
        let function = named(parser)?;
        let Token::Word(unit) = &parser.peek_token_ref().token else { return Ok(function) };
        if unit.quote_style.is_some() || !is_unit(&unit.value) {
            return Ok(function);
        }
        match function {
            Expr::Function(Function {
                args: FunctionArguments::List(FunctionArgumentList { args, .. }),
                ..
            }) => match <[FunctionArg; 1]>::try_from(args) {
                Ok([FunctionArg::Unnamed(FunctionArgExpr::Expr(value))]) => value,
                _ => {
                    return Err(ParserError::ParserError(
                        "expected one expression after INTERVAL".to_owned(),
                    ));
                }
            },
            // More of the expression follows the parenthesis.
            other => other,
        }
    } else {
        parser.advance_token();
        parser.parse_expr()?
    };
    match parser.next_token().token {
        Token::Word(unit) if is_unit(&unit.value) => Ok(Expr::Interval(Interval {
            value: Box::new(value),
            leading_field: Some(DateTimeField::Custom(Ident::new(unit.value))),
            leading_precision: None,
            last_field: None,
            fractional_seconds_precision: None,
        })),
        other => Err(ParserError::ParserError(format!("expected a unit of INTERVAL, found {other}"))),
    }
}

/// Whether it is a unit of time.
pub(in super::super) fn is_unit(word: &str) -> bool {
    const UNITS: [&str; 20] = [
        "MICROSECOND",
        "SECOND",
        "MINUTE",
        "HOUR",
        "DAY",
        "WEEK",
        "MONTH",
        "QUARTER",
        "YEAR",
        "SECOND_MICROSECOND",
        "MINUTE_MICROSECOND",
        "MINUTE_SECOND",
        "HOUR_MICROSECOND",
        "HOUR_SECOND",
        "HOUR_MINUTE",
        "DAY_MICROSECOND",
        "DAY_SECOND",
        "DAY_MINUTE",
        "DAY_HOUR",
        "YEAR_MONTH",
    ];
    UNITS.iter().any(|unit| unit.eq_ignore_ascii_case(word))
}

/// `MATCH (a, b) AGAINST (x IN BOOLEAN MODE)`: what it reads.
fn match_against(parser: &mut Parser<'_>) -> Result<Expr, ParserError> {
    parser.advance_token();
    let parenthesised = parser.consume_token(&Token::LParen);
    let mut read = parser.parse_comma_separated(named)?;
    if parenthesised {
        parser.expect_token(&Token::RParen)?;
    }
    parser.expect_keyword_is(Keyword::AGAINST)?;
    parser.expect_token(&Token::LParen)?;
    // IN starts the mode, and no list.
    read.push(parser.parse_subexpr(PREDICATE)?);
    loop {
        match parser.next_token().token {
            Token::RParen => return Ok(Expr::Tuple(read)),
            Token::Word(word)
                if ["IN", "NATURAL", "LANGUAGE", "BOOLEAN", "MODE", "WITH", "QUERY", "EXPANSION"]
                    .iter()
                    .any(|mode| mode.eq_ignore_ascii_case(&word.value)) => {}
            other => {
                return Err(ParserError::ParserError(format!("expected a mode of MATCH, found {other}")));
            }
        }
    }
}

/// `POSITION(x IN y)`.
fn position(parser: &mut Parser<'_>) -> Result<Expr, ParserError> {
    parser.advance_token();
    parser.expect_token(&Token::LParen)?;
    let expr = Box::new(parser.parse_subexpr(PREDICATE)?);
    parser.expect_keyword_is(Keyword::IN)?;
    let r#in = Box::new(parser.parse_expr()?);
    parser.expect_token(&Token::RParen)?;
    Ok(Expr::Position { expr, r#in })
}

/// `ROW(x, y)`.
fn row(parser: &mut Parser<'_>) -> Result<Expr, ParserError> {
    parser.advance_token();
    parser.expect_token(&Token::LParen)?;
    let values = parser.parse_comma_separated(Parser::parse_expr)?;
    parser.expect_token(&Token::RParen)?;
    Ok(Expr::Tuple(values))
}

/// MariaDB's `NEXT VALUE FOR s`, as the function that it is.
fn sequence(parser: &mut Parser<'_>) -> Result<Expr, ParserError> {
    parser.advance_token();
    parser.advance_token();
    parser.expect_keyword_is(Keyword::FOR)?;
    let name = named(parser)?;
    Ok(Expr::Function(Function {
        name: ObjectName::from(vec![Ident::new("NEXTVAL")]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(FunctionArgumentList {
            duplicate_treatment: None,
            args: vec![FunctionArg::Unnamed(FunctionArgExpr::Expr(name))],
            clauses: Vec::new(),
        }),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: Vec::new(),
    }))
}
