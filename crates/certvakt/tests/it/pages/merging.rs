//! The form that merges two registrations of one mentor.

use serde_json::Value;

use super::{certification, element, send, signed_in};
use crate::sign_in::{Answer, Browser, TestService, between};

/// A mentor of the test data, by their chapter.
fn mentor(chapter: &str) -> String {
    format!("00000000-0000-4000-8000-0000000100{chapter}")
}

/// The number of recorded merges, ends and moves.
const CHANGES: &str = "select count(*) from certvakt.person_changes";

/// Merges the mentor of a certification with that of another, through the check.
async fn merge(browser: &mut Browser, duplicate: &str, other: &str) -> Answer {
    let form = browser.get(&format!("{duplicate}/merges?q=mentor")).await;
    assert_eq!(form.status, 200, "{}", form.text);
    let other = other.rsplit('/').next().unwrap();
    send(browser, &form, &[("other", other), ("step", "save")]).await
}

/// The certifications of the two mentors: whose, type, number, last valid day and state.
async fn certifications(place: &TestService) -> Vec<String> {
    let all: String = place
        .database
        .value(
            "select string_agg(concat_ws(' ', right(c.peer_mentor_id::text, 2), c.certification_type, c.external_id,
               (c.expires_at at time zone 'Europe/Oslo')::date,
               case when certvakt.is_withdrawn(c.status, c.renewal_history) then 'withdrawn' else c.status end),
               ';' order by right(c.peer_mentor_id::text, 2), c.certification_type, c.external_id)
             from public.peer_mentor_certifications c where right(c.peer_mentor_id::text, 2) in ('a2', 'a4')",
        )
        .await;
    all.split(';').map(str::to_owned).collect()
}

/// Gives the mentor of `Below` two more certifications, with a notice that was sent and one that waits, an id in the register,
/// an opt-out and a listing.
const DUPLICATE: &str = "
    insert into certvakt.certification_types (organisation_id, code, name)
    select o.id, t.code, t.code from certvakt.organisations o, (values ('sent'), ('waiting')) t (code) where o.slug = 'a';
    update public.peer_mentor_certifications set external_id = 'S' where id = '00000000-0000-4000-8000-0000000200a2';
    update public.peer_mentor_certifications set external_id = 'D', expires_at = '2027-03-31T20:00:00Z'
    where id = '00000000-0000-4000-8000-0000000200a4';
    with added as (
      insert into public.peer_mentor_certifications
        (organisation_id, chapter_id, peer_mentor_id, certification_type, external_id, expires_at)
      select c.organisation_id, c.chapter_id, c.peer_mentor_id, t.code, 'N-' || t.code, '2026-06-20T20:00:00Z'
      from public.peer_mentor_certifications c, (values ('sent'), ('waiting')) t (code)
      where c.id = '00000000-0000-4000-8000-0000000200a4'
      returning id, peer_mentor_id
    )
    insert into public.cert_notification_log (certification_id, notification_type, recipient_id, idempotency_key)
    select id, 'expiry_warning_7d', peer_mentor_id, certvakt.notice_key(id, 'expiry_warning_7d', '2026-06-13') from added;
    insert into certvakt.deliveries (id, organisation_id, stage, due_date, expires_at, state, available_at, finished_at)
    select l.id, c.organisation_id, 'expiry_warning_7d', '2026-06-13', c.expires_at,
      case c.certification_type when 'sent' then 'delivered' else 'pending' end,
      case c.certification_type when 'waiting' then 'infinity'::timestamptz end,
      case c.certification_type when 'sent' then now() end
    from public.cert_notification_log l join public.peer_mentor_certifications c on c.id = l.certification_id
    where c.certification_type in ('sent', 'waiting');
    insert into certvakt.register_ids (organisation_id, external_id, person_id)
    select id, 'P', '00000000-0000-4000-8000-0000000100a4' from certvakt.organisations where slug = 'a';
    insert into certvakt.channel_opt_outs (person_id, kind) values ('00000000-0000-4000-8000-0000000100a4', 'email');
    insert into certvakt.contact_points (person_id, kind, address, organisation_id)
    select '00000000-0000-4000-8000-0000000100a4', 'email', 'duplicate@example.org', id from certvakt.organisations where slug = 'a';
    insert into certvakt.partners (organisation_id, code) select id, 'portal' from certvakt.organisations where slug = 'a';
    insert into certvakt.partner_types select organisation_id, 'portal', 'type' from certvakt.partners;
    insert into certvakt.listings (organisation_id, partner, partner_key, person_id, listing_consent_at)
    select organisation_id, 'portal', 'M-1', '00000000-0000-4000-8000-0000000100a4', now() from certvakt.partners;";

#[tokio::test]
async fn the_other_continues_everything_after_a_check() {
    let place = TestService::start("").await;
    let database = &place.database;
    database.execute(DUPLICATE).await;
    let mut browser = signed_in(&place, "administrator").await;
    let path = certification("a4");
    let page = browser.get(&path).await;
    assert!(page.text.contains(&format!("href=\"{path}/merges\"")), "{}", page.text);
    let empty = browser.get(&format!("{path}/merges")).await;
    assert_eq!(element(&empty, "h1"), "Samme person som en annen: Mentor a4");
    assert!(!empty.text.contains("name=\"other\""), "{}", empty.text);
    // By number too; not themselves, and nobody of another organisation.
    let form = browser.get(&format!("{path}/merges?q=S")).await;
    assert!(form.text.contains("Mentor a2 <span class=\"soft\">Own, Type, S</span>"), "{}", form.text);
    let form = browser.get(&format!("{path}/merges?q=mentor")).await;
    assert!(!form.text.contains("Mentor b1") && !form.text.contains(">Mentor a4 <"), "{}", form.text);
    let refused = send(&mut browser, &form, &[]).await;
    assert_eq!(refused.status, 422, "{}", refused.text);
    assert!(element(&refused, "title").starts_with("Feil: "), "{}", refused.text);
    assert!(refused.text.contains("href=\"#other\""), "{}", refused.text);

    let id = certification("a2");
    let other = id.rsplit('/').next().unwrap();
    let check = send(&mut browser, &form, &[("other", other)]).await;
    assert_eq!(check.status, 200, "{}", check.text);
    for words in
        ["Avsluttes: Mentor a4", "Beholdes: Mentor a2", "duplicate@example.org", "N-sent", "Below, Type, D"]
    {
        assert!(check.text.contains(words), "{words} in {}", check.text);
    }
    let edited = send(&mut browser, &check, &[("step", "edit")]).await;
    assert!(edited.text.contains(&format!("value=\"{other}\" checked")), "{}", edited.text);
    assert_eq!(certifications(&place).await.len(), 4, "nothing is saved yet");

    for _ in 0..2 {
        let saved = send(&mut browser, &check, &[("step", "save")]).await;
        assert_eq!(saved.status, 303, "{}", saved.text);
        let page = browser.get(&saved.location.unwrap()).await;
        assert!(element(&page, "h1").starts_with("Slått sammen: Mentor a2, Own, "), "{}", page.text);
        assert_eq!(page.text.matches("En annen registrering av samme person").count(), 1, "{}", page.text);
    }
    // The page of the duplicate says so, and offers nothing.
    let page = browser.get(&path).await;
    assert!(page.text.contains("Er samme person som en annen"), "{}", page.text);
    for path in ["/reinstatements", "/returns", "/merges", "/moves"] {
        assert!(!page.text.contains(path), "{path} in {}", page.text);
    }
    let text = database.ok(["explain", path.rsplit('/').next().unwrap()]);
    assert!(
        text.contains(": the mentor was merged with another record") && text.contains("replaced by D"),
        "{text}"
    );
}

#[tokio::test]
async fn certifications_and_numbers_move_along_and_nothing_else() {
    let place = TestService::start("").await;
    let database = &place.database;
    database.execute(DUPLICATE).await;
    let log = "select md5(string_agg(l::text, ',' order by l.id)) from public.cert_notification_log l";
    let logged: String = database.value(log).await;
    let mut browser = signed_in(&place, "administrator").await;
    let saved = merge(&mut browser, &certification("a4"), &certification("a2")).await;
    assert_eq!(saved.status, 303, "{}", saved.text);
    // The later date continues with its number, and rows with the other number find the same person.
    let after = [
        "a2 sent N-sent 2026-06-20 active",
        "a2 type D 2027-03-31 active",
        "a2 type S 2026-06-20 withdrawn",
        "a2 waiting N-waiting 2026-06-20 active",
        "a4 sent 2026-06-20 withdrawn",
        "a4 type 2027-03-31 withdrawn",
        "a4 waiting 2026-06-20 withdrawn",
    ];
    assert_eq!(certifications(&place).await, after);
    for (person, other) in [(mentor("a2"), mentor("a4")), (mentor("a4"), mentor("a2"))] {
        let erased = database.json(["person", "erase", &person, "--dry-run"]);
        assert_eq!(erased["merged"], serde_json::json!([other]), "an operator erases both");
    }
    assert_eq!(database.value::<String>(log).await, logged, "the log is untouched");
    let rest: String = database
        .value(&format!(
            "select concat_ws(' ',
               (select string_agg(h.slug || ':' || m.role, ',' order by h.slug) from certvakt.memberships m
                join certvakt.chapters h on h.id = m.chapter_id where m.person_id = '{survivor}'),
               (select count(*) from certvakt.memberships where person_id = '{duplicate}'),
               (select right(person_id::text, 2) from certvakt.register_ids),
               (select string_agg(kind, ',') from certvakt.channel_opt_outs where person_id = '{survivor}'),
               (select count(*) from certvakt.contact_points where person_id = '{survivor}'),
               (select is_listed from certvakt.listings),
               (select count(*) from certvakt.listings where person_id = '{survivor}'),
               (select string_agg(d.state || coalesce(':' || d.reason, ''), ',' order by d.id) from certvakt.deliveries d
                join public.cert_notification_log l on l.id = d.id where l.recipient_id = '{duplicate}'))",
            survivor = mentor("a2"),
            duplicate = mentor("a4"),
        ))
        .await;
    let expected = "below:mentor,own:mentor 0 a2 email 1 f 0 \
        cancelled:person merged,delivered,cancelled:person merged";
    assert_eq!(rest, expected);
    database.ok(["verify", "--history"]);
}

#[tokio::test]
async fn nobody_is_told_twice_and_nothing_lapses_unnoticed() {
    let place = TestService::start("").await;
    let database = &place.database;
    database.execute(DUPLICATE).await;
    let mut browser = signed_in(&place, "administrator").await;
    let saved = merge(&mut browser, &certification("a4"), &certification("a2")).await;
    assert_eq!(saved.status, 303, "{}", saved.text);
    let theirs = format!(
        "select coalesce(string_agg(c.certification_type || ' ' || l.notification_type, ',' order by l.id), '')
         from public.cert_notification_log l join public.peer_mentor_certifications c on c.id = l.certification_id
         where l.recipient_id = '{}' and c.id <> '{}'",
        mentor("a2"),
        certification("a2").rsplit('/').next().unwrap()
    );
    // What was sent is not sent again; what waited is recorded for the one who stays, once.
    for day in ["2026-06-15", "2026-06-16"] {
        database.at(&format!("{day}T12:00:00Z"), ["run"]);
        assert_eq!(database.value::<String>(&theirs).await, "waiting expiry_warning_7d", "{day}");
    }
    database.at("2026-06-22T12:00:00Z", ["run"]);
    assert_eq!(
        database.value::<String>(&theirs).await.split(',').count(),
        3,
        "each of the two that continue expires with a notice"
    );
}

#[tokio::test]
async fn a_register_finds_the_one_who_stays() {
    let place = TestService::start("").await;
    let database = &place.database;
    database.execute(DUPLICATE).await;
    let mut browser = signed_in(&place, "administrator").await;
    let saved = merge(&mut browser, &certification("a4"), &certification("a2")).await;
    assert_eq!(saved.status, 303, "{}", saved.text);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("register.csv");
    std::fs::write(&file, "id,expires,person\nD,2028-03-31,P\nS,2026-06-20,P\nE,2028-01-31,P\n").unwrap();
    let mut command = database.certvakt(["import", file.to_str().unwrap(), "--output", "json"]);
    command.args(["--organisation", "a", "--chapter", "own", "--type", "type"]);
    command.args(["--column", "external_id=id", "expires_at=expires", "person_id=person"]);
    let output = command.output().unwrap();
    let imported: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
    assert_eq!((&imported["rejected"], &imported["added"]), (&Value::from(0), &Value::from(1)), "{imported}");
    let all = certifications(&place).await;
    for one in
        ["a2 type D 2028-03-31 active", "a2 type S 2026-06-20 withdrawn", "a2 type E 2028-01-31 active"]
    {
        assert!(all.contains(&one.to_owned()), "{one} in {all:?}");
    }
}

#[tokio::test]
async fn a_merge_gives_nobody_access() {
    let place = TestService::start("").await;
    let database = &place.database;
    let mut coordinator = signed_in(&place, "coordinator").await;
    let mut theirs = signed_in(&place, "mentor").await;
    let mut outsider = signed_in(&place, "outsider").await;
    let mut administrator = signed_in(&place, "administrator").await;
    for (who, browser, path, status) in [
        ("coordinator", &mut coordinator, certification("a4"), 403),
        ("mentor", &mut theirs, certification("a2"), 403),
        ("outsider", &mut outsider, certification("a4"), 404),
        ("administrator", &mut administrator, certification("b1"), 404),
    ] {
        let page = browser.get("/me").await;
        let csrf = between(&page.text, "name=\"csrf\" value=\"", "\"");
        let path = format!("{path}/merges");
        assert_eq!(browser.get(&path).await.status, status, "{who}");
        let other = certification("a2");
        let fields =
            [("csrf", csrf.as_str()), ("other", other.rsplit('/').next().unwrap()), ("step", "save")];
        assert_eq!(browser.post(&path, &fields).await.status, status, "{who}");
    }
    assert_eq!(database.value::<i64>(CHANGES).await, 0);
    // A login sees no more than before, besides the certification that is now its own.
    let saved = merge(&mut administrator, &certification("a4"), &certification("a2")).await;
    assert_eq!(saved.status, 303, "{}", saved.text);
    assert_eq!(theirs.get(&certification("a4")).await.status, 404, "that of the duplicate stays theirs");
    for chapter in ["a1", "a3", "b1"] {
        assert_eq!(theirs.get(&certification(chapter)).await.status, 404, "{chapter}");
    }
    // Somebody who was merged neither merges again nor comes back.
    let answer = merge(&mut administrator, &certification("a4"), &certification("a1")).await;
    assert!(answer.status == 422 && answer.text.contains("allerede avsluttet"), "{}", answer.text);
    let page = administrator.get("/me").await;
    let csrf = between(&page.text, "name=\"csrf\" value=\"", "\"");
    let returned = administrator.post(&format!("{}/returns", certification("a4")), &[("csrf", &csrf)]).await;
    assert_eq!(returned.status, 403, "{}", returned.text);
}

#[tokio::test]
async fn logins_roles_and_other_organisations_are_never_merged() {
    let place = TestService::start("").await;
    let database = &place.database;
    let mut theirs = signed_in(&place, "mentor").await;
    let mut administrator = signed_in(&place, "administrator").await;
    let refused = async |browser: &mut Browser, duplicate: &str, other: &str, why: &str| {
        let answer = merge(browser, duplicate, other).await;
        assert!(
            answer.status == 422 && answer.text.contains(why),
            "{why}: {} {}",
            answer.status,
            answer.text
        );
        assert_eq!(database.value::<i64>(CHANGES).await, 0, "{why}");
    };
    // Another organisation's mentor, the same mentor, and nothing at all.
    let nobody = "Søk etter den andre, og velg";
    refused(&mut administrator, &certification("a4"), &certification("b1"), nobody).await;
    refused(&mut administrator, &certification("a4"), &certification("a4"), nobody).await;
    refused(
        &mut administrator,
        &certification("a4"),
        "/certifications/00000000-0000-4000-8000-00000000dead",
        nobody,
    )
    .await;
    // Somebody who has a login never ends, so two logins never become one.
    refused(&mut administrator, &certification("a2"), &certification("a4"), "kan logge inn").await;
    // Roles are not inherited.
    database
        .execute(&format!(
            "insert into certvakt.memberships (organisation_id, chapter_id, person_id, role)
             select organisation_id, id, '{}', 'coordinator' from certvakt.chapters where slug = 'beside'",
            mentor("a4")
        ))
        .await;
    refused(&mut administrator, &certification("a4"), &certification("a2"), "annen rolle enn likeperson")
        .await;
    database.execute("delete from certvakt.memberships m using certvakt.chapters h where h.id = m.chapter_id and h.slug = 'beside' and m.person_id = '00000000-0000-4000-8000-0000000100a4' and m.role = 'coordinator'").await;

    // Nobody merges themselves, in either direction.
    database
        .execute(
            "insert into certvakt.memberships (organisation_id, chapter_id, person_id, role)
             select organisation_id, id, '00000000-0000-4000-8000-0000000100a2', 'org_admin' from certvakt.chapters where slug = 'top'",
        )
        .await;
    let page = theirs.get("/me").await;
    let csrf = between(&page.text, "name=\"csrf\" value=\"", "\"");
    for (duplicate, other) in [("a2", "a4"), ("a4", "a2")] {
        let other = certification(other);
        let fields =
            [("csrf", csrf.as_str()), ("other", other.rsplit('/').next().unwrap()), ("step", "save")];
        let answer = theirs.post(&format!("{}/merges", certification(duplicate)), &fields).await;
        assert!([403, 422].contains(&answer.status), "{duplicate}: {} {}", answer.status, answer.text);
        assert_eq!(database.value::<i64>(CHANGES).await, 0, "{duplicate}");
    }
}

#[tokio::test]
async fn of_two_certifications_of_a_type_the_later_date_continues() {
    let place = TestService::start("").await;
    let database = &place.database;
    // The number, the date and the status of the one who stays, and of the duplicate.
    let types = [
        ("earlier", "S1 2027-05-31 active", "D1 2026-08-31 active"),
        ("ended", "S2 2026-05-31 expired", "D2 2027-08-31 active"),
        ("never", "S3 2027-05-31 active", "D3 infinity active"),
        ("numbered", "- 2027-05-31 active", "D4 2026-08-31 active"),
        ("paused", "S5 2027-05-31 suspended", "D5 2027-08-31 active"),
    ];
    for (code, stays, ends) in types {
        let mut sql = format!(
            "insert into certvakt.certification_types (organisation_id, code, name)
             select id, '{code}', '{code}' from certvakt.organisations where slug = 'a';"
        );
        for (chapter, facts) in [("a2", stays), ("a4", ends)] {
            let facts: Vec<&str> = facts.split(' ').collect();
            sql += &format!(
                "insert into public.peer_mentor_certifications
                   (organisation_id, chapter_id, peer_mentor_id, certification_type, external_id, expires_at, status)
                 select organisation_id, chapter_id, peer_mentor_id, '{code}', nullif('{}', '-'),
                   nullif('{}', 'infinity')::timestamp at time zone 'Europe/Oslo', '{}'
                 from public.peer_mentor_certifications where id = '{}';",
                facts[0],
                facts[1],
                facts[2],
                certification(chapter).rsplit('/').next().unwrap(),
            );
        }
        database.execute(&sql).await;
    }
    let mut browser = signed_in(&place, "administrator").await;
    let saved = merge(&mut browser, &certification("a4"), &certification("a2")).await;
    assert_eq!(saved.status, 303, "{}", saved.text);
    let all = certifications(&place).await;
    let theirs: Vec<&str> =
        all.iter().filter_map(|one| one.strip_prefix("a2 ")).filter(|one| !one.starts_with("type")).collect();
    let expected = [
        "earlier D1 2026-08-31 withdrawn",
        "earlier S1 2027-05-31 active",
        "ended D2 2027-08-31 active",
        "ended S2 2026-05-31 withdrawn",
        "never D3 active",
        "never S3 2027-05-31 withdrawn",
        "numbered D4 2027-05-31 active",
        "paused D5 2027-08-31 suspended",
        "paused S5 2027-05-31 withdrawn",
    ];
    assert_eq!(theirs, expected);
    assert!(all.iter().filter(|one| one.starts_with("a4")).all(|one| one.ends_with("withdrawn")), "{all:?}");
    let successors: i64 = database
        .value(
            "select count(*) from certvakt.replacements r
             join public.peer_mentor_certifications o on o.id = r.certification_id
             join public.peer_mentor_certifications s on s.id = r.successor_id
             where s.certification_type = o.certification_type and right(s.peer_mentor_id::text, 2) = 'a2'
               and not certvakt.is_withdrawn(s.status, s.renewal_history)",
        )
        .await;
    assert_eq!(successors, 6 + 4, "those of the duplicate, and the numbers that do not continue");
    database.ok(["verify", "--history"]);
}
