//! Normal forms of values for comparison and storage, so that texts that look the same are equal.

use std::borrow::Cow;

use unicode_normalization::char::is_combining_mark;
use unicode_normalization::{UnicodeNormalization, is_nfc};

use crate::text::is_control;

/// The maximum length of a short name, as in the schema.
const LONGEST_SHORT_NAME: usize = 63;

/// A value in Normalization Form C, without invisible characters, and with single spaces instead of white
/// space.
pub fn normal(text: &str) -> Cow<'_, str> {
    let text = text.trim();
    let is_normal = if text.is_ascii() {
        !text.contains("  ")
    } else {
        is_nfc(text)
            && !text.chars().any(|char| is_invisible(char) || (char.is_whitespace() && char != ' '))
            && !text.contains("  ")
    };
    if is_normal {
        return Cow::Borrowed(text);
    }
    let visible: String = text.nfc().filter(|char| !is_invisible(*char)).collect();
    Cow::Owned(visible.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Whether a text is a spreadsheet's error, in English or Norwegian, or the number signs of a column that was
/// too narrow.
pub fn is_spreadsheet_error(text: &str) -> bool {
    text.strip_prefix('#').is_some_and(|rest| {
        matches!(rest, "N/A" | "I/T" | "GETTING_DATA")
            || (rest.len() > 1 && rest.bytes().all(|byte| byte == b'#'))
            || (rest.ends_with(['!', '?'])
                && rest.chars().all(|char| !char.is_lowercase() && !char.is_whitespace()))
    })
}

/// An id in the form of [`normal`] and in Normalization Form KC, with a hyphen instead of every dash, so that
/// a typed id matches a printed one.
pub fn normal_id(text: &str) -> Cow<'_, str> {
    let text = normal(text);
    if text.is_ascii() {
        return text;
    }
    let plain: String = text
        .nfkc()
        .map(
            |char| if matches!(char, '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe58}') { '-' } else { char },
        )
        .collect();
    Cow::Owned(normal(&plain).into_owned())
}

/// A value for case-insensitive comparison: full case folding (Unicode, section 5.18), approximated by the
/// mapping to upper case and back, which also equates `ß` and `SS`.
pub fn fold(text: &str) -> String {
    normal(text).to_lowercase().to_uppercase().to_lowercase().nfc().collect()
}

/// A name for comparison without regard to case, accents and spaces, as `certvakt.folded` in the database: å
/// becomes a, ø becomes o, æ becomes ae.
pub fn fold_accents(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for char in fold(text).nfd().filter(|char| !is_combining_mark(*char)) {
        match char {
            'æ' => folded.push_str("ae"),
            'œ' => folded.push_str("oe"),
            'þ' => folded.push_str("th"),
            'ø' => folded.push('o'),
            'đ' | 'ð' => folded.push('d'),
            'ł' => folded.push('l'),
            'ı' => folded.push('i'),
            'ŋ' => folded.push('n'),
            other => folded.push(other),
        }
    }
    folded
}

/// A free short name for a name: its letters and digits, or `otherwise` if it has none, with a number if that is taken.
pub fn short_name(name: &str, otherwise: &str, taken: &[String]) -> String {
    let folded = fold_accents(name);
    let words: Vec<&str> =
        folded.split(|char: char| !char.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let base = if words.is_empty() { otherwise.to_owned() } else { words.join("-") };
    (1..=taken.len() + 1)
        .map(|number| {
            let suffix = if number == 1 { String::new() } else { format!("-{number}") };
            let longest = base.len().min(LONGEST_SHORT_NAME - suffix.len());
            base[..longest].trim_end_matches('-').to_owned() + &suffix
        })
        .find(|short| !taken.contains(short))
        .unwrap_or(base)
}

/// Whether a value has no forbidden characters: control characters, and the replacement character of text
/// that could not be decoded. Direction marks are invisible, so the normal form drops them.
pub fn is_clean(text: &str) -> bool {
    !text.contains(|char| match char {
        '\u{61c}' | '\u{200e}' | '\u{200f}' => false,
        char => is_control(char) || matches!(char, '\u{fff0}'..='\u{ffff}'),
    })
}

/// The maximum length of a name of an organisation, a chapter, a type or a person, in characters, as in the schema.
pub const LONGEST_NAME: usize = 200;

/// The normal form of a name that somebody entered; `None` if it is empty, too long or not clean.
pub fn entered_name(text: &str) -> Option<String> {
    let name = normal(text).into_owned();
    (!name.is_empty() && name.chars().count() <= LONGEST_NAME && is_clean(&name)).then_some(name)
}

/// Whether a character is invisible (Unicode, `Default_Ignorable_Code_Point`).
const fn is_invisible(char: char) -> bool {
    matches!(
        char,
        '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{2800}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

/// A phone number as E.164 writes it: `+`, the country's code and the number, at most 15 digits. A number of eight digits is
/// Norwegian, and `00` stands for `+`. `None` if it is not certain which number it is.
pub fn phone(text: &str) -> Option<String> {
    let text: String =
        normal(text).chars().filter(|char| !" ()-.\u{2010}\u{2011}\u{2013}".contains(*char)).collect();
    let digits = match text.strip_prefix('+').or_else(|| text.strip_prefix("00")) {
        Some(digits) => digits.to_owned(),
        None if text.len() == 8 => format!("47{text}"),
        None => return None,
    };
    let is_number = (8..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    let has_code = !digits.starts_with('0');
    // A Norwegian number has eight digits, and does not begin with 0 or 1.
    let is_norwegian =
        digits.strip_prefix("47").is_none_or(|own| own.len() == 8 && !own.starts_with(['0', '1']));
    (is_number && has_code && is_norwegian).then(|| format!("+{digits}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_names_are_plain_and_free() {
        let taken = |all: &[&str]| all.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(short_name("Østre Åsen, Ærfugl", "chapter", &[]), "ostre-asen-aerfugl");
        assert_eq!(short_name("東京", "chapter", &taken(&["chapter"])), "chapter-2");
        assert_eq!(short_name("Oslo", "chapter", &taken(&["oslo", "oslo-2"])), "oslo-3");
        assert_eq!(
            short_name(&"a".repeat(80), "chapter", &["a".repeat(63)]),
            format!("{}-2", "a".repeat(61))
        );
        assert_eq!(short_name(&format!("{} b", "a".repeat(62)), "chapter", &[]), "a".repeat(62));
    }

    #[test]
    fn texts_that_look_alike_are_equal() {
        for (written, expected) in [
            (" 12 ", "12"),
            ("A\u{30a}se", "Åse"),
            ("\u{212b}se", "Åse"),
            ("\u{feff}12\u{200b}3", "123"),
            ("1\u{a0}2\u{202f} 3", "1 2 3"),
            ("1\u{ad}2", "12"),
            ("plain", "plain"),
        ] {
            assert_eq!(normal(written), expected, "{written:?}");
        }
        assert!(matches!(normal("Åse Ødegård"), Cow::Borrowed(_)));
    }

    #[test]
    fn a_retyped_id_is_the_same_id() {
        for dash in
            ["\u{2010}", "\u{2011}", "\u{2012}", "\u{2013}", "\u{2014}", "\u{2015}", "\u{2212}", "\u{fe58}"]
        {
            assert_eq!(normal_id(&format!("A{dash}1")), "A-1", "{dash:?}");
        }
        for (written, expected) in [
            ("A-1", "A-1"),
            ("\u{ff11}\u{ff12}\u{ff10}", "120"),
            ("\u{ff21}\u{ff0d}\u{ff11}", "A-1"),
            (" A\u{a0}\u{2013} 1\u{200b} ", "A - 1"),
            ("\u{c5}-1", "A\u{30a}-1"),
        ] {
            assert_eq!(normal_id(written), normal(expected), "{written:?}");
        }
        assert_ne!(normal_id("A-1"), normal_id("a-1"));
        assert_eq!(normal("A\u{2011}1"), "A\u{2011}1", "only an id has one sign for all of them");
    }

    #[test]
    fn case_is_ignored() {
        for (one, other) in [
            ("løpende", "LØPENDE"),
            ("A\u{30a}PEN", "åpen"),
            ("STRASSE", "straße"),
            ("STRA\u{1e9e}E", "Straße"),
            ("\u{390}", "\u{3b9}\u{308}\u{301}"),
            ("\u{390}", "\u{399}\u{308}\u{301}"),
            ("ΟΔΟΣ", "οδος"),
            ("AKTIV\u{a0}", "aktiv"),
        ] {
            assert_eq!(fold(one), fold(other), "{one}");
        }
        assert_ne!(fold("inaktiv"), fold("aktiv"));
    }

    #[test]
    fn accents_are_ignored() {
        for (one, other) in [
            ("Tromsø", "TROMSO"),
            ("A\u{30a}lesund", "ålesund"),
            ("Ærøskøbing", "aeroskobing"),
            (" Møre  og\u{a0}Romsdal", "more og romsdal"),
            ("Đorđe", "dorde"),
            ("Łódź", "lodz"),
        ] {
            assert_eq!(fold_accents(one), fold_accents(other), "{one}");
        }
        assert_ne!(fold_accents("Asker"), fold_accents("Askim"));
    }

    #[test]
    fn characters_that_change_what_people_read_are_seen() {
        for text in ["a\nb", "a\u{202e}b", "a\u{2066}b", "a\u{85}b", "a\u{2028}b", "a\u{fffd}b", "a\u{7f}b"] {
            assert!(!is_clean(text), "{text:?}");
        }
        assert!(is_clean("Åse «Ødegård» – 5\""));
    }

    #[test]
    fn a_phone_number_has_one_form_or_is_refused() {
        for (text, expected) in [
            ("90000000", Some("+4790000000")),
            (" 900 00 000 ", Some("+4790000000")),
            ("+47 900 00 000", Some("+4790000000")),
            ("0047 900 00 000", Some("+4790000000")),
            ("(+47) 22 00 00\u{2013}00", Some("+4722000000")),
            ("+46 70 123 45 67", Some("+46701234567")),
            ("004670 1234567", Some("+46701234567")),
            ("+1 (202) 555-0143", Some("+12025550143")),
            ("", None),
            ("9000000", None),
            ("900000000", None),
            ("+47 9000000", None),
            ("+47 100 00 000", None),
            ("10000000", None),
            ("+0 900 00 000", None),
            ("+1234567890123456", None),
            ("ring 90000", None),
            ("90000000 hjemme", None),
            ("４７900000", None),
            ("++4790000000", None),
        ] {
            assert_eq!(phone(text).as_deref(), expected, "{text}");
        }
    }
}
