//! Options whose value is one of a few names.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

/// A value of an option: its name, its help, and what it stands for.
pub(super) type Named<T> = (&'static str, &'static str, T);

/// Parses an option whose value is one of these names.
pub(super) fn one_of<T: Copy + Send + Sync + 'static>(
    values: &'static [Named<T>],
) -> impl TypedValueParser<Value = T> {
    let names = values.iter().map(|(name, help, _)| PossibleValue::new(*name).help(*help));
    PossibleValuesParser::new(names).try_map(|given| {
        let found = values.iter().find(|(name, _, _)| *name == given);
        found.map(|(_, _, value)| *value).ok_or("it is none of the possible values")
    })
}
