//! Edge. Networks of their own: a hub, and hosts around it, each a network namespace.
//!
//! ```text
//!            hub: br0 10.0.0.1, fd00::1
//!            │              │
//!   host 11: eth0        host 12: eth0
//!   10.0.0.11, fd00::11  10.0.0.12, fd00::12
//! ```
//!
//! Every lab has the same addresses, since no two can see each other. What tells them apart is a slot: a locked file,
//! which the kernel unlocks when its process dies however it dies. Whoever takes a slot first removes what a dead process
//! left in it.

use std::fs::File;
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::time::Duration;

use nix::sched::{CloneFlags, setns};

use crate::config::Config;
use crate::daemon::{Daemon, Options};
use crate::nginx::{Nginx, Site};
use crate::requirements::{missing, skip};

/// Where slots are locked.
const SLOTS: &str = "/run/maglev-tests";

/// Where `ip netns` keeps names.
const NAMES: &str = "/run/netns";

/// More labs than any machine runs at once.
const MOST: u32 = 1000;

/// For a connection between two namespaces of one machine.
const CONNECT: Duration = Duration::from_secs(5);

/// A network of its own.
#[derive(Debug)]
pub struct Lab {
    hub: Namespace,
    slot: Arc<Slot>,
}

impl Lab {
    /// A hub without hosts. `None`, after saying why, where this machine cannot have one.
    #[track_caller]
    pub fn open() -> Option<Lab> {
        match Lab::try_open() {
            Ok(lab) => Some(lab),
            Err(reason) => {
                skip(&reason);
                None
            }
        }
    }

    fn try_open() -> Result<Lab, String> {
        if !nix::unistd::geteuid().is_root() {
            return Err("network namespaces need root; run the tests with sudo".to_owned());
        }
        let needed = [("ip", "iproute2"), ("nginx", "nginx"), ("setpriv", "util-linux")];
        if let Some(absent) = missing(&needed) {
            return Err(absent);
        }
        let slot = Arc::new(Slot::claim());
        let hub = Namespace::add(&slot, "hub")
            .map_err(|error| format!("no network namespace can be made, run with CAP_SYS_ADMIN: {error}"))?;
        hub.configure(
            "link set lo up
             link add br0 type bridge
             addr add 10.0.0.1/24 dev br0
             addr add fd00::1/64 dev br0 nodad
             link set br0 up",
        );
        Ok(Lab { hub, slot })
    }

    /// Where the daemon lives.
    pub const fn hub(&self) -> &Namespace {
        &self.hub
    }

    /// A host with the addresses `10.0.0.number` and `fd00::number`, where the digits are the same: host 11 has
    /// `fd00::11`.
    pub fn host(&self, number: u8) -> Host {
        let namespace = Namespace::add(&self.slot, &number.to_string()).expect("a namespace");
        self.hub.configure(&format!(
            "link add v{number} type veth peer name eth0 netns {}
             link set v{number} master br0 up",
            namespace.name
        ));
        namespace.configure(&format!(
            "link set lo up
             addr add 10.0.0.{number}/24 dev eth0
             addr add fd00::{number}/64 dev eth0 nodad
             link set eth0 up"
        ));
        Host { number, namespace, hub: self.hub.name.clone() }
    }

    /// A web server on a host of that number.
    pub async fn nginx(&self, number: u8) -> Nginx {
        self.web(number, Site::default()).await
    }

    /// A web server that is more than the plain one, on a host of that number.
    pub async fn web(&self, number: u8, site: Site) -> Nginx {
        Nginx::start(self.host(number), site).await
    }

    /// A daemon in the hub, that listens where it does by default and on a Unix socket.
    pub async fn daemon(&self, config: &Config) -> Daemon {
        Daemon::start(config, self.options()).await
    }

    /// The options of a daemon in the hub.
    pub fn options(&self) -> Options {
        Options {
            namespace: Some(self.hub.name.clone()),
            grpc: vec![":9090".to_owned()],
            metrics: ":9091".to_owned(),
            ..Options::default()
        }
    }

    /// An address in the lab's network where nothing answers: packets to it leave and are heard of no more.
    pub fn black_hole(&self, number: u8) -> IpAddr {
        // With its hardware address known, nobody finds out by asking for it that nobody is there.
        self.hub.configure(&format!(
            "neigh add 10.0.0.{number} lladdr 02:00:00:00:00:{number:02x} dev br0 nud permanent"
        ));
        v4(number)
    }
}

fn v4(number: u8) -> IpAddr {
    Ipv4Addr::new(10, 0, 0, number).into()
}

/// A host of a [`Lab`].
#[derive(Debug)]
pub struct Host {
    number: u8,
    /// Where it is.
    pub namespace: Namespace,
    hub: String,
}

impl Host {
    /// Its IPv4 address.
    pub fn v4(&self) -> IpAddr {
        v4(self.number)
    }

    /// Its IPv6 address.
    pub fn v6(&self) -> IpAddr {
        let digits =
            u16::from_str_radix(&self.number.to_string(), 16).expect("decimal digits are hexadecimal ones");
        Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, digits).into()
    }

    /// Makes a black hole of it: the hub goes on sending, and nothing arrives. To the hub this is a host that froze, not
    /// one that is gone: its hardware address stays known.
    pub fn unplug(&self) {
        let (number, v4, v6) = (self.number, self.v4(), self.v6());
        let link = ip(&["-n", &self.namespace.name, "-br", "link", "show", "eth0"]);
        let words = String::from_utf8_lossy(&link.stdout).into_owned();
        let hardware =
            words.split_whitespace().find(|word| word.matches(':').count() == 5).expect("an address");
        batch(
            &self.hub,
            &format!(
                "neigh replace {v4} lladdr {hardware} dev br0 nud permanent
                 neigh replace {v6} lladdr {hardware} dev br0 nud permanent
                 link set v{number} down"
            ),
        );
    }

    /// Undoes [`Host::unplug`].
    pub fn plug(&self) {
        batch(&self.hub, &format!("link set v{} up", self.number));
    }
}

/// A network namespace. Deleted when dropped.
#[derive(Debug)]
pub struct Namespace {
    name: String,
    /// The number in the name is taken for as long as there is a namespace with it.
    _slot: Arc<Slot>,
}

impl Namespace {
    fn add(slot: &Arc<Slot>, what: &str) -> Result<Self, String> {
        let name = slot.name(what);
        let output = ip(&["netns", "add", &name]);
        if output.status.success() {
            Ok(Namespace { name, _slot: Arc::clone(slot) })
        } else {
            Err(String::from_utf8_lossy(&output.stderr).trim().to_owned())
        }
    }

    /// Its name for `ip netns`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Carries out lines of `ip` commands in it.
    pub fn configure(&self, commands: &str) {
        batch(&self.name, commands);
    }

    /// Runs a program in it until that ends.
    pub fn run(&self, program: &[&str]) -> Output {
        let output = Command::new("ip").args(["netns", "exec", &self.name]).args(program).output();
        output.unwrap_or_else(|error| panic!("cannot run {program:?}: {error}"))
    }

    /// A connection from it. A socket stays for life in the namespace it was opened in, so what uses it may be anywhere.
    pub fn connect(&self, to: SocketAddr) -> std::io::Result<TcpStream> {
        connect_in(&self.name, to)
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        delete(&self.name);
    }
}

/// A connection from the namespace of that name.
pub(crate) fn connect_in(namespace: &str, to: SocketAddr) -> std::io::Result<TcpStream> {
    let file = File::open(Path::new(NAMES).join(namespace))?;
    // A thread of its own, since there is no way back for the one that enters.
    let connected = std::thread::spawn(move || {
        setns(file, CloneFlags::CLONE_NEWNET)?;
        TcpStream::connect_timeout(&to, CONNECT)
    });
    connected.join().expect("a thread that does not panic")
}

/// The right to names with a number, for as long as this lives.
#[derive(Debug)]
struct Slot {
    number: u32,
    _lock: File,
}

impl Slot {
    /// The lowest free slot, so that what a dead process left is found by the next.
    fn claim() -> Self {
        std::fs::create_dir_all(SLOTS).expect("a directory in /run");
        (0..MOST).find_map(Slot::take).expect("a free slot")
    }

    fn take(number: u32) -> Option<Self> {
        let path: PathBuf = Path::new(SLOTS).join(number.to_string());
        let lock = File::create(path).expect("a file in /run");
        lock.try_lock().ok()?;
        let slot = Slot { number, _lock: lock };
        let names = std::fs::read_dir(NAMES).into_iter().flatten().filter_map(Result::ok);
        let names = names.filter_map(|entry| entry.file_name().into_string().ok());
        for leftover in names.filter(|name| name.starts_with(&slot.name(""))) {
            let pids = ip(&["netns", "pids", &leftover]).stdout;
            for pid in String::from_utf8_lossy(&pids).lines().filter_map(|line| line.trim().parse().ok()) {
                // It may have ended meanwhile.
                let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::SIGKILL);
            }
            delete(&leftover);
        }
        Some(slot)
    }

    fn name(&self, what: &str) -> String {
        format!("maglev-test{}-{what}", self.number)
    }
}

fn delete(namespace: &str) {
    let output = ip(&["netns", "del", namespace]);
    if !output.status.success() {
        eprintln!("cannot delete {namespace}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

fn ip(arguments: &[&str]) -> Output {
    Command::new("ip").args(arguments).output().expect("the program ip")
}

fn batch(namespace: &str, commands: &str) {
    let mut child = Command::new("ip")
        .args(["-n", namespace, "-batch", "-"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program ip");
    let mut stdin = child.stdin.take().expect("standard input is a pipe");
    for command in commands.lines() {
        writeln!(stdin, "{}", command.trim()).expect("ip reads its commands");
    }
    drop(stdin);
    let output = child.wait_with_output().expect("ip ends");
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "ip -n {namespace}: {words}of {commands}");
}
