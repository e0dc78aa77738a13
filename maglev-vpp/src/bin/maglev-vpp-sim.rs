//! Driver. A VPP to try things with where there is none: opens both sockets and says what is asked of it.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use argh::FromArgs;
use maglev_vpp::sim::{Release, Sim, SimOptions};
use tokio::signal::unix::{SignalKind, signal};

/// A simulated VPP with an lb plugin. It forwards no packets.
#[derive(FromArgs)]
struct Arguments {
    /// the API socket (default /tmp/vpp/api.sock)
    #[argh(option, default = "PathBuf::from(\"/tmp/vpp/api.sock\")")]
    api: PathBuf,

    /// the stats socket (default /tmp/vpp/stats.sock)
    #[argh(option, default = "PathBuf::from(\"/tmp/vpp/stats.sock\")")]
    stats: PathBuf,

    /// which VPP to be: current (default), old (26.06), or no-plugin
    #[argh(option, default = "Release::Current", from_str_fn(release))]
    release: Release,

    /// microseconds a turn of the main loop takes (default 0; a real one takes 300)
    #[argh(option, default = "0")]
    turn: u64,

    /// print a line for each change asked for
    #[argh(switch, short = 'v')]
    verbose: bool,
}

fn release(text: &str) -> Result<Release, String> {
    match text {
        "current" => Ok(Release::Current),
        "old" => Ok(Release::Old),
        "no-plugin" => Ok(Release::NoPlugin),
        _ => Err("a release is current, old or no-plugin".to_owned()),
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(argh::from_env()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("maglev-vpp-sim: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> std::io::Result<()> {
    for socket in [&arguments.api, &arguments.stats] {
        if let Some(directory) = socket.parent() {
            std::fs::create_dir_all(directory)?;
        }
    }
    let mut options = SimOptions::new(&arguments.api, &arguments.stats)
        .release(arguments.release)
        .turn(Duration::from_micros(arguments.turn));
    if arguments.verbose {
        options = options.on_mutation(|mutation| println!("{mutation}"));
    }
    // Before the sockets, so that no signal can leave them behind.
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut restart = signal(SignalKind::hangup())?;
    let sim = Sim::start(options).await?;
    println!(
        "simulated VPP {}: API on {}, stats on {}; SIGHUP restarts it",
        arguments.release.version(),
        arguments.api.display(),
        arguments.stats.display()
    );
    loop {
        tokio::select! {
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
            _ = restart.recv() => {
                sim.restart().await?;
                println!("restarted");
            }
        }
    }
    sim.stop().await;
    Ok(())
}
