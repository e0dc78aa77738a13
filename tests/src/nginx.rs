//! Edge. A web server on a host of a lab.

use std::net::IpAddr;

use serde::Deserialize;
use tempfile::TempDir;

use crate::authority::Identity;
use crate::lab::Host;
use crate::process::Process;
use crate::wait::{SOON, eventually};

/// What a server serves besides `/` and `/healthz` on port 80.
#[derive(Clone, Debug, Default)]
pub struct Site {
    /// The same over TLS on port 443.
    pub tls: Option<Identity>,
}

/// A running nginx, or one that was stopped. Stopped when dropped, and its host with it.
#[derive(Debug)]
pub struct Nginx {
    // Before the host: a process holds its namespace.
    process: Option<Process>,
    host: Host,
    directory: TempDir,
}

/// One line of the access log.
#[derive(Clone, Debug, Deserialize)]
pub struct Request {
    /// When it was answered, in seconds since 1970.
    pub at: f64,
    /// Who says that they ask.
    pub agent: String,
    /// The Host header.
    pub host: String,
    /// The method.
    pub method: String,
    /// The path.
    pub path: String,
    /// What it was answered with.
    pub status: u16,
    /// Who asked.
    pub from: IpAddr,
    /// The name asked for in the TLS handshake.
    pub server_name: String,
}

impl Nginx {
    pub(crate) async fn start(host: Host, site: Site) -> Self {
        let directory = TempDir::with_prefix("maglev-nginx-").expect("a directory");
        let path = directory.path();
        std::fs::create_dir(path.join("www")).expect("a directory for pages");
        std::fs::write(path.join("www/healthz"), "ok\n").expect("a page");
        std::fs::write(path.join("www/index.html"), "hello\n").expect("a page");
        let tls = match &site.tls {
            Some(Identity { certificate, key }) => {
                std::fs::write(path.join("certificate.pem"), certificate).expect("a file");
                std::fs::write(path.join("key.pem"), key).expect("a file");
                "listen 443 ssl; listen [::]:443 ssl;
                 ssl_certificate certificate.pem; ssl_certificate_key key.pem;"
            }
            None => "",
        };
        std::fs::write(path.join("nginx.conf"), configuration(tls)).expect("a configuration");
        let mut nginx = Nginx { process: None, host, directory };
        nginx.resume().await;
        nginx
    }

    /// Starts it again after [`Nginx::stop`].
    pub async fn resume(&mut self) {
        let directory = self.directory.path().display().to_string();
        let program = ["nginx", "-p", &directory, "-e", "stderr", "-c", "nginx.conf"].map(str::to_owned);
        let name = format!("nginx on {}", self.host.v4());
        let pid = self.directory.path().join("nginx.pid");
        let mut process = Process::spawn(&name, Some(self.host.namespace.name()), &program);
        // It writes its number once it listens.
        eventually("nginx", SOON, async || match (pid.exists(), process.status()) {
            (true, None) => Ok(()),
            (_, Some(status)) => panic!("nginx ended at once with {status}: {:?}", process.log()),
            (false, None) => Err("no pid file"),
        })
        .await;
        self.process = Some(process);
    }

    /// Stops it as a crash does: from now on connections are refused.
    pub fn stop(&mut self) {
        self.process = None;
        let _ = std::fs::remove_file(self.directory.path().join("nginx.pid"));
    }

    /// Where it runs.
    pub const fn host(&self) -> &Host {
        &self.host
    }

    /// Its IPv4 address.
    pub fn v4(&self) -> IpAddr {
        self.host.v4()
    }

    /// Its IPv6 address.
    pub fn v6(&self) -> IpAddr {
        self.host.v6()
    }

    /// Takes `/healthz` away, as an operator does who drains a server by hand: it is answered with 404.
    pub fn fail(&self) {
        std::fs::remove_file(self.directory.path().join("www/healthz")).expect("a page to remove");
    }

    /// Undoes [`Nginx::fail`].
    pub fn recover(&self) {
        std::fs::write(self.directory.path().join("www/healthz"), "ok\n").expect("a page");
    }

    /// Every request so far, in order.
    pub fn requests(&self) -> Vec<Request> {
        let log = std::fs::read_to_string(self.directory.path().join("access.log")).unwrap_or_default();
        // The last line may be half written.
        let whole = log.rsplit_once('\n').map_or("", |(whole, _)| whole);
        whole.lines().map(|line| serde_json::from_str(line).expect("a line of the log")).collect()
    }

    /// Waits until a request is in the log that `is` the one, and returns it. A daemon has its answer a moment before the
    /// log has the line.
    #[track_caller]
    pub fn request(&self, what: &str, is: impl Fn(&Request) -> bool) -> impl Future<Output = Request> {
        eventually(what, SOON, async move || {
            let requests = self.requests();
            requests.iter().find(|request| is(request)).cloned().ok_or(requests)
        })
    }

    /// Waits until there are `more` requests than there were when this was called.
    #[track_caller]
    pub fn requested(&self, more: usize) -> impl Future<Output = ()> {
        let before = self.requests().len();
        let what = format!("{more} more requests to {}", self.host.v4());
        async move {
            eventually(&what, SOON, async || {
                let seen = self.requests().len() - before;
                if seen >= more { Ok(()) } else { Err(seen) }
            })
            .await;
        }
    }
}

fn configuration(tls: &str) -> String {
    format!(
        r#"
daemon off;
# One process, so that there is one to kill.
master_process off;
pid nginx.pid;
error_log stderr warn;
events {{ worker_connections 64; }}
http {{
    log_format requests escape=json '{{"at":$msec,"agent":"$http_user_agent","host":"$http_host",'
        '"method":"$request_method","path":"$request_uri","status":$status,"from":"$remote_addr",'
        '"server_name":"$ssl_server_name"}}';
    access_log access.log requests;
    client_body_temp_path tmp; proxy_temp_path tmp; fastcgi_temp_path tmp; uwsgi_temp_path tmp; scgi_temp_path tmp;
    server {{
        listen 80; listen [::]:80;
        {tls}
        root www;
    }}
}}
"#
    )
}
