//! Whether notices reach the mentor of a certification, and why not.

use certvakt_base::i18n::line;
use certvakt_engine::expiry::standing::{Standing, State};
use certvakt_rules::Stage;
use certvakt_store::DeliveryState;
use certvakt_store::caller::Notice;
use certvakt_store::caller::addresses::Address;

use crate::html::text::Text;

/// Whether notices reach a mentor.
#[derive(Debug, Default)]
pub(super) struct Reach {
    /// Why no notice reaches them; `None` if one does, or if there is none to send.
    pub(super) why_not: Option<String>,
    /// Whether it is because they declined notices.
    pub(super) is_declined: bool,
    /// That a notice which reached nobody will be sent again.
    pub(super) again: Option<String>,
}

impl Reach {
    /// Compares the notices of a certification with the mentor's contact points, all of which the caller may know. `kinds` are
    /// those that the channels use; `None` if a channel reaches everyone.
    pub(super) fn of(
        standing: &Standing,
        notices: &[Notice],
        points: &[Address],
        kinds: Option<&[String]>,
        text: Text,
    ) -> Self {
        let current = notices.iter().find(|notice| is_needed(notice, standing));
        let is_told = current.is_some_and(|notice| notice.state == DeliveryState::Delivered);
        let comes = standing.next_stage.is_some() || standing.stage.is_some() && !is_told;
        if !comes || matches!(standing.state, State::Suspended | State::Withdrawn) {
            return Self::default();
        }
        let (why_not, is_declined) = kinds.and_then(|kinds| why_not(points, kinds, text)).unzip();
        let is_unreachable = current.is_some_and(|notice| notice.state == DeliveryState::Unreachable);
        let again = (is_unreachable && why_not.is_none()).then(|| text.say("unreached-again"));
        Self { why_not, is_declined: is_declined.unwrap_or_default(), again }
    }
}

/// Whether a notice is the one of the present stage.
fn is_needed(notice: &Notice, standing: &Standing) -> bool {
    Stage::from_name(&notice.stage).is_some_and(|stage| standing.calls_for(stage, notice.due_date))
}

/// Why no contact point of some kinds can get the notice, and whether it is because the mentor declined it.
fn why_not(points: &[Address], kinds: &[String], text: Text) -> Option<(String, bool)> {
    let of_kinds: Vec<&Address> = points.iter().filter(|one| kinds.contains(&one.kind)).collect();
    let wanted: Vec<&Address> = of_kinds.iter().copied().filter(|one| !one.is_declined).collect();
    let why = if of_kinds.is_empty() {
        let has_app = kinds.iter().any(|kind| kind == "push");
        text.say(if has_app { "unreached-none" } else { "unreached-no-email" })
    } else if wanted.is_empty() {
        text.say("unreached-declined")
    } else if wanted.iter().all(|one| one.has_refused) {
        let refused: Vec<String> = wanted.iter().filter_map(|one| one.address.as_deref()).map(line).collect();
        if refused.is_empty() {
            text.say("unreached-refused-own")
        } else {
            let arguments = [("number", refused.len().into()), ("name", refused.join(", ").into())];
            text.with("unreached-refused", &arguments)
        }
    } else {
        return None;
    };
    let has_phone = points.iter().any(|one| one.kind == "phone");
    let why = if has_phone { why } else { format!("{why} {}", text.say("unreached-no-phone")) };
    Some((why, !of_kinds.is_empty() && wanted.is_empty()))
}

/// The addresses that the caller may read, with their kinds, each once: the organisation can have a number that the mentor
/// added too.
pub(super) fn readable(points: &[Address]) -> impl Iterator<Item = (&str, &str)> {
    points.iter().enumerate().filter_map(|(at, one)| {
        let is_first = points[..at].iter().all(|other| other.address != one.address);
        one.address.as_deref().filter(|_| is_first).map(|address| (one.kind.as_str(), address))
    })
}
