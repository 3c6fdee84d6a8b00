//! A three-way merge of a form of settings with what others saved while it was open.

use std::collections::{BTreeMap, BTreeSet};

use certvakt_base::i18n::line;

use super::form::Fault;
use crate::html::text::Text;

/// A form as it was entered. A box that is not ticked is missing.
pub(super) type Entered = BTreeMap<String, String>;

/// The prefix of the hidden fields with the values that the form showed at first.
const BASE: &str = "was-";

/// A form that shows values, and keeps them as the base of a later merge.
pub(super) fn with_base(values: Entered) -> Entered {
    let base: Entered =
        values.iter().map(|(field, value)| (format!("{BASE}{field}"), value.clone())).collect();
    values.into_iter().chain(base).collect()
}

/// The hidden fields of the base.
pub(super) fn base(entered: &Entered) -> impl Iterator<Item = (&String, &String)> {
    entered.iter().filter(|(field, _)| field.starts_with(BASE))
}

/// Takes over what others saved in fields that the person left as they were, and makes the present values the base.
/// Returns the fields that both changed, and not to the same value. A form without a base replaces everything.
pub(super) fn merge(entered: &mut Entered, present: &Entered) -> Vec<String> {
    let is_base = |field: &String| field.starts_with(BASE);
    let fields: BTreeSet<String> = entered
        .keys()
        .map(|field| field.strip_prefix(BASE).unwrap_or(field))
        .chain(present.keys().map(String::as_str))
        .map(str::to_owned)
        .collect();
    let base: Entered = entered.extract_if(.., |field, _| is_base(field)).collect();
    let mut conflicts = Vec::new();
    for field in fields.into_iter().filter(|_| !base.is_empty()) {
        let (was, now) = (base.get(&format!("{BASE}{field}")), present.get(&field));
        let mine = entered.get(&field);
        if now == was || now == mine {
            continue;
        }
        match (mine == was, now) {
            (true, Some(now)) => drop(entered.insert(field, now.clone())),
            (true, None) => drop(entered.remove(&field)),
            (false, _) => conflicts.push(field),
        }
    }
    entered.extend(present.iter().map(|(field, value)| (format!("{BASE}{field}"), value.clone())));
    conflicts
}

/// The conflicts as faults of their fields, with the value that the other person saved. `label` is that of a field.
pub(super) fn faults(
    conflicts: Vec<String>,
    present: &Entered,
    label: impl Fn(&str) -> String,
    text: Text,
) -> Vec<Fault> {
    let fault = |field: String| {
        let labelled = ("label", label(&field).into());
        let what = match present.get(&field).map(String::as_str) {
            Some("yes") => text.with("fault-changed-to-yes", &[labelled]),
            None | Some("no") => text.with("fault-changed-to-no", &[labelled]),
            Some("") => text.with("fault-changed-to-nothing", &[labelled]),
            Some(value) => text.with("fault-changed-to", &[labelled, ("name", line(value).into())]),
        };
        Fault { field: field.into(), what }
    };
    conflicts.into_iter().map(fault).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(fields: &[(&str, &str)]) -> Entered {
        fields.iter().map(|(field, value)| ((*field).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn each_field_is_merged_by_itself() {
        // The value at first, in the form, and now; the value after the merge; whether both changed it.
        for (was, mine, now, merged, is_conflict) in [
            (Some("a"), Some("a"), Some("a"), Some("a"), false),
            (Some("a"), Some("b"), Some("a"), Some("b"), false),
            (Some("a"), Some("a"), Some("c"), Some("c"), false),
            (Some("a"), Some("b"), Some("c"), Some("b"), true),
            (Some("a"), Some("c"), Some("c"), Some("c"), false),
            (None, None, Some("yes"), Some("yes"), false),
            (Some("yes"), Some("yes"), None, None, false),
            (Some("yes"), None, Some("yes"), None, false),
            (None, Some("yes"), None, Some("yes"), false),
            (Some("a"), Some("b"), None, Some("b"), true),
        ] {
            let field = |name, value: Option<&'static str>| value.map(|value| (name, value));
            let mut entered: Entered = form(
                &field("f", mine)
                    .into_iter()
                    .chain(field("was-f", was))
                    .chain([("was-g", "")])
                    .collect::<Vec<_>>(),
            );
            entered.insert("g".to_owned(), String::new());
            let present = form(&field("f", now).into_iter().chain([("g", "")]).collect::<Vec<_>>());
            let case = format!("{was:?} {mine:?} {now:?}");
            assert_eq!(merge(&mut entered, &present), if is_conflict { vec!["f"] } else { vec![] }, "{case}");
            assert_eq!(entered.get("f").map(String::as_str), merged, "{case}");
            assert_eq!(entered.get("was-f").map(String::as_str), now, "{case}");
            // The person who sends it again has seen what the other person saved.
            assert_eq!(merge(&mut entered, &present), Vec::<String>::new(), "{case}");
        }
    }
}
