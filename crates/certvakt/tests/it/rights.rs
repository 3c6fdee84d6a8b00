//! People's rights to their data: a complete export, and a complete, permanent erasure.

mod export;
mod ledger;

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Executor};
use uuid::Uuid;

use crate::harness::{TestDatabase, fail, superuser};

/// A mark in every text of the person that can be chosen.
const MARK: &str = "zqx7";
/// Text columns without data about a person, or whose values nobody chooses.
const IMPERSONAL: &[&str] = &[
    "certvakt.access_closures.closed_by",
    "certvakt.access_closures.opened_by",
    "certvakt.access_closures.opened_operator",
    "certvakt.access_closures.operator",
    "certvakt.access_closures.reason",
    "certvakt.access_closures.resource",
    "certvakt.access_events.method",
    "certvakt.access_events.organisations_of_person",
    "certvakt.access_events.organisations_of_rows",
    "certvakt.access_events.resource",
    "certvakt.address_confirmations.issuer",
    "certvakt.address_confirmations.proof",
    "certvakt.certification_changes.kind",
    "certvakt.certification_renewal_events.entry",
    "certvakt.certification_types.code",
    "certvakt.certification_types.external_id",
    "certvakt.certification_types.name",
    "certvakt.certification_types.renewal_rule",
    "certvakt.certifications_elsewhere.role",
    "certvakt.change_results.correction",
    "certvakt.change_results.kind",
    "certvakt.change_results.refusal",
    "certvakt.change_results.status",
    "certvakt.channel_opt_outs.kind",
    "certvakt.channel_stops.channel",
    "certvakt.channel_stops.reason",
    "certvakt.chapters.external_id",
    "certvakt.chapters.name",
    "certvakt.chapters.slug",
    "certvakt.command_log.command",
    "certvakt.command_log.operator",
    "certvakt.contact_points.kind",
    "certvakt.contacts.outcome",
    "certvakt.deliveries.reason",
    "certvakt.deliveries.refused",
    "certvakt.deliveries.stage",
    "certvakt.deliveries.state",
    "certvakt.delivery_attempts.channel",
    "certvakt.delivery_attempts.detail",
    "certvakt.delivery_attempts.outcome",
    "certvakt.digest_settings.schedule",
    "certvakt.digests.kind",
    "certvakt.erased_register_ids.digest",
    "certvakt.idempotency_keys.request_hash",
    "certvakt.import_mappings.header",
    "certvakt.import_mappings.name",
    "certvakt.import_mappings.options",
    "certvakt.imports.certification_types",
    "certvakt.imports.chapter_ids",
    "certvakt.imports.limited_to",
    "certvakt.imports.new_chapter_ids",
    "certvakt.imports.operator",
    "certvakt.imports.undone_by",
    "certvakt.installation.setup_hash",
    "certvakt.invitations.operator",
    "certvakt.invitations.token_hash",
    "certvakt.known_browsers.token_hash",
    "certvakt.listing_consents.given_as",
    "certvakt.listing_consents.issuer",
    "certvakt.listing_consents.operator",
    "certvakt.listing_consents.locale",
    "certvakt.listing_consents.partner",
    "certvakt.listing_consents.proof",
    "certvakt.listing_consents.text_version",
    "certvakt.listings.approved_by",
    "certvakt.listings.cause",
    "certvakt.listings.last_error",
    "certvakt.listings.partner",
    "certvakt.mail_queue.alert",
    "certvakt.mail_queue.browser_hash",
    "certvakt.mail_queue.code_hash",
    "certvakt.mail_queue.kind",
    "certvakt.mail_queue.token_hash",
    "certvakt.memberships.role",
    "certvakt.notice_texts.body",
    "certvakt.notice_texts.locale",
    "certvakt.organisations.locale",
    "certvakt.organisations.name",
    "certvakt.organisations.slug",
    "certvakt.organisations.time_zone",
    "certvakt.partner_alerts.kind",
    "certvakt.partner_alerts.partner",
    "certvakt.partner_events.cause",
    "certvakt.partner_events.partner",
    "certvakt.partner_events.status",
    "certvakt.partner_reports.certification_type",
    "certvakt.partner_reports.environment",
    "certvakt.partner_reports.event_id",
    "certvakt.partner_reports.outcome",
    "certvakt.partner_reports.partner",
    "certvakt.partner_reports.reason",
    "certvakt.partner_reports.resolved_by",
    "certvakt.partner_types.certification_type",
    "certvakt.partner_types.partner",
    "certvakt.partners.accepted_environment",
    "certvakt.partners.code",
    "certvakt.partners.contract",
    "certvakt.partners.environment",
    "certvakt.partners.reports_delta",
    "certvakt.partners.reports_unread_reason",
    "certvakt.partners.stopped_by",
    "certvakt.partners.stopped_reason",
    "certvakt.partners.switched_by",
    "certvakt.partners.unread_reason",
    "certvakt.people.erased_by",
    "certvakt.people.locale",
    "certvakt.person_changes.kind",
    "certvakt.person_names.locale",
    "certvakt.renewal_remarks.operator",
    "certvakt.renewal_remarks.salt",
    "certvakt.run_calendars.lead_times_of_types",
    "certvakt.run_calendars.read_on",
    "certvakt.runs.examples",
    "certvakt.runs.notices",
    "certvakt.runs.operator",
    "certvakt.runs.reason",
    "certvakt.runs.state",
    "certvakt.schema_migrations.checksum",
    "certvakt.schema_migrations.description",
    "certvakt.sessions.token_hash",
    "certvakt.stages.name",
    "certvakt.uploads.content",
    "certvakt.uploads.limited_to",
    "certvakt.uploads.options",
    "certvakt.uploads.result",
    "certvakt.uploads.state",
    "public.cert_notification_log.idempotency_key",
    "public.cert_notification_log.notification_type",
    "public.peer_mentor_certifications.certification_type",
    "public.peer_mentor_certifications.renewal_history",
    "public.peer_mentor_certifications.status",
    // A register, which is imported and deleted within seconds.
];
/// A portal's key for a person, which stays until the portal has removed them.
const UNTIL_TAKEN_OFF: &[&str] = &["certvakt.listings.partner_key", "certvakt.partner_events.partner_key"];
/// The columns in which the id of an erased person stays.
const ID_STAYS: &[&str] = &[
    "certvakt.access_events.person_id",
    "certvakt.access_events.resource_id",
    "certvakt.address_confirmations.administrator_id",
    "certvakt.people.id",
    "public.cert_notification_log.recipient_id",
    "public.peer_mentor_certifications.peer_mentor_id",
];

/// A person with data in every table, in a database with another mentor and an administrator.
async fn somebody() -> (TestDatabase, Uuid) {
    let database = TestDatabase::rehearsal().await;
    database.with_organisation();
    database.certify("zqx7-1", "2026-06-20").await;
    database.reachable("zqx7-1", "email", "zqx7@example.org").await;
    let person: Uuid = database.value("select peer_mentor_id from public.peer_mentor_certifications").await;
    database.certify("other", "2026-06-20").await;
    database.run("2026-06-15");
    for arguments in [
        &["renew", "zqx7-1", "--evidence", "kurs zqx7", "--note", "Bodø zqx7"][..],
        &["correct", "zqx7-1", "--until", "2026-06-21"],
    ] {
        database.at("2026-06-15T12:00:00+02:00", arguments.iter().copied());
    }
    let rows = include_str!("rights/rows_about_somebody.sql").replace("{person}", &person.to_string());
    database.execute(&rows).await;
    (database, person)
}

/// The columns of these types, as `schema.table.column`, that contain a value.
async fn columns_with(database: &TestDatabase, types: &str, what: Option<&str>) -> BTreeSet<String> {
    let columns: Vec<(String, String, String)> = sqlx::query_as(AssertSqlSafe(format!(
        "select n.nspname::text, c.relname::text, a.attname::text from pg_attribute a
         join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
         where n.nspname in ('public', 'certvakt') and c.relkind in ('r', 'p') and a.attnum > 0 and not a.attisdropped
           and a.atttypid::regtype::text ~ '^({types})'"
    )))
    .fetch_all(&mut superuser(&database.name).await)
    .await
    .unwrap();
    let mut found = BTreeSet::new();
    for (schema, table, column) in columns {
        let holds = match what {
            None => true,
            Some(what) => {
                let sql = format!(
                    "select exists (select from {schema}.{table} where position('{what}' in {column}::text) > 0)"
                );
                database.value::<bool>(&sql).await
            }
        };
        if holds {
            found.insert(format!("{schema}.{table}.{column}"));
        }
    }
    found
}

const TEXTS: &str = "text|jsonb?|bytea|character|name|citext|inet|uuid\\[\\]|xml";

fn ledger(folder: &tempfile::TempDir) -> (PathBuf, String) {
    let path = folder.path().join("erased");
    let text = path.display().to_string();
    (path, text)
}

#[tokio::test]
async fn an_erased_person_remains_in_no_column_except_by_id() {
    let (database, person) = somebody().await;
    // A form of theirs, one of somebody else about their certification, and a register that is not imported yet.
    database
        .execute(&format!(
            "insert into certvakt.uploads (organisation_id, chapter_id, options, state, content, proposal)
             select organisation_id, id, '{{}}', 'draft', 'zqx7', '{{\"columns\": [\"zqx7\"]}}' from certvakt.chapters;
             insert into certvakt.kept_forms (person_id, path, fields)
             select o.peer_mentor_id, '/certifications/' || c.id || '/zqx7', 'note=zqx7'
             from public.peer_mentor_certifications o, public.peer_mentor_certifications c
             where c.peer_mentor_id = '{person}' on conflict do nothing"
        ))
        .await;
    // Every column either contained data of the person or is known not to; a new column is neither.
    let personal = columns_with(&database, TEXTS, Some(MARK)).await;
    let all = columns_with(&database, TEXTS, None).await;
    let impersonal: BTreeSet<String> = IMPERSONAL.iter().map(ToString::to_string).collect();
    let undecided: Vec<&String> =
        all.iter().filter(|column| !personal.contains(*column) && !impersonal.contains(*column)).collect();
    assert_eq!(undecided, Vec::<&String>::new(), "does it hold something of a person?");
    assert_eq!(impersonal.difference(&all).collect::<Vec<_>>(), Vec::<&String>::new(), "is there no more");

    let folder = tempfile::tempdir().unwrap();
    let (path, text) = ledger(&folder);
    let would = database.json(["person", "erase", "zqx7-1", "--dry-run"]);
    assert_eq!(columns_with(&database, TEXTS, Some(MARK)).await, personal, "a dry run erases nothing");
    assert!(!path.exists());
    let done = database.json(["person", "erase", "zqx7-1", "--ledger", &text]);
    assert_eq!(done["erased"], would["erased"]);
    let nothing = done["erased"].as_array().unwrap().iter().find(|one| one["rows"] == 0);
    assert_eq!(nothing, None, "the test plants one of each kind");

    let until_taken_off: BTreeSet<String> = UNTIL_TAKEN_OFF.iter().map(ToString::to_string).collect();
    assert_eq!(columns_with(&database, TEXTS, Some(MARK)).await, until_taken_off);
    database
        .execute(
            "update certvakt.partners set contract = '1', environment = 'live', accepted_environment = 'live';
             update certvakt.listings set accepted_number = number, confirmed_number = number, accepted_listed = false,
               accepted_at = now() - interval '2 days', evaluated_at = now() - interval '2 days';
             select certvakt.delete_delisted()",
        )
        .await;
    assert_eq!(columns_with(&database, TEXTS, Some(MARK)).await, BTreeSet::new());
    let id = person.to_string();
    let stays: BTreeSet<String> = ID_STAYS.iter().map(ToString::to_string).collect();
    assert_eq!(columns_with(&database, "uuid$", Some(&id)).await, stays);
    assert_eq!(columns_with(&database, TEXTS, Some(&id)).await, BTreeSet::new());
    assert!(fs::read_to_string(&path).unwrap().contains(&id));
    assert!(!fs::read_to_string(&path).unwrap().contains(MARK));
    // The data of others is unchanged.
    let others: i64 = database
        .value("select count(*) from certvakt.people where erased_at is null and name is not null")
        .await;
    assert_eq!(others, 1);
}

#[tokio::test]
async fn somebody_whose_certification_was_withdrawn_before_is_erased() {
    let database = TestDatabase::rehearsal().await;
    database.with_organisation();
    database.certify("1", "2026-09-01").await;
    database.ok(["withdraw", "1"]);
    let folder = tempfile::tempdir().unwrap();
    let (_, ledger) = ledger(&folder);
    database.ok(["person", "erase", "1", "--ledger", &ledger]);
    let left: String = database
        .value("select coalesce(external_id, 'none') || ' ' || jsonb_array_length(renewal_history) from public.peer_mentor_certifications")
        .await;
    assert_eq!(left, "none 1", "the withdrawal stays the last entry");
    assert_eq!(database.json(["verify", "--history"])["faults"], json!([]));
}

#[tokio::test]
async fn the_history_of_an_erased_person_stays_verifiable_and_nothing_new_starts() {
    let (database, person) = somebody().await;
    let folder = tempfile::tempdir().unwrap();
    let (_, ledger) = ledger(&folder);
    let id: Uuid = database
        .value(&format!("select id from public.peer_mentor_certifications where peer_mentor_id = '{person}'"))
        .await;
    let id = id.to_string();
    database.ok(["person", "erase", &person.to_string(), "--ledger", &ledger]);
    assert_eq!(database.json(["verify", "--history"])["faults"], json!([]));
    database.ok(["verify"]);
    let exported = database.json(["person", "export", &person.to_string()]);
    let certification = &exported["certifications"][0];
    let history = certification["history"].as_array().unwrap();
    let kinds: Vec<&str> = history.iter().map(|entry| entry["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["renewed", "corrected", "withdrawn"]);
    assert_eq!((&history[0]["words_erased"], &history[0]["note"]), (&json!(true), &Value::Null));
    assert_eq!(exported["person"]["name"], Value::Null);
    assert!(exported["person"]["erased_at"].is_string());
    assert_eq!(certification["notices"][0]["reason"], "person erased");

    for arguments in [&["reinstate", &id][..], &["person", "erase", &person.to_string(), "--ledger", &ledger]]
    {
        let said = fail(&mut database.certvakt(arguments.iter().copied()), 2);
        assert!(said.contains("person-erased"), "{said}");
    }
    // Nobody can add new data for the erased person.
    for (table, columns, values) in [
        ("certvakt.contact_points", "kind, address", "'push', 'token'"),
        ("certvakt.identities", "issuer, subject", "'https://issuer.example', 's'"),
        ("certvakt.invitations", "token_hash", "sha256('x')"),
        ("certvakt.memberships", "role, organisation_id, chapter_id", "'mentor', h.organisation_id, h.id"),
        ("certvakt.person_names", "organisation_id, name", "h.organisation_id, 'Back'"),
        ("certvakt.listings", "organisation_id, partner, partner_key", "h.organisation_id, 'portal', 'M-2'"),
    ] {
        let new = format!(
            "do $$ begin insert into {table} (person_id, {columns}) select '{person}', {values} from certvakt.chapters h;
             raise 'was not refused'; exception when restrict_violation then null; end $$"
        );
        database.execute(&new).await;
    }
    let again = format!(
        "do $$ begin insert into public.peer_mentor_certifications (organisation_id, chapter_id, peer_mentor_id, certification_type)
         select organisation_id, id, '{person}', 'type' from certvakt.chapters;
         raise 'was not refused'; exception when restrict_violation then null; end $$"
    );
    database.execute(&again).await;
    assert!(
        fail(&mut database.certvakt(["person", "invite", &person.to_string()]), 2).contains("unknown-name")
    );
    database.run("2026-06-16");
    let open: i64 = database
        .value(&format!(
            "select count(*) from certvakt.deliveries d join public.cert_notification_log l on l.id = d.id
             where l.recipient_id = '{person}' and d.finished_at is null"
        ))
        .await;
    assert_eq!(open, 0);
    // A register that still contains the person gets a reject for that row, and its other rows are imported.
    let register = folder.path().join("register.csv");
    fs::write(&register, "id,til,navn\nzqx7-1,2027-12-31,Åse\nnew,2027-12-31,Ny\n").unwrap();
    let arguments = ["--organisation", "org", "--chapter", "chapter", "--type", "type"];
    let columns = ["--column", "external_id=id", "expires_at=til", "name=navn"];
    let file = ["import", register.to_str().unwrap()];
    let taken = database.json([&file[..], &arguments, &columns].concat());
    assert_eq!((&taken["added"], &taken["rejected"]), (&json!(1), &json!(1)), "{taken}");
    assert!(taken["rejects"][0]["reason"].as_str().unwrap().contains("erased"), "{taken}");
    // The same number in another organisation is a different person.
    database.add_organisation("another", "Europe/Oslo");
    let arguments = ["--organisation", "another", "--chapter", "chapter", "--type", "type"];
    assert_eq!(database.json([&file[..], &arguments, &columns].concat())["added"], 2);
}

#[tokio::test]
async fn changes_during_an_erasure_are_erased_or_refused() {
    let (database, person) = somebody().await;
    let folder = tempfile::tempdir().unwrap();
    let (_, ledger) = ledger(&folder);
    let erase = ["person", "erase", &person.to_string(), "--ledger", &ledger];
    // The erasure waits for a running import of the organisation.
    let mut register = superuser(&database.name).await;
    register.execute("begin; select from certvakt.organisations for no key update").await.unwrap();
    let waiting = database.blocked(&mut database.certvakt(erase)).await;
    register.execute("rollback").await.unwrap();
    waiting.resume().await;

    let (database, person) = somebody().await;
    let erase = ["person", "erase", &person.to_string(), "--ledger", &ledger];
    // It has locked the person, and waits for their memberships.
    let erasing = database.blocked_at("certvakt.memberships", &mut database.certvakt(erase)).await;
    let name = database.name.clone();
    let device = tokio::spawn(async move {
        let add = format!(
            "insert into certvakt.contact_points (person_id, kind, address) values ('{person}', 'push', 'late')"
        );
        superuser(&name).await.execute(AssertSqlSafe(add)).await
    });
    database
        .until(
            "select count(*) = 2 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
        )
        .await;
    erasing.resume().await;
    let refused = device.await.unwrap().unwrap_err();
    assert_eq!(refused.as_database_error().unwrap().constraint(), Some("person_erased"), "{refused}");
    let left: i64 =
        database.value("select count(*) from certvakt.contact_points where address = 'late'").await;
    assert_eq!(left, 0);
}
