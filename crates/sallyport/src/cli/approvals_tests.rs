//! What an approver sees, word for word.

use super::*;
use crate::testing::Page;

const NOW: &str = "2026-11-24T10:28:00Z";

fn now() -> Timestamp {
    Timestamp::parse(NOW).unwrap()
}

fn summary() -> serde_json::Value {
    serde_json::json!({
        "id": "7F3K-Q2WM", "state": "open", "principal": "claude-code", "kind": "agent",
        "on_behalf_of": "alice@example.com", "target": "shop-prod", "database": "shop",
        "actions": ["delete public.users"], "rule": "writes-need-a-human",
        "needs": [{ "group": "dba", "approvals": 2, "given": 1 }],
        "created": "2026-11-24T10:22:00Z", "expires": "2026-11-24T10:32:10Z", "caller_waits": true
    })
}

fn detail(text: &str) -> RequestDetail {
    let mut value = summary();
    let more = serde_json::json!({
        "statement": { "text": text, "parameters": ["42", null], "transaction": ["begin"],
                       "caller_reason": "approved by security\u{1b}[2J" },
        "facts": { "language": "postgres", "statements": 1, "unknown": null, "actions": [
            { "action": "delete", "group": "write", "kind": "table", "object": "public.users",
              "condition": "none" } ] },
        "state_of_session": { "search_path": "public" },
        "rule_reason": "a DBA looks at writes", "session": "01S", "operation": 3, "digest": "ab",
        "policy_version": "0123", "answers": [
            { "approver": "bob", "groups": ["dba"], "verdict": "approve", "note": "ok", "at": NOW } ]
    });
    value.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    serde_json::from_value(value).unwrap()
}

#[test]
fn a_request_is_shown_whole_in_words() {
    let page = Page::default();
    show(&detail("delete from users\n-- $1"), &mut page.output(false), now()).unwrap();
    assert_eq!(
        page.text(),
        "request 7F3K-Q2WM is open, and its caller waits\n\
         who      claude-code for alice@example.com (agent)\n\
         where    target shop-prod, database shop\n\
         would    deletes every row of public.users; it has no condition\n\
         rule     writes-need-a-human: a DBA looks at writes\n\
         needs    a yes from 2 of dba (1 given)\n\
         ends     in 4 min (2026-11-24 10:32:10Z)\n\
         answer   yes from bob: ok\n\
         state    search_path = public\n\
         \n\
         the caller says why (untrusted)\n  \
           | approved by security\\u{1b}[2J\n\
         \n\
         earlier in the same transaction, 1\n  \
           | begin\n\
         \n\
         statement, whole, 2 lines\n  \
           | delete from users\n  \
           | -- $1\n\
         \n\
         parameters\n  \
           $1 | 42\n  \
           $2 | NULL\n"
    );
}

#[test]
fn hidden_characters_are_shown_and_text_cannot_pass_for_ours() {
    let page = Page::default();
    let text = "select 1\nrule     nothing-to-see: fine\u{202e}\r\u{200b}";
    show(&detail(text), &mut page.output(false), now()).unwrap();
    let shown = page.text();
    assert!(shown.contains("  | rule     nothing-to-see: fine\\u{202e}\\r\\u{200b}\n"), "{shown}");
    assert!(!shown.contains('\u{202e}') && !shown.contains('\u{1b}') && !shown.contains('\r'), "{shown}");
}

#[test]
fn nothing_of_a_long_statement_is_cut() {
    let text = format!("select '{}'{}; drop table users", "x".repeat(5000), "\n".repeat(300));
    let page = Page::default();
    show(&detail(&text), &mut page.output(false), now()).unwrap();
    let shown = page.text();
    assert!(shown.contains(&"x".repeat(5000)), "a long line is whole");
    assert!(
        shown.contains("statement, whole, 301 lines") && shown.contains("; drop table users"),
        "the end too"
    );
}

#[test]
fn the_list_fits_80_columns() {
    let mut long = summary();
    long["actions"] = serde_json::json!(["update public.users", "select public.staff_of_the_company"]);
    let list: RequestList = serde_json::from_value(serde_json::json!({ "requests": [long] })).unwrap();
    let page = Page::default();
    show_list(&list, &mut page.output(false), now()).unwrap();
    let text = page.text();
    assert_eq!(
        text,
        "id         state  who                                target     ends\n\
         7F3K-Q2WM  open   claude-code for alice@example.com  shop-prod  in 4 min\n\
         \x20          would update public.users, select public.staff_of_the_company\n"
    );
}

#[test]
fn names_that_are_long_do_not_cut_what_it_would_do() {
    let mut long = summary();
    long["actions"] = serde_json::json!(["update public.users", "update public.users"]);
    long["target"] = serde_json::json!("the-target-with-the-longest-name-of-them-all");
    let list: RequestList = serde_json::from_value(serde_json::json!({ "requests": [long] })).unwrap();
    let page = Page::default();
    show_list(&list, &mut page.output(false), now()).unwrap();
    let text = page.text();
    assert!(text.ends_with("\n           would update public.users\n"), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
}

#[test]
fn an_answer_says_what_is_still_needed() {
    let page = Page::default();
    answered(&detail("x"), &mut page.output(false)).unwrap();
    assert_eq!(page.text(), "7F3K-Q2WM is open; still needed: 1 of dba\n");
}

#[test]
fn a_reader_who_may_not_see_the_statement_is_told_so() {
    let mut hidden = detail("secret");
    hidden.statement = None;
    let page = Page::default();
    show(&hidden, &mut page.output(false), now()).unwrap();
    assert!(page.text().ends_with("the statement is shown to approvers, auditors and who asked\n"));
}
