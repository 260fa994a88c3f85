//! That every node, field and enumeration of the grammar is read, or is known not to be.
//!
//! `grammar/grammar.txt` lists the tree's messages; a statement of every kind (`grammar/samples.sql`) is
//! parsed, and a call is planted in each place of its tree that can hold a node, by its encoding. What
//! the facts are silent about must stand in `grammar/unread.txt`, with the reason.

use std::collections::{BTreeMap, BTreeSet};

use pg_query::NodeEnum;
use pg_query::protobuf::{FuncCall, Node, RawStmt, ResTarget, SelectStmt, String as Text};
use prost::Message;
use prost::encoding::{decode_varint, encode_varint};
use sallyport_core::{Action, Unknown, UnknownCode, Verb};

use super::Reader;
use crate::pg::statement::{Context, Given, Remembered};

#[derive(Clone, Debug, PartialEq)]
enum Sort {
    Scalar,
    Enumeration(String),
    Message(String),
    Repeated(String),
}

#[derive(Clone, Debug)]
struct Field {
    name: String,
    number: u64,
    sort: Sort,
}

struct Grammar {
    messages: BTreeMap<String, Vec<Field>>,
    enumerations: BTreeMap<String, usize>,
}

fn grammar() -> Grammar {
    let mut grammar = Grammar { messages: BTreeMap::new(), enumerations: BTreeMap::new() };
    let mut last = String::new();
    for line in include_str!("../grammar/grammar.txt").lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["enum", name, values @ ..] => {
                grammar.enumerations.insert((*name).to_owned(), values.len());
            }
            ["message", name] => {
                last = (*name).to_owned();
                grammar.messages.insert(last.clone(), Vec::new());
            }
            [name, number, sort] => {
                let sort = match (sort.strip_prefix('*'), sort.strip_prefix('%'), *sort) {
                    (Some(message), _, _) => Sort::Repeated(message.to_owned()),
                    (_, Some(name), _) => Sort::Enumeration(name.to_owned()),
                    (_, _, "-") => Sort::Scalar,
                    (_, _, message) => Sort::Message(message.to_owned()),
                };
                let field = Field { name: (*name).to_owned(), number: number.parse().unwrap(), sort };
                grammar.messages.get_mut(&last).unwrap().push(field);
            }
            _ => assert!(line.starts_with('#'), "{line}"),
        }
    }
    grammar
}

fn words_of(text: &'static str) -> BTreeMap<&'static str, &'static str> {
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    lines.map(|line| line.split_once(' ').unwrap_or_else(|| panic!("no reason: {line}"))).collect()
}

/// A field of an encoded message.
struct Record<'b> {
    number: u64,
    /// Of a length-delimited one.
    payload: Option<&'b [u8]>,
    whole: &'b [u8],
}

fn records(mut bytes: &[u8]) -> Vec<Record<'_>> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let before = bytes;
        let tag = decode_varint(&mut bytes).unwrap();
        let length = match tag & 7 {
            0 => decode_varint(&mut bytes).map(|_| 0).unwrap(),
            1 => 8,
            2 => usize::try_from(decode_varint(&mut bytes).unwrap()).unwrap(),
            _ => 4,
        };
        let (payload, rest) = bytes.split_at(length);
        bytes = rest;
        let whole = &before[..before.len() - rest.len()];
        found.push(Record { number: tag >> 3, payload: (tag & 7 == 2).then_some(payload), whole });
    }
    found
}

/// The message with one record in place of another.
fn with(records: &[Record<'_>], at: usize, payload: &[u8]) -> Vec<u8> {
    let mut other = Vec::new();
    for (place, record) in records.iter().enumerate() {
        if place == at {
            put(&mut other, record.number, payload);
        } else {
            other.extend(record.whole);
        }
    }
    other
}

/// The message without a field.
fn without(records: &[Record<'_>], number: u64) -> Vec<u8> {
    records.iter().filter(|record| record.number != number).flat_map(|record| record.whole).copied().collect()
}

fn put(into: &mut Vec<u8>, number: u64, payload: &[u8]) {
    encode_varint(number << 3 | 2, into);
    encode_varint(payload.len() as u64, into);
    into.extend(payload);
}

fn evil() -> Node {
    let name = Node { node: Some(NodeEnum::String(Text { sval: "evil_fn".to_owned() })) };
    let call = FuncCall { funcname: vec![name], ..FuncCall::default() };
    Node { node: Some(NodeEnum::FuncCall(Box::new(call))) }
}

struct Planter<'g> {
    grammar: &'g Grammar,
    unread: &'g BTreeMap<&'static str, &'static str>,
    evil: Vec<u8>,
    seen: BTreeSet<String>,
}

impl Planter<'_> {
    /// Every message that differs from `bytes` by one planted call, with the place it was planted in.
    fn planted(&mut self, message: &str, bytes: &[u8], place: &str) -> Vec<(String, Vec<u8>)> {
        let grammar = self.grammar;
        self.seen.insert(message.to_owned());
        let records = records(bytes);
        let mut all = Vec::new();
        for field in &grammar.messages[message] {
            let key = match message {
                "List" => format!("{place}[]"),
                "Node" => place.to_owned(),
                _ => format!("{message}.{}", field.name),
            };
            let (Sort::Message(kind) | Sort::Repeated(kind)) = &field.sort else { continue };
            if kind == "Node" {
                let mut other = match field.sort {
                    Sort::Repeated(_) => bytes.to_vec(),
                    _ => without(&records, field.number),
                };
                put(&mut other, field.number, &self.evil.clone());
                all.push((key.clone(), other));
            }
            if self.unread.contains_key(key.as_str()) {
                continue;
            }
            for (at, record) in records.iter().enumerate().filter(|(_, record)| record.number == field.number)
            {
                for (inner, changed) in self.planted(kind, record.payload.unwrap(), &key) {
                    all.push((inner, with(&records, at, &changed)));
                }
            }
        }
        all
    }

    /// The same with every value of every enumeration, and one beyond them.
    fn valued(&self, message: &str, bytes: &[u8]) -> Vec<(String, u64, Vec<u8>)> {
        let records = records(bytes);
        let mut all = Vec::new();
        for field in &self.grammar.messages[message] {
            if let Sort::Enumeration(name) = &field.sort {
                for value in 0..=self.grammar.enumerations[name] as u64 {
                    let mut other = without(&records, field.number);
                    encode_varint(field.number << 3, &mut other);
                    encode_varint(value, &mut other);
                    all.push((format!("{message}.{}", field.name), value, other));
                }
            }
            let (Sort::Message(kind) | Sort::Repeated(kind)) = &field.sort else { continue };
            if self.unread.contains_key(format!("{message}.{}", field.name).as_str()) {
                continue;
            }
            for (at, record) in records.iter().enumerate().filter(|(_, record)| record.number == field.number)
            {
                for (key, value, changed) in self.valued(kind, record.payload.unwrap()) {
                    all.push((key, value, with(&records, at, &changed)));
                }
            }
        }
        all
    }
}

fn read(statement: Node) -> (Vec<Action>, Option<Unknown>) {
    let (path, remembered) = (vec!["public".to_owned()], Remembered::default());
    let context = Context {
        search_path: &path,
        standard_conforming_strings: true,
        client_encoding: "UTF8",
        catalog: None,
        remembered: &remembered,
    };
    let mut reader = Reader::new(&context, Given::default());
    reader.statement(&RawStmt { stmt: Some(Box::new(statement)), stmt_location: 0, stmt_len: 0 }, 0);
    (reader.found().actions(), reader.found().unknown.clone())
}

fn samples() -> Vec<(&'static str, Node)> {
    let statements = include_str!("../grammar/samples.sql").lines();
    statements
        .map(|sql| {
            let mut parsed =
                pg_query::parse(sql, 0).unwrap_or_else(|error| panic!("{sql}: {error}")).protobuf;
            assert_eq!(parsed.stmts.len(), 1, "{sql}");
            (sql, *parsed.stmts.remove(0).stmt.unwrap())
        })
        .collect()
}

/// Whether a call that nobody classed is reported.
fn calls_evil(actions: &[Action]) -> bool {
    actions.iter().any(|action| {
        action.action == Verb::Call && action.object.as_ref().is_some_and(|object| object.name == "evil_fn")
    })
}

#[test]
fn a_call_in_any_place_of_any_statement_is_reported() {
    let grammar = grammar();
    let unread = words_of(include_str!("../grammar/unread.txt"));
    let mut planter =
        Planter { grammar: &grammar, unread: &unread, evil: evil().encode_to_vec(), seen: BTreeSet::new() };
    let (mut planted, mut silent, mut used) = (0, BTreeMap::new(), BTreeSet::new());
    for (sql, statement) in samples() {
        let (_, before) = read(statement.clone());
        for (place, bytes) in planter.planted("Node", &statement.encode_to_vec(), "") {
            planted += 1;
            let changed = Node::decode(bytes.as_slice()).unwrap();
            let (actions, unknown) = read(changed);
            let named = unknown.as_ref().is_some_and(|gap| gap.code == UnknownCode::Unsupported);
            if calls_evil(&actions) || named || before.is_none() && unknown.is_some() {
                continue;
            }
            if let Some((listed, _)) = unread.get_key_value(place.as_str()) {
                used.insert(*listed);
            } else {
                silent.entry(place).or_insert(sql);
            }
        }
    }
    assert!(planted > 2000, "{planted}");
    let shown: Vec<String> = silent.iter().map(|(place, sql)| format!("{place}   in {sql}")).collect();
    assert!(silent.is_empty(), "{} places are not read:\n{}", silent.len(), shown.join("\n"));
    let idle: Vec<_> = unread.keys().filter(|place| !used.contains(**place)).collect();
    assert!(idle.is_empty(), "listed as unread, and are read: {idle:?}");
}

#[test]
fn every_node_of_the_grammar_is_in_a_sample_or_made_by_analysis_alone() {
    let grammar = grammar();
    let unread = BTreeMap::new();
    let mut planter =
        Planter { grammar: &grammar, unread: &unread, evil: evil().encode_to_vec(), seen: BTreeSet::new() };
    for (_, statement) in samples() {
        planter.planted("Node", &statement.encode_to_vec(), "");
    }
    let analysed = words_of(include_str!("../grammar/analysed.txt"));
    for field in &grammar.messages["Node"] {
        let Sort::Message(kind) = &field.sort else { panic!("{field:?}") };
        let (sampled, listed) = (planter.seen.contains(kind), analysed.contains_key(kind.as_str()));
        assert!(sampled != listed, "{kind}: in a sample {sampled}, listed {listed}");
        let mut bytes = Vec::new();
        put(&mut bytes, field.number, &[]);
        let node = Node::decode(bytes.as_slice()).unwrap();
        // As a statement: something is reported, or a gap.
        let (actions, unknown) = read(node.clone());
        assert!(!actions.is_empty() || unknown.is_some(), "{kind} as a statement");
        if listed {
            assert!(unknown.is_some(), "{kind} as a statement");
            let target = ResTarget { val: Some(Box::new(node.clone())), ..ResTarget::default() };
            let target = Node { node: Some(NodeEnum::ResTarget(Box::new(target))) };
            for select in [
                SelectStmt { target_list: vec![target], ..SelectStmt::default() },
                SelectStmt { from_clause: vec![node], ..SelectStmt::default() },
            ] {
                let (_, unknown) = read(Node { node: Some(NodeEnum::SelectStmt(Box::new(select))) });
                assert!(unknown.is_some(), "{kind} in a query");
            }
        }
    }
}

#[test]
fn the_listed_fields_are_those_of_the_parser() {
    let grammar = grammar();
    for field in &grammar.messages["Node"] {
        let Sort::Message(kind) = &field.sort else { panic!("{field:?}") };
        let mut bytes = Vec::new();
        put(&mut bytes, field.number, &[]);
        let node = Node::decode(bytes.as_slice()).unwrap().node.unwrap();
        let value = serde_json::to_value(&node).unwrap();
        let (_, content) = value.as_object().unwrap().iter().next().unwrap();
        let theirs: BTreeSet<&str> = content.as_object().unwrap().keys().map(String::as_str).collect();
        let ours: BTreeSet<&str> = if kind == "A_Const" {
            BTreeSet::from(["isnull", "location", "val"])
        } else {
            grammar.messages[kind].iter().map(|field| field.name.as_str()).collect()
        };
        assert_eq!(ours, theirs, "{kind}");
    }
    // A variant that came after the list was made is decoded as nothing.
    let next = grammar.messages["Node"].iter().map(|field| field.number).max().unwrap() + 1;
    for number in next..next + 50 {
        let mut bytes = Vec::new();
        put(&mut bytes, number, &[]);
        assert_eq!(Node::decode(bytes.as_slice()).unwrap().node, None, "the grammar has a node {number}");
    }
}

/// Enumerations of which a value that came with another grammar must not go by unseen.
const MINDED: [&str; 22] = [
    "AlterExtensionContentsStmt.objtype",
    "AlterFunctionStmt.objtype",
    "AlterObjectDependsStmt.object_type",
    "AlterObjectSchemaStmt.object_type",
    "AlterOwnerStmt.object_type",
    "AlterTableCmd.subtype",
    "AlterTableStmt.objtype",
    "CommentStmt.objtype",
    "CreateTableAsStmt.objtype",
    "DefineStmt.kind",
    "DiscardStmt.target",
    "DropStmt.remove_type",
    "GrantStmt.objtype",
    "GrantStmt.targtype",
    "MergeWhenClause.command_type",
    "OnConflictClause.action",
    "RenameStmt.rename_type",
    "SecLabelStmt.objtype",
    "TransactionStmt.kind",
    "A_Expr.kind",
    "RenameStmt.relation_type",
    "AlterTableMoveAllStmt.objtype",
];

#[test]
fn a_value_that_an_enumeration_does_not_have_is_a_gap() {
    let grammar = grammar();
    let unread = words_of(include_str!("../grammar/unread.txt"));
    let planter = Planter { grammar: &grammar, unread: &unread, evil: Vec::new(), seen: BTreeSet::new() };
    let mut minded = BTreeSet::new();
    for (sql, statement) in samples() {
        let (_, before) = read(statement.clone());
        for (place, value, bytes) in planter.valued("Node", &statement.encode_to_vec()) {
            let (actions, unknown) = read(Node::decode(bytes.as_slice()).unwrap());
            assert!(!actions.is_empty() || unknown.is_some(), "{place} = {value} in {sql}");
            let (message, name) = place.split_once('.').unwrap();
            let field = grammar.messages[message].iter().find(|field| field.name == name).unwrap();
            let Sort::Enumeration(kind) = &field.sort else { panic!("{place}") };
            let beyond = value >= grammar.enumerations[kind] as u64;
            if let Some(listed) = MINDED.iter().find(|listed| **listed == place)
                && beyond
                && before.is_none()
            {
                assert!(unknown.is_some(), "{place} = {value} in {sql}");
                minded.insert(*listed);
            }
        }
    }
    assert_eq!(minded, BTreeSet::from(MINDED));
}

macro_rules! enumerations {
    ($grammar:expr; $($kind:ident $name:literal)+) => {
        BTreeSet::from([$({
            let count = i32::try_from($grammar.enumerations[$name]).unwrap();
            assert!(pg_query::protobuf::$kind::try_from(count - 1).is_ok(), $name);
            assert!(pg_query::protobuf::$kind::try_from(count).is_err(), "{} has a value more", $name);
            $name
        }),+])
    };
}

#[test]
fn the_listed_enumerations_are_those_of_the_parser() {
    let grammar = grammar();
    let checked = enumerations! { grammar;
        AExprKind "A_Expr_Kind"
        AggSplit "AggSplit"
        AlterPublicationAction "AlterPublicationAction"
        AlterSubscriptionType "AlterSubscriptionType"
        AlterTsConfigType "AlterTSConfigType"
        AlterTableType "AlterTableType"
        BoolExprType "BoolExprType"
        BoolTestType "BoolTestType"
        CteMaterialize "CTEMaterialize"
        CmdType "CmdType"
        CoercionContext "CoercionContext"
        CoercionForm "CoercionForm"
        CompareType "CompareType"
        ConstrType "ConstrType"
        DefElemAction "DefElemAction"
        DiscardMode "DiscardMode"
        DropBehavior "DropBehavior"
        FetchDirection "FetchDirection"
        FunctionParameterMode "FunctionParameterMode"
        GrantTargetType "GrantTargetType"
        GroupingSetKind "GroupingSetKind"
        ImportForeignSchemaType "ImportForeignSchemaType"
        JoinType "JoinType"
        JsonBehaviorType "JsonBehaviorType"
        JsonConstructorType "JsonConstructorType"
        JsonEncoding "JsonEncoding"
        JsonExprOp "JsonExprOp"
        JsonFormatType "JsonFormatType"
        JsonQuotes "JsonQuotes"
        JsonTableColumnType "JsonTableColumnType"
        JsonValueType "JsonValueType"
        JsonWrapper "JsonWrapper"
        LimitOption "LimitOption"
        LockClauseStrength "LockClauseStrength"
        LockWaitPolicy "LockWaitPolicy"
        MergeMatchKind "MergeMatchKind"
        MinMaxOp "MinMaxOp"
        NullTestType "NullTestType"
        ObjectType "ObjectType"
        OnCommitAction "OnCommitAction"
        OnConflictAction "OnConflictAction"
        OverridingKind "OverridingKind"
        ParamKind "ParamKind"
        PartitionRangeDatumKind "PartitionRangeDatumKind"
        PartitionStrategy "PartitionStrategy"
        PublicationObjSpecType "PublicationObjSpecType"
        QuerySource "QuerySource"
        RteKind "RTEKind"
        ReindexObjectType "ReindexObjectType"
        ReturningOptionKind "ReturningOptionKind"
        RoleSpecType "RoleSpecType"
        RoleStmtType "RoleStmtType"
        SqlValueFunctionOp "SQLValueFunctionOp"
        SetOperation "SetOperation"
        SortByDir "SortByDir"
        SortByNulls "SortByNulls"
        SubLinkType "SubLinkType"
        TableFuncType "TableFuncType"
        TransactionStmtKind "TransactionStmtKind"
        VarReturningType "VarReturningType"
        VariableSetKind "VariableSetKind"
        ViewCheckOption "ViewCheckOption"
        WcoKind "WCOKind"
        XmlExprOp "XmlExprOp"
        XmlOptionType "XmlOptionType"
    };
    let used: BTreeSet<&str> = grammar
        .messages
        .values()
        .flatten()
        .filter_map(|field| match &field.sort {
            Sort::Enumeration(name) => Some(name.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(checked, used);
}
