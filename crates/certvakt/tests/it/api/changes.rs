//! Renewals, corrections and withdrawals over HTTP, and their history.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{Answer, Api, id};

#[tokio::test]
async fn a_coordinator_renews_and_their_name_is_in_the_history() {
    let api = Api::start().await;
    let path = format!("/certifications/{}", id("0000000200a2"));
    let etag = api.get("coordinator", &path).await.etag;
    let wanted = json!({ "last_valid_day": "2028-05-31", "evidence": "kurs 14", "note": "Ærlig" });
    let renewed = api.ask("coordinator", Method::POST, &format!("{path}/renew"), &etag, Some(&wanted)).await;
    assert_eq!(renewed.status, StatusCode::OK, "{}", renewed.body);
    assert_eq!(renewed.body["last_valid_day"], "2028-05-31");
    assert_ne!(renewed.etag, etag);
    // The version that was read before is outdated.
    let late = api.ask("coordinator", Method::POST, &format!("{path}/renew"), &etag, Some(&wanted)).await;
    assert_eq!(
        (late.status, &late.body["code"]),
        (StatusCode::PRECONDITION_FAILED, &json!("version-mismatch"))
    );
    let never = json!({ "last_valid_day": null, "note": "Uten utløp" });
    let corrected =
        api.ask("coordinator", Method::POST, &format!("{path}/correct"), &renewed.etag, Some(&never)).await;
    assert_eq!((corrected.status, &corrected.body["last_valid_day"]), (StatusCode::OK, &Value::Null));
    let withdrawn = api
        .ask("coordinator", Method::POST, &format!("{path}/withdraw"), &corrected.etag, Some(&json!({})))
        .await;
    assert_eq!((withdrawn.status, &withdrawn.body["status"]), (StatusCode::OK, &json!("suspended")));
    let refused =
        api.ask("coordinator", Method::POST, &format!("{path}/renew"), &withdrawn.etag, Some(&wanted)).await;
    assert_eq!(
        (refused.status, &refused.body["code"]),
        (StatusCode::CONFLICT, &json!("certification-withdrawn"))
    );

    for who in ["coordinator", "administrator", "mentor"] {
        let history = api.get(who, &format!("{path}/history")).await;
        let told: Vec<String> = history
            .body
            .as_array()
            .unwrap()
            .iter()
            .map(|one| {
                format!("{} {} {}", one["kind"], one["note"], one["written"]["source"]).replace('"', "")
            })
            .collect();
        assert_eq!(told, ["renewed Ærlig api", "corrected Uten utløp api", "withdrawn null api"], "{who}");
        assert_eq!(history.body[0]["actor"], id("000000000001"));
        assert_eq!(history.body[0]["evidence"], "kurs 14");
    }
    assert_eq!(api.get("outsider", &format!("{path}/history")).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_suspension_can_have_a_last_day_and_a_type_a_first_day_for_renewals() {
    let api = Api::start().await;
    let path = format!("/certifications/{}", id("0000000200a2"));
    let etag = api.get("coordinator", &path).await.etag;
    let suspend = format!("{path}/suspend");
    // A body without a content type is not taken for no body, which would suspend without an end.
    let body = r#"{"until": "2026-07-31"}"#;
    let request = api.request("coordinator", Method::POST, &suspend).header("if-match", &etag).body(body);
    assert_eq!(Answer::of(request).await.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let past = json!({ "until": "2020-01-01" });
    let refused = api.ask("coordinator", Method::POST, &suspend, &etag, Some(&past)).await;
    assert_eq!((refused.status.as_u16(), &refused.body["code"]), (422, &json!("renewal-date")));
    let leave = json!({ "until": "2026-07-31", "note": "on leave" });
    let suspended = api.ask("coordinator", Method::POST, &suspend, &etag, Some(&leave)).await;
    assert_eq!(suspended.body["suspended_until"], "2026-07-31", "{}", suspended.body);
    let reinstate = format!("{path}/reinstate");
    let reinstated = api.ask("coordinator", Method::POST, &reinstate, &suspended.etag, None).await;
    assert_eq!(reinstated.body["suspended_until"], Value::Null, "{}", reinstated.body);

    api.database.execute("update certvakt.certification_types set renewal_window_days = 1").await;
    let renew = format!("{path}/renew");
    for (body, status) in [
        (json!({ "last_valid_day": "2028-05-31" }), StatusCode::UNPROCESSABLE_ENTITY),
        (json!({ "last_valid_day": "2028-05-31", "early": true }), StatusCode::OK),
    ] {
        let renewed = api.ask("coordinator", Method::POST, &renew, &reinstated.etag, Some(&body)).await;
        assert_eq!(renewed.status, status, "{body}: {}", renewed.body);
        assert!(status == StatusCode::OK || renewed.body["code"] == "renewal-early", "{}", renewed.body);
    }
}

#[tokio::test]
async fn impossible_changes_are_refused_with_a_code() {
    let api = Api::start().await;
    let path = format!("/certifications/{}", id("0000000200a2"));
    let etag = api.get("coordinator", &path).await.etag;
    for (what, body, status, code) in [
        ("renew", json!({ "last_valid_day": "1999-01-01" }), 422, "renewal-date"),
        ("renew", json!({ "last_valid_day": "9998-01-01" }), 422, "renewal-date"),
        (
            "renew",
            json!({ "last_valid_day": "2028-01-01", "evidence": "x".repeat(501) }),
            422,
            "remarks-invalid",
        ),
        ("renew", json!({ "last_valid_day": "yes" }), 422, "request-invalid"),
        ("renew", json!({ "mood": "good" }), 422, "request-invalid"),
        ("renew", json!({}), 422, "renewal-date-missing"),
        ("correct", json!({}), 422, "request-invalid"),
        ("withdraw", json!({ "note": "" }), 422, "remarks-invalid"),
    ] {
        let answer =
            api.ask("coordinator", Method::POST, &format!("{path}/{what}"), &etag, Some(&body)).await;
        let found = (answer.status.as_u16(), answer.body["code"].as_str().unwrap_or_default());
        assert_eq!(found, (status, code), "{what} {body}: {}", answer.body);
    }
    // A visible certification that the caller may not change, and an invisible one.
    let own = format!("/certifications/{}", id("0000000200a1"));
    let shown = api.get("administrator", &own).await;
    assert_eq!(shown.status, StatusCode::OK);
    let answer = api
        .ask(
            "outsider",
            Method::POST,
            &format!("{own}/renew"),
            &shown.etag,
            Some(&json!({ "last_valid_day": "2028-01-01" })),
        )
        .await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    assert_eq!(api.get("administrator", &own).await.etag, shown.etag);
}

#[tokio::test]
async fn nobody_certifies_or_renews_themselves() {
    let api = Api::start().await;
    let (own, coordinator, chapter) = (id("0000000200c1"), id("000000000001"), id("0000000000a2"));
    api.database
        .execute(&format!(
            "insert into certvakt.memberships (organisation_id, chapter_id, person_id, role)
             select organisation_id, id, '{coordinator}', 'mentor' from certvakt.chapters where id = '{chapter}';
             insert into public.peer_mentor_certifications (id, organisation_id, chapter_id, peer_mentor_id, certification_type, expires_at)
             select '{own}', organisation_id, id, '{coordinator}', 'type', '2026-06-20T20:00:00Z'
             from certvakt.chapters where id = '{chapter}'"
        ))
        .await;
    let path = format!("/certifications/{own}");
    let renewal = json!({ "last_valid_day": "2028-05-31" });
    let changes =
        [("renew", &renewal), ("correct", &renewal), ("suspend", &json!({})), ("withdraw", &json!({}))];
    for (change, body) in changes {
        let path = format!("{path}/{change}");
        let refused = api.ask("coordinator", Method::POST, &path, "*", Some(body)).await;
        assert_eq!(
            (refused.status, &refused.body["code"]),
            (StatusCode::FORBIDDEN, &json!("not-permitted")),
            "{change}"
        );
    }
    let new = json!({ "chapter_id": chapter, "mentor_id": coordinator, "type": "type", "last_valid_day": "2028-05-31" });
    let refused = api.make("coordinator", "/certifications", "", &new).await;
    assert_eq!(refused.status, StatusCode::NOT_FOUND, "{}", refused.body);
    // A client of the database reaches no row, and an administrator may.
    let touched = sqlx::raw_sql(sqlx::AssertSqlSafe(format!(
        "begin; select set_config('request.jwt.claims', '{{\"iss\": \"https://issuer.example\", \"sub\": \"coordinator\"}}', true);
         set local role authenticated;
         update public.peer_mentor_certifications set expires_at = '2028-05-31T20:00:00Z' where id = '{own}'"
    )));
    let mut client = crate::harness::superuser(&api.database.name).await;
    assert_eq!(
        touched.execute(&mut client).await.unwrap().rows_affected(),
        1,
        "the claims, and no certification"
    );
    drop(client);
    let renewed = api.ask("administrator", Method::POST, &format!("{path}/renew"), "*", Some(&renewal)).await;
    assert_eq!(renewed.status, StatusCode::OK, "{}", renewed.body);
}
