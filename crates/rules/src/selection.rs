//! The stages of an organisation's certifications. A type can select other lead times than its organisation.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::stage::{Stage, Stages};

/// The stages that an organisation selected, and those of the types that selected other ones.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Selection {
    #[serde(flatten)]
    own: Stages,
    /// By the code of the type; all of them differ from `own`.
    #[serde(skip)]
    of_types: BTreeMap<String, Stages>,
}

/// The types that have the same stages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group<'a> {
    /// Their stages.
    pub stages: &'a Stages,
    /// The codes of these types; for the organisation's own selection, of the types that it does not apply to.
    pub types: Vec<&'a str>,
    /// Whether this is the organisation's own selection.
    pub is_own: bool,
}

impl Group<'_> {
    /// Whether the group has the type with this code.
    pub fn has(&self, type_code: &str) -> bool {
        self.types.contains(&type_code) != self.is_own
    }
}

impl Selection {
    /// The selection of an organisation, in days, and of the types that select for themselves. The grace period for
    /// `expired` is the organisation's.
    pub fn new(
        lead_times: &[u16],
        of_types: impl IntoIterator<Item = (String, Vec<u16>)>,
        grace_days: u16,
    ) -> Self {
        let own = Stages::new(lead_times, grace_days);
        let of_types = of_types
            .into_iter()
            .map(|(code, lead_times)| (code, Stages::new(&lead_times, grace_days)))
            .filter(|(_, stages)| *stages != own)
            .collect();
        Self { own, of_types }
    }

    /// The organisation's stages.
    pub const fn own(&self) -> &Stages {
        &self.own
    }

    /// The stages of the types that differ from the organisation's, by the code of the type.
    pub fn of_types(&self) -> impl Iterator<Item = (&str, &Stages)> {
        self.of_types.iter().map(|(code, stages)| (code.as_str(), stages))
    }

    /// The stages of a type's certifications.
    pub fn of(&self, type_code: &str) -> &Stages {
        self.of_types.get(type_code).unwrap_or(&self.own)
    }

    /// Every stage that the organisation or one of its types selected, in the order of their due dates.
    pub fn stages(&self) -> BTreeSet<Stage> {
        self.own.iter().chain(self.of_types.values().flat_map(Stages::iter)).collect()
    }

    /// Whether the organisation and all its types selected a stage.
    pub fn all_have(&self, stage: Stage) -> bool {
        self.own.has(stage) && self.of_types.values().all(|stages| stages.has(stage))
    }

    /// The types by their stages, the organisation's own selection first. Each type is in exactly one group.
    pub fn groups(&self) -> Vec<Group<'_>> {
        let mut groups = vec![Group {
            stages: &self.own,
            types: self.of_types().map(|(code, _)| code).collect(),
            is_own: true,
        }];
        for (code, stages) in self.of_types() {
            match groups.iter_mut().find(|group| group.stages == stages) {
                Some(group) => group.types.push(code),
                None => groups.push(Group { stages, types: vec![code], is_own: false }),
            }
        }
        groups
    }
}
