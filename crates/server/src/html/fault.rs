//! What is wrong with a form.

use std::borrow::Cow;

/// What is wrong with a form: the id of the field, and a sentence.
pub(crate) struct Fault {
    pub(crate) field: Cow<'static, str>,
    pub(crate) what: String,
}

/// What is wrong with a field.
pub(crate) fn of_field<'a>(faults: &'a [Fault], field: &str) -> Option<&'a Fault> {
    faults.iter().find(|fault| fault.field == field)
}
