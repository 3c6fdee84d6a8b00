//! The readable export of a person's data, with headings, field names and times in their language.

use std::fmt::Write;

use certvakt_base::catalog;
use certvakt_base::i18n::Catalog;
use certvakt_base::i18n::Locale;
use chrono::DateTime;
use chrono_tz::Tz;
use fluent_bundle::FluentArgs;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, Serializer};

static CATALOG: Catalog = catalog!("export.ftl");

/// JSON that keeps the order of its keys.
#[derive(Debug, Clone, PartialEq)]
pub enum Ordered {
    /// Null.
    Nothing,
    /// A number or a boolean.
    Plain(serde_json::Value),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Self>),
    /// An object.
    Fields(Vec<(String, Self)>),
}

impl<'de> Deserialize<'de> for Ordered {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;

        impl<'de> Visitor<'de> for Any {
            type Value = Ordered;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("JSON")
            }

            fn visit_unit<E>(self) -> Result<Ordered, E> {
                Ok(Ordered::Nothing)
            }

            fn visit_bool<E>(self, value: bool) -> Result<Ordered, E> {
                Ok(Ordered::Plain(value.into()))
            }

            fn visit_i64<E>(self, value: i64) -> Result<Ordered, E> {
                Ok(Ordered::Plain(value.into()))
            }

            fn visit_u64<E>(self, value: u64) -> Result<Ordered, E> {
                Ok(Ordered::Plain(value.into()))
            }

            fn visit_f64<E>(self, value: f64) -> Result<Ordered, E> {
                Ok(Ordered::Plain(value.into()))
            }

            fn visit_str<E>(self, value: &str) -> Result<Ordered, E> {
                Ok(Ordered::Text(value.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Ordered, A::Error> {
                let mut list = Vec::new();
                while let Some(item) = items.next_element()? {
                    list.push(item);
                }
                Ok(Ordered::List(list))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Ordered, A::Error> {
                let mut all = Vec::new();
                while let Some(field) = fields.next_entry()? {
                    all.push(field);
                }
                Ok(Ordered::Fields(all))
            }
        }

        deserializer.deserialize_any(Any)
    }
}

impl Serialize for Ordered {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Nothing => serializer.serialize_unit(),
            Self::Plain(value) => value.serialize(serializer),
            Self::Text(text) => serializer.serialize_str(text),
            Self::List(items) => serializer.collect_seq(items),
            Self::Fields(fields) => serializer.collect_map(fields.iter().map(|(key, value)| (key, value))),
        }
    }
}

/// Formats a person's export as text, with times in a time zone.
pub fn text(export: &Ordered, locale: Locale, zone: Tz) -> String {
    let mut text = String::new();
    let Ordered::Fields(sections) = export else { return text };
    for (name, section) in sections {
        let heading = label(name, locale);
        let rule = "─".repeat(heading.chars().count());
        let _ = writeln!(text, "{heading}\n{rule}");
        write(&mut text, section, 0, locale, zone);
        text.push('\n');
    }
    text
}

fn write(text: &mut String, value: &Ordered, depth: usize, locale: Locale, zone: Tz) {
    let margin = "  ".repeat(depth);
    match value {
        Ordered::List(items) if !items.is_empty() => {
            for (number, item) in (1..).zip(items) {
                let _ = writeln!(text, "{margin}{number}.");
                write(text, item, depth + 1, locale, zone);
            }
        }
        Ordered::Fields(fields) => {
            for (name, value) in fields {
                let name = label(name, locale);
                match value {
                    Ordered::List(items) if items.iter().any(|item| matches!(item, Ordered::Fields(_))) => {
                        let _ = writeln!(text, "{margin}{name}:");
                        write(text, value, depth + 1, locale, zone);
                    }
                    _ => {
                        let _ = writeln!(text, "{margin}{name}: {}", said(value, locale, zone));
                    }
                }
            }
        }
        _ => {
            let _ = writeln!(text, "{margin}{}", said(value, locale, zone));
        }
    }
}

/// Formats a value on one line.
fn said(value: &Ordered, locale: Locale, zone: Tz) -> String {
    match value {
        Ordered::Nothing | Ordered::Fields(_) => label("none", locale),
        Ordered::Plain(serde_json::Value::Bool(true)) => label("yes", locale),
        Ordered::Plain(serde_json::Value::Bool(false)) => label("no", locale),
        Ordered::Plain(value) => value.to_string(),
        Ordered::Text(text) => match DateTime::parse_from_rfc3339(text) {
            Ok(at) => at.with_timezone(&zone).format("%Y-%m-%d %H:%M %Z").to_string(),
            Err(_) => text.clone(),
        },
        Ordered::List(items) if items.is_empty() => label("none", locale),
        Ordered::List(items) => {
            items.iter().map(|item| said(item, locale, zone)).collect::<Vec<_>>().join(", ")
        }
    }
}

fn label(name: &str, locale: Locale) -> String {
    let said = CATALOG.say(locale, &name.replace('_', "-"), &FluentArgs::new());
    if said.is_empty() { name.to_owned() } else { said }
}
