//! `certvakt doctor`

use certvakt_base::Exit;
use certvakt_base::clock::Clock;
use certvakt_engine::config::{ChannelName, Config};
use certvakt_engine::delivery::channels;
use certvakt_engine::mail::Mailer;
use certvakt_store::doctor::{self, Facts};
use certvakt_store::{Database, StoreError, migration, organisation, stage};
use serde::Serialize;

use super::App;
use crate::error::Error;
use crate::output::{print, table};

/// The oldest and the newest PostgreSQL version that the tests cover.
const OLDEST: i32 = 15;
const NEWEST: i32 = 18;

/// Check configuration, database, roles, encryption, credentials and clock
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  certvakt doctor --config certvakt.toml\n  certvakt doctor --output json\n\n\
        JSON: {\"findings\": [{\"check\": …, \"status\": \"ok\" | \"warning\" | \"problem\", \"text\": …}]}\n\n\
        Exit status 1: at least one finding is a problem."
)]
pub(super) struct Args {}

/// A finding. `check` and `status` are for programs, `text` is for people.
#[derive(Debug, Serialize)]
struct Finding {
    check: &'static str,
    status: CheckStatus,
    text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum CheckStatus {
    Ok,
    Warning,
    Problem,
}

/// The findings, in the order of the checks.
#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn ok(&mut self, check: &'static str, text: impl Into<String>) {
        self.0.push(Finding { check, status: CheckStatus::Ok, text: text.into() });
    }

    fn warning(&mut self, check: &'static str, text: impl Into<String>) {
        self.0.push(Finding { check, status: CheckStatus::Warning, text: text.into() });
    }

    fn problem(&mut self, check: &'static str, text: impl Into<String>) {
        self.0.push(Finding { check, status: CheckStatus::Problem, text: text.into() });
    }
}

pub(super) async fn run(_args: Args, app: &App) -> Result<Exit, Error> {
    let mut findings = Findings::default();
    check_channels(&mut findings, &app.config).await;
    if let Err(error) = app.config.check_keys() {
        findings.problem("credentials", error.to_string());
    }
    match certvakt_server::step_up_faults(&app.config).await {
        Ok(faults) => {
            let nobody_can = faults.len() == app.config.sign_in.providers.len();
            for (id, fault) in faults {
                let text = format!("{id}: {fault}");
                // Administrators can sign in at another provider.
                if nobody_can { findings.problem("step-up", text) } else { findings.warning("step-up", text) }
            }
        }
        Err(error) => findings.problem("step-up", error.to_string()),
    }
    match app.address().await {
        Ok(address) => match Database::connect(address, 2).await {
            Ok(database) => {
                check_database(&mut findings, &database, app.is_embedded()).await;
                database.close().await;
            }
            Err(error) => findings.problem("database", error.to_string()),
        },
        Err(error) => findings.problem("database", error.to_string()),
    }
    if app.clock.is_moved() {
        findings.warning("clock", "CERTVAKT_NOW moves the date: unset it unless this is a rehearsal");
    }
    let findings = findings.0;
    print(app.format, &serde_json::json!({ "findings": findings }), |_| {
        let rows = findings.iter().map(|one| {
            let status = match one.status {
                CheckStatus::Ok => "ok",
                CheckStatus::Warning => "warning",
                CheckStatus::Problem => "PROBLEM",
            };
            [one.check, status, &one.text]
        });
        table(["Check", "Result", "Finding"], rows).to_string()
    })?;
    let has_problem = findings.iter().any(|one| one.status == CheckStatus::Problem);
    Ok(if has_problem { Exit::ProblemFound } else { Exit::Success })
}

async fn check_channels(findings: &mut Findings, config: &Config) {
    match channels::configured(config) {
        Ok(channels) => {
            for channel in channels {
                let name = channel.name().as_str();
                match channel.check().await {
                    Ok(()) => {
                        findings.ok("credentials", format!("{name}: its provider accepts the credentials"));
                    }
                    Err(reason) => findings.problem("credentials", format!("{name}: {reason}")),
                }
            }
        }
        Err(error @ certvakt_engine::delivery::DeliveryError::NoChannel) => {
            findings.warning("channels", error.to_string());
        }
        Err(error) => findings.problem("channels", error.to_string()),
    }
    // Sign-in links and alerts are e-mails even if the e-mail channel for notices is off.
    if !config.email.server.is_empty() && !config.active_channels().any(|name| name == ChannelName::Email) {
        let timeout = std::time::Duration::from_secs(u64::from(config.delivery.timeout_seconds));
        match Mailer::new(&config.email, timeout) {
            Ok(mailer) => match mailer.check().await {
                Ok(()) => findings.ok("credentials", "e-mail: the mail server accepts the credentials"),
                Err(reason) => findings.problem("credentials", format!("e-mail: {reason}")),
            },
            Err(error) => findings.problem("e-mail", error.to_string()),
        }
    }
    let clients = config.sign_in.providers.iter().map(|one| one.client_secret_file.as_path());
    let others = std::iter::once(config.auth.secret_file.as_path()).chain(clients);
    for secret in config.channel_secrets().chain(others) {
        if is_open_to_others(secret) {
            findings.warning(
                "credentials",
                format!("other users can read {}: run chmod 600 on it", secret.display()),
            );
        }
    }
}

fn is_open_to_others(file: &std::path::Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(file).is_ok_and(|found| found.permissions().mode() & 0o077 != 0)
}

async fn check_database(findings: &mut Findings, database: &Database, is_embedded: bool) {
    match doctor::facts(database).await {
        Ok(facts) => {
            check_server(findings, &facts);
            check_privileges(findings, &facts, is_embedded);
        }
        Err(error) => return findings.problem("database", error.to_string()),
    }
    match migration::check(database).await {
        Ok(()) => findings.ok("schema", "up to date"),
        Err(error) => return findings.problem("schema", error.to_string()),
    }
    let checks: Result<_, StoreError> = async {
        let mut tx = database.worker().await?;
        stage::wrong_checks(&mut tx).await
    }
    .await;
    match checks {
        Ok(wrong) if wrong.is_empty() => findings.ok("stages", "the constraints enumerate the declared stages"),
        Ok(wrong) => findings.problem(
            "stages",
            format!(
                "{}: not the declared stages, or not validated; as the owner, run `select certvakt.enumerate_stages()` \
                 and then `select certvakt.validate_stages()`",
                wrong.join(", ")
            ),
        ),
        Err(error) => findings.problem("stages", error.to_string()),
    }
    let organisations: Result<_, StoreError> = async {
        let mut tx = database.worker().await?;
        organisation::list(&mut tx).await
    }
    .await;
    match organisations {
        Ok(organisations) => {
            findings.ok("organisations", format!("{}, all with a known time zone", organisations.len()));
        }
        Err(error) => findings.problem("organisations", error.to_string()),
    }
}

fn check_server(findings: &mut Findings, facts: &Facts) {
    let major = facts.version / 10_000;
    if major < OLDEST {
        findings.problem(
            "version",
            format!("PostgreSQL {major}: certvakt needs {OLDEST} or later, upgrade the server"),
        );
    } else if major > NEWEST {
        findings.warning("version", format!("PostgreSQL {major}: certvakt is tested up to {NEWEST}"));
    } else {
        findings.ok("version", format!("PostgreSQL {major}"));
    }
    if facts.encoding == "UTF8" {
        findings.ok("encoding", "UTF8");
    } else {
        findings.problem(
            "encoding",
            format!("{}: names need UTF8, create the database with encoding UTF8", facts.encoding),
        );
    }
    if facts.is_encrypted || facts.is_local {
        findings.ok(
            "encryption",
            if facts.is_encrypted {
                "encrypted"
            } else {
                "not needed: the connection does not leave this machine"
            },
        );
    } else {
        findings.warning(
            "encryption",
            "the connection is not encrypted: add ?sslmode=verify-full to DATABASE_URL",
        );
    }
    let apart = (Clock::system().now() - facts.now).num_seconds().abs();
    match apart {
        0..=5 => findings.ok("clock", "agrees with the database server's"),
        6..=60 => {
            findings.warning(
                "clock",
                format!("differs from the database server's by {apart} s: check the time service"),
            );
        }
        _ => findings.problem(
            "clock",
            format!("differs from the database server's by {apart} s: start a time service on both"),
        ),
    }
}

fn check_privileges(findings: &mut Findings, facts: &Facts, is_embedded: bool) {
    if !facts.may_work || !facts.may_register || !facts.may_answer || !facts.may_authenticate {
        findings.problem(
            "roles",
            format!(
                "{0} lacks the service's roles: grant certvakt_worker, certvakt_registrar, certvakt_auth, authenticated to {0}",
                facts.login
            ),
        );
    } else if !facts.strong_roles.is_empty() {
        findings.problem(
            "roles",
            format!(
                "{} has too many privileges: make it nosuperuser and nobypassrls, and let it own nothing",
                facts.strong_roles.join(", ")
            ),
        );
    } else if facts.is_superuser {
        findings.warning(
            "roles",
            format!("{} is a superuser: connect as a login with only the service's roles", facts.login),
        );
    } else if !facts.excess.is_empty() && !is_embedded {
        findings.warning(
            "roles",
            format!(
                "{} has more privileges than the service needs ({}): connect as a dedicated login, see the runbook on roles",
                facts.login,
                facts.excess.join(", ")
            ),
        );
    } else {
        findings.ok("roles", format!("{} has the right privileges", facts.login));
    }
    if !facts.is_migrated {
        // The check of the schema reports this.
    } else if facts.open_tables.is_empty() {
        findings.ok("row-level security", "enabled and forced on every table");
    } else {
        findings.problem(
            "row-level security",
            format!(
                "not enabled and forced on {}: enable and force it, and find out who changed it",
                facts.open_tables.join(", ")
            ),
        );
    }
}
