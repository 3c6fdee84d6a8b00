//! The changes of a certification that a form makes.

use certvakt_engine::expiry::standing::State;
use serde::Deserialize;

/// A change of a certification, as the end of its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(super) enum Action {
    #[serde(rename = "renewals")]
    Renewal,
    #[serde(rename = "corrections")]
    Correction,
    #[serde(rename = "suspensions")]
    Suspension,
    #[serde(rename = "reinstatements")]
    Reinstatement,
    #[serde(rename = "withdrawals")]
    Withdrawal,
}

impl Action {
    /// The end of its path.
    pub(super) const fn path(self) -> &'static str {
        match self {
            Self::Renewal => "renewals",
            Self::Correction => "corrections",
            Self::Suspension => "suspensions",
            Self::Reinstatement => "reinstatements",
            Self::Withdrawal => "withdrawals",
        }
    }

    /// The key of its label.
    pub(super) const fn key(self) -> &'static str {
        match self {
            Self::Renewal => "action-renew",
            Self::Correction => "action-correct",
            Self::Suspension => "action-suspend",
            Self::Reinstatement => "action-reinstate",
            Self::Withdrawal => "action-withdraw",
        }
    }

    /// Whether its form asks for a date.
    pub(super) const fn has_date(self) -> bool {
        matches!(self, Self::Renewal | Self::Correction | Self::Suspension)
    }

    /// The id of the first field of its form.
    pub(super) const fn first_field(self) -> &'static str {
        if self.has_date() { "date" } else { "note" }
    }

    /// Whether the person sees the result in words before it is saved: every change of a date, and a withdrawal.
    pub(super) const fn is_checked_first(self) -> bool {
        !matches!(self, Self::Suspension | Self::Reinstatement)
    }

    /// What a coordinator may do with a certification in a state, the most usual first.
    pub(super) const fn possible(state: State) -> &'static [Self] {
        match state {
            State::Valid | State::Due => {
                &[Self::Renewal, Self::Correction, Self::Suspension, Self::Withdrawal]
            }
            State::Expired | State::Lapsed => &[Self::Renewal, Self::Correction, Self::Withdrawal],
            State::Suspended => &[Self::Reinstatement, Self::Renewal, Self::Correction, Self::Withdrawal],
            State::Withdrawn => &[Self::Reinstatement],
        }
    }

    /// Whether it is possible with a certification in a state.
    pub(super) fn is_possible(self, state: State) -> bool {
        Self::possible(state).contains(&self)
    }

    /// Whether it can be made for several certifications at once: the changes that can be undone, with one date for all.
    pub(super) const fn is_for_several(self) -> bool {
        matches!(self, Self::Renewal | Self::Suspension | Self::Reinstatement)
    }

    /// Whether it is possible with one of several certifications in a state. A withdrawal is taken back one by one.
    pub(super) fn is_possible_among_several(self, state: State) -> bool {
        self.is_for_several() && self.is_possible(state) && state != State::Withdrawn
    }

    /// The action with a path.
    pub(super) fn from_path(path: &str) -> Option<Self> {
        [Self::Renewal, Self::Correction, Self::Suspension, Self::Reinstatement, Self::Withdrawal]
            .into_iter()
            .find(|action| action.path() == path)
    }
}
