//! The messages for people in a crate's `locales/`, in both languages.

use std::sync::LazyLock;

use certvakt_rules::text::is_control;
use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource};
use serde::Serialize;

/// A language of messages to people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Locale {
    /// Norwegian Bokmål.
    Nb,
    /// English.
    En,
}

impl Locale {
    /// All locales.
    pub const ALL: [Self; 2] = [Self::Nb, Self::En];

    /// The locale with a tag; Norwegian for an unknown tag.
    pub fn from_tag(tag: &str) -> Self {
        if tag == "en" { Self::En } else { Self::Nb }
    }

    /// The language tag.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Nb => "nb",
            Self::En => "en",
        }
    }
}

type Bundle = LazyLock<FluentBundle<FluentResource>>;

/// The messages of one file, in both languages.
pub struct Catalog {
    nb: Bundle,
    en: Bundle,
}

impl std::fmt::Debug for Catalog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Catalog").finish_non_exhaustive()
    }
}

/// Creates the [`Catalog`] of a file in `locales/nb` and `locales/en`.
#[macro_export]
macro_rules! catalog {
    ($file:literal) => {
        $crate::i18n::Catalog::new(
            || {
                $crate::i18n::bundle(
                    "nb",
                    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/locales/nb/", $file)),
                )
            },
            || {
                $crate::i18n::bundle(
                    "en",
                    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/locales/en/", $file)),
                )
            },
        )
    };
}
#[doc(hidden)]
pub fn bundle(language: &str, text: &'static str) -> FluentBundle<FluentResource> {
    let mut bundle = FluentBundle::new_concurrent(language.parse().into_iter().collect());
    // Plain-text e-mails would show the isolation marks, which are for mixed writing directions.
    bundle.set_use_isolating(false);
    let resource = FluentResource::try_new(text.to_owned()).unwrap_or_else(|(resource, _)| resource);
    bundle.add_resource_overriding(resource);
    bundle
}

impl Catalog {
    #[doc(hidden)]
    pub const fn new(
        nb: fn() -> FluentBundle<FluentResource>,
        en: fn() -> FluentBundle<FluentResource>,
    ) -> Self {
        Self { nb: LazyLock::new(nb), en: LazyLock::new(en) }
    }

    /// Looks up a message; empty if it does not exist.
    pub fn say(&self, locale: Locale, key: &str, arguments: &FluentArgs<'_>) -> String {
        let bundle = match locale {
            Locale::Nb => &self.nb,
            Locale::En => &self.en,
        };
        let mut errors = Vec::new();
        bundle
            .get_message(key)
            .and_then(|message| message.value())
            .map(|pattern| bundle.format_pattern(pattern, Some(arguments), &mut errors).into_owned())
            .unwrap_or_default()
    }
}

/// Limits a name, which can come from outside, to one line of a reasonable length.
pub fn line(text: &str) -> String {
    text.chars().map(|char| if is_control(char) { ' ' } else { char }).take(120).collect()
}
