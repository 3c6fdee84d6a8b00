//! Dates as registers write them. What could mean two days is refused until the form is named.

use std::str::FromStr;

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, Utc};

/// The form of a date: `YYYY`, `MM` and `DD` in any order, with anything between them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DateFormat(Vec<Part>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Year,
    Month,
    Day,
    Literal(char),
}

impl FromStr for DateFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(char) = rest.chars().next() {
            let (part, length) = if rest.starts_with("YYYY") {
                (Part::Year, 4)
            } else if rest.starts_with("MM") {
                (Part::Month, 2)
            } else if rest.starts_with("DD") {
                (Part::Day, 2)
            } else {
                (Part::Literal(char), char.len_utf8())
            };
            parts.push(part);
            rest = &rest[length..];
        }
        let times = |part| parts.iter().filter(|one| **one == part).count();
        if times(Part::Year) == 1 && times(Part::Month) == 1 && times(Part::Day) <= 1 {
            Ok(Self(parts))
        } else {
            Err("write it with YYYY, MM and DD, like MM/DD/YYYY".to_owned())
        }
    }
}

impl DateFormat {
    /// The day that a text means in this form; without `DD`, the month's last.
    fn parse(&self, text: &str) -> Option<NaiveDate> {
        let (mut year, mut month, mut day) = (None, None, None);
        let mut rest = text;
        for part in &self.0 {
            let place = match part {
                Part::Literal(literal) => {
                    rest = rest.strip_prefix(*literal)?;
                    continue;
                }
                Part::Year => (&mut year, 4),
                Part::Month => (&mut month, 2),
                Part::Day => (&mut day, 2),
            };
            let digits = rest.chars().take(place.1).take_while(char::is_ascii_digit).count();
            if digits == 0 || (place.1 == 4 && digits != 4) {
                return None;
            }
            *place.0 = rest[..digits].parse::<u32>().ok();
            rest = &rest[digits..];
        }
        if !rest.is_empty() {
            return None;
        }
        let (year, month) = (i32::try_from(year?).ok()?, month?);
        match day {
            Some(day) => NaiveDate::from_ymd_opt(year, month, day),
            None => last_of_month(year, month),
        }
    }
}

fn last_of_month(year: i32, month: u32) -> Option<NaiveDate> {
    let first_of_next = if month == 12 {
        NaiveDate::from_ymd_opt(year + 1, 1, 1)
    } else {
        NaiveDate::from_ymd_opt(year, month + 1, 1)
    };
    first_of_next?.pred_opt()
}

/// What a date in a register means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    /// A day in the organisation's time zone.
    Day(NaiveDate),
    /// A local time there.
    Local(NaiveDateTime),
    /// An instant.
    Instant(DateTime<Utc>),
}

/// Reads a date: in one of the forms named, or in one that can mean one day only.
pub(crate) fn parse(text: &str, formats: &[DateFormat]) -> Result<When, &'static str> {
    let when = formats
        .iter()
        .find_map(|format| format.parse(text))
        .map(When::Day)
        .or_else(|| unambiguous(text))
        .ok_or_else(|| complaint(text))?;
    let day = match when {
        When::Day(day) => day,
        When::Local(local) => local.date(),
        When::Instant(at) => at.date_naive(),
    };
    if (1900..=9998).contains(&day.year()) { Ok(when) } else { Err("the year is not between 1900 and 9998") }
}

fn unambiguous(text: &str) -> Option<When> {
    use Part::{Day, Literal, Month, Year};
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return Some(When::Instant(at.to_utc()));
    }
    for form in ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M"] {
        if let Ok(local) = NaiveDateTime::parse_from_str(text, form) {
            // A spreadsheet writes a bare date as its midnight.
            let is_midnight = local.time() == chrono::NaiveTime::MIN;
            return Some(if is_midnight { When::Day(local.date()) } else { When::Local(local) });
        }
    }
    let forms: [&[Part]; 4] = [
        &[Year, Literal('-'), Month, Literal('-'), Day],
        &[Year, Literal('/'), Month, Literal('/'), Day],
        &[Day, Literal('.'), Month, Literal('.'), Year],
        &[Month, Literal('/'), Year],
    ];
    forms.into_iter().find_map(|parts| DateFormat(parts.to_vec()).parse(text)).map(When::Day)
}

fn complaint(text: &str) -> &'static str {
    let numbers =
        text.split(['/', '-']).filter(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()));
    if numbers.count() == 3 {
        "day and month cannot be told apart, or the day does not exist: name the form with --date-format, like MM/DD/YYYY"
    } else {
        "no date: write it like 2026-12-31 or 31.12.2026, or name the form with --date-format"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(year: i32, month: u32, day: u32) -> When {
        When::Day(NaiveDate::from_ymd_opt(year, month, day).unwrap())
    }

    #[test]
    fn forms_that_mean_one_day() {
        for (text, expected) in [
            ("2026-12-31", day(2026, 12, 31)),
            ("2026/1/5", day(2026, 1, 5)),
            ("31.12.2026", day(2026, 12, 31)),
            ("1.2.2026", day(2026, 2, 1)),
            ("02/2024", day(2024, 2, 29)),
            ("12/2025", day(2025, 12, 31)),
            ("2026-12-31 00:00:00", day(2026, 12, 31)),
        ] {
            assert_eq!(parse(text, &[]), Ok(expected), "{text}");
        }
        assert!(matches!(parse("2026-12-31T10:00:00+01:00", &[]), Ok(When::Instant(_))));
        assert!(matches!(parse("2026-12-31 10:00", &[]), Ok(When::Local(_))));
    }

    #[test]
    fn what_could_mean_two_days_needs_a_form() {
        let american: DateFormat = "MM/DD/YYYY".parse().unwrap();
        let european: DateFormat = "DD-MM-YYYY".parse().unwrap();
        assert!(parse("01/02/2026", &[]).unwrap_err().contains("--date-format"));
        assert!(parse("13/02/2026", &[]).is_err(), "one row does not tell for all");
        assert_eq!(parse("01/02/2026", std::slice::from_ref(&american)), Ok(day(2026, 1, 2)));
        assert_eq!(parse("01-02-2026", &[american.clone(), european]), Ok(day(2026, 2, 1)));
        assert!(parse("13/02/2026", &[american]).is_err());
    }

    #[test]
    fn what_is_no_date() {
        for text in [
            "",
            "soon",
            "30.02.2026",
            "2026-13-01",
            "31.12.26",
            "1899-12-31",
            "9999-01-01",
            "２０２６-01-01",
            "2026-12-31x",
        ] {
            assert!(parse(text, &[]).is_err(), "{text}");
        }
        for form in ["", "MM/DD", "YYYY-MM-DD-DD", "D.M.Y"] {
            assert!(form.parse::<DateFormat>().is_err(), "{form}");
        }
    }
}
