//! The command line, with one file per subcommand.

mod access;
mod app;
mod audit;
mod certified;
mod change;
mod chapter;
mod cleanup;
mod demo;
mod doctor;
mod explain;
mod forecast;
mod history;
mod import;
mod mapping;
mod migrate;
mod organisation;
mod partner;
mod person;
mod read_register;
mod reading_args;
mod renew;
mod run;
mod serve;
mod stage;
mod status;
mod type_;
mod values;
mod verify;
mod work;

use std::io::Write;
use std::panic::AssertUnwindSafe;
use std::process::ExitCode;

use certvakt_base::Exit;
use certvakt_engine::renewal::Change;
use certvakt_rules::text::{escaped, escaped_lines};
use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::error::Error;

pub use app::{App, Global};

/// Tracks certifications that expire, and notifies mentors before and when they do
///
/// If `DATABASE_URL` is set, certvakt uses that PostgreSQL server. Otherwise it runs a private PostgreSQL
/// cluster in the data folder.
#[derive(Debug, Parser)]
#[command(name = "certvakt", version, max_term_width = 100)]
#[command(after_help = "Example:\n  certvakt run --dry-run\n\nExit statuses: see docs/errors.md")]
struct Command {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    subcommand: Sub,
}

#[derive(Debug, Subcommand)]
enum Sub {
    Migrate(migrate::Args),
    Organisation(organisation::Args),
    Chapter(chapter::Args),
    Type(type_::Args),
    Stage(stage::Args),
    Person(person::Args),
    Partner(partner::Args),
    Access(access::Args),
    Audit(audit::Args),
    Import(Box<import::Args>),
    Mapping(mapping::Args),
    Renew(renew::Args),
    Correct(change::Correct),
    Suspend(change::Suspend),
    /// Reinstate a suspended or withdrawn certification
    Reinstate(change::CertificationArgs),
    /// Withdraw a certification: only `reinstate` brings it back, not an import or a renewal
    Withdraw(change::CertificationArgs),
    Run(run::Args),
    Work(work::Args),
    Serve(serve::Args),
    Cleanup(cleanup::Args),
    Explain(explain::Args),
    Certified(certified::Args),
    History(history::Args),
    Forecast(forecast::Args),
    Status(status::Args),
    Verify(verify::Args),
    Doctor(doctor::Args),
    Demo(demo::Args),
    #[command(hide = true)]
    ReadRegister(read_register::Args),
}

/// The command line: subcommands and options, with their help.
pub fn command() -> clap::Command {
    <Command as CommandFactory>::command()
}

/// Parses the arguments, runs the subcommand and reports an error as one sentence.
pub fn main() -> ExitCode {
    report_faults();
    let parsed = command().try_get_matches().and_then(|matches| {
        let name = name_of(&matches);
        Command::from_arg_matches(&matches).map(|command| (command, name))
    });
    let (command, name) = match parsed {
        Ok(parsed) => parsed,
        Err(error) => {
            if error.use_stderr() {
                // The message repeats arguments verbatim.
                let _ = write!(std::io::stderr(), "{}", escaped_lines(&error.render().to_string()));
                return Exit::Usage.into();
            }
            let _ = error.print();
            return Exit::Success.into();
        }
    };
    if let Sub::ReadRegister(args) = &command.subcommand {
        return read_register::run(args);
    }
    // One thread is enough: most of the work waits for I/O. Long computations (reading a register) run
    // elsewhere.
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            complain(format_args!("could not start the async runtime ({error})"));
            return Exit::Internal.into();
        }
    };
    let is_service = matches!(command.subcommand, Sub::Serve(_));
    app::start_log(is_service);
    let name = (!is_service).then_some(name);
    let done = std::panic::catch_unwind(AssertUnwindSafe(|| runtime.block_on(dispatch(command, name))));
    match done {
        Ok(Ok(exit)) => exit.into(),
        Ok(Err(error)) => {
            complain(format_args!("{error} [{}]", error.code()));
            error.exit().into()
        }
        Err(_) => Exit::Internal.into(),
    }
}

/// Writes an error to standard error. If standard error is closed, only the exit status remains.
fn complain(what: std::fmt::Arguments<'_>) {
    let _ = writeln!(std::io::stderr(), "certvakt: {}", escaped(&what.to_string()));
}

/// Reports a panic as one sentence instead of a backtrace. The workbook reader panics on some broken files;
/// /// the import reports those itself.
fn report_faults() {
    std::panic::set_hook(Box::new(|fault| {
        let place = fault.location().map(ToString::to_string).unwrap_or_default();
        if !place.contains("/calamine-") {
            complain(format_args!("internal error at {place}: please report it [internal]"));
        }
    }));
}

/// The names of the subcommands on the command line, such as `person opt-out`, without arguments.
fn name_of(matches: &ArgMatches) -> String {
    let mut names = Vec::new();
    let mut rest = matches.subcommand();
    while let Some((name, matches)) = rest {
        names.push(name);
        rest = matches.subcommand();
    }
    names.join(" ")
}

async fn dispatch(command: Command, name: Option<String>) -> Result<Exit, Error> {
    let mut global = command.global;
    // The demo leaves nothing behind, unless it was given a place.
    let is_demo = matches!(&command.subcommand, Sub::Serve(args) if args.demo);
    let folder = if is_demo && global.data_dir.is_none() { Some(demo::folder(false)?) } else { None };
    if let Some(folder) = &folder {
        global.data_dir = Some(folder.path().to_owned());
    }
    let mut subcommand = command.subcommand;
    if let Sub::Serve(args) = &mut subcommand {
        args.has_own_folder = folder.is_some();
    }
    let app = App::new(global, name)?;
    let done = match subcommand {
        Sub::Migrate(args) => migrate::run(args, &app).await,
        Sub::Organisation(args) => organisation::run(args, &app).await,
        Sub::Chapter(args) => chapter::run(args, &app).await,
        Sub::Type(args) => type_::run(args, &app).await,
        Sub::Stage(args) => stage::run(args, &app).await,
        Sub::Person(args) => person::run(args, &app).await,
        Sub::Partner(args) => Box::pin(partner::run(args, &app)).await,
        Sub::Access(args) => access::run(args, &app).await,
        Sub::Audit(args) => audit::run(args, &app).await,
        Sub::Import(args) => Box::pin(import::run(*args, &app)).await,
        Sub::Mapping(args) => mapping::run(args, &app).await,
        Sub::Renew(args) => renew::run(args, &app).await,
        Sub::Correct(args) => change::correct(args, &app).await,
        Sub::Suspend(args) => change::suspend(args, &app).await,
        Sub::Reinstate(args) => change::status(args, Change::Reinstate, &app).await,
        Sub::Withdraw(args) => change::status(args, Change::Withdraw, &app).await,
        Sub::Run(args) => run::run(args, &app).await,
        Sub::Work(args) => work::run(args, &app).await,
        Sub::Serve(args) => Box::pin(serve::run(args, &app)).await,
        Sub::Cleanup(args) => cleanup::run(args, &app).await,
        Sub::Explain(args) => explain::run(args, &app).await,
        Sub::Certified(args) => certified::run(args, &app).await,
        Sub::History(args) => history::run(args, &app).await,
        Sub::Forecast(args) => forecast::run(args, &app).await,
        Sub::Status(args) => status::run(args, &app).await,
        Sub::Verify(args) => verify::run(args, &app).await,
        Sub::Doctor(args) => doctor::run(args, &app).await,
        Sub::Demo(args) => demo::run(args, &app).await,
        // `main` handles it before it starts the runtime.
        Sub::ReadRegister(_) => Ok(Exit::Usage),
    };
    app.close().await;
    done
}
