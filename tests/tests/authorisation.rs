//! Edge. Who may make which call: every call there is, by every kind of peer, tried for real.
//!
//! The result is `tests/golden/authorisation.txt`; `UPDATE=1` writes it anew. docs/security.md shows the same.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use maglev_api::v1;
use maglev_api::v1::plan_vpplb_state_request::Suppose;
use maglev_tests::authority::{Authority, Identity};
use maglev_tests::config::Config;
use maglev_tests::daemon::{Daemon, Options};
use maglev_tests::lab::{Host, Lab};
use maglev_tests::operator::{Operator, tls_channel};
use maglev_tests::raw::Call;
use maglev_tests::vpp::{LB, Vpp};
use nix::sys::signal::Signal;
use prost::Message;
use tonic::Code;
use tonic::transport::Channel;

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/golden/authorisation.txt");
const REFERENCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/security.md");

/// Tokens as `maglevc token new` makes them, but for their randomness.
const ADMIN: &str = "YWRtaW4gYWRtaW4gYWRtaW4gYWRtaW4gYWRtaW4gYWQ";
const VIEWER: &str = "dmlld2VyIHZpZXdlciB2aWV3ZXIgdmlld2VyIHZpZXd";
const LIMITED: &str = "bGltaXRlZCBsaW1pdGVkIGxpbWl0ZWQgbGltaXRlZCB";

fn digest(token: &str) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, token.as_bytes());
    format!("sha256:{}", digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect::<String>())
}

/// The access file, as it is first and with everything tightened.
fn access(tight: bool) -> String {
    let head = if tight { "anonymous: none, loopback: viewer, unix: none" } else { "anonymous: viewer" };
    let carol = if tight { "  carol: {role: viewer, unix: 0},\n" } else { "" };
    // Revoked.
    let token = if tight { String::new() } else { format!(", token: '{}'", digest(ADMIN)) };
    format!(
        "access: {{{head}, users: {{\n{carol}  alice: {{role: admin, certificate: alice@ops.example{token}}},\n  \
         bob: {{role: viewer, certificate: bob@ops.example, token: '{}'}},\n  \
         deploy: {{role: admin, token: '{}', backends: ['web*'], frontends: ['site*']}}}}}}\n",
        digest(VIEWER),
        digest(LIMITED)
    )
}

/// What is asked with a call, about a backend.
fn message(call: &Call, backend: &str) -> Vec<u8> {
    let name = || backend.to_owned();
    match call.name() {
        "GetFrontend" => v1::GetFrontendRequest { name: "site".to_owned() }.encode_to_vec(),
        "GetBackend" => v1::GetBackendRequest { name: name() }.encode_to_vec(),
        "GetHealthCheck" => v1::GetHealthCheckRequest { name: "web".to_owned() }.encode_to_vec(),
        "PauseBackend" | "ResumeBackend" | "EnableBackend" | "DisableBackend" => {
            v1::BackendIntentRequest { name: name(), force: true, ..Default::default() }.encode_to_vec()
        }
        "SetFrontendPoolBackendWeight" => v1::SetFrontendPoolBackendWeightRequest {
            frontend: "site".to_owned(),
            pool: "primary".to_owned(),
            backend: name(),
            weight: Some(50),
            force: true,
            ..Default::default()
        }
        .encode_to_vec(),
        // What services there are.
        name if name.ends_with("/ServerReflectionInfo") => vec![0x3a, 0],
        _ => Vec::new(),
    }
}

/// Calls that need more or less by what is asked.
fn variants(config: &str) -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let sync = v1::SyncVpplbStateRequest { frontend: "site".to_owned(), recreate: false }.encode_to_vec();
    let plan =
        v1::PlanVpplbStateRequest { suppose: Some(Suppose::Config(config.to_owned())), ..Default::default() };
    vec![
        ("SyncVPPLBState", "SyncVPPLBState of one frontend", sync),
        ("PlanVPPLBState", "PlanVPPLBState for a configuration", plan.encode_to_vec()),
    ]
}

/// What each peer got for each call.
#[derive(Default)]
struct Table {
    peers: Vec<String>,
    rows: Vec<(String, BTreeMap<usize, &'static str>)>,
}

impl Table {
    fn note(&mut self, call: &str, said: &'static str) {
        let peer = self.peers.len() - 1;
        match self.rows.iter_mut().find(|(name, _)| name == call) {
            Some((_, row)) => drop(row.insert(peer, said)),
            None => self.rows.push((call.to_owned(), BTreeMap::from([(peer, said)]))),
        }
    }

    /// Tries every call as one peer. Without a channel it did not get as far as a call.
    async fn try_all(
        &mut self,
        peer: &str,
        channel: Option<Channel>,
        token: Option<&str>,
        backend: &str,
        config: &Config,
    ) {
        self.peers.push(peer.to_owned());
        for call in Call::all() {
            let mut asked = vec![(call.name().to_owned(), message(&call, backend))];
            let more = variants(&config.to_string()).into_iter().filter(|(name, ..)| *name == call.name());
            asked.extend(more.map(|(_, title, message)| (title.to_owned(), message)));
            for (title, message) in asked {
                let said = match &channel {
                    None => "-",
                    Some(channel) => word(call.make(channel.clone(), token, message).await),
                };
                self.note(&title, said);
            }
        }
    }

    fn text(&self) -> String {
        let mut text = String::new();
        for (number, peer) in self.peers.iter().enumerate() {
            text += &format!("{:>3}  {peer}\n", number + 1);
        }
        let width = self.rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        text += &format!("\n{:width$}", "");
        (1..=self.peers.len()).for_each(|number| text += &format!(" {number:>6}"));
        for (name, row) in &self.rows {
            text += &format!("\n{name:width$}");
            (0..self.peers.len()).for_each(|peer| text += &format!(" {:>6}", row.get(&peer).unwrap_or(&"?")));
        }
        text + "\n\nok      answered\ndenied  PERMISSION_DENIED\nunauth  UNAUTHENTICATED\n-       the TLS handshake is refused\n"
    }
}

fn word(result: Result<(), tonic::Status>) -> &'static str {
    match result.as_ref().map_err(tonic::Status::code) {
        Ok(()) => "ok",
        Err(Code::PermissionDenied) => "denied",
        Err(Code::Unauthenticated) => "unauth",
        // Refused after the client had thought it was done, as it is with TLS 1.3.
        Err(Code::Unavailable | Code::Unknown | Code::Cancelled | Code::Internal) => {
            let words = format!("{:?}", result.unwrap_err());
            if words.contains("UnknownCA") || words.contains("transport") || words.contains("h2") {
                "-"
            } else {
                panic!("{words}")
            }
        }
        Err(_) => panic!("{:?}", result),
    }
}

struct Scene {
    lab: Lab,
    elsewhere: Host,
    authority: Authority,
    config: Config,
    _vpp: Vpp,
}

impl Scene {
    fn local(&self) -> std::net::TcpStream {
        self.lab.hub().connect("127.0.0.1:9090".parse().unwrap()).unwrap()
    }

    fn remote(&self) -> std::net::TcpStream {
        self.elsewhere.namespace.connect("10.0.0.1:9090".parse().unwrap()).unwrap()
    }

    async fn tls(&self, identity: Option<&Identity>) -> Option<Channel> {
        tls_channel(self.remote(), self.authority.connector(identity)).await.ok()
    }

    fn options(&self, arguments: Vec<String>, vpp: &Path) -> Options {
        Options { vpp: Some(vpp.to_owned()), arguments, ..self.lab.options() }
    }
}

/// Puts the backends back to where they were.
async fn mend(daemon: &Daemon) {
    let mut operator = daemon.operator().await;
    for backend in ["web0", "db0"] {
        operator.enable(backend).await.unwrap();
    }
}

async fn reload(daemon: &Daemon, file: &Path, text: &str) {
    let before = daemon.said("access file reloaded").len();
    std::fs::write(file, text).unwrap();
    daemon.signal(Signal::SIGHUP);
    maglev_tests::wait::eventually("reload", maglev_tests::wait::SOON, async || {
        let now = daemon.said("access file reloaded").len();
        if now > before { Ok(()) } else { Err(daemon.log().clone()) }
    })
    .await;
}

#[tokio::test]
async fn every_call_by_every_kind_of_peer() {
    let Some(lab) = Lab::open() else { return };
    let config = Config::new()
        .check("web", "type: tcp, port: 1, interval: 1h")
        .backend_with("web0", "address: 10.0.0.10")
        .backend_with("db0", "address: 10.0.0.11")
        .pool("site", "primary", &["web0", "db0"])
        .lb(LB);
    let vpp = Vpp::start().await;
    let sockets: PathBuf = vpp.directory().to_owned();
    let elsewhere = lab.host(20);
    let scene = Scene { lab, elsewhere, authority: Authority::new(), config, _vpp: vpp };
    let config = &scene.config;
    let mut table = Table::default();

    // As it is without any of the flags.
    let daemon = Daemon::start(config, scene.options(Vec::new(), &sockets)).await;
    synced(&daemon).await;
    let unix = daemon.operator().await.channel();
    table.try_all("no flags: over a Unix socket", Some(unix), None, "web0", config).await;
    mend(&daemon).await;
    let local = Operator::over(scene.local()).await.channel();
    table.try_all("no flags: over loopback", Some(local), None, "web0", config).await;
    mend(&daemon).await;
    let remote = Operator::over(scene.remote()).await.channel();
    table.try_all("no flags: over the network", Some(remote.clone()), None, "web0", config).await;
    table.try_all("no flags: over the network with a token", Some(remote), Some(ADMIN), "web0", config).await;
    daemon.stop().await;

    // With TLS and an access file.
    let files = tempfile::tempdir().unwrap();
    let path = |name: &str| files.path().join(name);
    scene.authority.certify(&["maglevd"]).write(&path("cert.pem"), &path("key.pem"));
    scene.authority.write(&path("ca.pem"));
    std::fs::write(path("access.yaml"), access(false)).unwrap();
    let flags = [
        ("--tls-cert", "cert.pem"),
        ("--tls-key", "key.pem"),
        ("--tls-client-ca", "ca.pem"),
        ("--access-file", "access.yaml"),
    ];
    let arguments =
        flags.iter().flat_map(|(flag, file)| [(*flag).to_owned(), path(file).display().to_string()]);
    let daemon = Daemon::start(config, scene.options(arguments.collect(), &sockets)).await;
    synced(&daemon).await;
    let unix = daemon.operator().await.channel();
    table.try_all("over a Unix socket", Some(unix.clone()), None, "web0", config).await;
    mend(&daemon).await;
    let local = Operator::over(scene.local()).await.channel();
    table.try_all("over loopback in plain text", Some(local.clone()), None, "web0", config).await;
    mend(&daemon).await;
    let plain = Operator::over(scene.remote()).await.channel();
    table.try_all("over the network in plain text", Some(plain), None, "web0", config).await;
    let anonymous = scene.tls(None).await;
    table.try_all("TLS: without credentials", anonymous.clone(), None, "web0", config).await;
    let stranger = Authority::new().certify_client("alice@ops.example");
    table
        .try_all(
            "TLS: certificate of another authority",
            scene.tls(Some(&stranger)).await,
            None,
            "web0",
            config,
        )
        .await;
    let nobody = scene.tls(Some(&scene.authority.certify_client("nobody@ops.example"))).await;
    table.try_all("TLS: certificate that no user has", nobody, None, "web0", config).await;
    let viewer = scene.tls(Some(&scene.authority.certify_client("bob@ops.example"))).await;
    table.try_all("TLS: certificate of a viewer", viewer, None, "web0", config).await;
    let admin = scene.tls(Some(&scene.authority.certify_client("alice@ops.example"))).await;
    table.try_all("TLS: certificate of an admin", admin, None, "web0", config).await;
    mend(&daemon).await;
    table.try_all("TLS: token of a viewer", anonymous.clone(), Some(VIEWER), "web0", config).await;
    table.try_all("TLS: token of an admin", anonymous.clone(), Some(ADMIN), "web0", config).await;
    mend(&daemon).await;
    let limited = "TLS: token of an admin of web* in site*, about";
    table.try_all(&format!("{limited} web0"), anonymous.clone(), Some(LIMITED), "web0", config).await;
    mend(&daemon).await;
    table.try_all(&format!("{limited} db0"), anonymous.clone(), Some(LIMITED), "db0", config).await;
    table.try_all("TLS: token that nobody has", anonymous.clone(), Some("wrong"), "web0", config).await;

    // The same connections, once the rules are tighter.
    reload(&daemon, &path("access.yaml"), &access(true)).await;
    table.try_all("TLS: token that was revoked", anonymous.clone(), Some(ADMIN), "web0", config).await;
    table.try_all("`anonymous: none`: TLS without credentials", anonymous, None, "web0", config).await;
    table.try_all("`loopback: viewer`: over loopback", Some(local), None, "web0", config).await;
    table
        .try_all("over a Unix socket as a user who is a viewer", Some(unix.clone()), None, "web0", config)
        .await;
    reload(&daemon, &path("access.yaml"), "access: {unix: none}").await;
    table.try_all("`unix: none`: over a Unix socket", Some(unix), None, "web0", config).await;

    let text = table.text();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(GOLDEN, &text).unwrap();
    }
    let golden = std::fs::read_to_string(GOLDEN).unwrap_or_default();
    assert!(text == golden, "not as in {GOLDEN}; UPDATE=1 writes it:\n{text}");
}

/// Waits until VPP is driven, so that calls about it are answered.
async fn synced(daemon: &Daemon) {
    let mut operator = daemon.operator().await;
    maglev_tests::wait::eventually("VPP that is driven", maglev_tests::wait::SOON, async || {
        let info = operator.client.get_vpp_info(v1::GetVppInfoRequest {}).await.unwrap().into_inner();
        let counters = operator.client.get_vpplb_counters(v1::GetVpplbCountersRequest {}).await;
        let ready = info.status() == v1::VppStatus::Connected && counters.is_ok();
        if ready { Ok(()) } else { Err(info) }
    })
    .await;
}

#[test]
fn the_documentation_shows_the_same_table() {
    let golden = std::fs::read_to_string(GOLDEN).unwrap();
    let reference = std::fs::read_to_string(REFERENCE).unwrap();
    assert!(reference.contains(&golden), "{REFERENCE} does not have the table of {GOLDEN} in it");
}
