//! Lists: pages and filters.

use reqwest::StatusCode;
use serde_json::Value;

use super::Api;

#[tokio::test]
async fn a_list_goes_on_page_by_page_and_holds_each_once() {
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
