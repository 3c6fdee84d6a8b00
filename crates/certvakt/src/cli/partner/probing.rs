//! `certvakt partner probe` and `resume`

use certvakt_base::Exit;
use certvakt_partner::PartnerError;
use certvakt_partner::contract::Contract;
use certvakt_partner::probe::{self, Point};
use certvakt_store::partner::{self, Partner, Resumption};
use certvakt_store::{Database, Environment};
use serde_json::json;

use super::super::App;
use super::show;
use crate::error::Error;
use crate::output::print;

/// The version of the contract in use.
pub(super) fn spoken(one: &Partner) -> Result<String, PartnerError> {
    one.contract.clone().ok_or_else(|| PartnerError::Off(one.partner.clone()))
}

pub(super) fn contract_of(app: &App, one: &Partner, version: &str) -> Result<Contract, PartnerError> {
    Ok(Contract::read(&app.config.partners.contracts, &one.partner, version)?)
}

pub(super) async fn points(
    app: &App,
    database: &Database,
    one: &Partner,
    environment: Environment,
    version: &str,
) -> Result<Vec<Point>, Error> {
    let config = &app.config.partners;
    match environment {
        Environment::Staging => Ok(probe::staging(config, &app.clock, one, version).await?),
        Environment::Live => {
            let keys = some_keys(database, one).await?;
            Ok(probe::live(config, one, version, &keys).await?)
        }
    }
}

/// The keys of the mentors that a probe reads at a live portal.
async fn some_keys(database: &Database, one: &Partner) -> Result<Vec<String>, Error> {
    let mut tx = database.worker().await?;
    let keys = partner::some_keys(&mut tx, one, probe::READ_LIVE).await?;
    tx.rollback().await?;
    Ok(keys)
}

pub(super) fn show_points(app: &App, points: &[Point]) -> Result<Exit, Error> {
    print(app.format, &json!({ "points": points }), |_| show::points(points))?;
    Ok(if points.iter().all(|one| one.keeps) { Exit::Success } else { Exit::ProblemFound })
}

pub(super) async fn resume(app: &App, database: &Database, one: &Partner) -> Result<Exit, Error> {
    let keys = some_keys(database, one).await?;
    let found = probe::before_resuming(&app.config.partners, &app.clock, one, &keys).await?;
    let exit = show_points(app, &found)?;
    if exit == Exit::Success {
        let mut tx = database.worker().await?;
        partner::resume(&mut tx, one, Resumption::ByPerson).await?;
        tx.commit().await?;
    }
    Ok(exit)
}
