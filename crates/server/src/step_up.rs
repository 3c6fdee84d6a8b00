//! Step-up authentication: changes by administrators need a sign-in that is recent and strong enough.
//!
//! Source: RFC 9470; `max_age` and `acr_values` in OpenID Connect Core 1.0, section 3.1.2.1.

use certvakt_engine::config::StepUpConfig;
use chrono::{DateTime, TimeDelta, Utc};

use super::problem::ApiError;
use super::token::Login;

/// The tolerated difference between the issuer's clock and ours.
const SKEW: TimeDelta = TimeDelta::seconds(60);

/// The requirements for a change by an administrator.
#[derive(Debug, Clone)]
pub(super) struct StepUp(StepUpConfig);

impl StepUp {
    pub(super) fn new(config: &StepUpConfig) -> Self {
        Self(config.clone())
    }

    /// Refuses a login whose authentication does not meet `[step_up]`.
    pub(super) fn check(&self, login: &Login, now: DateTime<Utc>) -> Result<(), ApiError> {
        let Self(StepUpConfig { max_age_minutes, acr }) = self;
        let is_recent = *max_age_minutes == 0
            || login
                .authenticated_at
                .is_some_and(|at| now - at <= TimeDelta::minutes(i64::from(*max_age_minutes)) + SKEW);
        let is_strong =
            acr.is_empty() || login.acr.as_ref().is_some_and(|class| acr.iter().any(|one| one == class));
        if is_recent && is_strong { Ok(()) } else { Err(ApiError::StepUp(self.challenge())) }
    }

    /// The maximum age of the authentication in seconds, if there is one.
    pub(super) fn max_age(&self) -> Option<String> {
        (self.0.max_age_minutes > 0).then(|| (self.0.max_age_minutes * 60).to_string())
    }

    /// The accepted authentication context classes; if empty, any.
    pub(super) fn classes(&self) -> &[String] {
        &self.0.acr
    }

    /// The value of `WWW-Authenticate` (RFC 9470, section 3).
    fn challenge(&self) -> String {
        let age = self.max_age().map(|age| ("max_age", age));
        let classes = (!self.classes().is_empty()).then(|| ("acr_values", self.classes().join(" ")));
        age.into_iter()
            .chain(classes)
            .fold(r#"Bearer error="insufficient_user_authentication""#.to_owned(), |text, (name, value)| {
                format!("{text}, {name}=\"{value}\"")
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::Identity;

    #[test]
    fn a_login_is_recent_and_strong_enough_or_refused() {
        let now: DateTime<Utc> = "2026-06-15T12:00:00Z".parse().unwrap();
        let login = |minutes_ago: Option<i64>, acr: Option<&str>| Login {
            identity: Identity { issuer: "i".to_owned(), subject: "s".to_owned() },
            session: None,
            authenticated_at: minutes_ago.map(|minutes| now - TimeDelta::minutes(minutes)),
            acr: acr.map(str::to_owned),
        };
        for (max_age_minutes, acr, at, class, is_enough) in [
            (0, vec![], None, None, true),
            (15, vec![], None, None, false),
            (15, vec![], Some(15), None, true),
            (15, vec![], Some(17), None, false),
            (0, vec!["mfa"], Some(0), None, false),
            (0, vec!["mfa"], Some(0), Some("pwd"), false),
            (0, vec!["mfa", "phr"], None, Some("phr"), true),
            (15, vec!["mfa"], Some(60), Some("mfa"), false),
        ] {
            let acr: Vec<String> = acr.into_iter().map(str::to_owned).collect();
            let step_up = StepUp(StepUpConfig { max_age_minutes, acr });
            let checked = step_up.check(&login(at, class), now);
            assert_eq!(checked.is_ok(), is_enough, "{step_up:?} {at:?} {class:?}");
        }
        let step_up = StepUp(StepUpConfig { max_age_minutes: 15, acr: vec!["a".to_owned(), "b".to_owned()] });
        assert_eq!(
            step_up.challenge(),
            r#"Bearer error="insufficient_user_authentication", max_age="900", acr_values="a b""#
        );
    }
}
