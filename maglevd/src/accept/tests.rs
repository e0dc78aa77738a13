//! What becomes of connections at the gate.

use futures_util::FutureExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;

const LIMITS: Limits = Limits { room: 2, source: 2, calls: 2, calls_of_source: 2 };

fn gate() -> Gate {
    Gate { protocol: Protocol::Http2, tls: None, limits: LIMITS, tally: Tally::new("test") }
}

fn full() -> io::Result<(Socket, Origin)> {
    Err(io::Error::from_raw_os_error(nix::libc::EMFILE))
}

#[tokio::test(start_paused = true)]
async fn it_rests_after_an_error_and_not_after_one_of_a_single_connection() {
    let aborted = || Err(io::ErrorKind::ConnectionAborted.into());
    let (ready, _connections) = mpsc::channel(1);
    let start = tokio::time::Instant::now();
    gate().run(tokio_stream::iter([full(), aborted(), full()]), ready, CancellationToken::new()).await;
    assert_eq!(start.elapsed(), 2 * ACCEPT_PAUSE);
}

#[tokio::test]
async fn the_newest_takes_the_place_of_one_that_does_nothing() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (gate, stop) = (gate(), CancellationToken::new());
    let tally = Arc::clone(&gate.tally);
    let mut connections = gate.open(Listener::Tcp(listener), stop.clone());

    let mut clients = Vec::new();
    let mut served = Vec::new();
    for _ in 0..3 {
        clients.push(TcpStream::connect(address).await.unwrap());
        served.push(connections.recv().await.unwrap());
    }
    let error = served[0].read_u8().await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionAborted);
    assert!(served[1].read_u8().now_or_never().is_none(), "the others stay");
    clients[2].write_u8(7).await.unwrap();
    assert_eq!(served[2].read_u8().await.unwrap(), 7);
    assert_eq!((tally.count(Fate::Served), tally.count(Fate::Evicted)), (3, 1));

    stop.cancel();
    assert!(connections.recv().await.is_none(), "at the end nobody comes any more");
}

#[tokio::test(start_paused = true)]
async fn one_that_never_calls_is_closed_in_the_end() {
    let tally = Tally::new("test");
    let origin = Origin::Unix(Some(0));
    let start = tokio::time::Instant::now();
    let (place, _) = Places::new(LIMITS).take(&origin, start).unwrap();
    let (ours, _theirs) = tokio::io::duplex(1);
    let peer = Peer { origin, security: Security::Plain };
    let mut connection = Connection::new(Box::new(ours), peer, place, Arc::clone(&tally));
    assert_eq!(connection.read_u8().await.unwrap_err().kind(), io::ErrorKind::ConnectionAborted);
    assert_eq!(start.elapsed(), Duration::from_secs(60));
    assert_eq!(tally.count(Fate::Overdue), 1);
}

#[tokio::test(start_paused = true)]
async fn one_that_is_not_read_from_is_closed_too() {
    let (place, _) = Places::new(LIMITS).take(&Origin::Unix(None), tokio::time::Instant::now()).unwrap();
    let desk = place.desk();
    let (ours, _theirs) = tokio::io::duplex(1);
    let peer = Peer { origin: Origin::Unix(None), security: Security::Plain };
    let mut connection = Connection::new(Box::new(ours), peer, place, Tally::new("test"));
    let _call = desk.call(false, tokio::time::Instant::now()).unwrap();
    let written = connection.write_all(&[0; 100]).await;
    assert_eq!(
        written.unwrap_err().kind(),
        io::ErrorKind::ConnectionAborted,
        "nobody reads what it is answered"
    );
}

#[tokio::test(start_paused = true)]
async fn one_that_sends_a_lot_and_asks_nothing_is_closed() {
    let (place, _) = Places::new(LIMITS).take(&Origin::Unix(None), tokio::time::Instant::now()).unwrap();
    let desk = place.desk();
    let (ours, theirs) = tokio::io::duplex(1 << 16);
    let peer = Peer { origin: Origin::Unix(None), security: Security::Plain };
    let tally = Tally::new("test");
    let mut connection = Connection::new(Box::new(ours), peer, place, Arc::clone(&tally));
    let noise = tokio::spawn(async move {
        let mut theirs = theirs;
        while theirs.write_all(&[0; 1 << 16]).await.is_ok() {}
    });
    let mut chunk = vec![0; 1 << 16];
    // Each call makes room for what it sends, and time for what watchers send.
    for _ in 0..100 {
        let _call = desk.call(true, tokio::time::Instant::now()).unwrap();
        for _ in 0..16 {
            connection.read_exact(&mut chunk).await.unwrap();
        }
    }
    for _ in 0..100 {
        connection.read_exact(&mut chunk).await.unwrap();
        tokio::time::advance(Duration::from_secs(1)).await;
    }
    let error = async {
        loop {
            if let Err(error) = connection.read_exact(&mut chunk).await {
                return error;
            }
        }
    };
    assert_eq!(error.await.kind(), io::ErrorKind::ConnectionAborted);
    assert_eq!(tally.count(Fate::Noisy), 1);
    noise.abort();
}
