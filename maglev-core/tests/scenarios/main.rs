//! Edge. Scenarios, read from files: what the engine does, told in text files.
//!
//! Each `*.txt` here is a configuration, then what happens to it and when, and below each of these lines, behind a
//! bar, what the engine makes of it. The lines behind bars are compared byte for byte. A new scenario is a new file
//! without them: `UPDATE=1 cargo test -p maglev-core --test scenarios` writes them, to be read before they are
//! committed.
//!
//! ```text
//! # What this is about.
//!
//! maglev:
//!   ...                                          a whole configuration file
//!
//! at 20s  backend a refuses                      how it behaves from now on, see below
//! at 1m   set backend a pause by ann: new disk   as in maglevc; who (else ann) and why can be left out
//! at 2m   set frontend site pool primary backend a weight 0
//! at 3m   reload                                 with the lines below in place of those that are there
//!   -   a: {address: 192.0.2.1, healthcheck: web}
//!   +   a: {address: 192.0.2.9, healthcheck: web}
//! at 4m   restart                                as after kill -9: only what operators wanted is kept
//! at 5m   show                                   everything as it is now
//! at 5m   show backend a                         and how it came to this
//! at 6m   summarize                              until something is shown, count changes instead of telling each
//! at 24h  end                                    as show
//!
//! at 0s   vpp starts                             with nothing; there is none before. Also `vpp stops`
//! at 1m   vpp refuses add server 192.0.2.1       whatever has these words in it, until `vpp refuses nothing`
//! at 1m   somebody removes server 192.0.2.1      from all VIPs. Also `somebody sets server 192.0.2.1 to 7`
//! at 1m   somebody adds VIP 198.51.100.1/32      of his own
//! at 2m   sync                                   compares everything now
//! at 2m   show vpp                               what it has, with the shares its table gives
//! at 2m   show plan                              what a comparison would write
//! ```
//!
//! Times are since the start, in order. In the lines below a reload, `-` and `+` are as in a patch, lines with neither
//! say where, and `...` stands between two places. A backend, or `all backends`,
//!
//! - `answers`, and does so until told otherwise: in 5 ms, or `answers in 300ms`
//! - `refuses` connections
//! - `fails with L7STS`, or any other of the codes
//! - `hangs`, so that each probe runs into its timeout
//! - `cannot be probed`, for a reason on our side
//! - `flaps 3m good 40s bad`, on and on

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "this is a test, which fails by panicking")]

mod report;
mod script;
mod simulation;
mod vpp;

use std::fs;
use std::path::{Path, PathBuf};

use self::report::Report;
use self::script::Script;
use self::simulation::Simulation;

/// The script again, with what happens now.
fn play(name: &str, text: &str) -> String {
    let script = Script::parse(name, text);
    let mut report = Report::new();
    let mut simulation = Simulation::start(&script.config);
    let mut steps = script.steps.iter().peekable();
    let first = steps.peek().map(|step| step.at).unwrap_or_default();
    simulation.run_until(first, &mut report);
    report.end_of_step();
    while let Some(step) = steps.next() {
        simulation.apply(&step.action, &mut report);
        if let Some(next) = steps.peek() {
            simulation.run_until(next.at, &mut report);
        }
        report.end_of_step();
    }
    script.with_output(&report.into_steps())
}

fn scenarios() -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let mut files: Vec<PathBuf> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "txt"))
        .collect();
    files.sort();
    files
}

#[test]
fn every_scenario_happens_as_told() {
    let mut different = Vec::new();
    let files = scenarios();
    assert!(files.len() >= 25, "scenarios are missing");
    for file in files {
        let name = file.file_name().unwrap().to_str().unwrap();
        let expected = fs::read_to_string(&file).unwrap();
        let played = play(name, &expected);
        if std::env::var_os("UPDATE").is_some() {
            fs::write(&file, played).unwrap();
        } else if played != expected {
            let line = expected.lines().zip(played.lines()).take_while(|(a, b)| a == b).count() + 1;
            different.push(format!("{name}, from line {line} on. This is what happens now:\n{played}"));
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
}

#[test]
fn a_scenario_without_output_gets_it_and_one_with_output_keeps_it() {
    let bare = "\
# Two lines.

maglev:
  backends:
    a: {address: 192.0.2.1}
  frontends:
    site: {address: 203.0.113.1, pools: [{name: primary, backends: {a: {}}}]}

at 1s  set backend a pause force

# The end.
at 2s  end
";
    let played = play("bare", bare);
    assert!(played.contains("at 1s  set backend a pause force\n|   1.000s  backend   a"), "{played}");
    assert_eq!(play("played", &played), played);
    let without: String =
        played.lines().filter(|line| !line.starts_with('|')).map(|l| format!("{l}\n")).collect();
    assert_eq!(without, bare);
}
