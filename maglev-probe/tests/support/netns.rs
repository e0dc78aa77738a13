//! Network namespaces, made for each test and removed after it. They need root and iproute2.

use std::fs::File;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::path::Path;
use std::process::Command;

use maglev_probe::Prober;
use nix::sched::{CloneFlags, setns};
use tokio::net::TcpListener;

use super::skip;

/// A network namespace with loopback up, deleted when dropped.
pub struct Netns {
    pub name: String,
}

impl Netns {
    /// `None`, said on the terminal, where this process may not make one.
    pub fn new(test: &str) -> Option<Netns> {
        if !nix::unistd::geteuid().is_root() {
            skip(test, "network namespaces need root");
            return None;
        }
        let netns = Netns { name: format!("maglev-{test}-{}", std::process::id()) };
        match netns.add() {
            Ok(()) => Some(netns),
            Err(why) => {
                skip(test, &why);
                None
            }
        }
    }

    pub fn add(&self) -> Result<(), String> {
        ip(&["netns", "add", &self.name])?;
        ip(&["-n", &self.name, "link", "set", "lo", "up"])
    }

    pub fn delete(&self) {
        ip(&["netns", "del", &self.name]).unwrap();
    }

    /// Runs `ip -n` of this namespace.
    pub fn ip(&self, words: &str) {
        let mut args = vec!["-n", &self.name];
        args.extend(words.split_whitespace());
        ip(&args).unwrap_or_else(|why| panic!("ip {words}: {why}"));
    }

    pub fn path(&self) -> String {
        format!("/run/netns/{}", self.name)
    }

    /// Runs `f` on a thread inside.
    pub fn inside<T: Send + 'static>(&self, f: impl FnOnce() -> T + Send + 'static) -> T {
        let path = self.path();
        let thread = std::thread::spawn(move || {
            setns(File::open(path).unwrap(), CloneFlags::CLONE_NEWNET).unwrap();
            f()
        });
        thread.join().unwrap()
    }

    pub fn listen(&self, bind: SocketAddr) -> TcpListener {
        let listener = self.inside(move || StdListener::bind(bind).unwrap());
        listener.set_nonblocking(true).unwrap();
        TcpListener::from_std(listener).unwrap()
    }

    pub fn sysctl(&self, key: &str, value: &str) {
        let (path, value) = (Path::new("/proc/sys/net").join(key), value.to_owned());
        self.inside(move || std::fs::write(path, value).unwrap());
    }

    pub fn prober(&self) -> Prober {
        Prober::builder().network_namespace(&self.name).build()
    }
}

impl Drop for Netns {
    fn drop(&mut self) {
        // A test may have deleted it already.
        let _ = ip(&["netns", "del", &self.name]);
    }
}

/// Runs iproute2.
pub fn ip(args: &[&str]) -> Result<(), String> {
    let output = Command::new("ip").args(args).output().map_err(|error| format!("ip: {error}"))?;
    if output.status.success() {
        Ok(())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).trim().to_owned())
    }
}
