//! Names of months in Norwegian, Swedish, Danish, English, German and French.

use certvakt_rules::normal::fold;

/// The names and usual abbreviations of each month, with folded case and without a dot.
const NAMES: [&[&str]; 12] = [
    &["januar", "jan", "januari", "january", "jänner", "jän", "janvier", "janv"],
    &["februar", "feb", "febr", "februari", "february", "feber", "février", "fevrier", "févr", "fevr", "fév"],
    &["mars", "mar", "mrs", "marts", "march", "märz", "maerz", "mär", "mrz"],
    &["april", "apr", "avril", "avr"],
    &["mai", "maj", "may"],
    &["juni", "jun", "june", "juin"],
    &["juli", "jul", "july", "juillet", "juil"],
    &["august", "aug", "augusti", "août", "aout"],
    &["september", "sep", "sept", "septembre"],
    &["oktober", "okt", "october", "oct", "octobre"],
    &["november", "nov", "novembre"],
    &["desember", "des", "december", "dec", "dezember", "dez", "décembre", "decembre", "déc"],
];

/// The month from 1 that a name or an abbreviation means, in any case. All seven languages agree on each.
pub(super) fn number(name: &str) -> Option<u32> {
    let name = fold(name);
    (1..).zip(NAMES).find(|(_, names)| names.contains(&name.as_str())).map(|(month, _)| month)
}

/// Splits the name of a month, with the dot of an abbreviation, from the start of a text.
pub(super) fn split(text: &str) -> Option<(u32, &str)> {
    let end = text.find(|char: char| !char.is_alphabetic()).unwrap_or(text.len());
    let rest = &text[end..];
    Some((number(&text[..end])?, rest.strip_prefix('.').unwrap_or(rest)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_means_two_months() {
        let mut names: Vec<&str> = NAMES.into_iter().flatten().copied().collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
        for (month, names) in (1..).zip(NAMES) {
            for name in names {
                assert_eq!(number(&name.to_uppercase()), Some(month), "{name}");
                assert_eq!(split(&format!("{name}. 2026")), Some((month, " 2026")), "{name}");
            }
        }
    }
}
