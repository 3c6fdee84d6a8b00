//! The faults of rows and their values.

use std::borrow::Cow;

use super::field::Field;

/// The fault of a value. It never contains the value.
pub(super) type Reason = Cow<'static, str>;
/// The fault of a row: the field at fault, or `row`, and the reason.
pub(super) type Fault = (&'static str, Reason);

pub(super) fn fault(field: Field, reason: &'static str) -> Fault {
    (field.as_str(), Cow::Borrowed(reason))
}
