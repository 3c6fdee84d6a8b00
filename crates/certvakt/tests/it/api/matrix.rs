//! The permissions of each kind of person: every cell of the matrix that pgTAP asserts, over HTTP.

use std::collections::BTreeMap;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{Api, id};

const MAY: &str = include_str!("../../../../../supabase/tests/fixtures/may.psql");
const KINDS: [&str; 8] =
    ["nobody", "stranger", "mentor", "coordinator", "administrator", "both", "former", "outsider"];
/// A place: its name, and the ends of the ids of its organisation, chapter, certification and mentor.
const PLACES: [(&str, &str, &str, &str, &str); 8] = [
    ("top", "0000000000a0", "0000000000a1", "0000000200a1", "0000000100a1"),
    ("own", "0000000000a0", "0000000000a2", "0000000200a2", "0000000100a2"),
    ("beside", "0000000000a0", "0000000000a3", "0000000200a3", "0000000100a3"),
    ("below", "0000000000a0", "0000000000a4", "0000000200a4", "0000000100a4"),
    ("other", "0000000000b0", "0000000000b1", "0000000200b1", "0000000100b1"),
    ("twice", "0000000000a0", "0000000000a1", "000000030001", "000000000006"),
    ("mine", "0000000000b0", "0000000000b1", "000000030002", "000000000003"),
    ("deleted", "00000000dead", "00000000dead", "00000000dead", "00000000dead"),
];

/// The places of each kind of person, resource and verb, as pgTAP reads them.
fn rights() -> BTreeMap<(String, String, String), Vec<String>> {
    let mut rights = BTreeMap::new();
    for line in MAY.lines().filter(|line| line.starts_with("  ('")) {
        let fields: Vec<&str> = line.split('\'').skip(1).step_by(2).collect();
        let [who, resource, verb, places] = fields[..] else { panic!("{line}") };
        rights.insert(
            (who.to_owned(), resource.to_owned(), verb.to_owned()),
            places.split(' ').map(str::to_owned).collect(),
        );
    }
    assert!(rights.len() > 40, "{rights:?}");
    rights
}

/// Suspends a certification, with the expected response, and reinstates it.
async fn suspend_and_reinstate(
    api: &Api,
    who: &str,
    path: &str,
    etag: &str,
    expected: StatusCode,
    cell: &str,
) {
    let suspended = api.ask(who, Method::POST, &format!("{path}/suspend"), etag, None).await;
    assert_eq!(suspended.status, expected, "suspend: {cell}: {}", suspended.body);
    if expected == StatusCode::OK {
        assert_eq!(suspended.body["status"], "suspended", "{cell}");
        assert_eq!(suspended.body["stage"], Value::Null, "{cell}");
        let path = format!("{path}/reinstate");
        let stale = api.ask(who, Method::POST, &path, etag, None).await;
        assert_eq!(stale.status, StatusCode::PRECONDITION_FAILED, "{cell}");
        let reinstated = api.ask(who, Method::POST, &path, &suspended.etag, None).await;
        assert_eq!(reinstated.status, StatusCode::OK, "{cell}: {}", reinstated.body);
        assert_eq!(reinstated.body["status"], "active", "{cell}");
    }
}

#[tokio::test]
async fn everybody_sees_and_does_what_is_listed_and_nothing_else() {
    let api = Api::start().await;
    let rights = rights();
    for who in KINDS {
        let chapters = api.listed(who, "/chapters").await;
        let certifications = api.listed(who, "/certifications").await;
        let me = api.get(who, "/me").await;
        let organisations: Vec<&str> = me.body["organisations"]
            .as_array()
            .map_or(Vec::new(), |all| all.iter().filter_map(|one| one["id"].as_str()).collect());
        let of = async |path: &str, field: &str| -> Vec<String> {
            let found = api.get(who, path).await.body;
            let items = found.get("items").unwrap_or(&found).as_array().cloned().unwrap_or_default();
            items.iter().map(|item| item[field].as_str().unwrap_or_default().to_owned()).collect()
        };
        let types = of("/certification-types", "organisation_id").await;
        let runs = of("/runs", "organisation_id").await;
        let notices = of("/notices?since=2020-01-01T00:00:00Z", "certification_id").await;
        let unreachable = of("/unreachable", "certification_id").await;
        let people = of("/people", "id").await;
        let refused = match who {
            "nobody" => Some(StatusCode::UNAUTHORIZED),
            "stranger" => Some(StatusCode::FORBIDDEN),
            _ => None,
        };
        for (place, organisation, chapter, certification, mentor) in PLACES {
            let may = |resource: &str, verb: &str| {
                rights
                    .get(&(who.to_owned(), resource.to_owned(), verb.to_owned()))
                    .is_some_and(|places| places.iter().any(|one| one == place))
            };
            let cell = format!("{who} {place}");
            let certification = id(certification);
            assert_eq!(chapters.contains(&id(chapter)), may("chapter", "select"), "chapter: {cell}");
            assert_eq!(
                organisations.contains(&&*id(organisation)),
                may("organisation", "select"),
                "organisation: {cell}"
            );
            assert_eq!(types.contains(&id(organisation)), may("type", "select"), "type: {cell}");
            assert_eq!(runs.contains(&id(organisation)), may("run", "select"), "run: {cell}");
            assert_eq!(notices.contains(&certification), may("notice", "select"), "notices: {cell}");
            assert_eq!(unreachable.contains(&certification), may("notice", "select"), "unreachable: {cell}");
            let person = api.get(who, &format!("/people/{}", id(mentor))).await;
            let expected = if may("person", "select") { StatusCode::OK } else { StatusCode::NOT_FOUND };
            assert_eq!(person.status, refused.unwrap_or(expected), "person: {cell}");
            let memberships = person.body["memberships"].as_array().cloned().unwrap_or_default();
            let is_member = memberships.iter().any(|one| one["chapter_id"] == *id(chapter));
            assert_eq!(is_member, may("membership", "select"), "membership: {cell}");
            // Listed people are members of visible chapters.
            assert!(!people.contains(&id(mentor)) || may("person", "select"), "people: {cell}");
            let new = json!({
                "chapter_id": id(chapter), "mentor_id": id(mentor), "type": "type", "last_valid_day": "2027-01-01",
            });
            let made = api.make(who, "/certifications", "", &new).await;
            let expected =
                if may("certification", "insert") { StatusCode::CREATED } else { StatusCode::NOT_FOUND };
            assert_eq!(made.status, refused.unwrap_or(expected), "insert: {cell}: {}", made.body);
            let sees = may("certification", "select");
            assert_eq!(certifications.contains(&certification), sees, "list: {cell}");

            let path = format!("/certifications/{certification}");
            let shown = api.get(who, &path).await;
            let expected = refused.unwrap_or(if sees { StatusCode::OK } else { StatusCode::NOT_FOUND });
            assert_eq!(shown.status, expected, "one: {cell}");
            let has_notices = shown.body["notices"].as_array().is_some_and(|all| !all.is_empty());
            assert_eq!(has_notices, may("notice", "select"), "notices: {cell}");
            let knows_mentor = shown.body["mentor"]["name"].is_string();
            assert_eq!(knows_mentor, sees && may("person", "select"), "mentor: {cell}");

            let expected = match (refused, sees, may("certification", "update")) {
                (Some(refused), ..) => refused,
                (None, false, _) => StatusCode::NOT_FOUND,
                (None, true, false) => StatusCode::FORBIDDEN,
                (None, true, true) => StatusCode::OK,
            };
            suspend_and_reinstate(&api, who, &path, &shown.etag, expected, &cell).await;
        }
    }
}
