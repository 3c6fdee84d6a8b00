//! Matches the chapters and types that the rows of a register name with those of its organisation.

use std::collections::{BTreeMap, HashMap, HashSet};

use certvakt_base::suggest::nearest;
use certvakt_rules::normal::{fold_accents, short_name};
use certvakt_store::import::NewChapter;
use certvakt_store::organisation::Named;
use serde::Serialize;
use uuid::Uuid;

use super::fault::{Fault, Reason};

/// The maximum number of unknown values in the result.
const UNKNOWN_SHOWN: usize = 20;
/// The maximum number of different unknown values that are counted, which bounds the memory if the wrong
/// column was given.
const MOST_UNKNOWN: usize = 10_000;
/// The maximum number of chapters that an import creates.
const MOST_CREATED: usize = 1_000;

/// A value of a register that names no chapter or type of the organisation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unknown {
    /// The field: `chapter` or `type`.
    pub field: &'static str,
    /// The value.
    pub value: String,
    /// The number of its rows.
    pub rows: u64,
    /// The nearest name.
    pub nearest: Option<String>,
}

/// The names of an organisation's chapters or types, by which rows refer to them: each by its short name, its name, and
/// its number in registers, without regard to case, accents and spaces.
#[derive(Debug)]
pub struct Names {
    field: &'static str,
    all: Vec<Named>,
    /// The place of each name; `None` if several have it.
    places: HashMap<String, Option<usize>>,
    /// The number of rows of each unknown value, by its spelling.
    unknown: BTreeMap<String, u64>,
    /// The chapters to create, by their folded names; `None` to reject their rows.
    created: Option<HashMap<String, Created>>,
    /// Whether a blank means the chapter or type of the import.
    has_default: bool,
}

/// A chapter to create.
#[derive(Debug)]
struct Created {
    id: Uuid,
    /// The number of rows of each spelling.
    spellings: BTreeMap<String, u64>,
}

impl Names {
    /// The chapters of an organisation; with `creates`, rows may name others.
    pub fn chapters(all: Vec<Named>, creates: bool) -> Self {
        Self { created: creates.then(HashMap::new), ..Self::new("chapter", all) }
    }

    /// The types of an organisation.
    pub fn types(all: Vec<Named>) -> Self {
        Self::new("type", all)
    }

    fn new(field: &'static str, all: Vec<Named>) -> Self {
        let mut places: HashMap<String, Option<usize>> = HashMap::new();
        // A short name or number takes precedence over a name, because it is unique.
        for (at, one) in all.iter().enumerate() {
            for name in [Some(&one.key), one.external_id.as_ref()].into_iter().flatten() {
                places.insert(fold_accents(name), Some(at));
            }
        }
        let keys: HashSet<String> = places.keys().cloned().collect();
        for (at, one) in all.iter().enumerate() {
            let name = fold_accents(&one.name);
            if !keys.contains(&name) {
                places.entry(name).and_modify(|place| *place = None).or_insert(Some(at));
            }
        }
        Self { field, all, places, unknown: BTreeMap::new(), created: None, has_default: false }
    }

    /// The same, where a blank means the chapter or type of the import.
    pub(super) fn with_default(self, has_default: bool) -> Self {
        Self { has_default, ..self }
    }

    /// Whether a value names one of them.
    pub fn contains(&self, value: &str) -> bool {
        self.places.get(&fold_accents(value)).is_some_and(Option::is_some)
    }

    /// The identifier of the one that a cell names, of a chapter its id and of a type its code; `None` for that of the
    /// import. An error is the field, and the reason to reject the row.
    pub(super) fn find(&mut self, cell: Option<&str>) -> Result<Option<String>, Fault> {
        match cell {
            Some(value) => self.named(value).map(Some).map_err(|reason| (self.field, reason)),
            None if self.has_default => Ok(None),
            None => {
                let reason = format!("blank: correct it, or use --{} for the rows without one", self.field);
                Err((self.field, reason.into()))
            }
        }
    }

    fn named(&mut self, value: &str) -> Result<String, Reason> {
        let folded = fold_accents(value);
        match self.places.get(&folded) {
            Some(Some(place)) => return Ok(self.all[*place].identifier()),
            Some(None) => {
                return Err(format!("several {}s have this name: use their short name", self.field).into());
            }
            None => {}
        }
        if let Some(created) = &mut self.created {
            if created.len() == MOST_CREATED && !created.contains_key(&folded) {
                return Err(format!("more than {MOST_CREATED} new chapters: check the column").into());
            }
            let new = created
                .entry(folded)
                .or_insert_with(|| Created { id: Uuid::now_v7(), spellings: BTreeMap::new() });
            *new.spellings.entry(value.to_owned()).or_default() += 1;
            return Ok(new.id.to_string());
        }
        let reason = match self.nearest(value) {
            Some(near) => format!("unknown {}: did you mean '{near}'?", self.field),
            None => format!("unknown {0}: correct it, or add the {0}", self.field),
        };
        if self.unknown.len() < MOST_UNKNOWN || self.unknown.contains_key(value) {
            *self.unknown.entry(value.to_owned()).or_default() += 1;
        }
        Err(reason.into())
    }

    fn nearest(&self, value: &str) -> Option<&str> {
        nearest(value, self.all.iter().flat_map(|one| [one.key.as_str(), one.name.as_str()]))
    }

    /// The unknown values with the most rows.
    pub(super) fn unknown(&self) -> Vec<Unknown> {
        let mut all: Vec<_> = self.unknown.iter().collect();
        all.sort_by(|one, other| other.1.cmp(one.1).then(one.0.cmp(other.0)));
        all.into_iter()
            .take(UNKNOWN_SHOWN)
            .map(|(value, rows)| Unknown {
                field: self.field,
                value: value.clone(),
                rows: *rows,
                nearest: self.nearest(value).map(str::to_owned),
            })
            .collect()
    }

    /// The chapters to create, each with its most frequent spelling as its name.
    pub(super) fn created(&self) -> Vec<NewChapter> {
        let mut slugs: Vec<String> = self.all.iter().map(|one| one.key.clone()).collect();
        let mut all: Vec<_> = self.created.iter().flatten().collect();
        all.sort_by(|one, other| one.0.cmp(other.0));
        all.into_iter()
            .filter_map(|(folded, new)| {
                let name =
                    new.spellings.iter().max_by(|one, other| one.1.cmp(other.1).then(other.0.cmp(one.0)))?.0;
                let slug = short_name(folded, "chapter", &slugs);
                slugs.push(slug.clone());
                Some(NewChapter { id: new.id, slug, name: name.clone() })
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chapter(key: &str, name: &str, external_id: Option<&str>) -> Named {
        Named {
            id: Some(Uuid::nil()),
            key: key.to_owned(),
            name: name.to_owned(),
            external_id: external_id.map(str::to_owned),
        }
    }

    #[test]
    fn a_chapter_is_found_by_short_name_name_or_number() {
        let all = vec![
            chapter("tromso", "Tromsø og omegn", Some("19")),
            chapter("nord-1", "Nord", None),
            chapter("nord-2", "NORD", None),
            chapter("more", "Møre", None),
        ];
        let mut names = Names::chapters(all, false);
        for (value, expected) in [
            ("tromso", Ok(())),
            ("TROMSØ  OG OMEGN", Ok(())),
            ("Tromso og Omegn", Ok(())),
            ("19", Ok(())),
            ("Møre", Ok(())),
            ("nord", Err("several chapters have this name: use their short name")),
            ("Moere", Err("unknown chapter: did you mean 'more'?")),
            ("Bodø", Err("unknown chapter: correct it, or add the chapter")),
        ] {
            assert_eq!(
                names.named(value).map(|_| ()).map_err(Reason::into_owned),
                expected.map_err(str::to_owned),
                "{value}"
            );
        }
        names.named("Bodø").unwrap_err();
        let unknown = names.unknown();
        assert_eq!((unknown[0].value.as_str(), unknown[0].rows), ("Bodø", 2));
        assert_eq!(unknown[1].nearest.as_deref(), Some("more"));
    }

    #[test]
    fn new_chapters_have_free_short_names() {
        let mut names = Names::chapters(vec![chapter("oslo", "Oslo fylke", None)], true);
        for value in ["Oslo", "OSLO", "Oslo", "Øst-Telemark / Grenland", "東京"] {
            names.named(value).unwrap();
        }
        let created: Vec<_> = names.created().into_iter().map(|one| (one.slug, one.name)).collect();
        let expected = [("ost-telemark-grenland", "Øst-Telemark / Grenland"), ("chapter", "東京")];
        assert_eq!(created, expected.map(|(slug, name)| (slug.to_owned(), name.to_owned())));
    }
}
