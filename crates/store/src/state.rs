//! States that the database stores as text.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgTypeInfo, PgValueRef};
use sqlx::{Decode, Postgres, Type};

/// A text that names no state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it must be one of {0:?}")]
pub struct UnknownState(&'static [&'static str]);

/// Declares states, each with the text that the database has for it.
macro_rules! states {
    ($(#[$meta:meta])* $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$variant_meta])* $variant),+
        }

        impl $name {
            /// The texts of all states.
            pub const NAMES: &'static [&'static str] = &[$($text),+];

            /// The text of the state.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text),+
                }
            }
        }

        impl FromStr for $name {
            type Err = UnknownState;

            fn from_str(text: &str) -> Result<Self, UnknownState> {
                match text {
                    $($text => Ok(Self::$variant),)+
                    _ => Err(UnknownState(Self::NAMES)),
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                <Cow<'de, str>>::deserialize(deserializer)?.parse().map_err(de::Error::custom)
            }
        }

        impl Type<Postgres> for $name {
            fn type_info() -> PgTypeInfo {
                <str as Type<Postgres>>::type_info()
            }

            fn compatible(ty: &PgTypeInfo) -> bool {
                <str as Type<Postgres>>::compatible(ty)
            }
        }

        impl<'r> Decode<'r, Postgres> for $name {
            fn decode(value: PgValueRef<'r>) -> Result<Self, BoxDynError> {
                Ok(<&str as Decode<Postgres>>::decode(value)?.parse()?)
            }
        }
    };
}

states! {
    /// The state of a certification.
    CertificationStatus {
        /// It counts until its last valid day.
        Active = "active",
        /// A run recorded that its last valid day has passed.
        Expired = "expired",
        /// It does not count until somebody reinstates it.
        Suspended = "suspended",
    }
}

states! {
    /// A role in a chapter, the lowest first.
    Role {
        /// The organisation certifies them.
        Mentor = "mentor",
        /// They manage the mentors of the chapter and of every chapter below it.
        Coordinator = "coordinator",
        /// They manage the whole organisation.
        OrgAdmin = "org_admin",
    }
}

states! {
    /// What happened to a person in an organisation.
    PersonChangeKind {
        /// They died.
        Deceased = "deceased",
        /// They left.
        Left = "left",
        /// They are back.
        Returned = "returned",
        /// They moved to another chapter.
        Moved = "moved",
        /// They became coordinator of a chapter.
        Appointed = "appointed",
        /// They are no longer coordinator of a chapter.
        Relieved = "relieved",
        /// They became an administrator.
        Promoted = "promoted",
        /// They are no longer an administrator.
        Demoted = "demoted",
        /// An administrator made them a mentor of a chapter.
        Joined = "joined",
        /// They are no longer a mentor of a chapter.
        Retired = "retired",
        /// They are the same person as another, who stays.
        Merged = "merged",
        /// Another was merged with them.
        Absorbed = "absorbed",
        /// Somebody added an e-mail address of theirs.
        EmailAdded = "email_added",
        /// Somebody removed an e-mail address of theirs.
        EmailRemoved = "email_removed",
        /// Somebody added a phone number of theirs.
        PhoneAdded = "phone_added",
        /// Somebody removed a phone number of theirs.
        PhoneRemoved = "phone_removed",
    }
}

states! {
    /// The outcome of the end of a role.
    RoleEnd {
        /// The person does not have the role now.
        Ended = "ended",
        /// The caller does not administer the organisation, or the role cannot be ended there.
        Forbidden = "forbidden",
        /// Nobody ends their own role as administrator or mentor.
        Own = "own",
        /// The mentor has certifications of the chapter, and is a mentor elsewhere too.
        Certified = "certified",
        /// The chapter would have no coordinator of its own, or the mentor no chapter.
        Last = "last",
    }
}

states! {
    /// The outcome of a merge of two people.
    MergeOutcome {
        /// They are one person now.
        Merged = "merged",
        /// The caller does not administer the organisation, or it does not know both, or one of them is the caller.
        Forbidden = "forbidden",
        /// One of them died, left, was erased or merged.
        Ended = "ended",
        /// The duplicate has a login.
        Login = "login",
        /// The duplicate is more than a mentor.
        Role = "role",
    }
}

states! {
    /// How a mentor gave consent to being listed.
    GivenAs {
        /// With a login of their own.
        Own = "own",
        /// On paper.
        Paper = "paper",
        /// In person.
        InPerson = "in_person",
        /// By phone.
        Phone = "phone",
    }
}

states! {
    /// The outcome of recording a mentor's consent to being listed.
    ConsentOutcome {
        /// It is recorded, and the mentor is notified.
        Recorded = "recorded",
        /// It is recorded, but the mentor has no address to notify.
        Unnotified = "unnotified",
        /// Nothing has changed.
        Known = "known",
        /// The mentor is not enrolled at the partner, or the caller may not record it.
        Unknown = "unknown",
    }
}

states! {
    /// The outcome of a correction of a mentor's addresses.
    AddressOutcome {
        /// It is added.
        Added = "added",
        /// It had refused a notice, which is tried again.
        Retried = "retried",
        /// It is removed.
        Removed = "removed",
        /// Nothing has changed: it is there already, or was not.
        Known = "known",
        /// There are five others of its kind.
        Many = "many",
        /// The caller may not correct the mentor's addresses.
        Forbidden = "forbidden",
    }
}

states! {
    /// The outcome of a contact with a mentor.
    ContactOutcome {
        /// They were reached.
        Reached = "reached",
        /// They did not answer.
        NoAnswer = "no_answer",
        /// A letter was sent.
        LetterSent = "letter_sent",
        /// They are registered for a course.
        Booked = "booked",
        /// They will not go on.
        Stops = "stops",
    }
}

states! {
    /// The state of a delivery.
    DeliveryState {
        /// It waits for its next attempt.
        Pending = "pending",
        /// A worker has leased it.
        Claimed = "claimed",
        /// A provider has accepted it.
        Delivered = "delivered",
        /// No channel reaches the person.
        Unreachable = "unreachable",
        /// The notice is no longer true.
        Cancelled = "cancelled",
    }
}

states! {
    /// The outcome of a message to one address.
    AttemptOutcome {
        /// The provider has accepted it.
        Delivered = "delivered",
        /// It can be tried again later.
        Retry = "retry",
        /// The address refused it permanently.
        GivenUp = "given_up",
        /// The provider refused us, so the channel stopped.
        Stopped = "stopped",
        /// The worker's lease ended before it reported an outcome.
        LeaseLost = "lease_lost",
    }
}

states! {
    /// The reason why sending to a partner has stopped.
    StopReason {
        /// The portal or our contract file does not keep to the contract.
        Contract = "contract",
        /// The portal refuses our credential.
        SignIn = "sign-in",
        /// The portal cannot be reached; it is tried again without a person.
        Outage = "outage",
    }
}

states! {
    /// An environment of a portal.
    Environment {
        /// The portal's test environment.
        Staging = "staging",
        /// The portal that people see.
        Live = "live",
    }
}
