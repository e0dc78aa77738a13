//! Driver. See maglevd work, on a machine with Rust and nothing else: `cargo run --example quickstart`.
//!
//! Three web servers on loopback, the real maglevd in front of them, and a simulated VPP that takes what maglevd writes:
//! it speaks VPP's real protocol and has its real lookup table, but forwards no packets. One server goes away and comes
//! back, and then maglevd itself. With `-- --stay` everything stays until Ctrl-C.

mod programs;
mod servers;

use std::io::IsTerminal;
use std::time::Duration;

use anyhow::bail;
use maglev_vpp::sim::{Sim, SimOptions};
use tokio::signal::unix::{SignalKind, signal};

use crate::programs::{Daemon, Maglevc, Programs, Watch, free_ports};
use crate::servers::Servers;

const CONFIG: &str = include_str!("../../quickstart.yaml");

/// Time to read what is shown before the next thing happens.
const READ: Duration = Duration::from_millis(1500);

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let stay = match std::env::args().nth(1).as_deref() {
        None => false,
        Some("--stay") => true,
        Some(other) => bail!("{other} is unknown here: there is only --stay"),
    };
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    // Whatever runs is ended when this is dropped.
    tokio::select! {
        result = play(stay) => result,
        _ = interrupt.recv() => Ok(()),
        _ = terminate.recv() => Ok(()),
    }
}

async fn play(stay: bool) -> anyhow::Result<()> {
    let programs = Programs::build().await?;
    let directory = tempfile::tempdir()?;
    let path = directory.path();

    let mut servers = Servers::start().await?;
    let web = servers.port();
    say(&format!("Three web servers answer on 127.0.0.11, 127.0.0.12 and 127.0.0.13, port {web}."));

    let vpp = Sim::start(SimOptions::in_dir(path)).await?;
    say("A simulated VPP waits for what to do. It forwards no packets; all else is as in the real one.");

    std::fs::write(path.join("maglev.yaml"), CONFIG.replace("PORT", &web.to_string()))?;
    let ports = free_ports()?;
    let [port, metrics] = ports;
    let mut daemon = Daemon::start(&programs, path, ports)?;
    daemon.ready().await?;
    say(&format!(
        "maglevd watches the servers and drives VPP, as {} says.",
        path.join("maglev.yaml").display()
    ));

    let maglevc = Maglevc::new(&programs, port, std::io::stdout().is_terminal());
    for words in ["show frontends", "show backends", "show vpp lb state"] {
        show(&maglevc, words).await?;
    }

    say("$ maglevc watch events");
    let mut watch = maglevc.watch()?;
    watch.until(&["present state"], tell).await?;
    linger(&mut watch).await;
    fail_over(&mut servers, &maglevc, &mut watch).await?;
    drop(watch);

    say("maglevd restarts. It finds VPP as it should be:");
    vpp.clear_journal();
    daemon.stop().await;
    daemon = Daemon::start(&programs, path, ports)?;
    daemon.ready().await?;
    show(&maglevc, "plan vpp lb state").await?;
    say(&format!("{} writes to VPP since it was stopped.", vpp.writes()));

    if stay {
        let program = programs.maglevc.display();
        say(&format!(
            "Look around in another terminal; what happens shows here. Ctrl-C ends it.

  export MAGLEV_SERVER=127.0.0.1:{port}
  {program} show backends web0
  {program} set backend web1 pause reason 'trying things'
  {program} show vpp lb state
  curl http://127.0.0.11:{web}/
  curl -s http://127.0.0.1:{metrics}/metrics | grep maglev_backend_state
  tail -f {}
",
            path.join("maglevd.log").display()
        ));
        maglevc.watch()?.forward(tell).await;
    } else {
        say(
            "That is all. `cargo run --example quickstart -- --stay` stays, for you to look around with maglevc and curl.",
        );
    }
    daemon.stop().await;
    Ok(())
}

/// Takes the first server away and brings it back.
async fn fail_over(servers: &mut Servers, maglevc: &Maglevc, watch: &mut Watch) -> anyhow::Result<()> {
    say("web0 goes away. Three probes have to fail, then its weight is 0 and web1 has its buckets:");
    servers.stop(0);
    watch.until(&["web0", "down"], tell).await?;
    linger(watch).await;
    show_buckets(maglevc).await?;

    say("web0 comes back. Two probes have to pass:");
    servers.restart(0).await?;
    watch.until(&["web0", "up"], tell).await?;
    linger(watch).await;
    show_buckets(maglevc).await?;
    show(maglevc, "show backends web0").await
}

/// Gives time to read, and shows what happens meanwhile.
async fn linger(watch: &mut Watch) {
    // That the time is over is what was waited for.
    let _ = tokio::time::timeout(READ, watch.forward(tell)).await;
}

async fn show(maglevc: &Maglevc, words: &str) -> anyhow::Result<()> {
    say(&format!("$ maglevc {words}\n{}", maglevc.run(words).await?));
    Ok(())
}

/// What VPP has, without the parameters, which never change here.
async fn show_buckets(maglevc: &Maglevc) -> anyhow::Result<()> {
    let words = "show vpp lb state";
    let shown = maglevc.run(words).await?;
    let vips = shown.split_once("\n\n").map_or(shown.as_str(), |(_, vips)| vips);
    say(&format!("$ maglevc {words}\n{vips}"));
    Ok(())
}

/// A paragraph.
fn say(text: &str) {
    println!("\n{text}");
}

/// A line of the watch.
fn tell(line: &str) {
    println!("{line}");
}
