//! The fields of a register that certvakt reads.

use std::str::FromStr;

use certvakt_base::suggest::nearest;

/// The maximum length of a cell with several addresses, in characters.
const LONGEST_LIST: usize = 2_000;

/// A field of a register.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// The certification's id in the register.
    ExternalId,
    /// The end of the validity.
    ExpiresAt,
    /// The day of issue.
    IssuedAt,
    /// The mentor's name, or the parts of it in order.
    Name,
    /// The mentor's e-mail addresses.
    Email,
    /// The mentor's phone numbers.
    Phone,
    /// The mentor's language.
    Language,
    /// The token of the mentor's device.
    PushToken,
    /// Whether the certification is active.
    Status,
    /// The last day of a suspension.
    SuspendedUntil,
    /// The mentor's id in the register.
    PersonId,
    /// The chapter.
    Chapter,
    /// The type of certification.
    Type,
    /// The id of the certification that this one replaces.
    Replaces,
}

impl Field {
    /// All fields, the required ones first.
    pub const ALL: [Self; 14] = [
        Self::ExternalId,
        Self::ExpiresAt,
        Self::IssuedAt,
        Self::Name,
        Self::Email,
        Self::Phone,
        Self::Language,
        Self::PushToken,
        Self::Status,
        Self::SuspendedUntil,
        Self::PersonId,
        Self::Chapter,
        Self::Type,
        Self::Replaces,
    ];

    /// The field's name on the command line and in the rejects.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ExternalId => "external_id",
            Self::ExpiresAt => "expires_at",
            Self::IssuedAt => "issued_at",
            Self::Name => "name",
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Language => "language",
            Self::PushToken => "push_token",
            Self::Status => "status",
            Self::SuspendedUntil => "suspended_until",
            Self::PersonId => "person_id",
            Self::Chapter => "chapter",
            Self::Type => "type",
            Self::Replaces => "replaces",
        }
    }

    /// Whether a blank has a meaning, so that a row without the column must not count as blank.
    pub(super) const fn is_decisive(self) -> bool {
        matches!(
            self,
            Self::ExternalId
                | Self::ExpiresAt
                | Self::Status
                | Self::SuspendedUntil
                | Self::PersonId
                | Self::Chapter
                | Self::Type
        )
    }

    /// Whether several columns can hold it, which are written with `+` between them.
    pub(super) const fn may_have_several_columns(self) -> bool {
        matches!(self, Self::Name | Self::Email | Self::Phone)
    }

    /// Whether an invalid value is left out, and the rest of the row is imported.
    pub(super) const fn is_optional_part(self) -> bool {
        matches!(self, Self::Email | Self::Phone | Self::Language | Self::PushToken)
    }

    pub(super) const fn is_id(self) -> bool {
        matches!(self, Self::ExternalId | Self::PersonId | Self::Replaces)
    }

    pub(super) const fn is_day(self) -> bool {
        matches!(self, Self::IssuedAt | Self::ExpiresAt | Self::SuspendedUntil)
    }

    /// The maximum length of a value in characters, as in the schema.
    pub(super) const fn longest(self) -> usize {
        match self {
            Self::PushToken => 2048,
            Self::Email | Self::Phone => LONGEST_LIST,
            _ => 200,
        }
    }
}

impl FromStr for Field {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|field| field.as_str() == name).ok_or_else(|| {
            match nearest(name, Self::ALL.into_iter().map(Self::as_str)) {
                Some(near) => format!("unknown field '{name}', did you mean '{near}'?"),
                None => {
                    format!("unknown field '{name}'; there are {}", Self::ALL.map(Self::as_str).join(", "))
                }
            }
        })
    }
}
