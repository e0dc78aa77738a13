//! Driver. Reads the command line, builds the daemon, runs it.

use std::io::IsTerminal;
use std::process::ExitCode;

use argh::FromArgs;
use maglevd::daemon::{Daemon, config_options};
use maglevd::logging::{self, Lines};
use maglevd::reload::{self, Chain, ConfigError};
use maglevd::settings::{Arguments, Settings, split_equals};
use maglevd::version;

/// The command line is wrong, as `sysexits.h` has it.
const USAGE: u8 = 64;

fn main() -> ExitCode {
    let arguments = split_equals(std::env::args().skip(1));
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let arguments = match Arguments::from_args(&["maglevd"], &arguments) {
        Ok(arguments) => arguments,
        Err(exit) if exit.status.is_ok() => {
            println!("{}", exit.output.trim_end());
            return ExitCode::SUCCESS;
        }
        Err(exit) => {
            eprintln!("maglevd: {}\nmaglevd --help says what there is.", exit.output.trim_end());
            return ExitCode::from(USAGE);
        }
    };
    if arguments.version {
        println!("maglevd {} (commit {}, {})", version::VERSION, version::COMMIT, version::DATE);
        return ExitCode::SUCCESS;
    }
    let check = arguments.check;
    let terminal = std::io::stderr().is_terminal();
    let settings = match Settings::resolve(arguments, |name| std::env::var(name).ok(), terminal) {
        Ok(settings) => settings,
        Err(error) => {
            eprintln!("maglevd: {}", Chain(&error));
            return ExitCode::from(USAGE);
        }
    };
    // Before anything is bound: a daemon with a broken configuration never was.
    let parsed = match reload::load(&settings.config, &config_options(&settings)) {
        Ok(parsed) => parsed,
        Err(error) => return refuse(&error),
    };
    if check {
        let file = settings.config.display().to_string();
        for warning in &parsed.warnings {
            eprintln!("{}", warning.in_file(&file));
        }
        println!("{file} is valid");
        return ExitCode::SUCCESS;
    }
    match start(settings, parsed) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("maglevd: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn refuse(error: &ConfigError) -> ExitCode {
    eprintln!("{}", Chain(error));
    ExitCode::from(error.exit_code())
}

fn start(settings: Settings, parsed: maglev_core::config::Parsed) -> anyhow::Result<()> {
    let lines = Lines::new();
    logging::install(settings.log_level, settings.log_format, lines.clone())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let result = runtime.block_on(async { Daemon::bind(settings, parsed, lines).await?.run().await });
    // Nothing is left to wait for: what did not end by now was cut off.
    runtime.shutdown_background();
    result
}
