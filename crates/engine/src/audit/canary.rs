//! The leak canary: adds test people to every chapter, queries as each of them, compares the rows that they
//! can read of the others with what the tree of chapters allows, and rolls everything back.
//!
//! The expected rows are computed here from the tree of chapters alone, without the functions that the
//! policies call.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use certvakt_base::Exit;
use certvakt_store::audit::{
    Administrator, CanaryTx, Chapter, MentorInTwoChapters, ProbeResult, TestChapter, TestObjects,
};
use certvakt_store::{CallerClaims, Database, StoreError};
use serde::Serialize;
use uuid::Uuid;

/// An error of the canary.
#[derive(Debug, thiserror::Error)]
pub enum CanaryError {
    /// The database does not recognise the test people.
    #[error(
        "the canary cannot create test people: the database does not recognise them, perhaps because an app replaced certvakt's functions; in that case, test the app's own hierarchy for leaks (docs/supabase.md)"
    )]
    CannotPlant,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl CanaryError {
    /// The stable code, as listed in `docs/errors.md`.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::CannotPlant => "canary-unsupported",
            Self::Store(error) => error.code(),
        }
    }

    /// The exit status.
    pub const fn exit(&self) -> Exit {
        match self {
            Self::CannotPlant => Exit::ProblemFound,
            Self::Store(error) => error.exit(),
        }
    }
}

/// The result of queries of one table, view or function by one kind of person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct QueryResult {
    /// The table, view or function.
    pub of: String,
    /// The kind of person: `nobody`, `stranger`, `mentor`, `coordinator`, `org_admin`.
    pub kind: &'static str,
    /// The number of people who queried.
    pub asked: i64,
    /// The number of people whose query was refused.
    pub refused: i64,
    /// The number of people who got an error, which can hide rows that another query would return.
    pub failed: i64,
    /// The number of test objects that they read and may read.
    pub seen: i64,
    /// The number of test objects that they read but must not read.
    pub leaked: i64,
}

/// The findings of the canary.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The number of chapters with test people.
    pub chapters: usize,
    /// The results, by queried object and kind of person.
    pub sights: Vec<QueryResult>,
    /// The leaks: the queried object, the caller, and whose data was read. At most a hundred.
    pub leaks: Vec<String>,
    /// The codes of the errors, with the queried object.
    pub failures: BTreeSet<String>,
    /// The number of coordinators who could not read a test certification of their own chapter or of its
    /// mentors: a policy is missing, or access is closed.
    pub blind: usize,
}

impl Report {
    /// Whether every test person read exactly what they are allowed to.
    pub fn is_clean(&self) -> bool {
        self.blind == 0 && self.failures.is_empty() && self.sights.iter().all(|sight| sight.leaked == 0)
    }
}

/// The table in which coordinators must be able to read the certifications of their own chapter.
const CERTIFICATIONS: &str = "public.peer_mentor_certifications";
/// The maximum number of listed leaks.
const MOST_LISTED: usize = 100;

/// Adds the test people, queries as each of them, and rolls everything back.
pub async fn run(database: &Database, progress: &indicatif::ProgressBar) -> Result<Report, CanaryError> {
    let mut tx = database.canary().await?;
    let report = ask_all(&mut tx, progress).await;
    tx.rollback().await?;
    report
}

/// A test person who queries.
struct Viewer {
    kind: &'static str,
    person: Uuid,
    /// The test objects that they may read.
    may: HashSet<Uuid>,
}

async fn ask_all(tx: &mut CanaryTx, progress: &indicatif::ProgressBar) -> Result<Report, CanaryError> {
    let chapters = tx.chapters().await?;
    let nest = TestData::new(&chapters);
    let issuer = nest.issuer();
    tx.plant(&nest.plants, &issuer).await?;
    if let Some(one) = nest.plants.chapters.first() {
        let asking = CallerClaims { issuer: &issuer, subject: &one.coordinator.to_string(), session: None };
        if !tx.knows(&asking, one.coordinator, one.chapter.id).await? {
            return Err(CanaryError::CannotPlant);
        }
    }
    let reachable = tx.reachable().await?;
    let viewers = nest.viewers();
    let all = nest.all();
    progress.set_length((viewers.len() * reachable.len()) as u64);
    let mut sights: BTreeMap<(String, &'static str), QueryResult> = BTreeMap::new();
    let (mut leaks, mut failures, mut seers) = (Vec::new(), BTreeSet::new(), HashSet::new());
    for viewer in &viewers {
        let subject = viewer.person.to_string();
        let asking = CallerClaims { issuer: &issuer, subject: &subject, session: None };
        let asking = (viewer.kind != "nobody").then_some(&asking);
        for one in &reachable {
            let answer = tx.ask(one, asking, &all).await?;
            let sight = sights.entry((one.name.clone(), viewer.kind)).or_insert_with(|| QueryResult {
                of: one.name.clone(),
                kind: viewer.kind,
                asked: 0,
                refused: 0,
                failed: 0,
                seen: 0,
                leaked: 0,
            });
            sight.asked += 1;
            let rows = match answer {
                ProbeResult::Rows(rows) => rows,
                ProbeResult::Refused => {
                    sight.refused += 1;
                    Vec::new()
                }
                ProbeResult::Failed(code, said) => {
                    sight.failed += 1;
                    failures.insert(format!("{code} of {}", one.name));
                    vec![said]
                }
            };
            let found: BTreeSet<Uuid> = rows.iter().flat_map(|row| nest.planted_in(row)).collect();
            for id in found {
                if viewer.may.contains(&id) {
                    sight.seen += 1;
                    if one.name == CERTIFICATIONS {
                        seers.insert((viewer.person, id));
                    }
                } else {
                    sight.leaked += 1;
                    if leaks.len() < MOST_LISTED {
                        leaks.push(format!(
                            "{} shows {} to {}",
                            one.name,
                            nest.describe(id),
                            nest.describe(viewer.person)
                        ));
                    }
                }
            }
            progress.inc(1);
        }
    }
    let blind = nest.least().filter(|sight| !seers.contains(sight)).count();
    Ok(Report { chapters: chapters.len(), sights: sights.into_values().collect(), leaks, failures, blind })
}

/// The test objects. Their ids start with the same 64 random bits, so they can be found in any row.
struct TestData {
    mark: u64,
    plants: TestObjects,
    above: HashMap<Uuid, Option<Uuid>>,
}

impl TestData {
    fn new(chapters: &[Chapter]) -> Self {
        let mark = u64::from_be_bytes(Uuid::new_v4().as_bytes()[..8].try_into().unwrap_or_default());
        let mut next = 0_u64;
        let mut id = || {
            next += 1;
            Uuid::from_u64_pair(mark, next)
        };
        let planted: Vec<TestChapter> = chapters
            .iter()
            .map(|chapter| TestChapter {
                chapter: *chapter,
                mentor: id(),
                certification: id(),
                coordinator: id(),
            })
            .collect();
        let first_chapters: BTreeMap<Uuid, Uuid> =
            chapters.iter().rev().map(|chapter| (chapter.organisation_id, chapter.id)).collect();
        let administrators = first_chapters
            .into_iter()
            .map(|(organisation_id, chapter_id)| Administrator { person: id(), organisation_id, chapter_id })
            .collect();
        let above = chapters.iter().map(|chapter| (chapter.id, chapter.parent_id)).collect();
        let mut organisations: BTreeMap<Uuid, Vec<Chapter>> = BTreeMap::new();
        for chapter in chapters {
            organisations.entry(chapter.organisation_id).or_default().push(*chapter);
        }
        let wanderers = organisations
            .into_values()
            .filter_map(|chapters| apart(&chapters, &above))
            .map(|(certified_in, elsewhere)| MentorInTwoChapters {
                person: id(),
                certification: id(),
                certified_in,
                elsewhere,
            })
            .collect();
        Self { mark, plants: TestObjects { chapters: planted, administrators, wanderers }, above }
    }

    /// The issuer of the test logins, which no real issuer uses, and the code of the test type.
    fn issuer(&self) -> String {
        format!("canary-{:016x}", self.mark)
    }

    fn all(&self) -> Vec<Uuid> {
        self.within(|_| true).into_iter().collect()
    }

    /// The certifications that people must be able to read: coordinators those of their chapter and its
    /// mentors.
    fn least(&self) -> impl Iterator<Item = (Uuid, Uuid)> + '_ {
        let own = self.plants.chapters.iter().map(|one| (one.coordinator, one.certification));
        let elsewhere = self.plants.wanderers.iter().flat_map(|wanderer| {
            let chapters = self.plants.chapters.iter().filter(|one| one.chapter == wanderer.elsewhere);
            chapters.map(|one| (one.coordinator, wanderer.certification))
        });
        own.chain(elsewhere)
    }

    fn viewers(&self) -> Vec<Viewer> {
        let mut viewers = vec![
            Viewer { kind: "nobody", person: Uuid::nil(), may: HashSet::new() },
            Viewer { kind: "stranger", person: Uuid::from_u64_pair(self.mark, 0), may: HashSet::new() },
        ];
        for one in &self.plants.chapters {
            viewers.push(Viewer {
                kind: "mentor",
                person: one.mentor,
                may: [one.mentor, one.certification].into(),
            });
            let mut may = self.within(|chapter| is_within(&self.above, chapter.id, one.chapter.id));
            may.insert(one.coordinator);
            viewers.push(Viewer { kind: "coordinator", person: one.coordinator, may });
        }
        for one in &self.plants.wanderers {
            viewers.push(Viewer {
                kind: "mentor",
                person: one.person,
                may: [one.person, one.certification].into(),
            });
        }
        for one in &self.plants.administrators {
            let may = self.within(|chapter| chapter.organisation_id == one.organisation_id);
            viewers.push(Viewer { kind: "org_admin", person: one.person, may });
        }
        viewers
    }

    /// The test objects in the chapters for which a condition holds.
    fn within(&self, holds: impl Fn(&Chapter) -> bool) -> HashSet<Uuid> {
        let TestObjects { chapters, administrators, wanderers } = &self.plants;
        let of_chapters = chapters
            .iter()
            .filter(|one| holds(&one.chapter))
            .flat_map(|one| [one.mentor, one.certification, one.coordinator]);
        let of_wanderers = wanderers
            .iter()
            .filter(|one| holds(&one.certified_in) || holds(&one.elsewhere))
            .flat_map(|one| [one.person, one.certification]);
        let administrators = administrators.iter().filter(|one| {
            chapters.iter().any(|planted| planted.chapter.id == one.chapter_id && holds(&planted.chapter))
        });
        of_chapters.chain(of_wanderers).chain(administrators.map(|one| one.person)).collect()
    }

    /// The ids of test objects in a row.
    fn planted_in<'a>(&self, row: &'a str) -> impl Iterator<Item = Uuid> + 'a {
        let whole = Uuid::from_u64_pair(self.mark, 0).to_string();
        let beginning = whole[..19].to_owned();
        row.match_indices(&beginning)
            .filter_map(|(at, _)| row.get(at..at + 36)?.parse().ok())
            .collect::<Vec<Uuid>>()
            .into_iter()
    }

    fn describe(&self, id: Uuid) -> String {
        let TestObjects { chapters, administrators, wanderers } = &self.plants;
        for one in chapters {
            let what = match id {
                id if id == one.mentor => "the mentor",
                id if id == one.certification => "the certification",
                id if id == one.coordinator => "the coordinator",
                _ => continue,
            };
            return format!("{what} planted in chapter {}", one.chapter.id);
        }
        if let Some(one) = wanderers.iter().find(|one| [one.person, one.certification].contains(&id)) {
            let what = if id == one.person { "the mentor" } else { "the certification of the mentor" };
            let (certified_in, elsewhere) = (one.certified_in.id, one.elsewhere.id);
            return format!("{what} planted in the chapters {certified_in} and {elsewhere}");
        }
        match administrators.iter().find(|one| one.person == id) {
            Some(one) => format!("the administrator planted in organisation {}", one.organisation_id),
            None => "somebody who has not signed in or whom nobody knows".to_owned(),
        }
    }
}

/// Two chapters, neither above the other if possible; `None` if there is only one chapter.
fn apart(chapters: &[Chapter], above: &HashMap<Uuid, Option<Uuid>>) -> Option<(Chapter, Chapter)> {
    let mut pairs = chapters
        .iter()
        .enumerate()
        .flat_map(|(place, one)| chapters[place + 1..].iter().map(move |other| (*one, *other)));
    let first = pairs.clone().next();
    pairs
        .find(|(one, other)| !is_within(above, one.id, other.id) && !is_within(above, other.id, one.id))
        .or(first)
}

fn is_within(above: &HashMap<Uuid, Option<Uuid>>, chapter: Uuid, top: Uuid) -> bool {
    let mut at = Some(chapter);
    while let Some(id) = at {
        if id == top {
            return true;
        }
        at = above.get(&id).copied().flatten();
    }
    false
}
