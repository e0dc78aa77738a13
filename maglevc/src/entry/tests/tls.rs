//! maglevd behind real TLS: what is trusted, what is shown, and what is said where either fails.

use std::path::PathBuf;

use tokio::net::TcpListener;

use super::{Process, Ran};
use crate::canned::pki::{Door, For, Pki, Wants};
use crate::canned::{Mood, Running, serve_tcp, serve_unix};

/// A server behind a door, and the files of its world.
struct Site {
    pki: Pki,
    server: Running,
}

impl Site {
    async fn new(mood: Mood) -> Self {
        let pki = Pki::new();
        pki.issue("server", For::Server, false);
        pki.issue("alice", For::Client, false);
        Self { pki, server: serve_unix(mood).await }
    }

    fn socket(&self) -> PathBuf {
        self.server.address.trim_start_matches("unix:").into()
    }

    async fn door(&self, name: &str, wants: Wants) -> Door {
        Door::open(&self.pki, name, wants, &self.socket()).await
    }

    /// Runs a line in which `DIR/` stands for the files, and says what it said with all that differs from run to run
    /// masked.
    async fn run(&self, line: &str, port: u16) -> Ran {
        self.run_with(line, port, &[]).await
    }

    async fn run_with(&self, line: &str, port: u16, variables: &[(&'static str, &str)]) -> Ran {
        let directory = format!("{}/", self.pki.directory.path().display());
        let line = line.replace("DIR/", &directory).replace("PORT", &port.to_string());
        let mut process = Process::new(&line);
        for (name, value) in variables {
            process.environment.push((name, value.replace("DIR/", &directory)));
        }
        let ran = process.run().await;
        let masked = |text: &str| text.replace(&directory, "DIR/").replace(&port.to_string(), "PORT");
        Ran { code: ran.code, out: masked(&ran.out), errors: masked(&ran.errors) }
    }
}

/// The name, the line and what it said, for a golden file. The time of this run is not for keeping.
fn entry(line: &str, ran: &Ran) -> String {
    let errors = match ran.errors.split_once("and now it is ") {
        Some((before, after)) => {
            format!("{before}and now it is NOW{}", after.find('\n').map_or("", |end| &after[end..]))
        }
        None => ran.errors.clone(),
    };
    assert_eq!(ran.out, "", "{line}");
    format!("=== {line} · exit {}\n{errors}", ran.code)
}

const CA: &str = "--tls-ca DIR/ca.pem";

#[tokio::test]
async fn everything_is_the_same_over_tls() {
    let site = Site::new(Mood::Well).await;
    let plain = Process::new("show backends").at(&site.server).run().await;
    let door = site.door("server", Wants::Nothing).await;
    let mutual = site.door("server", Wants::Certificate).await;
    let either = site.door("server", Wants::Maybe).await;
    for (line, port) in [
        ("--server https://localhost:PORT --tls-ca DIR/ca.pem show backends", door.port),
        ("--server localhost:PORT --tls-ca DIR/ca.pem show backends", door.port),
        (
            "--server 127.0.0.1:PORT --tls-ca DIR/ca.pem --tls-server-name lb1.example.org show backends",
            door.port,
        ),
        // A certificate that nobody asks for does no harm.
        (
            "--server localhost:PORT --tls-ca DIR/ca.pem --tls-cert DIR/alice.pem --tls-key DIR/alice-key.pem show backends",
            door.port,
        ),
        (
            "--server localhost:PORT --tls-ca DIR/ca.pem --tls-cert DIR/alice.pem --tls-key DIR/alice-key.pem show backends",
            mutual.port,
        ),
        (
            "--server localhost:PORT --tls-ca DIR/ca.pem --tls-cert DIR/alice.pem --tls-key DIR/alice-key.pem show backends",
            either.port,
        ),
        ("--server localhost:PORT --tls-ca DIR/ca.pem show backends", either.port),
    ] {
        assert_eq!(site.run(line, port).await, plain, "{line}");
    }
    let variables = [
        ("MAGLEV_SERVER", "localhost:PORT".replace("PORT", &mutual.port.to_string())),
        ("MAGLEV_TLS_CA", "DIR/ca.pem".to_owned()),
        ("MAGLEV_TLS_CERT", "DIR/alice.pem".to_owned()),
        ("MAGLEV_TLS_KEY", "DIR/alice-key.pem".to_owned()),
    ];
    let variables: Vec<_> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(site.run_with("show backends", mutual.port, &variables).await, plain);
    // Also what goes on for a while.
    let line = "--server https://localhost:PORT --tls-ca DIR/ca.pem watch events num 10";
    assert_eq!(site.run(line, door.port).await.out.lines().count(), 10);
}

#[tokio::test]
async fn a_server_that_cannot_be_trusted_is_not_spoken_to() {
    let site = Site::new(Mood::Well).await;
    let mut said = String::new();
    for (name, whose, by_other) in [
        ("stranger", For::Server, true),
        ("elsewhere", For::Elsewhere, false),
        ("past", For::Past, false),
        ("future", For::Future, false),
        ("client", For::Client, false),
    ] {
        site.pki.issue(name, whose, by_other);
        let door = site.door(name, Wants::Nothing).await;
        let expect = if whose == For::Client { " --tls-server-name alice" } else { "" };
        let line = format!("--server https://localhost:PORT {CA}{expect} show backends");
        said.push_str(&format!("# {name}\n{}", entry(&line, &site.run(&line, door.port).await)));
    }
    let door = site.door("server", Wants::Nothing).await;
    for (line, variables) in [
        ("--server https://localhost:PORT show backends", &[][..]),
        ("--server https://localhost:PORT --tls-ca DIR/other-ca.pem show backends", &[]),
        ("--server https://127.0.0.1:PORT --tls-ca DIR/ca.pem show backends", &[]),
        ("--server https://localhost:PORT show backends", &[("MAGLEV_TLS_CA", "DIR/other-ca.pem")]),
    ] {
        let ran = site.run_with(line, door.port, variables).await;
        said.push_str(&entry(&format!("{line} {variables:?}"), &ran));
    }
    insta::assert_snapshot!(said);
    assert!(site.server.asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_client_that_is_not_trusted_hears_why() {
    let site = Site::new(Mood::Well).await;
    site.pki.issue("mallory", For::Client, true);
    site.pki.issue("old", For::PastClient, false);
    site.pki.issue("impostor", For::Server, false);
    let mut said = String::new();
    for name in ["", "mallory", "old", "impostor"] {
        let door = site.door("server", Wants::Certificate).await;
        let shown = match name {
            "" => String::new(),
            name => format!(" --tls-cert DIR/{name}.pem --tls-key DIR/{name}-key.pem"),
        };
        let line = format!("--server https://localhost:PORT {CA}{shown} show backends");
        said.push_str(&entry(&line, &site.run(&line, door.port).await));
    }
    insta::assert_snapshot!(said);
}

#[tokio::test]
async fn who_speaks_tls_to_who_does_not_hears_so_and_the_other_way_round() {
    let site = Site::new(Mood::Well).await;
    let mut said = String::new();
    let plain = serve_tcp(Mood::Well, "127.0.0.1").await.unwrap();
    let port = plain.address.rsplit(':').next().unwrap().parse().unwrap();
    let line = format!("--server https://localhost:PORT {CA} show backends");
    said.push_str(&format!("# a server without TLS\n{}", entry(&line, &site.run(&line, port).await)));

    let door = site.door("server", Wants::Nothing).await;
    let line = "--server localhost:PORT show backends";
    said.push_str(&format!("# a server with TLS\n{}", entry(line, &site.run(line, door.port).await)));

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let hangs_up = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            drop(stream);
        }
    });
    let line = format!("--server https://localhost:PORT {CA} show backends");
    said.push_str(&format!("# a server that hangs up\n{}", entry(&line, &site.run(&line, port).await)));
    hangs_up.abort();
    insta::assert_snapshot!(said);
}

#[tokio::test]
async fn files_that_cannot_be_used_are_named_with_what_is_wrong() {
    let site = Site::new(Mood::Well).await;
    site.pki.issue("bob", For::Client, false);
    let door = site.door("server", Wants::Nothing).await;
    let pem = std::fs::read_to_string(site.pki.path("ca.pem")).unwrap();
    site.pki.write("empty", "", 0o600);
    site.pki.write("cut.pem", &pem[..pem.len() / 2], 0o644);
    let broken = "-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n";
    site.pki.write("broken.pem", broken, 0o644);
    let zeros = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    site.pki.write("zeros.pem", zeros, 0o644);
    let locked = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    site.pki.write("locked.pem", locked, 0o600);
    let key = std::fs::read_to_string(site.pki.path("alice-key.pem")).unwrap();
    site.pki.write("open-key.pem", &key, 0o644);
    let mut said = String::new();
    for flags in [
        "--tls-ca DIR/nowhere.pem",
        "--tls-ca DIR/",
        "--tls-ca DIR/empty",
        "--tls-ca DIR/cut.pem",
        "--tls-ca DIR/broken.pem",
        "--tls-ca DIR/zeros.pem",
        "--tls-ca DIR/alice-key.pem",
        "--tls-cert DIR/nowhere.pem --tls-key DIR/alice-key.pem",
        "--tls-cert DIR/alice-key.pem --tls-key DIR/alice.pem",
        "--tls-cert DIR/alice.pem --tls-key DIR/nowhere.pem",
        "--tls-cert DIR/alice.pem --tls-key DIR/open-key.pem",
        "--tls-cert DIR/alice.pem --tls-key DIR/empty",
        "--tls-cert DIR/alice.pem --tls-key DIR/locked.pem",
        "--tls-cert DIR/alice.pem --tls-key DIR/bob-key.pem",
        "--tls-cert DIR/zeros.pem --tls-key DIR/alice-key.pem",
    ] {
        let ca = if flags.contains("--tls-ca") { String::new() } else { format!("{CA} ") };
        let line = format!("--server https://localhost:PORT {ca}{flags} show backends");
        said.push_str(&entry(&line, &site.run(&line, door.port).await));
    }
    let key_and_more = "--tls-cert DIR/alice.pem --tls-key DIR/alice.pem";
    std::fs::set_permissions(site.pki.path("alice.pem"), std::os::unix::fs::PermissionsExt::from_mode(0o600))
        .unwrap();
    let line = format!("--server https://localhost:PORT {CA} {key_and_more} show backends");
    said.push_str(&entry(&line, &site.run(&line, door.port).await));
    insta::assert_snapshot!(said);
}

#[tokio::test]
async fn a_token_says_who_asks_and_goes_nowhere_in_the_clear() {
    let site = Site::new(Mood::Guarded).await;
    let door = site.door("server", Wants::Nothing).await;
    for (name, text, mode) in [
        ("token", " sesame\n", 0o600),
        ("wrong", "open", 0o600),
        ("open", "sesame", 0o644),
        ("empty", "\n", 0o600),
        ("two", "sesame\nsesame\n", 0o600),
        ("hash", "sha256:00", 0o600),
        ("umlaut", "sesäme", 0o600),
    ] {
        site.pki.write(name, text, mode);
    }
    let unix = format!("--server {} --token-file DIR/token show version", site.server.address);
    for line in [
        "--server https://localhost:PORT --tls-ca DIR/ca.pem --token-file DIR/token show version",
        "--server localhost:PORT --tls-ca DIR/ca.pem --token-file DIR/token show version",
        &unix,
    ] {
        let ran = site.run(line, door.port).await;
        assert_eq!((ran.code, ran.errors.as_str()), (0, ""), "{line}");
    }
    // To this machine a token may go without TLS, as through a tunnel.
    let near = serve_tcp(Mood::Guarded, "127.0.0.1").await.unwrap();
    let port = near.address.rsplit(':').next().unwrap().parse().unwrap();
    for server in ["127.0.0.1:PORT", "http://localhost:PORT"] {
        let line = format!("--server {server} --token-file DIR/token show version");
        assert_eq!(site.run(&line, port).await.code, 0, "{line}");
    }
    let mut said = String::new();
    for flags in [
        "--server https://localhost:PORT --tls-ca DIR/ca.pem",
        "--server https://localhost:PORT --tls-ca DIR/ca.pem --token-file DIR/wrong",
        "--server https://localhost:PORT --tls-ca DIR/ca.pem --token-file DIR/nowhere",
        "--server https://localhost:PORT --tls-ca DIR/ca.pem --token-file DIR/open",
        "--server https://localhost:PORT --tls-ca DIR/ca.pem --token-file DIR/empty",
        "--server https://localhost:PORT --tls-ca DIR/ca.pem --token-file DIR/two",
        "--server https://localhost:PORT --tls-ca DIR/ca.pem --token-file DIR/hash",
        "--server https://localhost:PORT --tls-ca DIR/ca.pem --token-file DIR/umlaut",
        "--server https://localhost:PORT --token-file DIR/token",
        "--server http://192.0.2.1:PORT --token-file DIR/token",
    ] {
        let line = format!("{flags} show version");
        said.push_str(&entry(&line, &site.run(&line, door.port).await));
    }
    insta::assert_snapshot!(said);
}

#[tokio::test]
async fn renewed_files_count_from_the_next_connection_on() {
    let site = Site::new(Mood::Guarded).await;
    let door = site.door("server", Wants::Certificate).await;
    let flags =
        "--tls-ca DIR/ca.pem --tls-cert DIR/alice.pem --tls-key DIR/alice-key.pem --token-file DIR/token";
    let line = format!("--server https://localhost:PORT {flags} show version");
    site.pki.write("token", "sesame", 0o600);
    for _ in 0..2 {
        assert_eq!(site.run(&line, door.port).await.code, 0);
        site.pki.issue("server", For::Server, false);
        site.pki.issue("alice", For::Client, false);
    }
}
