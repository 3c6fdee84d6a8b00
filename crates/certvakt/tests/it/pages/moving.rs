//! The forms that move mentors to another chapter.

use reqwest::Method;

use super::people::mentor;
use super::{certification, element, send, signed_in};
use crate::sign_in::{TestService, between};

#[tokio::test]
async fn a_mentor_moves_with_the_certifications_of_the_chapter() {
    let place = TestService::start("").await;
    let database = &place.database;
    let mut browser = signed_in(&place, "coordinator").await;
    let path = certification("a2");
    let whereabouts = format!(
        "select string_agg(distinct h.name, ',') || ' ' || (select string_agg(m.role || ' ' || b.name, ',') from certvakt.memberships m
           join certvakt.chapters b on b.id = m.chapter_id where m.person_id = '{}')
         from public.peer_mentor_certifications c join certvakt.chapters h on h.id = c.chapter_id where c.peer_mentor_id = '{}'",
        mentor("a2"),
        mentor("a2")
    );
    let form = browser.get(&format!("{path}/moves")).await;
    assert!(form.text.contains(">Below</option>") && !form.text.contains(">Beside<"), "{}", form.text);
    // No chapter, the present one, one that the coordinator does not manage, and one of another organisation.
    for chapter in ["", "a2", "a3", "b1", "nowhere"] {
        let chapter = format!("00000000-0000-4000-8000-0000000000{chapter}");
        let refused = send(&mut browser, &form, &[("chapter", &chapter)]).await;
        assert_eq!(refused.status, 422, "{chapter}: {}", refused.text);
        assert!(
            element(&refused, "title").starts_with("Feil: ") && refused.text.contains("href=\"#chapter\"")
        );
    }
    assert_eq!(database.value::<String>(&whereabouts).await, "Own mentor Own");
    let below = "00000000-0000-4000-8000-0000000000a4";
    for _ in 0..2 {
        let moved = send(&mut browser, &form, &[("chapter", below)]).await;
        assert_eq!(moved.status, 303, "{}", moved.text);
        let page = browser.get(&moved.location.unwrap()).await;
        assert_eq!(element(&page, "h1"), "Flyttet: Mentor a2, Below, Type, 20. juni 2026");
        assert_eq!(page.text.matches("Flyttet fra Own til Below.").count(), 1, "{}", page.text);
        assert_eq!(database.value::<String>(&whereabouts).await, "Below mentor Below");
    }
    let text = database.ok(["explain", path.rsplit('/').next().unwrap()]);
    assert!(text.contains(": the mentor moved from Own to Below"), "{text}");
    // The person who moved them can undo it, for a day.
    let undo = "Angre flyttingen: tilbake til Own";
    let mut administrator = signed_in(&place, "administrator").await;
    assert!(!administrator.get(&path).await.text.contains("Angre flyttingen"));
    let page = browser.get(&path).await;
    let rest = page.text.split_once("/moves\">").unwrap().1;
    let undoing = rest.split_once("</form>").unwrap().0;
    assert!(undoing.contains(undo), "{}", page.text);
    let field = |name: &str| between(undoing, &format!("name=\"{name}\" value=\""), "\"");
    let fields = ["csrf", "from", "chapter"].map(|name| (name, field(name)));
    let fields = fields.each_ref().map(|(name, value)| (*name, value.as_str()));
    for _ in 0..2 {
        let moved = browser.send(Method::POST, &format!("{path}/moves"), &fields).await;
        assert_eq!(moved.status, 303, "{}", moved.text);
        assert_eq!(database.value::<String>(&whereabouts).await, "Own mentor Own");
    }
    let page = browser.get(&path).await;
    assert_eq!(page.text.matches("Flyttet fra Below til Own.").count(), 1, "{}", page.text);
    database.execute("update certvakt.person_changes set made_at = made_at - interval '1 day'").await;
    assert!(!browser.get(&path).await.text.contains("Angre flyttingen"));

    // An administrator moves them out of the coordinator's sight; the other chapters keep what they had.
    let form = administrator.get(&format!("{path}/moves")).await;
    let moved = send(&mut administrator, &form, &[("chapter", "00000000-0000-4000-8000-0000000000a3")]).await;
    assert_eq!(moved.status, 303, "{}", moved.text);
    assert_eq!(browser.get(&path).await.status, 404);
    let mut other = signed_in(&place, "both").await;
    assert_eq!(other.get(&path).await.status, 200);
}

#[tokio::test]
async fn all_mentors_of_a_chapter_move_after_a_check_and_chapters_without_a_coordinator_are_an_alarm() {
    let place = TestService::start("").await;
    let database = &place.database;
    let mut coordinator = signed_in(&place, "coordinator").await;
    let mut administrator = signed_in(&place, "administrator").await;
    // `Top` has mentors, and nobody coordinates it; `Below` is below the coordinator's chapter.
    let alarm = "Ett lokallag har likepersoner, men ingen koordinator: Top.";
    assert!(administrator.get("/today").await.text.contains(alarm));
    assert!(!coordinator.get("/today").await.text.contains("ingen koordinator"));
    let page = administrator.get("/chapters").await;
    assert_eq!(element(&page, "h1"), "Lokallag");
    let row = |name: &str| {
        let row = page.text.split_once(&format!("<h2>{name}</h2>")).unwrap().1.split("</li>").next().unwrap();
        row.to_owned()
    };
    assert!(
        row("Top").contains("class=\"bad\">Ingen koordinator") && row("Top").contains("2 likepersoner"),
        "{}",
        page.text
    );
    assert!(row("Own").contains("Coordinator") && row("Own").contains("Én likeperson"), "{}", page.text);
    assert!(row("Below").contains("Ingen egen koordinator") && !page.text.contains("Other"), "{}", page.text);
    assert!(!coordinator.get("/chapters").await.text.contains("/moves"));

    let (top, own) = ("00000000-0000-4000-8000-0000000000a1", "00000000-0000-4000-8000-0000000000a2");
    let form = administrator.get(&format!("/chapters/{top}/moves")).await;
    for chapter in ["", top, "00000000-0000-4000-8000-0000000000b1"] {
        let refused = send(&mut administrator, &form, &[("chapter", chapter)]).await;
        assert_eq!(refused.status, 422, "{}", refused.text);
        assert!(
            element(&refused, "title").starts_with("Feil: ") && refused.text.contains("href=\"#chapter\"")
        );
    }
    let check = send(&mut administrator, &form, &[("chapter", own)]).await;
    assert!(check.status == 200 && check.text.contains("<strong>Own</strong>"), "{}", check.text);
    let edited = send(&mut administrator, &check, &[("step", "edit")]).await;
    assert!(edited.text.contains("selected>Own</option>"), "{}", edited.text);
    let mentors =
        "select count(*) from certvakt.memberships m join certvakt.chapters h on h.id = m.chapter_id
        where h.slug = 'top' and m.role = 'mentor'";
    assert_eq!(database.value::<i64>(mentors).await, 2, "nobody has moved yet");
    for _ in 0..2 {
        let moved = send(&mut administrator, &check, &[("step", "save")]).await;
        assert_eq!(moved.status, 303, "{}", moved.text);
        let page = administrator.get(&moved.location.unwrap()).await;
        assert_eq!(element(&page, "h1"), "Likepersonene er flyttet til Own");
    }
    let now: String = database
        .value(&format!(
            "select concat_ws(' ', (select count(*) from public.peer_mentor_certifications where chapter_id = '{top}'),
               (select count(*) from public.peer_mentor_certifications where chapter_id = '{own}'),
               (select string_agg(role, ',') from certvakt.memberships where chapter_id = '{top}'),
               (select count(*) from certvakt.person_changes where kind = 'moved'))"
        ))
        .await;
    assert_eq!(now, "0 3 org_admin 2");
    assert!(!administrator.get("/today").await.text.contains("ingen koordinator"));

    // The operator sees the alarm too.
    database.execute("delete from certvakt.memberships where role = 'coordinator' and chapter_id <> '00000000-0000-4000-8000-0000000000b1'").await;
    let mut status = database.certvakt(["status"]);
    let text = String::from_utf8(status.output().unwrap().stdout).unwrap();
    for chapter in ["Own", "Beside", "Below"] {
        assert!(text.contains(&format!("NO COORDINATOR: {chapter} of a has mentors")), "{text}");
    }
    assert!(!text.contains("of b has mentors"), "{text}");
}
