//! Edge. What those who may only look do not see.

use maglev_api::v1::event::Event as Kind;
use maglev_api::v1::{self, WatchEventsRequest};
use maglev_tests::config::Config;
use maglev_tests::daemon::{Daemon, Options};
use maglev_tests::operator::Operator;
use maglev_tests::wait::{SOON, eventually};
use tonic::Code;

const ACCESS: &str = "access: {loopback: viewer, unix: admin, users: {alice: {role: admin, unix: root}}}";

#[tokio::test(flavor = "multi_thread")]
async fn errors_of_the_access_file_are_for_administrators_and_the_log_of_the_host() {
    let files = tempfile::tempdir().unwrap();
    let access = files.path().join("access.yaml");
    std::fs::write(&access, ACCESS).unwrap();
    let config = Config::new().backend_with("web0", "address: 127.0.0.1").pool("site", "primary", &["web0"]);
    let options = Options {
        grpc: vec!["127.0.0.1:0".to_owned()],
        arguments: vec!["--access-file".to_owned(), access.display().to_string()],
        ..Options::default()
    };
    let daemon = Daemon::start(&config, options).await;
    let mut admin = daemon.operator().await;
    let mut viewer = Operator::tcp(daemon.grpc_address()).await;
    let request = WatchEventsRequest { log: true, ..WatchEventsRequest::default() };
    let mut watcher = viewer.watch_for(request).await;
    let check = async |operator: &mut Operator| {
        let answer = operator.client.check_config(v1::CheckConfigRequest {}).await.unwrap().into_inner();
        let words: Vec<_> =
            answer.diagnostics.into_iter().map(|found| format!("{}: {}", found.key, found.message)).collect();
        (answer.valid, words.join("\n"))
    };
    assert_eq!(check(&mut viewer).await, (true, String::new()));

    std::fs::write(&access, ACCESS.replace("role: admin", "role: emperor")).unwrap();
    let (valid, words) = check(&mut admin).await;
    assert!(!valid && words.contains("alice"), "{words}");
    let (valid, words) = check(&mut viewer).await;
    assert!(!valid && !words.contains("alice"), "{words}");
    assert!(words.contains("administrators are shown the errors"), "{words}");

    // Nor does the log show them to who watches it.
    let refused = admin.reload().await.unwrap_err();
    assert!(refused.code() == Code::FailedPrecondition && refused.message().contains("alice"), "{refused:?}");
    eventually("line in the log", SOON, async || {
        daemon.line("configuration not reloaded, the old one stays in force").ok_or("none")
    })
    .await;
    daemon.write(&config.check("new", "type: icmp"));
    std::fs::write(&access, ACCESS).unwrap();
    admin.reload().await.unwrap();
    loop {
        if let Kind::Log(line) = watcher.next().await {
            assert!(!format!("{line:?}").contains("emperor"), "{line:?}");
            if line.message == "configuration reloaded" {
                break;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_others_can_write_are_refused() {
    let files = tempfile::tempdir().unwrap();
    let access = files.path().join("access.yaml");
    std::fs::write(&access, ACCESS).unwrap();
    let mode = |mode| {
        let mode = std::os::unix::fs::PermissionsExt::from_mode(mode);
        std::fs::set_permissions(&access, mode).unwrap();
    };
    let config = Config::new().backend_with("web0", "address: 127.0.0.1").pool("site", "primary", &["web0"]);
    let arguments = vec!["--access-file".to_owned(), access.display().to_string()];
    let daemon = Daemon::start(&config, Options { arguments, ..Options::default() }).await;
    let mut admin = daemon.operator().await;

    mode(0o666);
    let refused = admin.reload().await.unwrap_err();
    assert!(refused.message().contains("every user can write to it: chmod o-w it"), "{refused:?}");
    mode(0o644);
    admin.reload().await.unwrap();
}
