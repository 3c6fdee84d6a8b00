//! The devices on which the caller uses the app.

use crate::store::{StoreError, TenantTx};

/// Gives the caller a device of the app. Another person's moves only with the token that it has now.
/// False: the installation is another person's, whose device has another token.
pub async fn keep_device(tx: &mut TenantTx, installation: &str, token: &str) -> Result<bool, StoreError> {
    let kept = sqlx::query!("select certvakt.keep_device($1, $2)", installation, token).fetch_one(tx).await;
    match kept {
        Ok(_) => Ok(true),
        Err(error) => match error.as_database_error().and_then(|error| error.constraint()) {
            Some("installation_of_another") => Ok(false),
            _ => Err(error.into()),
        },
    }
}

/// Takes a device of the app from who is asking.
pub async fn remove_device(tx: &mut TenantTx, installation: &str) -> Result<(), StoreError> {
    sqlx::query!("select certvakt.remove_device($1)", installation).fetch_one(tx).await?;
    Ok(())
}
