//! The devices with the app that the caller uses.

use crate::error::on_constraint;
use crate::{CallerTx, StoreError};

/// Registers a device of the caller. To take over another person's device, the caller needs its current
/// token. Returns false if the installation belongs to another person, and its device has a different token.
pub async fn register_device(tx: &mut CallerTx, installation: &str, token: &str) -> Result<bool, StoreError> {
    let kept =
        sqlx::query!("select certvakt.register_device($1, $2)", installation, token).fetch_one(tx).await;
    on_constraint(kept.map(|_| true), |name| (name == "installation_of_another").then_some(Ok(false)))
}

/// Removes a device of the caller.
pub async fn remove_device(tx: &mut CallerTx, installation: &str) -> Result<(), StoreError> {
    sqlx::query!("select certvakt.remove_device($1)", installation).fetch_one(tx).await?;
    Ok(())
}
