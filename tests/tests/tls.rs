//! Edge. TLS from the outside: certificates as the documentation makes them, renewals, and metrics.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use maglev_api::v1::{self, Role};
use maglev_tests::authority::Authority;
use maglev_tests::config::Config;
use maglev_tests::daemon::{self, Daemon, Options};
use maglev_tests::operator::Operator;
use maglev_tests::requirements::{missing, skip};
use maglev_tests::wait::{SOON, eventually};
use nix::sys::signal::Signal;

const REFERENCE: &str = include_str!("../../docs/security.md");

fn config() -> Config {
    Config::new().backend_with("web0", "address: 127.0.0.1").pool("site", "primary", &["web0"])
}

fn flags<const N: usize>(directory: &Path, flags: [(&str, &str); N]) -> Vec<String> {
    let words = flags.iter().flat_map(|(flag, file)| {
        let file = if file.is_empty() { String::new() } else { directory.join(file).display().to_string() };
        [(*flag).to_owned(), file]
    });
    words.collect()
}

async fn start(arguments: Vec<String>) -> Daemon {
    let options = Options { grpc: vec!["127.0.0.1:0".to_owned()], arguments, ..Options::default() };
    Daemon::start(&config(), options).await
}

/// Asks for metrics as an operator does.
fn curl(directory: &Path, daemon: &Daemon, arguments: &[&str]) -> Output {
    let port = daemon.metrics_address().port();
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--show-error", "--include", "--max-time", "10", "--cacert"]);
    curl.arg(directory.join("ca.pem")).args(["--resolve", &format!("lb1.example.org:{port}:127.0.0.1")]);
    curl.args(arguments).arg(format!("https://lb1.example.org:{port}/metrics")).output().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_commands_of_the_documentation_make_certificates_that_work() {
    if let Some(absent) = missing(&[("openssl", "openssl"), ("curl", "curl")]) {
        return skip(&absent);
    }
    let files = tempfile::tempdir().unwrap();
    let path = |name: &str| files.path().join(name);
    let commands: Vec<_> = REFERENCE.split("```sh\n").skip(1).filter_map(|b| b.split("```").next()).collect();
    assert_eq!(commands.len(), 3);
    for command in commands {
        let made = Command::new("sh").args(["-ec", command]).current_dir(files.path()).output().unwrap();
        assert!(made.status.success(), "{command}\n{}", String::from_utf8_lossy(&made.stderr));
    }
    std::fs::write(
        path("access.yaml"),
        "access: {users: {alice: {role: admin, certificate: alice@ops.example, backends: ['web*']}}}",
    )
    .unwrap();
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, b"a token for prometheus");
    let digest: String = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    std::fs::write(path("tokens"), format!("# prometheus\nsha256:{digest}\n")).unwrap();
    let mut arguments = flags(
        files.path(),
        [
            ("--tls-cert", "server.pem"),
            ("--tls-key", "server.key"),
            ("--tls-client-ca", "ca.pem"),
            ("--access-file", "access.yaml"),
            ("--metrics-token-file", "tokens"),
        ],
    );
    arguments.push("--metrics-tls".to_owned());
    let daemon = start(arguments).await;

    let stream = TcpStream::connect(daemon.grpc_address()).unwrap();
    let authority = rustls::pki_types::CertificateDer::from(pem(&path("ca.pem")));
    let read = |name: &str| std::fs::read_to_string(path(name)).unwrap();
    let identity =
        maglev_tests::authority::Identity { certificate: read("alice.pem"), key: read("alice.key") };
    let connector = maglev_tests::authority::connector(authority, Some(&identity));
    let channel = maglev_tests::operator::tls_channel_to(stream, connector, "lb1.example.org").await.unwrap();
    let mut alice = v1::maglev_client::MaglevClient::new(channel);
    let access = alice.get_access(v1::GetAccessRequest {}).await.unwrap().into_inner();
    assert_eq!(
        (&*access.user, &*access.from, access.role(), &*access.backends),
        ("alice", "127.0.0.1 over TLS, certificate alice@ops.example", Role::Admin, &["web*".to_owned()][..])
    );

    let refused = curl(files.path(), &daemon, &[]);
    let words = String::from_utf8_lossy(&refused.stdout).to_lowercase();
    assert!(words.contains("401 unauthorized") && words.contains("www-authenticate: bearer"), "{refused:?}");
    let wrong = curl(files.path(), &daemon, &["--header", "Authorization: Bearer a token for promethevs"]);
    assert!(String::from_utf8_lossy(&wrong.stdout).contains(" 401 "), "{wrong:?}");
    let shown = curl(files.path(), &daemon, &["--header", "Authorization: Bearer a token for prometheus"]);
    let words = String::from_utf8_lossy(&shown.stdout);
    assert!(words.contains(" 200 OK") && words.contains("maglev_tls_last_load_successful 1"), "{shown:?}");
    assert!(!daemon.log().lines().iter().any(|line| line.contains("promethe")), "a token is in the log");
}

fn pem(path: &Path) -> Vec<u8> {
    use rustls::pki_types::pem::PemObject;
    rustls::pki_types::CertificateDer::from_pem_file(path).unwrap().to_vec()
}

#[tokio::test]
async fn a_renewed_certificate_is_taken_at_a_reload_and_a_broken_one_is_not() {
    let files = tempfile::tempdir().unwrap();
    let path = |name: &str| -> PathBuf { files.path().join(name) };
    let (old, new) = (Authority::new(), Authority::new());
    old.certify(&["maglevd"]).write(&path("cert.pem"), &path("key.pem"));
    let daemon = start(flags(files.path(), [("--tls-cert", "cert.pem"), ("--tls-key", "key.pem")])).await;
    let connect = || TcpStream::connect(daemon.grpc_address()).unwrap();
    let mut before = Operator::over_tls(connect(), old.connector(None)).await;
    let loaded = || daemon.metrics().value("maglev_tls_last_load_successful", &[]);

    let renewed = new.certify(&["maglevd"]);
    std::fs::write(path("cert.pem"), &renewed.certificate).unwrap();
    daemon.signal(Signal::SIGHUP);
    eventually("refusal", SOON, async || if loaded() == 0.0 { Ok(()) } else { Err(()) }).await;
    let line = daemon.line("TLS certificate not reloaded, the old one stays in force").unwrap();
    assert!(line["error"].as_str().unwrap().contains("does not belong to"), "{line}");
    Operator::over_tls(connect(), old.connector(None)).await;

    std::fs::write(path("key.pem"), &renewed.key).unwrap();
    daemon.signal(Signal::SIGHUP);
    eventually("renewal", SOON, async || if loaded() == 1.0 { Ok(()) } else { Err(()) }).await;
    Operator::over_tls(connect(), new.connector(None)).await;
    assert_eq!(before.states().await.len(), 1, "a connection from before goes on");
}

#[test]
fn what_cannot_be_served_is_an_error_at_the_start() {
    let files = tempfile::tempdir().unwrap();
    let path = |name: &str| files.path().join(name).display().to_string();
    let (_directory, config) = daemon::file(&config().to_string());
    let complaint = |arguments: &[&str]| {
        let usual =
            ["--config", &config, "--state-dir=", "--vpp-api-addr=", "--metrics-addr=", "--grpc-addr"];
        let grpc = format!("unix:{}", path("grpc"));
        let all = [&usual[..], &[&grpc], arguments].concat();
        let output = daemon::run(&all);
        assert!(!output.status.success());
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let words = complaint(&["--tls-cert", "/c"]);
    assert!(words.contains("--tls-cert is given without --tls-key"), "{words}");
    let words = complaint(&["--tls-cert", &path("no-such-file"), "--tls-key", &path("key")]);
    assert!(words.contains("no-such-file, which --tls-cert names: No such file"), "{words}");
    std::fs::write(path("access"), "access: {loopback: boss, unix: boss}").unwrap();
    let words = complaint(&["--access-file", &path("access")]);
    assert_eq!(
        words.matches("\"boss\" is not known here; write admin, viewer or none").count(),
        2,
        "{words}"
    );
    let words = complaint(&["--check", "--access-file", &path("access")]);
    assert!(words.contains("access:1:20: access.loopback: "), "{words}");
}
