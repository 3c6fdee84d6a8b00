//! `certvakt doctor`

use super::App;
use crate::error::{Error, Exit};

/// To be written
#[derive(Debug, clap::Args)]
pub(super) struct Args {}

pub(super) async fn run(_args: Args, _app: &App) -> Result<Exit, Error> {
    Ok(Exit::Success)
}
