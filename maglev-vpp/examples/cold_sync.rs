//! What a cold start costs: 1,000 VIPs with 20 servers each, sent to a VPP whose main loop turns in 0.3 ms.
//!
//! `cargo run --release -p maglev-vpp --features sim --example cold_sync`

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use ipnet::IpNet;
use maglev_core::net::{Encap, Protocol, Service, Vip};
use maglev_vpp::sim::{Sim, SimOptions};
use maglev_vpp::{Client, LoadBalancer, Operation, Options};

const VIPS: u32 = 1000;
const SERVERS: u32 = 20;
/// One turn of the main loop of an idle VPP.
const TURN: Duration = Duration::from_micros(300);
/// How many operations are tried one at a time: enough to see the rate.
const SEQUENTIAL: usize = 1000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let directory = tempfile::tempdir()?;
    let operations = cold_start();
    for turn in [Duration::ZERO, TURN] {
        let (api, arrivals) = simulate(directory.path().to_owned(), turn)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(measure(&api, &arrivals, turn, &operations))?;
    }
    Ok(())
}

/// Starts a VPP in a thread of its own, so that its work is not counted as ours. It tells when each change arrived.
fn simulate(
    directory: PathBuf,
    turn: Duration,
) -> Result<(PathBuf, Receiver<Instant>), Box<dyn std::error::Error>> {
    let (arrived, arrivals) = std::sync::mpsc::channel();
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let options = SimOptions::in_dir(directory).turn(turn).on_mutation(move |_| {
                // Nobody listens any more at the end.
                let _ = arrived.send(Instant::now());
            });
            let sim = Sim::start(options).await?;
            let _ = sender.send(sim.api_socket().to_owned());
            std::future::pending::<std::io::Result<()>>().await
        })
    });
    Ok((receiver.recv()?, arrivals))
}

fn cold_start() -> Vec<Operation> {
    let mut operations = Vec::new();
    for number in 0..VIPS {
        let prefix = IpNet::from(std::net::IpAddr::from(Ipv4Addr::from_bits(0xc633_0000 + number)));
        let vip = Vip { prefix, service: Service::Port(Protocol::Tcp, 80) };
        operations.push(Operation::AddVip {
            vip,
            encap: Encap::Gre4,
            table_length: 16384,
            src_ip_sticky: false,
        });
        operations.extend((1..=SERVERS).map(|server| Operation::AddServer {
            vip,
            address: Ipv4Addr::from_bits(0x0a00_0000 + server).into(),
            weight: 1,
        }));
    }
    operations
}

async fn measure(
    api: &std::path::Path,
    arrivals: &Receiver<Instant>,
    turn: Duration,
    operations: &[Operation],
) -> Result<(), Box<dyn std::error::Error>> {
    let lb = LoadBalancer::new(Client::connect(api, Options::default()).await?)?;
    let (start, cpu) = (Instant::now(), cpu()?);
    let results = lb.execute(operations).await;
    let (wall, cpu) = (start.elapsed(), self::cpu()? - cpu);
    if let Some(error) = results.into_iter().find_map(Result::err) {
        return Err(error.into());
    }
    let count = operations.len() as u32;
    println!(
        "turn {turn:?}: {count} operations in {wall:?}, {:?} each, of which our CPU {:?}",
        wall / count,
        cpu / count
    );

    let (start, cpu) = (Instant::now(), self::cpu()?);
    let observed = lb.observe().await?;
    println!(
        "  {} VIPs observed in {:?}, our CPU {:?}",
        observed.vips.len(),
        start.elapsed(),
        self::cpu()? - cpu
    );

    while arrivals.try_recv().is_ok() {}
    let mut delays = Vec::with_capacity(SEQUENTIAL);
    let start = Instant::now();
    for operation in &operations[..SEQUENTIAL] {
        let decided = Instant::now();
        // Refused, since it is there already; the time is the same.
        let _ = lb.execute(std::slice::from_ref(operation)).await;
        delays.push(arrivals.recv()?.duration_since(decided));
    }
    let each = start.elapsed() / SEQUENTIAL as u32;
    delays.sort_unstable();
    println!("  a single change is in VPP's hands after {:?} (median)", delays[delays.len() / 2]);
    println!(
        "  one at a time {each:?} each: {:.0} times slower",
        each.as_secs_f64() * f64::from(count) / wall.as_secs_f64()
    );
    Ok(())
}

/// CPU time of this thread.
fn cpu() -> Result<Duration, Box<dyn std::error::Error>> {
    let schedstat = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanoseconds = schedstat.split(' ').next().unwrap_or_default().parse()?;
    Ok(Duration::from_nanos(nanoseconds))
}
