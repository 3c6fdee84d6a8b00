//! An organisation's own text in the e-mails of notices: words, and fields in braces that certvakt fills in.

use std::collections::HashMap;

use certvakt_base::i18n::Locale;
use certvakt_rules::Stage;
use certvakt_rules::text::is_control;
use certvakt_store::notice_text::NoticeText;
use uuid::Uuid;

/// The maximum length of a text, in characters, as in the schema.
pub const LONGEST_WORDING: usize = 2_000;
/// How much of a text a fault quotes, in characters.
const QUOTED: usize = 30;

/// A field, which stands for a value of the notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// The mentor's name.
    Name,
    /// The name of the certification's type.
    Type,
    /// The last valid day.
    Date,
    /// The number of days to the last valid day, or since then: `12 days`.
    Days,
    /// The same as a sentence.
    Remaining,
    /// The chapter's name.
    Chapter,
    /// The organisation's name.
    Organisation,
}

impl Field {
    /// All fields.
    pub const ALL: [Self; 7] =
        [Self::Name, Self::Type, Self::Date, Self::Days, Self::Remaining, Self::Chapter, Self::Organisation];

    /// The field as people write it, without its braces.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Type => "type",
            Self::Date => "date",
            Self::Days => "days",
            Self::Remaining => "remaining",
            Self::Chapter => "chapter",
            Self::Organisation => "organisation",
        }
    }
}

/// Why a text is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WordingFault {
    /// It says nothing.
    #[error("it is empty")]
    Empty,
    /// It is longer than [`LONGEST_WORDING`].
    #[error("it has {0} characters")]
    TooLong(usize),
    /// It contains a character that changes the display of the text around it.
    #[error("it contains a control character")]
    Control,
    /// It contains a field that does not exist.
    #[error("it contains an unknown field")]
    Unknown(String),
    /// It contains a brace without its other one. The text from there on.
    #[error("it contains a brace without its other one")]
    Brace(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Words(String),
    Field(Field),
}

/// A text that can be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wording(Vec<Part>);

impl Wording {
    /// Reads a text, in its [`normal`] form.
    pub fn parse(written: &str) -> Result<Self, WordingFault> {
        let length = written.chars().count();
        if written.trim().is_empty() {
            return Err(WordingFault::Empty);
        } else if length > LONGEST_WORDING {
            return Err(WordingFault::TooLong(length));
        } else if written.contains(|char| char != '\n' && is_control(char)) {
            return Err(WordingFault::Control);
        }
        let mut parts = Vec::new();
        let mut rest = written;
        while let Some(at) = rest.find(['{', '}']) {
            let (words, braced) = rest.split_at(at);
            let brace = || WordingFault::Brace(quoted(braced.lines().next().unwrap_or_default()));
            let inside = braced.strip_prefix('{').ok_or_else(brace)?;
            let end = inside.find(['{', '}', '\n']).ok_or_else(brace)?;
            let (name, after) = inside.split_at(end);
            rest = after.strip_prefix('}').ok_or_else(brace)?;
            let field = Field::ALL.into_iter().find(|field| field.as_str() == name);
            parts.push(Part::Words(words.to_owned()));
            parts.push(Part::Field(field.ok_or_else(|| WordingFault::Unknown(quoted(name)))?));
        }
        parts.push(Part::Words(rest.to_owned()));
        Ok(Self(parts))
    }

    /// The text with the values of its fields; `None` if one of them is unknown.
    pub(super) fn fill(&self, value: impl Fn(Field) -> Option<String>) -> Option<String> {
        let parts = self.0.iter().map(|part| match part {
            Part::Words(words) => Some(words.clone()),
            Part::Field(field) => value(*field),
        });
        parts.collect()
    }
}

fn quoted(text: &str) -> String {
    text.chars().take(QUOTED).collect()
}

/// A text as it is stored: lines end in `\n` and not in spaces, and one empty line is between paragraphs.
pub fn normal(written: &str) -> String {
    let written = written.replace("\r\n", "\n").replace(['\r'], "\n").replace('\t', " ");
    paragraphs(&written).iter().map(|lines| lines.join("\n")).collect::<Vec<_>>().join("\n\n")
}

/// The lines of each paragraph. Empty lines are between paragraphs.
pub(super) fn paragraphs(text: &str) -> Vec<Vec<String>> {
    let lines: Vec<&str> = text.split('\n').map(str::trim).collect();
    let paragraphs = lines.split(|line| line.is_empty()).filter(|lines| !lines.is_empty());
    paragraphs.map(|lines| lines.iter().map(|line| (*line).to_owned()).collect()).collect()
}

/// The texts of the organisations of a batch.
#[derive(Debug, Default)]
pub(super) struct Wordings(HashMap<(Uuid, i64, Locale), Wording>);

impl Wordings {
    /// Reads stored texts. The built-in text replaces one that is not valid any more.
    pub(super) fn read(stored: &[NoticeText]) -> Self {
        let read = stored.iter().filter_map(|one| match Wording::parse(&one.body) {
            Ok(wording) => Some((
                (one.organisation_id, i64::from(one.days_before), Locale::from_tag(&one.locale)),
                wording,
            )),
            Err(fault) => {
                tracing::warn!(
                    organisation = %one.organisation_id,
                    days_before = one.days_before,
                    language = one.locale,
                    "an organisation's own text of a notice is not valid, and the built-in text is sent: {fault}"
                );
                None
            }
        });
        Self(read.collect())
    }

    pub(super) fn of(&self, organisation: Uuid, stage: Stage, locale: Locale) -> Option<&Wording> {
        self.0.get(&(organisation, stage.days_before(), locale))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_words_and_known_fields() {
        let filled = |written: &str| {
            Wording::parse(written)
                .map(|one| one.fill(|field| Some(format!("<{}>", field.as_str()))).unwrap())
        };
        assert_eq!(filled("Hei {name}, {days}{type}").unwrap(), "Hei <name>, <days><type>");
        assert_eq!(filled("{organisation}\n\n$date").unwrap(), "<organisation>\n\n$date");
        let brace = |quoted: &str| Err(WordingFault::Brace(quoted.to_owned()));
        for (written, fault) in [
            ("", Err(WordingFault::Empty)),
            (" \n ", Err(WordingFault::Empty)),
            ("{phone} here", Err(WordingFault::Unknown("phone".to_owned()))),
            ("{Name}", Err(WordingFault::Unknown("Name".to_owned()))),
            ("{ name }", Err(WordingFault::Unknown(" name ".to_owned()))),
            ("{}", Err(WordingFault::Unknown(String::new()))),
            ("a {name", brace("{name")),
            ("a name} b", brace("} b")),
            ("{{name}}", brace("{{name}}")),
            ("{name}}", brace("}")),
            ("{na\nme}", brace("{na")),
            ("a\u{0}b", Err(WordingFault::Control)),
            ("a\tb", Err(WordingFault::Control)),
            ("a\rb", Err(WordingFault::Control)),
            ("a\u{202e}b", Err(WordingFault::Control)),
        ] {
            assert_eq!(filled(written), fault, "{written:?}");
        }
        assert_eq!(filled(&"å".repeat(LONGEST_WORDING)).unwrap().chars().count(), LONGEST_WORDING);
        assert_eq!(filled(&"å".repeat(LONGEST_WORDING + 1)), Err(WordingFault::TooLong(LONGEST_WORDING + 1)));
    }

    #[test]
    fn a_value_is_never_read_as_a_field_and_an_unknown_value_fills_nothing() {
        let wording = Wording::parse("{name}, {type}").unwrap();
        assert_eq!(wording.fill(|_| Some("{date}".to_owned())).as_deref(), Some("{date}, {date}"));
        assert_eq!(wording.fill(|field| (field == Field::Type).then(String::new)), None);
    }

    #[test]
    fn a_text_is_stored_in_paragraphs() {
        assert_eq!(normal(" a  \r\nb\r\n\r\n \r\n\r\nc\t d\r\n"), "a\nb\n\nc  d");
        assert_eq!(normal("\r\n \n"), "");
        assert_eq!(paragraphs("a\nb\n\n\nc"), [vec!["a", "b"], vec!["c"]]);
    }
}
