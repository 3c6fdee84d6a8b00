//! `certvakt import`

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use certvakt_base::Exit;
use certvakt_engine::import::location::{self, Encoding, Location};
use certvakt_engine::import::names::Names;
use certvakt_engine::import::{
    self, DateFormat, Field, Imported, InstantDay, Layout, Missing, MissingCertifications, MissingChange,
    NewChapters, Options, guess, process,
};
use certvakt_store::import::{DatesAre, Source};
use certvakt_store::organisation;

use super::App;
use super::values::{Named, one_of};
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
#[expect(clippy::struct_excessive_bools, reason = "each is an option of the command line")]
pub(super) struct Args {
    /// The register's file
    file: PathBuf,
    /// Propose the columns from the header and the values, and import nothing
    #[arg(long)]
    guess: bool,
    /// The organisation's short name
    #[arg(long, value_name = "SLUG", required_unless_present = "guess")]
    organisation: Option<String>,
    /// The short name of the chapter of rows that name none
    #[arg(long, value_name = "SLUG")]
    chapter: Option<String>,
    /// The code of the type of rows that name none
    #[arg(long = "type", value_name = "CODE")]
    certification_type: Option<String>,
    /// Create the chapters that rows name and the organisation does not have
    #[arg(long)]
    add_chapters: bool,
    /// The short name of the chapter below which chapters are created [default: the top level]
    #[arg(long, value_name = "SLUG", requires = "add_chapters")]
    under: Option<String>,
    /// A person has one certification of each type: a new number replaces the old one (needs `person_id`)
    #[arg(long)]
    one_per_type: bool,
    /// The column that holds a field; repeat the option, or give several values
    #[arg(long = "column", value_name = "FIELD=COLUMN", value_parser = column, num_args = 1..)]
    columns: Vec<(Field, String)>,
    /// The format of ambiguous dates, such as MM/DD/YYYY; can be repeated. M and D match one or two digits, MMM
    /// the name of a month, and YY a year from 1969 to 2068
    #[arg(long = "date-format", value_name = "FORM")]
    date_formats: Vec<DateFormat>,
    /// A value of the status column that means active; can be repeated
    #[arg(long, value_name = "VALUE", default_value = "active")]
    active_status: Vec<String>,
    /// The day of an instant whose date in the organisation's time zone differs from the date at its own
    /// offset
    #[arg(long, value_parser = one_of(INSTANT_DAYS))]
    instant_day: Option<InstantDay>,
    /// How to treat changed dates [default: a later date is a renewal, an earlier one a correction]
    #[arg(long, value_parser = one_of(DATES_ARE))]
    dates_are: Option<DatesAre>,
    /// The meaning of a blank expiry date
    #[arg(long, value_enum, default_value_t)]
    blank_expires: BlankExpires,
    /// A value of the expiry that means that the certification does not expire, such as 9999-12-31 or Livsvarig;
    /// can be repeated
    #[arg(long, value_name = "VALUE")]
    never: Vec<String>,
    /// The sheet of a workbook [default: the only visible sheet with the columns]
    #[arg(long, value_name = "NAME|N")]
    sheet: Option<String>,
    /// The line of the column names, from 1 [default: the first of 20 rows that has all columns]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    header_row: Option<u64>,
    /// The separator of a text file's fields: an ASCII character, or tab [default: detected]
    #[arg(long, value_name = "CHARACTER", value_parser = location::separator)]
    separator: Option<u8>,
    /// The encoding of a text file, such as utf-16le or windows-1252 [default: detected]
    #[arg(long, value_name = "NAME", value_parser = location::encoding)]
    encoding: Option<&'static Encoding>,
    /// What happens to certifications of the chapters and types in the file that are missing from it
    #[arg(long, value_parser = one_of(MISSING), default_value = "report")]
    missing: MissingChange,
    /// Suspend or withdraw the missing certifications even if rows are rejected
    #[arg(long)]
    missing_despite_rejects: bool,
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

impl Args {
    fn location(&self) -> Location {
        Location {
            columns: Vec::new(),
            sheet: self.sheet.clone(),
            header_row: self.header_row,
            separator: self.separator,
            encoding: self.encoding,
        }
    }
}

const INSTANT_DAYS: &[Named<InstantDay>] = &[
    ("local", "The day in the organisation's time zone", InstantDay::Local),
    ("written", "The day as written, at the instant's own offset", InstantDay::Written),
];

const MISSING: &[Named<MissingChange>] = &[
    ("report", "They are reported", MissingChange::Report),
    ("suspend", "They are suspended until a register contains them again", MissingChange::Suspend),
    ("withdraw", "They are withdrawn", MissingChange::Withdraw),
];

const DATES_ARE: &[Named<DatesAre>] = &[
    ("renewals", "A new cycle", DatesAre::Renewals),
    ("corrections", "The same cycle", DatesAre::Corrections),
];

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
enum BlankExpires {
    /// Reject the row
    #[default]
    Reject,
    /// The certification does not expire
    Never,
}

fn column(text: &str) -> Result<(Field, String), String> {
    let (field, column) = text.split_once('=').ok_or("write it like external_id=\"License Number\"")?;
    Ok((field.parse()?, column.to_owned()))
}

pub(super) async fn run(args: Args, app: &App) -> Result<Exit, Error> {
    if args.guess {
        return propose(&args, app).await;
    }
    let location = args.location();
    let options = Options {
        name: args.file.display().to_string(),
        file: Arc::new(process::open(&args.file)?),
        organisation: args.organisation.unwrap_or_default(),
        chapter: args.chapter,
        certification_type: args.certification_type,
        new_chapters: match (args.add_chapters, args.under) {
            (_, Some(slug)) => NewChapters::AddUnder(slug),
            (true, None) => NewChapters::Add,
            (false, None) => NewChapters::Reject,
        },
        one_per_type: args.one_per_type,
        missing: Missing { change: args.missing, despite_rejects: args.missing_despite_rejects },
        layout: Layout {
            columns: args.columns,
            date_formats: args.date_formats,
            active_status: args.active_status,
            instant_day: args.instant_day,
            dates_are: args.dates_are,
            blank_never_expires: args.blank_expires == BlankExpires::Never,
            never: args.never,
            location,
        },
        rejects: args.rejects,
        approve: args.approve,
        dry_run: args.dry_run,
        now: app.clock.now(),
        source: Source::Operator,
    };
    let database = app.database().await?;
    let bar = progress(0, "reading");
    bar.enable_steady_tick(Duration::from_millis(250));
    let imported = import::import(database, &app.config.import, &options, &bar).await?;
    bar.finish_and_clear();
    print(app.format, &imported, |imported| text(imported, &options))?;
    Ok(Exit::Success)
}

/// Proposes the columns of a file.
async fn propose(args: &Args, app: &App) -> Result<Exit, Error> {
    let name = args.file.display().to_string();
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
    let (file, config) = (process::open(&args.file)?, &app.config.import);
    let found = guess::guess(file, &name, config, &args.location(), &known, &bar)?;
    bar.finish_and_clear();
    let command = command_line(args, &found);
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
fn command_line(args: &Args, found: &guess::Guess) -> String {
    let or =
        |given: &Option<String>, placeholder: &str| given.as_deref().map_or(placeholder.to_owned(), quoted);
    let mut command = format!(
        "certvakt import {} --organisation {}",
        quoted(&args.file.display().to_string()),
        or(&args.organisation, "SLUG"),
    );
    let has = |field: &str| found.columns.iter().any(|one| one.field == field);
    if args.chapter.is_some() || !has("chapter") {
        command += &format!(" --chapter {}", or(&args.chapter, "SLUG"));
    }
    if args.certification_type.is_some() || !has("type") {
        command += &format!(" --type {}", or(&args.certification_type, "CODE"));
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
    let separator = args.separator.map(|byte| char::from(byte).to_string());
    for (option, given) in [
        ("sheet", args.sheet.clone()),
        ("header-row", args.header_row.map(|line| line.to_string())),
        ("separator", separator.map(|one| if one == "\t" { "tab".to_owned() } else { one })),
        ("encoding", args.encoding.map(|encoding| encoding.name().to_owned())),
    ] {
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
    if !imported.new_chapters.is_empty() {
        text += &format!("\nNew chapters: {}.", imported.new_chapters.join(", "));
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
