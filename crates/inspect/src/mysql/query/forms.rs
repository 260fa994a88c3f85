//! Forms of expressions that `sqlparser` has not, or reads otherwise: each starts at its first word.

use sqlparser::ast::{
    CastKind, DataType, DateTimeField, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentList,
    FunctionArguments, Ident, Interval, ObjectName,
};
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::Token;

use super::dialect::{PREDICATE, UNARY};

/// A column, variable or function, as far as its dots go.
pub(super) fn named(parser: &mut Parser<'_>) -> Result<Expr, ParserError> {
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
pub(super) fn binary(parser: &mut Parser<'_>) -> Result<Expr, ParserError> {
    parser.advance_token();
    let expr = Box::new(parser.parse_subexpr(UNARY)?);
    Ok(Expr::Cast { kind: CastKind::Cast, expr, data_type: DataType::Binary(None), format: None })
}

/// `CAST(x AS type)`, `CONVERT(x, type)`, `CONVERT(x USING charset)`: the type is not looked at.
pub(super) fn cast(parser: &mut Parser<'_>) -> Result<Expr, ParserError> {
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
pub(super) fn interval(parser: &mut Parser<'_>) -> Result<Expr, ParserError> {
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
pub(super) fn match_against(parser: &mut Parser<'_>) -> Result<Expr, ParserError> {
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
pub(super) fn position(parser: &mut Parser<'_>) -> Result<Expr, ParserError> {
    parser.advance_token();
    parser.expect_token(&Token::LParen)?;
    let expr = Box::new(parser.parse_subexpr(PREDICATE)?);
    parser.expect_keyword_is(Keyword::IN)?;
    let r#in = Box::new(parser.parse_expr()?);
    parser.expect_token(&Token::RParen)?;
    Ok(Expr::Position { expr, r#in })
}

/// `ROW(x, y)`.
pub(super) fn row(parser: &mut Parser<'_>) -> Result<Expr, ParserError> {
    parser.advance_token();
    parser.expect_token(&Token::LParen)?;
    let values = parser.parse_comma_separated(Parser::parse_expr)?;
    parser.expect_token(&Token::RParen)?;
    Ok(Expr::Tuple(values))
}

/// MariaDB's `NEXT VALUE FOR s`, as the function that it is.
pub(super) fn sequence(parser: &mut Parser<'_>) -> Result<Expr, ParserError> {
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
