//! One answer for all who wait, a thread that survives its jobs, and memory that has an end.

use std::convert::Infallible;
use std::sync::atomic::AtomicU32;

use futures_util::future::join_all;

use super::*;
use crate::fixture::soon;
use crate::peer::Origin;
use crate::places::{Limits, Place, Places};

const LIMIT: usize = 16 << 20;

fn answers() -> Answers {
    Answers::start().unwrap()
}

async fn made(answers: &Answers, size: usize) -> Result<Answer, NoAnswer> {
    answers.room().await?;
    answers.make(move || Ok(vec![7; size])).await
}

fn connections<const N: usize>() -> [Place; N] {
    let places = Places::new(Limits { room: 100, source: 100, calls: 100, calls_of_source: 100 });
    [0; N].map(|_| places.take(&Origin::Unix(Some(0)), Instant::now()).unwrap().0)
}

#[tokio::test]
async fn callers_who_wait_share_an_answer_made_after_they_asked() {
    let (lane, count) = (Lane::<u32>::default(), AtomicU32::new(0));
    let make = || async {
        tokio::time::sleep(Duration::from_millis(5)).await;
        Ok::<_, NoAnswer>(count.fetch_add(1, Ordering::SeqCst))
    };
    let answers = soon(join_all((0..500).map(|_| lane.get(b"", make())))).await;
    assert!(answers.into_iter().all(|answer| answer.unwrap() <= 1));
    assert!(count.load(Ordering::SeqCst) <= 2, "the first, and one for all others");
    // Nothing is kept for those who ask later.
    assert_eq!(soon(lane.get(b"", make())).await.unwrap(), count.load(Ordering::SeqCst) - 1);
    assert!(lane.turn.lock().await.made.is_empty());
}

#[tokio::test]
async fn different_questions_have_different_answers() {
    let lane = Lane::<u32>::default();
    let asked = (0..40_u32).map(|n| {
        let lane = &lane;
        async move { lane.get(&[(n % 4) as u8], async { Ok::<_, NoAnswer>(n % 4) }).await.unwrap() == n % 4 }
    });
    assert!(soon(join_all(asked)).await.into_iter().all(|right| right));
}

#[tokio::test]
async fn error_is_not_shared() {
    let lane = Lane::<u32>::default();
    let results = [Err(NoAnswer::Bug), Ok(1)].map(|result| lane.get(b"", async move { result }));
    let results = soon(join_all(results)).await;
    assert!(results[0].is_err() && results[1].is_ok());
}

#[tokio::test]
async fn thread_survives_a_job_that_panics() {
    let answers = answers();
    let broken = answers.run(|| -> Infallible { panic!("as a test") }).await;
    assert!(matches!(broken, Err(NoAnswer::Bug)));
    assert_eq!(soon(answers.run(|| 7)).await.unwrap(), 7);
}

#[tokio::test(start_paused = true)]
async fn memory_for_answers_has_an_end_and_is_free_again() {
    let answers = answers();
    let large = made(&answers, LIMIT).await.unwrap();
    let held = holding(large.bytes().clone(), ());
    drop(large);
    let refused = made(&answers, 1).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "answers that their callers have not read yet take up the 16 MiB that answers may take: try again later"
    );
    drop(held);
    made(&answers, 1).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn answer_left_unread_costs_its_connection_when_memory_is_short() {
    let answers = answers();
    let [slow, quick] = connections();
    let large = made(&answers, LIMIT).await.unwrap();
    let unread = large.give(slow.desk());
    drop(large.give(quick.desk()));
    let held = holding(large.bytes().clone(), unread);
    drop(large);
    let leaves = slow.leave().clone();
    let cut_off = tokio::spawn(async move {
        leaves.cancelled().await;
        drop(held);
    });
    made(&answers, 1).await.unwrap();
    cut_off.await.unwrap();
    assert!(!quick.leave().is_cancelled());
}
