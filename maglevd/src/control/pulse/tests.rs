//! The watchdog hears of the engine's loop, and of nothing else.

use std::sync::mpsc;
use std::time::Duration;

use tempfile::TempDir;
use tokio::net::UnixDatagram;
use tokio::time::timeout;

use maglev_core::intent::Request;

use super::*;
use crate::audit::Note;
use crate::control::{Change, Force, Who};
use crate::fixture;

const PERIOD: Duration = Duration::from_millis(100);

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_engine_that_is_held_up_feeds_no_watchdog() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    let manager = ServiceManager::from_environment(|name| match name {
        "NOTIFY_SOCKET" => Some(path.clone().into()),
        "WATCHDOG_USEC" => Some(PERIOD.as_micros().to_string().into()),
        _ => None,
    });
    let running = fixture::run_watched(fixture::WEB, manager.unwrap());
    let fed = || async {
        let mut buffer = [0; 64];
        let length = socket.recv(&mut buffer).await.unwrap();
        assert_eq!(&buffer[..length], b"WATCHDOG=1");
    };
    for _ in 0..5 {
        fixture::soon(fed()).await;
    }

    // Something holds the engine's task up, while the runtime has threads left.
    let (release, held) = mpsc::channel::<()>();
    let (begun, holds) = tokio::sync::oneshot::channel();
    let (control, note) = (running.control.clone(), Note::default());
    let blocked = note.clone();
    let holder = std::thread::spawn(move || {
        let _blocked = blocked.block();
        let _ = begun.send(());
        let _ = held.recv();
    });
    fixture::soon(holds).await.unwrap();
    let change = Change::Backend { backend: "static0".to_owned(), request: Request::Pause };
    let changed = tokio::spawn(async move {
        control.change(change, Who { note, force: Some(Force::default()), ..Who::default() }).await
    });
    // The engine's task has the change once it answers no reader any more.
    let held_up = || timeout(PERIOD, running.control.snapshot());
    fixture::soon(async { while held_up().await.is_ok() {} }).await;
    while socket.try_recv(&mut [0; 64]).is_ok() {}
    assert!(timeout(PERIOD * 10, fed()).await.is_err(), "it was fed by something else");

    release.send(()).unwrap();
    holder.join().unwrap();
    fixture::soon(changed).await.unwrap().unwrap();
    for _ in 0..5 {
        fixture::soon(fed()).await;
    }
}

#[tokio::test(start_paused = true)]
async fn it_beats_twice_in_the_time_and_sooner_where_it_was_not_heard() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("notify");
    let manager = ServiceManager::from_environment(|name| match name {
        "NOTIFY_SOCKET" => Some(path.clone().into()),
        "WATCHDOG_USEC" => Some("30000000".into()),
        _ => None,
    });
    let mut pulse = Pulse::new(manager.unwrap());
    assert_eq!(pulse.due(), Some(Instant::now()), "the first at once");

    pulse.beat();
    assert_eq!(pulse.due(), Some(Instant::now() + Duration::from_secs(3)), "nobody was there");
    let _socket = std::os::unix::net::UnixDatagram::bind(&path).unwrap();
    pulse.beat();
    assert_eq!(pulse.due(), Some(Instant::now() + Duration::from_secs(15)));
}

#[test]
fn without_a_watchdog_there_is_nothing_to_do() {
    let mut pulse = Pulse::new(ServiceManager::none());
    assert_eq!(pulse.due(), None);
    pulse.beat();
    assert_eq!(pulse.due(), None);
}
