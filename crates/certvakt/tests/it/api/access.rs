//! Invitations, devices, and the kill switch.

use reqwest::{Method, StatusCode};
use serde_json::json;

use super::{Api, id};

#[tokio::test]
async fn an_invitation_makes_a_login_a_person_once() {
    let api = Api::start().await;
    api.database
        .execute(
            "insert into certvakt.invitations (person_id, token_hash, expires_at)
             select '00000000-0000-4000-8000-0000000100a4', sha256(token::bytea), until
             from (values ('good', now() + interval '1 day'), ('second', now() + interval '1 day'), ('old', now())) as i (token, until)",
        )
        .await;
    assert_eq!(api.get("newcomer", "/me").await.body["code"], "login-unknown");
    let accept = async |who: &str, token: &str| {
        let answer = api.ask(who, Method::POST, "/me/invitation", "", Some(&json!({ "token": token }))).await;
        (answer.status.as_u16(), answer.body)
    };
    assert_eq!(accept("newcomer", "old").await.1["code"], "invitation-invalid");
    assert_eq!(accept("nobody", "good").await.1["code"], "token-missing");
    assert_eq!(
        accept("coordinator", "good").await.1["code"],
        "login-taken",
        "and the invitation is good still"
    );
    assert_eq!(accept("newcomer", "good").await, (200, json!({ "id": id("0000000100a4") })));
    assert_eq!(accept("newcomer", "good").await.0, 200, "sent again");
    assert_eq!(accept("thief", "good").await.1["code"], "invitation-invalid");
    assert_eq!(accept("newcomer", "second").await.0, 200, "invited again, and the same person");
    assert_eq!(api.listed("newcomer", "/certifications").await, [id("0000000200a4")]);
}

#[tokio::test]
async fn a_device_belongs_to_the_last_person_who_signed_in() {
    let api = Api::start().await;
    let owners = "select coalesce(string_agg(installation || '=' || person_id || '=' || address, ' ' order by installation), '')
        from certvakt.contact_points where installation is not null";
    let keep = async |who: &str, installation: &str, token: &str| {
        let path = format!("/me/devices/{installation}");
        let answer = api.ask(who, Method::PUT, &path, "", Some(&json!({ "token": token }))).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT, "{}", answer.body);
    };
    let (mentor, coordinator) = (id("0000000100a2"), id("000000000001"));
    keep("mentor", "phone", "first").await;
    keep("mentor", "phone", "second").await;
    assert_eq!(api.database.value::<String>(owners).await, format!("phone={mentor}=second"));
    // Taking over another person's device needs its current token.
    let stolen = json!({ "token": "stolen" });
    let refused = api.ask("outsider", Method::PUT, "/me/devices/phone", "", Some(&stolen)).await;
    assert_eq!((refused.status, &refused.body["code"]), (StatusCode::CONFLICT, &json!("installation-taken")));
    assert_eq!(api.database.value::<String>(owners).await, format!("phone={mentor}=second"));
    keep("coordinator", "phone", "second").await;
    assert_eq!(api.database.value::<String>(owners).await, format!("phone={coordinator}=second"));
    // The app was reinstalled on the same device.
    keep("mentor", "again", "second").await;
    assert_eq!(api.database.value::<String>(owners).await, format!("again={mentor}=second"));
    for (who, left) in [("coordinator", format!("again={mentor}=second")), ("mentor", String::new())] {
        let answer = api.ask(who, Method::DELETE, "/me/devices/again", "", None).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT);
        assert_eq!(api.database.value::<String>(owners).await, left, "{who}");
    }
}

#[tokio::test]
async fn leaving_a_chapter_and_a_closure_count_at_once() {
    let api = Api::start().await;
    let path = format!("/certifications/{}", id("0000000200a4"));
    assert_eq!(api.get("coordinator", &path).await.status, StatusCode::OK);
    let close = "insert into certvakt.access_closures (resource, organisation_id, reason)
        select 'certifications', id, 'a test' from certvakt.organisations where slug = ";
    api.database.execute(&format!("{close} 'a'")).await;
    for (who, code) in [("coordinator", "access-closed"), ("both", "access-closed"), ("outsider", "")] {
        let answer = api.get(who, "/certifications").await;
        assert_eq!(answer.body["code"].as_str().unwrap_or_default(), code, "{who}");
    }
    api.database.execute("update certvakt.access_closures set opened_at = now(), opened_by = 'a test'").await;
    assert_eq!(api.get("coordinator", &path).await.status, StatusCode::OK);
    api.database
        .execute(
            "insert into certvakt.access_closures (resource, reason) values ('certifications', 'a test')",
        )
        .await;
    assert_eq!(api.get("outsider", "/certifications").await.status, StatusCode::SERVICE_UNAVAILABLE);
    api.database.execute("update certvakt.access_closures set opened_at = now(), opened_by = 'a test'").await;
    api.database
        .execute(&format!("delete from certvakt.memberships where person_id = '{}'", id("000000000001")))
        .await;
    assert_eq!(api.get("coordinator", &path).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_command_line_invites_people_and_closes_access() {
    let api = Api::start().await;
    let database = &api.database;
    let added = database.json([
        "person",
        "add",
        "--organisation",
        "a",
        "--chapter",
        "beside",
        "--role",
        "coordinator",
        "--name",
        "Åse Ødegård",
        "--email",
        "aase@example.org",
    ]);
    let person = added["id"].as_str().unwrap();
    let invited = database.json(["person", "invite", person]);
    let token = json!({ "token": invited["token"] });
    let accepted = api.ask("newcomer", Method::POST, "/me/invitation", "", Some(&token)).await;
    assert_eq!(accepted.body["id"], person, "{}", accepted.body);
    let me = api.get("newcomer", "/me").await.body;
    assert_eq!(me["name"], "Åse Ødegård");
    assert_eq!(me["memberships"][0]["role"], "coordinator");
    assert_eq!(api.listed("newcomer", "/certifications").await, [id("0000000200a3"), id("000000030001")]);

    let closed =
        database.ok(["access", "disable", "certifications", "--organisation", "a", "--reason", "en prøve"]);
    assert!(closed.contains("Closed"), "{closed}");
    assert_eq!(api.get("newcomer", "/certifications").await.body["code"], "access-closed");
    let again =
        database.json(["access", "disable", "certifications", "--organisation", "a", "--reason", "igjen"]);
    assert_eq!(again, json!({ "closed": true, "changed": false }));
    let status = database.certvakt(["status"]).output().unwrap();
    let status = String::from_utf8(status.stdout).unwrap();
    assert!(status.contains("CLOSED to people: certifications of a since"), "{status}");
    assert!(status.contains("by certvakt_service: en prøve"), "{status}");
    // Three weeks later, all certifications have lapsed: runs and deliveries continue while access is closed.
    database.ok(["run", "--organisation", "a", "--date", "2026-07-01", "--approve"]);
    let lapsed: i64 = database
        .value("select count(*) from public.peer_mentor_certifications c join certvakt.organisations o on o.id = c.organisation_id where o.slug = 'a' and status = 'expired'")
        .await;
    assert_eq!(lapsed, 5);
    database.ok(["access", "enable", "certifications", "--organisation", "a"]);
    assert_eq!(api.get("newcomer", "/certifications").await.status, StatusCode::OK);
    let path = format!("/certifications/{}", id("0000000200a3"));
    let etag = api.get("newcomer", &path).await.etag;
    let suspended = api.ask("newcomer", Method::POST, &format!("{path}/suspend"), &etag, None).await;
    assert_eq!(suspended.body["code"], "certification-lapsed");
    let reinstated = api.ask("newcomer", Method::POST, &format!("{path}/reinstate"), &etag, None).await;
    assert_eq!(reinstated.body["status"], "expired", "{}", reinstated.body);
    let kept: String = database
        .value("select concat_ws(' ', reason, closed_by, opened_by) from certvakt.access_closures")
        .await;
    assert_eq!(kept, "en prøve certvakt_service certvakt_service");

    for (arguments, says) in [
        (vec!["person", "invite", "nobody"], "unknown-name"),
        (vec!["access", "disable", "certifications", "--reason", " "], "a reason must have"),
        (vec!["access", "enable", "certifications", "--organisation", "x"], "unknown-name"),
    ] {
        let said = crate::harness::fail(&mut database.certvakt(arguments.iter().copied()), 2);
        assert!(said.contains(says), "{said}");
    }
}
