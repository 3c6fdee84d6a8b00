//! Lists: pages and filters.

use reqwest::StatusCode;
use serde_json::{Value, json};

use super::Api;
use crate::harness::{OWNER, address, succeed};

#[tokio::test]
async fn pages_of_a_list_contain_each_item_once() {
    let api = Api::start().await;
    api.database
        .execute(
            "insert into certvakt.people (id, name)
               select ('00000000-0000-4000-8000-0000000400' || to_char(n, 'FM00'))::uuid, 'Række ' || n from generate_series(1, 40) n;
             insert into public.peer_mentor_certifications (organisation_id, chapter_id, peer_mentor_id, certification_type, external_id, expires_at)
               select organisation_id, c.id, ('00000000-0000-4000-8000-0000000400' || to_char(n, 'FM00'))::uuid, 'type', 'x%' || n,
                 case when n % 8 > 0 then '2026-07-01T10:00:00Z'::timestamptz + (n % 5) * interval '10 days' end
               from generate_series(1, 40) n, certvakt.chapters c
               where c.slug = case n % 4 when 0 then 'own' when 1 then 'below' when 2 then 'beside' else 'top' end",
        )
        .await;
    for limit in [1, 7, 200] {
        let mut found: Vec<Value> = Vec::new();
        let mut after = String::new();
        loop {
            let page = api.get("administrator", &format!("/certifications?limit={limit}{after}")).await;
            assert_eq!(page.status, StatusCode::OK, "{}", page.body);
            let items = page.body["items"].as_array().unwrap();
            assert!(items.len() <= limit);
            found.extend(items.iter().cloned());
            match page.body["next"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => break,
            }
        }
        assert_eq!(found.len(), 45, "pages of {limit}");
        let order: Vec<(String, String)> = found
            .iter()
            .map(|one| (one["expires_at"].as_str().unwrap_or("never").to_owned(), one["id"].to_string()))
            .collect();
        let mut sorted = order.clone();
        sorted.sort();
        sorted.dedup();
        assert_eq!(order, sorted, "pages of {limit}");
    }
    let counts = [
        ("coordinator", "", 22),
        ("coordinator", "&chapter=00000000-0000-4000-8000-0000000000a4", 11),
        ("coordinator", "&chapter=00000000-0000-4000-8000-0000000000a3", 0),
        ("administrator", "&stage=expiry_warning_7d", 5),
        ("administrator", "&stage=expiry_warning_30d", 14),
        ("administrator", "&stage=expired", 0),
        ("administrator", "&type=type", 45),
        ("administrator", "&type=other", 0),
        ("administrator", "&q=r%C3%A6kke%201", 11),
        ("administrator", "&q=x%25", 40),
        ("administrator", "&q=%25%25", 0),
        ("administrator", "&q=_", 0),
        ("administrator", "&q=%5C", 0),
    ];
    for (who, filter, expected) in counts {
        let found = api.listed(who, &format!("/certifications?limit=200{filter}")).await;
        assert_eq!(found.len(), expected, "{who} {filter}");
    }
}

#[tokio::test]
async fn people_are_in_the_order_of_family_names_also_across_pages() {
    let api = Api::start().await;
    api.database
        .execute(
            "with person as (
               insert into certvakt.people (name, family_name)
               values ('Kari Folk Ås', 'Ås'), ('Anna Folk Ærlig', 'Ærlig'), ('Bo Folk Aasen', 'Aasen'), ('Ola Folk', null),
                 ('Åse Folk Berg', 'Berg'), ('Zoë Folk Berg', 'Berg'), ('Per Folk Østby', 'Østby') returning id)
             insert into certvakt.memberships (organisation_id, chapter_id, person_id, role)
             select c.organisation_id, c.id, person.id, 'mentor' from person, certvakt.chapters c where c.slug = 'own'",
        )
        .await;
    let expected = [
        "Zoë Folk Berg",
        "Åse Folk Berg",
        "Ola Folk",
        "Anna Folk Ærlig",
        "Per Folk Østby",
        "Kari Folk Ås",
        "Bo Folk Aasen",
    ];
    for limit in [1, 2, 200] {
        let (mut names, mut next) = (Vec::new(), String::new());
        loop {
            let page = api.get("coordinator", &format!("/people?q=folk&limit={limit}{next}")).await.body;
            names.extend(
                page["items"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().to_owned()),
            );
            let Some(after) = page["next"].as_str() else { break };
            next = format!("&after={after}");
        }
        assert_eq!(names, expected, "{limit}");
    }
}

#[tokio::test]
async fn names_are_found_with_and_without_their_accents() {
    let api = Api::start().await;
    // More than a sequential scan covers, so that the index is used as well.
    api.database
        .execute(
            "with person as (
               insert into certvakt.people (name)
               select case n when 1 then 'Åse Ødegård' when 590 then 'Bjørn Ærlig' when 595 then 'A\u{30a}sa Strøm'
                 when 598 then '100 % Ola' else 'Mengde ' || n end
               from generate_series(1, 600) n returning id),
             numbered as (select id, row_number() over (order by id) as n from person),
             member as (
               insert into certvakt.memberships (organisation_id, chapter_id, person_id, role)
               select c.organisation_id, c.id, numbered.id, 'mentor' from numbered, certvakt.chapters c where c.slug = 'own')
             insert into public.peer_mentor_certifications
               (organisation_id, chapter_id, peer_mentor_id, certification_type, external_id, expires_at)
             select c.organisation_id, c.id, numbered.id, 'type', 'R-' || numbered.n,
               '2026-07-01T10:00:00Z'::timestamptz + numbered.n * interval '1 hour'
             from numbered, certvakt.chapters c where c.slug = 'own'",
        )
        .await;
    let names = async |who: &str, path: &str| -> Vec<String> {
        let found = api.get(who, path).await.body;
        let items = found["items"].as_array().unwrap_or_else(|| panic!("{path}: {found}"));
        let name = |one: &Value| one["name"].as_str().or(one["mentor"]["name"].as_str()).unwrap().to_owned();
        let mut names: Vec<String> = items.iter().map(name).collect();
        names.sort();
        names
    };
    for (text, expected) in [
        ("ødegård", vec!["Åse Ødegård"]),
        ("ODEGARD", vec!["Åse Ødegård"]),
        ("ØDEG", vec!["Åse Ødegård"]),
        ("O\u{308}degA\u{30a}rd", vec!["Åse Ødegård"]),
        ("æR", vec!["Bjørn Ærlig"]),
        ("aerl", vec!["Bjørn Ærlig"]),
        ("åsa", vec!["A\u{30a}sa Strøm"]),
        ("ås", vec!["A\u{30a}sa Strøm", "Åse Ødegård"]),
        ("%", vec!["100 % Ola"]),
        ("0 %", vec!["100 % Ola"]),
        ("_", vec![]),
        ("nobody", vec![]),
    ] {
        let query: String = form_urlencoded::byte_serialize(text.as_bytes()).collect();
        for list in ["certifications", "people"] {
            let path = format!("/{list}?limit=200&q={query}");
            for who in ["coordinator", "administrator"] {
                assert_eq!(names(who, &path).await, expected, "{who} {path}");
            }
            assert_eq!(names("outsider", &path).await, Vec::<String>::new(), "{path}");
        }
    }
    assert_eq!(names("coordinator", "/certifications?q=r-600").await.len(), 1, "an id in the register");
    // All pages together are the same as one large page, with the scan and with the index.
    for text in ["mengde", "5", "mengde 59"] {
        let (mut paged, mut next) = (Vec::new(), String::new());
        loop {
            let page = api.get("coordinator", &format!("/certifications?limit=7&q={text}{next}")).await.body;
            paged.extend(page["items"].as_array().unwrap().iter().map(|one| one["id"].clone()));
            match page["next"].as_str() {
                Some(after) => next = format!("&after={after}"),
                None => break,
            }
        }
        let folded = text.replace(' ', "%20");
        let expected: i64 = api
            .database
            .value(&format!(
                "select count(*) from public.peer_mentor_certifications c join certvakt.people p on p.id = c.peer_mentor_id
                 where (lower(p.name) like '%{text}%' or lower(c.external_id) like '%{text}%') and c.chapter_id in (
                   select id from certvakt.chapters where slug in ('own', 'below'))"
            ))
            .await;
        let mut once = paged.clone();
        once.sort_by_key(Value::to_string);
        once.dedup();
        assert_eq!((paged.len(), once.len()), (usize::try_from(expected).unwrap(), paged.len()), "{folded}");
    }
}

#[tokio::test]
async fn people_come_by_name_with_what_they_are() {
    let api = Api::start().await;
    let names = async |who: &str, path: &str| -> Vec<String> {
        let found = api.get(who, path).await.body;
        found["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["name"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(names("coordinator", "/people").await, ["Coordinator", "Mentor a2", "Mentor a4"]);
    assert_eq!(names("coordinator", "/people?q=MENTOR").await, ["Mentor a2", "Mentor a4"]);
    let below = "/people?chapter=00000000-0000-4000-8000-0000000000a4";
    assert_eq!(names("coordinator", below).await, ["Mentor a4"]);
    assert_eq!(names("outsider", below).await, Vec::<String>::new());
    let (mut paged, mut next) = (Vec::new(), String::new());
    loop {
        let page = api.get("administrator", &format!("/people?limit=2{next}")).await.body;
        paged.extend(
            page["items"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().to_owned()),
        );
        match page["next"].as_str() {
            Some(after) => next = format!("&after={after}"),
            None => break,
        }
    }
    assert_eq!(paged, names("administrator", "/people").await);
    let shown = api.get("coordinator", "/people/00000000-0000-4000-8000-0000000100a4").await.body;
    assert_eq!(shown["memberships"][0]["role"], "mentor");
    assert_eq!(shown["certifications"][0]["days_left"], 5);
    // A mentor of two chapters is shown with the visible membership only.
    let shown = api.get("both", "/people/00000000-0000-4000-8000-000000000006").await.body;
    let chapters: Vec<&str> = shown["memberships"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["chapter_id"].as_str().unwrap())
        .collect();
    assert_eq!(chapters, ["00000000-0000-4000-8000-0000000000a3"]);
}

#[tokio::test]
async fn notices_and_who_cannot_be_reached_come_the_latest_first() {
    let api = Api::start().await;
    let since = "since=2020-01-01T00:00:00Z";
    for (who, query, expected) in [
        ("coordinator", "", 2),
        ("administrator", "", 5),
        ("mentor", "", 1),
        ("both", "", 3),
        ("former", "", 0),
        ("administrator", "&stage=expiry_warning_7d", 5),
        ("administrator", "&stage=expired", 0),
        ("administrator", "&state=unreachable", 5),
        ("administrator", "&state=delivered", 0),
        ("administrator", "&chapter=00000000-0000-4000-8000-0000000000a4", 1),
        ("administrator", "&chapter=00000000-0000-4000-8000-0000000000b1", 0),
    ] {
        let found = api.get(who, &format!("/notices?{since}{query}")).await.body;
        assert_eq!(found["items"].as_array().unwrap().len(), expected, "{who} {query}: {found}");
    }
    assert_eq!(
        api.get("administrator", "/notices?since=2100-01-01T00:00:00Z").await.body["items"],
        json!([])
    );
    for path in ["/notices?limit=2&since=2020-01-01T00:00:00Z", "/unreachable?limit=2"] {
        let (mut seen, mut next) = (Vec::new(), String::new());
        loop {
            let page = api.get("administrator", &format!("{path}{next}")).await.body;
            seen.extend(page["items"].as_array().unwrap().iter().map(|one| one["id"].as_i64().unwrap()));
            match page["next"].as_str() {
                Some(after) => next = format!("&after={after}"),
                None => break,
            }
        }
        assert_eq!(seen.len(), 5, "{path}");
        assert!(seen.is_sorted_by(|one, other| one > other), "{path}: {seen:?}");
    }
    let unreachable = api.get("coordinator", "/unreachable").await.body;
    assert_eq!(unreachable["items"][0]["mentor"], "Mentor a4", "{unreachable}");
    api.database
        .execute(
            "insert into certvakt.access_closures (resource, reason) values ('certifications', 'a test')",
        )
        .await;
    assert_eq!(api.get("administrator", "/notices").await.status, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn the_whole_at_a_glance_counts_what_may_be_seen() {
    let api = Api::start().await;
    let own = "update public.peer_mentor_certifications set status = 'suspended' where id = '00000000-0000-4000-8000-0000000200a4';
        update public.peer_mentor_certifications set expires_at = null where id = '00000000-0000-4000-8000-0000000200a2';
        update public.peer_mentor_certifications set expires_at = '2026-06-14T20:00:00Z' where id = '00000000-0000-4000-8000-0000000200a3'";
    api.database.execute(own).await;
    let statistics = api.get("administrator", "/statistics").await.body;
    let rows: Vec<Vec<i64>> = statistics
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            [
                "certifications",
                "valid",
                "never_expire",
                "within_90_days",
                "within_30_days",
                "within_7_days",
                "lapsed",
                "suspended",
            ]
            .iter()
            .map(|name| row[name].as_i64().unwrap())
            .collect()
        })
        .collect();
    assert_eq!(
        rows,
        [
            [2, 2, 0, 2, 2, 2, 0, 0],
            [1, 1, 1, 0, 0, 0, 0, 0],
            [1, 0, 0, 0, 0, 0, 1, 0],
            [1, 0, 0, 0, 0, 0, 0, 1],
        ]
    );
    assert_eq!(api.get("mentor", "/statistics").await.body.as_array().unwrap().len(), 1);
    // The last valid day in the top chapter is the 20th, so the stage `expired` is due on the 21st.
    let forecast = api.get("administrator", "/forecast").await.body;
    let organisation = "00000000-0000-4000-8000-0000000000a0";
    assert_eq!(
        forecast,
        json!([{ "organisation_id": organisation, "night": "2026-06-21", "stage": "expired", "notices": 2 }])
    );
    assert_eq!(api.get("administrator", "/forecast?nights=5").await.body, json!([]));
    assert_eq!(api.get("administrator", "/forecast?nights=6").await.body, forecast);
    assert_eq!(
        api.get("coordinator", "/forecast").await.body,
        json!([]),
        "theirs are suspended, or never expire"
    );
    for (who, runs) in
        [("coordinator", 1), ("administrator", 1), ("mentor", 0), ("outsider", 1), ("former", 0)]
    {
        let found = api.get(who, "/runs").await.body;
        // The service has run in the meantime.
        let found = found["items"].as_array().unwrap().iter().filter(|run| run["run_date"] == "2026-06-13");
        assert_eq!(found.count(), runs, "{who}");
    }
    let types = api.get("coordinator", "/certification-types").await.body;
    assert_eq!(types[0]["code"], "type");
    assert_eq!(types.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn filters_and_the_forecast_follow_the_lead_times_of_each_type() {
    let api = Api::start().await;
    let mut declare = api.database.certvakt(["stage", "add", "60"]);
    succeed(declare.env("DATABASE_URL", address(OWNER, &api.database.name)));
    api.database
        .execute(
            "insert into certvakt.certification_types (organisation_id, code, name, lead_times)
               select organisation_id, 'own', 'Egen', '{60,7}' from certvakt.chapters where slug = 'own';
             insert into certvakt.people (id, name)
               select ('00000000-0000-4000-8000-0000000400' || to_char(n, 'FM00'))::uuid, 'Række ' || n from generate_series(1, 6) n;
             insert into public.peer_mentor_certifications (organisation_id, chapter_id, peer_mentor_id, certification_type, external_id, expires_at)
               select organisation_id, c.id, ('00000000-0000-4000-8000-0000000400' || to_char(n, 'FM00'))::uuid,
                 case when n % 2 = 0 then 'type' else 'own' end, 'lead ' || n,
                 case when n < 4 then '2026-07-10T10:00:00Z'::timestamptz else '2026-08-20T10:00:00Z' end
               from generate_series(1, 6) n, certvakt.chapters c where c.slug = 'own'",
        )
        .await;
    for (filter, numbers) in [
        ("stage=expiry_warning_90d", &["4", "6"][..]),
        ("stage=expiry_warning_60d", &["1", "3"]),
        ("stage=expiry_warning_30d", &["2"]),
        ("stage=expiry_warning_30d&type=own", &[]),
        ("stage=expiry_warning_120d", &[]),
    ] {
        for search in ["", "&q=lead"] {
            let page = api.get("administrator", &format!("/certifications?{filter}{search}")).await.body;
            let found = page["items"].as_array().unwrap().iter();
            let found: Vec<&Value> = found
                .filter(|one| one["external_id"].as_str().is_some_and(|id| id.starts_with("lead ")))
                .collect();
            let mut found_numbers: Vec<&str> = found
                .iter()
                .map(|one| one["external_id"].as_str().unwrap().trim_start_matches("lead "))
                .collect();
            found_numbers.sort_unstable();
            assert_eq!(found_numbers, numbers, "{filter}{search}");
            assert!(found.iter().all(|one| filter.contains(one["stage"].as_str().unwrap())), "{found:?}");
        }
    }
    let forecast = api.get("administrator", "/forecast?nights=20").await.body;
    let night = |night: &str, stage: &str| {
        let found =
            forecast.as_array().unwrap().iter().find(|one| one["night"] == night && one["stage"] == stage);
        found.map_or(0, |one| one["notices"].as_i64().unwrap())
    };
    assert_eq!(night("2026-06-21", "expiry_warning_60d"), 1, "{forecast}");
    assert_eq!(night("2026-07-03", "expiry_warning_7d"), 3, "{forecast}");
    let types = api.get("administrator", "/certification-types").await.body;
    let lead_times = types.as_array().unwrap().iter().map(|one| (&one["code"], &one["lead_times"]));
    assert_eq!(
        lead_times.collect::<Vec<_>>(),
        [(&json!("own"), &json!([60, 7])), (&json!("type"), &Value::Null)]
    );
}
