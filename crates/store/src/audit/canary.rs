//! The leak canary's database access: it adds test people, queries as each of them, and rolls everything
//! back.

use certvakt_base::clock::Clock;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, PgPool};
use uuid::Uuid;

use crate::{CallerClaims, RegistrarTx, StoreError};

/// The transaction with the test people, which cannot be committed.
#[derive(Debug)]
pub struct CanaryTx(RegistrarTx);

/// A chapter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chapter {
    /// The chapter's id.
    pub id: Uuid,
    /// The chapter's organisation.
    pub organisation_id: Uuid,
    /// The parent chapter.
    pub parent_id: Option<Uuid>,
}

/// The test objects in a chapter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TestChapter {
    /// The chapter.
    pub chapter: Chapter,
    /// A test mentor of the chapter.
    pub mentor: Uuid,
    /// The mentor's certification.
    pub certification: Uuid,
    /// A test coordinator of the chapter.
    pub coordinator: Uuid,
}

/// A test administrator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Administrator {
    /// The person.
    pub person: Uuid,
    /// The organisation.
    pub organisation_id: Uuid,
    /// The chapter of the administrator's membership.
    pub chapter_id: Uuid,
}

/// A test mentor in two chapters of an organisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MentorInTwoChapters {
    /// The person.
    pub person: Uuid,
    /// The mentor's certification.
    pub certification: Uuid,
    /// The chapter that certified the mentor.
    pub certified_in: Chapter,
    /// The other chapter.
    pub elsewhere: Chapter,
}

/// All test objects.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TestObjects {
    /// The test objects in each chapter.
    pub chapters: Vec<TestChapter>,
    /// The test administrator of each organisation.
    pub administrators: Vec<Administrator>,
    /// A mentor in two chapters, for each organisation with several chapters.
    pub wanderers: Vec<MentorInTwoChapters>,
}

/// A table, view or function that people can query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reachable {
    /// The name; for a function, with the types of its arguments.
    pub name: String,
    /// A query of one column of text.
    sql: String,
    /// Whether it is called once for each test id, as `$1`.
    is_of_each: bool,
}

/// The result of a query by a test person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProbeResult {
    /// Rows.
    Rows(Vec<String>),
    /// The person may not query it.
    Refused,
    /// An error, with its code and message. It can hide rows that another query would return.
    Failed(String, String),
}

impl CanaryTx {
    pub(crate) async fn begin(pool: &PgPool) -> Result<Self, StoreError> {
        RegistrarTx::begin(pool, &Clock::system(), None).await.map(Self)
    }

    /// Every chapter.
    pub async fn chapters(&mut self) -> Result<Vec<Chapter>, StoreError> {
        Ok(sqlx::query_as!(
            Chapter,
            "select id, organisation_id, parent_id from certvakt.chapters order by id"
        )
        .fetch_all(&mut self.0)
        .await?)
    }

    /// Adds the test people, whose logins have `issuer` and their own id.
    pub async fn plant(&mut self, plants: &TestObjects, issuer: &str) -> Result<(), StoreError> {
        let chapters = plants.chapters.iter().map(|one| {
            json!({
                "id": one.chapter.id,
                "organisation_id": one.chapter.organisation_id,
                "mentor": one.mentor,
                "certification": one.certification,
                "coordinator": one.coordinator,
            })
        });
        let organisations = plants.administrators.iter().map(|one| {
            json!({
                "id": one.organisation_id,
                "chapter_id": one.chapter_id,
                "administrator": one.person,
            })
        });
        let wanderers = plants.wanderers.iter().map(|one| {
            json!({
                "organisation_id": one.certified_in.organisation_id,
                "certified_in": one.certified_in.id,
                "elsewhere": one.elsewhere.id,
                "mentor": one.person,
                "certification": one.certification,
            })
        });
        sqlx::query_file!(
            "src/audit/insert_test_data.sql",
            chapters.collect::<Value>(),
            organisations.collect::<Value>(),
            wanderers.collect::<Value>(),
            issuer,
        )
        .execute(&mut self.0)
        .await?;
        let of_chapters = plants.chapters.iter().map(|one| one.certification);
        let certifications: Vec<Uuid> =
            of_chapters.chain(plants.wanderers.iter().map(|one| one.certification)).collect();
        self.play("certvakt_worker", "").await?;
        sqlx::query_file!("src/audit/notify.sql", &certifications).execute(&mut self.0).await?;
        self.play("certvakt_registrar", "").await
    }

    /// Whether the database recognises the caller as a test person of a chapter.
    pub async fn knows(
        &mut self,
        asking: &CallerClaims<'_>,
        person: Uuid,
        chapter: Uuid,
    ) -> Result<bool, StoreError> {
        self.play("authenticated", &claims(Some(asking))?).await?;
        let knows = sqlx::query_scalar!(
            r#"select certvakt.current_person() is not distinct from $1 and exists (
                 select from certvakt.visible_memberships where person_id = $1 and chapter_id = $2) as "knows!""#,
            person,
            chapter,
        )
        .fetch_one(&mut self.0)
        .await?;
        self.play("certvakt_registrar", "").await?;
        Ok(knows)
    }

    /// All tables, views and functions that people can query, according to the catalogue.
    pub async fn reachable(&mut self) -> Result<Vec<Reachable>, StoreError> {
        let relations = sqlx::query_file!("src/audit/relations.sql").fetch_all(&mut self.0).await?;
        let functions = sqlx::query_file!("src/audit/functions.sql").fetch_all(&mut self.0).await?;
        let relations = relations.into_iter().map(|one| Reachable {
            sql: format!("select to_jsonb(x)::text from (select {} from {}) x", one.columns, one.name),
            name: one.name,
            is_of_each: false,
        });
        let functions = functions.into_iter().map(|one| {
            let given: Vec<String> = one.arguments.iter().map(|kind| argument(kind)).collect();
            Reachable {
                sql: format!("select to_jsonb(x)::text from {}({}) x", one.name, given.join(", ")),
                name: format!("{}({})", one.name, one.arguments.join(", ")),
                is_of_each: !given.is_empty(),
            }
        });
        Ok(relations.chain(functions).collect())
    }

    /// Queries as a person, or without a login, and rolls back the effects.
    pub async fn ask(
        &mut self,
        reachable: &Reachable,
        asking: Option<&CallerClaims<'_>>,
        planted: &[Uuid],
    ) -> Result<ProbeResult, StoreError> {
        sqlx::query("savepoint canary").execute(&mut self.0).await?;
        if reachable.is_of_each {
            let planted = planted.iter().map(Uuid::to_string).collect::<Vec<_>>().join(",");
            sqlx::query!(
                "select set_config('certvakt.call', $1, true) as call, set_config('certvakt.planted', $2, true) as planted",
                reachable.sql,
                format!("{{{planted}}}"),
            )
            .fetch_one(&mut self.0)
            .await?;
        }
        self.play("authenticated", &claims(asking)?).await?;
        let rows = self.answers(reachable).await;
        sqlx::query("rollback to savepoint canary").execute(&mut self.0).await?;
        match rows {
            Ok(rows) => Ok(ProbeResult::Rows(rows)),
            Err(sqlx::Error::Database(error)) => match error.code().as_deref() {
                Some("42501") => Ok(ProbeResult::Refused),
                code => {
                    Ok(ProbeResult::Failed(code.unwrap_or_default().to_owned(), error.message().to_owned()))
                }
            },
            Err(error) => Err(error.into()),
        }
    }

    async fn answers(&mut self, reachable: &Reachable) -> Result<Vec<String>, sqlx::Error> {
        if !reachable.is_of_each {
            let query = sqlx::query_scalar(AssertSqlSafe(reachable.sql.clone()));
            let rows: Vec<Option<String>> = query.fetch_all(&mut self.0).await?;
            return Ok(rows.into_iter().flatten().collect());
        }
        sqlx::query_file!("src/audit/call.sql").execute(&mut self.0).await?;
        let answered = sqlx::query_scalar!(r#"select current_setting('certvakt.answered') as "answered!""#)
            .fetch_one(&mut self.0)
            .await?;
        Ok(answered.lines().map(ToOwned::to_owned).collect())
    }

    async fn play(&mut self, role: &str, claims: &str) -> Result<(), StoreError> {
        sqlx::query!(
            "select set_config('role', $1, true) as role, set_config('request.jwt.claims', $2, true) as claims",
            role,
            claims
        )
        .fetch_one(&mut self.0)
        .await?;
        Ok(())
    }

    /// Rolls everything back.
    pub async fn rollback(self) -> Result<(), StoreError> {
        self.0.rollback().await
    }
}

/// The value of `request.jwt.claims` for a caller; empty without a login.
fn claims(asking: Option<&CallerClaims<'_>>) -> Result<String, StoreError> {
    asking.map_or(Ok(String::new()), |asking| {
        serde_json::to_string(asking).map_err(|error| StoreError::Other(error.to_string()))
    })
}

/// The value for a function's argument of a type; `$1` is the id of a test object.
fn argument(kind: &str) -> String {
    match kind {
        "uuid" => "$1".to_owned(),
        "uuid[]" => "array[$1]".to_owned(),
        "text" => "$1::text".to_owned(),
        other => format!("null::{other}"),
    }
}
