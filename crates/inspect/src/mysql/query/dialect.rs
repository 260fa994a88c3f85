//! The server's expressions, for `sqlparser`: which operators there are, how tightly they bind, and the forms
//! that its own dialect of MySQL has not, or reads after guessing.

use std::any::TypeId;

use sqlparser::ast::{Expr, UnaryOperator, Value};
use sqlparser::dialect::{Dialect, MySqlDialect, Precedence};
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Token, Word};

use super::forms::{binary, cast, interval, match_against, named, position, row, sequence};

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
pub(super) const PREDICATE: u8 = 22;
const BIT_OR: u8 = 24;
const BIT_AND: u8 = 26;
const SHIFT: u8 = 28;
const ADD: u8 = 30;
const MULTIPLY: u8 = 40;
const BIT_XOR: u8 = 45;
const CONCAT: u8 = 50;
pub(super) const UNARY: u8 = 55;
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
