//! The columns of a register: their positions in the header, and how they differ from those of a saved mapping.

use certvakt_base::suggest::nearest;
use serde::Serialize;

use super::cells::DATE;
use super::error::ImportError;
use super::field::Field;

/// The maximum number of header names in an error about an unknown column, and of characters of each.
const NAMES_SHOWN: usize = 30;
const NAME_SHOWN: usize = 60;

/// How the columns of a file differ from those with which its mapping was saved.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ChangedColumns {
    /// The columns that are new.
    pub added: Vec<String>,
    /// The columns that are no longer there.
    pub removed: Vec<String>,
}

impl ChangedColumns {
    /// The differences; none if the saved header is not known.
    pub(super) fn of(header: &[String], saved: &[String]) -> Self {
        if saved.is_empty() {
            return Self::default();
        }
        let without = |all: &[String], others: &[String]| {
            all.iter().filter(|name| !name.is_empty() && !others.contains(name)).cloned().collect()
        };
        Self { added: without(header, saved), removed: without(saved, header) }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty()
    }
}

/// The names in a header.
pub(super) fn names_in(header: &csv::StringRecord) -> Vec<String> {
    header.iter().map(|name| name.trim_start_matches(DATE).trim().to_owned()).collect()
}

/// The positions of each mapped column in the header.
pub(super) fn places(
    columns: &[(Field, String)],
    header: &csv::StringRecord,
) -> Result<Vec<(Field, usize)>, ImportError> {
    let mut places = Vec::with_capacity(columns.len());
    for (field, column) in columns {
        match place(column, header) {
            Ok(at) => places.push((*field, at)),
            // A field can have several columns, and a column can have this sign in its name.
            Err(_) if field.may_have_several_columns() && column.contains('+') => {
                for part in column.split('+') {
                    places.push((*field, place(part, header)?));
                }
            }
            Err(error) => return Err(error),
        }
    }
    Ok(places)
}

/// The position of the family name, if the name has several columns: the last of them.
pub(super) fn family_name(places: &[(Field, usize)]) -> Option<usize> {
    let parts = places.iter().filter(|(field, _)| *field == Field::Name);
    parts.skip(1).last().map(|(_, place)| *place)
}

/// The position of a column in the header.
fn place(column: &str, header: &csv::StringRecord) -> Result<usize, ImportError> {
    let mut at =
        header.iter().enumerate().filter(|(_, name)| name.trim_start_matches(DATE).trim() == column.trim());
    match (at.next(), at.next()) {
        (Some((place, _)), None) => Ok(place),
        (Some(_), Some(_)) => Err(ImportError::UnknownColumn {
            column: column.to_owned(),
            hint: "the header contains it twice; rename one of them".to_owned(),
        }),
        (None, _) => Err(ImportError::UnknownColumn {
            column: column.to_owned(),
            hint: match nearest(column, header.iter()) {
                Some(near) => format!("did you mean '{near}'?"),
                None => format!("it has {}", shown(header)),
            },
        }),
    }
}

/// The header's names, for an error.
fn shown(header: &csv::StringRecord) -> String {
    let mut names: Vec<String> =
        header.iter().take(NAMES_SHOWN).map(|name| name.chars().take(NAME_SHOWN).collect()).collect();
    if header.len() > NAMES_SHOWN {
        names.push(format!("and {} more", header.len() - NAMES_SHOWN));
    }
    names.join(", ")
}
