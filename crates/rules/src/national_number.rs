//! Recognises Norwegian national identity numbers, so that certvakt never stores one.
//!
//! Source: Folkeregisterforskriften § 2-2-1 and the control digits of Skatteetaten's description
//! (weights 3 7 6 1 8 9 4 5 2 and 5 4 3 2 7 6 5 4 3 2, modulus 11). D-numbers add 40 to the day;
//! synthetic numbers (Tenor) add 80 to the month, help numbers 40.

use chrono::NaiveDate;

const FIRST: [u32; 9] = [3, 7, 6, 1, 8, 9, 4, 5, 2];
const SECOND: [u32; 10] = [5, 4, 3, 2, 7, 6, 5, 4, 3, 2];

/// Whether a text, without its spaces, is a valid national identity number or D-number.
pub fn is_national_number(text: &str) -> bool {
    let mut digits = [0_u32; 11];
    let mut count = 0;
    for char in text.chars().filter(|char| !char.is_whitespace()) {
        let (Some(digit), Some(place)) = (char.to_digit(10), digits.get_mut(count)) else {
            return false;
        };
        *place = digit;
        count += 1;
    }
    count == digits.len() && has_date(&digits) && has_control_digits(&digits)
}

fn has_date(digits: &[u32; 11]) -> bool {
    let pair = |at: usize| digits[at] * 10 + digits[at + 1];
    let day = if pair(0) > 40 { pair(0) - 40 } else { pair(0) };
    let month = match pair(2) {
        month @ 41..=52 => month - 40,
        month @ 81..=92 => month - 80,
        month => month,
    };
    // The century depends on the individual number; accept a leap day of either century.
    NaiveDate::from_ymd_opt(2000 + i32::try_from(pair(4)).unwrap_or(0), month, day).is_some()
        || NaiveDate::from_ymd_opt(1900 + i32::try_from(pair(4)).unwrap_or(0), month, day).is_some()
}

fn has_control_digits(digits: &[u32; 11]) -> bool {
    let control = |weights: &[u32]| {
        let sum: u32 = weights.iter().zip(digits).map(|(weight, digit)| weight * digit).sum();
        (11 - sum % 11) % 11
    };
    control(&FIRST) == digits[9] && control(&SECOND) == digits[10]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An individual number with valid control digits, computed in a different way from the code under test:
    /// the whole weighted sum, including the control digit, is a multiple of 11.
    fn some_number(date: &str) -> String {
        (0..1000)
            .flat_map(|individual| (0..100).map(move |control| format!("{individual:03}{control:02}")))
            .map(|tail| format!("{date}{tail}"))
            .find(|number| {
                let sum = |weights: &[u32]| -> u32 {
                    weights.iter().zip(number.chars()).map(|(w, c)| w * c.to_digit(10).unwrap_or(0)).sum()
                };
                sum(&[3, 7, 6, 1, 8, 9, 4, 5, 2, 1]) % 11 == 0
                    && sum(&[5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1]) % 11 == 0
            })
            .unwrap_or_default()
    }

    #[test]
    fn recognises_every_kind_of_number() {
        for date in ["010170", "290200", "410170", "014170", "018170"] {
            let number = some_number(date);
            assert!(is_national_number(&number), "{date}: {number}");
            assert!(is_national_number(&format!("{} {}", &number[..6], &number[6..])));
        }
    }

    #[test]
    fn a_changed_digit_an_impossible_date_and_other_texts_are_none() {
        let mut number = some_number("010170").into_bytes();
        number[10] = if number[10] == b'9' { b'0' } else { number[10] + 1 };
        for text in [
            std::str::from_utf8(&number).unwrap_or_default(),
            &some_number("320170"),
            &some_number("300200"),
            "",
            "497843",
            "012345678901",
            "0101701234x",
            "０００００００００００",
        ] {
            assert!(!is_national_number(text), "{text}");
        }
    }
}
