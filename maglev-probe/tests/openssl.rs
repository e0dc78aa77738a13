//! TLS with servers of OpenSSL: certificates that rustls would not serve, and servers that want one of the client.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot set itself up has failed")]

mod support;

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use maglev_core::check::{ClientCertificate, ProbeSpec, TlsSpec};
use maglev_core::outcome::{Code, Outcome};
use maglev_probe::{Prober, check_tls_files};
use tempfile::TempDir;

use support::*;

const CONNECTED: &str = r"connected to 127\.0\.0\.1:\d+ in [\d.]+ m?s, ";

/// A directory of keys and certificates.
struct Files(TempDir);

impl Files {
    fn new() -> Self {
        Files(tempfile::tempdir().unwrap())
    }

    /// Runs a shell command in the directory.
    fn run(&self, command: &str) {
        let output = Command::new("sh").args(["-ec", command]).current_dir(&self.0).output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{command}: {errors}");
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(name)
    }
}

/// `openssl s_server` on a port of its own.
struct OpenSsl {
    child: Child,
    address: SocketAddr,
}

impl OpenSsl {
    fn start(files: &Files, arguments: &[&str]) -> Self {
        let mut child = Command::new("openssl")
            .args(["s_server", "-accept", "127.0.0.1:0", "-www", "-cipher", "ALL:@SECLEVEL=0"])
            .args(arguments)
            .current_dir(&files.0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let address = lines.find_map(|line| line.unwrap().strip_prefix("ACCEPT ")?.parse().ok());
        let address = address.expect("s_server does not say where it listens");
        // Its pipe stays open and is read.
        std::thread::spawn(move || lines.count());
        OpenSsl { child, address }
    }

    async fn probe(&self, tls: &TlsSpec) -> [Outcome; 2] {
        let port = self.address.port();
        let https = ProbeSpec::Http { port, tls: Some(tls.clone()), request: get() };
        let tcp = ProbeSpec::Tcp { port, tls: Some(tls.clone()) };
        let prober = Prober::new();
        [run(&prober, self.address, &https, PATIENT).await, run(&prober, self.address, &tcp, PATIENT).await]
    }
}

impl Drop for OpenSsl {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn is_installed() -> bool {
    let found = Command::new("openssl").arg("version").output().is_ok();
    if !found {
        skip("TLS with servers of OpenSSL", "openssl is not installed");
    }
    found
}

fn unverified() -> TlsSpec {
    TlsSpec { server_name: None, verify: false, ca_file: None, client: None }
}

fn trusting(file: &Path) -> TlsSpec {
    TlsSpec { server_name: Some("site.example".to_owned()), ..verified_by(file) }
}

/// A self-signed certificate.
fn self_signed(key: &str, more: &str) -> String {
    format!(
        "openssl {key} -out key.pem 2>&1
         openssl req -x509 -new -key key.pem -subj /CN=site.example -days 30 -out cert.pem {more}"
    )
}

fn rsa(bits: u32) -> String {
    format!("genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:{bits}")
}

fn ec(curve: &str) -> String {
    format!("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:{curve}")
}

#[tokio::test]
async fn any_certificate_is_accepted_unverified() {
    if !is_installed() {
        return;
    }
    let version_1 = format!(
        "openssl {} -out key.pem
         openssl req -new -key key.pem -subj /CN=site.example -out request.pem
         openssl x509 -req -in request.pem -signkey key.pem -out cert.pem
         openssl x509 -in cert.pem -noout -text | grep -q 'Version: 1'",
        rsa(2048)
    );
    // Whether it works over TLS 1.2 and over TLS 1.3. Where not, OpenSSL cannot serve it (a PSS signature is longer than
    // 512 bits) or rustls does not speak it (the curves P-521 and those of Koblitz in TLS 1.2, Ed448 in TLS 1.2, keys that
    // are for PSS only).
    let rows = [
        ("version 1", version_1, [true, true]),
        (
            "an unknown critical extension",
            self_signed(&rsa(2048), "-addext 1.2.3.4=critical,DER:0500"),
            [true, true],
        ),
        ("RSA with 1024 bits", self_signed(&rsa(1024), ""), [true, true]),
        ("RSA with 512 bits", self_signed(&rsa(512), ""), [true, false]),
        ("SHA-1", self_signed(&rsa(2048), "-sha1"), [true, true]),
        ("MD5", self_signed(&rsa(2048), "-md5"), [true, true]),
        ("P-256", self_signed(&ec("prime256v1"), ""), [true, true]),
        ("P-521", self_signed(&ec("secp521r1"), ""), [false, true]),
        ("Ed25519", self_signed("genpkey -algorithm ed25519", ""), [true, true]),
        ("Ed448", self_signed("genpkey -algorithm ed448", ""), [false, true]),
        ("no name at all", self_signed(&rsa(2048), "-subj /"), [true, true]),
        ("for clients", self_signed(&rsa(2048), "-addext extendedKeyUsage=clientAuth"), [true, true]),
        ("a Koblitz curve", self_signed(&ec("secp256k1"), ""), [false, false]),
    ];
    for (what, commands, works) in rows {
        let files = Files::new();
        files.run(&commands);
        for (version, works) in ["-tls1_2", "-tls1_3"].into_iter().zip(works) {
            let server = OpenSsl::start(&files, &["-cert", "cert.pem", "-key", "key.pem", version]);
            let codes = server.probe(&unverified()).await.map(|outcome| outcome.code);
            let wanted = if works { [Code::L7Ok, Code::L6Ok] } else { [Code::L6Rsp; 2] };
            assert_eq!(codes, wanted, "{what} {version}");
        }
    }
}

/// An authority and a certificate of a server that it issued, with keys of so many bits.
fn issued(authority: u32, server: u32, more: &str) -> String {
    format!(
        "openssl {} -out ca.key
         openssl req -x509 -new -key ca.key -subj /CN=ours -days 30 -out ca.pem
         openssl {} -out key.pem
         openssl req -new -key key.pem -subj /CN=site.example -out request.pem
         echo 'subjectAltName=DNS:site.example' >extensions
         openssl x509 -req -in request.pem -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 -out cert.pem {more}",
        rsa(authority),
        rsa(server)
    )
}

#[tokio::test]
async fn what_is_refused_for_its_key_or_its_form_is_named() {
    if !is_installed() {
        return;
    }
    let v3 = "-extfile extensions";
    for (what, commands, sentence) in [
        (
            "a short key",
            issued(2048, 1024, v3),
            "the RSA key of its certificate has 1024 bits, and those under 2048 are not trusted",
        ),
        (
            "an authority with a short key",
            issued(1024, 2048, v3),
            "the RSA key of the authority that issued it has 1024 bits, and those under 2048 are not trusted",
        ),
        (
            "SHA-1",
            issued(2048, 2048, "-sha1 -extfile extensions"),
            "its certificate is signed with an algorithm that is not trusted, such as SHA-1",
        ),
        (
            "version 1",
            issued(2048, 2048, ""),
            "its certificate is of X.509 version 1, and only version 3 is trusted",
        ),
        (
            "an unknown critical extension",
            issued(2048, 2048, v3)
                .replace("DNS:site.example'", "DNS:site.example\n1.2.3.4=critical,DER:0500'"),
            "its certificate has a critical extension that is not known here",
        ),
    ] {
        let files = Files::new();
        files.run(&commands);
        for version in ["-tls1_2", "-tls1_3"] {
            let server = OpenSsl::start(&files, &["-cert", "cert.pem", "-key", "key.pem", version]);
            for outcome in server.probe(&trusting(&files.path("ca.pem"))).await {
                let sentence = format!("{CONNECTED}no TLS session: {sentence}");
                expect(&format!("{what} {version}"), &outcome, Code::L6Rsp, &sentence);
            }
        }
    }
}

#[tokio::test]
async fn servers_that_want_a_client_certificate_say_so_in_both_versions() {
    if !is_installed() {
        return;
    }
    let files = Files::new();
    files.run(&issued(2048, 2048, "-extfile extensions"));
    files.run(
        "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:prime256v1 -out client.key
         openssl req -new -key client.key -subj /CN=probe -out client.csr
         openssl x509 -req -in client.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 -out client.pem
         openssl req -x509 -new -key client.key -subj /CN=stranger -days 30 -out stranger.pem",
    );
    let trusting = trusting(&files.path("ca.pem"));
    let showing = |certificate: &str| {
        let (certificate, key) = (files.path(certificate), files.path("client.key"));
        TlsSpec { client: Some(ClientCertificate { certificate, key }), ..trusting.clone() }
    };
    let refused = r"(TLS in [\d.]+ m?s, |no TLS session: )the server ended it with the alert ";
    let wanting = "it wants a certificate of the client";
    for version in ["-tls1_2", "-tls1_3"] {
        for verify in ["-Verify", "-verify"] {
            for tickets in ["2", "0"] {
                let common = ["-cert", "cert.pem", "-key", "key.pem", "-CAfile", "ca.pem"];
                let more = [version, verify, "1", "-verify_return_error", "-num_tickets", tickets];
                let server = OpenSsl::start(&files, &[&common[..], &more[..]].concat());
                let what = format!("{version} {verify} with {tickets} tickets");
                let none = server.probe(&trusting).await;
                if verify == "-Verify" {
                    for outcome in none {
                        let sentence = format!("{CONNECTED}{refused}[a-z_]+: {wanting}");
                        expect(&what, &outcome, Code::L6Rsp, &sentence);
                    }
                } else {
                    assert_eq!(none.map(|outcome| outcome.code), [Code::L7Ok, Code::L6Ok], "{what}");
                }
                let good = server.probe(&showing("client.pem")).await;
                assert_eq!(
                    good.clone().map(|outcome| outcome.code),
                    [Code::L7Ok, Code::L6Ok],
                    "{what}: {good:?}"
                );
                for outcome in server.probe(&showing("stranger.pem")).await {
                    expect(&what, &outcome, Code::L6Rsp, &format!("{CONNECTED}{refused}.*"));
                }
            }
        }
    }
}

#[tokio::test]
async fn a_client_certificate_that_cannot_be_used_is_our_fault() {
    if !is_installed() {
        return;
    }
    let files = Files::new();
    files.run(&self_signed(&rsa(2048), ""));
    files.run("openssl genpkey -algorithm ed25519 -out other.key; echo nothing >empty.pem");
    let path = |name: &str| files.path(name);
    for (certificate, key, param, sentence) in [
        ("missing.pem", "key.pem", "client-cert", "cannot read the client-cert .*/missing.pem: no such file"),
        ("cert.pem", "missing.pem", "client-key", "cannot read the client-key .*/missing.pem: no such file"),
        ("empty.pem", "key.pem", "client-cert", "the client-cert .*/empty.pem has no certificate in it, .*"),
        ("cert.pem", "empty.pem", "client-key", "the client-key .*/empty.pem has no private key in it, .*"),
        (
            "cert.pem",
            "other.key",
            "client-key",
            "the client-key .*/other.key does not belong to the first certificate in .*/cert.pem",
        ),
    ] {
        let client = ClientCertificate { certificate: path(certificate), key: path(key) };
        let tls = TlsSpec { client: Some(client), ..unverified() };
        let spec = ProbeSpec::Tcp { port: 1, tls: Some(tls.clone()) };
        let outcome = run(&Prober::new(), "127.0.0.1:1".parse().unwrap(), &spec, PATIENT).await;
        expect(sentence, &outcome, Code::SockErr, sentence);
        let error = check_tls_files(&tls).unwrap_err();
        assert_eq!((error.param, error.reason), (param, outcome.detail));
    }
}
