//! What became of a request to a portal.

use std::time::Duration;

use crate::client::RequestError;
use crate::sign_in::SignInError;

/// The outcome of a request. The reasons are certvakt's own texts, because a portal's text can contain
/// anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PortalOutcome {
    /// The portal accepted the change, with a response that follows the contract.
    Accepted,
    /// The portal refused the change for this mentor.
    Refused(String),
    /// The portal limits requests; the duration is the wait that it asked for, if any.
    Busy(String, Option<Duration>),
    /// The portal cannot be reached or fails, for a time if it gave one.
    Down(String, Option<Duration>),
    /// There was no response, so the result is unknown.
    InDoubt(String),
    /// The portal refused access.
    SignIn(String),
    /// The portal breaks the contract.
    Broken(String),
}

impl PortalOutcome {
    /// The reason; `None` for an accepted change.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Accepted => None,
            Self::Refused(reason)
            | Self::Busy(reason, _)
            | Self::Down(reason, _)
            | Self::InDoubt(reason)
            | Self::SignIn(reason)
            | Self::Broken(reason) => Some(reason),
        }
    }

    /// How long to send nothing: the wait of a portal that limits requests, or 30 seconds if it gave none.
    pub fn rest(&self) -> Option<Duration> {
        match self {
            Self::Busy(_, wait) => Some(wait.unwrap_or(Duration::from_secs(30))),
            _ => None,
        }
    }

    /// Whether the portal responded for this mentor.
    pub const fn is_an_answer(&self) -> bool {
        matches!(self, Self::Accepted | Self::Refused(_))
    }

    /// The outcome's name in metrics and on the terminal.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Refused(_) => "refused",
            Self::Busy(..) => "busy",
            Self::Down(..) => "down",
            Self::InDoubt(_) => "in_doubt",
            Self::SignIn(_) => "sign-in",
            Self::Broken(_) => "broken",
        }
    }
}

impl From<RequestError> for PortalOutcome {
    fn from(none: RequestError) -> Self {
        match none {
            RequestError::Unreachable => Self::Down("the portal cannot be reached".to_owned(), None),
            RequestError::TooLong => Self::Broken("its response is too long".to_owned()),
            RequestError::Lost => Self::InDoubt("no response".to_owned()),
            RequestError::TooLate => Self::Down("this process was suspended for longer than its lease".to_owned(), None),
            RequestError::InternalAddress => Self::Broken(
                "the contract's address is on this machine or in a private network: add the host to partners.allowed_internal_hosts if that is intended"
                    .to_owned(),
            ),
        }
    }
}

impl From<SignInError> for PortalOutcome {
    fn from(error: SignInError) -> Self {
        match error {
            SignInError::Refused(reason) => Self::SignIn(reason),
            SignInError::Unavailable(reason) => Self::Down(reason, None),
        }
    }
}
