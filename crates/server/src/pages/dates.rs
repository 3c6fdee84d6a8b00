//! Dates as people write them in a form.

use chrono::NaiveDate;

/// Reads a day, month and year with `.`, `/`, `-` or a space between them, or a date as ISO 8601 writes it. The year has
/// four digits; anything that is not certainly a date is `None`.
pub(super) fn parse(written: &str) -> Option<NaiveDate> {
    let parts: Vec<&str> =
        written.trim().split(['.', '/', '-', ' ']).filter(|part| !part.is_empty()).collect();
    let [first, month, last] = parts[..] else { return None };
    let (day, year) = if first.len() == 4 { (last, first) } else { (first, last) };
    let number = |part: &str, longest: usize| {
        let is_number = part.len() <= longest && part.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| part.parse::<u32>().ok()).flatten()
    };
    let year = number(year, 4).filter(|_| year.len() == 4)?;
    NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, number(month, 2)?, number(day, 2)?)
}

/// A date as a form shows it: `dd.mm.yyyy`.
pub(super) fn write(day: NaiveDate) -> String {
    day.format("%d.%m.%Y").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_read_only_if_it_is_certainly_one() {
        let christmas = NaiveDate::from_ymd_opt(2027, 12, 24);
        for (written, expected) in [
            ("24.12.2027", christmas),
            (" 24. 12. 2027 ", christmas),
            ("24/12/2027", christmas),
            ("24-12-2027", christmas),
            ("24 12 2027", christmas),
            ("2027-12-24", christmas),
            ("1.2.2027", NaiveDate::from_ymd_opt(2027, 2, 1)),
            ("29.02.2028", NaiveDate::from_ymd_opt(2028, 2, 29)),
            ("29.02.2027", None),
            ("12.24.2027", None),
            ("24.12.27", None),
            ("24122027", None),
            ("24.12", None),
            ("24.12.20270", None),
            ("+4.12.2027", None),
            ("24.desember.2027", None),
            ("", None),
        ] {
            assert_eq!(parse(written), expected, "{written}");
        }
        assert_eq!(christmas.map(write).as_deref(), Some("24.12.2027"));
    }
}
