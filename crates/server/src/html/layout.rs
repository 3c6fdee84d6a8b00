//! What surrounds the content of every page: the title, the menu, the person who is signed in.

use certvakt_base::i18n::line;
use certvakt_store::{Role, caller};
use uuid::Uuid;

use super::text::Text;

/// A page without its content. Templates extend `layout.html`, which reads it.
#[derive(Debug)]
pub(crate) struct Layout {
    /// The texts.
    pub(crate) text: Text,
    /// What the page shows, as its only `h1` and its title. It says the situation, or the result of the last action.
    pub(crate) heading: String,
    /// Whether the heading is the result of an action, or the form was refused: the focus then goes there.
    pub(crate) has_news: bool,
    /// Whether the form was refused: the title then starts with `Feil:`.
    pub(crate) is_refused: bool,
    /// The person who is signed in.
    pub(crate) signed_in: Option<SignedIn>,
    /// The chapter that the person chose among several: the links to other pages with chapters keep it.
    pub(crate) chapter: Option<Uuid>,
}

/// The person who is signed in, for the header and the menu.
#[derive(Debug, Clone)]
pub(crate) struct SignedIn {
    /// The person's id.
    pub(crate) id: Uuid,
    /// The name.
    pub(crate) name: String,
    /// The highest role.
    pub(crate) role: Role,
    /// The token that each form carries.
    pub(crate) csrf: String,
    /// The menu's entry of this page; `None` for a refusal.
    pub(crate) section: Option<Section>,
}

/// A part of the pages, with an entry in the menu.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Section {
    /// What needs a person.
    Today,
    /// The list of certifications, and each of them.
    Certifications,
    /// When certifications expire, and where mentors will be missing.
    Outlook,
    /// The nights.
    Runs,
    /// The registers that are imported.
    Imports,
    /// The settings of organisations.
    Settings,
    /// The person's own certifications and settings.
    Mine,
    /// Help, privacy and accessibility, which the footer leads to instead of the menu.
    About,
}

impl Section {
    const fn path(self) -> &'static str {
        match self {
            Self::Today => "/today",
            Self::Certifications => "/certifications",
            Self::Outlook => "/outlook",
            Self::Runs => "/runs",
            Self::Imports => "/imports",
            Self::Settings => "/settings",
            Self::Mine => "/me",
            Self::About => "/about",
        }
    }

    /// Whether its page can show one chapter.
    const fn has_chapters(self) -> bool {
        matches!(self, Self::Today | Self::Certifications | Self::Outlook)
    }

    const fn key(self) -> &'static str {
        match self {
            Self::Today => "menu-today",
            Self::Certifications => "menu-certifications",
            Self::Outlook => "menu-outlook",
            Self::Runs => "menu-runs",
            Self::Imports => "menu-imports",
            Self::Settings => "menu-settings",
            Self::Mine => "menu-mine",
            Self::About => "about-title",
        }
    }
}

impl SignedIn {
    /// Describes a person.
    fn new(person: &caller::Profile, csrf: String, section: Option<Section>) -> Self {
        let name = line(person.name.as_deref().unwrap_or("–"));
        Self { id: person.person_id, name, role: person.role(), csrf, section }
    }

    /// Whether the person manages others.
    pub(crate) fn manages(&self) -> bool {
        self.role != Role::Mentor
    }

    /// The sections that the person's role can use.
    fn sections(&self) -> &'static [Section] {
        match self.role {
            Role::Mentor => &[Section::Mine],
            Role::Coordinator => {
                &[Section::Today, Section::Certifications, Section::Outlook, Section::Runs, Section::Mine]
            }
            Role::OrgAdmin => &[
                Section::Today,
                Section::Certifications,
                Section::Outlook,
                Section::Runs,
                Section::Imports,
                Section::Settings,
                Section::Mine,
            ],
        }
    }
}

/// An entry of the menu.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) path: String,
    pub(crate) label: String,
    pub(crate) is_current: bool,
}

impl Layout {
    /// A page for a browser that is not signed in, or not yet.
    pub(crate) fn new(text: Text, heading: String) -> Self {
        Self { text, heading, has_news: false, is_refused: false, signed_in: None, chapter: None }
    }

    /// A page without a heading for a person who is signed in, in their language.
    pub(crate) fn of(
        person: &caller::Profile,
        csrf: String,
        browser: Text,
        section: Option<Section>,
    ) -> Self {
        let text = Text::of_person(person.locale.as_deref(), browser);
        Self { signed_in: Some(SignedIn::new(person, csrf, section)), ..Self::new(text, String::new()) }
    }

    /// The title: the heading, so that a screen reader says it first.
    pub(crate) fn title(&self) -> String {
        if self.is_refused { self.text.named("refused-title", &self.heading) } else { self.heading.clone() }
    }

    /// The entries of the menu.
    pub(crate) fn menu(&self) -> Vec<Entry> {
        let signed_in = self.signed_in.iter();
        let entries = signed_in.flat_map(|person| {
            person.sections().iter().map(|section| Entry {
                path: if section.has_chapters() {
                    self.in_chapter(section.path())
                } else {
                    section.path().to_owned()
                },
                label: self.text.say(section.key()),
                is_current: Some(*section) == person.section,
            })
        });
        entries.collect()
    }

    /// A path with the chosen chapter, or what follows a path.
    pub(crate) fn in_chapter(&self, path: &str) -> String {
        let separator = if path.contains('?') { '&' } else { '?' };
        self.chapter.map_or(path.to_owned(), |id| format!("{path}{separator}chapter={id}"))
    }

    /// The token that each form carries; empty if nobody is signed in.
    pub(crate) fn csrf(&self) -> &str {
        self.signed_in.as_ref().map_or("", |person| &person.csrf)
    }

    /// Whether the person who is signed in manages others.
    pub(crate) fn manages(&self) -> bool {
        self.signed_in.as_ref().is_some_and(SignedIn::manages)
    }

    /// The id of the person who is signed in; the nil id if nobody is.
    pub(crate) fn person(&self) -> Uuid {
        self.signed_in.as_ref().map_or(Uuid::nil(), |person| person.id)
    }

    /// Whether the person who is signed in administers an organisation.
    pub(crate) fn is_administrator(&self) -> bool {
        self.signed_in.as_ref().is_some_and(|person| person.role == Role::OrgAdmin)
    }

    /// The role of the person who is signed in.
    pub(crate) fn role(&self) -> String {
        self.signed_in
            .as_ref()
            .map(|person| self.text.say(&format!("role-{}", person.role)))
            .unwrap_or_default()
    }
}
