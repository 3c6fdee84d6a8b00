//! The leak canary's way to data: it plants people and asks as them, and everything is rolled back.

use sqlx::{AssertSqlSafe, PgPool};
use uuid::Uuid;

use crate::store::{Asking, RegistrarTx, StoreError};

/// A transaction in which people are planted. There is no way to commit it.
#[derive(Debug)]
pub struct CanaryTx(RegistrarTx);

/// A chapter, as the canary needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chapter {
    /// Its id.
    pub id: Uuid,
    /// Its organisation.
    pub organisation_id: Uuid,
    /// The chapter above it.
    pub parent_id: Option<Uuid>,
}

/// What is planted in a chapter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Planted {
    /// The chapter.
    pub chapter: Chapter,
    /// A person who is its mentor.
    pub mentor: Uuid,
    /// The mentor's certification.
    pub certification: Uuid,
    /// A person who coordinates it.
    pub coordinator: Uuid,
}

/// An administrator who is planted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Administrator {
    /// The person.
    pub person: Uuid,
    /// Of which organisation.
    pub organisation_id: Uuid,
    /// A member of which of its chapters.
    pub chapter_id: Uuid,
}

/// Something that people can ask: a table, a view or a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reachable {
    /// Its name; a function's with its arguments' types.
    pub name: String,
    /// A query of one column of text, whose `$1` is everything planted.
    sql: String,
}

impl CanaryTx {
    pub(in crate::store) async fn begin(pool: &PgPool) -> Result<Self, StoreError> {
        RegistrarTx::begin(pool).await.map(Self)
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

    /// Plants people, who sign in as `issuer` and their own id.
    pub async fn plant(
        &mut self,
        planted: &[Planted],
        administrators: &[Administrator],
        issuer: &str,
    ) -> Result<(), StoreError> {
        let column = |of: fn(&Planted) -> Uuid| planted.iter().map(of).collect::<Vec<_>>();
        let column_of = |of: fn(&Administrator) -> Uuid| administrators.iter().map(of).collect::<Vec<_>>();
        let certifications = column(|one| one.certification);
        sqlx::query_file!(
            "src/store/audit/plant.sql",
            &column(|one| one.chapter.id),
            &column(|one| one.chapter.organisation_id),
            &column(|one| one.mentor),
            &certifications,
            &column(|one| one.coordinator),
            &column_of(|one| one.organisation_id),
            &column_of(|one| one.chapter_id),
            &column_of(|one| one.person),
            issuer,
        )
        .execute(&mut self.0)
        .await?;
        self.play("certvakt_worker", "").await?;
        sqlx::query_file!("src/store/audit/notify.sql", &certifications).execute(&mut self.0).await?;
        self.play("certvakt_registrar", "").await
    }

    /// Everything that people can ask, as the catalogue knows it.
    pub async fn reachable(&mut self) -> Result<Vec<Reachable>, StoreError> {
        let relations = sqlx::query_file!("src/store/audit/relations.sql").fetch_all(&mut self.0).await?;
        let functions = sqlx::query_file!("src/store/audit/functions.sql").fetch_all(&mut self.0).await?;
        let relations = relations.into_iter().map(|one| Reachable {
            sql: format!(
                "select to_jsonb(x)::text from (select {} from {}) x where $1::uuid[] is not null",
                one.columns, one.name
            ),
            name: one.name,
        });
        let functions = functions.into_iter().map(|one| {
            let given: Vec<String> = one.arguments.iter().map(|kind| argument(kind)).collect();
            // One that is told nothing is asked once.
            let planted = if given.is_empty() {
                "(select $1::uuid[]) as planted"
            } else {
                "unnest($1::uuid[]) as planted (id)"
            };
            Reachable {
                sql: format!(
                    "select to_jsonb(x)::text from {planted}, lateral {}({}) x",
                    one.name,
                    given.join(", ")
                ),
                name: format!("{}({})", one.name, one.arguments.join(", ")),
            }
        });
        Ok(relations.chain(functions).collect())
    }

    /// Asks as somebody, or as nobody, and takes back what that did. None: they are refused.
    pub async fn ask(
        &mut self,
        reachable: &Reachable,
        asking: Option<&Asking<'_>>,
        planted: &[Uuid],
    ) -> Result<Option<Vec<String>>, StoreError> {
        let claims = match asking {
            Some(asking) => {
                serde_json::to_string(asking).map_err(|error| StoreError::Other(error.to_string()))?
            }
            None => String::new(),
        };
        sqlx::query("savepoint canary").execute(&mut self.0).await?;
        self.play("authenticated", &claims).await?;
        let rows: Result<Vec<Option<String>>, sqlx::Error> =
            sqlx::query_scalar(AssertSqlSafe(reachable.sql.clone()))
                .bind(planted)
                .fetch_all(&mut self.0)
                .await;
        sqlx::query("rollback to savepoint canary").execute(&mut self.0).await?;
        match rows {
            Ok(rows) => Ok(Some(rows.into_iter().flatten().collect())),
            // What the database itself refuses tells nothing; a connection that went away does not count as that.
            Err(sqlx::Error::Database(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
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

    /// Takes everything back.
    pub async fn rollback(self) -> Result<(), StoreError> {
        self.0.rollback().await
    }
}

/// What a function is given for an argument of a type.
fn argument(kind: &str) -> String {
    match kind {
        "uuid" => "planted.id".to_owned(),
        "uuid[]" => "array[planted.id]".to_owned(),
        "text" => "planted.id::text".to_owned(),
        other => format!("null::{other}"),
    }
}
