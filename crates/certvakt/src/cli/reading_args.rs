//! The options for reading a register, of `import` and `mapping set`.

use std::collections::BTreeMap;

use certvakt_engine::import::{DateFormat, Field, ImportError, Location, ReadingOptions, location};

use super::values::{Named, one_of};

#[derive(Debug, clap::Args)]
pub(super) struct ReadingArgs {
    /// The short name of the chapter of rows that name none
    #[arg(long, value_name = "SLUG")]
    pub chapter: Option<String>,
    /// The code of the type of rows that name none
    #[arg(long = "type", value_name = "CODE")]
    pub certification_type: Option<String>,
    /// The column that holds a field; repeat the option, or give several values
    #[arg(long = "column", value_name = "FIELD=COLUMN", value_parser = column, num_args = 1..)]
    columns: Vec<(Field, String)>,
    /// The format of ambiguous dates, such as MM/DD/YYYY; can be repeated. M and D match one or two digits, MMM
    /// the name of a month, and YY a year from 1969 to 2068
    #[arg(long = "date-format", value_name = "FORM", value_parser = date_format)]
    date_formats: Vec<String>,
    /// A value of the status column that means active; can be repeated [default: active]
    #[arg(long, value_name = "VALUE")]
    active_status: Vec<String>,
    /// The day of an instant whose date in the organisation's time zone differs from the date at its own
    /// offset
    #[arg(long, value_parser = one_of(INSTANT_DAYS))]
    instant_day: Option<&'static str>,
    /// How to treat changed dates [default: a later date is a renewal, an earlier one a correction]
    #[arg(long, value_parser = one_of(DATES_ARE))]
    dates_are: Option<&'static str>,
    /// The meaning of a blank expiry date
    #[arg(long, value_enum, default_value_t)]
    blank_expires: BlankExpires,
    /// A value of the expiry that means that the certification does not expire, such as 9999-12-31 or Livsvarig;
    /// can be repeated
    #[arg(long, value_name = "VALUE")]
    never: Vec<String>,
    /// The sheet of a workbook [default: the only visible sheet with the columns]
    #[arg(long, value_name = "NAME|N")]
    sheet: Option<String>,
    /// The line of the column names, from 1 [default: the first of 20 rows that has all columns]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    header_row: Option<u64>,
    /// The separator of a text file's fields: an ASCII character, or tab [default: detected]
    #[arg(long, value_name = "CHARACTER", value_parser = separator)]
    separator: Option<String>,
    /// The encoding of a text file, such as utf-16le or windows-1252 [default: detected]
    #[arg(long, value_name = "NAME", value_parser = encoding)]
    encoding: Option<String>,
    /// A person has one certification of each type: a new number replaces the old one (needs `person_id`)
    #[arg(long)]
    one_per_type: bool,
    /// What happens to certifications of the chapters and types in the file that are missing from it
    /// [default: report]
    #[arg(long, value_parser = one_of(MISSING))]
    missing: Option<&'static str>,
    /// Suspend or withdraw the missing certifications even if rows are rejected
    #[arg(long)]
    missing_despite_rejects: bool,
}

const INSTANT_DAYS: &[Named<&str>] = &[
    ("local", "The day in the organisation's time zone", "local"),
    ("written", "The day as written, at the instant's own offset", "written"),
];

const MISSING: &[Named<&str>] = &[
    ("report", "They are reported", "report"),
    ("suspend", "They are suspended until a register contains them again", "suspend"),
    ("withdraw", "They are withdrawn", "withdraw"),
];

const DATES_ARE: &[Named<&str>] =
    &[("renewals", "A new cycle", "renewals"), ("corrections", "The same cycle", "corrections")];

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
enum BlankExpires {
    /// Reject the row
    #[default]
    Reject,
    /// The certification does not expire
    Never,
}

fn column(text: &str) -> Result<(Field, String), String> {
    let (field, column) = text.split_once('=').ok_or("write it like external_id=\"License Number\"")?;
    Ok((field.parse()?, column.to_owned()))
}

fn date_format(text: &str) -> Result<String, String> {
    text.parse::<DateFormat>().map(|_| text.to_owned())
}

fn separator(text: &str) -> Result<String, String> {
    location::separator(text).map(|_| text.to_owned())
}

fn encoding(text: &str) -> Result<String, String> {
    location::encoding(text).map(|_| text.to_owned())
}

impl ReadingArgs {
    /// The options that are given.
    pub(super) fn options(&self) -> Result<ReadingOptions, ImportError> {
        let mut columns = BTreeMap::new();
        for (field, column) in &self.columns {
            if columns.insert(field.as_str().to_owned(), column.clone()).is_some() {
                return Err(ImportError::FieldTwice(field.as_str()));
            }
        }
        let owned = |given: Option<&str>| given.map(str::to_owned);
        Ok(ReadingOptions {
            chapter: self.chapter.clone(),
            certification_type: self.certification_type.clone(),
            columns,
            date_formats: self.date_formats.clone(),
            active_status: self.active_status.clone(),
            dates_are: owned(self.dates_are),
            instant_day: owned(self.instant_day),
            blank_never_expires: self.blank_expires == BlankExpires::Never,
            never: self.never.clone(),
            sheet: self.sheet.clone(),
            header_row: self.header_row,
            separator: self.separator.clone(),
            encoding: self.encoding.clone(),
            one_per_type: self.one_per_type,
            missing: owned(self.missing),
            missing_despite_rejects: self.missing_despite_rejects,
        })
    }

    /// Where the table is in the file.
    pub(super) fn location(&self) -> Result<Location, ImportError> {
        self.options()?.location().map_err(ImportError::Options)
    }

    /// The options of the location as they were given, by the option's name.
    pub(super) fn given_location(&self) -> [(&'static str, Option<String>); 4] {
        [
            ("sheet", self.sheet.clone()),
            ("header-row", self.header_row.map(|line| line.to_string())),
            ("separator", self.separator.clone()),
            ("encoding", self.encoding.clone()),
        ]
    }
}
