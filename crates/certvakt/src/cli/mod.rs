//! The command line. One file a subcommand.

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
mod migrate;
mod organisation;
mod partner;
mod person;
mod read_register;
mod renew;
mod run;
mod serve;
mod status;
mod type_;
mod verify;
mod work;

use std::io::Write;
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::process::ExitCode;

use certvakt_rules::text::{escaped, escaped_lines};
use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::error::{Error, Exit};
use crate::output::Format;
use crate::renewal::Change;

pub use app::App;

/// Keeps people's certifications current.
///
/// With `DATABASE_URL` set, certvakt works on that PostgreSQL server; without it, on a private cluster
/// of its own in the data folder.
#[derive(Debug, Parser)]
#[command(name = "certvakt", version, max_term_width = 100)]
#[command(after_help = "Example:\n  certvakt run --dry-run\n\nExit status: see docs/errors.md.")]
struct Command {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    subcommand: Sub,
}

/// What every subcommand takes.
#[derive(Debug, Clone, clap::Args)]
pub struct Global {
    /// The form of what is printed
    #[arg(long, global = true, value_enum, default_value_t, value_name = "FORM")]
    pub output: Format,
    /// The configuration file
    #[arg(long, global = true, env = "CERTVAKT_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The folder of the embedded cluster [default: the platform's data folder]
    #[arg(long, global = true, env = "CERTVAKT_DATA_DIR", value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Sub {
    Migrate(migrate::Args),
    Organisation(organisation::Args),
    Chapter(chapter::Args),
    Type(type_::Args),
    Person(person::Args),
    Partner(partner::Args),
    Access(access::Args),
    Audit(audit::Args),
    Import(import::Args),
    Renew(renew::Args),
    Correct(change::Correct),
    /// Suspend a certification: its mentor is told nothing of it
    Suspend(change::CertificationArgs),
    /// Reinstate a certification that was suspended or withdrawn
    Reinstate(change::CertificationArgs),
    /// Withdraw a certification: no register and no renewal brings it back
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

/// Runs the process: reads the arguments, does what they say, reports an error as one sentence.
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
                // It repeats arguments as they were given.
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
    // One thread: the work is waiting for others, and threads would only wake each other. What computes
    // for long (reading a register) has one of its own.
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

/// Says what is wrong on standard error. Where that is gone, the exit status alone tells.
fn complain(what: std::fmt::Arguments<'_>) {
    let _ = writeln!(std::io::stderr(), "certvakt: {}", escaped(&what.to_string()));
}

/// A fault of our own as a sentence instead of a backtrace. The reader of workbooks panics on some of
/// those that it cannot read; the import says so itself.
fn report_faults() {
    std::panic::set_hook(Box::new(|fault| {
        let place = fault.location().map(ToString::to_string).unwrap_or_default();
        if !place.contains("/calamine-") {
            complain(format_args!("a fault of certvakt's own at {place}: please report it [internal]"));
        }
    }));
}

/// The subcommands that were given, like `person opt-out`, without their arguments.
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
    let app = App::new(command.global, name)?;
    let done = match command.subcommand {
        Sub::Migrate(args) => migrate::run(args, &app).await,
        Sub::Organisation(args) => organisation::run(args, &app).await,
        Sub::Chapter(args) => chapter::run(args, &app).await,
        Sub::Type(args) => type_::run(args, &app).await,
        Sub::Person(args) => person::run(args, &app).await,
        Sub::Partner(args) => Box::pin(partner::run(args, &app)).await,
        Sub::Access(args) => access::run(args, &app).await,
        Sub::Audit(args) => audit::run(args, &app).await,
        Sub::Import(args) => import::run(args, &app).await,
        Sub::Renew(args) => renew::run(args, &app).await,
        Sub::Correct(args) => change::correct(args, &app).await,
        Sub::Suspend(args) => change::status(args, Change::Suspend, &app).await,
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
        // Runs before there is a runtime.
        Sub::ReadRegister(_) => Ok(Exit::Usage),
    };
    app.close().await;
    done
}
