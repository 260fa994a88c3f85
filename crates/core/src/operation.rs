//! The unit that is decided.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::digest::{Digest, DigestBuilder};
use crate::principal::Principal;

/// How the operation reached the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OperationKind {
    /// Text that runs as it stands.
    Query,
    /// Text that is prepared now and run later, if at all.
    Prepare,
    /// A prepared text with its parameters, about to run.
    Execute,
}

/// How a parameter's bytes are to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ParameterFormat {
    /// As text.
    Text,
    /// In the type's binary form.
    Binary,
}

/// One parameter of a prepared operation.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Parameter {
    /// The target's type number; 0 when the target is to choose.
    pub type_id: u32,
    /// Text or binary.
    pub format: ParameterFormat,
    /// The value; nothing for NULL.
    pub value: Option<Vec<u8>>,
}

/// One operation: exact bytes, parameters, and the digest that an approval is bound to.
#[derive(Clone, Debug)]
pub struct Operation {
    /// Number within the session, from 1.
    pub number: u64,
    /// How it came.
    pub kind: OperationKind,
    /// The exact bytes of the text.
    pub text: Arc<[u8]>,
    /// The exact parameters.
    pub parameters: Arc<[Parameter]>,
    /// What an approval of this operation is bound to.
    pub digest: Digest,
}

/// Everything an approval is bound to: what will run, where, as whom, and in what state of the session.
///
/// Not in it, so that a ticket can be used by a later session and under a later policy: session id,
/// portal and statement names, policy version.
#[derive(Clone, Copy, Debug)]
pub struct Binding<'a> {
    /// Who asks; the human behind an agent is part of it.
    pub principal: &'a Principal,
    /// Target name.
    pub target: &'a str,
    /// Database within it.
    pub database: &'a str,
    /// State that changes what the text means: role, search path, encodings, in a transaction or not.
    pub state: &'a BTreeMap<&'static str, String>,
    /// The exact text.
    pub text: &'a [u8],
    /// The exact parameters.
    pub parameters: &'a [Parameter],
    /// Where credentials are kept out of what is shown of the text: a key of the gateway's. Otherwise who sees
    /// the digest and the rest could try out what was left out.
    pub key: Option<&'a [u8]>,
}

impl Binding<'_> {
    /// The digest of all of it.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let mut builder = DigestBuilder::new("sallyport operation v1")
            .field(self.principal.name.as_bytes())
            .field(self.principal.kind.as_str().as_bytes())
            .optional(self.principal.on_behalf_of.as_deref().map(str::as_bytes))
            .field(self.target.as_bytes())
            .field(self.database.as_bytes());
        for (name, value) in self.state {
            builder = builder.field(name.as_bytes()).field(value.as_bytes());
        }
        if let Some(key) = self.key {
            builder = builder.field(b"key").field(key);
        }
        builder = builder.field(b"text").field(self.text);
        for parameter in self.parameters {
            let format = match parameter.format {
                ParameterFormat::Text => b"t",
                ParameterFormat::Binary => b"b",
            };
            builder = builder
                .field(&parameter.type_id.to_be_bytes())
                .field(format)
                .optional(parameter.value.as_deref());
        }
        builder.finish()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::principal::PrincipalKind;

    fn agent(for_whom: &str) -> Principal {
        Principal {
            name: "claude-code".into(),
            kind: PrincipalKind::Agent,
            on_behalf_of: Some(for_whom.into()),
            groups: BTreeSet::new(),
            roles: BTreeSet::new(),
        }
    }

    #[test]
    fn every_bound_thing_changes_the_digest() {
        let principal = agent("alice");
        let state = BTreeMap::from([("search_path", "public".to_owned())]);
        let parameter = |value: Option<&[u8]>| Parameter {
            type_id: 23,
            format: ParameterFormat::Text,
            value: value.map(<[u8]>::to_vec),
        };
        let one = [parameter(Some(b"1"))];
        let base = Binding {
            principal: &principal,
            target: "shop-prod",
            database: "shop",
            state: &state,
            text: b"select $1",
            parameters: &one,
            key: None,
        };
        let other_human = agent("bob");
        let other_state = BTreeMap::from([("search_path", "evil".to_owned())]);
        let binary = [Parameter { format: ParameterFormat::Binary, ..parameter(Some(b"1")) }];
        let null = [parameter(None)];
        let typed = [Parameter { type_id: 25, ..parameter(Some(b"1")) }];
        let changed = [
            Binding { principal: &other_human, ..base },
            Binding { target: "shop-test", ..base },
            Binding { database: "other", ..base },
            Binding { state: &other_state, ..base },
            Binding { text: b"select $1 ", ..base },
            Binding { key: Some(b"the gateway's"), ..base },
            Binding { parameters: &binary, ..base },
            Binding { parameters: &null, ..base },
            Binding { parameters: &typed, ..base },
            Binding { parameters: &[], ..base },
        ];
        let mut seen = BTreeSet::from([base.digest()]);
        for binding in changed {
            assert!(seen.insert(binding.digest()), "{binding:?}");
        }
    }
}
