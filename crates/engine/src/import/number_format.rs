//! How a cell's number format displays its value (ECMA-376, part 1, section 18.8.31).

/// The display of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NumberFormat {
    /// The number itself.
    Number,
    /// The number with leading zeros, with this many digits in total.
    Zeros(usize),
    /// The number with a separator between thousands.
    Grouped,
    /// A day.
    Day,
    /// A day and a time.
    Time,
    /// The month and the year of a date.
    Month,
    /// Something other than the number or the date: a prefix, a rounded number, only the weekday, another
    /// calendar.
    Disguised,
}

impl NumberFormat {
    /// Parses the code of a format.
    pub(super) fn of(code: &str) -> Self {
        // The first section applies to positive numbers and dates, unless it has a condition.
        let code = code.split(';').next().unwrap_or_default();
        let (mut signs, mut has_literal, mut is_disguised) = (String::new(), false, false);
        let mut chars = code.chars();
        while let Some(char) = chars.next() {
            match char {
                '"' => has_literal |= chars.by_ref().take_while(|char| *char != '"').count() > 0,
                '[' => {
                    let inside: String = chars.by_ref().take_while(|char| *char != ']').collect();
                    // Elapsed hours, such as [h], count as other signs.
                    if matches!(inside.to_ascii_lowercase().as_str(), "h" | "hh" | "m" | "mm" | "s" | "ss") {
                        is_disguised = true;
                    }
                    is_disguised |= inside.contains(['<', '>', '=']) || is_other_calendar(&inside);
                }
                '_' | '*' => _ = chars.next(),
                '\\' => has_literal |= chars.next().is_some(),
                other => signs.push(other.to_ascii_lowercase()),
            }
        }
        if is_disguised {
            Self::Disguised
        } else if signs.is_empty() || signs == "general" || signs == "@" {
            if has_literal { Self::Disguised } else { Self::Number }
        } else if signs.contains(['y', 'm', 'd', 'h', 's', 'b', 'g']) {
            Self::of_date(&signs)
        } else if has_literal {
            Self::Disguised
        } else {
            Self::of_number(&signs)
        }
    }

    fn of_date(signs: &str) -> Self {
        let has = |sign: char| signs.contains(sign);
        match (has('y') && has('m'), has('d'), has('h') || has('s')) {
            // Years of an era, or of the Buddhist calendar.
            _ if signs.contains(['b', 'g', 'e']) => Self::Disguised,
            (true, true, false) => Self::Day,
            (true, true, true) => Self::Time,
            (true, false, false) => Self::Month,
            _ => Self::Disguised,
        }
    }

    fn of_number(signs: &str) -> Self {
        let (whole, decimals) = signs.split_once('.').unwrap_or((signs, ""));
        let zeros = whole.matches('0').count();
        if !signs.chars().all(|char| "0#?.,/ ".contains(char)) || decimals.contains('0') {
            Self::Disguised
        } else if whole.contains(',') {
            if zeros > 1 { Self::Disguised } else { Self::Grouped }
        } else if zeros > 1 {
            Self::Zeros(zeros)
        } else {
            Self::Number
        }
    }
}

/// Whether a locale, like `$-D070041E`, names another calendar than the Gregorian in its third byte.
fn is_other_calendar(inside: &str) -> bool {
    inside
        .split_once('-')
        .and_then(|(_, locale)| u32::from_str_radix(locale.split(',').next().unwrap_or_default(), 16).ok())
        .is_some_and(|locale| !matches!((locale >> 16) & 0xff, 0 | 1))
}

#[cfg(test)]
mod tests {
    use super::NumberFormat::{self, Day, Disguised, Grouped, Month, Number, Time, Zeros};

    #[test]
    fn a_format_says_what_people_see() {
        for (code, expected) in [
            ("General", Number),
            ("@", Number),
            ("0", Number),
            ("#", Number),
            ("000", Zeros(3)),
            ("#000", Zeros(3)),
            ("#,##0", Grouped),
            ("0.00", Disguised),
            ("0.00E+00", Disguised),
            ("0%", Disguised),
            ("00,000", Disguised),
            ("0-00", Disguised),
            ("\"M\"0", Disguised),
            ("\\M0", Disguised),
            ("[<1000]000;0", Disguised),
            ("[Red]0", Number),
            ("0_);(0)", Number),
            ("dd.mm.yyyy", Day),
            ("m/d/yy", Day),
            ("[$-414]d. mmmm yyyy", Day),
            ("[$-F800]dddd, mmmm dd, yyyy", Day),
            ("yyyy-mm-dd hh:mm", Time),
            ("mm/yyyy", Month),
            ("mmmm yyyy", Month),
            ("mmm-yy", Month),
            ("yyyy", Disguised),
            ("mmmm", Disguised),
            ("dddd", Disguised),
            ("d-mmm", Disguised),
            ("h:mm", Disguised),
            ("[h]:mm", Disguised),
            ("mm:ss", Disguised),
            ("[$-D070041E]dd/mm/yyyy", Disguised),
            ("dd/mm/bbbb", Disguised),
            ("ggge", Disguised),
        ] {
            assert_eq!(NumberFormat::of(code), expected, "{code}");
        }
    }
}
