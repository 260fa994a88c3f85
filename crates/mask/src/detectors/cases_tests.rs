//! Runs every case file, and holds that every detector has one.
//!
//! A case file is `cases/<ENTITY>.toml`: `[[positive]]` with `text`, what is found (`spans`; the whole text
//! when absent) and perhaps `column`; `[[negative]]` with `text`, perhaps `column`, and `why`. Negatives hold
//! for all detectors unless they name what else may be found (`other`).

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::*;
use crate::context::FieldContext;
use crate::detect::detect;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cases {
    positive: Vec<Positive>,
    negative: Vec<Negative>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Positive {
    text: String,
    spans: Option<Vec<String>>,
    column: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Negative {
    text: String,
    column: Option<String>,
    #[expect(dead_code, reason = "for the reader of the case file; a case must say why")]
    why: String,
    other: Option<String>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/detectors/cases")
}

fn cases(name: &str) -> Cases {
    let path = folder().join(format!("{name}.toml"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    toml::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn every_case_file_holds() {
    let mut wrong = Vec::new();
    for kind in kinds() {
        let entity = kind.entity;
        for case in cases(entity).positive {
            let context = FieldContext::cell(case.column.as_deref());
            let found: Vec<String> = detect(&case.text, &context)
                .into_iter()
                .filter(|finding| finding.entity == entity)
                .map(|finding| case.text.get(finding.bytes).unwrap().to_owned())
                .collect();
            let spans = case.spans.unwrap_or_else(|| vec![case.text.clone()]);
            if found != spans {
                wrong.push(format!("{entity}: {:?}: expected {spans:?}, found {found:?}", case.text));
            }
        }
        for case in cases(entity).negative {
            let context = FieldContext::cell(case.column.as_deref());
            for finding in detect(&case.text, &context) {
                if Some(finding.entity) != case.other.as_deref() {
                    wrong.push(format!("{entity}: {:?} is no {}", case.text, finding.entity));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn decoys_set_off_no_detector() {
    #[derive(Deserialize)]
    struct Decoys {
        decoy: Vec<String>,
    }
    let text = std::fs::read_to_string(folder().join("decoys.toml")).unwrap();
    let decoys: Decoys = toml::from_str(&text).unwrap();
    assert!(decoys.decoy.len() >= 40);
    let wrong: Vec<String> = decoys
        .decoy
        .iter()
        .flat_map(|text| {
            detect(text, &FieldContext::cell(None))
                .into_iter()
                .map(move |finding| format!("{text:?}: {}", finding.entity))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_detector_has_its_cases_and_every_case_file_its_detector() {
    let entities: BTreeSet<String> = kinds().map(|kind| kind.entity.to_owned()).collect();
    let ids: BTreeSet<&str> = kinds().map(|kind| kind.id).collect();
    let names: BTreeSet<(&str, &str)> = kinds().map(|kind| (kind.id, kind.entity)).collect();
    assert_eq!((entities.len(), ids.len()), (names.len(), names.len()), "names are unique");
    let files: BTreeSet<String> = std::fs::read_dir(folder())
        .unwrap()
        .map(|file| file.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
        .filter(|name| name != "decoys")
        .collect();
    assert_eq!(entities, files);
    for entity in entities {
        let cases = cases(&entity);
        assert!(cases.positive.len() >= 3 && cases.negative.len() >= 3, "{entity} needs more cases");
    }
}

#[test]
fn every_detector_says_what_it_is() {
    for kind in kinds() {
        assert!(!kind.description.is_empty() && kind.description.ends_with('.'), "{}", kind.id);
    }
}
