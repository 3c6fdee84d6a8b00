//! The caller's person, with their roles.

use uuid::Uuid;

use crate::{CallerTx, Role, StoreError};

/// The person who is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// The person's id.
    pub person_id: Uuid,
    /// The person's name.
    pub name: Option<String>,
    /// The language that the person chose, if any.
    pub locale: Option<String>,
    /// The person's roles, in any chapter.
    pub roles: Vec<Role>,
}

impl Profile {
    /// The highest role. A person without a membership was certified by a chapter that they left.
    pub fn role(&self) -> Role {
        self.roles.iter().max().copied().unwrap_or(Role::Mentor)
    }
}

/// The caller's profile; `None` if no person is linked to the login.
pub async fn profile(tx: &mut CallerTx) -> Result<Option<Profile>, StoreError> {
    let found = sqlx::query!(
        r#"select p.id, p.locale, coalesce(p.name, (
             select n.name from certvakt.person_names n where n.person_id = p.id order by n.organisation_id limit 1)) as name,
             array(select distinct m.role from certvakt.visible_memberships m where m.person_id = p.id) as "roles!"
           from certvakt.people p where p.id = (select certvakt.current_person())"#
    );
    let found = found.fetch_optional(tx).await?;
    Ok(found.map(|row| Profile {
        person_id: row.id,
        name: row.name,
        locale: row.locale,
        roles: row.roles.iter().filter_map(|role| role.parse().ok()).collect(),
    }))
}
