//! A read that hangs holds up no other.

use std::sync::mpsc::channel;

use super::*;

#[tokio::test]
async fn read_that_hangs_holds_up_no_other() {
    let reader = Arc::new(Reader::start());
    let (release, hang) = channel::<()>();
    let (started, running) = channel();
    let stuck = Arc::clone(&reader);
    let stuck = tokio::spawn(async move {
        stuck
            .run(move || {
                started.send(()).unwrap();
                hang.recv().is_err()
            })
            .await
    });
    tokio::task::yield_now().await;
    running.recv().unwrap();
    assert_eq!(reader.run(|| 1).await, Some(1));
    assert_eq!(reader.run(|| 2).await, Some(2));
    drop(release);
    assert_eq!(stuck.await.unwrap(), Some(true));
    assert_eq!(reader.run(|| 3).await, Some(3));
}
