//! Proposes the columns of a register, from the names in its header and from its values. A proposal imports nothing.

use std::collections::HashSet;
use std::fs::File;

use indicatif::ProgressBar;
use serde::Serialize;

use super::cells::DATE;
use super::dates::{self, DateFormat};
use super::error::{ImportError, ReadError};
use super::field::Field;
use super::header_names::{FAMILY_NAMES, FIRST_NAMES, NAME, NAMES, folded};
use super::location::Location;
use super::names::Names;
use super::process::Rows;
use super::values;
use crate::config::ImportConfig;

/// The number of rows that a proposal is based on.
const SAMPLE: usize = 500;
/// The points from which a column is proposed for a field.
const ENOUGH: u32 = 40;

/// The date formats that need `--date-format`.
const FORMATS: [&str; 10] = [
    "DD/MM/YYYY",
    "MM/DD/YYYY",
    "D/M/YYYY",
    "M/D/YYYY",
    "DD-MM-YYYY",
    "MM-DD-YYYY",
    "D-M-YYYY",
    "M-D-YYYY",
    "YYYYMMDD",
    "DDMMYYYY",
];

/// A proposed mapping.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Guess {
    /// The proposed columns.
    pub columns: Vec<Proposal>,
    /// The required fields for which no column was found.
    pub missing: Vec<&'static str>,
    /// The date formats that fit all dates. With several, the file does not show which is right.
    pub date_formats: Vec<&'static str>,
    /// The columns of the file.
    #[serde(skip)]
    pub file_columns: Vec<Column>,
}

/// A proposed column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Proposal {
    /// The field.
    pub field: &'static str,
    /// The column.
    pub column: String,
    /// The reason.
    pub reason: &'static str,
}

/// The chapters and types of the organisation, if it is known.
#[derive(Debug, Default)]
pub struct Known {
    /// The chapters.
    pub chapters: Option<Names>,
    /// The types.
    pub types: Option<Names>,
}

/// Reads the first rows of a register, and proposes its columns.
pub fn guess(
    file: File,
    name: &str,
    config: &ImportConfig,
    location: &Location,
    known: &Known,
    progress: &ProgressBar,
) -> Result<Guess, ImportError> {
    let mut rows = Rows::of(file, name, config, location, progress)?;
    let mut record = csv::StringRecord::new();
    if !rows.next(&mut record)? {
        return Err(ImportError::read(name, ReadError::Empty));
    }
    let mut columns: Vec<Column> = record
        .iter()
        .map(|name| Column { name: name.trim_start_matches(DATE).trim().to_owned(), values: Vec::new() })
        .collect();
    for _ in 0..SAMPLE {
        if !rows.next(&mut record)? {
            break;
        }
        for (column, value) in columns.iter_mut().zip(&record) {
            let value = value.trim_start_matches(DATE).trim();
            if !value.is_empty() {
                column.values.push(value.to_owned());
            }
        }
    }
    let proposed = propose(&columns, known);
    Ok(Guess { file_columns: columns, ..proposed })
}

/// A column with the values of the sample that are not blank.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name in the header.
    pub name: String,
    /// The values of the first rows.
    pub values: Vec<String>,
}

impl Column {
    /// The share of values with a property, in percent.
    fn percent(&self, has: impl Fn(&str) -> bool) -> usize {
        100 * self.values.iter().filter(|value| has(value)).count() / self.values.len().max(1)
    }

    fn is_dates(&self) -> bool {
        self.percent(is_date) >= 60
    }

    fn is_unique(&self) -> bool {
        let distinct: HashSet<&str> = self.values.iter().map(String::as_str).collect();
        !self.values.is_empty() && distinct.len() * 100 >= self.values.len() * 98
    }

    fn points_by_name(&self, field: Field) -> u32 {
        let folded = folded(&self.name);
        let names = NAMES.iter().find(|(known, _)| *known == field).map_or(&[][..], |(_, names)| names);
        if names.contains(&folded.as_str()) {
            100
        } else if names.iter().any(|name| name.len() > 4 && folded.contains(name)) {
            60
        } else {
            0
        }
    }

    fn is_named(&self, field: Field) -> bool {
        self.points_by_name(field) > 0
    }

    /// Whether the values name chapters or types of the organisation, and the points for that.
    fn named(&self, names: &Names) -> (bool, u32) {
        let named = self.percent(|value| names.contains(value));
        (named >= 50, if named >= 80 { 60 } else { 0 })
    }

    /// Points for a field, with the reason; `None` if the values contradict it.
    fn points(&self, field: Field, known: &Known) -> Option<(u32, &'static str)> {
        let by_name = self.points_by_name(field);
        let is_blank = self.values.is_empty();
        let (fits, by_values) = match field {
            Field::ExpiresAt | Field::IssuedAt | Field::SuspendedUntil => (is_blank || self.is_dates(), 0),
            Field::Email => {
                let addresses = self.percent(|value| value.contains('@'));
                (is_blank || addresses >= 50, if addresses >= 80 { 60 } else { 0 })
            }
            Field::ExternalId => {
                let is_numbered = self.percent(|value| value.chars().any(|char| char.is_ascii_digit())) >= 90;
                let is_other = self.is_dates() || self.percent(|value| value.contains('@')) > 0;
                (!is_other, if self.is_unique() && is_numbered { 30 } else { 0 })
            }
            Field::Name => (self.percent(|value| value.chars().any(|char| char.is_ascii_digit())) < 20, 0),
            Field::Chapter => match &known.chapters {
                Some(names) => {
                    let (is_named, points) = self.named(names);
                    // A telling name is enough, because an import can create the chapters.
                    (is_named || by_name > 0 && !self.is_unique(), points)
                }
                None => (is_blank || !self.is_unique(), 0),
            },
            // Without the organisation's types, the command line needs --type.
            Field::Type => known.types.as_ref().map_or((false, 0), |names| self.named(names)),
            Field::PersonId | Field::Replaces => {
                // An id that several rows share is that of a person.
                let is_shared =
                    field == Field::PersonId && self.is_named(Field::ExternalId) && !self.is_unique();
                let is_other = self.is_dates() || self.percent(|value| value.contains('@')) > 0;
                (!is_other, if is_shared { 60 } else { 0 })
            }
            Field::Phone => (is_blank || self.percent(|value| values::phone(value).is_ok()) >= 50, 0),
            Field::Language => (is_blank || self.percent(|value| values::language(value).is_some()) >= 50, 0),
            Field::PushToken | Field::Status => (!self.is_dates(), 0),
        };
        let reason = if by_name > 0 { "name" } else { "values" };
        fits.then_some((by_name + by_values, reason))
    }

    /// The mean of the years in the values.
    fn mean_year(&self) -> usize {
        let years: Vec<usize> = self
            .values
            .iter()
            .flat_map(|value| value.split(|char: char| !char.is_ascii_digit()))
            .filter(|part| part.len() == 4)
            .filter_map(|part| part.parse().ok())
            .collect();
        years.iter().sum::<usize>() / years.len().max(1)
    }
}

/// Whether a text is a date in some order.
fn is_date(text: &str) -> bool {
    dates::parse(text, &[]).is_ok() || FORMATS.iter().any(|format| fits(format, text))
}

fn fits(format: &str, text: &str) -> bool {
    format.parse::<DateFormat>().is_ok_and(|format| dates::parse(text, &[format]).is_ok())
}

fn propose(columns: &[Column], known: &Known) -> Guess {
    let mut candidates: Vec<(u32, usize, usize, &'static str)> = Vec::new();
    for (order, (field, _)) in NAMES.iter().enumerate() {
        for (at, column) in columns.iter().enumerate() {
            if let Some((points, reason)) = column.points(*field, known) {
                candidates.push((points, order, at, reason));
            }
        }
    }
    // Without a telling name, the dates that are latest on average are those of expiry.
    let dates = columns.iter().enumerate().filter(|(_, column)| column.is_dates());
    if let Some((at, _)) = dates.max_by_key(|(at, column)| (column.mean_year(), usize::MAX - at)) {
        candidates.push((ENOUGH, 1, at, "values"));
    }
    // The best fields first; among equals, in the order of the fields and the columns.
    candidates.sort_by_key(|(points, order, at, _)| (u32::MAX - points, *order, *at));
    let (mut fields, mut taken) = (vec![None; NAMES.len()], HashSet::new());
    for (points, order, at, reason) in candidates {
        if points >= ENOUGH && fields[order].is_none() && taken.insert(at) {
            fields[order] = Some((at, reason));
        }
    }
    let mut proposed: Vec<Proposal> = NAMES
        .iter()
        .zip(&fields)
        .filter_map(|((field, _), found)| {
            let (at, reason) = (*found)?;
            Some(Proposal { field: field.as_str(), column: columns[at].name.clone(), reason })
        })
        .collect();
    let of_name = |names: &[&str]| columns.iter().find(|one| names.contains(&folded(&one.name).as_str()));
    if let (Some(first), Some(family)) = (of_name(FIRST_NAMES), of_name(FAMILY_NAMES))
        // In French, `nom` is a family name if there is another column for the first name.
        && fields[NAME].is_none_or(|(at, _)| columns[at].name == family.name)
    {
        let column = format!("{}+{}", first.name, family.name);
        proposed.retain(|one| one.field != Field::Name.as_str());
        proposed.push(Proposal { field: Field::Name.as_str(), column, reason: "name" });
    }
    let missing = NAMES.iter().zip(&fields).take(2).filter(|(_, found)| found.is_none());
    let of_dates = fields[1..=2].iter().flatten().map(|(at, _)| &columns[*at]);
    Guess {
        columns: proposed,
        missing: missing.map(|((field, _), _)| field.as_str()).collect(),
        date_formats: formats_of(of_dates),
        file_columns: Vec::new(),
    }
}

/// The formats that fit all dates that need one.
fn formats_of<'a>(columns: impl Iterator<Item = &'a Column>) -> Vec<&'static str> {
    let unclear: Vec<&str> = columns
        .flat_map(|column| &column.values)
        .map(String::as_str)
        .filter(|value| dates::parse(value, &[]).is_err() && is_date(value))
        .collect();
    if unclear.is_empty() {
        return Vec::new();
    }
    let fitting: Vec<&str> =
        FORMATS.into_iter().filter(|format| unclear.iter().all(|value| fits(format, value))).collect();
    // `D` also matches two digits, so the stricter format is enough.
    let strict: Vec<&str> = fitting.iter().copied().filter(|format| format.contains("DD")).collect();
    if strict.is_empty() { fitting } else { strict }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(header: &str, rows: &[&str]) -> Vec<Column> {
        let mut columns: Vec<Column> =
            header.split(';').map(|name| Column { name: name.to_owned(), values: Vec::new() }).collect();
        for row in rows {
            for (column, value) in
                columns.iter_mut().zip(row.split(';')).filter(|(_, value)| !value.is_empty())
            {
                column.values.push(value.to_owned());
            }
        }
        columns
    }

    #[test]
    fn chapters_and_types_of_the_organisation_are_recognised_by_their_values() {
        let one = |key: &str, name: &str| certvakt_store::organisation::Named {
            id: None,
            key: key.to_owned(),
            name: name.to_owned(),
            external_id: None,
        };
        let known = Known {
            chapters: Some(Names::chapters(vec![one("oslo", "Oslo"), one("bodo", "Bodø")], false)),
            types: Some(Names::types(vec![one("likeperson", "Likeperson"), one("leder", "Leder")])),
        };
        let rows = [
            "1;Åse;Berg;OSLO;likeperson;31.12.2027;7",
            "2;Bo;Dahl;Bodo;Leder;31.12.2028;7",
            "3;Li;Vik;oslo;leder;31.12.2028;8",
            "4;Per;Moe;oslo;leder;31.12.2028;8",
        ];
        let found = propose(&columns("Nr;Fornavn;Etternavn;Sted;Hva;Gyldig til;Medlemsnr", &rows), &known);
        let found: Vec<_> =
            found.columns.iter().map(|one| (one.field, one.column.as_str(), one.reason)).collect();
        assert_eq!(
            found,
            [
                ("external_id", "Nr", "name"),
                ("expires_at", "Gyldig til", "name"),
                ("person_id", "Medlemsnr", "values"),
                ("chapter", "Sted", "values"),
                ("type", "Hva", "values"),
                ("name", "Fornavn+Etternavn", "name"),
            ]
        );
        // Without the organisation, a chapter is recognised by the column's name.
        let found = propose(&columns("Nr;Lokallag;Kurs", &["1;a;b", "2;a;b", "3;a;b"]), &Known::default());
        assert_eq!(found.columns.iter().map(|one| one.field).collect::<Vec<_>>(), ["external_id", "chapter"]);
    }

    #[test]
    fn a_header_in_seven_languages_names_the_columns() {
        for (language, header) in [
            ("nb", "Medlemsnr;Navn;E-post;Utstedt;Gyldig til"),
            ("nn", "Medlemsnummer;Namn;Epost;Utferda;Utgår"),
            ("sv", "Medlemsnummer;Namn;E-postadress;Utfärdad;Giltig till"),
            ("da", "Medlemsnr.;Navn;Mail;Udstedt;Udløber"),
            ("en", "License Number;Full name;E-mail address;Original Issue Date;Expiration Date"),
            ("de", "Mitgliedsnummer;Name;E-Mail;Ausgestellt am;Gültig bis"),
            ("fr", "Numéro;Nom;Courriel;Délivré le;Date d'expiration"),
        ] {
            let rows = [
                "17;Mentor A;a@example.org;2024-01-31;2026-01-31",
                "18;Mentor B;b@example.org;2024-02-28;2026-02-28",
            ];
            let found = propose(&columns(header, &rows), &Known::default());
            let names: Vec<&str> = header.split(';').collect();
            let expected =
                [("external_id", 0), ("expires_at", 4), ("issued_at", 3), ("name", 1), ("email", 2)]
                    .map(|(field, at)| (field, names[at]));
            let found: Vec<_> = found.columns.iter().map(|one| (one.field, one.column.as_str())).collect();
            assert_eq!(found, expected, "{language}");
        }
    }

    #[test]
    fn values_name_the_columns_without_a_telling_header() {
        let rows = ["A-1;x@example.org;2024-01-31;2027-01-31", "A-2;y@example.org;2024-02-28;2027-02-28"];
        let found = propose(&columns("a;b;c;d", &rows), &Known::default());
        let found: Vec<_> =
            found.columns.iter().map(|one| (one.field, one.column.as_str(), one.reason)).collect();
        assert_eq!(found, [("expires_at", "d", "values"), ("email", "b", "values")]);
        let nothing = propose(&columns("Comment", &["text"]), &Known::default());
        assert_eq!(nothing.missing, ["external_id", "expires_at"]);
    }

    #[test]
    fn the_order_of_day_and_month_is_proposed_only_if_the_values_show_it() {
        for (values, expected) in [
            (&["31.12.2026"][..], &[][..]),
            (&["31/12/2026", "01/02/2026"], &["DD/MM/YYYY"]),
            (&["12/31/2026", "01/02/2026"], &["MM/DD/YYYY"]),
            (&["1/2/2026", "31/12/2026"], &["D/M/YYYY"]),
            (&["01/02/2026", "03/04/2026"], &["DD/MM/YYYY", "MM/DD/YYYY"]),
            (&["31-12-2026"], &["DD-MM-YYYY"]),
        ] {
            let rows: Vec<String> =
                values.iter().enumerate().map(|(n, value)| format!("{n};{value}")).collect();
            let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
            assert_eq!(
                propose(&columns("id;expires", &rows), &Known::default()).date_formats,
                expected,
                "{values:?}"
            );
        }
    }
}
