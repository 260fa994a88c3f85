//! The published schema is generated from the words of core, and held fresh.

use sallyport_core::Group;

use super::*;

const HEAD: &str = include_str!("schema_head.cedarschema");

/// The schema as the words of core want it.
fn generated() -> String {
    let mut text = HEAD.to_owned();
    let spoken = |group: &Group| {
        Verb::ALL
            .iter()
            .copied()
            .filter(|verb| verb.group() == *group && is_spoken(*verb))
            .collect::<Vec<_>>()
    };
    for group in Group::ALL.iter().filter(|group| !spoken(group).is_empty()) {
        text += &format!("\naction \"sql:{group}\" in [\"sql\"];\n");
        for verb in spoken(group) {
            let context = match verb {
                Verb::Update | Verb::Delete => "RowChange",
                _ => "Operation",
            };
            text += &format!(
                "action \"sql:{verb}\" in [\"sql:{group}\"] appliesTo {{\n  principal: [Human, Service, Agent],\n  resource: [Database, Schema, Relation, Column, Object],\n  context: {context},\n}};\n"
            );
        }
    }
    text
}

#[test]
fn the_published_schema_is_the_generated_one() {
    assert_eq!(
        generated(),
        schema(),
        "run: cargo test -p sallyport-policy -- --ignored write_the_published_schema"
    );
}

#[test]
#[ignore = "writes starter/schema.cedarschema after a change of words"]
fn write_the_published_schema() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/starter/schema.cedarschema");
    std::fs::write(path, generated()).expect("the published schema is written");
}

#[test]
fn every_word_of_core_is_an_action_in_its_group() {
    let vocabulary = Vocabulary::read().expect("the schema reads");
    for verb in Verb::ALL.iter().filter(|verb| is_spoken(**verb)) {
        let action = vocabulary.verb(*verb).expect("each verb is an action");
        let above: Vec<String> = vocabulary
            .action_chain(action)
            .iter()
            .map(|entity| entity.uid().id().unescaped().to_owned())
            .collect();
        assert!(above.contains(&format!("sql:{}", verb.group())), "{verb}: {above:?}");
        assert!(above.contains(&"sql".to_owned()), "{verb}: {above:?}");
    }
    assert!(vocabulary.verb(Verb::Run).is_err(), "what no policy can speak of is refused");
    for alone in [&vocabulary.connect, &vocabulary.reveal, &vocabulary.unknown] {
        assert_eq!(vocabulary.action_chain(alone).len(), 1, "{alone} is in no group");
    }
}
