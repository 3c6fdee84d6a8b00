//! Dates as people write them in a form.

use chrono::NaiveDate;

use crate::html::text::Text;

/// The last year that two digits mean, as in registers: `68` is 2068. From `69` on, registers mean the last century, so a form
/// refuses them.
const LAST_OF_TWO_DIGITS: u32 = 68;

/// The beginnings of the names of months in the languages of the pages; of each, any longer part of the name is accepted.
const MONTHS: [&[&str]; 12] = [
    &["januar", "january"],
    &["februar", "february"],
    &["mars", "march"],
    &["april"],
    &["mai", "may"],
    &["juni", "june"],
    &["juli", "july"],
    &["august"],
    &["september"],
    &["oktober", "october"],
    &["november"],
    &["desember", "december"],
];
/// The shortest part of a month's name.
const SHORTEST_NAME: usize = 3;

/// Why a text is not a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoDate {
    /// A day and a month without a year.
    WithoutYear,
    /// A day that no calendar has, as 31 February.
    NoSuchDay,
    /// Anything else.
    Unreadable,
}

impl NoDate {
    /// The key of the sentence that says so.
    pub(super) const fn key(self) -> &'static str {
        match self {
            Self::WithoutYear => "fault-date-year",
            Self::NoSuchDay => "fault-date-none",
            Self::Unreadable => "fault-date-form",
        }
    }

    /// The sentence.
    pub(super) fn what(self, text: Text) -> String {
        text.say(self.key())
    }
}

/// Reads a day, month and year with `.`, `/`, `-` or a space between them, or a date as ISO 8601 writes it. The month is a
/// number or a name. The year has four digits, or two for 2000 to 2068.
pub(super) fn parse(written: &str) -> Result<NaiveDate, NoDate> {
    let parts: Vec<&str> =
        written.trim().split(['.', '/', '-', ' ', '\u{a0}']).filter(|part| !part.is_empty()).collect();
    match parts[..] {
        [year, month, day] if year.len() == 4 => date(day, month, year),
        [day, month, year] => date(day, month, year),
        // The year 2000 has every day of the calendar.
        [day, month] if date(day, month, "2000").is_ok() => Err(NoDate::WithoutYear),
        _ => Err(NoDate::Unreadable),
    }
}

fn date(day: &str, month: &str, year: &str) -> Result<NaiveDate, NoDate> {
    let read = || {
        let year = match (year.len(), number(year, 4)?) {
            (4, year) => year,
            (2, year) if year <= LAST_OF_TWO_DIGITS => 2000 + year,
            _ => return None,
        };
        Some((i32::try_from(year).ok()?, number(month, 2).or_else(|| named(month))?, number(day, 2)?))
    };
    let (year, month, day) = read().ok_or(NoDate::Unreadable)?;
    NaiveDate::from_ymd_opt(year, month, day).ok_or(NoDate::NoSuchDay)
}

fn number(part: &str, longest: usize) -> Option<u32> {
    let is_number = part.len() <= longest && part.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| part.parse().ok()).flatten()
}

/// The month with a name, or with the beginning of one.
fn named(part: &str) -> Option<u32> {
    let part = part.to_lowercase();
    let is_one = |name: &&str| part.chars().count() >= SHORTEST_NAME && name.starts_with(&part);
    (1..).zip(MONTHS).find_map(|(number, names)| names.iter().any(is_one).then_some(number))
}

/// A date as a form shows it: `dd.mm.yyyy`.
pub(super) fn write(day: NaiveDate) -> String {
    day.format("%d.%m.%Y").to_string()
}

#[cfg(test)]
mod tests {
    use chrono::Datelike;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_date_is_read_as_volunteers_write_it_if_it_is_certainly_one() {
        let day = |year, month, day| NaiveDate::from_ymd_opt(year, month, day).ok_or(NoDate::Unreadable);
        for (written, expected) in [
            ("24.12.2027", day(2027, 12, 24)),
            (" 24. 12. 2027 ", day(2027, 12, 24)),
            ("24/12/2027", day(2027, 12, 24)),
            ("24-12-2027", day(2027, 12, 24)),
            ("24 12 2027", day(2027, 12, 24)),
            ("2027-12-24", day(2027, 12, 24)),
            ("1.2.2027", day(2027, 2, 1)),
            ("29.02.2028", day(2028, 2, 29)),
            ("6.12.26", day(2026, 12, 6)),
            ("06.12.2026", day(2026, 12, 6)),
            ("6/12-2026", day(2026, 12, 6)),
            ("6/12-26", day(2026, 12, 6)),
            ("6. desember 2026", day(2026, 12, 6)),
            ("6.\u{a0}desember 2026", day(2026, 12, 6)),
            ("6 DES. 26", day(2026, 12, 6)),
            ("6 December 2026", day(2026, 12, 6)),
            ("1. mai 2027", day(2027, 5, 1)),
            ("1. mars 2027", day(2027, 3, 1)),
            ("31.12.68", day(2068, 12, 31)),
            ("1.1.00", day(2000, 1, 1)),
            ("6.12", Err(NoDate::WithoutYear)),
            ("6/12", Err(NoDate::WithoutYear)),
            ("6. desember", Err(NoDate::WithoutYear)),
            ("29.2.", Err(NoDate::WithoutYear)),
            ("1.1.69", Err(NoDate::Unreadable)),
            ("6.12.126", Err(NoDate::Unreadable)),
            ("29.02.2027", Err(NoDate::NoSuchDay)),
            ("29.2.27", Err(NoDate::NoSuchDay)),
            ("12.24.2027", Err(NoDate::NoSuchDay)),
            ("24.13", Err(NoDate::Unreadable)),
            ("24122027", Err(NoDate::Unreadable)),
            ("24.12.20270", Err(NoDate::Unreadable)),
            ("+4.12.2027", Err(NoDate::Unreadable)),
            ("6. ju 2027", Err(NoDate::Unreadable)),
            ("6. julius 2027", Err(NoDate::Unreadable)),
            ("6. desember 20:00", Err(NoDate::Unreadable)),
            ("desember 2027", Err(NoDate::Unreadable)),
            ("", Err(NoDate::Unreadable)),
        ] {
            assert_eq!(parse(written), expected, "{written}");
        }
        assert_eq!(write(NaiveDate::from_ymd_opt(2027, 2, 1).unwrap()), "01.02.2027");
    }

    proptest! {
        #[test]
        fn every_date_is_read_in_every_form(days in 0..25_203_i64, form in 0..9_usize) {
            let day = NaiveDate::from_ymd_opt(2000, 1, 1).unwrap() + chrono::TimeDelta::days(days);
            let names = MONTHS[day.month0() as usize];
            let short: String = names[0].chars().take(SHORTEST_NAME).collect();
            let written = match form {
                0 => write(day),
                1 => day.format("%-d.%-m.%y").to_string(),
                2 => day.format("%-d/%-m-%Y").to_string(),
                3 => day.to_string(),
                4 => format!("{}. {} {}", day.day(), names[0], day.year()),
                5 => format!("{} {} {}", day.day(), names[names.len() - 1], day.year()),
                6 => format!("{}. {}. {}", day.day(), short.to_uppercase(), day.format("%y")),
                7 => day.format(" %d-%m-%Y ").to_string(),
                _ => day.format("%d / %m / %y").to_string(),
            };
            prop_assert_eq!(parse(&written), Ok(day), "{}", written);
        }

        #[test]
        fn a_day_and_a_month_are_no_date(day in 1..=28_u32, month in 1..=12_usize, is_named: bool) {
            let month = if is_named { MONTHS[month - 1][0].to_owned() } else { month.to_string() };
            prop_assert_eq!(parse(&format!("{day}. {month}")), Err(NoDate::WithoutYear));
        }

        #[test]
        fn what_is_read_was_written(written in "[0-9a-z./ -]{0,16}") {
            // The last two digits of the year, and the day, stand in what was written.
            if let Ok(day) = parse(&written) {
                prop_assert!(written.contains(&day.format("%y").to_string()));
                prop_assert!(written.contains(&day.day().to_string()));
            }
        }

        #[test]
        fn nothing_panics(written in "\\PC*") {
            let _ = parse(&written);
        }
    }
}
