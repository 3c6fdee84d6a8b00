//! The first run: a token with which the first organisation can be set up in a browser. Only its hash is stored.

use super::{RegistrarTx, StoreError};

/// Replaces the setup token by one that is accepted for an hour. Returns false if there is an organisation already.
pub async fn offer(tx: &mut RegistrarTx, token_hash: [u8; 32]) -> Result<bool, StoreError> {
    let offered = sqlx::query!(
        "insert into certvakt.installation (setup_hash, setup_ends_at)
         select $1, now() + interval '1 hour' where not exists (select from certvakt.organisations)
         on conflict (only_row) do update set setup_hash = excluded.setup_hash, setup_ends_at = excluded.setup_ends_at",
        &token_hash,
    );
    Ok(offered.execute(tx).await?.rows_affected() > 0)
}

/// Whether a setup token is accepted now.
pub async fn is_open(tx: &mut RegistrarTx, token_hash: [u8; 32]) -> Result<bool, StoreError> {
    let open = sqlx::query_scalar!(
        r#"select exists (select from certvakt.installation where setup_hash = $1 and setup_ends_at > now()) as "is_open!""#,
        &token_hash,
    );
    Ok(open.fetch_one(tx).await?)
}

/// Uses a setup token up. Returns false if it is not accepted. A concurrent use waits for this transaction, and so does the
/// first organisation of a command.
pub async fn claim(tx: &mut RegistrarTx, token_hash: [u8; 32]) -> Result<bool, StoreError> {
    let claimed = sqlx::query!(
        "update certvakt.installation set setup_hash = null, setup_ends_at = null
         where setup_hash = $1 and setup_ends_at > now()",
        &token_hash,
    );
    Ok(claimed.execute(tx).await?.rows_affected() > 0)
}
