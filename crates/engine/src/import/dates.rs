//! Parses dates in registers. An ambiguous date is rejected until its format is given.

use std::str::FromStr;

use chrono::{DateTime, FixedOffset, Months, NaiveDate, NaiveDateTime, NaiveTime};

use super::{months, times};

/// A date format: `YYYY` or `YY`; `MM`, `M` or `MMM`; `DD` or `D`, or no day for the month's last day; in any
/// order, with punctuation and spaces between them. Two letters match two digits, one letter matches one or
/// two, and `MMM` matches the name of a month. Of two-digit years, 69 to 99 are 1969 to 1999, and 00 to 68 are
/// 2000 to 2068 (POSIX, strptime).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DateFormat(Vec<Part>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Year,
    ShortYear,
    Month(Width),
    MonthName,
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
                "YY" => (Part::ShortYear, 2),
                "MMM" | "MMMM" => (Part::MonthName, run.len()),
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
        if times(|part| matches!(part, Part::Year | Part::ShortYear)) == 1
            && times(|part| matches!(part, Part::Month(_) | Part::MonthName)) == 1
            && times(|part| matches!(part, Part::Day(_))) <= 1
            && !runs_on
        {
            Ok(Self(parts))
        } else {
            Err(HOW_TO_WRITE.to_owned())
        }
    }
}

const HOW_TO_WRITE: &str = "write it with YYYY or YY, MM and DD, such as MM/DD/YYYY; M and D match one or two digits, MMM the name of a month";

/// The first two-digit year that belongs to the 20th century (POSIX, strptime).
const PIVOT: u32 = 69;

impl DateFormat {
    /// Reads a text in this format.
    fn read(&self, text: &str) -> Option<Written> {
        let (mut year, mut month, mut day) = (None, None, None);
        let mut rest = text;
        for part in &self.0 {
            let (place, widths) = match part {
                Part::Literal(literal) => {
                    rest = rest.strip_prefix(*literal)?;
                    continue;
                }
                Part::MonthName => {
                    let (number, behind) = months::split(rest)?;
                    (month, rest) = (Some(number), behind);
                    continue;
                }
                Part::Year => (&mut year, 4..=4),
                Part::ShortYear => (&mut year, 2..=2),
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
        let year = match year? {
            short if !self.0.contains(&Part::ShortYear) => short,
            short if short < PIVOT => 2000 + short,
            short => 1900 + short,
        };
        Some(Written { year, month: month?, day })
    }
}

/// A date as it is written, which need not exist.
#[derive(Debug, Clone, Copy)]
struct Written {
    year: u32,
    month: u32,
    day: Option<u32>,
}

impl Written {
    /// The date, if it exists; without a day, the month's last day.
    fn date(self) -> Option<NaiveDate> {
        let year = i32::try_from(self.year).ok()?;
        match self.day {
            Some(day) => NaiveDate::from_ymd_opt(year, self.month, day),
            None => last_of_month(year, self.month),
        }
    }

    /// Whether the month exists. If it does not, day and month are probably in another order.
    fn has_month(self) -> bool {
        (1..=12).contains(&self.month)
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

/// Parses a date in one of the given formats, or in an unambiguous format, with or without a time.
pub fn parse(text: &str, formats: &[DateFormat]) -> Result<When, Complaint> {
    if let Some(day) = parse_day(text, formats)? {
        return Ok(When::Day(day));
    }
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return Ok(When::Instant(at));
    }
    let Some((date, time)) = times::split(text) else { return Err(complaint(text, formats)) };
    let day = parse_day(date, formats)?.ok_or_else(|| complaint(date, formats))?;
    match time.offset {
        Some(offset) => {
            let at = day.and_time(time.time).and_local_timezone(offset).single();
            at.map(When::Instant).ok_or(NOT_A_DATE)
        }
        // Spreadsheets and databases write a date without a time as midnight.
        None if time.time == NaiveTime::MIN => Ok(When::Day(day)),
        None => Ok(When::Local(day.and_time(time.time))),
    }
}

/// The fault of a text that is not a date.
type Complaint = &'static str;

fn parse_day(text: &str, formats: &[DateFormat]) -> Result<Option<NaiveDate>, Complaint> {
    let mut named = formats.iter().filter_map(|format| format.read(text)?.date());
    match named.next() {
        Some(day) if named.any(|other| other != day) => {
            Err("two of the given date formats give different days: give one of them")
        }
        Some(day) => Ok(Some(day)),
        None => Ok(unambiguous(text).and_then(Written::date)),
    }
}

/// Reads a date in a form that allows one reading.
fn unambiguous(text: &str) -> Option<Written> {
    use Part::{Day, Literal, Month, Year};
    use Width::OneOrTwo;
    let forms: [&[Part]; 4] = [
        &[Year, Literal('-'), Month(OneOrTwo), Literal('-'), Day(OneOrTwo)],
        &[Year, Literal('/'), Month(OneOrTwo), Literal('/'), Day(OneOrTwo)],
        &[Day(OneOrTwo), Literal('.'), Month(OneOrTwo), Literal('.'), Year],
        &[Month(OneOrTwo), Literal('/'), Year],
    ];
    forms
        .into_iter()
        .find_map(|parts| DateFormat(parts.to_vec()).read(text))
        .or_else(|| with_month_name(text))
}

/// Reads a date whose month is a name, and whose year has four digits: `5. mai 2026`, `May 5, 2026`,
/// `05-MAY-2026`, `2026 mai 5`, or `mai 2026` for the month's last day.
fn with_month_name(text: &str) -> Option<Written> {
    // At most a day, a month and a year.
    let (mut numbers, mut month, mut rest) = (Vec::with_capacity(2), None, text);
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        if digits > 0 {
            if numbers.len() == 2 || !matches!(digits, 1 | 2 | 4) {
                return None;
            }
            numbers.push((digits, rest[..digits].parse::<u32>().ok()?));
            rest = without_ordinal(&rest[digits..]);
        } else {
            let (number, behind) = months::split(rest).filter(|_| month.is_none())?;
            // A day behind the name cannot be in front of it as well.
            (month, rest) = (Some(number), behind);
        }
        let parted = rest.trim_start_matches(['.', ',', '-', '/', ' ']);
        // A text that ends in a separator is cut off.
        if rest.len() - parted.len() > 2 || (parted.is_empty() && !rest.is_empty()) {
            return None;
        }
        rest = parted;
    }
    match numbers[..] {
        [(4, year)] => Some(Written { year, month: month?, day: None }),
        [(1 | 2, day), (4, year)] | [(4, year), (1 | 2, day)] => {
            Some(Written { year, month: month?, day: Some(day) })
        }
        _ => None,
    }
}

/// Removes the ending of an ordinal number of a day: `1st` (English), `1er` (French).
fn without_ordinal(text: &str) -> &str {
    ["st", "nd", "rd", "th", "er"]
        .iter()
        .find_map(|end| text.strip_prefix(end).filter(|rest| !rest.starts_with(char::is_alphanumeric)))
        .unwrap_or(text)
}

const NOT_A_DATE: Complaint =
    "not a date: write it like 2026-12-31 or 31.12.2026, or give its format with --date-format";

/// What is wrong with a text that is not a date, neither in one of the given formats nor in an unambiguous one.
fn complaint(text: &str, formats: &[DateFormat]) -> Complaint {
    let mut written = formats.iter().filter_map(|format| format.read(text)).chain(unambiguous(text));
    if written.any(Written::has_month) {
        return "the day does not exist: correct it";
    }
    let is_digit = |char: char| char.is_ascii_digit();
    let numbers: Vec<&str> =
        text.split(['/', '-', '.']).filter(|part| !part.is_empty() && part.chars().all(is_digit)).collect();
    if numbers.len() == 3 && numbers.iter().all(|part| part.len() <= 2) {
        "a year of two digits: give the format with --date-format, such as DD.MM.YY or MM/DD/YY"
    } else if numbers.len() == 3 && !text.contains('.') {
        "the date is ambiguous or does not exist: give its format with --date-format, such as MM/DD/YYYY or M/D/YYYY"
    } else {
        NOT_A_DATE
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
            ("31.12.2026 00:00", day(2026, 12, 31)),
            ("2026-12-31T00:00:00.000", day(2026, 12, 31)),
            ("5. mai 2026", day(2026, 5, 5)),
            ("5 MAJ 2026", day(2026, 5, 5)),
            ("May 5, 2026", day(2026, 5, 5)),
            ("May  5 2026 12:00AM", day(2026, 5, 5)),
            ("05-MAY-2026", day(2026, 5, 5)),
            ("5.des.2026", day(2026, 12, 5)),
            ("1er août 2026", day(2026, 8, 1)),
            ("31st Dec. 2026", day(2026, 12, 31)),
            ("31. März 2026", day(2026, 3, 31)),
            ("2026-mai-05", day(2026, 5, 5)),
            ("févr. 2028", day(2028, 2, 29)),
        ] {
            assert_eq!(parse(text, &[]), Ok(expected), "{text}");
        }
        for text in ["2026-12-31T10:00:00+01:00", "2026-05-01 00:00:00+02", "2026-12-31T23:00:00.5Z"] {
            assert!(matches!(parse(text, &[]), Ok(When::Instant(_))), "{text}");
        }
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
            "5 mai 26",
            "mai",
            "mai 5",
            "mai mai 2026",
            "5 6 mai 2026",
            "31 juin 2026",
            "5. mai 2026.",
            "5 - - mai 2026",
            "5 mais 2026",
            "12/31/2026 12:00:00 AM",
            "２０２６-01-01",
            "2026-12-31x",
        ] {
            assert!(parse(text, &[]).is_err(), "{text}");
        }
    }

    #[test]
    fn a_day_that_does_not_exist() {
        let american: DateFormat = "MM/DD/YYYY".parse().unwrap();
        for text in
            ["31.02.2028", "2027-02-29", "2026-06-31 00:00:00", "32.1.2026", "31 juin 2026", "02/30/2026"]
        {
            let complaint = parse(text, std::slice::from_ref(&american)).unwrap_err();
            assert_eq!(complaint, "the day does not exist: correct it", "{text}");
        }
        for text in ["31.13.2026", "2026-31-12", "13/31/2026", "30/02/2026", "13/2026"] {
            let complaint = parse(text, std::slice::from_ref(&american)).unwrap_err();
            assert!(complaint.contains("--date-format"), "{text}: how to write it helps more");
        }
    }

    #[test]
    fn a_format_is_followed_exactly() {
        for form in [
            "",
            "MM/DD",
            "YYYY-MM-DD-DD",
            "D.M.Y",
            "MMM",
            "MMMMM YYYY",
            "YY-YYYY-MM",
            "MM-MMM-YYYY",
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
            ("DD/MM/YYYY", "01/02/26", None),
            ("DD.MM.YY", "31.12.26", Some(day(2026, 12, 31))),
            ("DD.MM.YY", "31.12.68", Some(day(2068, 12, 31))),
            ("DD.MM.YY", "31.12.69", Some(day(1969, 12, 31))),
            ("DD.MM.YY", "31.12.2026", Some(day(2026, 12, 31))),
            ("MM/DD/YY", "02/01/26 12:00:00 AM", Some(day(2026, 2, 1))),
            ("DD-MMM-YY", "05-MAY-26", Some(day(2026, 5, 5))),
            ("D. MMM YY", "5. des. 26", Some(day(2026, 12, 5))),
            ("M/D/YYYY", "1/2/2026 12:00:00 AM", Some(day(2026, 1, 2))),
            ("M/D/YYYY", "1/2/2026 00:00", Some(day(2026, 1, 2))),
        ] {
            assert_eq!(parse(text, &[form.parse().unwrap()]).ok(), expected, "{form} {text}");
        }
        let both = ["MM/DD/YYYY", "DD/MM/YYYY"].map(|form| form.parse().unwrap());
        assert!(parse("01/02/2026", &both).unwrap_err().contains("different days"));
        assert_eq!(parse("02/02/2026", &both), Ok(day(2026, 2, 2)));
        assert_eq!(parse("13/02/2026", &both), Ok(day(2026, 2, 13)));
    }
}
