//! Untrusted text: the characters that it must not contain, and how they are displayed.

use std::borrow::Cow;
use std::fmt::Write;

/// Whether a character changes the display of the text around it: controls (C0, DEL, C1), line and paragraph
/// separators, and marks, embeddings, overrides and isolates of the writing direction (Unicode TR9).
/// `certvakt.forbidden_characters` is the same rule in SQL. Joiners are allowed, because names and emoji need them.
pub const fn is_control(char: char) -> bool {
    matches!(char,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}')
}

/// Whether a single-line text contains no such character.
pub fn is_plain(text: &str) -> bool {
    !text.contains(is_control)
}

/// Whether a text, which may contain line breaks and tabs, contains no other such character.
pub fn is_plain_note(text: &str) -> bool {
    text.chars().all(|char| !is_control(char) || matches!(char, '\n' | '\r' | '\t'))
}

/// The text as one line, with such characters escaped as `\uXXXX`, as in JSON.
pub fn escaped(text: &str) -> Cow<'_, str> {
    escaped_but(text, |_| false)
}

/// As [`escaped`], but keeps line breaks.
pub fn escaped_lines(text: &str) -> Cow<'_, str> {
    escaped_but(text, |char| char == '\n')
}

fn escaped_but(text: &str, stays: impl Fn(char) -> bool) -> Cow<'_, str> {
    let is_shown = |char: char| is_control(char) && !stays(char);
    if !text.contains(is_shown) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for char in text.chars() {
        if is_shown(char) {
            let _ = write!(shown, "\\u{:04x}", u32::from(char));
        } else {
            shown.push(char);
        }
    }
    Cow::Owned(shown)
}

/// Escapes a CSV cell so that no spreadsheet treats it as a formula: a cell that starts like a formula and is
/// not a number gets an apostrophe in front (OWASP, *CSV Injection*).
pub fn csv_cell(text: &str) -> Cow<'_, str> {
    let text = escaped(text);
    let begins = text.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']);
    let digits = text.get(1..).unwrap_or_default();
    let is_number = text.starts_with(['+', '-'])
        && digits.contains(|char: char| char.is_ascii_digit())
        && digits.chars().all(|char| char.is_ascii_digit() || matches!(char, '.' | ','));
    if begins && !is_number { Cow::Owned(format!("'{text}")) } else { text }
}
