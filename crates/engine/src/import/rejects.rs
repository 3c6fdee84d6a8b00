//! The rejected rows of an import: the first ones for its result, all of them for a file.

use std::fs::File;
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use certvakt_base::private;
use certvakt_rules::text::csv_cell;
use certvakt_store::RegistrarTx;
use certvakt_store::import as staging;
use serde::{Deserialize, Serialize};

use super::error::ImportError;

/// The number of rejected rows in a result.
pub const SHOWN: usize = 10;
/// The number of rejected rows of a register that was sent on a page, which a person corrects.
pub(super) const MOST_INSPECTED: usize = 1_000;

/// A rejected row or contact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reject {
    /// Its line in the file, from 1.
    pub line: i64,
    /// The field at fault.
    pub column: String,
    /// The reason, which never contains a value.
    pub reason: String,
    /// Whether the rest of the row was imported: an invalid contact does not reject the row.
    pub is_row_imported: bool,
    /// The stable code, if the row could be read, but the person who sent the register may not import it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

/// Opens the file for rejects before the import, so that the import does not fail at its end. The file keeps
/// its content until it is replaced.
pub(super) fn open(file: &Path, register: &File) -> Result<File, ImportError> {
    let failed = |cause| ImportError::Rejects { file: file.display().to_string(), cause };
    let opened = private::open(File::options().truncate(false).write(true), file).map_err(failed)?;
    let place = |found: std::fs::Metadata| (found.dev(), found.ino());
    let is_register = register
        .metadata()
        .is_ok_and(|found| opened.metadata().is_ok_and(|rejects| place(rejects) == place(found)));
    if is_register {
        return Err(failed(std::io::Error::other("it is the register itself")));
    }
    Ok(opened)
}

/// Writes all rejected rows to the file, and returns the first ones, at most `shown`.
pub(super) async fn write(
    tx: &mut RegistrarTx,
    path: Option<&Path>,
    file: Option<File>,
    shown: usize,
) -> Result<Vec<Reject>, ImportError> {
    let failed = |cause: std::io::Error| ImportError::Rejects {
        file: path.map(|file| file.display().to_string()).unwrap_or_default(),
        cause,
    };
    if let Some(file) = &file {
        file.set_len(0).map_err(failed)?;
    }
    let mut writer = file.map(csv::Writer::from_writer);
    if let Some(writer) = &mut writer {
        writer
            .write_record(["line", "column", "reason", "external_id", "row_imported"])
            .map_err(|error| failed(error.into()))?;
    }
    let mut first = Vec::new();
    let mut after = (0, String::new());
    loop {
        let page = staging::rejects(tx, after.0, &after.1).await?;
        let Some(last) = page.last() else { break };
        after = (last.line, last.column.clone());
        for reject in page {
            if let Some(writer) = &mut writer {
                let line = reject.line.to_string();
                let id = reject.external_id.as_deref().unwrap_or_default();
                let is_imported = if reject.is_row_imported { "yes" } else { "no" };
                writer
                    .write_record([
                        line.as_str(),
                        &reject.column,
                        &csv_cell(&reject.reason),
                        &csv_cell(id),
                        is_imported,
                    ])
                    .map_err(|error| failed(error.into()))?;
            }
            if first.len() < shown {
                first.push(Reject {
                    line: reject.line,
                    column: reject.column,
                    reason: reject.reason,
                    is_row_imported: reject.is_row_imported,
                    code: reject.code,
                });
            }
        }
        if writer.is_none() && first.len() >= shown {
            break;
        }
    }
    if let Some(writer) = writer {
        let mut file = writer.into_inner().map_err(|error| failed(error.into_error()))?;
        file.flush().map_err(failed)?;
    }
    Ok(first)
}
