//! People who are known to two organisations: neither register changes the data of the other.

use super::{Desk, take_in};
use crate::stand_in::{MailServer, StandIn};

const COLUMNS: &[&str] = &["--column", "name=name", "email=mail", "push_token=device"];

/// The organisation `org` has certified somebody as 1, and `other` the same person as 9.
async fn desk(name: &str, mail: &str, device: &str) -> Desk {
    let desk = Desk::new().await;
    desk.take(format!("id,expires,name,mail,device\n1,2026-06-20,{name},{mail},{device}\n"), COLUMNS);
    desk.database.add_organisation("other", "Europe/Oslo");
    desk.database
        .execute(
            "with other as (
               select h.organisation_id, h.id, c.peer_mentor_id, c.expires_at
               from certvakt.organisations o join certvakt.chapters h on h.organisation_id = o.id,
                 public.peer_mentor_certifications c
               where o.slug = 'other'
             ),
             member as (
               insert into certvakt.memberships (organisation_id, chapter_id, person_id, role)
               select organisation_id, id, peer_mentor_id, 'mentor' from other
             )
             insert into public.peer_mentor_certifications
               (organisation_id, chapter_id, peer_mentor_id, certification_type, external_id, expires_at)
             select organisation_id, id, peer_mentor_id, 'type', '9', expires_at from other",
        )
        .await;
    desk
}

/// The register of `other`.
fn other_says(desk: &Desk, name: &str, mail: &str, device: &str) {
    let register = format!("id,expires,name,mail,device\n9,2026-06-20,{name},{mail},{device}\n");
    take_in(&mut desk.command_for("other", "type", &desk.file("other.csv", register), COLUMNS));
}

#[tokio::test]
async fn names_and_addresses_are_each_organisations_own() {
    let desk = desk("Åse", "ok-a@example.org", "d1").await;
    other_says(&desk, "Eve", "ok-b@example.org", "d2");
    let known: String = desk
        .database
        .value(
            "select string_agg(concat_ws(' ', o.slug, k.kind, k.said), ', ' order by o.slug, k.kind)
             from (
               select organisation_id, 'name' as kind, name as said from certvakt.person_names
               union all select organisation_id, kind, address from certvakt.contact_points
             ) k join certvakt.organisations o on o.id = k.organisation_id",
        )
        .await;
    assert_eq!(
        known,
        "org email ok-a@example.org, org name Åse, org push d1, \
         other email ok-b@example.org, other name Eve, other push d2"
    );

    let server = MailServer::start(None);
    let config = server.config("");
    let mailed = |date: &str| {
        desk.database.json(["run", "--date", date]);
        let before = server.mails().len();
        desk.database.work(&format!("{date}T12:00:00+02:00"), &config);
        let mut mails: Vec<String> = server.mails()[before..]
            .iter()
            .map(|mail| {
                let text = mail["parts"][0]["text"].as_str().unwrap();
                let name = ["Åse", "Eve"].into_iter().find(|name| text.contains(&format!("Hei {name}")));
                format!("{} {}", name.unwrap_or(text), mail["headers"]["to"].as_str().unwrap())
            })
            .collect();
        mails.sort();
        mails
    };
    assert_eq!(mailed("2026-06-15"), ["Eve ok-b@example.org", "Åse ok-a@example.org"]);
    // The person's own address takes precedence over registers.
    desk.database
        .execute(
            "insert into certvakt.contact_points (person_id, kind, address)
             select distinct peer_mentor_id, 'email', 'ok-own@example.org' from public.peer_mentor_certifications",
        )
        .await;
    assert_eq!(mailed("2026-06-21"), ["Eve ok-own@example.org", "Åse ok-own@example.org"]);
}

#[tokio::test]
async fn a_mentor_with_contacts_from_another_organisation_only_is_unreachable() {
    let desk = desk("Åse", "", "").await;
    other_says(&desk, "Eve", "", "ok-2");
    let stand_in = StandIn::start();
    let config = stand_in.config("[\"fcm\"]", "");
    desk.database.json(["run", "--date", "2026-06-15"]);
    desk.database.work("2026-06-15T12:00:00+02:00", &config);
    assert_eq!(desk.database.notices("1").await, ["expiry_warning_7d 2026-06-13 unreachable"]);
    assert_eq!(desk.database.notices("9").await, ["expiry_warning_7d 2026-06-13 delivered"]);
}

#[tokio::test]
async fn no_register_takes_a_device_from_its_owner() {
    let desk = desk("Åse", "", "").await;
    desk.database
        .execute(
            "with owner as (insert into certvakt.people default values returning id)
             insert into certvakt.contact_points (person_id, kind, address, installation)
             select id, 'push', 'own', 'phone' from owner",
        )
        .await;
    other_says(&desk, "Åse", "", "own");
    let holders: String = desk
        .database
        .value("select string_agg(coalesce(installation, 'register'), ' ') from certvakt.contact_points where address = 'own'")
        .await;
    assert_eq!(holders, "phone");
}
