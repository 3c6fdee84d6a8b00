//! Text that may come from anywhere: which characters it may not hold, and how it is shown where it holds them.

use std::borrow::Cow;
use std::fmt::Write;

/// Whether a character changes how the text around it is shown: controls (C0, DEL, C1), line and paragraph separators,
/// and marks, embeddings, overrides and isolates of the writing direction (Unicode TR9). `certvakt.is_plain` holds the
/// same in SQL. Joiners are no such characters: names and emoji need them.
pub const fn is_control(char: char) -> bool {
    matches!(char,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}')
}

/// Whether a text of one line holds none of them.
pub fn is_plain(text: &str) -> bool {
    !text.contains(is_control)
}

/// The same of a text that may have lines and tabs, as a note does.
pub fn is_plain_note(text: &str) -> bool {
    text.chars().all(|char| !is_control(char) || matches!(char, '\n' | '\r' | '\t'))
}

/// The text as one line that shows such characters instead of obeying them, as `\uXXXX`: what JSON reads as the same.
pub fn escaped(text: &str) -> Cow<'_, str> {
    escaped_but(text, |_| false)
}

/// The same, in which lines stay lines.
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
