//! The outlook of a chapter: the certifications that expire in each month, and the mentors who are still valid after it.

use certvakt_store::caller::outlook::Expiring;
use chrono::{Datelike, Months, NaiveDate};

/// The number of months of an outlook.
pub const MONTHS: u32 = 18;

/// A month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Month {
    /// Its first day.
    pub first: NaiveDate,
    /// The number of certifications that expire in it.
    pub expiring: i64,
    /// The number of mentors who have a valid certification at its end, if none is renewed.
    pub valid: i64,
}

/// The months from the present one, of the rows of one or of several chapters.
pub fn months<'a>(rows: impl IntoIterator<Item = &'a Expiring>, today: NaiveDate) -> Vec<Month> {
    let (mut expiring, mut ending) = ([0; MONTHS as usize], [0; MONTHS as usize]);
    let mut valid = 0;
    for row in rows {
        valid += row.mentors;
        if let Some(month) = row.month.and_then(|month| usize::try_from(month).ok())
            && month < MONTHS as usize
        {
            expiring[month] += row.certifications;
            ending[month] += row.mentors;
        }
    }
    let present = today.with_day(1).unwrap_or(today);
    let first = (0..MONTHS).map(|month| present.checked_add_months(Months::new(month)).unwrap_or(present));
    first
        .zip(expiring.into_iter().zip(ending))
        .map(|(first, (expiring, ending))| {
            valid -= ending;
            Month { first, expiring, valid }
        })
        .collect()
}

/// The number of mentors who are valid today.
pub fn valid_today<'a>(rows: impl IntoIterator<Item = &'a Expiring>) -> i64 {
    rows.into_iter().map(|row| row.mentors).sum()
}

/// The first month at whose end fewer mentors are valid than the chapter needs.
pub fn first_below(months: &[Month], required: i64) -> Option<Month> {
    months.iter().copied().find(|month| month.valid < required)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn row(month: Option<i32>, certifications: i64, mentors: i64) -> Expiring {
        Expiring { chapter_id: Uuid::nil(), month, certifications, mentors }
    }

    #[test]
    fn each_month_has_those_who_expire_in_it_and_those_who_are_left() {
        let today = NaiveDate::from_ymd_opt(2026, 8, 31).unwrap();
        let rows = [row(Some(0), 2, 1), row(Some(5), 3, 3), row(Some(17), 1, 1), row(None, 4, 2)];
        assert_eq!(valid_today(&rows), 7);
        let months = months(&rows, today);
        assert_eq!(months.len(), MONTHS as usize);
        let month = |at: usize| (months[at].first.to_string(), months[at].expiring, months[at].valid);
        assert_eq!(month(0), ("2026-08-01".to_owned(), 2, 6));
        assert_eq!(month(4), ("2026-12-01".to_owned(), 0, 6));
        assert_eq!(month(5), ("2027-01-01".to_owned(), 3, 3));
        assert_eq!(month(17), ("2028-01-01".to_owned(), 1, 2));
        for (required, first) in [(1, None), (3, Some(17)), (4, Some(5)), (6, Some(5)), (7, Some(0))] {
            assert_eq!(first_below(&months, required), first.map(|at: usize| months[at]), "{required}");
        }
    }
}
