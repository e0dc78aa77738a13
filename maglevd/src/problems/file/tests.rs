//! The file on disk, compared with what is in force.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::*;
use crate::audit::Note;
use crate::fixture::{self, STATIC, WEB, beside, options, soon};
use crate::reload::ConfigStatus;

struct Scene {
    directory: tempfile::TempDir,
    reloader: Reloader,
    check: FileCheck,
    _task: AbortOnDropHandle<()>,
    _running: fixture::Running,
}

impl Scene {
    fn start(text: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("maglev.yaml");
        std::fs::write(&path, text).unwrap();
        let running = fixture::run(text);
        let status = ConfigStatus::loaded();
        let reloader = Reloader::new(&path, options(), running.control.clone(), status, beside());
        let (check, run) = FileCheck::new(reloader.clone(), CancellationToken::new());
        let task = AbortOnDropHandle::new(tokio::spawn(run));
        Scene { directory, reloader, check, _task: task, _running: running }
    }

    /// Puts another file in the place of the old one.
    fn write(&self, text: &str) {
        let new = self.directory.path().join("new");
        std::fs::write(&new, text).unwrap();
        std::fs::rename(new, self.reloader.path()).unwrap();
    }

    async fn becomes(&self, right: impl Fn(&FileState) -> bool) {
        soon(async {
            while !right(&self.check.read().await) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        })
        .await;
    }
}

#[tokio::test]
async fn a_file_is_the_same_changed_invalid_or_gone() {
    let scene = Scene::start(WEB);
    scene.becomes(|state| *state == FileState::Same).await;
    scene.write(STATIC);
    scene.becomes(|state| matches!(state, FileState::Changed { since: Some(_) })).await;
    scene.reloader.reload(false, &Note::default()).await.unwrap();
    scene.becomes(|state| *state == FileState::Same).await;
    scene.write("maglev: {nonsense: 1}");
    scene
        .becomes(|state| match state {
            FileState::Invalid { errors, .. } => errors[0].0.ends_with("maglev.yaml:1:10"),
            _ => false,
        })
        .await;
    std::fs::remove_file(scene.reloader.path()).unwrap();
    scene.becomes(|state| matches!(state, FileState::Unreadable { .. })).await;
    scene.write(STATIC);
    scene.becomes(|state| *state == FileState::Same).await;
}
