//! First what is, then what happens: nothing missed and nothing twice.

use std::collections::BTreeMap;

use maglev_core::intent::Request;
use tracing_subscriber::layer::SubscriberExt;

use super::*;
use crate::control::{Change, Force, Who};
use crate::fixture::{self, Running, STATIC, WEB, soon};
use crate::logging::Watchers;

type Stream = mpsc::Receiver<Result<v1::Event, Status>>;

fn watch(running: &Running, lines: &Lines, request: WatchEventsRequest) -> Stream {
    let (control, clock) = (running.control.clone(), running.clock);
    let sources = Sources { control, clock, lines: lines.clone(), stop: running.stop.clone() };
    sources.watch(request)
}

/// Watches backends and frontends.
fn watch_all(running: &Running) -> Stream {
    watch(running, &Lines::new(), WatchEventsRequest::default())
}

async fn ask(running: &Running, backend: &str, request: Request) {
    let change = Change::Backend { backend: backend.to_owned(), request };
    assert!(
        running
            .control
            .change(change, Who { by: "test".into(), force: Some(Force::default()), ..Who::default() })
            .await
            .unwrap()
    );
}

async fn next(stream: &mut Stream) -> Kind {
    soon(stream.recv()).await.expect("the stream ended").expect("the stream failed").event.unwrap()
}

/// An event in short.
fn brief(kind: &Kind) -> String {
    match kind {
        Kind::Backend(event) => {
            let from = event.transition.as_ref().map(|t| t.from().as_str_name()).unwrap_or_default();
            format!("{} {} {from}>{}", event.kind().as_str_name(), event.backend, event.state().as_str_name())
        }
        Kind::Frontend(event) => format!(
            "{} {} {}>{} {}>{}",
            event.kind().as_str_name(),
            event.frontend,
            event.from().as_str_name(),
            event.state().as_str_name(),
            event.from_pool,
            event.active_pool
        ),
        Kind::Log(line) => {
            let fields: BTreeMap<_, _> = line.fields.iter().collect();
            format!("{} {} {fields:?}", line.level().as_str_name(), line.message)
        }
        Kind::Synchronized(_) => "synchronized".to_owned(),
        Kind::Lagged(lagged) => format!("lagged {}", lagged.missed),
    }
    .replace("EVENT_KIND_", "")
    .replace("BACKEND_STATE_", "")
    .replace("FRONTEND_STATE_", "")
    .replace("LOG_LEVEL_", "")
    .to_lowercase()
}

async fn take(stream: &mut Stream, count: usize) -> Vec<String> {
    let mut taken = Vec::new();
    for _ in 0..count {
        taken.push(brief(&next(stream).await));
    }
    taken
}

#[tokio::test]
async fn the_present_state_comes_first_then_changes() {
    let running = fixture::run(WEB);
    ask(&running, "nginx0", Request::Pause).await;
    let mut stream = watch_all(&running);
    assert_eq!(
        take(&mut stream, 5).await,
        [
            "present nginx0 unknown>paused",
            "present nginx1 >unknown",
            "present static0 >up",
            // nginx1 has no verdict yet after the start, and the pool before the spare is waited for.
            "present site unknown>unknown >",
            "synchronized"
        ]
    );
    ask(&running, "static0", Request::Disable).await;
    assert_eq!(take(&mut stream, 1).await, ["changed static0 up>disabled"]);
    let config = fixture::config(STATIC);
    running.control.reload(config, true).await.unwrap().unwrap();
    // A backend is its address: nginx0 and nginx1 are static0 and static1 now, and the static0 of before has left.
    let mut reload = take(&mut stream, 8).await;
    reload.sort();
    assert_eq!(
        reload,
        [
            "added other up>up primary>primary",
            "added static0 >paused",
            "added static1 >unknown",
            "changed site unknown>down >",
            "changed static1 unknown>up",
            "removed nginx0 paused>removed",
            "removed nginx1 unknown>removed",
            "removed static0 disabled>removed",
        ]
    );
}

#[tokio::test]
async fn only_what_was_asked_for_comes() {
    let running = fixture::run(STATIC);
    let request =
        |backend, frontend| WatchEventsRequest { backend, frontend, ..WatchEventsRequest::default() };
    let mut backends = watch(&running, &Lines::new(), request(true, false));
    let mut frontends = watch(&running, &Lines::new(), request(false, true));
    assert_eq!(take(&mut backends, 3).await, ["present static0 >up", "present static1 >up", "synchronized"]);
    assert_eq!(
        take(&mut frontends, 3).await,
        ["present other up>up primary>primary", "present site up>up primary>primary", "synchronized"]
    );
    ask(&running, "static0", Request::Pause).await;
    ask(&running, "static0", Request::Resume).await;
    assert_eq!(take(&mut backends, 2).await, ["changed static0 up>paused", "changed static0 paused>up"]);
    assert_eq!(
        take(&mut frontends, 2).await,
        ["changed site up>down primary>", "changed site down>up >primary"]
    );
}

/// What a watcher knows from the events so far.
#[derive(Default)]
struct Picture {
    states: BTreeMap<String, i32>,
    changes: u64,
}

impl Picture {
    /// Takes an event, which has to fit what is known.
    fn take(&mut self, kind: &Kind) {
        let Kind::Backend(event) = kind else { return };
        if event.kind() == EventKind::Changed {
            let from = event.transition.as_ref().unwrap().from;
            assert_eq!(self.states.get(&event.backend), Some(&from), "missed or told twice: {}", brief(kind));
            self.changes += 1;
        }
        self.states.insert(event.backend.clone(), event.state);
    }

    fn shows(&self, backend: &str, state: v1::BackendState) -> bool {
        self.states.get(backend) == Some(&state.into())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_comes_amid_changes_misses_none_and_gets_none_twice() {
    const CHANGES: usize = 400;
    let running = fixture::run(STATIC);
    let mut watchers = Vec::new();
    for change in 0..CHANGES {
        if change % 10 == 0 {
            let mut stream = watch_all(&running);
            watchers.push(tokio::spawn(async move {
                let mut picture = Picture::default();
                // The last change of all is of the other backend.
                while !picture.shows("static1", v1::BackendState::Disabled) {
                    picture.take(&next(&mut stream).await);
                }
                picture
            }));
        }
        let request = if change % 2 == 0 { Request::Pause } else { Request::Resume };
        ask(&running, "static0", request).await;
    }
    ask(&running, "static1", Request::Disable).await;
    let mut counts = Vec::new();
    for watcher in watchers {
        let picture = soon(watcher).await.unwrap();
        assert!(picture.shows("static0", v1::BackendState::Up));
        counts.push(picture.changes);
    }
    assert_eq!(counts.len(), CHANGES / 10);
}

#[tokio::test]
async fn who_falls_behind_is_told_and_gets_the_present_state_again() {
    // More than the queue of all and the queue of one hold together.
    const CHANGES: u64 = 6000;
    let running = fixture::run(STATIC);
    let mut slow = watch_all(&running);
    let mut picture = Picture::default();
    loop {
        let kind = next(&mut slow).await;
        picture.take(&kind);
        if matches!(kind, Kind::Synchronized(_)) {
            break;
        }
    }
    for change in 0..CHANGES {
        let request = if change % 2 == 0 { Request::Pause } else { Request::Resume };
        ask(&running, "static0", request).await;
    }
    ask(&running, "static1", Request::Disable).await;

    let missed = loop {
        let kind = next(&mut slow).await;
        picture.take(&kind);
        if let Kind::Lagged(lagged) = kind {
            break lagged.missed;
        }
    };
    assert!(missed > 0 && picture.changes < CHANGES);
    assert_eq!(
        take(&mut slow, 5).await,
        [
            "present static0 paused>up",
            "present static1 up>disabled",
            "present other down>down >",
            "present site up>up primary>primary",
            "synchronized"
        ]
    );
    // And it goes on as for everybody else.
    ask(&running, "static1", Request::Enable).await;
    assert_eq!(take(&mut slow, 2).await, ["changed static1 disabled>up", "changed other down>up >primary"]);
}

#[tokio::test]
async fn log_lines_come_from_the_level_asked_for_with_their_fields() {
    let running = fixture::run(STATIC);
    let lines = Lines::new();
    let _guard =
        tracing::subscriber::set_default(tracing_subscriber::registry().with(Watchers(lines.clone())));
    let request = |level: v1::LogLevel| WatchEventsRequest {
        log: true,
        log_level: level.into(),
        ..WatchEventsRequest::default()
    };
    let mut warnings = watch(&running, &lines, request(v1::LogLevel::Warn));
    let mut everything = watch(&running, &lines, request(v1::LogLevel::Debug));
    let mut unspecified = watch(&running, &lines, request(v1::LogLevel::Unspecified));
    for stream in [&mut warnings, &mut everything, &mut unspecified] {
        assert_eq!(take(stream, 1).await, ["synchronized"], "no backends, no frontends");
    }
    tracing::debug!("a probe");
    tracing::info!(backend = "nginx0", weight = 7, quick = true, "changed");
    tracing::warn!(backend = %"nginx0", "down");
    tracing::error!("broken");
    let (debug, info, warn, error) = (
        "debug a probe {}",
        r#"info changed {"backend": "nginx0", "quick": "true", "weight": "7"}"#,
        r#"warn down {"backend": "nginx0"}"#,
        "error broken {}",
    );
    assert_eq!(take(&mut warnings, 2).await, [warn, error]);
    assert_eq!(take(&mut unspecified, 3).await, [info, warn, error]);
    assert_eq!(take(&mut everything, 4).await, [debug, info, warn, error]);
}

#[tokio::test]
async fn at_the_end_a_watcher_is_told_so() {
    let running = fixture::run(STATIC);
    let mut stream = watch_all(&running);
    take(&mut stream, 5).await;
    running.stop.cancel();
    let status = soon(stream.recv()).await.unwrap().unwrap_err();
    assert_eq!((status.code(), status.message()), (tonic::Code::Unavailable, "the daemon is shutting down"));
    assert!(soon(stream.recv()).await.is_none());
}
