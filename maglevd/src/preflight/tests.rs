use std::os::unix::net::UnixListener;
use std::path::Path;

use super::check;
use crate::settings::{Arguments, Settings};
use argh::FromArgs;

/// What is wrong with these flags, in a directory of their own.
fn wrong(directory: &Path, flags: &[&str]) -> Vec<String> {
    let flags: Vec<String> =
        flags.iter().map(|flag| flag.replace("DIR", &directory.display().to_string())).collect();
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let arguments = Arguments::from_args(&["maglevd"], &flags).unwrap();
    let state = directory.join("state").display().to_string();
    let variable = |name: &str| (name == "MAGLEV_STATE_DIR").then(|| state.clone());
    let settings = Settings::resolve(arguments, variable, false).unwrap();
    let shown = directory.display().to_string();
    check(&settings).iter().map(|found| found.to_string().replace(&shown, "DIR")).collect()
}

#[test]
fn what_a_start_could_not_use_is_reported() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    std::fs::write(directory.join("file"), "x\n").unwrap();
    let long = format!("unix:DIR/{}", "x".repeat(108));
    for (flags, sentence) in [
        (
            &["--tls-cert", "DIR/missing.pem", "--tls-key", "DIR/file"][..],
            "cannot read DIR/missing.pem, which --tls-cert names: No such file or directory (os error 2)",
        ),
        (
            &["--tls-cert", "DIR/file", "--tls-key", "DIR/file"],
            "DIR/file holds no certificate: --tls-cert wants a PEM file with BEGIN CERTIFICATE in it",
        ),
        (
            &["--metrics-token-file", "DIR/missing"],
            "cannot read DIR/missing, which --metrics-token-file names",
        ),
        (
            &["--state-dir", "DIR/file/state"],
            "--state-dir DIR/file/state: cannot look at DIR/file/state: Not a directory (os error 20); give a directory",
        ),
        (&["--state-dir", "DIR/file"], "--state-dir DIR/file: DIR/file is not a directory; give a directory"),
        (
            &["--audit-log", "DIR/none/log"],
            "--audit-log DIR/none/log: there is no directory DIR/none; give a file",
        ),
        (&["--audit-log", "DIR"], "--audit-log DIR: it is not a regular file; give a file"),
        (
            &["--grpc-addr", "unix:DIR/none/sock"],
            "--grpc-addr unix:DIR/none/sock: there is no directory DIR/none; make it, or give another path",
        ),
        (
            &["--grpc-addr", "unix:DIR/file"],
            "--grpc-addr unix:DIR/file: there is a file that is not a socket",
        ),
        (&["--grpc-addr", &long], "--grpc-addr unix:DIR/xxx"),
        (
            &["--grpc-addr", "192.0.2.250:9090"],
            "--grpc-addr 192.0.2.250:9090: cannot listen on 192.0.2.250: ",
        ),
        (
            &["--metrics-addr", "127.0.0.1:9090"],
            "--metrics-addr 127.0.0.1:9090: --grpc-addr :9090 listens there; give another port",
        ),
    ] {
        let found = wrong(directory, flags);
        assert!(found.len() == 1 && found[0].starts_with(sentence), "{flags:?}: {found:?}");
    }
}

#[test]
fn everything_is_reported_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let flags =
        ["--state-dir", "/dev/null", "--metrics-token-file", "DIR/none", "--grpc-addr", "unix:DIR/none/s"];
    assert_eq!(wrong(directory.path(), &flags).len(), 3);
}

#[test]
fn what_a_start_can_use_leaves_no_trace() {
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("sock");
    let _listener = UnixListener::bind(&socket).unwrap();
    let flags = ["--grpc-addr", "unix:DIR/sock", "--state-dir", "DIR/a/b", "--grpc-addr", "127.0.0.1:9090"];
    assert_eq!(wrong(directory.path(), &flags), Vec::<String>::new());
    let left: Vec<_> = std::fs::read_dir(directory.path()).unwrap().collect();
    assert_eq!(left.len(), 1, "only the socket is there");
}
