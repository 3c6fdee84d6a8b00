//! The leak canary: it finds nothing with our policies, and finds a bad policy, view or function.

use serde_json::Value;

use crate::harness::{TestDatabase, fail};

const WORLD: &str = concat!(
    include_str!("../../../../supabase/tests/fixtures/world.psql"),
    include_str!("../../../../supabase/tests/fixtures/certified.psql")
);

async fn world() -> TestDatabase {
    let database = TestDatabase::new().await;
    database.execute(WORLD).await;
    database
}

/// The numbers of test objects that a kind of person read of a table: their own, and others'.
fn saw(report: &Value, of: &str, kind: &str) -> (i64, i64) {
    let sight =
        report["sights"].as_array().unwrap().iter().find(|one| one["of"] == of && one["kind"] == kind);
    let sight = sight.unwrap_or_else(|| panic!("nothing of {of} for {kind}: {report}"));
    (sight["seen"].as_i64().unwrap(), sight["leaked"].as_i64().unwrap())
}

#[tokio::test]
async fn with_our_policies_everybody_sees_their_own_rows_and_nothing_remains() {
    let database = world().await;
    let everything = "select concat_ws(' ', (select count(*) from certvakt.people), (select count(*) from certvakt.identities),
        (select count(*) from public.peer_mentor_certifications), (select count(*) from public.cert_notification_log),
        (select count(*) from certvakt.certification_changes), (select count(*) from certvakt.certification_types))";
    let before: String = database.value(everything).await;
    let report = database.json(["audit", "canary"]);
    assert_eq!(report["chapters"], 5);
    // Of five chapters, in trees of four and of one: coordinators see 4 + 2 + 1 + 1 + 1.
    let certifications = "public.peer_mentor_certifications";
    // Each certification and its mentor. One more mentor is in two chapters, which three coordinators see.
    assert_eq!(saw(&report, certifications, "mentor"), (2 * 6, 0));
    assert_eq!(saw(&report, certifications, "coordinator"), (2 * (9 + 3), 0));
    assert_eq!(saw(&report, certifications, "org_admin"), (2 * 6, 0));
    // Two of them from the chapter that did not certify; so does the administrator, who sees it anyway.
    assert_eq!(saw(&report, "certvakt.visible_elsewhere()", "coordinator"), (2, 0));
    assert_eq!(saw(&report, "certvakt.visible_elsewhere()", "org_admin"), (1, 0));
    for kind in ["nobody", "stranger"] {
        assert_eq!(saw(&report, certifications, kind), (0, 0));
    }
    assert_eq!(saw(&report, "certvakt.notices_of(uuid[])", "coordinator"), (9 + 3, 0));
    for of in
        ["certvakt.people", "certvakt.memberships", "certvakt.contact_points", "certvakt.visible_elsewhere()"]
    {
        saw(&report, of, "coordinator");
    }
    assert_eq!(database.value::<String>(everything).await, before);
    let table = database.ok(["audit", "canary"]);
    assert!(table.contains("Every test person read exactly what they are allowed to."), "{table}");
}

#[tokio::test]
async fn a_bad_policy_view_or_function_is_found_anywhere() {
    let bad = [
        (
            "create policy everybody on public.peer_mentor_certifications for select to authenticated using (true)",
            "public.peer_mentor_certifications",
        ),
        (
            // Every member sees the whole organisation.
            "create policy organisation on certvakt.people for select to authenticated using (exists (
               select from certvakt.memberships m where m.person_id = people.id
                 and m.organisation_id = any ((select certvakt.current_organisations())::uuid[])));
             create policy organisation on certvakt.memberships for select to authenticated using (
               organisation_id = any ((select certvakt.current_organisations())::uuid[]))",
            "certvakt.people",
        ),
        (
            "create view public.overview as select * from public.peer_mentor_certifications; grant select on public.overview to authenticated",
            "public.overview",
        ),
        (
            "create function public.find(id uuid) returns text language sql security definer
               as $$ select person.id || name from certvakt.people person where person.id = find.id $$;
             grant execute on function public.find to authenticated",
            "public.find(uuid)",
        ),
        (
            "create or replace function certvakt.visible_chapters() returns uuid[] language sql stable security definer set search_path = ''
               as $$ select array_agg(id) from certvakt.chapters where organisation_id = any (certvakt.current_organisations()) $$",
            "public.peer_mentor_certifications",
        ),
        (
            "create or replace function certvakt.visible_elsewhere() returns uuid[] language sql stable security definer set search_path = ''
               as $$ select array_agg(certification_id) from certvakt.certifications_elsewhere $$",
            "public.peer_mentor_certifications",
        ),
        (
            // An error for every id that is not a person's.
            "create function public.find(id uuid) returns text language plpgsql security definer as $$
               begin
                 if not exists (select from certvakt.people person where person.id = find.id) then raise 'nobody'; end if;
                 return id;
               end $$;
             grant execute on function public.find to authenticated",
            "public.find(uuid)",
        ),
        (
            // An error that reveals data.
            "create view public.overview as select name::int from certvakt.people where name like 'canary %'; grant select on public.overview to authenticated;
             alter view public.overview owner to postgres",
            "public.overview",
        ),
        (
            "alter table certvakt.contact_points disable row level security",
            "certvakt.contact_points",
        ),
    ];
    for (sql, of) in bad {
        let database = world().await;
        database.execute(sql).await;
        let output = database.certvakt(["audit", "canary", "--output", "json"]).output().unwrap();
        assert_eq!((output.status.code(), &*output.stderr), (Some(1), b"".as_slice()), "{sql}");
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let leaked: i64 = ["nobody", "stranger", "mentor", "coordinator", "org_admin"]
            .map(|kind| saw(&report, of, kind).1)
            .iter()
            .sum();
        assert!(leaked > 0, "{sql}: {report}");
    }
}

#[tokio::test]
async fn a_leak_is_a_line_of_the_table() {
    let database = world().await;
    database.execute("alter table certvakt.contact_points disable row level security").await;
    let output = database.certvakt(["audit", "canary"]).output().unwrap();
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(table.contains("LEAK: certvakt.contact_points shows"), "{table}");
}

#[tokio::test]
async fn a_canary_that_reads_nothing_reports_a_problem() {
    let database = world().await;
    database.execute("drop policy people_see on public.peer_mentor_certifications").await;
    fail(&mut database.certvakt(["audit", "canary"]), 1);
}

#[tokio::test]
async fn a_canary_that_gets_an_error_reports_a_problem() {
    let database = world().await;
    database
        .execute(
            "create view public.overview with (security_invoker = true) as
               select 1 / (count(*) - count(*)) as many from public.peer_mentor_certifications;
             grant select on public.overview to authenticated",
        )
        .await;
    let output = database.certvakt(["audit", "canary"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(
        table.contains("An error can hide a leak") && table.contains("ERROR: 22012 of public.overview"),
        "{table}"
    );
}
