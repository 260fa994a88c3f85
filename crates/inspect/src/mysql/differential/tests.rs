//! Each answer of the server, and ours beside it.

use std::collections::BTreeSet;

use sallyport_core::UnknownCode;
use sqlparser::ast::{BinaryOperator, Expr, InTarget, UnaryOperator, Value};

use crate::mysql::lexer::{Kind, Lexeme, Lexer, Rules};
use crate::mysql::reading::{Parsed, read};
use crate::mysql::{Context, Flavour, SqlMode, charset, query};

const SERVER: Flavour = Flavour::MariaDb(101_119);

fn context(mode: SqlMode) -> Context<'static> {
    Context {
        flavour: SERVER,
        sql_mode: Some(mode),
        character_set: "utf8mb4",
        database: None,
        lower_case_table_names: 0,
    }
}

fn rules(mode: SqlMode) -> Rules {
    Rules { mode, mode_known: true, flavour: SERVER, unicode: true }
}

fn lines(data: &str) -> impl Iterator<Item = Vec<&str>> {
    data.lines().map(|line| line.split('\t').collect())
}

/// Whether we take it: as one statement, of which all is understood, or a compound one that is not read.
fn taken(text: &str) -> bool {
    let reading = read(text.as_bytes(), &context(SqlMode::DEFAULT));
    !reading.pieces.is_empty() && reading.unknown.is_none_or(|unknown| unknown.code == UnknownCode::Dynamic)
}

fn listed(data: &'static str) -> BTreeSet<&'static str> {
    data.lines().filter(|line| !line.starts_with("-- ") && !line.is_empty()).collect()
}

/// What only we take, and what only the server takes.
fn differences() -> (BTreeSet<&'static str>, BTreeSet<&'static str>) {
    let (mut accepted, mut refused) = (BTreeSet::new(), BTreeSet::new());
    for line in lines(include_str!("statements.tsv")) {
        let [verdict, _, text] = line[..] else { panic!("{line:?}") };
        match (verdict, taken(text)) {
            ("syntax", true) => accepted.insert(text),
            ("ok", false) => refused.insert(text),
            _ => true,
        };
    }
    (accepted, refused)
}

#[test]
fn what_only_one_of_us_takes_is_listed() {
    let (accepted, refused) = differences();
    let unlisted = |ours: &BTreeSet<&'static str>, listed: &BTreeSet<&'static str>| {
        ours.symmetric_difference(listed).copied().collect::<Vec<_>>()
    };
    let accepted = unlisted(&accepted, &listed(include_str!("accepted.sql")));
    assert!(accepted.is_empty(), "taken by us alone, or no more: {accepted:#?}");
    let refused = unlisted(&refused, &listed(include_str!("refused.sql")));
    assert!(refused.is_empty(), "taken by the server alone, or no more: {refused:#?}");
}

/// Writes both lists anew, under their headers, which say why.
#[test]
#[ignore = "writes the lists that the test beside holds"]
fn write_differences() {
    let (accepted, refused) = differences();
    write("accepted.sql", include_str!("accepted.sql"), &accepted);
    write("refused.sql", include_str!("refused.sql"), &refused);
}

fn write(name: &str, header: &str, statements: &BTreeSet<&str>) {
    let mut text: String =
        header.lines().filter(|line| line.starts_with("-- ")).map(|line| format!("{line}\n")).collect();
    for statement in statements {
        text.push_str(statement);
        text.push('\n');
    }
    let path = format!("{}/src/mysql/differential/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::write(path, text).unwrap();
}

/// Names and strings of the hand-written statements that what is read of them does not show.
fn passed_over() -> BTreeSet<String> {
    let mut lost = BTreeSet::new();
    let statements = [include_str!("more.sql"), include_str!("../reading/everyday.sql")];
    for text in statements.iter().flat_map(|data| listed(data)) {
        let reading = read(text.as_bytes(), &context(SqlMode::DEFAULT));
        // Bodies of programs are not read.
        let body =
            ["CREATE PROCEDURE", "CREATE FUNCTION", "CREATE TRIGGER", "CREATE EVENT", "BEGIN NOT", "IF 1"];
        if reading.unknown.is_some() || body.iter().any(|program| text.contains(program)) {
            continue;
        }
        let shown = format!("{:?}", reading.pieces);
        let mut lexer = Lexer::new(text, rules(SqlMode::DEFAULT));
        while let Ok(Some(lexeme)) = lexer.next() {
            let named = match lexeme.kind {
                Kind::Word => lexeme.text.chars().all(|char| char.is_ascii_lowercase()),
                Kind::Symbol | Kind::Parameter | Kind::Number | Kind::Hex | Kind::Bit => false,
                _ => true,
            };
            let text_of = lexeme.text.escape_debug().to_string();
            if named
                && !shown.contains(&format!("\"{text_of}\""))
                && !shown.contains(&format!("@{text_of}\""))
            {
                lost.insert(format!("{text_of}\t{text}"));
            }
        }
    }
    lost
}

/// What is read of a statement shows every name and string in it, but for those that were looked at one by one:
/// hints, partitions, formats of files, names of indexes and constraints, passwords, comments.
#[test]
fn names_and_strings_are_passed_over_only_where_listed() {
    let lost = passed_over();
    let known: BTreeSet<String> = include_str!("passed_over.tsv").lines().map(str::to_owned).collect();
    let new: Vec<_> = lost.symmetric_difference(&known).collect();
    assert!(new.is_empty(), "{new:#?}");
}

/// Writes that list anew; look at each line.
#[test]
#[ignore = "writes the list that the test beside holds"]
fn write_passed_over() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/mysql/differential/passed_over.tsv");
    let lines: Vec<String> = passed_over().into_iter().collect();
    std::fs::write(path, lines.join("\n") + "\n").unwrap();
}

/// An expression with a bracket around every part that has parts, as the server reads it too.
fn brackets(expr: &Expr) -> String {
    let between = |negated: &bool| if *negated { "NOT " } else { "" };
    match expr {
        Expr::Nested(inner) => brackets(inner),
        Expr::BinaryOp { left, op: BinaryOperator::StringConcat, right } => {
            format!("CONCAT({}, {})", brackets(left), brackets(right))
        }
        Expr::BinaryOp { left, op, right } => format!("({} {op} {})", brackets(left), brackets(right)),
        // NOT binds loosely in one mode and tightly in another.
        Expr::UnaryOp { op, expr } => format!("({op} ({}))", brackets(expr)),
        Expr::IsNull(inner) | Expr::IsUnknown(inner) => format!("({} IS NULL)", brackets(inner)),
        Expr::IsNotTrue(inner) => format!("({} IS NOT TRUE)", brackets(inner)),
        Expr::In { expr, target: InTarget::List(list), negated, .. } => {
            let list: Vec<_> = list.iter().map(brackets).collect();
            format!("({} {}IN ({}))", brackets(expr), between(negated), list.join(", "))
        }
        Expr::Between { expr, negated, low, high } => {
            let (low, high) = (brackets(low), brackets(high));
            format!("({} {}BETWEEN {low} AND {high})", brackets(expr), between(negated))
        }
        Expr::Like { negated, expr, pattern, .. } => {
            format!("({} {}LIKE {})", brackets(expr), between(negated), brackets(pattern))
        }
        Expr::RLike { expr, pattern, .. } => format!("({} REGEXP {})", brackets(expr), brackets(pattern)),
        Expr::Cast { expr, .. } => format!("(BINARY ({}))", brackets(expr)),
        Expr::Collate { expr, .. } => format!("(({}) COLLATE utf8mb4_bin)", brackets(expr)),
        other => other.to_string(),
    }
}

/// Our brackets of an expression.
fn bracketed(mode: &str, text: &str) -> String {
    let rules = rules(SqlMode::named(mode));
    let mut lexer = Lexer::new(text, rules);
    let mut lexemes = Vec::new();
    while let Some(lexeme) = lexer.next().unwrap() {
        lexemes.push(lexeme);
    }
    query::expression(&lexemes, rules).map_or_else(|unknown| unknown.detail, |expr| brackets(&expr))
}

/// The brackets are ours; that the server finds the same in them over three hundred rows, `verdicts.py` has seen.
#[test]
fn expressions_are_bracketed_as_the_server_does() {
    let mut failed = Vec::new();
    for line in lines(include_str!("precedence.tsv")) {
        let [mode, text, seen] = line[..] else { panic!("{line:?}") };
        let ours = bracketed(mode, text);
        // Predicates behind one another without brackets (`a BETWEEN b AND c NOT LIKE d`): MySQL has no such
        // grammar, and nobody writes it.
        let chained = seen == "differs" && text.matches([' ']).count() > 4;
        if ours != seen && !chained {
            failed.push(format!("{mode}\t{text}\n    seen {seen}\n    ours {ours}"));
        }
    }
    assert!(failed.is_empty(), "{}:\n{}", failed.len(), failed.join("\n"));
}

/// Writes brackets.tsv, for `verdicts.py` to put before the server.
#[test]
#[ignore = "writes a file for verdicts.py"]
fn write_brackets() {
    let rows: Vec<String> = lines(include_str!("precedence.tsv"))
        .map(|line| format!("{}\t{}\t{}", line[0], line[1], bracketed(line[0], line[1])))
        .collect();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/mysql/differential/brackets.tsv");
    std::fs::write(path, rows.join("\n") + "\n").unwrap();
}

fn bytes(hex: &str) -> Vec<u8> {
    hex.as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

/// What the lexemes of a literal are worth, as the server's hexadecimal.
fn value(lexemes: &[Lexeme<'_>]) -> Option<String> {
    let mut text = Vec::new();
    for lexeme in lexemes {
        match lexeme.kind {
            Kind::Number => text.extend(lexeme.text.parse::<f64>().ok()?.to_string().bytes()),
            Kind::String | Kind::National => text.extend(lexeme.text.bytes()),
            Kind::Hex if lexeme.text.len() % 2 == 0 => text.extend(bytes(&lexeme.text)),
            Kind::Bit if lexeme.text.is_empty() => {}
            Kind::Bit => text.push(u8::from_str_radix(&lexeme.text, 2).ok()?),
            Kind::Word if lexeme.text.starts_with('_') => {}
            Kind::Word if lexeme.text == "TRUE" => text.push(b'1'),
            Kind::Word if lexeme.text == "NULL" => return Some("null".to_owned()),
            _ => return None,
        }
    }
    let hex: String = text.iter().map(|byte| format!("{byte:02x}")).collect();
    Some(if hex.is_empty() { "empty".to_owned() } else { hex })
}

#[test]
fn literals_are_worth_what_the_server_says() {
    let (mut failed, mut undecided, mut count) = (Vec::new(), 0, 0);
    for line in lines(include_str!("literals.tsv")) {
        let [mode, character_set, literal, server] = line[..] else { panic!("{line:?}") };
        let literal = bytes(literal);
        count += 1;
        let decoded = match charset::decode(&literal, character_set) {
            Ok(decoded) => decoded,
            // Not read on, whatever the server makes of it.
            Err(_) => {
                undecided += 1;
                continue;
            }
        };
        let rules = Rules { unicode: decoded.unicode, ..rules(SqlMode::named(mode)) };
        let mut lexer = Lexer::new(&decoded.text, rules);
        let mut lexemes = Vec::new();
        let ours = loop {
            match lexer.next() {
                Ok(Some(lexeme)) => lexemes.push(lexeme),
                Ok(None) => break value(&lexemes).unwrap_or_else(|| "error".to_owned()),
                Err(unknown) if unknown.code == UnknownCode::Ambiguous => break "ambiguous".to_owned(),
                Err(_) => break "error".to_owned(),
            }
        };
        // What the server has no character of Unicode for, or is not UTF-8.
        // Not read on: a backslash before a byte beyond ASCII, where the character set may be of several bytes.
        let lost = server.contains("3f") && !ours.contains("3f") || ours == "ambiguous";
        if ours != server && !lost {
            let text = String::from_utf8_lossy(&literal).into_owned();
            failed.push(format!("{mode}\t{character_set}\t{text}\tserver {server}\tours {ours}"));
        }
    }
    assert!(failed.is_empty(), "{} of {count} ({undecided} undecided):\n{}", failed.len(), failed.join("\n"));
}

/// What a sum of constants is worth.
fn worth(expr: &Expr) -> Option<f64> {
    Some(match expr {
        Expr::Value(value) => match &value.value {
            Value::Number(text, _) => text.parse().ok()?,
            Value::HexStringLiteral(text) => i32::from_str_radix(text, 16).ok()?.into(),
            Value::SingleQuotedByteStringLiteral(text) => i32::from_str_radix(text, 2).ok()?.into(),
            Value::SingleQuotedString(_) => 0.0,
            _ => return None,
        },
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => -worth(expr)?,
        Expr::UnaryOp { op: UnaryOperator::Not, expr } => f64::from(worth(expr)? == 0.0),
        Expr::BinaryOp { left, op, right } => {
            let (left, right) = (worth(left)?, worth(right)?);
            match op {
                BinaryOperator::Plus => left + right,
                BinaryOperator::Minus => left - right,
                BinaryOperator::Multiply => left * right,
                BinaryOperator::Divide => left / right,
                BinaryOperator::Modulo => left % right,
                BinaryOperator::Custom(_) => (left / right).trunc(),
                BinaryOperator::And => f64::from(left != 0.0 && right != 0.0),
                BinaryOperator::Or => f64::from(left != 0.0 || right != 0.0),
                _ => return None,
            }
        }
        _ => return None,
    })
}

#[test]
fn comments_are_executed_where_the_server_executes_them() {
    let mut failed = Vec::new();
    for line in lines(include_str!("comments.tsv")) {
        let [text, server] = line[..] else { panic!("{line:?}") };
        let text = format!("SELECT {}", String::from_utf8(bytes(text)).unwrap());
        let reading = read(text.as_bytes(), &context(SqlMode::DEFAULT));
        let ours = match (&reading.unknown, &reading.pieces[..]) {
            (None, [piece]) => match &piece.parsed {
                Parsed::Sql(sql) => match &sql.statement {
                    sqlparser::ast::Statement::Query(query) => match &*query.body {
                        sqlparser::ast::SetExpr::Select(select) => match &select.projection[..] {
                            [
                                sqlparser::ast::SelectItem::UnnamedExpr(expr)
                                | sqlparser::ast::SelectItem::ExprWithAlias { expr, .. },
                            ] => worth(expr),
                            _ => None,
                        },
                        _ => None,
                    },
                    _ => None,
                },
                Parsed::Own(_) => None,
            },
            _ => None,
        };
        let unknown = reading.unknown.as_ref().map(|unknown| unknown.code);
        let same = match (ours, server.parse::<f64>()) {
            (Some(ours), Ok(server)) => (ours - server).abs() < 0.01,
            // Unknown is no claim; but what the server takes is to be read unless it is doubtful.
            (None, Ok(_)) => unknown == Some(UnknownCode::Ambiguous),
            (None, Err(_)) => true,
            (Some(_), Err(_)) => false,
        };
        if !same {
            failed.push(format!("{text:?}\tserver {server}\tours {ours:?} {unknown:?}"));
        }
    }
    assert!(failed.is_empty(), "{}:\n{}", failed.len(), failed.join("\n"));
}
