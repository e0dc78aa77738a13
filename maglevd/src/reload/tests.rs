//! A file is taken whole or not at all, and every word about it is kept.

use std::error::Error;

use maglev_core::config::Severity;
use tempfile::NamedTempFile;

use super::*;
use crate::fixture::{self, Running, STATIC, WEB};

fn file(text: &str) -> NamedTempFile {
    let file = NamedTempFile::new().unwrap();
    std::fs::write(&file, text).unwrap();
    file
}

/// An engine on [`WEB`], and what reloads it from `file`.
fn reloader(file: &NamedTempFile) -> (Running, Reloader) {
    let running = fixture::run(WEB);
    let reloader = Reloader::new(
        file.path(),
        fixture::options(),
        running.control.clone(),
        ConfigStatus::loaded(),
        fixture::beside(),
    );
    (running, reloader)
}

async fn backends(running: &Running) -> Vec<String> {
    let read = running.control.read(|view| view.engine.backends().map(|b| b.name().to_string()).collect());
    read.await.unwrap()
}

const BROKEN: &str = "
maglev:
  backends:
    nginx0: {address: 192.0.2.300}
    nginx1: {adress: 192.0.2.1}
";

#[tokio::test]
async fn a_valid_file_is_taken() {
    let file = file(&WEB.replace("nginx1", "nginx2"));
    let (running, reloader) = reloader(&file);
    let before = reloader.status().read().loaded_at;
    let checked = reloader.reload(false, &Note::default()).await.unwrap();
    assert_eq!(summary(&checked.changes.backends).to_string(), "-nginx1 +nginx2");
    assert_eq!(summary(&checked.changes.frontends).to_string(), "~site");
    assert_eq!(summary(&checked.changes.checks).to_string(), "unchanged");
    assert_eq!(backends(&running).await, ["nginx0", "nginx2", "static0"]);
    let status = reloader.status().read();
    assert!(status.last_reload_successful && status.loaded_at > before);
}

#[tokio::test]
async fn a_broken_file_changes_nothing_and_all_its_errors_are_told() {
    let file = file(BROKEN);
    let (running, reloader) = reloader(&file);
    let before = reloader.status().read().loaded_at;
    let error = reloader.reload(false, &Note::default()).await.unwrap_err();
    let text = error.to_string();
    let path = file.path().display();
    assert!(text.contains(&format!("{path}:4:")) && text.contains(&format!("{path}:5:")), "{text}");
    assert_eq!(backends(&running).await, ["nginx0", "nginx1", "static0"]);
    let status = reloader.status().read();
    assert!(!status.last_reload_successful);
    assert_eq!(status.loaded_at, before);

    // Once it is mended, all is well again.
    std::fs::write(&file, WEB).unwrap();
    let checked = reloader.reload(false, &Note::default()).await.unwrap();
    assert!(checked.changes.backends.is_empty() && checked.changes.frontends.is_empty());
    assert!(reloader.status().read().last_reload_successful);
}

#[tokio::test]
async fn a_check_takes_nothing_and_is_no_reload() {
    let file = file(STATIC);
    let (running, reloader) = reloader(&file);
    let checked = reloader.check().await.unwrap();
    assert_eq!(summary(&checked.changes.backends).to_string(), "-nginx0 -nginx1 ~static0 +static1");
    std::fs::write(&file, BROKEN).unwrap();
    assert!(reloader.check().await.is_err());
    assert_eq!(backends(&running).await, ["nginx0", "nginx1", "static0"]);
    assert!(reloader.status().read().last_reload_successful);
}

#[tokio::test]
async fn after_the_engine_has_stopped_nothing_is_taken() {
    let file = file(WEB);
    let (running, reloader) = reloader(&file);
    running.stop.cancel();
    let stopped = fixture::soon(async {
        loop {
            match reloader.reload(false, &Note::default()).await {
                Err(error) => break error,
                Ok(_) => tokio::task::yield_now().await,
            }
        }
    });
    assert!(matches!(stopped.await, ConfigError::Stopped(_)));
}

#[tokio::test]
async fn reloads_at_once_are_taken_one_after_the_other() {
    let file = file(STATIC);
    let (running, reloader) = reloader(&file);
    let reloads = (0..8).map(|_| {
        let reloader = reloader.clone();
        tokio::spawn(
            async move { reloader.reload(false, &Note::default()).await.unwrap().changes.backends.len() },
        )
    });
    let mut changes = Vec::new();
    for reload in reloads.collect::<Vec<_>>() {
        changes.push(reload.await.unwrap());
    }
    changes.sort_unstable();
    assert_eq!(changes, [0, 0, 0, 0, 0, 0, 0, 4], "only the first changes anything");
    assert_eq!(backends(&running).await, ["static0", "static1"]);
}

#[test]
fn a_file_that_cannot_be_read_is_named_with_the_cause() {
    let error = load(Path::new("/nowhere/maglev.yaml"), &fixture::options()).unwrap_err();
    assert_eq!(error.exit_code(), 1);
    let text = Chain(&error).to_string();
    assert_eq!(text, "cannot read /nowhere/maglev.yaml: No such file or directory (os error 2)");
}

#[test]
fn a_file_without_end_is_refused() {
    let error = load(Path::new("/dev/zero"), &fixture::options()).unwrap_err();
    assert_eq!(error.source().unwrap().to_string(), "it is a device, not a regular file");
}

#[test]
fn the_exit_code_tells_a_typing_mistake_from_one_of_meaning() {
    let code = |text: &str| load(file(text).path(), &fixture::options()).unwrap_err().exit_code();
    assert_eq!(code("maglev: ["), 1);
    assert_eq!(code("maglev: {backend: {}}"), 1);
    assert_eq!(code(&WEB.replace("nginx1: {weight", "nginx7: {weight")), 2);
}

#[test]
fn warnings_do_not_stand_in_the_way() {
    let text = WEB.replace("interval: 1h, fast", "interval: 1s, timeout: 2s, fast");
    let parsed = load(file(&text).path(), &fixture::options()).unwrap();
    assert!(parsed.warnings.iter().any(|warning| warning.severity == Severity::Warning));
}

const VIEWER: &str = "access: {loopback: viewer}";

#[tokio::test]
async fn the_access_file_is_taken_with_the_configuration_or_neither_is() {
    let (config, rules) = (file(STATIC), file(VIEWER));
    let access = Access::new(Some(rules.path().to_owned()), Rules::default());
    let running = fixture::run(WEB);
    let beside = Beside { access: access.clone(), ..fixture::beside() };
    let (control, status) = (running.control.clone(), ConfigStatus::loaded());
    let reloader = Reloader::new(config.path(), fixture::options(), control, status, beside);
    let role = || {
        let origin = crate::peer::Origin::tcp("127.0.0.1:1".parse().unwrap());
        let peer = crate::peer::Peer { origin, security: crate::peer::Security::Plain };
        access.caller(&peer, []).unwrap().role.to_string()
    };

    std::fs::write(rules.path(), "access: {loopback: nobody, unix: all}").unwrap();
    let error = reloader.reload(false, &Note::default()).await.unwrap_err();
    let words = Chain(&error).to_string();
    assert_eq!(words.lines().count(), 2, "{words}");
    assert_eq!((role(), backends(&running).await.len()), ("admin".to_owned(), 3), "both stay as they were");

    std::fs::write(config.path(), BROKEN).unwrap();
    let both = reloader.check().await.unwrap_err();
    assert!(
        both.diagnostics().unwrap().count() > 2,
        "what is wrong with either file is told at once: {both}"
    );

    std::fs::write(rules.path(), VIEWER).unwrap();
    reloader.reload(false, &Note::default()).await.unwrap_err();
    assert_eq!(role(), "admin", "a good access file waits for a good configuration");

    std::fs::write(config.path(), STATIC).unwrap();
    reloader.reload(false, &Note::default()).await.unwrap();
    assert_eq!((role(), backends(&running).await.len()), ("viewer".to_owned(), 2));
}

#[test]
fn summary_ends_after_a_hundred_names() {
    let changes: BTreeMap<u32, Change<()>> = (0..250).map(|number| (number, Change::Added)).collect();
    let summary = summary(&changes).to_string();
    assert!(summary.starts_with("+0 +1 ") && summary.ends_with(" +99 and 150 more"), "{summary}");
}
