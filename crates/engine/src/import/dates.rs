//! Parses dates in registers. An ambiguous date is rejected until its format is given.

use std::str::FromStr;

use chrono::{DateTime, FixedOffset, Months, NaiveDate, NaiveDateTime, NaiveTime};

/// A date format: `YYYY`; `MM` or `M`; `DD` or `D`, or no day for the month's last day; in any order, with
/// punctuation and spaces between them. Two letters match two digits, one letter matches one or two.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DateFormat(Vec<Part>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Year,
    Month(Width),
    Day(Width),
    Literal(char),
}

/// The number of digits of a month or a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Width {
    Two,
    OneOrTwo,
}

impl FromStr for DateFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        // Dates are trimmed before parsing.
        let mut rest = text.trim();
        while let Some(first) = rest.chars().next() {
            let run = &rest[..rest.find(|char| char != first).unwrap_or(rest.len())];
            let (part, length) = match run {
                "YYYY" => (Part::Year, 4),
                "MM" => (Part::Month(Width::Two), 2),
                "M" => (Part::Month(Width::OneOrTwo), 1),
                "DD" => (Part::Day(Width::Two), 2),
                "D" => (Part::Day(Width::OneOrTwo), 1),
                _ if first.is_alphanumeric() || first.is_control() => {
                    return Err(format!("'{}' is not a part of a date: {HOW_TO_WRITE}", run.escape_debug()));
                }
                _ => (Part::Literal(first), first.len_utf8()),
            };
            parts.push(part);
            rest = &rest[length..];
        }
        let times = |is_it: fn(&Part) -> bool| parts.iter().filter(|one| is_it(one)).count();
        let is_literal = |part: &Part| matches!(part, Part::Literal(_));
        // A part of one or two digits must be followed by a non-digit.
        let runs_on = parts.windows(2).any(|two| {
            matches!(two[0], Part::Month(Width::OneOrTwo) | Part::Day(Width::OneOrTwo))
                && !is_literal(&two[1])
        });
        if times(|part| *part == Part::Year) == 1
            && times(|part| matches!(part, Part::Month(_))) == 1
            && times(|part| matches!(part, Part::Day(_))) <= 1
            && !runs_on
        {
            Ok(Self(parts))
        } else {
            Err(HOW_TO_WRITE.to_owned())
        }
    }
}

const HOW_TO_WRITE: &str =
    "write it with YYYY, MM and DD, such as MM/DD/YYYY; M and D match one or two digits";

impl DateFormat {
    /// Parses a text in this format; without a day, it is the month's last day.
    fn parse(&self, text: &str) -> Option<NaiveDate> {
        let (mut year, mut month, mut day) = (None, None, None);
        let mut rest = text;
        for part in &self.0 {
            let (place, widths) = match part {
                Part::Literal(literal) => {
                    rest = rest.strip_prefix(*literal)?;
                    continue;
                }
                Part::Year => (&mut year, 4..=4),
                Part::Month(Width::Two) => (&mut month, 2..=2),
                Part::Day(Width::Two) => (&mut day, 2..=2),
                Part::Month(Width::OneOrTwo) => (&mut month, 1..=2),
                Part::Day(Width::OneOrTwo) => (&mut day, 1..=2),
            };
            let digits = rest.bytes().take(*widths.end()).take_while(u8::is_ascii_digit).count();
            if !widths.contains(&digits) {
                return None;
            }
            *place = rest[..digits].parse::<u32>().ok();
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
    NaiveDate::from_ymd_opt(year, month, 1)?.checked_add_months(Months::new(1))?.pred_opt()
}

/// A parsed date of a register.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// A day in the organisation's time zone.
    Day(NaiveDate),
    /// A local time in the organisation's time zone.
    Local(NaiveDateTime),
    /// An instant, with its offset.
    Instant(DateTime<FixedOffset>),
}

/// Parses a date in one of the given formats, or in an unambiguous format.
pub fn parse(text: &str, formats: &[DateFormat]) -> Result<When, &'static str> {
    let mut named = formats.iter().filter_map(|format| format.parse(text));
    match named.next() {
        Some(day) if named.any(|other| other != day) => {
            Err("two of the given date formats give different days")
        }
        Some(day) => Ok(When::Day(day)),
        None => unambiguous(text).ok_or_else(|| complaint(text)),
    }
}

/// The format YYYY-MM-DD.
const YEAR_FIRST: &[Part] = &[
    Part::Year,
    Part::Literal('-'),
    Part::Month(Width::OneOrTwo),
    Part::Literal('-'),
    Part::Day(Width::OneOrTwo),
];

fn unambiguous(text: &str) -> Option<When> {
    use Part::{Day, Literal, Month, Year};
    use Width::OneOrTwo;
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return Some(When::Instant(at));
    }
    // chrono's own formats accept years of any length, a sign, and no or several spaces.
    if let Some((date, time)) = text.split_once([' ', 'T'])
        && let Some(day) = DateFormat(YEAR_FIRST.to_vec()).parse(date)
        && let Some(time) =
            ["%H:%M:%S%.f", "%H:%M"].iter().find_map(|form| NaiveTime::parse_from_str(time, form).ok())
    {
        // A spreadsheet writes a date without a time as midnight.
        return Some(if time == NaiveTime::MIN { When::Day(day) } else { When::Local(day.and_time(time)) });
    }
    let forms: [&[Part]; 4] = [
        YEAR_FIRST,
        &[Year, Literal('/'), Month(OneOrTwo), Literal('/'), Day(OneOrTwo)],
        &[Day(OneOrTwo), Literal('.'), Month(OneOrTwo), Literal('.'), Year],
        &[Month(OneOrTwo), Literal('/'), Year],
    ];
    forms.into_iter().find_map(|parts| DateFormat(parts.to_vec()).parse(text)).map(When::Day)
}

fn complaint(text: &str) -> &'static str {
    let numbers =
        text.split(['/', '-']).filter(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()));
    if numbers.count() == 3 {
        "the date is ambiguous or does not exist: give its format with --date-format, such as MM/DD/YYYY or M/D/YYYY"
    } else {
        "not a date: write it like 2026-12-31 or 31.12.2026, or give its format with --date-format"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(year: i32, month: u32, day: u32) -> When {
        When::Day(NaiveDate::from_ymd_opt(year, month, day).unwrap())
    }

    #[test]
    fn unambiguous_formats() {
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
    fn ambiguous_dates_need_a_format() {
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
            "0/2026",
            "00/2026",
            "13/2026",
            "026-12-31 00:00:00",
            " 2026-12-31 10:00",
            "2026-12-3110:00",
            "31.12.26",
            "２０２６-01-01",
            "2026-12-31x",
        ] {
            assert!(parse(text, &[]).is_err(), "{text}");
        }
    }

    #[test]
    fn a_format_is_followed_exactly() {
        for form in [
            "",
            "MM/DD",
            "YYYY-MM-DD-DD",
            "D.M.Y",
            "DD MMM YYYY",
            "MMM",
            "YY-MM-DD",
            "YYYYY-MM-DD",
            "dd.mm.yyyy",
            "DD.MM.YYYY HH",
            "DMYYYY",
            "YYYYMD",
            "1DD.MM.YYYY",
        ] {
            assert!(form.parse::<DateFormat>().is_err(), "{form}");
        }
        for (form, text, expected) in [
            ("MM/DD/YYYY", "01/02/2026", Some(day(2026, 1, 2))),
            ("MM/DD/YYYY", "1/2/2026", None),
            ("M/D/YYYY", "1/2/2026", Some(day(2026, 1, 2))),
            ("M/D/YYYY", "11/22/2026", Some(day(2026, 11, 22))),
            ("M/D/YYYY", "111/2/2026", None),
            ("DDMMYYYY", "01022026", Some(day(2026, 2, 1))),
            ("DDMMYYYY", "1022026", None),
            ("DD. MM. YYYY", "01. 02. 2026", Some(day(2026, 2, 1))),
            ("MM-YYYY", "02-2028", Some(day(2028, 2, 29))),
            (" DD MM YYYY ", "01 02 2026", Some(day(2026, 2, 1))),
            ("DD/MM/YYYY", "01/02/20266", None),
        ] {
            assert_eq!(parse(text, &[form.parse().unwrap()]).ok(), expected, "{form} {text}");
        }
        let both = ["MM/DD/YYYY", "DD/MM/YYYY"].map(|form| form.parse().unwrap());
        assert!(parse("01/02/2026", &both).unwrap_err().contains("different days"));
        assert_eq!(parse("02/02/2026", &both), Ok(day(2026, 2, 2)));
        assert_eq!(parse("13/02/2026", &both), Ok(day(2026, 2, 13)));
    }
}
