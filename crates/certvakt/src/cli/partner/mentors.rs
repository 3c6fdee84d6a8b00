//! `certvakt partner enrol`, `consent` and `resolve-removal`

use std::path::Path;

use certvakt_base::Exit;
use certvakt_partner::{PartnerError, enrol};
use certvakt_store::Database;
use certvakt_store::partner::{self, Partner};
use serde_json::json;

use super::super::{App, person};
use super::show;
use crate::error::Error;
use crate::output::{print, progress};

pub(super) async fn enrol_one(
    app: &App,
    database: &Database,
    one: &Partner,
    mentor: &str,
    key: &str,
    consents: bool,
) -> Result<Exit, Error> {
    let person = person::one(app, mentor).await?;
    let is_new = enrol::one(database, one, person, key, consents.then_some(true), app.clock.now()).await?;
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
) -> Result<Exit, Error> {
    let bar = progress(0, "enrolling");
    let done = enrol::all(database, one, file, &app.config.import, app.clock.now(), &bar).await?;
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
) -> Result<Exit, Error> {
    let person = person::one(app, mentor).await?;
    let at = is_given.then(|| app.clock.now());
    let mut tx = database.registrar().await?;
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
