//! What goes wrong, and how it is said.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::{Process, Shared, ran};
use crate::canned::{Mood, serve_tcp, serve_unix};

#[tokio::test]
async fn the_server_is_quoted_without_wrapping() {
    for (mood, line, said) in [
        (Mood::Refusing, "set backend nginx2 pause", "backend nginx2 is disabled; enable it first\n"),
        (Mood::Unwell, "show vpp lb state", "VPP is not connected: no such file /run/vpp/api.sock\n"),
        (Mood::Well, "show backends nginx11", "no backend is named nginx11; did you mean nginx1?\n"),
        (Mood::Well, "show frontends xyz", "no frontend is named xyz; write dns, mail, shop or site\n"),
        (
            Mood::Well,
            "set frontend shop pool primary backend nginx0 weight 1",
            "frontend shop has no pool primary; write canary\n",
        ),
        (
            Mood::Well,
            "set frontend site pool primary backend nginx9 weight 1",
            "pool primary of frontend site has no backend nginx9; did you mean nginx0?\n",
        ),
        (Mood::Empty, "show backends zzz", "no backend is named zzz\n"),
    ] {
        let ran = ran(mood, line).await;
        assert_eq!((ran.code, ran.out.as_str(), ran.errors.as_str()), (1, "", said), "{line}");
    }
}

#[tokio::test]
async fn an_older_server_is_named_as_the_reason() {
    let server = serve_unix(Mood::Old).await;
    let ran = Process::new("show version").at(&server).run().await;
    assert_eq!(ran.code, 1);
    let said =
        format!("{} is a maglevd that cannot do this; it is older than this maglevc\n", server.address);
    assert_eq!(ran.errors, said);
}

#[tokio::test]
async fn errors_are_red_where_there_is_colour() {
    let ran = ran(Mood::Well, "--color true show backends zzz").await;
    assert!(ran.errors.starts_with("\u{1b}[1m\u{1b}[31mno backend is named zzz"), "{:?}", ran.errors);
}

#[tokio::test]
async fn a_server_that_is_gone_is_exit_code_3() {
    let server = serve_unix(Mood::Well).await;
    let address = server.address.clone();
    drop(server);
    let ran = Process::new(&format!("--server {address} show backends")).run().await;
    assert_eq!((ran.code, ran.out.as_str()), (3, ""));
    assert_eq!(
        ran.errors,
        format!(
            "cannot connect to {address}: No such file or directory (os error 2)\n\
             maglevd's address is set with --server or MAGLEV_SERVER\n"
        )
    );

    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let ran = Process::new(&format!("--server 127.0.0.1:{port} show backends")).run().await;
    assert_eq!(ran.code, 3);
    assert!(ran.errors.contains("Connection refused"), "{}", ran.errors);
}

#[tokio::test]
async fn a_server_that_never_answers_is_given_up() {
    for line in ["show backends", "show backends nginx0", "set backend nginx0 pause", "config check"] {
        let server = serve_unix(Mood::Silent).await;
        let ran = Process::new(line).at(&server).impatient().run().await;
        assert_eq!((ran.code, ran.out.as_str()), (3, ""), "{line}");
        assert_eq!(ran.errors, format!("no answer from {} within 500ms\n", server.address), "{line}");
    }
    // Something that listens and is no server at all.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let line = format!("--server {} show backends", listener.local_addr().unwrap());
    let ran = Process::new(&line).impatient().run().await;
    assert_eq!((ran.code, ran.out.as_str()), (3, ""), "{}", ran.errors);
}

#[tokio::test]
async fn a_server_that_speaks_something_else_is_exit_code_3() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let line = format!("--server {} show backends", listener.local_addr().unwrap());
    let web = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n").await;
        }
    });
    let ran = Process::new(&line).run().await;
    web.abort();
    assert_eq!((ran.code, ran.out.as_str()), (3, ""), "{}", ran.errors);
}

#[tokio::test]
async fn a_watch_that_the_server_ends_is_exit_code_3() {
    let server = serve_unix(Mood::Well).await;
    let ran = Process::new("watch events").at(&server).run().await;
    assert_eq!(ran.code, 3);
    assert_eq!(ran.out.lines().count(), 10);
    assert_eq!(ran.errors, format!("lost the connection to {}: the server closed it\n", server.address));
}

/// Carries bytes until it is frozen; then both ends keep a connection on which nothing comes.
async fn relay(listener: TcpListener, to: String, frozen: Arc<AtomicBool>) {
    let (near, _) = listener.accept().await.unwrap();
    let far = TcpStream::connect(to).await.unwrap();
    let (mut near_read, mut near_write) = near.into_split();
    let (mut far_read, mut far_write) = far.into_split();
    let carry = async |from: &mut tokio::net::tcp::OwnedReadHalf,
                       to: &mut tokio::net::tcp::OwnedWriteHalf| {
        let mut buffer = [0; 4096];
        while let Ok(read @ 1..) = from.read(&mut buffer).await {
            if frozen.load(Ordering::Relaxed) {
                std::future::pending::<()>().await;
            }
            to.write_all(&buffer[..read]).await.unwrap();
        }
    };
    tokio::join!(carry(&mut near_read, &mut far_write), carry(&mut far_read, &mut near_write));
}

#[tokio::test]
async fn a_server_that_dies_without_a_word_ends_a_watch() {
    let server = serve_tcp(Mood::Silent, "127.0.0.1").await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let near = listener.local_addr().unwrap();
    let frozen = Arc::new(AtomicBool::new(false));
    let relay = tokio::spawn(relay(listener, server.address.clone(), frozen.clone()));

    let out = Shared::default();
    let watch = Process::new(&format!("--server {near} watch events")).impatient();
    let freeze = async {
        while out.text().lines().count() < 10 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        frozen.store(true, Ordering::Relaxed);
    };
    let both = async { tokio::join!(watch.run_into(out.clone()), freeze).0 };
    let ran =
        tokio::time::timeout(Duration::from_secs(20), both).await.expect("the watch should end by itself");
    relay.abort();
    assert_eq!(ran.code, 3);
    assert_eq!(ran.out.lines().count(), 10);
    assert!(ran.errors.starts_with(&format!("lost the connection to {near}: ")), "{}", ran.errors);
}

#[tokio::test]
async fn a_reader_that_has_seen_enough_is_no_failure() {
    struct Closed;
    impl std::io::Write for Closed {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let server = serve_unix(Mood::Well).await;
    let ran = Process::new("show backends").at(&server).run_into_any(Box::new(Closed)).await;
    assert_eq!((ran.0, ran.1.as_str()), (0, ""));
}

#[tokio::test]
async fn wrong_flags_are_usage() {
    for (line, said) in [
        ("--colour true show version", "Unrecognized argument: --colour"),
        ("--color maybe show version", "write auto, true or false"),
        ("--output yaml show version", "write text or json"),
        ("--server", "No value provided for option '--server'"),
        ("--server :0 show version", "is no address of a server"),
    ] {
        let ran = Process::new(line).run().await;
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{line}");
        assert!(ran.errors.contains(said), "{line}: {}", ran.errors);
    }
    for (line, said) in [("--version", "maglevc 0."), ("--help", "Usage: maglevc"), ("-h", "Usage: maglevc")]
    {
        let ran = Process::new(line).run().await;
        assert_eq!((ran.code, ran.errors.as_str()), (0, ""), "{line}");
        assert!(ran.out.starts_with(said), "{line}: {}", ran.out);
    }
}

#[tokio::test]
async fn no_text_of_others_reaches_the_terminal_as_a_command() {
    let server = serve_unix(Mood::Hostile).await;
    for line in ["show backends nginx0", "show backends", "set backend nginx0 pause", "watch events num 1"] {
        let ran = Process::new(line).at(&server).run().await;
        let both = format!("{}{}", ran.out, ran.errors);
        assert!(both.contains("\u{fffd}[2J"), "{both}");
        assert!(!both.contains('\u{1b}') && !both.contains('\u{7}'), "{both:?}");
    }
}
