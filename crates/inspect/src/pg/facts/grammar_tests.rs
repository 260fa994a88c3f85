//! That every node, field and enumeration of the grammar is read, or is known not to be.
//!
//! `grammar/grammar.txt` lists the tree's messages; a statement of every kind (`grammar/samples.sql`) is
//! parsed, and a call is planted in each place of its tree that can hold a node, by its encoding. What
//! the facts are silent about must stand in `grammar/unread.txt`, with the reason.

use std::collections::{BTreeMap, BTreeSet};

use pg_query::NodeEnum;
use pg_query::protobuf::{FuncCall, Node, RawStmt, ResTarget, SelectStmt, String as Text};
use prost::Message;
use sallyport_core::{Action, Unknown, UnknownCode, Verb};

use super::Reader;
use crate::pg::statement::{Context, Remembered};

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

fn varint(bytes: &[u8], at: &mut usize) -> u64 {
    let (mut value, mut shift) = (0u64, 0);
    loop {
        let byte = bytes[*at];
        *at += 1;
        value |= u64::from(byte & 0x7f) << shift;
        shift += 7;
        if byte < 0x80 {
            return value;
        }
    }
}

fn put_varint(into: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        into.push((value as u8 & 0x7f) | 0x80);
        value >>= 7;
    }
    into.push(value as u8);
}

/// The records of an encoded message: number, payload of a length-delimited one, the whole record.
fn records(bytes: &[u8]) -> Vec<(u64, Option<&[u8]>, &[u8])> {
    let mut at = 0;
    let mut found = Vec::new();
    while at < bytes.len() {
        let start = at;
        let tag = varint(bytes, &mut at);
        let payload = match tag & 7 {
            0 => {
                varint(bytes, &mut at);
                None
            }
            1 => {
                at += 8;
                None
            }
            2 => {
                let length = varint(bytes, &mut at) as usize;
                at += length;
                Some(&bytes[at - length..at])
            }
            _ => {
                at += 4;
                None
            }
        };
        found.push((tag >> 3, payload, &bytes[start..at]));
    }
    found
}

fn put(into: &mut Vec<u8>, number: u64, payload: &[u8]) {
    put_varint(into, number << 3 | 2);
    put_varint(into, payload.len() as u64);
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
                let mut other = Vec::new();
                for (number, _, whole) in &records {
                    if *number != field.number || matches!(field.sort, Sort::Repeated(_)) {
                        other.extend(*whole);
                    }
                }
                put(&mut other, field.number, &self.evil.clone());
                all.push((key.clone(), other));
            }
            if self.unread.contains_key(key.as_str()) {
                continue;
            }
            for (at, (number, payload, _)) in records.iter().enumerate() {
                if *number != field.number {
                    continue;
                }
                for (inner, changed) in self.planted(kind, payload.unwrap(), &key) {
                    let mut other = Vec::new();
                    for (place, (_, _, whole)) in records.iter().enumerate() {
                        if place == at {
                            put(&mut other, field.number, &changed);
                        } else {
                            other.extend(*whole);
                        }
                    }
                    all.push((inner, other));
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
                    let mut other = Vec::new();
                    for (_, _, whole) in records.iter().filter(|(number, _, _)| *number != field.number) {
                        other.extend(*whole);
                    }
                    put_varint(&mut other, field.number << 3);
                    put_varint(&mut other, value);
                    all.push((format!("{message}.{}", field.name), value, other));
                }
            }
            let (Sort::Message(kind) | Sort::Repeated(kind)) = &field.sort else { continue };
            for (at, (number, payload, _)) in records.iter().enumerate() {
                if *number != field.number
                    || self.unread.contains_key(format!("{message}.{}", field.name).as_str())
                {
                    continue;
                }
                for (key, value, changed) in self.valued(kind, payload.unwrap()) {
                    let mut other = Vec::new();
                    for (place, (_, _, whole)) in records.iter().enumerate() {
                        if place == at {
                            put(&mut other, field.number, &changed);
                        } else {
                            other.extend(*whole);
                        }
                    }
                    all.push((key, value, other));
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
    let mut reader = Reader::new(&context);
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
