//! What operators want is on disk before they are told, and probes do not wait for it.

use std::time::Duration;

use maglev_core::engine::{Engine, Intents};
use maglev_core::intent::Request;
use maglev_core::weight::Weight;
use maglev_probe::Prober;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::*;
use crate::fixture::{STATIC, config, soon};
use crate::state::{Directory, IntentFile};

struct Kept {
    control: Control,
    directory: TempDir,
    stop: CancellationToken,
    driver: AbortOnDropHandle<()>,
}

/// Somebody who means it, also where a frontend is left without a server.
fn forced() -> Who {
    Who { by: "test".to_owned(), force: Some(Force::default()), ..Who::default() }
}

/// A running engine that keeps what is wanted of it.
fn run() -> Kept {
    let directory_of = tempfile::tempdir().unwrap();
    let (intent, ..) = IntentFile::open(Directory::open(directory_of.path()).unwrap()).unwrap();
    let (health, ..) = HealthFile::open(Directory::open(directory_of.path()).unwrap()).unwrap();
    let (clock, stop) = (Clock::start(), CancellationToken::new());
    let engine = Engine::new(config(STATIC), Intents::default(), 0, clock.now());
    let keep = Keep::In(Writer::start("intent", intent).unwrap());
    let health = Writer::start("health", health).unwrap();
    let (driver, control) = Driver::new(engine, clock, Prober::new(), (keep, Some(health)), None);
    let driver = AbortOnDropHandle::new(tokio::spawn(driver.run(stop.clone())));
    Kept { control, directory: directory_of, stop, driver }
}

impl Kept {
    /// What is on disk.
    fn on_disk(&self) -> Intents {
        // Read by itself: to open it as a start does would tidy up a write that is under way.
        let bytes = std::fs::read(self.directory.path().join("intent.json")).unwrap();
        crate::state::envelope::decode("intent", 2, &bytes).unwrap()
    }

    async fn ask(&self, request: Request) -> Result<bool, ChangeError> {
        let change = Change::Backend { backend: "static0".to_owned(), request };
        soon(self.control.change(change, forced())).await
    }

    async fn durable(&self) -> Option<bool> {
        self.control.read(|view| view.state.intent.durable).await.unwrap()
    }

    /// Where the next file would be written there is a directory: like a full disk, this stops root too.
    fn obstacle(&self) -> std::path::PathBuf {
        self.directory.path().join("intent.json.new")
    }
}

#[tokio::test]
async fn what_is_answered_is_on_disk() {
    let kept = run();
    for (request, paused) in [(Request::Pause, true), (Request::Pause, true), (Request::Resume, false)] {
        kept.ask(request).await.unwrap();
        assert_eq!(kept.on_disk().backends.contains_key("static0"), paused, "{request}");
    }
}

#[tokio::test]
async fn changes_that_come_together_are_all_on_disk_when_they_are_answered() {
    let kept = run();
    let place = |weight: u8| Change::Weight {
        frontend: "site".to_owned(),
        pool: "primary".to_owned(),
        backend: "static0".to_owned(),
        weight: Weight::try_from(weight).unwrap(),
        flush: false,
    };
    let asked = (1..=50).map(|weight| kept.control.change(place(weight), forced()));
    for answer in soon(futures_util::future::join_all(asked)).await {
        assert!(answer.unwrap());
    }
    let weights = kept.on_disk().weights;
    let weight = weights["site"]["primary"]["static0"].weight;
    assert_eq!(weight.get(), 50, "in the order they were asked for");
}

#[tokio::test]
async fn what_cannot_be_written_is_done_and_said_and_made_good_later() {
    let kept = run();
    kept.ask(Request::Disable).await.unwrap();
    std::fs::create_dir(kept.obstacle()).unwrap();

    let failed = kept.ask(Request::Enable).await.unwrap_err();
    assert_eq!(failed.to_string(), "done, but it will not survive a restart of maglevd");
    assert_eq!(kept.durable().await, Some(false));
    // It is so already, and yet it cannot be relied on.
    kept.ask(Request::Enable).await.unwrap_err();

    std::fs::remove_dir(kept.obstacle()).unwrap();
    assert!(!kept.ask(Request::Enable).await.unwrap());
    assert_eq!(kept.durable().await, Some(true));
    assert_eq!(kept.on_disk(), Intents::default());
}

#[tokio::test]
async fn what_ends_while_it_runs_is_gone_from_the_disk_too() {
    let kept = run();
    let change = Change::Backend { backend: "static0".to_owned(), request: Request::Pause };
    let who = Who { lasts: Some(Duration::from_millis(50)), ..forced() };
    kept.control.change(change, who).await.unwrap();
    let gone = async {
        // Read as it is: to open it as at a start would remove the file of a write in progress.
        while tokio::fs::read_to_string(kept.directory.path().join("intent.json"))
            .await
            .unwrap()
            .contains("static0")
        {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    soon(gone).await;
    assert_eq!(kept.on_disk(), Intents::default());
}

#[tokio::test]
async fn everything_is_written_at_the_end() {
    let kept = run();
    std::fs::create_dir(kept.obstacle()).unwrap();
    kept.ask(Request::Pause).await.unwrap_err();
    std::fs::remove_dir(kept.obstacle()).unwrap();
    let Kept { directory: files, stop, driver, .. } = kept;
    stop.cancel();
    soon(driver).await.unwrap();
    let (_, intents, _) = IntentFile::open(Directory::open(files.path()).unwrap()).unwrap();
    assert!(intents.backends.contains_key("static0"));
    assert!(files.path().join("health.json").exists());
}

#[tokio::test]
async fn without_a_directory_that_was_to_be_there_each_change_says_so() {
    let error = Arc::new(Directory::open(std::path::Path::new("/dev/null/state")).unwrap_err());
    let (clock, stop) = (Clock::start(), CancellationToken::new());
    let engine = Engine::new(config(STATIC), Intents::default(), 0, clock.now());
    let (driver, control) = Driver::new(engine, clock, Prober::new(), (Keep::Nowhere(error), None), None);
    let _driver = AbortOnDropHandle::new(tokio::spawn(driver.run(stop)));
    let pause = || Change::Backend { backend: "static0".to_owned(), request: Request::Pause };
    let failed = soon(control.change(pause(), forced())).await.unwrap_err();
    assert_eq!(failed.to_string(), "done, but it will not survive a restart of maglevd");
    // Nothing more is lost by what is so already.
    assert!(!soon(control.change(pause(), forced())).await.unwrap());
    assert_eq!(control.read(|view| view.state.intent.durable).await.unwrap(), Some(false));
}
