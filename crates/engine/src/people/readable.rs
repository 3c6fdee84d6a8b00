//! The readable export of a person's data, with headings, field names and times in their language.

use std::fmt::Write;

use certvakt_base::catalog;
use certvakt_base::i18n::Catalog;
use certvakt_base::i18n::Locale;
use chrono::DateTime;
use chrono_tz::Tz;
use fluent_bundle::FluentArgs;
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Number;

static CATALOG: Catalog = catalog!("export.ftl");

/// JSON that keeps the order of its keys.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Ordered {
    /// Null.
    Nothing,
    /// A boolean.
    Flag(bool),
    /// A number.
    Number(Number),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Self>),
    /// An object.
    Fields(IndexMap<String, Self>),
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
        Ordered::Flag(is_so) => label(if *is_so { "yes" } else { "no" }, locale),
        Ordered::Number(number) => number.to_string(),
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
