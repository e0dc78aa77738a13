//! Driver. Reads the command line, builds the daemon, runs it.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use argh::FromArgs;
use maglev_core::config::{Parsed, ParsedAccess};
use maglevd::access;
use maglevd::daemon::{Daemon, config_options};
use maglevd::hangup;
use maglevd::limits;
use maglevd::lock::{self, Taken};
use maglevd::logging::{self, Lines};
use maglevd::notify::ServiceManager;
use maglevd::preflight;
use maglevd::reload::{self, Chain, ConfigError, both};
use maglevd::settings::{Arguments, Settings, normalize};
use maglevd::threads;
use maglevd::version;

/// The command line is wrong, as `sysexits.h` has it.
const USAGE: u8 = 64;

/// How long the end waits for the last log lines to be read.
const FLUSH: Duration = Duration::from_secs(2);

fn main() -> ExitCode {
    // Before anything else: a SIGHUP that comes before it can be served must not end the daemon.
    if let Err(error) = hangup::hold() {
        complain(&format!("maglevd: cannot hold SIGHUP: {error}"));
        return ExitCode::FAILURE;
    }
    // What is not Unicode is no flag of ours, and is refused as such; nor could a log line show it.
    let text = |argument: std::ffi::OsString| argument.to_string_lossy().into_owned();
    let arguments = match normalize(std::env::args_os().skip(1).map(text)) {
        Ok(arguments) => arguments,
        Err(wrong) => {
            complain(&format!("maglevd: {wrong}"));
            return ExitCode::from(USAGE);
        }
    };
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let arguments = match Arguments::from_args(&["maglevd"], &arguments) {
        Ok(arguments) => arguments,
        Err(exit) if exit.status.is_ok() => {
            say(exit.output.trim_end());
            return ExitCode::SUCCESS;
        }
        Err(exit) => {
            complain(&format!("maglevd: {}\nmaglevd --help says what there is.", exit.output.trim_end()));
            return ExitCode::from(USAGE);
        }
    };
    if arguments.version {
        say(&format!("maglevd {} (commit {}, {})", version::VERSION, version::COMMIT, version::DATE));
        return ExitCode::SUCCESS;
    }
    let check = arguments.check;
    let terminal = std::io::stderr().is_terminal();
    let settings = match Settings::resolve(arguments, |name| std::env::var_os(name).map(text), terminal) {
        Ok(settings) => settings,
        Err(error) => {
            complain(&format!("maglevd: {}", Chain(&error)));
            return ExitCode::from(USAGE);
        }
    };
    // Before anything is bound: a daemon with a broken configuration never was.
    let access = settings.access.as_deref().map(access::load).transpose();
    let loaded = both(reload::load(&settings.config, &config_options(&settings)), access);
    if check {
        return report(&settings, loaded);
    }
    let (parsed, access) = match loaded {
        Ok(both) => both,
        Err(error) => return refuse(&error),
    };
    let lines = Lines::new();
    if let Err(error) = logging::install(settings.log_level, settings.log_format, lines.clone()) {
        complain(&format!("maglevd: {}", Chain(&error)));
        return ExitCode::FAILURE;
    }
    let code = match start(settings, parsed, access, lines.clone()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Like a log line: standard error may be full.
            lines.print(&format!("maglevd: {error:#}"));
            if error.is::<Taken>() { ExitCode::from(lock::EXIT) } else { ExitCode::FAILURE }
        }
    };
    lines.flush(FLUSH);
    code
}

/// Tells what was asked for. Whoever closed the pipe, as `head` does, wants no more of it, and `println` would panic.
fn say(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

fn complain(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// The result of `--check`: all that is wrong with the configuration, and all that flags name and a start could not use.
fn report(settings: &Settings, loaded: Result<(Parsed, Option<ParsedAccess>), ConfigError>) -> ExitCode {
    let unusable = preflight::check(settings);
    for found in &unusable {
        complain(&format!("maglevd: {found}"));
    }
    let (parsed, access) = match loaded {
        Ok(both) => both,
        Err(error) if unusable.is_empty() => return refuse(&error),
        Err(error) => {
            refuse(&error);
            return ExitCode::FAILURE;
        }
    };
    let access = settings.access.as_ref().zip(access.as_ref()).map(|(file, parsed)| (file, &parsed.warnings));
    for (file, warnings) in [(&settings.config, &parsed.warnings)].into_iter().chain(access) {
        let file = file.display().to_string();
        for warning in warnings {
            complain(&warning.in_file(&file).to_string());
        }
        say(&format!("{file} is valid"));
    }
    if unusable.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn refuse(error: &ConfigError) -> ExitCode {
    complain(&Chain(error).to_string());
    ExitCode::from(error.exit_code())
}

fn start(
    settings: Settings,
    parsed: Parsed,
    access: Option<ParsedAccess>,
    lines: Lines,
) -> anyhow::Result<()> {
    limits::raise_open_files();
    let runtime = threads::api()?;
    let manager = ServiceManager::from_environment(|name| std::env::var_os(name))
        .context("NOTIFY_SOCKET names no socket that can be written to")?;
    let result = runtime.block_on(async {
        Daemon::bind(settings, parsed, access, lines).await?.managed_by(manager).run().await
    });
    // Nothing is left to wait for: what did not end by now was cut off.
    runtime.shutdown_background();
    result
}
