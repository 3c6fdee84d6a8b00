//! `certvakt import`

mod undo;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use certvakt_base::Exit;
use certvakt_engine::import::names::Names;
use certvakt_engine::import::{
    self, ChangedColumns, ImportError, Imported, MissingCertifications, MissingChange, NewChapters, Options,
    REJECTS_SHOWN, ReadingOptions, guess, process,
};
use certvakt_store::import::Source;
use certvakt_store::{mapping, organisation};

use super::App;
use super::reading_args::ReadingArgs;
use crate::error::Error;
use crate::output::{count, print, progress, table};

/// Import a register: delimited text (CSV, TSV), or a workbook (XLSX, XLSB, ODS)
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  certvakt import register.csv --organisation hlf --chapter oslo --type likeperson \\\n    \
    --column external_id=Medlemsnr --column name=Navn --column expires_at=\"Gyldig til\" --dry-run\n\n\
    Required fields: external_id, expires_at. Optional: issued_at, name, email, phone, language, push_token,\n\
    status, suspended_until, person_id, chapter, type, replaces. Columns for the parts of a name, or for several\n\
    addresses, have + between them: name=Fornavn+Etternavn.\n\
    A later date is a renewal, an earlier one a correction. Rejected rows are written to --rejects;\n\
    the others are imported. --guess proposes the columns. Exit status 3: the file looks wrong as a whole,\n\
    and nothing was imported without --approve. Exit status 5: the file cannot be read, and nothing was\n\
    imported."
)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of the command line")]
pub(super) struct Args {
    #[command(subcommand)]
    what: Option<What>,
    /// The register's file
    #[arg(required = true)]
    file: Option<PathBuf>,
    /// Propose the columns from the header and the values, and import nothing
    #[arg(long)]
    guess: bool,
    /// The organisation's short name
    #[arg(long, value_name = "SLUG", required_unless_present = "guess")]
    organisation: Option<String>,
    /// Create the chapters that rows name and the organisation does not have
    #[arg(long)]
    add_chapters: bool,
    /// The short name of the chapter below which chapters are created [default: the top level]
    #[arg(long, value_name = "SLUG", requires = "add_chapters")]
    under: Option<String>,
    #[command(flatten)]
    reading: ReadingArgs,
    /// The name of a saved mapping, whose options the others override
    #[arg(long, value_name = "NAME", conflicts_with = "guess")]
    mapping: Option<String>,
    /// Save the options as a mapping with this name, if the import succeeds
    #[arg(long, value_name = "NAME", value_parser = super::mapping::name, conflicts_with = "guess")]
    save_as: Option<String>,
    /// The CSV file to write rejected rows to
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
    /// Import even if the whole file looks wrong: too many rejected rows or changed dates
    #[arg(long)]
    approve: bool,
    /// Show the result, and change nothing
    #[arg(long)]
    dry_run: bool,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// List the last imports of an organisation
    #[command(after_help = "Example:\n  certvakt import list --organisation hlf")]
    List(undo::List),
    /// Undo an import of the last 30 days, except what was changed since
    #[command(after_help = "Example:\n  certvakt import undo 17 --dry-run\n\n\
        A notice that was sent cannot be taken back: its certification is corrected, or suspended if the import\n\
        had added it.")]
    Undo(undo::Undo),
}

pub(super) async fn run(args: Args, app: &App) -> Result<Exit, Error> {
    match args.what {
        Some(What::List(list)) => return undo::list(list, app).await,
        Some(What::Undo(which)) => return undo::undo(which, app).await,
        None => {}
    }
    let file = args.file.clone().unwrap_or_default();
    if args.guess {
        return propose(&args, &file, app).await;
    }
    let database = app.database().await?;
    let organisation = args.organisation.unwrap_or_default();
    let given = args.reading.options()?;
    let (reading, header) = match &args.mapping {
        None => (given, Vec::new()),
        Some(name) => {
            let mut tx = database.registrar().await?;
            let id = organisation::id_of(&mut tx, &organisation).await?;
            let saved = mapping::named(&mut tx, id, None, name).await?;
            let options = ReadingOptions::of(&saved.name, &saved.options).map_err(ImportError::Options)?;
            (given.over(options), saved.header)
        }
    };
    let options = Options {
        name: file.display().to_string(),
        file: Arc::new(process::open(&file)?),
        organisation,
        chapter: reading.chapter.clone(),
        new_chapters: match (args.add_chapters, args.under) {
            (_, Some(slug)) => NewChapters::AddUnder(slug),
            (true, None) => NewChapters::Add,
            (false, None) => NewChapters::Reject,
        },
        layout: reading.layout().map_err(ImportError::Options)?,
        missing: reading.missing().map_err(ImportError::Options)?,
        reading,
        header,
        save_as: args.save_as,
        rejects: args.rejects,
        approve: args.approve,
        dry_run: args.dry_run,
        inspect: false,
        same_people: Vec::new(),
        now: app.clock.now(),
        rejects_shown: REJECTS_SHOWN,
        source: Source::Operator,
    };
    let bar = progress(0, "reading");
    bar.enable_steady_tick(Duration::from_millis(250));
    let imported = import::import(database, &app.config.import, &options, &bar).await?;
    bar.finish_and_clear();
    print(app.format, &imported, |imported| text(imported, &options))?;
    Ok(Exit::Success)
}

/// Proposes the columns of a file.
async fn propose(args: &Args, path: &Path, app: &App) -> Result<Exit, Error> {
    let name = path.display().to_string();
    // The organisation's chapters and types, by which columns are recognised.
    let known = match &args.organisation {
        None => guess::Known::default(),
        Some(organisation) => {
            let mut tx = app.database().await?.registrar().await?;
            let id = organisation::id_of(&mut tx, organisation).await?;
            guess::Known {
                chapters: Some(Names::chapters(organisation::chapters(&mut tx, id).await?, false)),
                types: Some(Names::types(organisation::types(&mut tx, id).await?)),
            }
        }
    };
    let bar = progress(0, "reading");
    let (file, config) = (process::open(path)?, &app.config.import);
    let found = guess::guess(file, &name, config, &args.reading.location()?, &known, &bar)?;
    bar.finish_and_clear();
    let command = command_line(args, &name, &found);
    print(app.format, &serde_json::json!({ "guess": found, "command": command }), |_| {
        let rows =
            found.columns.iter().map(|one| [one.field.to_owned(), one.column.clone(), one.reason.to_owned()]);
        let mut text = table(["Field", "Column", "By its"], rows).to_string();
        if !found.missing.is_empty() {
            text += &format!("\nNo column was found for {}: add it.", found.missing.join(" and "));
        }
        if found.date_formats.len() > 1 {
            text += &format!(
                "\nThe file does not show which date format is right ({}): choose one.",
                found.date_formats.join(" or ")
            );
        }
        text + &format!("\n\nNothing was imported. Check the columns, then try:\n  {command}")
    })?;
    Ok(Exit::Success)
}

/// The command line that a proposal leads to.
fn command_line(args: &Args, file: &str, found: &guess::Guess) -> String {
    let or =
        |given: &Option<String>, placeholder: &str| given.as_deref().map_or(placeholder.to_owned(), quoted);
    let mut command =
        format!("certvakt import {} --organisation {}", quoted(file), or(&args.organisation, "SLUG"));
    let has = |field: &str| found.columns.iter().any(|one| one.field == field);
    if args.reading.chapter.is_some() || !has("chapter") {
        command += &format!(" --chapter {}", or(&args.reading.chapter, "SLUG"));
    }
    if args.reading.certification_type.is_some() || !has("type") {
        command += &format!(" --type {}", or(&args.reading.certification_type, "CODE"));
    }
    for (at, one) in found.columns.iter().enumerate() {
        command += if at == 0 { " --column " } else { " " };
        command += &format!("{}={}", one.field, quoted(&one.column));
    }
    match found.date_formats[..] {
        [] => {}
        [format] => command += &format!(" --date-format {format}"),
        [..] => command += " --date-format FORM",
    }
    for (option, given) in args.reading.given_location() {
        if let Some(given) = given {
            command += &format!(" --{option} {}", quoted(&given));
        }
    }
    command + " --dry-run"
}

/// A word of a shell's command line (POSIX, section 2.2).
fn quoted(text: &str) -> String {
    let is_plain = |char: char| char.is_alphanumeric() || "._-/".contains(char);
    if !text.is_empty() && text.chars().all(is_plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

fn certifications(number: i64) -> String {
    match number {
        1 => "1 certification".to_owned(),
        several => format!("{} certifications", count(several)),
    }
}

/// What happened to the certifications that are missing from the file.
fn missing_text(missing: &MissingCertifications, verb: &str) -> String {
    if missing.number == 0 {
        return String::new();
    }
    let more = if i64::try_from(missing.first.len()).is_ok_and(|shown| shown < missing.number) {
        ", …"
    } else {
        ""
    };
    let what = match missing.change {
        MissingChange::Report if missing.kept_for_rejects => {
            "; they stay, because rows were rejected (--missing-despite-rejects)".to_owned()
        }
        MissingChange::Report => "; --missing suspend or withdraw changes them".to_owned(),
        MissingChange::Suspend => format!(", and {verb} suspended"),
        MissingChange::Withdraw => format!(", and {verb} withdrawn"),
    };
    format!(
        "\nMissing from the file: {} ({}{more}){what}.",
        certifications(missing.number),
        missing.first.join(", ")
    )
}

fn text(imported: &Imported, options: &Options) -> String {
    let numbers = [
        imported.counts.read,
        imported.counts.added,
        imported.counts.updated,
        imported.counts.unchanged,
        imported.counts.duplicate,
        imported.counts.rejected,
        imported.counts.renewed,
        imported.counts.corrected,
    ];
    let headings = ["Read", "Added", "Updated", "Unchanged", "Duplicate", "Rejected", "Renewed", "Corrected"];
    let mut text = table(headings, [numbers.map(count)]).to_string();
    if imported.dry_run {
        text += "\nNothing was changed: this was a dry run.";
    }
    if let Some(hold) = &imported.hold {
        text += &format!("\nWithout --approve, this import would be held: {hold}.");
    }
    let verb = if imported.dry_run { "would be" } else { "were" };
    if imported.counts.contacts_rejected > 0 {
        text += &format!(
            "\n{} cannot be used; the rows {verb} imported without them.",
            match imported.counts.contacts_rejected {
                1 => "1 contact".to_owned(),
                several => format!("{} contacts", count(several)),
            }
        );
    }
    if imported.counts.replaced > 0 {
        text += &format!("\n{} {verb} replaced by a new number.", certifications(imported.counts.replaced));
    }
    text += &missing_text(&imported.missing, verb);
    let ChangedColumns { added, removed } = &imported.changed_columns;
    for (columns, what) in [(added, "New"), (removed, "Missing")] {
        if !columns.is_empty() {
            text += &format!("\n{what} columns, compared with the mapping: {}.", columns.join(", "));
        }
    }
    if !imported.new_chapters.is_empty() {
        let names = imported.new_chapters.iter().map(|one| format!("{} ({})", one.name, one.slug));
        text += &format!("\nNew chapters: {}.", names.collect::<Vec<_>>().join(", "));
    }
    for one in &imported.shared_expiries {
        text += &format!(
            "\n{} rows have the expiry '{}': use --never {} if it means that they do not expire.",
            count(i64::try_from(one.rows).unwrap_or(i64::MAX)),
            one.value,
            quoted(&one.value),
        );
    }
    if !imported.unknown.is_empty() {
        let rows = imported.unknown.iter().map(|one| {
            let nearest = one.nearest.clone().unwrap_or_default();
            [one.field.to_owned(), one.value.clone(), one.rows.to_string(), nearest]
        });
        text += &format!(
            "\n\nUnknown; --add-chapters creates the chapters:\n{}",
            table(["Field", "Value", "Rows", "Nearest"], rows)
        );
    }
    let reported = imported.counts.duplicate + imported.counts.rejected + imported.counts.contacts_rejected;
    if reported > 0 {
        let rows =
            imported.rejects.iter().map(|one| [one.line.to_string(), one.column.clone(), one.reason.clone()]);
        text += &format!(
            "\n\n{}; the other rows {verb} imported:\n{}",
            if imported.counts.duplicate > 0 { "Rejected or repeated" } else { "Rejected" },
            table(["Line", "Field", "Reason"], rows)
        );
        let left = reported - i64::try_from(imported.rejects.len()).unwrap_or(0);
        if let Some(file) = &options.rejects {
            text += &format!("\nThe complete list is in {}.", file.display());
        } else if left > 0 {
            text += &format!("\nand {} more: use --rejects FILE to get the complete list.", count(left));
        }
    }
    text
}
