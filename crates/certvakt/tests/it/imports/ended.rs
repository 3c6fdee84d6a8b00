//! Registers that still contain people who died or left.

use super::{Desk, counts, rejects};
use crate::harness::superuser;
use sqlx::{AssertSqlSafe, Executor};

#[tokio::test]
async fn rows_of_people_who_ended_are_rejected_until_they_are_back() {
    let desk = Desk::new().await;
    desk.take("id,expires\n1,2027-01-31\n2,2027-01-31\n", &[]);
    let ended = "from public.peer_mentor_certifications c where c.external_id = '1'";
    let record = |kind: &str| {
        format!(
            "insert into certvakt.person_changes (organisation_id, person_id, kind) select c.organisation_id, c.peer_mentor_id, '{kind}' {ended}"
        )
    };
    desk.database
        .execute(&format!(
            "delete from certvakt.memberships where person_id = (select c.peer_mentor_id {ended})"
        ))
        .await;
    desk.database.execute(&record("left")).await;
    let newer = "id,expires,old\n1,2028-01-31,\n2,2028-01-31,\n3,2028-01-31,1\n";
    let imported = desk.take(newer, &["--column", "replaces=old"]);
    assert_eq!(counts(&imported), [0, 1, 0, 2], "{imported}");
    let reasons = format!("{:?}", rejects(&imported));
    assert!(reasons.contains("died or left") && reasons.contains("replaces"), "{reasons}");
    assert_eq!(desk.certifications().await.len(), 2, "no certification was added");

    desk.database.execute(&record("returned")).await;
    let imported = desk.take("id,expires\n1,2028-01-31\n2,2028-01-31\n", &[]);
    assert_eq!(counts(&imported)[3], 0, "{imported}");
}

#[tokio::test]
async fn nothing_is_added_for_people_who_ended() {
    let desk = Desk::new().await;
    desk.take("id,expires\n1,2027-01-31\n", &[]);
    desk.database
        .execute(
            "insert into certvakt.person_changes (organisation_id, person_id, kind)
             select organisation_id, peer_mentor_id, 'deceased' from public.peer_mentor_certifications",
        )
        .await;
    for add in [
        "insert into certvakt.memberships (organisation_id, chapter_id, person_id, role)
         select organisation_id, chapter_id, peer_mentor_id, 'coordinator' from public.peer_mentor_certifications",
        "insert into public.peer_mentor_certifications (organisation_id, chapter_id, peer_mentor_id, certification_type)
         select organisation_id, chapter_id, peer_mentor_id, certification_type from public.peer_mentor_certifications",
    ] {
        let refused = superuser(&desk.database.name).await.execute(AssertSqlSafe(add)).await.unwrap_err();
        assert_eq!(refused.as_database_error().unwrap().constraint(), Some("person_ended"), "{refused}");
    }
}
