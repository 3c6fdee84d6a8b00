//! The brake of an import: whether a whole file looks wrong, although each row can be read.
//!
//! A register that is read with day and month exchanged is the typical case: the days after the twelfth are
//! rejected, and the others silently get another date.

use std::fmt;

use certvakt_store::import::{self as staging, Move, Moves, Target};
use certvakt_store::{RegistrarTx, StoreError};
use chrono_tz::Tz;
use serde::Serialize;

use crate::config::ImportConfig;

/// A share holds an import only with at least this number of rows, because a few wrong rows of a short file
/// are no sign of a wrong file.
const ROWS_OF_A_SHARE: i64 = 20;
/// Exchanged days and months hold an import from this number on, if they are half of all dates that move.
const SWAPPED_DATES: i64 = 3;
/// People whose rows have different names hold an import from this number on.
const DIFFERENT_NAMES: i64 = 3;

/// Why an import is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// The dates that move look like exchanged days and months.
    SwappedDates,
    /// More than a share of the rows is rejected.
    RejectedShare,
    /// More than a share of the known dates moves.
    MovedShare,
    /// More than a share of the people with several rows has different names.
    DifferentNames,
    /// More than a share of the certifications is missing from the file, and would be suspended or withdrawn.
    MissingShare,
}

impl Rule {
    /// The first rule that applies, with the number of rows, of how many, and the limit in percent.
    fn of(moves: Moves, config: &ImportConfig) -> Option<(Self, i64, i64, Option<u8>)> {
        let Moves { read, rejected, known, moved, swapped, several_rows, different_names } = moves;
        let exceeds = |number: i64, least: i64, of: i64, percent: u8| {
            number >= least && number * 100 > of * i64::from(percent)
        };
        if swapped >= SWAPPED_DATES && swapped * 2 >= moved {
            return Some((Self::SwappedDates, swapped, moved, None));
        }
        let (rejected_percent, moved_percent) = (config.max_rejected_percent, config.max_moved_percent);
        [
            (Self::RejectedShare, rejected, ROWS_OF_A_SHARE, read, rejected_percent),
            (Self::MovedShare, moved, ROWS_OF_A_SHARE, known, moved_percent),
            (Self::DifferentNames, different_names, DIFFERENT_NAMES, several_rows, rejected_percent),
        ]
        .into_iter()
        .find(|(_, number, least, of, percent)| exceeds(*number, *least, *of, *percent))
        .map(|(rule, number, _, of, percent)| (rule, number, of, Some(percent)))
    }
}

/// A rule that holds an import, with examples.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Hold {
    /// The rule.
    pub rule: Rule,
    /// The rows to which it applies.
    pub rows: i64,
    /// The rows of which it is a share.
    pub of: i64,
    /// The limit in percent; `None` if the rule has none.
    pub limit_percent: Option<u8>,
    /// Up to three rows as examples.
    pub examples: Vec<String>,
}

impl Hold {
    /// The hold of the matched rows, if a rule applies.
    pub(super) async fn of(
        tx: &mut RegistrarTx,
        target: &Target,
        zone: Tz,
        config: &ImportConfig,
    ) -> Result<Option<Self>, StoreError> {
        let moves = staging::moves(tx, target, zone).await?;
        let Some((rule, rows, of, limit_percent)) = Rule::of(moves, config) else { return Ok(None) };
        let examples = match rule {
            Rule::RejectedShare => {
                let rows = staging::first_rejected(tx).await?;
                rows.iter().map(|row| format!("line {}, {}: {}", row.line, row.column, row.reason)).collect()
            }
            Rule::DifferentNames => {
                let lines = staging::first_different_names(tx).await?;
                lines.into_iter().map(|line| format!("line {line}")).collect()
            }
            Rule::SwappedDates | Rule::MovedShare | Rule::MissingShare => {
                let moves = staging::first_moves(tx, zone, rule == Rule::SwappedDates).await?;
                moves.iter().map(describe).collect()
            }
        };
        Ok(Some(Self { rule, rows, of, limit_percent, examples }))
    }

    /// What to check.
    pub(super) const fn advice(&self) -> &'static str {
        match self.rule {
            Rule::SwappedDates => "check --date-format",
            Rule::RejectedShare => "check --column and --date-format",
            Rule::MovedShare => "check that it is the right file, and --column",
            Rule::DifferentNames => "check the columns of person_id and external_id",
            Rule::MissingShare => "check that the file is complete",
        }
    }
}

fn describe(one: &Move) -> String {
    let after = one.after.map_or_else(|| "no expiry date".to_owned(), |day| day.to_string());
    format!("line {}: {} becomes {after}", one.line, one.before)
}

impl fmt::Display for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rows, of, .. } = self;
        match self.rule {
            Rule::SwappedDates => {
                write!(f, "{rows} of {of} changed dates are the old ones with day and month exchanged")
            }
            Rule::RejectedShare => write!(f, "{rows} of {of} rows are rejected"),
            Rule::MovedShare => write!(f, "{rows} of {of} known dates would change"),
            Rule::DifferentNames => {
                write!(f, "{rows} of {of} people with several rows have different names in them")
            }
            Rule::MissingShare => write!(f, "{rows} of {of} certifications are missing from it"),
        }?;
        if let Some(percent) = self.limit_percent {
            write!(f, ", more than {percent} %")?;
        }
        write!(f, " ({})", self.examples.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_looks_wrong_as_a_whole_is_held() {
        let config = ImportConfig { max_rejected_percent: 20, max_moved_percent: 30, ..Default::default() };
        for (case, read, rejected, known, moved, swapped, expected) in [
            ("nothing wrong", 200, 0, 200, 0, 0, None),
            ("an empty file", 0, 0, 0, 0, 0, None),
            ("a short file with many wrong rows", 10, 9, 0, 0, 0, None),
            ("exactly the share of rejected rows", 100, 20, 0, 0, 0, None),
            ("more than the share of rejected rows", 100, 21, 0, 0, 0, Some(Rule::RejectedShare)),
            ("exactly the share of moved dates", 500, 0, 100, 30, 0, None),
            ("more than the share of moved dates", 500, 0, 100, 31, 0, Some(Rule::MovedShare)),
            ("a few moved dates of a short file", 10, 0, 10, 10, 0, None),
            ("two exchanged days and months", 10, 0, 10, 2, 2, None),
            ("three exchanged days and months", 10, 0, 10, 3, 3, Some(Rule::SwappedDates)),
            ("exchanged ones among many renewals", 100, 0, 100, 20, 9, None),
            ("day and month exchanged in a whole file", 200, 120, 80, 68, 68, Some(Rule::SwappedDates)),
        ] {
            let moves = Moves { read, rejected, known, moved, swapped, several_rows: 0, different_names: 0 };
            assert_eq!(Rule::of(moves, &config).map(|found| found.0), expected, "{case}");
        }
        for (several_rows, different_names, expected) in
            [(10, 2, None), (15, 3, None), (14, 3, Some(Rule::DifferentNames)), (0, 0, None)]
        {
            let moves = Moves { several_rows, different_names, ..Moves::default() };
            assert_eq!(
                Rule::of(moves, &config).map(|found| found.0),
                expected,
                "{different_names} of {several_rows}"
            );
        }
    }
}
