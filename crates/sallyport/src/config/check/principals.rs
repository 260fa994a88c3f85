//! Who may call, and who vouches for callers.

use std::collections::{BTreeMap, BTreeSet};

use sallyport_core::{ApiRole, Principal, PrincipalKind, Target, fold_name, visible};

use super::super::OidcProvider;
use super::super::model::{KindEntry, OidcEntry, PrincipalEntry, RoleEntry};
use super::super::problem::Step;
use super::Checker;
use super::targets::is_https_or_loopback;

impl Checker<'_> {
    pub(super) fn principals(&mut self, entries: &[PrincipalEntry], has_oidc: bool) -> Vec<Principal> {
        if entries.is_empty() && !has_oidc {
            self.notes.push("no principal is configured: nobody can call yet".to_owned());
        }
        let kinds: BTreeMap<String, KindEntry> =
            entries.iter().map(|entry| (fold_name(&entry.name), entry.kind)).collect();
        let mut seen = BTreeSet::new();
        entries
            .iter()
            .enumerate()
            .filter_map(|(index, entry)| {
                let at = |key| [Step::Key("principal"), Step::At(index), Step::Key(key)];
                let before = self.problems.len();
                if !is_principal_name(&entry.name) {
                    self.problem(
                        &at("name"),
                        "a principal's name is 1 to 254 visible characters, without space at its ends",
                    );
                } else if !seen.insert(fold_name(&entry.name)) {
                    self.problem(
                        &at("name"),
                        format!("a second principal called {} (case does not tell them apart)", entry.name),
                    );
                }
                self.roles(index, entry);
                self.on_behalf_of(&at("on_behalf_of"), entry, &kinds);
                (self.problems.len() == before).then(|| principal(entry))
            })
            .collect()
    }

    fn roles(&mut self, index: usize, entry: &PrincipalEntry) {
        let at = |key| [Step::Key("principal"), Step::At(index), Step::Key(key)];
        if entry.kind == KindEntry::Agent && !entry.roles.is_empty() {
            self.problem_with(
                &at("roles"),
                "agents have no API roles, so this could not act",
                Some("give the role to a human"),
            );
        }
        if entry.kind == KindEntry::Service && entry.roles.contains(&RoleEntry::Approver) {
            self.problem(&at("roles"), "only humans answer requests, so a service cannot be an approver");
        }
        let approver = entry.kind == KindEntry::Human && entry.roles.contains(&RoleEntry::Approver);
        if approver && entry.groups.is_empty() {
            self.problem(
                &at("roles"),
                "an approver answers for the groups it is in, and this one is in none",
            );
        }
        if entry.groups.iter().any(|group| !is_principal_name(group)) {
            self.problem(&at("groups"), "a group's name is 1 to 254 visible characters");
        }
    }

    /// The targets that auditors are narrowed to, by principal name.
    pub(super) fn recordings_of(
        &mut self,
        entries: &[PrincipalEntry],
        targets: &[Target],
    ) -> BTreeMap<String, BTreeSet<String>> {
        let mut narrowed = BTreeMap::new();
        for (index, entry) in entries.iter().enumerate() {
            let at = [Step::Key("principal"), Step::At(index), Step::Key("recordings_of")];
            let Some(names) = &entry.recordings_of else { continue };
            if !entry.roles.contains(&RoleEntry::Auditor) {
                self.problem_with(
                    &at,
                    "only an auditor reads recordings, so this could not act",
                    Some("give the role auditor"),
                );
            }
            for name in names.iter().filter(|name| !targets.iter().any(|target| target.name == **name)) {
                // Recordings outlive their target: this may be the way to read them still.
                self.notes.push(format!(
                    "{} may read recordings of {}, which is no target here",
                    visible::line(&entry.name),
                    visible::line(name)
                ));
            }
            narrowed.insert(entry.name.clone(), names.clone());
        }
        narrowed
    }

    fn on_behalf_of(&mut self, at: &[Step<'_>], entry: &PrincipalEntry, kinds: &BTreeMap<String, KindEntry>) {
        let Some(human) = &entry.on_behalf_of else {
            if entry.kind == KindEntry::Agent {
                self.notes.push(format!(
                    "agent {} acts for nobody in particular (no on_behalf_of)",
                    visible::line(&entry.name)
                ));
            }
            return;
        };
        if !is_principal_name(human) {
            self.problem(at, "a principal's name is 1 to 254 visible characters, without space at its ends");
        } else if fold_name(human) == fold_name(&entry.name) {
            self.problem(at, "a principal cannot act for itself");
        } else {
            match kinds.get(&fold_name(human)) {
                Some(KindEntry::Human) => {}
                Some(KindEntry::Service | KindEntry::Agent) => {
                    self.problem(at, format!("{human} is not a human"));
                }
                // Approval compares names: one that is spelled another way would be another person.
                None => self.notes.push(format!(
                    "{} acts for {human}, who is no principal here; nobody approves their own requests, so spell the name as they sign in",
                    visible::line(&entry.name)
                )),
            }
        }
    }

    pub(super) fn oidc(&mut self, entries: &[OidcEntry], principals: &[PrincipalEntry]) -> Vec<OidcProvider> {
        let mut seen = BTreeSet::new();
        entries
            .iter()
            .enumerate()
            .filter_map(|(index, entry)| {
                let at = |key| [Step::Key("oidc"), Step::At(index), Step::Key(key)];
                let before = self.problems.len();
                if !is_https_or_loopback(&entry.issuer) {
                    self.problem_with(
                        &at("issuer"),
                        "an issuer is an https:// address without query or fragment",
                        Some("http:// is taken for loopback only"),
                    );
                } else if !seen.insert(entry.issuer.clone()) {
                    self.problem(&at("issuer"), "a second provider with this issuer");
                }
                if entry.audience.trim().is_empty() {
                    self.problem(
                        &at("audience"),
                        "empty: tokens made for any other service would be taken here",
                    );
                }
                if entry.groups_claim.as_ref().is_some_and(|claim| claim.trim().is_empty()) {
                    self.problem(&at("groups_claim"), "empty");
                }
                if entry.principal_claim.trim().is_empty() {
                    self.problem(&at("principal_claim"), "empty");
                }
                if entry.subjects.is_empty() {
                    self.problem(
                        &at("issuer"),
                        "without `subjects` nobody can sign in through this provider, so it could not act",
                    );
                }
                if entry.jwks_url.as_ref().is_some_and(|url| !is_https_or_loopback(url)) {
                    self.problem(&at("jwks_url"), "not an https:// address");
                }
                if entry.algorithms.iter().any(|name| name.starts_with("HS") || name == "none") {
                    self.problem(
                        &at("algorithms"),
                        "a provider's tokens are never taken with HMAC or unsigned",
                    );
                }
                for (subject, name) in &entry.subjects {
                    if subject.is_empty() || !principals.iter().any(|principal| principal.name == *name) {
                        self.problem(
                            &at("subjects"),
                            format!("{} is no principal here, so this could not act", visible::line(name)),
                        );
                    }
                }
                (self.problems.len() == before).then(|| OidcProvider {
                    issuer: entry.issuer.clone(),
                    audience: entry.audience.clone(),
                    jwks_url: entry.jwks_url.clone(),
                    principal_claim: entry.principal_claim.clone(),
                    groups_claim: entry.groups_claim.clone(),
                    algorithms: entry.algorithms.clone(),
                    tenant: entry.tenant.clone(),
                    authorized_parties: entry.authorized_parties.clone(),
                    subjects: entry.subjects.clone(),
                })
            })
            .collect()
    }
}

fn principal(entry: &PrincipalEntry) -> Principal {
    Principal {
        name: entry.name.clone(),
        kind: match entry.kind {
            KindEntry::Human => PrincipalKind::Human,
            KindEntry::Service => PrincipalKind::Service,
            KindEntry::Agent => PrincipalKind::Agent,
        },
        on_behalf_of: entry.on_behalf_of.clone(),
        groups: entry.groups.clone(),
        roles: entry
            .roles
            .iter()
            .map(|role| match role {
                RoleEntry::Viewer => ApiRole::Viewer,
                RoleEntry::Approver => ApiRole::Approver,
                RoleEntry::Auditor => ApiRole::Auditor,
                RoleEntry::Admin => ApiRole::Admin,
            })
            .collect(),
    }
}

fn is_principal_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 254
        && name.trim() == name
        && !visible::has_hidden(name)
        && !name.chars().any(char::is_control)
}
