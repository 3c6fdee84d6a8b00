//! `certvakt partner enrol`, `consent` and `resolve-removal`

use std::path::Path;

use certvakt_base::Exit;
use certvakt_partner::{PartnerError, enrol};
use certvakt_store::caller::listings::{ConsentText, GivenConsent};
use certvakt_store::partner::{self, Enrolment, Partner};
use certvakt_store::{Database, GivenAs};
use chrono::NaiveDate;
use serde_json::json;

use super::super::values::{Named, one_of};
use super::super::{App, person};
use super::show;
use crate::error::Error;
use crate::output::{print, progress};

/// The ways in which a mentor gives consent to somebody who records it.
const WAYS: &[Named<GivenAs>] = &[
    ("paper", "The mentor signed the text", GivenAs::Paper),
    ("in-person", "The mentor said so in a meeting", GivenAs::InPerson),
    ("phone", "The mentor said so by phone", GivenAs::Phone),
];
/// The languages of the text.
const LANGUAGES: &[Named<&str>] = &[("nb", "Norwegian", "nb"), ("en", "English", "en")];

/// How mentors gave the consents that a command records.
#[derive(Debug, clap::Args)]
pub(super) struct GivenArgs {
    /// How the mentor gave the consent; required to record a given consent, with the next three
    #[arg(long, value_parser = one_of(WAYS))]
    given_as: Option<GivenAs>,
    /// The day on which the mentor gave it
    #[arg(long, value_name = "DATE")]
    given_on: Option<NaiveDate>,
    /// The version of the text to which the mentor consented
    #[arg(long, value_name = "VERSION")]
    text_version: Option<String>,
    /// The language of that text
    #[arg(long, value_parser = one_of(LANGUAGES))]
    language: Option<&'static str>,
}

impl GivenArgs {
    /// What they say; `None` unless all are given.
    fn read(&self) -> Option<GivenConsent<'_>> {
        let text = ConsentText { version: self.text_version.as_deref()?, locale: self.language? };
        Some(GivenConsent { given_as: self.given_as?, given_on: self.given_on?, text })
    }
}

pub(super) async fn enrol_one(
    app: &App,
    database: &Database,
    one: &Partner,
    (mentor, key): (&str, &str),
    consents: bool,
    given: &GivenArgs,
) -> Result<Exit, Error> {
    let person_id = person::one(app, mentor).await?;
    let mentor = Enrolment { person_id, key, consents: consents.then_some(true), at: app.clock.now() };
    let is_new = enrol::one(database, one, &mentor, given.read().as_ref()).await?;
    print(app.format, &json!({ "enrolled": is_new }), |_| {
        if is_new { "Enrolled." } else { "Already enrolled: nothing changed." }.to_owned()
    })?;
    Ok(Exit::Success)
}

pub(super) async fn enrol_all(
    app: &App,
    database: &Database,
    one: &Partner,
    file: &Path,
    given: &GivenArgs,
) -> Result<Exit, Error> {
    let bar = progress(0, "enrolling");
    let (from, given) = ((file, &app.config.import), given.read());
    let done = enrol::all(database, one, from, given.as_ref(), app.clock.now(), &bar).await?;
    bar.finish_and_clear();
    print(app.format, &done, show::enrolled)?;
    Ok(if done.refused.is_empty() { Exit::Success } else { Exit::ProblemFound })
}

pub(super) async fn consent(
    app: &App,
    database: &Database,
    one: &Partner,
    mentor: &str,
    is_given: bool,
    given: &GivenArgs,
) -> Result<Exit, Error> {
    let person = person::one(app, mentor).await?;
    let at = is_given.then(|| app.clock.now());
    let mut tx = database.registrar().await?;
    if is_given {
        partner::explain_consents(&mut tx, &given.read().ok_or(PartnerError::ConsentUnexplained)?).await?;
    }
    let is_new = partner::consent(&mut tx, one.organisation_id, &one.partner, person, at).await?;
    let is_new = is_new.ok_or(PartnerError::NotEnrolled)?;
    tx.commit().await?;
    print(app.format, &json!({ "changed": is_new }), |_| {
        if is_new { "Recorded." } else { "Already recorded: nothing changed." }.to_owned()
    })?;
    Ok(Exit::Success)
}

pub(super) async fn resolve_removal(
    app: &App,
    database: &Database,
    one: &Partner,
    mentor: &str,
    exclude: bool,
) -> Result<Exit, Error> {
    let person = person::one(app, mentor).await?;
    let at = exclude.then(|| app.clock.now());
    let mut tx = database.registrar().await?;
    if !partner::resolve_removal(&mut tx, one.organisation_id, &one.partner, person, at).await? {
        return Err(PartnerError::NotRemovedManually.into());
    }
    tx.commit().await?;
    print(app.format, &json!({ "excluded": exclude }), |_| {
        if exclude {
            "The mentor stays off the listing until they consent again."
        } else {
            "The mentor will be listed again."
        }
        .to_owned()
    })?;
    Ok(Exit::Success)
}
