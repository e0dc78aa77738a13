//! A full house makes the next one wait, and errors do not make it spin.

use std::pin::pin;

use futures_util::FutureExt;
use tokio::io::DuplexStream;

use super::*;

fn connection() -> io::Result<DuplexStream> {
    Ok(tokio::io::duplex(1).0)
}

#[tokio::test]
async fn the_next_waits_until_one_has_ended() {
    let mut incoming = pin!(bounded_to(2, tokio_stream::iter([connection(), connection(), connection()])));
    let first = incoming.next().await.unwrap().unwrap();
    let _second = incoming.next().await.unwrap().unwrap();
    assert!(incoming.next().now_or_never().is_none());
    drop(first);
    assert!(incoming.next().await.unwrap().is_ok());
}

#[tokio::test(start_paused = true)]
async fn it_rests_after_an_error_and_keeps_no_place_for_it() {
    let full = || Err(io::Error::from_raw_os_error(nix::libc::EMFILE));
    let mut incoming = pin!(bounded_to(1, tokio_stream::iter([full(), full(), connection()])));
    let start = tokio::time::Instant::now();
    assert!(incoming.next().await.unwrap().is_err());
    assert!(incoming.next().await.unwrap().is_err());
    assert_eq!(start.elapsed(), 2 * ACCEPT_PAUSE);
    assert!(incoming.next().await.unwrap().is_ok());
}
