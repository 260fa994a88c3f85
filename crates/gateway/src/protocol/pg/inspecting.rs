//! A text as the target would read it here and now: by the session's settings, the catalog, and what the open
//! transaction has redefined.

use std::sync::Arc;

use sallyport_core::{Action, ObjectName, Verb};
use sallyport_inspect::pg::{Catalog, Context, Inspection};

use super::definitions;
use super::state::State;
use crate::session::Session;

/// Reads a text; `types` are those of its parameters, so far as the caller named them.
pub(super) fn inspect(
    session: &Session,
    state: &State,
    text: &[u8],
    types: &[u32],
    catalog: &Catalog,
) -> Arc<Inspection> {
    let inner = state.lock();
    let context = Context {
        search_path: &inner.reading.schemas,
        standard_conforming_strings: inner.reading.standard_conforming_strings,
        client_encoding: &inner.reading.client_encoding,
        catalog: Some(catalog),
        remembered: &inner.remembered,
    };
    let mut inspection = session.house.protocols.pg.inspected.inspect(text, &context);
    if inner.changing.own_touches(&inspection, catalog) {
        inspection = definitions::unsettled(&inspection);
    }
    drop(inner);
    if inspection.statements.is_empty() && inspection.facts.unknown.is_none() {
        // Drivers send an empty text to see whether the connection lives. It reads as little as SELECT.
        let mut empty = (*inspection).clone();
        empty.facts.actions = vec![Action::new(Verb::Select)];
        return Arc::new(empty);
    }
    with_declared(inspection, types, catalog)
}

/// The inspection of a text whose parameters are given types from outside it. Making a value of a user's
/// type may run a user's code (a domain's check, an input function): that is a call like any other.
fn with_declared(inspection: Arc<Inspection>, types: &[u32], catalog: &Catalog) -> Arc<Inspection> {
    if types.iter().all(|oid| catalog.is_plain_type_oid(*oid)) {
        return inspection;
    }
    let mut inspection = (*inspection).clone();
    inspection.facts.actions.push(Action::on_object(Verb::Call, "cast", ObjectName::bare("parameter")));
    inspection.facts.actions.sort();
    for statement in &mut inspection.statements {
        statement.unclassed_code = true;
    }
    Arc::new(inspection)
}

#[cfg(test)]
mod tests {
    use sallyport_inspect::pg::{Context, Remembered, inspect};

    use super::*;

    #[test]
    fn a_parameter_of_a_user_s_type_is_a_call_unless_the_type_is_plain() {
        let catalog = Catalog::new(Vec::new(), Vec::new(), Vec::new(), 1).with_plain_type_oids([16_400]);
        let remembered = Remembered::default();
        let context = Context {
            search_path: &[],
            standard_conforming_strings: true,
            client_encoding: "UTF8",
            catalog: Some(&catalog),
            remembered: &remembered,
        };
        let calls = |types: &[u32]| {
            let inspection = with_declared(Arc::new(inspect(b"SELECT $1", &context)), types, &catalog);
            inspection.facts.actions.iter().any(|action| action.action == Verb::Call)
        };
        assert!(!calls(&[0, 23, 16_400]), "the server's own, a plain one, and one left to the server");
        assert!(calls(&[23, 16_401]), "a domain, say");
    }
}
