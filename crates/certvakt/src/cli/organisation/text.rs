//! `certvakt organisation text`

use std::path::PathBuf;

use certvakt_base::Exit;
use certvakt_base::i18n::Locale;
use certvakt_engine::delivery::text::built_in;
use certvakt_engine::delivery::wording::{Wording, WordingFault, normal};
use certvakt_rules::Stage;
use certvakt_store::notice_text::{self, NoticeText};
use certvakt_store::{StoreError, organisation};
use serde_json::json;

use super::super::App;
use crate::error::Error;
use crate::output::print;

#[derive(Debug, clap::Args)]
pub(super) struct TextArgs {
    /// The organisation's short name
    slug: String,
    /// The stage, as `certvakt stage list` shows it
    #[arg(long, value_parser = stage)]
    stage: Stage,
    /// The language of the text
    #[arg(long, value_parser = ["nb", "en"])]
    language: String,
    /// A file of plain text, which becomes the organisation's own text
    #[arg(long, conflicts_with = "built_in")]
    file: Option<PathBuf>,
    /// Go back to the built-in text
    #[arg(long)]
    built_in: bool,
}

fn stage(name: &str) -> Result<Stage, String> {
    Stage::from_name(name).ok_or_else(|| "write it like expiry_warning_30d or expired".to_owned())
}

pub(super) async fn run(args: TextArgs, app: &App) -> Result<Exit, Error> {
    let TextArgs { slug, stage, language, file, built_in: is_removed } = args;
    let body = file.map(|file| {
        let read = std::fs::read_to_string(&file);
        read.map_err(|error| Error::File(format!("{} cannot be read ({error})", file.display())))
    });
    let body = body.transpose()?.map(|body| normal(&body));
    if let Some(fault) = body.as_ref().and_then(|body| Wording::parse(body).err()) {
        return Err(StoreError::Invalid(format!("the text cannot be sent: {}", said(&fault))).into());
    }
    let database = app.database().await?;
    let mut tx = database.worker().await?;
    let found = organisation::named(&mut tx, Some(&slug)).await?;
    let found = found.first().filter(|one| stage == Stage::Expired || one.declared.contains(&stage));
    let Some(found) = found else {
        let what = format!("the stage {stage} is not declared: see `certvakt stage list`");
        return Err(StoreError::Invalid(what).into());
    };
    let texts = notice_text::of_organisations(&mut tx, &[found.id]).await?;
    tx.commit().await?;
    let days_before = i32::try_from(stage.days_before()).unwrap_or_default();
    if is_removed || body.is_some() {
        let mut tx = database.registrar().await?;
        match body {
            Some(body) => {
                let own = NoticeText { organisation_id: found.id, days_before, locale: language, body };
                notice_text::set(&mut tx, &own).await?;
            }
            None => notice_text::remove(&mut tx, found.id, days_before, &language).await?,
        }
        tx.commit().await?;
        print(app.format, &json!({ "slug": slug, "stage": stage }), |_| {
            format!("Changed the text of {stage} for {slug}.")
        })?;
    } else {
        let own = texts.into_iter().find(|one| one.days_before == days_before && one.locale == language);
        let is_own = own.is_some();
        let body = own.map_or_else(|| built_in(stage, Locale::from_tag(&language)), |own| own.body);
        print(app.format, &json!({ "slug": slug, "stage": stage, "is_own": is_own, "text": body }), |_| {
            body.clone()
        })?;
    }
    Ok(Exit::Success)
}

/// The fault, with the part of the text that caused it.
fn said(fault: &WordingFault) -> String {
    match fault {
        WordingFault::Unknown(quoted) | WordingFault::Brace(quoted) => format!("{fault}: '{quoted}'"),
        _ => fault.to_string(),
    }
}
