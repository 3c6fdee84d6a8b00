//! A generated register with invented people.

use std::path::Path;

use certvakt_rules::stage::shift;
use chrono::NaiveDate;

/// The number of mentors in a chapter's register.
const MENTORS: usize = 167;

/// An organisation of the sample.
pub(super) struct Organisation {
    pub(super) slug: &'static str,
    pub(super) name: &'static str,
    /// Slug and name.
    pub(super) chapters: [(&'static str, &'static str); 4],
}

pub(super) const ORGANISATIONS: [Organisation; 3] = [
    Organisation {
        slug: "horsel",
        name: "Eksempel Hørselslag",
        chapters: [("oslo", "Oslo"), ("ostlandet", "Østlandet"), ("more", "Møre"), ("tromso", "Tromsø")],
    },
    Organisation {
        slug: "syn",
        name: "Eksempel Synslag",
        chapters: [
            ("bergen", "Bergen"),
            ("sorlandet", "Sørlandet"),
            ("trondelag", "Trøndelag"),
            ("bodo", "Bodø"),
        ],
    },
    Organisation {
        slug: "foreldre",
        name: "Eksempel Foreldrelag",
        chapters: [
            ("vest", "Vest"),
            ("innlandet", "Innlandet"),
            ("agder", "Agder"),
            ("finnmark", "Finnmark"),
        ],
    },
];

/// The mentor whom a visitor of `serve --demo` can be: the first one of this chapter.
pub(super) const MENTOR: (&str, &str) = ("oslo", "Mona Mentor");

/// The other people whom a visitor can be: who they are, their name, organisation, chapters and role.
pub(super) const PEOPLE: [(&str, &str, &str, &[&str], &str); 3] = [
    ("coordinator", "Kåre Koordinator", "horsel", &["oslo", "ostlandet"], "coordinator"),
    ("administrator", "Ada Administrator", "horsel", &["oslo"], "org_admin"),
    ("outsider", "Øyvind Utenfor", "syn", &["bergen"], "coordinator"),
];

const FIRST: [&str; 40] = [
    "Anne",
    "Åse",
    "Bjørn",
    "Bjørg",
    "Dag",
    "Eirin",
    "Eli",
    "Frøydis",
    "Geir",
    "Gro",
    "Håkon",
    "Hæge",
    "Ida",
    "Ingrid",
    "Jørgen",
    "Kåre",
    "Kari",
    "Lærke",
    "Liv",
    "Magnus",
    "Målfrid",
    "Nils",
    "Nora",
    "Ola",
    "Øystein",
    "Per",
    "Ragnhild",
    "Rønnaug",
    "Sæbjørg",
    "Sigrid",
    "Solfrid",
    "Sølvi",
    "Terje",
    "Tora",
    "Tuva",
    "Ulrik",
    "Vegard",
    "Vigdis",
    "Yngve",
    "Åshild",
];

const LAST: [&str; 40] = [
    "Aasen",
    "Bakke",
    "Bjørnstad",
    "Dahl",
    "Eide",
    "Fjellså",
    "Fosså",
    "Gjerde",
    "Grønli",
    "Hagen",
    "Håland",
    "Haugen",
    "Hæstad",
    "Iversvik",
    "Kråkenes",
    "Kvåle",
    "Langås",
    "Lien",
    "Løkken",
    "Moen",
    "Myhre",
    "Mælen",
    "Nesbø",
    "Næss",
    "Ødegård",
    "Øverby",
    "Ruud",
    "Rønning",
    "Sætre",
    "Sandvik",
    "Skår",
    "Solberg",
    "Sørli",
    "Tangen",
    "Tømmerås",
    "Ulvestad",
    "Vik",
    "Ytterøy",
    "Åmot",
    "Årdal",
];

/// Writes a chapter's register, and returns its number of mentors. Their certifications end between 45 days
/// ago and two years ahead, so that every stage occurs and most certifications are in none.
pub(super) fn write(path: &Path, chapter: &str, today: NaiveDate, seed: u64) -> Result<usize, csv::Error> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut phones = fastrand::Rng::with_seed(!seed);
    let mut register = csv::WriterBuilder::new().delimiter(b';').from_path(path)?;
    register.write_record(["Medlemsnr", "Navn", "Gyldig til", "Telefon", "Enhet"])?;
    for number in 0..MENTORS {
        let id = format!("{chapter}-{:04}", number + 1);
        let name = format!("{} {}", FIRST[random.usize(..FIRST.len())], LAST[random.usize(..LAST.len())]);
        let name = if (chapter, number) == (MENTOR.0, 0) { MENTOR.1.to_owned() } else { name };
        let expires = shift(today, random.i64(-45..=700));
        // A third has none. No Norwegian number of eight digits begins with 1, so these belong to nobody.
        let phone =
            if number % 3 == 0 { String::new() } else { format!("+471{:07}", phones.u32(..10_000_000)) };
        // The token tells the stand-in how to respond.
        let device = match random.u8(..100) {
            0..5 => String::new(),
            5..9 => format!("gone-{:016x}", random.u64(..)),
            _ => format!("ok-{:016x}", random.u64(..)),
        };
        register.write_record([id, name, expires.format("%d.%m.%Y").to_string(), phone, device])?;
    }
    register.flush()?;
    Ok(MENTORS)
}
