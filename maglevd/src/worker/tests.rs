//! Work that hangs, panics or is not wanted any more.

use std::sync::mpsc::channel;

use super::*;

const LONG: Duration = Duration::from_secs(30);
const SHORT: Duration = Duration::from_millis(20);

#[tokio::test]
async fn result_is_returned() {
    let worker = Worker::start("test", 1).unwrap();
    assert_eq!(worker.run(LONG, || 1 + 1).await, Ok(2));
    assert_eq!(worker.read(LONG, || 2 + 1).await, Ok(3));
}

#[tokio::test]
async fn work_that_hangs_times_out_and_fills_the_queue_only() {
    let worker = Worker::start("test", 2).unwrap();
    let (release, hang) = channel::<()>();
    let (started, running) = channel::<()>();
    let stuck = worker.submit(move || {
        started.send(()).unwrap();
        hang.recv().is_err()
    });
    running.recv().unwrap();
    assert_eq!(worker.run(SHORT, || ()).await, Err(WorkerError::Timeout(SHORT)));
    assert_eq!(worker.run(SHORT, || ()).await, Err(WorkerError::Timeout(SHORT)));
    assert_eq!(worker.run(LONG, || ()).await, Err(WorkerError::Busy("test")));
    drop(release);
    assert_eq!(stuck.unwrap().await, Ok(true));
}

#[tokio::test]
async fn work_is_done_after_its_timeout_and_reading_is_not() {
    let worker = Worker::start("test", 2).unwrap();
    let (release, hang) = channel::<()>();
    let stuck = worker.submit(move || hang.recv().is_err()).unwrap();
    let (done, results) = channel();
    let (read, written) = (done.clone(), done);
    worker.read(SHORT, move || read.send("read").unwrap()).await.unwrap_err();
    worker.run(SHORT, move || written.send("written").unwrap()).await.unwrap_err();
    drop(release);
    stuck.await.unwrap();
    assert_eq!(results.iter().collect::<Vec<_>>(), ["written"]);
}

#[tokio::test]
async fn panic_is_an_error_and_the_thread_goes_on() {
    let worker = Worker::start("test", 1).unwrap();
    let broken: Result<(), _> = worker.run(LONG, || panic!("on purpose")).await;
    assert_eq!(broken, Err(WorkerError::Panicked("test")));
    assert_eq!(worker.run(LONG, || 1).await, Ok(1));
}
