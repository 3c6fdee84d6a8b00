//! The columns of an uploaded register, for the person who says what each of them contains.

use std::collections::{BTreeMap, HashSet};
use std::fs::File;

use certvakt_base::i18n::line;
use certvakt_rules::national_number::is_national_number;
use certvakt_rules::normal::fold_accents;
use indicatif::ProgressBar;
use serde::{Deserialize, Serialize};

use super::guess::{Guess, Known, guess};
use super::header_names::{FAMILY_NAMES, folded};
use super::{Field, ImportError, ReadingOptions};
use crate::config::ImportConfig;

/// The maximum number of columns that a person can choose from.
const MOST_COLUMNS: usize = 200;
/// The maximum length of a mapping's name, as in the schema.
pub(super) const LONGEST_MAPPING: usize = 63;
/// The number of sample values of a column.
const SAMPLES: usize = 3;
/// What is shown in place of a value that may be a national identity number.
pub(super) const HIDDEN: &str = "•••••••••••";

/// The columns of an uploaded register.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draft {
    /// The columns that have a name of their own, in the order of the file.
    pub columns: Vec<DraftColumn>,
    /// The date formats that fit all dates. With several, the file does not show which is right.
    pub date_formats: Vec<String>,
    /// The code of the error because of which the table was not found in the file, if so.
    #[serde(default)]
    pub fault: Option<String>,
}

/// A column of an uploaded register.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DraftColumn {
    /// Its name in the header.
    pub name: String,
    /// Some different values of its first rows.
    pub samples: Vec<String>,
    /// The name of the field that it contains, as proposed or as last assigned.
    pub field: Option<String>,
}

impl Draft {
    /// Reads the first rows of a register. Errors contain `name`.
    pub fn read(
        file: File,
        name: &str,
        config: &ImportConfig,
        options: &ReadingOptions,
        known: &Known,
    ) -> Result<Self, ImportError> {
        let location = options.location().map_err(ImportError::Options)?;
        let found = guess(file, name, config, &location, known, &ProgressBar::hidden())?;
        Ok(Self::of(&found, Some(options).filter(|options| !options.columns.is_empty())))
    }

    /// The columns with the proposed fields, or with those of a saved mapping.
    fn of(guess: &Guess, saved: Option<&ReadingOptions>) -> Self {
        let assigned: Vec<(&str, &str)> = match saved {
            Some(saved) => saved.columns.iter().map(|(field, column)| (&**field, &**column)).collect(),
            None => guess.columns.iter().map(|one| (one.field, &*one.column)).collect(),
        };
        let names: Vec<&str> = guess.file_columns.iter().map(|one| &*one.name).collect();
        let is_own = |name: &str| !name.is_empty() && names.iter().filter(|one| **one == name).count() == 1;
        let columns = guess.file_columns.iter().filter(|one| is_own(&one.name)).take(MOST_COLUMNS);
        Self {
            columns: columns
                .map(|one| DraftColumn {
                    name: one.name.clone(),
                    samples: samples(&one.values),
                    field: assigned
                        .iter()
                        .find(|(_, column)| *column == one.name || is_part(column, &one.name, &names))
                        .map(|(field, _)| (*field).to_owned()),
                })
                .collect(),
            date_formats: guess.date_formats.iter().map(|format| (*format).to_owned()).collect(),
            fault: None,
        }
    }

    /// The column of each field, or several with `+` between them, that of a family name last. An error is a field that
    /// only one column can contain.
    pub fn assigned(&self) -> Result<BTreeMap<String, String>, Field> {
        let mut assigned: BTreeMap<String, String> = BTreeMap::new();
        let (last, first): (Vec<_>, Vec<_>) =
            self.columns.iter().partition(|column| FAMILY_NAMES.contains(&folded(&column.name).as_str()));
        for column in first.into_iter().chain(last) {
            let Some(field) = column.field.as_deref().and_then(|name| name.parse::<Field>().ok()) else {
                continue;
            };
            match assigned.get_mut(field.as_str()) {
                None => {
                    assigned.insert(field.as_str().to_owned(), column.name.clone());
                }
                Some(columns) if field.may_have_several_columns() => {
                    columns.push('+');
                    columns.push_str(&column.name);
                }
                Some(_) => return Err(field),
            }
        }
        Ok(assigned)
    }
}

/// The name under which a mapping is saved: what a person wrote, with the characters that the schema allows.
pub fn mapping_name(text: &str) -> Option<String> {
    let folded = fold_accents(text);
    let words = folded.split(|char: char| !char.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let name = words.collect::<Vec<_>>().join("-");
    (1..=LONGEST_MAPPING).contains(&name.len()).then_some(name)
}

/// Whether a column is one of several with `+` between them. A column can have this sign in its own name.
fn is_part(columns: &str, name: &str, names: &[&str]) -> bool {
    !names.contains(&columns) && columns.split('+').any(|part| part.trim() == name)
}

fn samples(values: &[String]) -> Vec<String> {
    let mut seen = HashSet::new();
    let different = values.iter().filter(|value| seen.insert(value.as_str())).take(SAMPLES);
    different.map(|value| if is_national_number(value) { HIDDEN.to_owned() } else { line(value) }).collect()
}

#[cfg(test)]
mod tests {
    use super::super::guess::{Column, Proposal};
    use super::*;

    fn guess(columns: &[(&str, &[&str])], proposed: &[(&'static str, &str)]) -> Guess {
        Guess {
            columns: proposed
                .iter()
                .map(|(field, column)| Proposal { field, column: (*column).to_owned(), reason: "name" })
                .collect(),
            missing: Vec::new(),
            date_formats: vec!["DD/MM/YYYY"],
            file_columns: columns
                .iter()
                .map(|(name, values)| Column {
                    name: (*name).to_owned(),
                    values: values.iter().map(|value| (*value).to_owned()).collect(),
                })
                .collect(),
        }
    }

    #[test]
    fn a_draft_has_samples_and_proposed_fields() {
        let columns: [(&str, &[&str]); 6] = [
            ("Nr", &["1", "2", "2", "3", "4"]),
            ("Fornavn", &["Mentor"]),
            ("Etternavn", &["A", "B"]),
            ("Fødselsnr", &["01010112377"]),
            ("", &["x"]),
            ("Nr", &["again"]),
        ];
        let proposed = [("external_id", "Nr"), ("name", "Fornavn+Etternavn")];
        let draft = Draft::of(&guess(&columns, &proposed), None);
        let shown: Vec<_> = draft
            .columns
            .iter()
            .map(|one| (&*one.name, one.samples.join(" "), one.field.as_deref()))
            .collect();
        assert_eq!(
            shown,
            [
                ("Fornavn", "Mentor".to_owned(), Some("name")),
                ("Etternavn", "A B".to_owned(), Some("name")),
                ("Fødselsnr", HIDDEN.to_owned(), None),
            ],
            "a column without a name of its own cannot be chosen"
        );
        assert_eq!(draft.date_formats, ["DD/MM/YYYY"]);
    }

    #[test]
    fn a_saved_mapping_comes_before_the_proposal() {
        let columns: [(&str, &[&str]); 3] = [("Nr", &["1"]), ("Medlem", &["7"]), ("Gyldig", &["2027-01-01"])];
        let saved = ReadingOptions {
            columns: BTreeMap::from([("external_id".to_owned(), "Medlem".to_owned())]),
            ..ReadingOptions::default()
        };
        let draft = Draft::of(&guess(&columns, &[("external_id", "Nr")]), Some(&saved));
        let fields: Vec<_> = draft.columns.iter().map(|one| one.field.as_deref()).collect();
        assert_eq!(fields, [None, Some("external_id"), None]);
    }

    #[test]
    fn only_some_fields_can_have_several_columns() {
        let column = |name: &str, field: &str| DraftColumn {
            name: name.to_owned(),
            samples: Vec::new(),
            field: Some(field.to_owned()),
        };
        let draft = |columns| Draft { columns, ..Draft::default() };
        let assigned = draft(vec![column("a", "name"), column("b", "name"), column("c", "type")]).assigned();
        let expected = [("name", "a+b"), ("type", "c")].map(|(field, at)| (field.to_owned(), at.to_owned()));
        assert_eq!(assigned, Ok(BTreeMap::from(expected)));
        let family_first = draft(vec![column("Etternavn", "name"), column("Fornavn", "name")]).assigned();
        assert_eq!(family_first.unwrap()["name"], "Fornavn+Etternavn");
        let twice = draft(vec![column("a", "type"), column("b", "type")]).assigned();
        assert_eq!(twice, Err(Field::Type));
    }
}
